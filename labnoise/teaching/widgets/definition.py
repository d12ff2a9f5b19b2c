"""What one widget is, whichever front shows it: checked, and with its picture drawn once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from matplotlib.figure import Figure

from labnoise.teaching.widgets.controls import Control
from labnoise.teaching.widgets.picture import Picture


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
    picture : Picture
        At the controls' starts.
    """

    def __init__(
        self,
        draw: Callable[..., str],
        stage: Callable[[Figure], Any] | None,
        drag: Sequence[str | None] | None,
        play: str | None,
        controls: list[Control],
        dpi: float,
    ) -> None:
        self.draw = draw
        self.stage = stage
        self.controls = controls
        self.drag = _check_drag(drag, controls)
        self.play = _check_range("play", play, controls)
        self.picture = Picture(draw, stage, {control.name: control.start for control in controls}, dpi)
        if any(self.drag):
            self.picture.pad()  # says now, not at the first move, that there is nothing to drag in


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
