"""`check`: the verdict on an answer, with hints that come one by one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from labnoise.teaching import _record
from labnoise.teaching._exercise import find_exercise
from labnoise.teaching._keep import keep, source
from labnoise.teaching._limits import SECONDS, time_limit
from labnoise.teaching._verdict import Verdict


def check(exercise_id: str, answer: Any) -> Verdict:
    """Mark an answer, a function or a value, on fresh random inputs.

    The verdict is "correct", "almost" (with the usual mistake that it recognised), "not yet" (with what is
    wrong and the next hint; another hint comes with another attempt) or "not answered yet". A wrong answer
    never raises, and the solution is never shown. What raises, has another shape or does not return within
    20 s is told its line and costs no hint.

    In a notebook every answer is kept at once, with the whole cell in which it stands, in `answers.jsonl` beside
    the notebook (or where LABNOISE_ANSWERS says): `load_answers()` brings them back.

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
    if _record.caught is not None:
        _record.caught[exercise_id] = answer
        return Verdict("not answered yet", "The cell is run again, and marked when it has ended.")
    asked = find_exercise(exercise_id)
    with time_limit(SECONDS):
        verdict = asked.mark(answer)
    if verdict.status == "not yet" and asked.hints and not verdict.slip:
        tried = _record.attempts.setdefault(exercise_id, [])
        if (text := source(answer)) not in tried:
            tried.append(text)
        number = min(tried.index(text) + 1, len(asked.hints))
        hint = f"Hint {number} of {len(asked.hints)}: {asked.hints[number - 1]}"
        verdict = Verdict("not yet", f"{verdict.message} {hint}")
    if verdict.status != "not answered yet":
        remark = keep(exercise_id, answer, verdict)
        verdict = replace(verdict, message=f"{verdict.message} {remark}".strip())
    return verdict
