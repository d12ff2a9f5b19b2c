"""How long a chapter takes, from a count of what is in it: the times in the paragraph *It takes* at its top."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from . import exercises, myst

WORDS_A_MINUTE = 200  # a formula within a line counts as a word
FORMULA, PROOF, CELL, WIDGET, QUESTION, EXERCISE = (
    0.5,
    2,
    0.5,
    3,
    1,
    12,
)  # minutes, a proof's beyond its words
MATH = re.compile(r"\$\$.*?\$\$|\$[^$]+\$", re.DOTALL)
STATED = re.compile(r"(?<=^\*It takes\* )about [^;\n]*(?=;)", re.MULTILINE)


def minutes(chapter: Path) -> tuple[int, int]:
    """To read a chapter and to play with it, and for its exercises, to five minutes."""
    reading, page = 0.0, chapter.read_text(encoding="utf8")
    for passage in myst.passages(page):
        if {"exercise", "solution"}.isdisjoint(passage.within):
            displayed = passage.kind == "math" or passage.text.count("$$") // 2
            words = "" if passage.kind == "math" else MATH.sub(" x ", passage.text)
            reading += len(words.split()) / WORDS_A_MINUTE + displayed * FORMULA
    for block in myst.directives(page):
        if block.kind == "prf:proof":
            reading += PROOF
        elif block.kind == "code-cell":
            reading += _cell(block)
    return _to_five(reading), _to_five(len(exercises.stated(chapter)) * EXERCISE)


def _cell(block: myst.Directive) -> float:
    tags = str(block.options.get("tags"))
    if "remove-cell" in tags or "exercise-" in tags:
        return 0
    calls = [node for node in ast.walk(myst.parsed(block.body)) if isinstance(node, ast.Call)]
    named = [ast.unparse(call.func) for call in calls]
    own = 0 if "hide-input" in tags else CELL
    return own + WIDGET * named.count("explore") + QUESTION * named.count("quiz")


def _to_five(value: float) -> int:
    return 5 * round(value / 5)


def renew(chapter: Path) -> str:
    """The text of a chapter with its times as the count has them."""
    reading, working = minutes(chapter)
    times = f"about {reading} minutes to read and play with, and {working} for the exercises"
    text, found = STATED.subn(times, chapter.read_text(encoding="utf8"))
    if found != 1:
        raise ValueError(f"{chapter.name}: one paragraph begins with “*It takes* about …;”, not {found}")
    return text
