"""Copies of the built notebooks for a reader to work in: `python tools/work.py FROM TO`.

A notebook in which somebody has worked is never overwritten: a newer edition of it arrives beside it, with the answers
that are in the old one. Needs nothing but Python's own library, for Binder calls it too.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
from datetime import date
from pathlib import Path

RECORD = ".delivered.json"  # name of a file → hash of the edition that was last put there
TAG = re.compile(r"exercise-[\d.]+")


def deliver(source: Path, target: Path, today: str | None = None) -> list[str]:
    """Bring a folder up to date; what was done that a reader should know, a sentence each."""
    target.mkdir(parents=True, exist_ok=True)
    record = target / RECORD
    known = json.loads(record.read_text(encoding="utf8")) if record.exists() else {}
    said = []
    for new in sorted(source.glob("*.ipynb")):
        edition, mine = new.read_bytes(), target / new.name
        digest = hashlib.sha256(edition).hexdigest()
        if not mine.exists() or _hash(mine) == known.get(new.name):  # nobody has worked in it
            _put(mine, edition)
        elif digest != known.get(new.name):
            beside = _free(target, new.stem, today or date.today().isoformat())
            taken = _with_answers(edition, mine)
            _put(beside, taken)
            said.append(
                f"{mine.name} is as you left it; the new edition, with your answers, is {beside.name}."
            )
        known[new.name] = digest
    _put(record, json.dumps(known, indent=1).encode())
    return said


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _put(path: Path, content: bytes) -> None:
    unfinished = path.with_name(f".{path.name}.unfinished")
    unfinished.write_bytes(content)
    unfinished.replace(path)


def _free(folder: Path, stem: str, today: str) -> Path:
    """A name that no file has: 03-two-clocks.2026-11-26.ipynb, then ….2026-11-26-2.ipynb."""
    names = (folder / f"{stem}.{today}{'' if i == 1 else f'-{i}'}.ipynb" for i in range(1, 1000))
    return next(path for path in names if not path.exists())


def _with_answers(edition: bytes, mine: Path) -> bytes:
    """The new edition with what the old one has in the cells of its exercises."""
    new = json.loads(edition)
    try:
        old = _exercises(json.loads(mine.read_text(encoding="utf8")))
    except (ValueError, KeyError, TypeError):  # it is no notebook any more, and stays what it is
        return edition
    for tag, cell in _exercises(new).items():
        if tag in old:
            cell["source"] = old[tag]["source"]
    return json.dumps(new, indent=1, ensure_ascii=False).encode() + b"\n"


def _exercises(book: dict) -> dict[str, dict]:
    """The tag of an exercise → the cell that answers it."""
    return {
        tag: cell
        for cell in book["cells"]
        for tag in cell.get("metadata", {}).get("tags", [])
        if TAG.fullmatch(tag)
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="Copies of the built notebooks, to work in.")
    parser.add_argument("source", type=Path)
    parser.add_argument("target", type=Path)
    given = parser.parse_args()
    if not any(given.source.glob("*.ipynb")):
        raise SystemExit(f"error: no notebooks in {given.source}: run `make book` first")
    for sentence in deliver(given.source, given.target):
        print(sentence)
    print(f"The chapters are in {given.target}; 00-contents.ipynb lists them.")


if __name__ == "__main__":
    main()
