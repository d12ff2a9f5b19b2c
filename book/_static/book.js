/* What the pages of this book do besides the theme: place maths, and name what the theme leaves unnamed. */
"use strict";

const MARGIN = 400; // pixels beyond the window within which maths is typeset at once
const PIECE = 100; // formulas, of the others, typeset at a time
const REST = 150; // milliseconds without a scroll after which the reader's place is kept
const idle = () => new Promise((resolve) => (window.requestIdleCallback || ((then) => setTimeout(then, 50)))(resolve));

/* One failing line must not take the page with it: its error is reported, as any is, and the next step is taken. */
const report = (error) => (window.reportError || console.error)(error);
const attempt = (step) => {
  try {
    return step();
  } catch (error) {
    report(error);
  }
};

/* What a hash names, read as browsers read it: as it stands, else decoded; many a one cannot be decoded, as #100%. */
const named = (hash) => {
  const name = hash.slice(1);
  if (!name) return null;
  try {
    return document.getElementById(name) || document.getElementById(decodeURIComponent(name));
  } catch {
    return null;
  }
};

/* Open every fold around an element; true if there was one to open. */
function reveal(element) {
  let opened = false;
  for (let around = element; around; around = around.parentElement) {
    const button = around.matches(".toggle-hidden") && around.querySelector(":scope > .admonition-title > .toggle-button");
    if (button) button.click();
    else if (around.matches("details:not([open])")) around.open = true;
    else continue;
    opened = true;
  }
  return opened;
}

/* A link into a fold opens it: before the browser goes there, or after it went there in vain. */
addEventListener("click", (event) => {
  const link = event.target.closest?.("a[href]");
  if (!link) return;
  keepPlace();
  if (link.hash && link.href.split("#")[0] === location.href.split("#")[0]) reveal(named(link.hash));
}, { capture: true });

addEventListener("hashchange", () => {
  const target = named(location.hash);
  if (reveal(target)) target.scrollIntoView({ behavior: "instant" });
});

/* What a search has found is marked by Sphinx. Folded code is opened only if nothing else on the page is marked. */
function revealFound() {
  const found = [...document.querySelectorAll(".bd-article .highlighted")];
  const text = found.filter((mark) => !mark.closest("details"));
  (text.length ? text : found).forEach(reveal);
}

const article = () => document.querySelector(".bd-article");

/* Where one reads: the block at the upper edge of the window, by its place in the tree, and how far above that it begins.
   Only what reaches into the window is looked into: to ask for the place of what book.css does not lay out yet
   would have the browser lay it out. */
function here() {
  const path = [];
  let block = article();
  while (block && !block.matches(".math, pre, figure, svg")) {
    const next = [...block.children].findIndex((child) => {
      const { height, bottom } = child.getBoundingClientRect();
      return height > 0 && bottom > 1;
    });
    if (next < 0) break;
    path.push(next);
    block = block.children[next];
  }
  return { path, top: block ? block.getBoundingClientRect().top : 0 };
}

function goTo({ path, top }) {
  let block = article();
  for (const next of path) block = block?.children[next] || block;
  if (!block) return;
  reveal(block);
  const off = block.getBoundingClientRect().top - top;
  if (Math.abs(off) >= 1) scrollBy({ top: off, behavior: "instant" });
}

/* The place is kept with the entry of the browser's history, so that each has its own. It is read here already: before
   DOMContentLoaded is over Sphinx's script has emptied the entry. */
const KEY = "after-zero-loss-place";
const left = attempt(leftOnReload) ?? history.state?.place;
let mayKeep = false; // not before the page is whole: else the way there would be kept
let resting;

function keepPlace() {
  clearTimeout(resting);
  if (!mayKeep) return;
  write(scrollY > 0 || location.hash ? here() : null);
}

function write(place) {
  try {
    history.replaceState({ ...history.state, place }, "");
  } catch {} // some browsers allow only so many a minute; the next rest has another try
}

/* A reload takes the entry as it was before the last scroll had come to rest; it has the place of this one line. */
function leftOnReload() {
  if (performance.getEntriesByType("navigation")[0]?.type !== "reload") return null;
  try {
    const [address, place] = JSON.parse(sessionStorage.getItem(KEY)) || [];
    return address === location.href ? place : null;
  } catch {
    return null; // a browser may forbid storage
  }
}

addEventListener("pagehide", () => {
  if (!mayKeep) return;
  keepPlace();
  try {
    sessionStorage.setItem(KEY, JSON.stringify([location.href, history.state.place]));
  } catch {}
});
addEventListener("popstate", () => clearTimeout(resting));
addEventListener("scroll", () => {
  clearTimeout(resting);
  resting = setTimeout(keepPlace, REST);
}, { passive: true });

const formulasIn = (block) => [...block.querySelectorAll(".math")];

const typeset = (formula) => attempt(() => renderMathInElement(formula, {
  delimiters: [{ left: "\\(", right: "\\)", display: false }, { left: "\\[", right: "\\]", display: true }],
}));

const blocksNearWindow = (section) => [...section.children].flatMap((block) => {
  const { top, bottom } = block.getBoundingClientRect();
  if (bottom < -MARGIN || top > innerHeight + MARGIN) return [];
  return block.matches("section") ? blocksNearWindow(block) : [block];
});

