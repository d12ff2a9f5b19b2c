"""What the book's widgets cost and how right they are between their computed settings: `make book browser` first.

python benchmarks/widgets.py [--write]
"""

from __future__ import annotations

import ast
import itertools
import json
import os
import re
import statistics
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests"), str(ROOT / "book" / "_ext"), str(ROOT / "tools")]
os.environ |= {"LABNOISE_PROGRESS": "0", "JAX_PLATFORMS": "cpu", "MPLBACKEND": "agg"}
os.environ.pop("LABNOISE_FRAMES", None)

import chromium  # noqa: E402
import packs  # noqa: E402
import report  # noqa: E402
from bookbuild import contents, myst  # noqa: E402

from labnoise.teaching.widgets import explorer as fronts  # noqa: E402
from labnoise.teaching.widgets.assets import LOADED  # noqa: E402
from labnoise.teaching.widgets.grid import stencil  # noqa: E402
from labnoise.teaching.widgets.static import setting  # noqa: E402

HTML = ROOT / "_build/html"
SETTINGS = 200  # random ones a widget
BEYOND = 50.0  # pixels outside the picture where a vertex is not seen
LATE = 25  # milliseconds from frame to frame: one at sixty a second was missed
SHOWN = 720  # pixels of the page that a picture is wide

# Moves a range 100 times to places that are no stops, and then drags it for two seconds, a move a frame.
MOVE = """async ([figure, name]) => {
    const input = figure.querySelector(`[name="${name}"]`), last = Number(input.max), times = [], gaps = [];
    const move = (place) => {
        input.value = place;
        const begin = performance.now();
        input.dispatchEvent(new Event("input", { bubbles: true }));
        return performance.now() - begin;
    };
    const frame = () => new Promise(requestAnimationFrame);
    for (let i = 0; i < 100; i += 1) {
        times.push(move((last * ((i * 0.618034) % 1))));
        if (i % 10 === 9) await frame();
    }
    const begin = await frame();
    for (let before = begin; before - begin < 2000; ) {
        move((last * (before - begin)) / 2000);
        const now = await frame();
        gaps.push(now - before);
        before = now;
    }
    return [times, gaps];
}"""


# Turns a widget's fields to a setting, and waits up to five seconds until it says what is expected. Returns what it
# says: the values beside its ranges, and its sentence.
SET = """async ([figure, places, choice, throws, expected]) => {
    const turn = (field, name, value) => {
        field[name] = value;
        field.dispatchEvent(new Event("input", { bubbles: true }));
    };
    const select = figure.querySelector("select");
    if (select) turn(select, "selectedIndex", choice);
    for (; throws > 0; throws -= 1) figure.querySelector(".explore-throw").click();
    const ranges = [...figure.querySelectorAll("input[type=range]")];
    ranges.forEach((range, i) => turn(range, "value", places[i]));
    const said = () => [...ranges.map(range => range.getAttribute("aria-valuetext")),
        figure.querySelector(".explore-sentence").textContent];
    for (let wait = 0; wait < 300 && String(said()) !== String(expected); wait += 1) {
        await new Promise(requestAnimationFrame);
    }
    return said();
}"""


class Told(NamedTuple):
    """What a widget has to say at a setting that is none of its nodes."""

    pair: tuple[int, int]  # of choice and throw
    places: list[float]
    words: list[str]  # the values beside its ranges, and its sentence


class Widget:
    """A widget of a page: its definition, run anew, and what the built page has of it."""

    def __init__(self, page: str, definition: Any, html: str) -> None:
        self.page, self.definition, self.html = page, definition, html
        self.spec = json.loads(
            re.findall(r'<script type="application/json">(.*?)</script>', html, re.DOTALL)[0]
        )
        self.folder = HTML / "_frames" / re.findall(r'data-frames="(\w+)"', html)[0]
        self.ranges = [control for control in self.spec["controls"] if "stops" in control]
        self.continuous = [control["kind"] != "irregular" for control in self.ranges]
        self.is_real = [
            any(isinstance(value, float) for value in control.values) for control in definition.ranges
        ]

    @property
    def name(self) -> str:
        return f"{self.page}, {self.definition.draw.__name__}"


def widgets() -> list[Widget]:
    """All widgets of the book's pages, in their order."""
    found = []
    for source in [ROOT / "book/index.md", *contents.chapters(ROOT)]:
        html = (HTML / "book" / f"{source.stem}.html").read_text(encoding="utf8")
        figures = re.findall(r'<figure class="explore".*?</figure>', html, re.DOTALL)
        explorers = run(source, len(figures))
        found += [
            Widget(source.stem, explorer.definition, figure)
            for explorer, figure in zip(explorers, figures, strict=True)
        ]
    return found


