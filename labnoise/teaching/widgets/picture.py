"""One figure, drawn again and again: the background once, then only the artists that move.

A picture is a stack of two layers, a background and a transparent overlay with the moving artists. Both
fronts show the same layers, so that what a reader sees in the static book is what she sees with a kernel.
"""

from __future__ import annotations

import inspect
import io
from collections.abc import Callable, Mapping
from dataclasses import is_dataclass
from types import SimpleNamespace
from typing import Any

import matplotlib
import numpy as np
from matplotlib.artist import Artist
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from labnoise.teaching.widgets.style import STYLE

PAGE_DPI = 110  # 7.2 inches fill the book's column, and 10 points are then as large as the prose

# Everything that is not ink is transparent: the page shows through, light or dark.
TRANSPARENT: dict[Any, Any] = {"figure.facecolor": "none", "axes.facecolor": "none"}


class Picture:
    """The layers of one widget.

    `draw(artists, **values)` moves what `stage(fig)` returned; without a stage, `draw(fig, **values)` draws
    everything on an empty figure. Both have the book's style, whatever the session's `rcParams` are.
    """

    def __init__(
        self,
        draw: Callable[..., str],
        stage: Callable[[Figure], Any] | None,
        start: Mapping[str, Any],
        dpi: float,
    ) -> None:
        self.draw = draw
        _check_signature(draw, start)
        with matplotlib.rc_context({**STYLE, **TRANSPARENT}):
            self.fig = Figure(dpi=dpi)
            self.canvas = FigureCanvasAgg(self.fig)
            self.artists = stage(self.fig) if stage else None
        self.moving = sorted(_flatten(self.artists), key=lambda artist: artist.get_zorder()) if stage else []
        if stage and not self.moving:
            raise TypeError(
                f"{_name(stage)}(fig) returned {self.artists!r}: return the artists that `draw` moves, as "
                "one artist, a sequence, a dict or a namespace"
            )
        for artist in self.moving:
            artist.set_animated(True)  # matplotlib then leaves it out of the background
        self.sentence = self._call(start)
        self.fig.draw_without_rendering()  # settles the layout with the moving artists in it …
        if stage:
            self.fig.set_layout_engine("none")  # … and keeps it, so that nothing jumps

    @property
    def size(self) -> tuple[int, int]:
        """Width and height on the page, in CSS pixels; the files are finer."""
        width, height = self.fig.get_size_inches()
        return round(PAGE_DPI * width), round(PAGE_DPI * height)

    def background(self) -> Image.Image | None:
        """All that does not move, or None without a stage."""
        if self.artists is None:
            return None
        shown = [artist for artist in self.moving if artist.get_visible()]
        for artist in shown:
            artist.set_visible(False)  # axis labels, unlike other artists, are drawn even when animated
        self.canvas.draw()
        for artist in shown:
            artist.set_visible(True)
        return self._pixels()

    def frame(self, values: Mapping[str, Any]) -> tuple[Image.Image, str]:
        """The moving artists alone (without a stage: the whole picture), and the sentence, at one setting."""
        sentence = self._call(values)
        if self.artists is None:
            self.canvas.draw()
        else:
            renderer = self.canvas.get_renderer()
            renderer.clear()
            for artist in self.moving:
                artist.draw(renderer)
        return self._pixels(), sentence

    def _call(self, values: Mapping[str, Any]) -> str:
        with matplotlib.rc_context({**STYLE, **TRANSPARENT}):
            if self.artists is None:
                self.fig.clear()
                sentence = self.draw(self.fig, **values)
            else:
                self.fig.stale = False
                sentence = self.draw(self.artists, **values)
                # An animated artist keeps its changes to itself; the figure hears of every other.
                if self.fig.stale:
                    raise ValueError(
                        f"{_name(self.draw)} changed something that the stage did not return, which would "
                        "not be seen: return it from the stage as well, or leave it alone in `draw`"
                    )
        if not isinstance(sentence, str) or not sentence.strip():
            raise TypeError(
                f"{_name(self.draw)} returned {sentence!r}: return the sentence that says what is seen"
            )
        return " ".join(sentence.split())

    def _pixels(self) -> Image.Image:
        return Image.fromarray(np.array(self.canvas.buffer_rgba()))

    def split(self) -> float | None:
        """Where a phone may cut the picture to show its halves one below the other; None if there are none.

        The fraction from the left of the gap between two panels, if nothing reaches across it.
        """
        parts = [*self.fig.axes, *self.fig.texts, *self.fig.legends]
        renderer = self.canvas.get_renderer()
        boxes = [box for part in parts if (box := part.get_tightbbox(renderer))]
        width = self.fig.bbox.width
        spans = sorted((box.x0 / width, box.x1 / width) for box in boxes if box.width > 0)
        gaps, reached = [], spans[0][1] if spans else 0.0
        for begin, end in spans:
            if begin > reached:
                gaps.append((reached + begin) / 2)
            reached = max(reached, end)
        if len(gaps) != 1 or not 0.4 < gaps[0] < 0.6 or self.fig.axes[0].get_position().x1 > gaps[0]:
            return None
        return round(gaps[0], 4)

    # Dragging: the pointer's place on the picture, as fractions from the left and from the top, against the
    # data coordinates of the first axes. matplotlib's own transform knows every scale.

    def pad(self) -> dict[str, float]:
        """Where the first axes lie on the picture."""
        if not self.fig.axes:
            raise ValueError(
                "drag: the picture has no axes to drag in; add them in the stage, or leave drag out"
            )
        box = self.fig.axes[0].get_position()
        return {"left": box.x0, "top": 1 - box.y1, "width": box.width, "height": box.height}

    def across(self, x: float) -> float:
        """The fraction of the picture's width at which the first axes show x."""
        axes = self.fig.axes[0]
        return float(axes.transData.transform((x, axes.get_ylim()[0]))[0] / self.fig.bbox.width)

    def down(self, y: float) -> float:
        """The fraction of the picture's height, from the top, at which the first axes show y."""
        axes = self.fig.axes[0]
        return float(1 - axes.transData.transform((axes.get_xlim()[0], y))[1] / self.fig.bbox.height)

    def data_at(self, across: float, down: float) -> tuple[float, float]:
        """The data coordinates under a place on the picture."""
        pixel = (across * self.fig.bbox.width, (1 - down) * self.fig.bbox.height)
        x, y = self.fig.axes[0].transData.inverted().transform(pixel)
        return float(x), float(y)


