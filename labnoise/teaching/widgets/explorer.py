"""`explore`: defines one widget and chooses its front."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from labnoise.teaching.widgets.controls import Control, Value, make_controls
from labnoise.teaching.widgets.definition import Definition
from labnoise.teaching.widgets.live import Live
from labnoise.teaching.widgets.static import publish


class Explorer:
    """A picture with controls, made by `explore`; the last expression of a cell shows it.

    Where the environment names a folder in `LABNOISE_FRAMES`, as the book's build does, it shows itself as
    HTML over pictures recorded into that folder, elsewhere as Jupyter widgets.

    Attributes
    ----------
    controls : list of Control
        In the order of the keywords.
    """

    def __init__(self, definition: Definition, frames: str | None) -> None:
        self.definition = definition
        self.controls = definition.controls
        self._frames = frames
        self._live: Live | None = None

    @property
    def live(self) -> Live:
        """The Jupyter widget."""
        if self._live is None:
            self._live = Live(self.definition)
        return self._live

    def show(self, **values: Value) -> str:
        """Move the live controls, given by name, to exact values, or `throw` to a number, and return the sentence.

        Raises
        ------
        ValueError
            For a name that is no control, or a value that its control cannot show.
        """
        return self.live.show(**values)

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        if self._frames:
            html, sentence = publish(self.definition, Path(self._frames))
            return {"text/html": html, "text/plain": sentence}
        return self.live.canvas._repr_mimebundle_(**kwargs)


def explore(
    draw: Callable[..., str],
    stage: Callable[[Figure], Any] | None = None,
    drag: Sequence[str | None] | None = None,
    play: str | None = None,
    dice: int | None = None,
    **controls: Control | Sequence[Value],
) -> Explorer:
    """A picture that moves with its controls, with a kernel and in the static book alike.

    Parameters
    ----------
    draw : function (artists, one value per control by name) -> sentence
        Moves the artists and returns the sentence that says what is seen: the same picture whenever the values are
        the same. Without a stage it is given the figure in place of the artists and draws everything.
    stage : function (figure) -> artists, optional
        Draws what stays, once, and returns the artists that move: one artist, a sequence, a dict or a
        namespace.
    drag : pair of names, optional
        The pointer moves these two ranges along the first axes; None leaves a direction alone.
    play : name, optional
        A button runs this range, in six seconds from end to end.
    dice : int, optional
        `draw` is also given `throw`, a whole number from which it makes its random key, and a button throws again. The
        static book has the throws 0 to dice − 1 and runs through them; with a kernel every press is a new one.
    controls : keywords
        Each an increasing sequence of numbers, a sequence of strings, or a `Control`; at most three ranges and
        one select. Every control stays reachable by keyboard.

    Returns
    -------
    Explorer

    Raises
    ------
    ValueError, TypeError
        Before anything is shown: for a control that is empty, not finite or out of order, a start off the
        grid, a `drag` or `play` that names no range, and a `draw` that takes other arguments, returns no
        sentence or changes what the stage did not return. In the static book also for a `draw` that is not the same
        at the same values, and for pictures that take more than 400 kB a choice and throw or 2 MB in all.

    Notes
    -----
    In the static book a range moves continuously if its pictures do: where every artist keeps its number of points,
    the page moves each point on a straight line between computed settings, which are chosen so that it is within a
    pixel of where `draw` puts it. Otherwise the range stops at its values, and the page says so. The sentence is
    always that of a computed setting, which is named where it is not the one shown.

    The static book offers the setting that it shows as code to copy if `draw` and `stage` have names of their own,
    in a cell or in a module, which the code then imports. A lambda, a `functools.partial` and a function made inside
    another one have none: write `def` at the top of the cell.

    Examples
    --------
    >>> from labnoise import explore
    >>> def stage(figure):
    ...     axes = figure.subplots()
    ...     axes.set(xlim=(0, 4), ylim=(0, 1), xlabel="t", ylabel="q")
    ...     return axes.plot([], [], "o")[0]
    >>> def draw(dot, t, delta):
    ...     q = 2.718281828 ** (-4 * delta**2 * t)
    ...     dot.set_data([t], [q])
    ...     return f"At t = {t:g} the unbalance is {q:.2f} of what it was."
    >>> widget = explore(draw, stage=stage, play="t", t=[0, 1, 2, 3, 4], delta=[0.25, 0.5])
    >>> widget.show(t=1, delta=0.5)
    'At t = 1 the unbalance is 0.37 of what it was.'
    """
    frames = os.environ.get("LABNOISE_FRAMES")
    return Explorer(Definition(draw, stage, drag, play, dice, make_controls(controls)), frames)
