"""Keep an answer at once: an hour of work must not hang on a tab that stays open."""

from __future__ import annotations

import inspect
from typing import Any

from labnoise.teaching import _cells, _journal, _record
from labnoise.teaching._exercise import find_exercise
from labnoise.teaching._limits import SECONDS, TooSlow, time_limit
from labnoise.teaching._verdict import Verdict


def keep(exercise_id: str, answer: Any, verdict: Verdict) -> str:
    """Remember an answer, in a notebook also in the file, and return what its reader should know of that."""
    cell = _cells.own_text(exercise_id)
    text = cell if cell is not None else source(answer)
    value = None if callable(answer) else _value(answer)
    entry = _journal.Entry(exercise_id, text, not callable(answer), value, verdict.status, _journal.now())
    earlier = _record.answers.get(exercise_id)
    if entry.status == "correct" or earlier is None or earlier.status != "correct":
        _record.answers[exercise_id] = entry
    if cell is None:
        return ""
    path = _journal.place()
    try:
        _journal.append(path, [entry])
    except OSError as error:
        return f"(This answer could not be kept in {path}: {error.strerror}. Keep the cell yourself.)"
    return _alone(exercise_id, cell, verdict) if callable(answer) else ""


def _value(answer: Any) -> Any:
    try:
        return _journal.plain(answer)
    except (TypeError, ValueError):  # nothing that could be right
        return repr(answer)


def _alone(exercise_id: str, cell: str, verdict: Verdict) -> str:
    """What is missing when the cell is run without the others, as in a later session or by a teacher."""
    missing = _cells.from_elsewhere(cell)
    if missing:
        names = ", ".join(f"`{name}`" for name in missing)
        return (
            f"(Kept; but your cell takes {names} from another cell, which is not kept with it: "
            "define that in this cell, too.)"
        )
    from IPython.utils.capture import capture_output  # only in a notebook, where it is loaded anyway

    try:
        with capture_output(), time_limit(SECONDS):
            again = find_exercise(exercise_id).mark(_cells.run(exercise_id, cell, {}))
    except (Exception, SystemExit, TooSlow) as error:  # the cell may do anything
        return f"(Kept; but run alone, your cell raises {type(error).__name__}: {error})"
    if again.status != verdict.status:
        return f"(Kept; but run alone, your cell is marked {again.status!r}: it leans on another cell.)"
    return ""


def source(answer: Any) -> str:
    """A function's own text, or a value's: what is saved of an answer.

    Examples
    --------
    >>> from labnoise.teaching import source
    >>> source(0.25)
    '0.25'
    """
    if not callable(answer):
        return repr(answer)
    try:
        return inspect.getsource(answer)
    except (OSError, TypeError):  # typed where no text is kept
        return repr(getattr(answer, "__code__", answer))
