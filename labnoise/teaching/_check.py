"""`check`: the verdict on an answer, with hints that come one by one."""

from __future__ import annotations

import inspect
from typing import Any

from labnoise.teaching import _record
from labnoise.teaching._exercise import RAISED, find_exercise
from labnoise.teaching._verdict import Verdict


def check(exercise_id: str, answer: Any) -> Verdict:
    """Mark an answer, a function or a value, on fresh random inputs.

    The verdict is "correct", "almost" (with the usual mistake that it recognised), "not yet" (with what is
    wrong and the next hint; another hint comes with another attempt) or "not answered yet". A wrong answer
    never raises, and the solution is never shown.

    Parameters
    ----------
    exercise_id : str
        Chapter and number, such as "5.3".
    answer : function, number or array
        What the exercise asks for; `...` and None count as not answered.

    Returns
    -------
    Verdict

    Raises
    ------
    ValueError
        If there is no such exercise. Importing a chapter's exercises registers them.

    Examples
    --------
    >>> from labnoise import check
    >>> from labnoise.teaching import exercise
    >>> @exercise("example.2", mistakes={"That is 1/η.": 10.0}, hints=("Count in η².",))
    ... def steps_per_unit_of_time():
    ...     \"\"\"How many steps make one unit of t = η²·steps at η = 0.1?\"\"\"
    ...     return 100.0
    >>> check("example.2", ...)
    … Not answered yet. Replace the ... and run the cell again.
    >>> check("example.2", 10)
    ≈ Almost. That is 1/η.
    >>> check("example.2", 42)
    ✗ Not yet. The values are not right. Hint 1 of 1: Count in η².
    >>> check("example.2", 100)
    ✓ Correct.
    """
    asked = find_exercise(exercise_id)
    verdict = asked.mark(answer)
    if verdict.status == "not yet" and asked.hints and not verdict.message.startswith(RAISED):
        tried = _record.attempts.setdefault(exercise_id, [])
        if (text := source(answer)) not in tried:
            tried.append(text)
        number = min(tried.index(text) + 1, len(asked.hints))
        hint = f"Hint {number} of {len(asked.hints)}: {asked.hints[number - 1]}"
        verdict = Verdict("not yet", f"{verdict.message} {hint}")
    if verdict.status != "not answered yet":
        _record.answers[exercise_id] = (answer, verdict)
    return verdict


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
