// `explore` with a kernel: this shows what Python drew and sends back how the controls are turned, where the pointer
// drags and when the play button wants the next step.

function add(parent, tag, className) {
  const element = parent.appendChild(document.createElement(tag));
  element.className = className;
  return element;
}

function render({ model, el }) {
  el.classList.add("explore", "explore-live");
  const picture = add(el, "div", "explore-picture");
  const sheet = add(picture, "div", "explore-sheet");
  const controls = add(el, "div", "explore-controls");
  controls.innerHTML = model.get("controls");
  const fields = [...controls.querySelectorAll("input[type=range], select")];
  const typed = fields.map((field) => field.parentElement.parentElement.querySelector(".explore-value"));
  const sentence = add(el, "p", "explore-sentence");
  const problem = add(el, "p", "explore-problem");
  sentence.setAttribute("aria-live", "polite");
  problem.setAttribute("role", "alert");
  const [width, height] = model.get("size");
  picture.style.maxWidth = `${width}px`;
  sheet.style.aspectRatio = `${width} / ${height}`;
  sheet.setAttribute("role", "img");
  const screen = exploreScreen([sheet], [width, height]);
  const whole = (pack) => exploreMix(pack, [[0, 1]]);
  exploreUnpack(model.get("stage")).then((pack) => screen.lay(whole(pack)));

  let stop = () => {};
  let turns = 0;
  const turn = (i, given) => {
    stop();
    send("turned", [i, given, ++turns]);
  };
  const put = exploreControls(fields, turn);
  typed.forEach((field, i) => field?.addEventListener("change", () => turn(i, field.value)));

  let latest = 0;
  let answered = () => {};
  async function answer() {
    const mine = ++latest;
    if (model.get("heard") >= turns) { // else a handle is still under way
      fields.forEach((_, i) => put(i, model.get("places")[i], model.get("labels")[i]));
    }
    typed.forEach((field, i) => { if (field && field !== document.activeElement) field.value = model.get("labels")[i]; });
    const trouble = model.get("problem");
    const pack = await exploreUnpack(model.get("frame"));
    if (mine === latest) {
      screen.show(whole(pack));
      const thrown = model.get("thrown");
      const words = thrown ? `${pack.sentences[0]} (Throw ${thrown + 1}.)` : pack.sentences[0];
      sentence.textContent = trouble ? "" : words;
      sheet.setAttribute("aria-label", words);
      problem.textContent = trouble;
      sentence.style.minHeight = `${Math.ceil(sentence.getBoundingClientRect().height)}px`;
    }
    answered();
  }
  model.on("change:moves", answer);
  answer();

  function send(name, value) {
    model.set(name, value);
    model.save_changes();
  }

  const played = model.get("played");
  if (played >= 0) {
    const button = controls.querySelector(".explore-play");
    const here = () => model.get("places")[played];
    stop = explorePlay(button, Number(fields[played].max), here, async (place) => {
      const drawn = new Promise((resolve) => { answered = resolve; });
      send("turned", [played, place, ++turns]);
      await drawn;
      if (model.get("problem")) stop();
    });
  }

  controls.querySelector(".explore-throw")?.addEventListener("click", () => send("thrown", model.get("thrown") + 1));

  if (model.get("pad")) {
    explorePad(sheet, model.get("pad"), (across, down) => {
      stop();
      send("pointer", [across, down]);
    });
  }

  // JupyterLab takes arrow keys and letters for its own commands. Chords such as Ctrl+S remain JupyterLab's.
  el.addEventListener("keydown", (event) => {
    if (!event.ctrlKey && !event.metaKey && !event.altKey) event.stopPropagation();
  });

  const orphaned = () => {
    stop();
    problem.textContent = "The kernel has restarted: run this cell again.";
  };
  model.on("comm_live_update", orphaned);
  return () => {
    model.off("change:moves", answer);
    model.off("comm_live_update", orphaned);
  };
}

export default { render };
