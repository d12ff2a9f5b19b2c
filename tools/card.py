"""Take the README's picture, book/_static/card.png, from the front page's widget: `make book browser` first."""

import io
from pathlib import Path

import chromium
from PIL import Image
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).parents[1]
STOP = 10  # of the range: the cloud has come a third of its way


def main() -> None:
    page_file = ROOT / "_build/html/book/index.html"
    if not page_file.exists():
        raise SystemExit("error: the front page is not there: run `make book` first")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium.find(), args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page(viewport={"width": 1280, "height": 900}, device_scale_factor=2)
        page.goto(page_file.as_uri())
        figure = page.locator("figure.explore").first
        slider = figure.locator("input[type=range]").first
        slider.focus()
        for _ in range(STOP):
            slider.press("ArrowRight")
        figure.locator(".explore-drawn").wait_for()
        data = figure.locator(".explore-picture").screenshot()
        browser.close()
    picture = Image.open(io.BytesIO(data)).convert("RGB")
    picture.quantize(128).save(ROOT / "book/_static/card.png", optimize=True)


if __name__ == "__main__":
    main()
