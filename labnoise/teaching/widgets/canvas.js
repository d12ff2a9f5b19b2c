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

  async function picturing(bytes, className) {
    const image = document.createElement("img");
    Object.assign(image, { width, height, className, alt: "", draggable: false, decoding: "sync" });
    image.src = URL.createObjectURL(new Blob([bytes], { type: "image/webp" }));
    await image.decode();
    URL.revokeObjectURL(image.src);
    return image;
  }

  let shown = add(picture, "img", "explore-frame");
  Object.assign(shown, { width, height, alt: "" });
  for (const layer of ["light", "dark"]) {
    const bytes = model.get(layer);
    if (bytes.byteLength) picturing(bytes, `explore-${layer}`).then((image) => picture.prepend(image));
    else picture.classList.add("explore-whole");
  }

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
    const [frame, text, trouble] = ["frame", "sentence", "problem"].map((name) => model.get(name));
    const image = await picturing(frame, "explore-frame");
    if (mine === latest) {
      shown.replaceWith(image); // decoded already: the old picture stays until the new one is painted
      shown = image;
      shown.alt = text;
      sentence.textContent = trouble ? "" : text;
      problem.textContent = trouble;
      sentence.style.minHeight = `${sentence.offsetHeight}px`;
    }
    answered();
  }
  model.on("change:moves", answer);
  answer();

  function send(name, value) {
    model.set(name, value);
    model.save_changes();
  }

  if (model.get("stops")) {
    const button = controls.querySelector(".explore-play");
    stop = explorePlay(button, explorePace(model.get("stops")), async () => {
      const drawn = new Promise((resolve) => { answered = resolve; });
      send("steps", model.get("steps") + 1);
      await drawn;
      return !model.get("at_end") && !model.get("problem");
    });
  }

  if (model.get("pad")) {
    explorePad(picture, model.get("pad"), (across, down) => {
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
