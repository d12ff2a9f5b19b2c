"""Where a widget's pictures are computed, so that the page can move between them.

Between nodes every number of a picture is interpolated by the cubic through the four nodes around. A range is
continuous if this is right to within a pixel. Where it is not the grid gets a node more; a range that cannot be met is
stepped, and it is said why.
"""

from __future__ import annotations

import bisect
import itertools
import json
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np

from labnoise.teaching.widgets.controls import Control
from labnoise.teaching.widgets.packing import FINENESS, Frame

Places = tuple[float, ...]  # of the ranges, on their sliders
Combination = tuple[int, int]  # the numbers of the choice and of the throw

ALLOWED = 0.7 * FINENESS  # in each coordinate: a vertex is then within a pixel of where it belongs
_PROBES = 5  # of an interval, at random places of the other controls
_CHECKS = 200  # random settings, none of which may be off at the end
_MENDS = 8  # in a round, before what they changed is tried again
_ROUNDS = 40
_NODES = 96  # of a range, at most
_NARROW = 1 / 32  # of the way between stops: what still changes there jumps
_PICTURES = 4000  # that may be computed for the search
_BEYOND = 50 * FINENESS  # vertices farther outside the picture are not seen


@dataclass
class Grid:
    """The nodes of every range.

    Attributes
    ----------
    nodes : list of lists
        Places on the slider, where the stops are 0, 1, 2 …; all stops are among them.
    why_stepped : list
        For each range None if it is continuous, else the reason.
    off : float
        The largest error met at the last random settings, in pixels.
    """

    nodes: list[list[float]]
    why_stepped: list[str | None]
    off: float = 0.0

    def places(self) -> Iterator[Places]:
        """All nodes, the last range fastest."""
        return itertools.product(*self.nodes)

    def around(self, places: Places) -> list[tuple[Places, float]]:
        """The nodes whose pictures are mixed at some places, and their weights."""
        sides = [stencil(nodes, place) for nodes, place in zip(self.nodes, places, strict=True)]
        return [
            (tuple(node for node, _ in corner), float(np.prod([weight for _, weight in corner])))
            for corner in itertools.product(*sides)
        ]


def stencil(nodes: list[float], place: float) -> list[tuple[float, float]]:
    """The four nodes around a place, or as many as there are, with the weights of the polynomial through them."""
    if place in nodes:
        return [(place, 1.0)]
    first = min(max(bisect.bisect(nodes, place) - 2, 0), max(len(nodes) - 4, 0))
    near = nodes[first : first + 4]
    return [
        (node, math.prod((place - other) / (node - other) for other in near if other != node))
        for node in near
    ]


def mixed(around: list[tuple[Frame, float]]) -> np.ndarray:
    """The numbers of a picture between computed ones."""
    return np.sum([weight * frame.numbers for frame, weight in around], axis=0)


