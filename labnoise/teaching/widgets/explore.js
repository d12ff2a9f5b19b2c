// The front of `explore` without a kernel: every figure.explore of the page chooses among its precomputed frames.
(() => {
  const REACH = 6; // how many stops ahead, in every direction, frames are fetched once the reader has come near

  function wire(figure) {
    const spec = JSON.parse(figure.querySelector("script").textContent);
    const [picture, sentence] = ["picture", "sentence"].map((part) => figure.querySelector(`.explore-${part}`));
    const code = figure.querySelector("pre"); // the setting as code, or nothing
    const inputs = spec.controls.map(({ name }) => figure.querySelector(`[name="${name}"]`));
    const images = new Map(); // frame number -> {image, ready, decoded}
    const sheets = [...figure.querySelectorAll(".explore-sheet")];
    let shown = sheets[0].querySelector(".explore-frame");
    let background = ""; // the address of a background that is missing
    let latest = 0; // counts the moves: a picture that arrives after a later move is not shown

    const at = (i) => (inputs[i].tagName === "SELECT" ? inputs[i].selectedIndex : Number(inputs[i].value));
    const stops = () => inputs.map((_, i) => at(i));
    const setting = (stops) => stops.reduce((n, stop, i) => n * spec.controls[i].labels.length + stop, 0);

    const put = exploreControls(inputs, () => { stop(); show(); });

    function load(number) {
      if (images.has(number)) return images.get(number);
      const image = shown.cloneNode();
      image.loading = "eager";
      image.decoding = "sync"; // the old picture stays until the new one can be painted
      image.src = `${spec.folder}/${number}.webp`;
      const entry = { image, decoded: false };
      entry.ready = image.decode().then(() => { entry.decoded = true; });
      entry.ready.catch(() => images.delete(number)); // to be tried again on the next visit
      images.set(number, entry);
      return entry;
    }

    function missing(address) {
      problem.textContent = address
        ? `This picture is not there: ${address}. Build the book again; what else is there still works.` : "";
    }

    /** Show the setting that the controls name; resolves when its picture is there, or is known to be missing. */
    async function show() {
      const mine = ++latest;
      spec.controls.forEach(({ labels }, i) => {
        put(i, at(i), labels[at(i)]);
        if (inputs[i].tagName !== "SELECT") inputs[i].parentElement.nextElementSibling.textContent = labels[at(i)];
      });
      if (code) write();
      const number = setting(stops());
      const { image, ready, decoded } = load(spec.frames[number]);
      let address = "";
      if (!decoded) await ready.catch(() => { address = image.getAttribute("src"); });
      if (mine !== latest) return;
      missing(address || background);
      sentence.textContent = spec.sentences[number];
      sentence.style.minHeight = `${sentence.offsetHeight}px`; // what follows is pushed down at most once
      if (!address) {
        shown.replaceWith(image);
        shown = image;
        shown.alt = spec.sentences[number];
        if (sheets[1]) Object.assign(sheets[1].querySelector(".explore-frame"), { src: image.src, decoding: "sync" });
      }
      fetchAround();
    }

    /** Fetch the frames to which the next moves lead, the nearest first, until the reader moves on. */
    async function fetchAround() {
      const mine = latest, here = stops();
      for (let far = 1; far <= REACH; far += 1) {
        for (let i = 0; i < here.length; i += 1) {
          for (const stop of [here[i] + far, here[i] - far]) {
            if (mine !== latest) return;
            if (!(stop in spec.controls[i].labels)) continue;
            await load(spec.frames[setting(Object.assign([...here], { [i]: stop }))]).ready.catch(() => {});
          }
        }
      }
    }

    function write() {
      const values = stops().map((stop, i) => `${spec.controls[i].name}=${spec.code.values[i][stop]}`);
      code.textContent = spec.code.before + values.join(", ") + spec.code.after;
    }

    const problem = document.createElement("p");
    problem.className = "explore-problem";
    problem.setAttribute("role", "alert");
    picture.append(problem);
    const failed = (image) => {
      if (!image.matches(".explore-frame")) background = image.getAttribute("src");
      missing(image.getAttribute("src"));
    };
    picture.addEventListener("error", (event) => failed(event.target), true);
    for (const image of picture.querySelectorAll("img")) {
      if (image.complete && !image.naturalWidth) failed(image); // before this script ran
    }

    if (code) write();

    let stop = () => {};
    const button = figure.querySelector(".explore-play");
    if (button) {
      const i = spec.controls.findIndex(({ name }) => name === spec.play), last = spec.controls[i].labels.length - 1;
      stop = explorePlay(button, explorePace(last + 1), async () => {
        put(i, at(i) === last ? 0 : at(i) + 1, "");
        await show();
        return at(i) < last;
      });
    }

    if (spec.pad) {
      const nearest = (stops, place) =>
        stops.reduce((best, stop, i) => (Math.abs(stop - place) < Math.abs(stops[best] - place) ? i : best), 0);
      explorePad(sheets[0], spec.pad, (across, down) => {
        stop();
        for (const [direction, place] of [[spec.pad.x, across], [spec.pad.y, down]]) {
          if (!direction) continue;
          put(spec.controls.findIndex(({ name }) => name === direction.name), nearest(direction.stops, place), "");
        }
        show();
      });
    }

    figure.addEventListener("keydown", (event) => {
      event.stopPropagation(); // arrow keys belong to the controls, not to the page
      if (event.key === "Escape") stop();
    });
    figure.addEventListener("pointerenter", fetchAround, { once: true });
    figure.addEventListener("focusin", fetchAround, { once: true });

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
