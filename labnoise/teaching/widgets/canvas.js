// The picture of `explore` with a kernel. The sliders are Jupyter's own; this shows what Python drew and sends back
// where the pointer drags and when the play button wants the next step.

function add(parent, tag, className) {
  const element = parent.appendChild(document.createElement(tag));
  element.className = className;
  return element;
}

function render({ model, el }) {
  el.classList.add("explore", "explore-canvas");
  const picture = add(el, "div", "explore-picture");
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

  let latest = 0;
  let answered = () => {};
  async function answer() {
    const mine = ++latest;
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

  let stop = () => {};
  if (model.get("stops")) {
    const button = add(el, "button", "explore-play");
    button.type = "button";
    button.textContent = "Play";
    button.setAttribute("aria-pressed", "false");
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

  // JupyterLab takes arrow keys and letters for its own commands, also from the sliders beside the canvas: those are
  // found when the picture has been laid out. Chords such as Ctrl+S remain JupyterLab's.
  const keep = (event) => {
    if (!event.ctrlKey && !event.metaKey && !event.altKey) event.stopPropagation();
  };
  new ResizeObserver((_, observer) => {
    (el.closest(".explore-live") ?? el).addEventListener("keydown", keep);
    observer.disconnect();
  }).observe(picture);

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