def run(source: Path, count: int) -> list[Any]:
    """The explorers that a page's cells make; the cells after the last one, all claims and checks are left out."""
    made: list[Any] = []
    begin = fronts.Explorer.__init__

    def remember(self: Any, *given: Any) -> None:
        begin(self, *given)
        made.append(self)

    fronts.Explorer.__init__ = remember  # type: ignore[method-assign]
    os.chdir(source.parent)
    names: dict[str, Any] = {
        "__name__": "__main__",
        "display": lambda *shown: None,
        "print": lambda *said: None,
    }
    for statement in myst.code(source).body:
        if isinstance(statement, ast.Expr) and re.match(
            r"(claim|check|questions\.\w+)\(", ast.unparse(statement)
        ):
            continue
        exec(compile(ast.Module([statement], []), str(source), "exec"), names)
        if len(made) == count:
            break
    fronts.Explorer.__init__ = begin  # type: ignore[method-assign]
    return made


def compare(widget: Widget, random: np.random.Generator) -> tuple[float, list[Told]]:
    """At random settings, none a node: how far a vertex is off, in the page's pixels, and what is to be said there."""
    definition, worst, told = widget.definition, 0.0, []
    choices = len(definition.choice.values) if definition.choice else 1
    for _ in range(SETTINGS):
        pair = (int(random.integers(choices)), int(random.integers(definition.dice or 1)))
        _, rows = pack(widget.folder / f"{pair[0] * (definition.dice or 1) + pair[1]}.js")
        places, sides, nearest = [], [], []
        for control, smooth, definite in zip(
            widget.ranges, widget.continuous, definition.ranges, strict=True
        ):
            nodes = control["nodes"]
            place = float(random.uniform(0, nodes[-1])) if smooth else float(random.choice(nodes))
            places.append(definite.place(definite.at(place)))
            sides.append([(nodes.index(node), weight) for node, weight in stencil(nodes, places[-1])])
            nearest.append(nodes[int(np.argmin(np.abs(np.array(nodes) - places[-1])))])
        sizes = [len(control["nodes"]) for control in widget.ranges]
        numbers = sum(
            np.prod([weight for _, weight in corner])
            * rows[np.ravel_multi_index([i for i, _ in corner], sizes)]
            for corner in itertools.product(*sides)
        )
        truth, _ = definition.picture.frame(setting(definition, tuple(places), pair))
        limit = max(definition.picture.size) + BEYOND
        off = np.clip(numbers, -BEYOND, limit) - np.clip(truth.numbers, -BEYOND, limit)
        worst = max(worst, distance(off, truth.shapes) * SHOWN / definition.picture.size[0])
        told.append(Told(pair, places, words(definition, places, nearest, pair)))
    return worst, sorted(told)


def distance(off: np.ndarray, shapes: list[dict[str, Any]]) -> float:
    """The largest of some numbers' errors, those of a vertex taken together."""
    worst, at = 0.0, 0
    for shape in shapes:
        style, at = off[at : at + packs.STYLE], at + packs.count(shape)
        vertices = off[at - packs.count(shape) + packs.STYLE : at].reshape(-1, 2)
        worst = max(worst, np.abs(style).max(), np.hypot(*vertices.T).max(initial=0))
    return float(worst)


def words(definition: Any, places: list[float], nearest: list[float], pair: tuple[int, int]) -> list[str]:
    """What stands beside each range, and the sentence of the nearest computed setting, named where it is another."""
    _, sentence = definition.picture.frame(setting(definition, tuple(nearest), pair))
    beside = [
        control.say(control.at(place)) for control, place in zip(definition.ranges, places, strict=True)
    ]
    computed = [
        control.say(control.at(node)) for control, node in zip(definition.ranges, nearest, strict=True)
    ]
    elsewhere = [
        f"{control.label.removesuffix(' =')} = {at}"
        for control, here, at in zip(definition.ranges, beside, computed, strict=True)
        if here != at
    ]
    if pair[1]:
        sentence += f" (Throw {pair[1] + 1} of {definition.dice}.)"
    if elsewhere:
        sentence += f" (Numbers computed at {', '.join(elsewhere)}.)"
    return [*beside, sentence]


_packs: dict[Path, Any] = {}


def pack(file: Path) -> Any:
    if file not in _packs:
        _packs[file] = packs.unpack(file)
    return _packs[file]