def dark(image: Image.Image) -> Image.Image:
    """The same background for a dark page: grey ink is inverted, coloured ink keeps its colour."""
    pixels = np.array(image)
    colour = pixels[..., :3].astype(np.int16)
    chroma = colour.max(axis=-1) - colour.min(axis=-1)
    grey = np.clip(1 - chroma / 48, 0, 1)[
        ..., None
    ]  # 1 for ink, 0 for colour, in between for what is neither
    pixels[..., :3] = colour + grey * (255 - 2 * colour)
    return Image.fromarray(pixels)


def encode(image: Image.Image) -> bytes:
    """WebP as small as the eye allows: line art in 256 colours, smooth shading in all of them."""
    few = image.quantize(256, method=Image.Quantize.FASTOCTREE).convert("RGBA")
    sample = (slice(None, None, 4), slice(None, None, 4))  # enough to tell shading from lines
    loss = np.asarray(few)[sample].astype(np.int16) - np.asarray(image)[sample]
    file = io.BytesIO()
    if np.abs(loss).mean() < 1:
        few.save(file, "WEBP", lossless=True, quality=20, method=2)
    else:
        image.save(file, "WEBP", quality=85)
    return file.getvalue()


def _flatten(artists: Any) -> list[Artist]:
    """The artists in whatever a stage returned; data that it handed along for `draw` are skipped."""
    if isinstance(artists, Figure):
        raise TypeError("the stage returned its figure: return the artists that `draw` moves")
    if isinstance(artists, Artist):
        return [artists]
    if isinstance(artists, Mapping):
        artists = artists.values()
    elif isinstance(artists, SimpleNamespace) or is_dataclass(artists):
        artists = vars(artists).values()
    elif isinstance(artists, np.ndarray) and artists.dtype == object:
        artists = artists.flat
    elif not isinstance(artists, list | tuple | set):
        return []
    return list(dict.fromkeys(found for item in artists for found in _flatten(item)))


def _check_signature(draw: Callable[..., str], start: Mapping[str, Any]) -> None:
    """A misspelt control is told before anything is drawn."""
    if not callable(draw):
        raise TypeError(f"draw = {draw!r}: give a function draw(artists, **values) that returns a sentence")
    try:
        inspect.signature(draw).bind(None, **start)
    except TypeError as error:
        raise TypeError(
            f"{_name(draw)}{inspect.signature(draw)} does not fit the controls {list(start)}: {error}"
        ) from None


def _name(function: Callable[..., Any]) -> str:
    return getattr(function, "__name__", repr(function))
