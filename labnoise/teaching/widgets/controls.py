"""What a keyword of `explore` becomes: a named list of stops, with a label and a start."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

Value = Any  # a finite number, or a string

# The formats that `gestures.js` writes as Python does.
_FORMAT = re.compile(r"[^{}]*\{:(\.\d+)?[gf]\}[^{}]*")


@dataclass(frozen=True)
class Control:
    """The values that one control of `explore` runs through.

    Increasing numbers become a range, strings become a select. A range whose values are equally or geometrically
    spaced moves continuously between them: with a kernel always, in the static book where its pictures allow it.
    Others stop exactly at `values`.

    Parameters
    ----------
    values : increasing numbers, or different strings
        At least two.
    label : str
        What the reader sees; by default the name of the keyword.
    start : one of the values
        By default the first.
    format : str
        How a number is written, as `str.format` has it: "{:.3g}", "{:.2f}", "{:g}" and the like, with words around
        it or none. Whole numbers are written as they are.
    name : str
        The keyword of `explore`, which fills it in.

    Raises
    ------
    ValueError
        For fewer than two values, values that are not finite or do not increase, repeated strings, a start
        that is not among the values, and a format that a page without a kernel cannot follow.
    TypeError
        For what is neither numbers nor strings.

    Examples
    --------
    >>> import numpy as np
    >>> from labnoise.teaching.widgets import Control
    >>> Control(np.geomspace(0.01, 1, 3), label="learning rate η", start=0.1).labels
    ['0.01', '0.1', '1']
    """

    values: Sequence[Value]
    label: str = ""
    start: Value | None = None
    format: str = "{:.3g}"
    name: str = field(default="", kw_only=True)  # `explore` fills in the keyword

    def __post_init__(self) -> None:
        name = self.name or "values"
        values = _as_stops(name, self.values)
        object.__setattr__(self, "values", values)
        object.__setattr__(self, "label", self.label or name)
        object.__setattr__(self, "start", values[0 if self.start is None else self._find(self.start)])
        if not _FORMAT.fullmatch(self.format):
            raise ValueError(
                f"{name}: format = {self.format!r}: write one number as in '{{:.3g}}', '{{:.2f}}' or '{{:g}}'"
            )

    @property
    def is_range(self) -> bool:
        """Whether the values are numbers."""
        return not isinstance(self.values[0], str)

    @property
    def index(self) -> int:
        """The stop at which the control starts."""
        return self._find(self.start)

    @property
    def labels(self) -> list[str]:
        """Each stop as the reader sees it."""
        return [self.say(value) for value in self.values]

    @property
    def spacing(self) -> str:
        """Which slider runs through the values with a kernel, "integer", "linear", "log" or "irregular" (none)."""
        if not self.is_range:
            return "irregular"
        values = np.asarray(self.values, dtype=float)
        if np.allclose(np.diff(values), np.diff(values)[0], rtol=1e-6, atol=0):
            return "integer" if all(isinstance(v, int) for v in self.values) else "linear"
        if values[0] > 0 and np.allclose(
            np.diff(np.log(values)), np.diff(np.log(values))[0], rtol=1e-6, atol=0
        ):
            return "log"
        return "irregular"

    @property
    def is_continuous(self) -> bool:
        """Whether it can show values between its stops."""
        return self.spacing in ("linear", "log") or (
            self.spacing == "integer" and self.values[1] - self.values[0] > 1
        )

    def say(self, value: Value) -> str:
        """A value as the reader sees it."""
        return str(value) if isinstance(value, str | int) else self.format.format(value)

    def accept(self, value: Value) -> Value:
        """`value` if the control can show it with a kernel, else a `ValueError` that says what it can."""
        if self.spacing == "irregular":
            return self.values[self._find(value)]
        low, high = self.values[0], self.values[-1]
        if isinstance(value, str) or not low <= value <= high:
            raise ValueError(f"{self.name} = {value!r}: choose a number from {low!r} to {high!r}")
        if self.spacing == "integer" and value != int(value):
            raise ValueError(f"{self.name} = {value!r}: choose a whole number from {low!r} to {high!r}")
        return int(value) if self.spacing == "integer" else float(value)

    def at(self, place: float) -> Value:
        """What lies at a place on the slider, where the stops are 0, 1, 2 …: between two of them what lies between."""
        below = min(max(math.floor(place), 0), len(self.values) - 2)
        beyond = place - below
        if self.spacing == "irregular" or beyond in (0, 1):
            return self.values[below + round(beyond)]
        low, high = float(self.values[below]), float(self.values[below + 1])
        if self.spacing == "log":
            return low * (high / low) ** beyond
        value = low + beyond * (high - low)
        return round(value) if self.spacing == "integer" else value

    def place(self, value: Value) -> float:
        """The place on the slider of a value that the control can show: the inverse of `at`."""
        if self.spacing == "irregular":
            return float(self._find(value))
        stops, value = [float(stop) for stop in self.values], float(value)
        if self.spacing == "log":
            stops, value = [math.log(stop) for stop in stops], math.log(value)
        return float(np.interp(value, stops, np.arange(len(stops))))

    def nearest(self, value: float) -> Value:
        """What the control can show with a kernel that lies nearest to a number, however far off."""
        value = min(max(value, float(self.values[0])), float(self.values[-1]))
        if self.spacing == "irregular":
            return min(self.values, key=lambda stop: abs(float(stop) - value))
        return round(value) if self.spacing == "integer" else value

    def _find(self, value: Any) -> int:
        for i, stop in enumerate(self.values):
            if stop == value or (
                not isinstance(stop, str)
                and not isinstance(value, str)
                and math.isclose(stop, value, rel_tol=1e-9)
            ):
                return i
        raise ValueError(
            f"{self.name or 'start'} = {value!r} is not among the values: choose one of {list(self.values)}"
        )


def make_controls(keywords: Mapping[str, Control | Sequence[Value]]) -> list[Control]:
    """The controls of one widget: at most three ranges and one select."""
    controls = []
    for name, given in keywords.items():
        if isinstance(given, Control):
            label = "" if given.label == "values" else given.label
            controls.append(Control(given.values, label, given.start, given.format, name=name))
        else:
            controls.append(Control(given, name=name))
    ranges = sum(control.is_range for control in controls)
    if not controls or ranges > 3 or len(controls) - ranges > 1:
        raise ValueError(
            f"controls = {list(keywords)}: a widget has at least one control and at most three ranges and one "
            "select, so that every setting can be drawn for the static book; fix the others inside `draw`"
        )
    return controls


def _as_stops(name: str, given: Any) -> list[Value]:
    """Plain Python numbers or strings, checked."""
    if isinstance(given, str) or not hasattr(given, "__iter__"):
        raise TypeError(f"{name} = {given!r}: give a sequence of numbers or of strings, or a Control")
    values = list(given)
    if len(values) < 2:
        raise ValueError(
            f"{name} = {values}: a control needs at least two values; fix a single one in `draw`"
        )
    if all(isinstance(value, str) for value in values):
        if len(set(values)) < len(values):
            raise ValueError(f"{name} = {values}: name each choice once")
        return values
    array = np.asarray(values) if not any(isinstance(value, str) for value in values) else np.empty(0, "U1")
    if array.dtype.kind not in "iuf" or array.ndim != 1:
        raise TypeError(f"{name} = {values}: give numbers only, or strings only such as ('off', 'on')")
    if not np.all(np.isfinite(array)):
        raise ValueError(f"{name} = {values}: every value must be finite")
    if not np.all(np.diff(array) > 0):
        raise ValueError(f"{name} = {values}: give the values in increasing order, each once")
    return array.tolist()
