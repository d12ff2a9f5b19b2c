"""Answers that outlive a session: to a small file and back."""

from __future__ import annotations

import inspect
import json
import linecache
import os
from pathlib import Path
from typing import Any

import numpy as np

from labnoise.teaching import Verdict, _record, check, find_exercise, source

FORMAT = "labnoise answers 1"


def save_answers(path: str | Path) -> list[str]:
    """Write the answers that this session has checked to a file, and return their exercises.

    Answers already in the file stay there unless this session has a later one. The file is small JSON: the
    text of each function, or the value, with its last verdict.

    Parameters
    ----------
    path : path of the file

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
    >>> file = Path(tempfile.mkdtemp(), "answers.json")
    >>> check("example.3", 0.01)
    ✓ Correct.
    >>> "example.3" in save_answers(file)
    True
    >>> load_answers(file)["example.3"]
    ✓ Correct.
    """
    path = Path(path)
    saved = _read(path) if path.exists() else {}
    for exercise_id, (answer, verdict) in _record.answers.items():
        kind, text = ("function", source(answer)) if callable(answer) else ("value", _plain(answer))
        saved[exercise_id] = {"kind": kind, "answer": text, "status": verdict.status}
    unfinished = path.with_name(path.name + ".unfinished")
    unfinished.write_text(json.dumps({"format": FORMAT, "answers": saved}, indent=1, ensure_ascii=False))
    os.replace(unfinished, path)
    return list(saved)


def load_answers(path: str | Path, namespace: dict[str, Any] | None = None) -> dict[str, Verdict]:
    """Bring the answers of an earlier session back and check them again.

    Functions are defined anew, so that the notebook can use them. This runs the code in the file: load only
    your own.

    Parameters
    ----------
    path : path of a file that `save_answers` wrote
    namespace : dict, optional
        Where functions are defined; by default where the call stands.

    Returns
    -------
    dict from exercise to Verdict

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file holds something else, or an exercise that is not imported.
    """
    if namespace is None:
        frame = inspect.currentframe()
        namespace = frame.f_back.f_globals if frame and frame.f_back else {}
    saved = _read(Path(path))
    for exercise_id in saved:
        find_exercise(exercise_id)
    return {exercise_id: _restore(exercise_id, entry, namespace) for exercise_id, entry in saved.items()}


def _restore(exercise_id: str, entry: dict[str, Any], namespace: dict[str, Any]) -> Verdict:
    answer = entry["answer"]
    if entry["kind"] == "function":
        before = dict(namespace)
        name = f"<answer to {exercise_id}>"
        # Python then finds the text again, for the next save.
        linecache.cache[name] = (len(answer), None, answer.splitlines(keepends=True), name)
        try:
            exec(compile(answer, name, "exec"), namespace)
        except Exception as error:  # whatever the reader had typed
            return Verdict(
                "not yet", f"The saved function could not be read: {type(error).__name__}: {error}"
            )
        new = [value for key, value in namespace.items() if before.get(key) is not value and callable(value)]
        if not new:  # it was a lambda inside another line, and the line gave it no name
            return Verdict("not yet", "The saved function has no name: define it with def, then save again.")
        answer = new[-1]
    return check(exercise_id, answer)


def _read(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text())
        if content["format"] != FORMAT:
            raise KeyError("format")
        return content["answers"]
    except (json.JSONDecodeError, UnicodeDecodeError, KeyError, TypeError):
        raise ValueError(f"path = {str(path)!r} holds no saved answers: choose another file") from None


def _plain(value: Any) -> Any:
    """Numbers and arrays as JSON has them."""
    if isinstance(value, str | bool):
        return value
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    return np.asarray(value).tolist()
