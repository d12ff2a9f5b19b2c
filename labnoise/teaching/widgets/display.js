// What both fronts of `explore` share of pictures: how recorded ones are unpacked, mixed and drawn. Python's ends are
// recording.py, packing.py and grid.py.

/** A pack of pictures from its bytes: their shapes, which of these each has, its numbers in pixels, its sentence. */
async function exploreUnpack(bytes) {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  const buffer = await new Response(stream).arrayBuffer();
  const length = new DataView(buffer).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
  const planes = new Uint8Array(buffer, 4 + length), count = planes.length / 4;
  const step = (i) => {
    const folded = (planes[i] | (planes[i + count] << 8) | (planes[i + 2 * count] << 16) | (planes[i + 3 * count] << 24)) >>> 0;
    return (folded >>> 1) ^ -(folded & 1);
  };
  const rows = [];
  let at = 0;
  header.shapes.forEach((shapes, kind) => {
    const frames = header.which.flatMap((which, frame) => (which === kind ? [frame] : []));
    const size = exploreCount(shapes);
    let before;
    for (const frame of frames) {
      const row = new Int32Array(size);
      for (let i = 0; i < size; i += 1) row[i] = step(at++) + (before ? before[i] : i < 2 ? 0 : row[i - 2]);
      rows[frame] = row;
      before = row;
    }
  });
  const images = new Map();
  for (const [name, data] of Object.entries(header.images)) images.set(name, await explorePixels(exploreBytes(data)));
  return { shapes: header.shapes, which: header.which, rows, sentences: header.sentences, images };
}

function exploreBytes(base64) {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}

/** An image for the light page and, with its lightness turned round, for the dark one. */
async function explorePixels(bytes) {
  const light = await createImageBitmap(new Blob([bytes], { type: "image/webp" }));
  const dark = Object.assign(document.createElement("canvas"), { width: light.width, height: light.height });
  const context = dark.getContext("2d");
  context.drawImage(light, 0, 0);
  const pixels = context.getImageData(0, 0, light.width, light.height);
  for (let i = 0; i < pixels.data.length; i += 1) if (i % 4 < 3) pixels.data[i] = 255 - pixels.data[i];
  context.putImageData(pixels, 0, 0);
  return { light, dark };
}

const EXPLORE_STYLE = 9; // line width, and four numbers for each of the colours of line and face
const EXPLORE_CLOSE = 79; // matplotlib's code, the only one without a vertex here

function exploreVertices(codes) {
  let count = 0;
  for (let i = 0; i < codes.length; i += 2) if (codes[i] !== EXPLORE_CLOSE) count += codes[i + 1];
  return count;
}

/** How many numbers some shapes have. */
function exploreCount(shapes) {
  return shapes.reduce((sum, { kind, codes, count = 0, clip, cut }) => {
    const own = kind === "image" ? 4 : 2 * (exploreVertices(codes) + count);
    return sum + EXPLORE_STYLE + (clip ? 4 : 0) + (cut ? 2 * exploreVertices(cut) : 0) + own;
  }, 0);
}

/** Of a grid's nodes those around a place, [index, weight], the weights of the polynomial through them. */
function exploreStencil(nodes, place) {
  const there = nodes.findIndex((node) => Math.abs(node - place) < 1e-6);
  if (there >= 0) return [[there, 1]];
  const above = nodes.findIndex((node) => node > place);
  const first = Math.min(Math.max(above - 2, 0), Math.max(nodes.length - 4, 0));
  const near = nodes.slice(first, first + 4);
  return near.map((node, i) => [first + i, near.reduce((product, other) => (other === node ? product : (product * (place - other)) / (node - other)), 1)]);
}

/** The picture between some of a pack's, given as [index, weight]. */
function exploreMix(pack, around) {
  const shapes = pack.shapes[pack.which[around[0][0]]];
  const numbers = new Float64Array(pack.rows[around[0][0]].length);
  for (const [index, weight] of around) {
    const row = pack.rows[index], share = weight / 16; // whole sixteenths of a pixel
    for (let i = 0; i < numbers.length; i += 1) numbers[i] += share * row[i];
  }
  return { shapes, numbers, images: pack.images };
}

/** A colour, four numbers from 0 to 64, as CSS. On the dark page grey ink is turned round, and colours stay. */
function exploreColour(numbers, at, dark) {
  const level = (i) => Math.min(Math.max((numbers[at + i] * 255) / 64, 0), 255);
  let colour = [level(0), level(1), level(2)];
  if (dark) {
    const grey = Math.max(1 - (Math.max(...colour) - Math.min(...colour)) / 48, 0);
    colour = colour.map((part) => part + grey * (255 - 2 * part));
  }
  return `rgba(${colour.map(Math.round).join()},${level(3) / 255})`;
}

/** Follow a path from number `at` on; `fix` moves a vertex to whole pixels. */
function exploreTrace(path, codes, numbers, at, fix = (x) => x) {
  const next = () => fix(numbers[at++]);
  for (let i = 0; i < codes.length; i += 2) {
    const code = codes[i];
    for (let n = code === 3 ? codes[i + 1] / 2 : code === 4 ? codes[i + 1] / 3 : codes[i + 1]; n > 0; n -= 1) {
      if (code === 1) path.moveTo(next(), next());
      else if (code === 2) path.lineTo(next(), next());
      else if (code === 3) path.quadraticCurveTo(next(), next(), next(), next());
      else if (code === 4) path.bezierCurveTo(next(), next(), next(), next(), next(), next());
      else path.closePath();
    }
  }
  return path;
}

