"""Compose the README's picture, book/_static/card.png, from the front page's widget: `make book` first.

The picture is the widget's background with the overlay of one setting, as a reader of the built page sees it.
"""

import re
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).parents[1]
SETTING = 10  # the cloud has come a third of its way


def main() -> None:
    page = (ROOT / "_build/html/book/index.html").read_text(encoding="utf8")
    match = re.search(r'data-frames="([0-9a-f]+)"', page)
    if match is None:
        raise SystemExit("error: the front page has no widget: run `make book` first")
    frames = ROOT / "_build/html/_frames" / match[1]
    background = Image.open(frames / "light.webp").convert("RGBA")
    picture = Image.new("RGBA", background.size, "white")
    for layer in (background, Image.open(frames / f"{SETTING}.webp").convert("RGBA")):
        picture.alpha_composite(layer)
    picture.convert("RGB").quantize(128).save(ROOT / "book/_static/card.png", optimize=True)


if __name__ == "__main__":
    main()
