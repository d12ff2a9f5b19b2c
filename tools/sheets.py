"""Photograph every built page onto contact sheets, for people to look at: `make sheets`.

Into `_build/contact-sheets/`: wide and narrow, light and dark, a page cut into columns.
"""

import io
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page

ROOT = Path(__file__).parents[1]
SHEETS = ROOT / "_build" / "contact-sheets"
sys.path.append(str(ROOT / "tests"))

import browser  # noqa: E402


def main() -> None:
    with browser.chromium() as chromium:
        for page in browser.pages():
            for width in (390, 1280):
                tab, _ = browser.open_page(chromium, f"{browser.HTML.as_uri()}/{page}", width, scale=0.5)
                for theme in ("light", "dark"):
                    tab.emulate_media(color_scheme=theme)
                    name = page.replace("/", "-").removesuffix(".html")
                    contact_sheet(tab, SHEETS / f"{name}-{width}-{theme}.jpg")
                tab.context.close()
    print(f"The sheets are in {SHEETS}")


def contact_sheet(page: Page, path: Path, height: int = 1400) -> None:
    """Photograph the whole page, cut the strip into columns of `height`, and keep the sheet at `path`."""
    browser.load_all_pictures(page)
    strip = Image.open(io.BytesIO(page.screenshot(full_page=True, type="jpeg", quality=80))).convert("RGB")
    gap, columns = 8, -(-strip.height // height)
    sheet = Image.new("RGB", (columns * (strip.width + gap) - gap, min(height, strip.height)), "#888888")
    for column in range(columns):
        part = strip.crop((0, column * height, strip.width, min((column + 1) * height, strip.height)))
        sheet.paste(part, (column * (strip.width + gap), 0))
    path.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(path, quality=75)


if __name__ == "__main__":
    main()
