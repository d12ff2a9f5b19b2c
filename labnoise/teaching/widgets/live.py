"""The front with a kernel: the same controls, and a picture that Python draws for each of their places."""

from __future__ import annotations

from typing import Any

import anywidget
import traitlets

from labnoise.teaching.widgets.assets import CANVAS, GESTURES, STYLE_SHEET
from labnoise.teaching.widgets.controls import Value
from labnoise.teaching.widgets.definition import Definition
from labnoise.teaching.widgets.markup import controls_markup
from labnoise.teaching.widgets.picture import dark, encode


class Canvas(anywidget.AnyWidget):
    """The widget in the browser: Python writes what is shown, the browser what is done to it."""

    _esm = GESTURES.read_text() + CANVAS.read_text()
    _css = STYLE_SHEET.read_text()

    size = traitlets.Tuple().tag(sync=True)
    controls = traitlets.Unicode().tag(sync=True)
    light = traitlets.Bytes().tag(sync=True)
    dark = traitlets.Bytes().tag(sync=True)
    frame = traitlets.Bytes().tag(sync=True)
    sentence = traitlets.Unicode().tag(sync=True)
    problem = traitlets.Unicode().tag(sync=True)  # what `draw` raised, shown in place of the sentence
    places: traitlets.List[float] = traitlets.List().tag(sync=True)  # of the controls, and what they read
    labels: traitlets.List[str] = traitlets.List().tag(sync=True)
    heard = traitlets.Int().tag(sync=True)  # the last turn that is answered: a handle under way is left alone
    moves = traitlets.Int().tag(sync=True)  # counts the answers, so that the browser knows that one has come
    pad = traitlets.Dict(allow_none=True).tag(sync=True)
    stops = traitlets.Int().tag(sync=True)  # of the control that plays; 0 shows no button
    at_end = traitlets.Bool().tag(sync=True)

    # Which control is turned, its place or what was typed, and the number of the turn.
    turned: traitlets.List[Any] = traitlets.List().tag(sync=True)
    # Where the picture is dragged: fractions from the left and from the top.
    pointer: traitlets.List[float] = traitlets.List().tag(sync=True)
    steps = traitlets.Int().tag(sync=True)  # counts the steps that the play button asked for


class Live:
    """Controls, picture and sentence of one widget, and their values."""

    def __init__(self, definition: Definition) -> None:
        self._definition = definition
        self._by_name = {control.name: control for control in definition.controls}
        background = definition.picture.background()
        played = self._by_name.get(definition.play or "")
        self.canvas = Canvas(
            size=definition.picture.size,
            controls=controls_markup(definition.controls, play=bool(played), exact=True),
            light=encode(background) if background else b"",
            dark=encode(dark(background)) if background else b"",
            pad=self._pad(),
            stops=len(played.values) if played else 0,
        )
        self.values = {control.name: control.start for control in definition.controls}
        self._redraw()
        self.canvas.observe(self._turn, "turned")
        self.canvas.observe(self._drag, "pointer")
        self.canvas.observe(self._step, "steps")

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
        self.values |= values
        self._redraw()

    def _turn(self, change: Any) -> None:
        which, given, number = change.new
        control = self._definition.controls[which]
        with self.canvas.hold_sync():
            self.canvas.heard = number
            try:
                value = control.accept(_number(given)) if isinstance(given, str) else control.at(given)
            except ValueError as error:  # typed, and nothing that the control can show
                self._answer(str(error))
            else:
                self._move({control.name: value})

    def _redraw(self) -> None:
        problem = ""
        with self.canvas.hold_sync():  # one message, so that picture and sentence change together
            try:
                image, sentence = self._definition.picture.frame(self.values)
            except (
                Exception
            ) as error:  # whatever it is, the reader sees it where she looks; the last picture stays
                setting = ", ".join(f"{name} = {value!r}" for name, value in self.values.items())
                problem = f"{type(error).__name__}: {error} (at {setting})"
            else:
                self.canvas.frame, self.canvas.sentence = encode(image), sentence
            self._answer(problem)

    def _answer(self, problem: str) -> None:
        """Say where the controls stand, and what is wrong, if anything is."""
        controls = self._definition.controls
        self.canvas.problem = problem
        self.canvas.places = [control.place(self.values[control.name]) for control in controls]
        self.canvas.labels = [control.say(self.values[control.name]) for control in controls]
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


def _number(typed: str) -> float | str:
    """What was typed, as a number if it is one; the control refuses the rest."""
    try:
        return float(typed.replace(",", ".").replace("−", "-"))
    except ValueError:
        return typed
