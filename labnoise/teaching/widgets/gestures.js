// What both fronts of `explore` share: controls, a button that plays and a pad to drag in.

/** Call `turn(i, place)` when the reader turns a control of `root`, the fields in the order of the controls; a range's
 *  places are the numbers of its stops, and what lies between two. A key moves a range by one stop, Page Up and Page
 *  Down by ten. Returns `put(i, place, label)`, which shows a control's place. */
function exploreControls(fields, turn) {
  const jumps = { ArrowRight: 1, ArrowUp: 1, PageUp: 10, ArrowLeft: -1, ArrowDown: -1, PageDown: -10, Home: -Infinity, End: Infinity };
  fields.forEach((field, i) => {
    if (field.tagName === "SELECT") return field.addEventListener("input", () => turn(i, field.selectedIndex));
    field.addEventListener("input", () => turn(i, Number(field.value)));
    field.addEventListener("keydown", (event) => {
      const jump = jumps[event.key];
      if (!jump || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault(); // the browser's own steps are not the stops
      const here = Number(field.value), near = 1e-6;
      const stop = jump > 0 ? Math.floor(here + near) + jump : Math.ceil(here - near) + jump;
      const place = Math.min(Math.max(stop, 0), Number(field.max));
      if (place === here) return;
      field.value = place;
      turn(i, place);
    });
  });
  return (i, place, label) => {
    const field = fields[i];
    if (field.tagName === "SELECT") field.selectedIndex = place;
    else {
      field.value = place;
      field.setAttribute("aria-valuetext", label);
    }
  };
}

/** Let `button` call `step` about once every `pace` ms; a step resolves to whether another one can follow.
 *  With reduced motion every press is one step. Returns a function that stops. */
function explorePlay(button, pace, step) {
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  let run = 0; // counts the runs; a loop that finds another number here has been stopped
  const press = (on) => button.setAttribute("aria-pressed", String(on));
  const stop = () => { run += 1; press(false); };
  button.addEventListener("click", async () => {
    if (still.matches) return step();
    if (button.getAttribute("aria-pressed") === "true") return stop();
    const mine = ++run;
    press(true);
    for (let more = true; more && mine === run && button.isConnected; ) {
      const tick = new Promise((resolve) => setTimeout(resolve, pace));
      more = await step();
      await tick;
    }
    if (mine === run) stop();
  });
  return stop;
}

/** Call `move(across, down)` with the pointer's place on `picture`, as fractions, while it drags in `area`. */
function explorePad(picture, area, move) {
  const pad = document.createElement("div");
  pad.className = "explore-pad";
  for (const side of ["left", "top", "width", "height"]) pad.style[side] = `${100 * area[side]}%`;
  // A finger that cannot drag in a direction scrolls the page in it.
  pad.style.touchAction = area.x && area.y ? "none" : area.x ? "pan-y" : "pan-x";
  const follow = (event) => {
    const box = picture.getBoundingClientRect();
    move((event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height);
  };
  pad.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    event.preventDefault(); // no selection of the page's text
    pad.setPointerCapture(event.pointerId);
    follow(event);
  });
  pad.addEventListener("pointermove", (event) => {
    if (pad.hasPointerCapture(event.pointerId)) follow(event);
  });
  picture.append(pad);
}

/** The time between two steps: all stops in six seconds, but never a flicker and never a wait. */
function explorePace(stops) {
  return Math.min(Math.max(6000 / stops, 60), 600);
}
