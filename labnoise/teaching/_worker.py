"""Runs one student's answers, in a process of its own that knows no solution and gives no verdict.

    python -I -m labnoise.teaching._worker SECONDS BYTES

It reads lines of JSON and answers each with one: `{"exercise", "text"}` runs a cell, `{"call": arguments}` applies the
function that the cell gave to `check`. What an answer prints goes nowhere.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from importlib.abc import MetaPathFinder
from typing import Any

import numpy as np

from labnoise.teaching import _cells
from labnoise.teaching._lines import quote


def encode(value: Any) -> Any:
    """A value as JSON: arrays with their type, the rest as it is, or the name of a type that `check` refuses."""
    if value is None or value is ...:
        return {"none": True}
    if isinstance(value, str | bool):
        return value
    if type(value) in (int, float):
        return value
    if isinstance(value, tuple | list):
        return [encode(item) for item in value]
    try:
        array = np.asarray(value)
        if array.dtype == object:  # a Fraction, a Decimal
            array = array.astype(float)
        if array.dtype.kind not in "biufc":
            raise TypeError
    except (TypeError, ValueError):
        return {"other": type(value).__name__}
    parts = [array.real.tolist(), array.imag.tolist()] if array.dtype.kind == "c" else [array.tolist()]
    return {"array": parts, "type": array.dtype.name}


def decode(value: Any) -> Any:
    """What `encode` was given."""
    if isinstance(value, list):
        return [decode(item) for item in value]
    if not isinstance(value, dict):
        return value
    if "array" in value:
        kind = np.dtype(value["type"])
        parts = [np.asarray(part) for part in value["array"]]
        return (parts[0] if len(parts) == 1 else parts[0] + 1j * parts[1]).astype(kind)
    return None if "none" in value else type(str(value["other"])[:60], (), {})()


class NoSolutions(MetaPathFinder):
    """The book's exercises cannot be imported: an answer that calls the solution is none."""

    def find_spec(self, name: str, path: Any, target: Any = None) -> None:
        if name.partition(".")[0] == "afterzero":
            raise ImportError("the book's own modules are not there when answers are marked")


def limit(seconds: int, memory: int) -> None:
    try:
        import resource
    except ImportError:  # Windows has no such limits; the marking process ends this one by the clock
        return
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def complaint(error: BaseException) -> dict[str, str]:
    """An error's name, what it says, and the last line of the answer that it went through."""
    frames = [(frame.f_code.co_filename, line) for frame, line in traceback.walk_tb(error.__traceback__)]
    places = [(file, line) for file, line in frames if file.startswith("<answer to ")]
    line = quote(*places[-1]) if places else ""
    return {"error": type(error).__name__, "says": str(error)[:300], "line": line}


def main() -> None:
    out = os.fdopen(os.dup(1), "w", encoding="utf8")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    sys.stdout = sys.stderr = open(os.devnull, "w", encoding="utf8")  # noqa: SIM115
    sys.meta_path.insert(0, NoSolutions())
    limit(int(sys.argv[1]), int(sys.argv[2]))
    answer: Any = None
    out.write("ready\n")
    out.flush()
    for line in sys.stdin:
        asked = json.loads(line)
        try:
            if "call" in asked:
                said = {"value": encode(answer(*decode(asked["call"])))}
            else:
                answer = _cells.run(asked["exercise"], asked["text"], {"__name__": "__main__"})
                said = {"function": True} if callable(answer) else {"value": encode(answer)}
        except BaseException as error:  # sys.exit, too
            said = complaint(error)
        out.write(json.dumps(said) + "\n")
        out.flush()


if __name__ == "__main__":
    main()
