"""What is said of an answer."""

from __future__ import annotations

import html
from dataclasses import dataclass
from typing import Literal

Status = Literal["correct", "almost", "not yet", "not answered yet"]
_LOOK = {  # the mark, and the colour beside the words
    "correct": ("✓", "#009e73"),
    "almost": ("≈", "#e69f00"),
    "not yet": ("✗", "#d55e00"),
    "not answered yet": ("…", "#808080"),
}


@dataclass(frozen=True)
class Verdict:
    """What `check` says of an answer; a cell shows it with its mark and colour.

    Attributes
    ----------
    status : "correct", "almost", "not yet" or "not answered yet"
    message : str
        What is said to the reader: the usual mistake, what is wrong with the next hint, or what follows.
    slip : bool
        Whether what is wrong has nothing to do with the matter, such as an error or a shape: no hint helps.

    Examples
    --------
    >>> from labnoise.teaching import Verdict
    >>> Verdict("almost", "The noise enters squared.")
    ≈ Almost. The noise enters squared.
    """

    status: Status
    message: str = ""
    slip: bool = False

    def __repr__(self) -> str:
        return f"{_LOOK[self.status][0]} {self.status.capitalize()}. {self.message}".strip()

    def _repr_html_(self) -> str:
        mark, colour = _LOOK[self.status]
        return (
            '<div class="verdict" role="status" '
            f'style="border-left: .3rem solid {colour}; padding: .2rem .8rem"><strong>'
            f"{mark} {self.status.capitalize()}.</strong> {html.escape(self.message)}</div>"
        )
