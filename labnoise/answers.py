"""Answers that outlive a session: to a small file and back."""

from __future__ import annotations

import inspect
import json
import linecache
import os
from pathlib import Path
from typing import Any

import numpy as np

from labnoise.check import Verdict, _answers, check, find_exercise, source

FORMAT = "labnoise answers 1"


def save_answers(path: str | Path) -> list[str]:
    """Write the answers that this session has checked to `path`, and return their exercises.

    Answers already in the file stay there unless this session has a later one. Raises `ValueError` if
    `path` holds something else.
    """
    path = Path(path)
    saved = _read(path) if path.exists() else {}
    for exercise_id, (answer, verdict) in _answers.items():
        kind, text = ("function", source(answer)) if callable(answer) else ("value", _plain(answer))
        saved[exercise_id] = {"kind": kind, "answer": text, "status": verdict.status}
    unfinished = path.with_name(path.name + ".unfinished")
    unfinished.write_text(json.dumps({"format": FORMAT, "answers": saved}, indent=1, ensure_ascii=False))
    os.replace(unfinished, path)
    return list(saved)


def load_answers(path: str | Path, namespace: dict[str, Any] | None = None) -> dict[str, Verdict]:
    """Bring the answers of an earlier session back and check them again.

    Functions are defined anew in `namespace`, by default where the call stands, so that the notebook can
    use them. This runs the code in the file: load only your own.

    Raises `FileNotFoundError`, or `ValueError` if the file holds something else or an exercise that is not
    imported.
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
