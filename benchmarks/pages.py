"""How soon a page is ready, and how heavy it is: Chromium, cold cache, from a server on this machine.

    python benchmarks/pages.py [--write]

A page is *ready* when the maths in the window is typeset and the pictures in the window are there and can be
moved. *Its own bytes* are those of its HTML and pictures, without what all pages share (_static).
"""

from __future__ import annotations

import statistics
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "tests"))
sys.path.append(str(Path(__file__).parents[1] / "book" / "_ext"))

import report
from bookbuild import contents
from browser import HTML, ROOT, chromium, served

PAGES = [*(f"book/{chapter.stem}.html" for chapter in contents.chapters(ROOT)), "book/index.html"]
RUNS = 5
READY_S, OWN_KB = 1.2, 500

# Deferred scripts, the widgets' among them, have run when the document is complete. This is asked in every frame:
# nothing before that may make the browser lay out the page for it.
READY = """() => {
  if (document.readyState !== "complete") return false;
  if (document.querySelector(".math") && !performance.getEntriesByName("maths-in-view").length) return false;
  const inView = [...document.querySelectorAll("figure.explore img")].filter(image => image.offsetParent
    && image.getBoundingClientRect().top < innerHeight);
  return inView.every(image => image.complete && image.naturalWidth) && performance.now();
}"""


def ready(browser, home: str, page: str) -> float:
    """Seconds to ready."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    tab = context.new_page()
    tab.goto(f"{home}/{page}", wait_until="commit")
    seconds = tab.wait_for_function(READY, timeout=30_000).json_value() / 1000
    context.close()
    return seconds


def weight(browser, home: str, page: str) -> tuple[int, int]:
    """The page's own bytes, and the bytes of what all pages share; in a visit of its own, as to listen takes time."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    tab = context.new_page()
    sizes: dict[str, int] = {}
    tab.on(
        "response", lambda answer: sizes.__setitem__(answer.url, int(answer.headers.get("content-length", 0)))
    )
    tab.goto(f"{home}/{page}")
    tab.wait_for_function(READY, timeout=30_000)
    context.close()
    shared = sum(size for url, size in sizes.items() if "/_static/" in url)
    return sum(sizes.values()) - shared, shared


def main() -> None:
    rows = []
    with served(HTML) as home, chromium() as browser:
        for page in PAGES:
            seconds = statistics.median(ready(browser, home, page) for _ in range(RUNS))
            own, shared = (size / 1000 for size in weight(browser, home, page))
            rows.append(
                [page, f"{seconds:.2f}", f"≤ {READY_S}", f"{own:.0f}", f"≤ {OWN_KB}", f"{shared:.0f}"]
            )
    head = [
        "page",
        f"ready, s (median of {RUNS})",
        "asked",
        "own bytes, kB",
        "asked",
        "shared by all pages, kB",
    ]
    report.publish("pages", head, rows)


if __name__ == "__main__":
    main()
