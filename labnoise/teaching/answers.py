"""Answers that outlive a session: from the file in which they are kept, and to another."""

from __future__ import annotations

import inspect
from contextlib import suppress
from pathlib import Path
from typing import Any

from labnoise.teaching import Verdict, _cells, _journal, _record, find_exercise
from labnoise.teaching._exercise import Withdrawn
from labnoise.teaching._limits import SECONDS, TooSlow, time_limit


def save_answers(path: str | Path | None = None) -> list[str]:
    """Write the answers that this session has checked or loaded to a file, and return the exercises in it.

    In a notebook answers are kept as they are checked, and this is needed only for a copy elsewhere, or outside
    of notebooks. Answers that are in the file already stay there; of two to one exercise the last that was
    correct counts, or else the last. The file holds a line of JSON for each: the text of the cell, or of the
    function, the value where it is one, the verdict, and when it was given (UTC).

    Parameters
    ----------
    path : path of the file, optional
        By default the one in which notebooks keep answers: LABNOISE_ANSWERS, or answers.jsonl.

    Returns
    -------
    list of the exercises in the file

    Raises
    ------
    ValueError
        If `path` holds something else; it is then left as it is.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from labnoise.teaching.answers import load_answers, save_answers
    >>> from labnoise.teaching import check, exercise
    >>> @exercise("example.3", mistakes={"That is η.": 0.1}, hints=("Square it.",))
    ... def slow_time_of_a_step():
    ...     \"\"\"By how much does one step advance t = η²·steps at η = 0.1?\"\"\"
    ...     return 0.01
    >>> file = Path(tempfile.mkdtemp(), "answers.jsonl")
    >>> check("example.3", 0.01)
    ✓ Correct.
    >>> "example.3" in save_answers(file)
    True
    >>> load_answers(file)["example.3"]
    ✓ Correct.
    """
    path = _journal.place() if path is None else Path(path)
    before = _journal.read(path) if path.exists() else {}
    _journal.append(
        path, [entry for entry in _record.answers.values() if before.get(entry.exercise) != entry]
    )
    return list(_journal.read(path)) if path.stat().st_size else []


def load_answers(
    path: str | Path | None = None, namespace: dict[str, Any] | None = None
) -> dict[str, Verdict]:
    """Bring the answers of earlier sessions back, those of all chapters, and check them again.

    The cells are run once more, so that the notebook can use what they define. This runs the code in the file:
    load only your own.

    Parameters
    ----------
    path : path of a file with answers, optional
        By default the one in which notebooks keep them: LABNOISE_ANSWERS, or answers.jsonl.
    namespace : dict, optional
        Where the cells are run; by default where the call stands.

    Returns
    -------
    dict from exercise to Verdict

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file holds something else, or an exercise that nobody knows. An exercise that was withdrawn is
        left out.
    """
    if namespace is None:
        frame = inspect.currentframe()
        namespace = frame.f_back.f_globals if frame and frame.f_back else {}
    saved = _journal.read(_journal.place() if path is None else Path(path))
    _record.answers.update(saved)
    known = {}
    for exercise_id, entry in saved.items():
        with suppress(Withdrawn):
            find_exercise(exercise_id)
            known[exercise_id] = entry
    return {exercise_id: _restore(entry, namespace) for exercise_id, entry in known.items()}


def _restore(entry: _journal.Entry, namespace: dict[str, Any]) -> Verdict:
    asked = find_exercise(entry.exercise)
    if entry.is_value:
        return asked.mark(_journal.unplain(entry.value))
    try:
        with time_limit(SECONDS):
            cell = _cells.as_cell(entry.exercise, entry.text)
            return asked.mark(_cells.run(entry.exercise, cell, namespace))
    except (Exception, SystemExit, TooSlow) as error:  # whatever the reader had typed
        said = f"The kept cell could not be run: {type(error).__name__}: {error}"
        return Verdict("not yet", said, slip=True)
