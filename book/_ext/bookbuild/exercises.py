"""The index of solutions: every exercise of a chapter, and where its solution is."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.util.docutils import SphinxDirective

EXERCISE = re.compile(
    r"^`{3,}\{exercise\} (?P<kind>[⌨✍]) (?P<title>.+)\n:label: (?P<label>ex-\S+)", re.MULTILINE
)


def solutions(module: Path) -> dict[str, str]:
    """Exercise "1.2" → the name of the function that solves it."""
    found = {}
    for node in ast.parse(module.read_text(encoding="utf8")).body:
        for mark in getattr(node, "decorator_list", []):
            if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "exercise":
                found[ast.literal_eval(mark.args[0])] = node.name  # type: ignore[attr-defined]
    return found


class Solutions(SphinxDirective):
    """`{solutions} FILE STEM`"""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        book = Path(self.env.srcdir) / "book"
        chapter = book / f"{self.arguments[0]}.md"
        module = book / "exercises" / f"ch{chapter.stem[:2]}.py"
        for path in (chapter, module):
            self.env.note_dependency(str(path))
        functions = solutions(module)
        lines = ["| exercise | | solution |", "| --- | --- | --- |"]
        for match in EXERCISE.finditer(chapter.read_text(encoding="utf8")):
            number = match["label"].removeprefix("ex-").replace("-", ".")
            where = "under it, folded"
            if match["kind"] == "⌨":
                where = f"`{functions[number]}` in `exercises/{module.name}`"
            lines.append(f"| {number} [{match['title']}]({match['label']}) | {match['kind']} | {where} |")
        container = nodes.container(classes=["settings"])
        self.state.nested_parse(StringList(lines, source=str(chapter)), 0, container)
        return [container]