def in_the_browser(found: list[Widget], told: list[list[Told]]) -> tuple[list[float], list[float], int]:
    """Of every continuous range: milliseconds from input to the end of drawing, and between frames in a drag.

    And how many settings have a wrong value beside a range, or a wrong sentence.
    """
    times, gaps, wrong = [], [], 0
    path = chromium.find()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        for page_name in dict.fromkeys(widget.page for widget in found):
            page = browser.new_page(viewport={"width": 1280, "height": 900})
            page.goto((HTML / "book" / f"{page_name}.html").as_uri())
            page.wait_for_load_state("networkidle")
            for number, widget in enumerate(widget for widget in found if widget.page == page_name):
                figure = page.locator("figure.explore").nth(number)
                figure.locator("input, select").first.focus()
                figure.locator(".explore-drawn").wait_for()
                for control, smooth in zip(widget.ranges, widget.continuous, strict=True):
                    if smooth:
                        moved, dragged = page.evaluate(MOVE, [figure.element_handle(), control["name"]])
                        times += moved
                        gaps += dragged
                        missed = sum(gap > LATE for gap in dragged)
                        print(
                            f"{widget.name}, {control['name']}: {missed} of {len(dragged)} frames missed",
                            file=sys.stderr,
                        )
                throw, dice = 0, widget.definition.dice or 1
                for there in told[found.index(widget)]:
                    choice, next_throw = there.pair
                    throws, throw = (next_throw - throw) % dice, next_throw
                    said = page.evaluate(
                        SET, [figure.element_handle(), there.places, choice, throws, there.words]
                    )
                    if said != there.words:
                        wrong += 1
                        print(f"{widget.name} at {there.places}: {said} for {there.words}", file=sys.stderr)
            page.close()
        browser.close()
    return times, gaps, wrong


def live(found: list[Widget]) -> tuple[list[float], list[int]]:
    """Of every widget with a stage: milliseconds and bytes of a move to a new setting, with a new throw of its dice."""
    times, sizes = [], []
    for widget in found:
        if widget.definition.stage is None:
            continue
        front = fronts.Explorer(widget.definition, None)
        mine = []
        for i in range(12):
            places = tuple((i * 0.618034 % 1) * control["nodes"][-1] for control in widget.ranges)
            values = setting(widget.definition, places, (0, 100 + i))
            begin = time.perf_counter()
            front.show(**values)
            mine.append(1000 * (time.perf_counter() - begin))
            sizes.append(len(front.live.canvas.frame))
        times.append(statistics.median(mine[2:]))
        print(f"{widget.name}: a live move takes {times[-1]:.1f} ms, {sizes[-1]} bytes", file=sys.stderr)
    return times, sizes


def before_the_first_touch(widget: Widget) -> float:
    """Bytes: the picture of one theme, the widget's own HTML, scripts and style."""
    poster = max((widget.folder / f"{theme}.webp").stat().st_size for theme in ("light", "dark"))
    return poster + len(widget.html.encode()) + sum(asset.stat().st_size for asset in LOADED)


def main() -> None:
    found = widgets()
    random = np.random.default_rng(0)
    off, told = zip(*(compare(widget, random) for widget in found), strict=True)
    for widget, pixels in zip(found, off, strict=True):
        print(f"{widget.name}: {pixels:.2f} px, continuous {widget.continuous}", file=sys.stderr)
    real = [
        smooth
        for widget in found
        for smooth, is_real in zip(widget.continuous, widget.is_real, strict=True)
        if is_real
    ]
    times, gaps, wrong = in_the_browser(found, list(told))
    live_times, live_sizes = live(found)
    files = {widget.name: [file.stat().st_size for file in widget.folder.glob("*.js")] for widget in found}
    totals = [sum(sizes) for sizes in files.values()]
    missed = sum(gap > LATE for gap in gaps)
    rows = [
        ["input to the end of drawing, median", "≤ 4 ms", f"{statistics.median(times):.1f} ms"],
        ["input to the end of drawing, 95th percentile", "≤ 8 ms", f"{np.quantile(times, 0.95):.1f} ms"],
        [f"frames missed in drags of two seconds, of {len(gaps)}", "0", str(missed)],
        [f"largest distance of a vertex, {SETTINGS} random settings a widget", "≤ 1 px", f"{max(off):.2f} px"],
        [f"continuous, of {len(real)} ranges over real quantities", "≥ 80 %", f"{np.mean(real):.0%}"],
        [f"wrong sentences or values on the page, at {SETTINGS * len(found)} settings", "0", str(wrong)],
        ["loaded before the first touch, style and scripts included, most", "≤ 60 kB",
         f"{max(map(before_the_first_touch, found)) / 1000:.0f} kB"],
        ["data of a choice and throw, most", "≤ 400 kB", f"{max(map(max, files.values())) / 1000:.0f} kB"],
        ["data of a widget, most", "≤ 2 MB", f"{max(totals) / 1e6:.2f} MB"],
        [f"data of all {len(found)} widgets", "≤ 25 MB", f"{sum(totals) / 1e6:.1f} MB"],
        ["live, a move with a new key, slowest widget's median", "≤ 30 ms", f"{max(live_times):.0f} ms"],
        ["live, a move, median of the widgets", "", f"{statistics.median(live_times):.0f} ms"],
        ["live, bytes of a move, most", "≤ 5 kB", f"{max(live_sizes) / 1000:.2f} kB"],
    ]  # fmt: skip
    report.publish("widgets", ["what", "asked", "measured"], rows)


if __name__ == "__main__":
    main()
