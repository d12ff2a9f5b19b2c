"""What one widget is, whichever front shows it: checked, and with its picture drawn once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from matplotlib.figure import Figure

from labnoise.teaching.widgets.controls import Control, Value
from labnoise.teaching.widgets.picture import Picture

THROW = "throw"  # the argument of `draw` that counts the throws of the dice


class Definition:
    """The arguments of `explore`, checked.

    Attributes
    ----------
    draw, stage : functions
    controls : list of Control
        In the order of the keywords.
    drag : pair of names or None
        The ranges that the pointer moves across and up.
    play : name or None
        The range that the button runs.
    dice : int
        How many throws the static book has; 0 where `draw` throws none.
    picture : Picture
        At the controls' starts.
    """

    def __init__(
        self,
        draw: Callable[..., str],
        stage: Callable[[Figure], Any] | None,
        drag: Sequence[str | None] | None,
        play: str | None,
        dice: int | None,
        controls: list[Control],
    ) -> None:
        self.draw = draw
        self.stage = stage
        self.controls = controls
        self.drag = _check_drag(drag, controls)
        self.play = _check_range("play", play, controls)
        self.dice = _check_dice(dice, controls)
        self.picture = Picture(draw, stage, self.start)
        if any(self.drag):
            self.picture.pad()  # says now, not at the first move, that there is nothing to drag in

    @property
    def start(self) -> dict[str, Value]:
        """The setting that is shown first: a value for each argument of `draw`."""
        values = {control.name: control.start for control in self.controls}
        return {**values, THROW: 0} if self.dice else values

    @property
    def ranges(self) -> list[Control]:
        return [control for control in self.controls if control.is_range]

    @property
    def choice(self) -> Control | None:
        return next((control for control in self.controls if not control.is_range), None)


def _check_dice(dice: int | None, controls: list[Control]) -> int:
    if dice is None:
        return 0
    if isinstance(dice, bool) or not isinstance(dice, int) or dice < 2:
        raise ValueError(f"dice = {dice!r}: give the number of throws that the static book shows, at least 2")
    if any(control.name == THROW for control in controls):
        raise ValueError("throw is what `dice` gives to `draw`: name the control otherwise")
    return dice


def _check_drag(drag: Sequence[str | None] | None, controls: list[Control]) -> tuple[str | None, str | None]:
    if drag is None:
        return (None, None)
    if isinstance(drag, str) or len(drag) != 2 or drag[0] == drag[1]:
        raise ValueError(f"drag = {drag!r}: name two different ranges, (across, up); None leaves one alone")
    return (_check_range("drag", drag[0], controls), _check_range("drag", drag[1], controls))


def _check_range(argument: str, name: str | None, controls: list[Control]) -> str | None:
    ranges = [control.name for control in controls if control.is_range]
    if name is not None and name not in ranges:
        raise ValueError(f"{argument} = {name!r}: name a range of numbers, one of {ranges}")
    return name
