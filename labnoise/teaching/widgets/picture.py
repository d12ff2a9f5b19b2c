"""One figure, recorded again and again: the background once, then only the artists that move.

Both fronts show the same display lists, so that what a reader sees in the static book is what she sees with a kernel.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import is_dataclass
from types import SimpleNamespace
from typing import Any

import matplotlib
import numpy as np
from matplotlib.artist import Artist
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from labnoise.teaching.widgets.picture_files import dark
from labnoise.teaching.widgets.recording import DisplayList, record
from labnoise.teaching.widgets.style import STYLE

PAGE_DPI = 110  # 7.2 inches fill the book's column, and 10 points are then as large as the prose
POSTER_DPI = 220

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
    ) -> None:
        self.draw = draw
        _check_signature(draw, start)
        with matplotlib.rc_context({**STYLE, **TRANSPARENT}):
            self.fig = Figure(dpi=PAGE_DPI)
            self.canvas = FigureCanvasAgg(self.fig)
            self.artists = stage(self.fig) if stage else None
        self.moving = sorted(_named(self.artists), key=lambda named: named[1].get_zorder()) if stage else []
        if stage and not self.moving:
            raise TypeError(
                f"{_name(stage)}(fig) returned {self.artists!r}: return the artists that `draw` moves, as "
                "one artist, a sequence, a dict or a namespace"
            )
        for _, artist in self.moving:
            artist.set_animated(True)  # matplotlib then leaves it out of the background
        self._call(start)
        self.fig.draw_without_rendering()  # settles the layout with the moving artists in it …
        if stage:
            self.fig.set_layout_engine("none")  # … and keeps it, so that nothing jumps

    @property
    def size(self) -> tuple[int, int]:
        """Width and height on the page, in CSS pixels."""
        width, height = self.fig.get_size_inches()
        return round(PAGE_DPI * width), round(PAGE_DPI * height)

    def background(self) -> DisplayList:
        """All that does not move: nothing without a stage."""
        if self.artists is None:
            return DisplayList()
        with self._only_still():
            return self._record([("background", self.fig)], still=True)

    def frame(self, values: Mapping[str, Any]) -> tuple[DisplayList, str]:
        """The moving artists alone (without a stage: the whole picture), and the sentence, at one setting."""
        sentence = self._call(values)
        if self.artists is None:
            return self._record([("the picture", self.fig)], still=True), sentence
        return self._record(self.moving, still=False), sentence

    def poster(self, values: Mapping[str, Any]) -> tuple[Image.Image, Image.Image]:
        """The whole picture at one setting, for the light and for the dark page, as pixels for dense screens."""
        self._call(values)
        self.fig.set_dpi(POSTER_DPI)
        try:
            with self._only_still():
                self.canvas.draw()
            below = self._pixels()
            renderer = self.canvas.get_renderer()
            renderer.clear()
            for _, artist in self.moving:
                artist.draw(renderer)
            above = self._pixels()
        finally:
            self.fig.set_dpi(PAGE_DPI)
        light, dim = below.copy(), dark(below)
        light.alpha_composite(above)
        dim.alpha_composite(above)
        return light, dim

    @contextmanager
    def _only_still(self) -> Iterator[None]:
        shown = [artist for _, artist in self.moving if artist.get_visible()]
        for artist in shown:
            artist.set_visible(False)  # axis labels, unlike other artists, are drawn even when animated
        try:
            yield
        finally:
            for artist in shown:
                artist.set_visible(True)

    def _record(self, artists: Sequence[tuple[str, Artist]], still: bool) -> DisplayList:
        return record(artists, self.fig.bbox.width, self.fig.bbox.height, PAGE_DPI, still)

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


def _named(artists: Any, name: str = "") -> list[tuple[str, Artist]]:
    """The artists in whatever a stage returned, with names; data that it handed along for `draw` are skipped."""
    if isinstance(artists, Figure):
        raise TypeError("the stage returned its figure: return the artists that `draw` moves")
    if isinstance(artists, Artist):
        return [(name or type(artists).__name__, artists)]
    items: Any
    if isinstance(artists, Mapping):
        items = artists.items()
    elif isinstance(artists, SimpleNamespace) or is_dataclass(artists):
        items = vars(artists).items()
    elif isinstance(artists, list | tuple | set):
        items = enumerate(artists)
    elif isinstance(artists, np.ndarray) and artists.dtype == object:
        items = enumerate(artists.flat)
    else:
        return []
    found = {
        artist: deeper
        for key, item in items
        for deeper, artist in _named(item, f"{name or 'artist'}[{key}]" if isinstance(key, int) else str(key))
    }
    return [(deeper, artist) for artist, deeper in found.items()]


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
