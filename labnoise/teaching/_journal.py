"""The file in which answers are kept: a line of JSON for each answer that was checked, so that no kill costs one."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

FORMAT = "labnoise answers 2"
FIRST = "labnoise answers 1"  # one JSON document, of functions' texts and values


@dataclass(frozen=True)
class Entry:
    """One answer.

    Attributes
    ----------
    exercise : str
    text : str
        The whole cell in which the answer stands.
    is_value : bool
        A number, an array, a text, or a tuple of such, which does not have to be computed again.
    value : what JSON has for it, see `plain`; None for a function
    status : str
        The verdict's, when the answer was kept.
    time : str
        When that was, in UTC.
    """

    exercise: str
    text: str
    is_value: bool
    value: Any
    status: str
    time: str


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def place() -> Path:
    """Where answers are kept: LABNOISE_ANSWERS, or answers.jsonl in the notebook's folder."""
    return Path(os.environ.get("LABNOISE_ANSWERS") or "answers.jsonl").absolute()


def append(path: Path, entries: Iterable[Entry]) -> None:
    """Add lines to the file: one write, so that two notebooks may keep answers in one file."""
    lines = [json.dumps({"format": FORMAT, **asdict(entry)}, ensure_ascii=False) for entry in entries]
    cut_off = path.exists() and not path.read_bytes().endswith(b"\n")  # by a kill, in the middle of a line
    with path.open("ab") as file:
        file.write(("\n" * cut_off + "".join(f"{line}\n" for line in lines)).encode())


def read(path: Path) -> dict[str, Entry]:
    """Per exercise the answer that counts: the last that was correct, or else the last.

    Raises
    ------
    FileNotFoundError
    ValueError
        If the file holds something else.
    """
    foreign = ValueError(f"path = {str(path)!r} holds no saved answers: choose another file")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise foreign from None
    try:
        entries = _first_format(json.loads(text))
    except (json.JSONDecodeError, LookupError, TypeError, AttributeError, RecursionError):
        entries = _lines(text)
    if not entries:
        raise foreign
    found: dict[str, Entry] = {}
    for entry in entries:
        if entry.status == "correct" or found.get(entry.exercise, entry).status != "correct":
            found[entry.exercise] = entry
    return found


def _lines(text: str) -> list[Entry]:
    entries = []
    for line in text.splitlines():
        try:
            fields = json.loads(line)
            if fields.pop("format") == FORMAT:
                entry = Entry(**fields)
                if isinstance(entry.exercise, str) and isinstance(entry.text, str):
                    entries.append(entry)
        except (json.JSONDecodeError, LookupError, TypeError, AttributeError, RecursionError):
            continue  # a line that a kill cut off
    return entries


def _first_format(content: Mapping[str, Any]) -> list[Entry]:
    if content["format"] != FIRST:
        raise LookupError("format")
    return [
        Entry(name, "", True, given["answer"], given["status"], "")
        if given["kind"] == "value"
        else Entry(name, given["answer"], False, None, given["status"], "")
        for name, given in content["answers"].items()
    ]


def plain(value: Any) -> Any:
    """A value as JSON has it: a complex number as {"complex": [real, imaginary]}, an array as nested lists.

    Raises
    ------
    TypeError or ValueError
        If it is nothing that `check` takes for a value.
    """
    if isinstance(value, str | bool):
        return value
    if isinstance(value, tuple | list):
        return [plain(item) for item in value]
    array = np.asarray(value)
    if np.iscomplexobj(array):
        return {"complex": [array.real.tolist(), array.imag.tolist()]}
    return array.astype(float).tolist() if array.dtype == object else array.tolist()  # a Fraction, a Decimal


def unplain(value: Any) -> Any:
    """The value of which `plain` made this."""
    if isinstance(value, dict):
        real, imaginary = value["complex"]
        return np.asarray(real) + 1j * np.asarray(imaginary)
    return [unplain(item) for item in value] if isinstance(value, list) else value
