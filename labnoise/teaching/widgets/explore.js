// The front of `explore` without a kernel: every figure.explore of the page moves between its computed pictures.
(() => {
  window.exploreData = (script, text) => script.arrived(text); // what a file of pictures calls

  /** Run a file, and what it gives: a script element, as a page on a disk may load nothing else. */
  function run(address) {
    const script = Object.assign(document.createElement("script"), { src: address });
    const given = new Promise((arrived, missing) => {
      Object.assign(script, { arrived, onload: arrived, onerror: () => missing(address) });
    });
    document.head.append(script);
    return given.finally(() => script.remove());
  }

  // The script that draws comes with the first pictures: a page that is only read does without it.
  let drawing;
  async function load(address, drawn) {
    drawing ??= run(drawn);
    const [text] = await Promise.all([run(address), drawing.catch((missing) => { drawing = undefined; throw missing; })]);
    return exploreUnpack(exploreBytes(text));
  }

  function wire(figure) {
    const spec = JSON.parse(figure.querySelector("script").textContent), { controls } = spec;
    const [picture, sentence] = ["picture", "sentence"].map((part) => figure.querySelector(`.explore-${part}`));
    const code = figure.querySelector("pre"); // the setting as code, or nothing
    const inputs = controls.map(({ name }) => figure.querySelector(`[name="${name}"]`));
    const sheets = [...figure.querySelectorAll(".explore-sheet")];
    const ranges = controls.flatMap((control, i) => (control.stops ? [i] : []));
    const choice = controls.findIndex(({ stops }) => !stops);
    const places = inputs.map((input) => (input.tagName === "SELECT" ? input.selectedIndex : Number(input.value)));
    const files = new Map();
    const there = new Map();
    let thrown = 0;
    let screen; // made at the first touch
    let latest = 0; // counts the moves: a picture that arrives after a later move is not shown

    /** What lies at a place: the counterpart of `Control.at`. */
    function value(i, place) {
      const { stops, kind } = controls[i], below = Math.min(Math.floor(place), stops.length - 2), beyond = place - below;
      if (kind === "irregular" || beyond === 0 || beyond === 1) return stops[below + Math.round(beyond)];
      const [low, high] = [stops[below], stops[below + 1]];
      if (kind === "log") return low * (high / low) ** beyond;
      return kind === "integer" ? Math.round(low + beyond * (high - low)) : low + beyond * (high - low);
    }

    /** The nearest place that the control can show. */
    function settle(i, place) {
      const { stops, kind } = controls[i], below = Math.floor(place);
      if (!stops || kind === "irregular") return Math.round(place);
      if (kind !== "integer" || below === place) return place;
      return below + (value(i, place) - stops[below]) / (stops[below + 1] - stops[below]);
    }

    function label(i, place) {
      const { labels, kind, format } = controls[i];
      if (Number.isInteger(place)) return labels[place];
      return kind === "integer" ? String(value(i, place)) : exploreFormat(format, value(i, place));
    }

    const put = exploreControls(inputs, (i, place) => { stop(); move(i, place); });

    function move(i, place) {
      places[i] = settle(i, place);
      return show();
    }

    /** A file's pack: at once if it is there, else a promise. */
    function pack(name) {
      if (there.has(name)) return there.get(name);
      if (!files.has(name)) {
        const coming = load(`${spec.folder}/${name}.js`, spec.drawing);
        files.set(name, coming);
        coming.then((pack) => there.set(name, pack), () => files.delete(name)); // to be tried again on the next visit
      }
      return files.get(name);
    }

    /** Show the setting that the controls name; resolves when its picture is there, or is known to be missing. */
    async function show() {
      const mine = ++latest;
      places.forEach((place, i) => {
        put(i, place, label(i, place));
        if (controls[i].stops) inputs[i].parentElement.nextElementSibling.textContent = label(i, place);
      });
      if (code) write();
      const name = (choice < 0 ? 0 : places[choice]) * Math.max(spec.dice, 1) + thrown;
      let [below, pictures] = [pack("stage"), pack(name)];
      try {
        if (below instanceof Promise || pictures instanceof Promise) [below, pictures] = await Promise.all([below, pictures]);
      } catch (address) {
        if (mine !== latest) return;
        missing(address);
        sentence.textContent = ""; // nothing is said of what is not shown
        return;
      }
      if (mine !== latest) return;
      missing("");
      if (!screen) {
        screen = exploreScreen(sheets, spec.size);
        screen.lay(exploreMix(below, [[0, 1]]));
        picture.classList.add("explore-drawn");
        for (const part of figure.children) parts.observe(part);
      }
      screen.show(exploreMix(pictures, around()));
      tell(pictures);
      if (thrown) pack((name - thrown) + ((thrown + 1) % spec.dice)); // who throws twice throws again
    }

    /** A figure that keeps the height of its parts by itself can move without the page around it being laid out, which
     *  on a long page takes longer than a frame. */
    const parts = new ResizeObserver(() => {
      roomFor();
      figure.classList.remove("explore-held");
      figure.style.containIntrinsicBlockSize = `${figure.getBoundingClientRect().height}px`;
      figure.classList.add("explore-held");
    });

    /** The pictures to be mixed, [number, weight]: settings are counted like digits, the last range fastest. */
    function around() {
      let mixed = [[0, 1]];
      for (const i of ranges) {
        const { nodes } = controls[i];
        mixed = mixed.flatMap(([index, weight]) => exploreStencil(nodes, places[i]).map(([node, share]) => [index * nodes.length + node, weight * share]));
      }
      return mixed;
    }

    const named = (i, said) => `${controls[i].label.replace(/ =$/, "")} = ${said}`;

    function written(said, elsewhere) {
      const words = thrown ? `${said} (Throw ${thrown + 1} of ${spec.dice}.)` : said;
      return elsewhere.length ? `${words} (Numbers computed at ${elsewhere.join(", ")}.)` : words;
    }

    const roomFor = () => { sentence.style.minHeight = `${Math.ceil(sentence.getBoundingClientRect().height)}px`; };

    /** Make room for the longest sentence of some pictures, so that what follows is pushed down once. */
    function reserve(pictures) {
      const longest = (all) => all.reduce((long, words) => (words.length > long.length ? words : long), "");
      const between = ranges.filter((i) => controls[i].kind !== "irregular");
      sentence.textContent = written(longest(pictures.sentences), between.map((i) => named(i, longest(controls[i].labels))));
      roomFor();
      pictures.roomy = true;
    }

    /** The sentence of the nearest computed setting, which is named where it is another one. */
    function tell(pictures) {
      let index = 0;
      const elsewhere = [];
      for (const i of ranges) {
        const { nodes } = controls[i], off = nodes.map((node) => Math.abs(node - places[i]));
        const nearest = off.indexOf(Math.min(...off)), said = label(i, nodes[nearest]);
        index = index * nodes.length + nearest;
        if (said !== label(i, places[i])) elsewhere.push(named(i, said));
      }
      if (!pictures.roomy) reserve(pictures);
      sentence.textContent = written(pictures.sentences[index], elsewhere);
      for (const poster of sheets[0].querySelectorAll("img")) poster.alt = sentence.textContent;
    }

    function write() {
      const given = places.map((place, i) => {
        const typed = Number.isInteger(place) ? spec.code.values[i][place] : String(Number(value(i, place).toPrecision(6)));
        return `${controls[i].name}=${typed}`;
      });
      if (spec.code.throw) given.push(`${spec.code.throw}=${thrown}`);
      code.textContent = spec.code.before + given.join(", ") + spec.code.after;
    }

    const problem = document.createElement("p");
    problem.className = "explore-problem";
    problem.setAttribute("role", "alert");
    picture.append(problem);
    function missing(address) {
      problem.textContent = address
        ? `This picture is not there: ${address}. Build the book again; what else is there still works.` : "";
    }
    picture.addEventListener("error", (event) => missing(event.target.getAttribute("src")), true);
    for (const image of picture.querySelectorAll("img")) {
      if (image.complete && !image.naturalWidth) missing(image.getAttribute("src")); // before this script ran
    }

    if (code) write();

    let stop = () => {};
    const button = figure.querySelector(".explore-play");
    if (button) {
      const i = controls.findIndex(({ name }) => name === spec.play);
      stop = explorePlay(button, controls[i].stops.length - 1, () => places[i], (place) => move(i, place));
    }

    figure.querySelector(".explore-throw")?.addEventListener("click", () => {
      thrown = (thrown + 1) % spec.dice;
      show();
    });

    if (spec.pad) {
      explorePad(sheets[0], spec.pad, (across, down) => {
        stop();
        for (const [direction, place] of [[spec.pad.x, across], [spec.pad.y, down]]) {
          if (!direction) continue;
          const i = controls.findIndex(({ name }) => name === direction.name);
          places[i] = settle(i, explorePlace(direction.stops, place) / direction.finer);
        }
        show();
      });
    }

    figure.addEventListener("keydown", (event) => {
      event.stopPropagation(); // arrow keys belong to the controls, not to the page
      if (event.key === "Escape") stop();
    });
    const touch = () => { if (!screen) show(); };
    figure.addEventListener("pointerenter", touch, { once: true });
    figure.addEventListener("focusin", touch, { once: true });

    figure.querySelector(".explore-copy")?.addEventListener("click", async (event) => {
      code.hidden = false;
      const copied = await navigator.clipboard?.writeText(code.textContent).then(() => true, () => false);
      if (!copied) getSelection().selectAllChildren(code); // the clipboard is closed to this page
      event.target.textContent = copied ? "Copied" : "Press Ctrl+C to copy";
      setTimeout(() => { event.target.textContent = "Copy this setting as code"; }, 2000);
    });
  }

  const attempt = (figure) => {
    try {
      wire(figure);
    } catch (error) {
      (window.reportError || console.error)(error); // and the next figure is wired
    }
  };
  const start = () => document.querySelectorAll("figure.explore").forEach(attempt);
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
