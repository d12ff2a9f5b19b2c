"""The cells that readers fill in, made from the solutions so that the two cannot drift.

    python -m labnoise.teaching.stubs sync   --exercises book/exercises/ch01.py -- book/01-after-zero-loss.md
    python -m labnoise.teaching.stubs verify --exercises book/exercises/ch01.py -- book/01-after-zero-loss.md

In a chapter the stub of exercise 1.1 is the code cell with the tag `exercise-1.1`.
"""

from __future__ import annotations

import argparse
import ast
import inspect
import re
import runpy
import sys
import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path

from labnoise.teaching import Exercise, Verdict, find_exercise

# A MyST code cell: fence, options as :key: lines or as a YAML block, body, the same fence.
_CELL = re.compile(
    r"^(?P<head>(?P<fence>`{3,})\{code-cell\}[^\n]*\n(?:---\n.*?^---\n|(?::[^\n]*\n)*))"
    r"(?P<body>.*?)^(?P=fence)[ ]*$",
    re.MULTILINE | re.DOTALL,
)
_TAG = re.compile(r"\bexercise-([\w.]+)")


def stub(exercise: Exercise) -> str:
    """The text of the cell: the solution's signature and docstring without its body, and the check.

    Parameters
    ----------
    exercise : Exercise

    Raises
    ------
    ValueError
        If the solution has no docstring, which is the reader's task.
    """
    lines = textwrap.dedent(inspect.getsource(exercise.solution)).splitlines()
    function = next(node for node in ast.parse("\n".join(lines)).body if isinstance(node, ast.FunctionDef))
    task = function.body[0]
    if not ast.get_docstring(function):
        raise ValueError(f"exercise {exercise.id}: give {function.name} a docstring that states the task")
    if exercise.wants_number:
        words = " ".join((ast.get_docstring(function) or "").split())
        comment = textwrap.fill(words, 85, initial_indent="# ", subsequent_indent="# ")
        cell = f"{comment}\n{function.name} = ..."
    else:
        cell = "\n".join([*lines[function.lineno - 1 : task.end_lineno], "    return ...", ""])
    return f'{cell}\ncheck("{exercise.id}", {function.name})\n'


def sync_stubs(chapter: str) -> str:
    """The text of a chapter with every stub as its solution has it.

    The stub of exercise 1.1 is the code cell with the tag `exercise-1.1`; the rest of the text is returned as
    it was.

    Raises
    ------
    ValueError
        If an exercise is unknown.

    Examples
    --------
    >>> from labnoise.teaching.stubs import sync_stubs
    >>> sync_stubs("A chapter without exercises.")
    'A chapter without exercises.'
    """

    def renew(cell: re.Match[str]) -> str:
        tag = _TAG.search(cell["head"])
        return f"{cell['head']}{stub(find_exercise(tag[1]))}{cell['fence']}" if tag else cell[0]

    return _CELL.sub(renew, chapter)


def drifted_stubs(chapter: str) -> list[str]:
    """The numbers of the exercises whose cell in the text of a chapter `sync_stubs` would change.

    Raises
    ------
    ValueError
        As `sync_stubs` does.

    Examples
    --------
    >>> from labnoise.teaching.stubs import drifted_stubs
    >>> drifted_stubs("No cell, no stub.")
    []
    """
    return [
        exercise_id for exercise_id, body in _stub_cells(chapter) if body != stub(find_exercise(exercise_id))
    ]


def _stub_cells(chapter: str) -> Iterator[tuple[str, str]]:
    for cell in _CELL.finditer(chapter):
        if tag := _TAG.search(cell["head"]):
            yield tag[1], cell["body"]


def rehearse(exercise: Exercise) -> list[str]:
    """What is wrong with an exercise itself, in words; an empty list if nothing is. A test asks it of every one.

    The solution must be marked correct, every mistake must be recognised under its own name, the stub must
    count as unanswered, and there must be at least two mistakes and two or three hints.

    Parameters
    ----------
    exercise : Exercise
    """
    faults = []
    solution = exercise.solution() if exercise.wants_number else exercise.solution
    if (verdict := exercise.mark(solution)).status != "correct":
        faults.append(f"the solution is marked {verdict!r}")
    for name, mistake in exercise.mistakes.items():
        answer = mistake() if exercise.wants_number and callable(mistake) else mistake
        if (verdict := exercise.mark(answer)) != Verdict("almost", name):
            faults.append(f"the mistake {name!r} is marked {verdict!r}")
    marked: list[Verdict] = []
    namespace = {
        **inspect.unwrap(exercise.solution).__globals__,
        "check": lambda _, answer: marked.append(exercise.mark(answer)),
    }
    exec(stub(exercise), namespace)
    if marked[-1].status != "not answered yet":
        faults.append(f"the stub is marked {marked[-1]!r}")
    if len(exercise.mistakes) < 2 or len(exercise.hints) not in (2, 3):
        faults.append(f"it has {len(exercise.mistakes)} mistakes and {len(exercise.hints)} hints")
    return faults


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line: `sync` writes the stubs into chapters, `verify` returns 1 if one has drifted."""
    parser = argparse.ArgumentParser(
        prog="python -m labnoise.teaching.stubs", description="Exercise cells of chapters."
    )
    parser.add_argument("action", choices=["sync", "verify"])
    parser.add_argument(
        "--exercises", nargs="+", type=Path, required=True, help="files that define exercises"
    )
    parser.add_argument("chapters", nargs="+", type=Path, help="MyST chapters")
    given = parser.parse_args(arguments)
    for file in given.exercises:
        runpy.run_path(str(file))
    drifted = 0
    for chapter in given.chapters:
        text = chapter.read_text()
        for exercise_id in drifted_stubs(text):
            drifted += 1
            found = "has been renewed" if given.action == "sync" else "is not what its solution gives"
            print(f"{chapter}: the stub of exercise {exercise_id} {found}")
        if given.action == "sync":
            chapter.write_text(sync_stubs(text))
    return int(given.action == "verify" and drifted > 0)


if __name__ == "__main__":
    sys.exit(main())