@dataclass
class _Search:
    frame: Callable[[Places, Combination], Frame]
    ranges: list[Control]
    combinations: list[Combination]
    size: tuple[float, float]
    grid: Grid = field(init=False)
    drawn: int = 0  # pictures, one at several nodes counted as often
    random: np.random.Generator = field(default_factory=lambda: np.random.default_rng(0))

    def run(self) -> Grid:
        self.grid = Grid(
            [[float(i) for i in range(len(control.values))] for control in self.ranges],
            [None if control.is_continuous else "it runs through single values" for control in self.ranges],
        )
        for i in range(len(self.ranges)):
            self._refine(i)
        for _ in range(_ROUNDS):
            if not self._repair():
                break
        else:
            for i in self._continuous():
                self._step(i, "its pictures change too fast with the other controls")
        return self.grid

    def _continuous(self) -> list[int]:
        return [i for i, why in enumerate(self.grid.why_stepped) if why is None]

    def _step(self, i: int, why: str) -> None:
        self.grid.nodes[i] = [float(stop) for stop in range(len(self.ranges[i].values))]
        self.grid.why_stepped[i] = why

    def _refine(self, i: int) -> None:
        """Halve each interval of a range until its middle is where it is put."""
        allowed = ALLOWED / math.sqrt(max(len(self._continuous()), 1))
        waiting = list(itertools.pairwise(self.grid.nodes[i]))
        while waiting and self.grid.why_stepped[i] is None:
            low, high = waiting.pop()
            for _ in range(_PROBES):
                places, combination = self._random(on_nodes=True)
                if self._error_along(i, places, low, high, combination) > allowed:
                    middle = self._split(i, low, high)
                    waiting += [(low, middle), (middle, high)]
                    break
                if self.grid.why_stepped[i] is not None:
                    break

    def _split(self, i: int, low: float, high: float) -> float:
        middle = self._settled(i, (low + high) / 2)
        if not low < middle < high or high - low < _NARROW or len(self.grid.nodes[i]) >= _NODES:
            self._step(i, f"its pictures change too fast near {self._says(i, low)}")
        elif self.drawn > _PICTURES:
            self._step(i, f"{_PICTURES} pictures were not enough to follow it")
        else:
            self.grid.nodes[i] = sorted([*self.grid.nodes[i], middle])
        return middle

    def _error_along(self, i: int, places: Places, low: float, high: float, which: Combination) -> float:
        """How far the middle of an interval is from where it is put, the other ranges staying where they are."""
        middle = self._settled(i, (low + high) / 2)
        if not low < middle < high:
            return 0.0

        def at(place: float) -> Frame:
            return self.frame((*places[:i], place, *places[i + 1 :]), which)

        truth, around = at(middle), []
        for node, weight in stencil(self.grid.nodes[i], middle):
            shown = at(node)
            if shown.shapes != truth.shapes:
                self._step(
                    i, f"{difference(shown, truth)} ({self._says(i, node)} and {self._says(i, middle)})"
                )
                return 0.0
            around.append((shown, weight))
        self.drawn += 1 + len(around)
        return self._far(mixed(around), truth.numbers)

    def _repair(self) -> bool:
        """Try random settings; where one is off, halve the interval that is to blame. Whether there was one."""
        self.grid.off, mends = 0.0, 0
        if not self._continuous():
            return False
        for _ in range(_CHECKS):
            if mends == _MENDS:
                break
            places, combination = self._random(on_nodes=False)
            around = [
                (self.frame(corner, combination), weight) for corner, weight in self.grid.around(places)
            ]
            truth = self.frame(places, combination)
            if any(frame.shapes != truth.shapes for frame, _ in around):
                self._step_what_changes_shape(places, combination)
                mends += 1
                continue
            error = self._far(mixed(around), truth.numbers)
            self.grid.off = max(self.grid.off, error / FINENESS)
            if error > ALLOWED:
                mends += 1
                self._halve_the_worst(places, combination)
        return mends > 0

    def _interval(self, i: int, place: float) -> tuple[float, float]:
        nodes = self.grid.nodes[i]
        above = min(max(int(np.searchsorted(nodes, place, side="right")), 1), len(nodes) - 1)
        return nodes[above - 1], nodes[above]

    def _halve_the_worst(self, places: Places, combination: Combination) -> None:
        errors = {
            i: self._error_along(i, places, *self._interval(i, places[i]), combination)
            for i in self._continuous()
        }
        worst = max(errors, key=lambda i: errors[i])
        if self.grid.why_stepped[worst] is None:
            self._split(worst, *self._interval(worst, places[worst]))

    def _step_what_changes_shape(self, places: Places, combination: Combination) -> None:
        before = self._continuous()
        for i in before:
            self._error_along(i, places, *self._interval(i, places[i]), combination)
        if self._continuous() == before:  # no range alone changes the shapes, all together do
            for i in before:
                self._step(i, "what is drawn changes with the other controls")

    def _random(self, on_nodes: bool) -> tuple[Places, Combination]:
        places = []
        for i, nodes in enumerate(self.grid.nodes):
            if on_nodes or self.grid.why_stepped[i] is not None:
                places.append(float(self.random.choice(nodes)))
            else:
                places.append(self._settled(i, self.random.uniform(0, nodes[-1])))
        return tuple(places), self.combinations[self.random.integers(len(self.combinations))]

    def _settled(self, i: int, place: float) -> float:
        """The nearest place that the control can show: of whole numbers not every one."""
        return self.ranges[i].place(self.ranges[i].at(place))

    def _far(self, mixed: np.ndarray, truth: np.ndarray) -> float:
        limit = FINENESS * max(self.size) + _BEYOND
        low, high = -_BEYOND, limit
        return float(np.max(np.abs(np.clip(mixed, low, high) - np.clip(truth, low, high)), initial=0.0))

    def _says(self, i: int, place: float) -> str:
        control = self.ranges[i]
        return f"{control.name} = {control.say(control.at(place))}"


def difference(one: Frame, other: Frame) -> str:
    """Why two pictures of different shapes cannot be mixed, in words."""
    shapes = [json.loads(shown.shapes) for shown in (one, other)]
    for name in dict.fromkeys([*one.names, *other.names]):
        counts = [shown.names.count(name) for shown in (one, other)]
        if counts[0] != counts[1]:
            return f"{name} is drawn by {counts[0]} strokes at the one and by {counts[1]} at the other"
    name, a, b = next((name, a, b) for name, a, b in zip(one.names, *shapes, strict=True) if a != b)
    changed = {key for key in {*a, *b} if a.get(key) != b.get(key)}
    if "codes" in changed:
        counts = [sum(shape.get("codes", [])[1::2]) for shape in (a, b)]
        return f"{name} has {counts[0]} points at the one and {counts[1]} at the other"
    if "count" in changed:
        return f"{name} has {a['count']} marks at the one and {b['count']} at the other"
    if "image" in changed:
        return f"{name} is an image, and another one at the other"
    return f"{name} changes its {', '.join(sorted(changed))}"


def refine(
    frame: Callable[[Places, Combination], Frame],
    ranges: list[Control],
    combinations: list[Combination],
    size: tuple[float, float],
) -> Grid:
    """The grid of a widget.

    Parameters
    ----------
    frame : function (places of the ranges, (choice, throw)) -> Frame
        Best with a memory: nodes are asked for again.
    ranges : list of Control
    combinations : list
        The pairs (choice, throw) that there are.
    size : pair
        Of the picture, in pixels.
    """
    return _Search(frame, ranges, combinations, size).run()
