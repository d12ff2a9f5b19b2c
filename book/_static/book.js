/* What the pages of this book do besides the theme: place maths, and name what the theme leaves unnamed. */
"use strict";

const MARGIN = 400; // pixels beyond the window within which maths is typeset at once
const PIECE = 100; // formulas, of the others, typeset at a time
const idle = () => new Promise((resolve) => (window.requestIdleCallback || ((then) => setTimeout(then, 50)))(resolve));

const formulasIn = (block) => [...block.querySelectorAll(".math")];

const typeset = (formula) => renderMathInElement(formula, {
  delimiters: [{ left: "\\(", right: "\\)", display: false }, { left: "\\[", right: "\\]", display: true }],
});

/* Only sections that reach into the window are looked into: to ask for the place of what book.css does not lay out yet
   would have the browser lay it out. */
const blocksNearWindow = (section) => [...section.children].flatMap((block) => {
  const { top, bottom } = block.getBoundingClientRect();
  if (bottom < -MARGIN || top > innerHeight + MARGIN) return [];
  return block.matches("section") ? blocksNearWindow(block) : [block];
});

/* Maths near the window is typeset first, the rest a piece at a time while the browser is idle. As that moves
   everything below it, a page that was opened at an equation or a theorem is put there again, unless the
   reader has scrolled meanwhile. */
async function typesetPage() {
  const stages = document.documentElement.dataset; // book.css and the tests watch them
  let readerMoved = false;
  for (const event of ["wheel", "touchmove", "keydown", "pointerdown"]) {
    addEventListener(event, () => (readerMoved = true), { once: true, passive: true });
  }
  const toAnchor = () => {
    const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (target && !readerMoved) target.scrollIntoView({ behavior: "instant" });
  };
  const loaded = new Promise((resolve) => {
    if (document.readyState === "complete") resolve();
    else addEventListener("load", resolve);
  });

  toAnchor();
  const near = blocksNearWindow(document.querySelector(".bd-article")).flatMap(formulasIn);
  near.forEach(typeset);
  toAnchor();
  performance.mark("maths-in-view");
  await idle();
  stages.maths = "in view";
  const far = formulasIn(document).filter((formula) => !near.includes(formula));
  while (far.length) {
    await idle();
    far.splice(0, PIECE).forEach(typeset);
  }
  await Promise.all([document.fonts.ready, loaded]);
  toAnchor();
  stages.maths = "typeset";
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
for (const [number, proof] of document.querySelectorAll(".proof.dropdown").entries()) {
  if (proof.querySelector(":scope > .admonition-title")) continue;
  const title = document.createElement("p");
  title.className = "admonition-title";
  title.textContent = "Proof";
  const opening = proof.querySelector("p")?.firstChild;
  if (opening?.nodeType === Node.TEXT_NODE) opening.data = opening.data.replace(/^\s*Proof\.\s*/, "");
  proof.prepend(title);
  proof.id = `folded-proof-${number + 1}`;
}

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
  mendAccessibility();
  giveTabStops();
  if (window.renderMathInElement) typesetPage();
  else document.documentElement.dataset.maths = "none";
});
