// What both fronts of `explore` share: a button that plays and a pad to drag in.

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
