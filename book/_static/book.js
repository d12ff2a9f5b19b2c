/* What the pages of this book do besides the theme: place maths, and name what the theme leaves unnamed. */
"use strict";

/* MathJax typesets what is near the window first. Once the browser is idle the rest follows; as that moves
   everything below it, a page that was opened at an equation or a theorem is put there again, unless the
   reader has scrolled meanwhile. */
function typesetTheRest() {
  let readerMoved = false;
  for (const event of ["wheel", "touchmove", "keydown", "pointerdown"]) {
    addEventListener(event, () => (readerMoved = true), { once: true, passive: true });
  }
  const anchor = () => {
    const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (target && !readerMoved) target.scrollIntoView({ behavior: "instant" });
  };
  const loaded = new Promise((resolve) => {
    if (document.readyState === "complete") resolve();
    else addEventListener("load", resolve);
  });
  const idle = window.requestIdleCallback || ((then) => setTimeout(then, 200));
  MathJax.startup.promise
    .then(() => performance.mark("maths-in-view"))
    .then(() => new Promise((resolve) => idle(resolve)))
    .then(() => (document.documentElement.dataset.maths = "in view"))
    .then(() => MathJax.startup.document.lazyTypesetAll())
    .then(() => Promise.all([document.fonts.ready, loaded]))
    .then(() => {
      anchor();
      document.documentElement.dataset.maths = "typeset";
    });
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

addEventListener("DOMContentLoaded", () => {
  mendAccessibility();
  if (window.MathJax?.startup?.promise) typesetTheRest();
  else document.documentElement.dataset.maths = "none";
});