/** Draw a picture on a canvas, `scale` of its pixels to one of the picture's. */
function exploreDraw(context, scale, { shapes, numbers, images }, dark) {
  let at = 0;
  for (const shape of shapes) {
    const line = numbers[at], ink = exploreColour(numbers, at + 1, dark), face = exploreColour(numbers, at + 5, dark);
    const filled = numbers[at + 8] > 0, lined = line > 0 && numbers[at + 4] > 0;
    at += EXPLORE_STYLE;
    context.save();
    context.setTransform(scale, 0, 0, scale, 0, 0);
    if (shape.clip) {
      context.beginPath();
      context.rect(numbers[at], numbers[at + 1], numbers[at + 2], numbers[at + 3]);
      context.clip();
      at += 4;
    }
    if (shape.cut) {
      context.clip(exploreTrace(new Path2D(), shape.cut, numbers, at));
      at += 2 * exploreVertices(shape.cut);
    }
    Object.assign(context, { lineWidth: line, lineCap: shape.cap, lineJoin: shape.join, strokeStyle: ink, fillStyle: face });
    if (shape.dashes) {
      context.setLineDash(shape.dashes);
      context.lineDashOffset = shape.offset;
    }
    const paint = (path) => {
      if (filled) context.fill(path);
      if (lined) context.stroke(path);
    };
    if (shape.kind === "image") {
      const image = images.get(shape.image)[dark && shape.grey ? "dark" : "light"];
      context.drawImage(image, numbers[at], numbers[at + 1], numbers[at + 2], numbers[at + 3]);
      at += 4;
    } else if (shape.kind === "marks") {
      const mark = exploreTrace(new Path2D(), shape.codes, numbers, at);
      at += 2 * exploreVertices(shape.codes);
      for (let i = 0; i < shape.count; i += 1, at += 2) {
        context.setTransform(scale, 0, 0, scale, scale * numbers[at], scale * numbers[at + 1]);
        paint(mark);
      }
    } else {
      const middle = lined && Math.round(line * scale) % 2 ? 0.5 : 0;
      const whole = (x) => (Math.round(x * scale - middle) + middle) / scale;
      paint(exploreTrace(new Path2D(), shape.codes, numbers, at, shape.snap ? whole : undefined));
      at += 2 * exploreVertices(shape.codes);
    }
    context.restore();
  }
}

function exploreIsDark() {
  return document.documentElement.dataset.theme === "dark" || document.body.dataset.jpThemeLight === "false";
}

const EXPLORE_WIDEST = 4096; // pixels of a canvas, which some browsers limit
const EXPLORE_PRINTED = 4; // of paper's dots to a pixel of the page

/** Two canvases over each of some sheets, of a size in the picture's pixels: they keep to the page's size, zoom and
 *  theme, and are as fine on paper. Returns `show(picture)` and `lay(picture)`, which draws what does not move. */
function exploreScreen(sheets, [width, height]) {
  const layers = sheets.map((sheet) => ["below", "above"].map((name) => {
    const canvas = sheet.appendChild(document.createElement("canvas"));
    canvas.className = `explore-${name}`;
    canvas.setAttribute("aria-hidden", "true");
    return canvas;
  }));
  const pictures = [null, null];
  let printing = false;
  const paint = (which) => {
    const dots = printing ? EXPLORE_PRINTED : devicePixelRatio * (window.visualViewport?.scale ?? 1); // two fingers' zoom
    sheets.forEach((sheet, i) => {
      const canvas = layers[i][which], scale = Math.min(sheet.clientWidth * dots, EXPLORE_WIDEST) / width;
      if (!scale || !pictures[which]) return; // a sheet that the page does not show
      const [across, down] = [Math.round(scale * width), Math.round(scale * height)];
      if (canvas.width !== across || canvas.height !== down) Object.assign(canvas, { width: across, height: down });
      const context = canvas.getContext("2d");
      context.setTransform(1, 0, 0, 1, 0, 0);
      context.clearRect(0, 0, across, down);
      exploreDraw(context, scale, pictures[which], exploreIsDark());
    });
  };
  const both = () => { paint(0); paint(1); };
  new ResizeObserver(both).observe(sheets[0]);
  window.addEventListener("resize", both); // the zoom, which need not change a sheet's size
  window.visualViewport?.addEventListener("resize", both);
  for (const [when, on] of [["beforeprint", true], ["afterprint", false]]) {
    window.addEventListener(when, () => { printing = on; both(); });
  }
  const theme = new MutationObserver(both);
  theme.observe(document.documentElement, { attributeFilter: ["data-theme"] });
  theme.observe(document.body, { attributeFilter: ["data-jp-theme-light"] });
  const set = (which) => (picture) => { pictures[which] = picture; paint(which); };
  return { lay: set(0), show: set(1) };
}
