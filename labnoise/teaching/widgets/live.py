"""The front with a kernel: the same controls, and a picture that Python draws for each of their places."""

from __future__ import annotations

from typing import Any

import anywidget
import traitlets

from labnoise.teaching.widgets.assets import CANVAS, DISPLAY, GESTURES, STYLE_SHEET
from labnoise.teaching.widgets.controls import Value
from labnoise.teaching.widgets.definition import THROW, Definition
from labnoise.teaching.widgets.markup import controls_markup
from labnoise.teaching.widgets.packing import Frame, pack


class Canvas(anywidget.AnyWidget):
    """The widget in the browser: Python writes what is shown, the browser what is done to it."""

    _esm = GESTURES.read_text() + DISPLAY.read_text() + CANVAS.read_text()
    _css = STYLE_SHEET.read_text()

    size = traitlets.Tuple().tag(sync=True)
    controls = traitlets.Unicode().tag(sync=True)
    stage = traitlets.Bytes().tag(
        sync=True
    )  # what does not move, and what does with its sentence: packs of one
    frame = traitlets.Bytes().tag(sync=True)
    problem = traitlets.Unicode().tag(sync=True)  # what `draw` raised, shown in place of the sentence
    places: traitlets.List[float] = traitlets.List().tag(sync=True)  # of the controls, and what they read
    labels: traitlets.List[str] = traitlets.List().tag(sync=True)
    heard = traitlets.Int().tag(sync=True)  # the last turn that is answered: a handle under way is left alone
    moves = traitlets.Int().tag(sync=True)  # counts the answers, so that the browser knows that one has come
    pad = traitlets.Dict(allow_none=True).tag(sync=True)
    played = traitlets.Int().tag(sync=True)  # the number of the control that the button runs; −1 for none

    # Which control is turned, its place or what was typed, and the number of the turn.
    turned: traitlets.List[Any] = traitlets.List().tag(sync=True)
    # Where the picture is dragged: fractions from the left and from the top.
    pointer: traitlets.List[float] = traitlets.List().tag(sync=True)
    thrown = traitlets.Int().tag(sync=True)  # counts the throws of the dice


class Live:
    """Controls, picture and sentence of one widget, and their values."""

    def __init__(self, definition: Definition) -> None:
        self._definition = definition
        self._by_name = {control.name: control for control in definition.controls}
        names = list(self._by_name)
        self.canvas = Canvas(
            size=definition.picture.size,
            controls=controls_markup(
                definition,
                {control.name for control in definition.ranges if control.is_continuous},
                typed=True,
            ),
            stage=pack([Frame.of(definition.picture.background(), "")]),
            pad=self._pad(),
            played=names.index(definition.play) if definition.play else -1,
        )
        self.values = definition.start
        self.sentence = ""
        self._redraw()
        self.canvas.observe(self._turn, "turned")
        self.canvas.observe(self._drag, "pointer")
        self.canvas.observe(self._throw, "thrown")

    def show(self, **values: Value) -> str:
        """Move to exact values; see `Explorer.show`."""
        for name in values:
            if name not in self.values:
                raise ValueError(f"{name} is no control of this picture: choose among {list(self.values)}")
        self._move({name: self._accept(name, value) for name, value in values.items()})
        if self.canvas.problem:
            raise RuntimeError(self.canvas.problem)
        return self.sentence

    def _accept(self, name: str, value: Value) -> Value:
        if name in self._by_name:
            return self._by_name[name].accept(value)
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise ValueError(f"{name} = {value!r}: choose a whole number from 0 on")
        return value

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
                shown = Frame.of(*self._definition.picture.frame(self.values))
            except (
                Exception
            ) as error:  # whatever it is, the reader sees it where she looks; the last picture stays
                setting = ", ".join(f"{name} = {value!r}" for name, value in self.values.items())
                problem = f"{type(error).__name__}: {error} (at {setting})"
            else:
                self.canvas.frame, self.sentence = pack([shown]), shown.sentence
            self._answer(problem)

    def _answer(self, problem: str) -> None:
        """Say where the controls stand, and what is wrong, if anything is."""
        controls = self._definition.controls
        self.canvas.problem = problem
        self.canvas.places = [control.place(self.values[control.name]) for control in controls]
        self.canvas.labels = [control.say(self.values[control.name]) for control in controls]
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

    def _throw(self, change: Any) -> None:
        self._move({THROW: change.new})

    def _pad(self) -> dict[str, Any] | None:
        x, y = self._definition.drag
        return {**self._definition.picture.pad(), "x": bool(x), "y": bool(y)} if x or y else None


def _number(typed: str) -> float | str:
    """What was typed, as a number if it is one; the control refuses the rest."""
    try:
        return float(typed.replace(",", ".").replace("−", "-"))
    except ValueError:
        return typed