/* Maths near the window is typeset first, the rest a piece at a time while the browser is idle. That moves everything
   below it, and the browser itself would return to a place on a page that was not whole yet. So after each step the
   page is put where it was opened: at the place that was left, on a reload or on the way back, else at what the
   address names; or, once the reader has moved, where the reader is. */
async function layOut() {
  const stages = document.documentElement.dataset; // book.css and the tests watch them
  const maths = Boolean(window.renderMathInElement);
  const target = named(location.hash);
  let readerMoved = false;
  for (const event of ["wheel", "touchmove", "keydown", "pointerdown"]) {
    addEventListener(event, () => (readerMoved = mayKeep = true), { once: true, passive: true });
  }
  const hold = (step) => {
    const place = readerMoved ? attempt(here) : left;
    attempt(step);
    attempt(() => (place ? goTo(place) : target?.scrollIntoView({ behavior: "instant" })));
  };
  const loaded = new Promise((resolve) => {
    if (document.readyState === "complete") resolve();
    else addEventListener("load", resolve);
  });

  history.scrollRestoration = "manual"; // while the page is laid out
  write(left);
  reveal(target);
  hold(() => {});
  const near = maths ? attempt(() => blocksNearWindow(article()).flatMap(formulasIn)) || [] : [];
  if (maths) {
    hold(() => near.forEach(typeset));
    performance.mark("maths-in-view");
    await idle();
  }
  hold(() => (stages.maths = maths ? "in view" : "none"));
  const far = maths ? formulasIn(document).filter((formula) => !near.includes(formula)) : [];
  while (far.length) {
    await idle();
    hold(() => far.splice(0, PIECE).forEach(typeset));
  }
  await Promise.all([document.fonts.ready, loaded]);
  hold(() => {});
  history.scrollRestoration = "auto";
  mayKeep = true;
  if (maths) stages.maths = "typeset";
}

/* What scrolls can be reached from the keyboard. The theme measures these boxes one at a time, folded ones too, and lays
   out the page for each (bookbuild takes that out); the observer calls when boxes have been laid out, all at once. */
function giveTabStops() {
  const observer = new ResizeObserver((entries) => {
    const boxes = entries.map(({ target }) => target);
    const scroll = boxes.map((box) => box.scrollWidth > box.clientWidth || box.scrollHeight > box.clientHeight);
    boxes.forEach((box, i) => (box.tabIndex = scroll[i] ? 0 : -1));
  });
  for (const box of document.querySelectorAll("pre, .cell_output > .output")) observer.observe(box);
}

/* Roles and names that the theme and its extensions get wrong, as axe-core sees them. */
function mendAccessibility() {
  document.querySelector(".bd-sidebar-primary")?.setAttribute("role", "complementary");
  document.querySelector(".bd-sidebar-primary")?.setAttribute("aria-label", "Contents of the book");
  for (const item of document.querySelectorAll(".citation-list .citation")) item.setAttribute("role", "listitem");
  for (const button of document.querySelectorAll(".search-button, .search-button-field")) {
    button.removeAttribute("aria-label");
    if (!button.textContent.trim()) button.setAttribute("aria-label", "Search");
  }
}

/* A proof of class "dropdown" has neither the title on which sphinx-togglebutton hangs its button nor an id of its own.
   This runs when the page is parsed and before DOMContentLoaded, at which the buttons are made. */
function giveProofsTitles() {
  for (const [number, proof] of document.querySelectorAll(".proof.dropdown").entries()) {
    if (!proof.querySelector(":scope > .admonition-title")) attempt(() => giveTitle(proof, number + 1));
  }
}

function giveTitle(proof, number) {
  const title = document.createElement("p");
  title.className = "admonition-title";
  title.textContent = "Proof";
  const opening = proof.querySelector("p")?.firstChild;
  if (opening?.nodeType === Node.TEXT_NODE) opening.data = opening.data.replace(/^\s*Proof\.\s*/, "");
  proof.prepend(title);
  proof.id = `folded-proof-${number}`;
}

attempt(giveProofsTitles);

/* On paper nothing can be unfolded: the theme opens what is folded, and the solutions go to the end, under a heading. */
const homes = new Map();

addEventListener("beforeprint", () => {
  const solutions = document.querySelectorAll("div.solution");
  if (!solutions.length || homes.size) return;
  const heading = document.createElement("h2");
  heading.className = "printed-solutions";
  heading.textContent = "Solutions";
  const end = document.querySelector("article > section") || document.querySelector("article");
  end.append(heading);
  for (const solution of solutions) {
    homes.set(solution, document.createComment("solution"));
    solution.replaceWith(homes.get(solution));
    end.append(solution);
  }
});

addEventListener("afterprint", () => {
  for (const [solution, home] of homes) home.replaceWith(solution);
  homes.clear();
  document.querySelector(".printed-solutions")?.remove();
});

addEventListener("DOMContentLoaded", () => {
  for (const step of [mendAccessibility, giveTabStops]) attempt(step);
  layOut().catch(report);
  setTimeout(() => attempt(revealFound), 20); // Sphinx marks after 10
});
