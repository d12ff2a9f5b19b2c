"""The front with a kernel: Jupyter's own sliders, and the picture that answers them."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import anywidget
import ipywidgets
import traitlets

from labnoise.teaching.widgets.assets import CANVAS, GESTURES, STYLE_SHEET
from labnoise.teaching.widgets.controls import Control, Value
from labnoise.teaching.widgets.definition import Definition
from labnoise.teaching.widgets.picture import dark, encode

FINE = 200  # steps of a slider: three pixels each when dragged, six seconds across with an arrow key held


class Canvas(anywidget.AnyWidget):
    """The picture and its sentence in the browser: Python writes layers, the browser what is done to them."""

    _esm = GESTURES.read_text() + CANVAS.read_text()
    _css = STYLE_SHEET.read_text()

    size = traitlets.Tuple().tag(sync=True)
    light = traitlets.Bytes().tag(sync=True)
    dark = traitlets.Bytes().tag(sync=True)
    frame = traitlets.Bytes().tag(sync=True)
    sentence = traitlets.Unicode().tag(sync=True)
    problem = traitlets.Unicode().tag(sync=True)  # what `draw` raised, shown in place of the sentence
    moves = traitlets.Int().tag(sync=True)  # counts the answers, so that the browser knows that one has come
    pad = traitlets.Dict(allow_none=True).tag(sync=True)
    stops = traitlets.Int().tag(sync=True)  # of the control that plays; 0 shows no button
    at_end = traitlets.Bool().tag(sync=True)

    # Where the picture is dragged: fractions from the left and from the top.
    pointer: traitlets.List[float] = traitlets.List().tag(sync=True)
    steps = traitlets.Int().tag(sync=True)  # counts the steps that the play button asked for


class Live(ipywidgets.VBox):
    """Sliders, picture and sentence of one widget."""

    def __init__(self, definition: Definition) -> None:
        self._definition = definition
        self._by_name = {control.name: control for control in definition.controls}
        self.sliders = {control.name: _slider(control) for control in definition.controls}
        background = definition.picture.background()
        played = self._by_name.get(definition.play or "")
        self.canvas = Canvas(
            size=definition.picture.size,
            light=encode(background) if background else b"",
            dark=encode(dark(background)) if background else b"",
            pad=self._pad(),
            stops=len(played.values) if played else 0,
        )
        self.values = {control.name: control.start for control in definition.controls}
        self._redraw()
        for name, slider in self.sliders.items():
            slider.observe(partial(self._turn, name), "value")
        self.canvas.observe(self._drag, "pointer")
        self.canvas.observe(self._step, "steps")
        controls = ipywidgets.HBox(list(self.sliders.values())).add_class("explore-sliders")
        super().__init__([self.canvas, controls])
        self.add_class("explore-live")

    def show(self, **values: Value) -> str:
        """Move to exact values; see `Explorer.show`."""
        for name in values:
            if name not in self._by_name:
                raise ValueError(f"{name} is no control of this picture: choose among {list(self._by_name)}")
        self._move({name: self._by_name[name].accept(value) for name, value in values.items()})
        if self.canvas.problem:
            raise RuntimeError(self.canvas.problem)
        return self.canvas.sentence

    def _move(self, values: dict[str, Value]) -> None:
        """Set several sliders, draw once."""
        self.values |= values
        for name, value in values.items():
            self.sliders[name].value = value
        self._redraw()

    def _turn(self, name: str, change: Any) -> None:
        # The browser rounds an exact value to the slider's step and reports that: the exact one stays.
        if not _rounds(self.sliders[name], change.new, self.values[name]):
            self.values[name] = change.new
            self._redraw()

    def _redraw(self) -> None:
        problem = ""
        try:
            image, sentence = self._definition.picture.frame(self.values)
        except (
            Exception
        ) as error:  # whatever it is, the reader sees it where she looks; the last picture stays
            setting = ", ".join(f"{name} = {value!r}" for name, value in self.values.items())
            problem = f"{type(error).__name__}: {error} (at {setting})"
        with self.canvas.hold_sync():  # one message, so that picture and sentence change together
            if not problem:
                self.canvas.frame, self.canvas.sentence = encode(image), sentence
            self.canvas.problem = problem
            if self._definition.play:
                control = self._by_name[self._definition.play]
                self.canvas.at_end = self.values[control.name] >= control.values[-1]
            self.canvas.moves += 1

    def _drag(self, change: Any) -> None:
        places = self._definition.picture.data_at(*change.new)
        self._move(
            {
                name: self._by_name[name].nearest(place)
                for name, place in zip(self._definition.drag, places, strict=True)
                if name
            }
        )

    def _step(self, _change: Any) -> None:
        """Play: on to the next stop, and from the last one to the first."""
        control = self._by_name[self._definition.play or ""]
        later = [stop for stop in control.values if stop > self.values[control.name]]
        self._move({control.name: later[0] if later else control.values[0]})

    def _pad(self) -> dict[str, Any] | None:
        x, y = self._definition.drag
        return {**self._definition.picture.pad(), "x": bool(x), "y": bool(y)} if x or y else None


def _slider(control: Control) -> Any:
    """The Jupyter control that moves as continuously as the spacing of the values allows."""
    values = control.values
    given = {
        "description": control.label,
        "value": control.start,
        "style": {"description_width": "initial"},
    }
    if not control.is_range:
        return ipywidgets.Dropdown(options=list(values), **given)
    if control.spacing == "irregular":
        return ipywidgets.SelectionSlider(options=list(zip(control.labels, values, strict=True)), **given)
    # About FINE steps in all, and every stop of the static book is one of them.
    parts = math.ceil(FINE / (len(values) - 1))
    if control.spacing == "integer":
        gap = values[1] - values[0]
        step = max(d for d in range(1, gap + 1) if gap % d == 0 and d <= max(1, gap / parts))
        return ipywidgets.IntSlider(min=values[0], max=values[-1], step=step, **given)
    given["readout_format"] = control.format.strip("{:}") or ".3g"
    if control.spacing == "linear":
        step = (values[1] - values[0]) / parts
        return ipywidgets.FloatSlider(min=values[0], max=values[-1], step=step, **given)
    low, second, high = (math.log10(value) for value in (values[0], values[1], values[-1]))
    return ipywidgets.FloatLogSlider(min=low, max=high, step=(second - low) / parts, **given)


def _rounds(slider: Any, reported: Value, exact: Value) -> bool:
    """Whether what a slider reports is `exact`, up to the slider's step."""
    if reported == exact or not hasattr(slider, "step"):
        return reported == exact
    if isinstance(slider, ipywidgets.FloatLogSlider):
        reported, exact = math.log10(reported), math.log10(exact)
    return abs(reported - exact) <= 0.501 * slider.step
