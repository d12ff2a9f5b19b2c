// What both fronts of `explore` share of controls: fields, their numbers, a button that plays and a pad to drag in.

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

/** Let `button` run a place from where it is, `here()`, to `last`, from end to end in six seconds; `move(place)` shows
 *  it and may return a promise. With reduced motion every press is one stop. Returns a function that stops. */
function explorePlay(button, last, here, move) {
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  const frame = () => new Promise(requestAnimationFrame);
  let run = 0; // counts the runs; a loop that finds another number here has been stopped
  const press = (on) => button.setAttribute("aria-pressed", String(on));
  const stop = () => { run += 1; press(false); };
  button.addEventListener("click", async () => {
    const begin = here() >= last ? 0 : here();
    if (still.matches) return move(here() >= last ? 0 : Math.floor(here() + 1e-6) + 1);
    if (button.getAttribute("aria-pressed") === "true") return stop();
    const mine = ++run;
    press(true);
    await move(begin);
    let place = begin, before = await frame();
    while (place < last && mine === run && button.isConnected) {
      const now = await frame();
      place = Math.min(place + ((now - before) / 6000) * last, last);
      before = now;
      if (mine === run) await move(place);
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

/** Between which of some increasing or decreasing numbers another one lies, and how far: 2.5 is midway from the third. */
function explorePlace(numbers, number) {
  const sign = Math.sign(numbers.at(-1) - numbers[0]);
  const above = numbers.findIndex((other) => sign * (other - number) > 0);
  if (above <= 0) return above < 0 ? numbers.length - 1 : 0;
  return above - 1 + (number - numbers[above - 1]) / (numbers[above] - numbers[above - 1]);
}

/** A number's digits by `write`, toFixed or toExponential; half-way between two to the even one, as Python has it, where
 *  JavaScript goes away from zero. */
function exploreDigits(number, write, count) {
  const [digits, power = ""] = number[write](100).split("e"), end = digits.indexOf(".") + 1 + count;
  const below = count ? digits.slice(0, end) : digits.slice(0, end - 1);
  if (!/^50*$/.test(digits.slice(end)) || Number(below.at(-1)) % 2) return number[write](count);
  return power ? `${below}e${power}` : below;
}

/** A number as Python writes it in a format such as "{:.3g}". */
function exploreFormat(format, number) {
  const [, before, digits, kind, after] = format.match(/^([^{}]*)\{:(?:\.(\d+))?([gf])\}([^{}]*)$/);
  const precision = digits === undefined ? 6 : Number(digits);
  if (kind === "f") return before + exploreDigits(number, "toFixed", precision) + after;
  const exact = Number(exploreDigits(number, "toExponential", Math.max(precision - 1, 0)));
  const [mantissa, exponent] = exact.toExponential().split("e");
  const plain = exponent >= -4 && exponent < (precision || 1);
  const scientific = () => `${mantissa}e${exponent < 0 ? "-" : "+"}${String(Math.abs(exponent)).padStart(2, "0")}`;
  return before + (plain ? String(exact) : scientific()) + after;
}
