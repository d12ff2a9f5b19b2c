"""What the widgets cost: sizes, bytes before the first touch, and the time from a move to its picture.

python benchmarks/widgets.py [--write]
"""

from __future__ import annotations

import os
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

import example_widgets as examples  # noqa: E402
import report  # noqa: E402

from labnoise.teaching.widgets.assets import ASSETS  # noqa: E402

MOVES = 40

# Both times run from the input event: until the new image stands in the page, and until it is painted.
MEASURE = """async (figure, moves) => {
    const input = figure.querySelector("input"), last = Number(input.max);
    const painted = () => new Promise((done) => requestAnimationFrame(() => {
        const channel = new MessageChannel();
        channel.port1.onmessage = () => done(performance.now());
        channel.port2.postMessage(0);
    }));
    const inPlace = [], onScreen = [];
    for (let i = 0; i < moves + 2 * last; i += 1) {
        await new Promise((next) => setTimeout(next, 23 + 7 * (i % 3)));
        const replaced = new Promise((done) => new MutationObserver((_, observer) => {
            observer.disconnect();
            done(performance.now());
        }).observe(figure.querySelector(".explore-picture"), { childList: true, subtree: true }));
        const begin = performance.now();
        input.value = last - Math.abs(last - (i + 1) % (2 * last));
        input.dispatchEvent(new Event("input", { bubbles: true }));
        const there = await replaced, seen = await painted();
        if (i < 2 * last) continue; // the first way there and back fetches the frames
        inPlace.push(there - begin);
        onScreen.push(seen - begin);
    }
    return [inPlace, onScreen];
}"""


def measure_static() -> list[tuple[str, str]]:
    """One widget with a stage as the static book has it, opened from a folder."""
    with tempfile.TemporaryDirectory() as name:
        site = Path(name)
        os.environ["LABNOISE_FRAMES"] = str(site / "_frames")
        begin = time.perf_counter()
        page_html = examples.clocks()._repr_mimebundle_()["text/html"]
        drawing = time.perf_counter() - begin
        del os.environ["LABNOISE_FRAMES"]
        (site / "book").mkdir()
        for asset in ASSETS:
            shutil.copy(asset, site / "book")
        (site / "book/page.html").write_text(
            '<!doctype html><meta charset="utf-8"><link rel="stylesheet" href="explore.css">'
            f'{page_html}<script src="gestures.js"></script><script src="explore.js"></script>'
        )
        files = {file.name: file.stat().st_size for file in (site / "_frames").glob("*/*.webp")}
        frames = [size for file, size in files.items() if file[0].isdigit()]
        loaded: list[Path] = []
        with sync_playwright() as playwright:
            chromium = "/usr/bin/chromium" if Path("/usr/bin/chromium").exists() else None
            browser = playwright.chromium.launch(
                executable_path=chromium, args=["--no-sandbox", "--disable-gpu"]
            )
            page = browser.new_page(viewport={"width": 800, "height": 700})
            page.on("request", lambda request: loaded.append(Path(request.url.removeprefix("file://"))))
            page.goto((site / "book/page.html").as_uri())
            page.wait_for_timeout(500)
            before = sum(file.stat().st_size for file in loaded)
            figure = page.locator("figure.explore")
            in_place, on_screen = figure.evaluate(MEASURE, MOVES)
            browser.close()
    assets = sum(asset.stat().st_size for asset in ASSETS)
    return [
        ("static: one overlay, median of " + str(len(frames)), f"{statistics.median(frames) / 1000:.1f} kB"),
        ("static: all files of the widget", f"{sum(files.values()) / 1000:.0f} kB"),
        ("static: loaded before the first touch, page and scripts included", f"{before / 1000:.0f} kB"),
        ("static: of which style and scripts, once a book", f"{assets / 1000:.0f} kB"),
        ("static: input to new picture in place, cached, median", f"{statistics.median(in_place):.1f} ms"),
        ("static: input to new picture painted, cached, median", f"{statistics.median(on_screen):.1f} ms"),
        ("static: drawing one setting at build time", f"{1000 * drawing / len(frames):.0f} ms"),
    ]


def measure_live() -> list[tuple[str, str]]:
    """From a slider's new value to the bytes that go to the browser."""
    rows = []
    for words, explorer, moves in (
        ("with a stage", examples.clocks(), [{"eta": 0.02 + 0.001 * i} for i in range(MOVES)]),
        ("without a stage", examples.whole(), [{"n": 1 + i % 5} for i in range(MOVES // 2)]),
    ):
        times = []
        for move in moves:
            begin = time.perf_counter()
            explorer.show(**move)
            times.append(1000 * (time.perf_counter() - begin))
        size = len(explorer.live.canvas.frame)
        rows.append((f"live, {words}: slider to new bytes, median", f"{statistics.median(times):.0f} ms"))
        rows.append((f"live, {words}: bytes of a move", f"{size / 1000:.1f} kB"))
    return rows


# What the course asks, by the row's first words.
ASKED = {
    "live, with a stage: slider": "≤ 50 ms",
    "live, without a stage: slider": "≤ 150 ms",
    "static: input to new picture painted": "≤ 16 ms",
    "static: loaded before": "≤ 300 kB",
}


def main() -> None:
    rows = [
        [what, next((limit for words, limit in ASKED.items() if what.startswith(words)), ""), value]
        for what, value in measure_live() + measure_static()
    ]
    report.publish("widgets", ["what", "asked", "measured"], rows)


if __name__ == "__main__":
    main()
