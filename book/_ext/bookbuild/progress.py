"""What of a chapter can be done: the line under it on the front page, which progress.js fills."""

from __future__ import annotations

import ast
from pathlib import Path

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from . import exercises, myst


def tasks(chapter: Path) -> tuple[int, int]:
    """How many questions that mark themselves a chapter has, and how many exercises."""
    calls = (node for node in ast.walk(myst.code(chapter)) if isinstance(node, ast.Call))
    questions = [call for call in calls if ast.unparse(call.func).startswith("questions.")]
    return len(questions), len(exercises.stated(chapter))


class Progress(SphinxDirective):
    """`{progress} FILE STEM`"""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        chapter = Path(self.env.srcdir) / "book" / f"{self.arguments[0]}.md"
        self.env.note_dependency(str(chapter))
        questions, stated = tasks(chapter)
        html = (
            f'<span class="chapter-progress" data-chapter="{chapter.stem}" '
            f'data-questions="{questions}" data-exercises="{stated}"></span>'
        )
        return [nodes.raw("", html, format="html")]
