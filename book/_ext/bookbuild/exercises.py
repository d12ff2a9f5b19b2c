"""The index of solutions: every exercise of a chapter, and where its solution is."""

from __future__ import annotations

import ast
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.builders import Builder

from . import myst
from .contents import Tables


def stated(chapter: Path) -> list[tuple[str, str, str]]:
    """The label of each exercise, whether it is for the keyboard ⌨ or the pen ✍, and its title."""
    found = [each for each in myst.read(chapter) if each.kind == "exercise" and "label" in each.options]
    return [(each.options["label"], *each.argument.partition(" ")[::2]) for each in found]


def solutions(module: Path) -> dict[str, str]:
    """Exercise "1.2" → the name of the function that solves it."""
    found = {}
    for node in ast.parse(module.read_text(encoding="utf8")).body:
        for mark in getattr(node, "decorator_list", []):
            if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "exercise":
                found[ast.literal_eval(mark.args[0])] = node.name  # type: ignore[attr-defined]
    return found


def number_by_label(app: Sphinx, builder: Builder) -> None:
    """An exercise's number on the page is its identifier, `ex-3-7` that of Exercise 3.7, wherever it stands.

    Sphinx would count; then a reader's old answer to a withdrawn exercise would become one to the next.
    """
    for numbers in builder.env.toc_fignumbers.values():
        for label in numbers.get("exercise", {}):
            numbers["exercise"][label] = tuple(int(part) for part in label.split("-")[1:])


class Solutions(Tables):
    """`{solutions}`"""

    look = "settings"

    def table(self, about: Path) -> list[str]:
        module = about.parent / "exercises" / f"ch{about.stem[:2]}.py"
        self.env.note_dependency(str(module))
        functions = solutions(module)
        lines = ["| exercise | | solution |", "| --- | --- | --- |"]
        for label, kind, title in stated(about):
            number = label.removeprefix("ex-").replace("-", ".")
            where = "under it, folded"
            if kind == "⌨":
                where = f"`{functions[number]}` in `exercises/{module.name}`"
            lines.append(f"| {number} [{title}]({label}) | {kind} | {where} |")
        return lines
