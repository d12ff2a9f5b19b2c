"""What of a chapter can be done: the line under it on the front page, which progress.js fills."""

from __future__ import annotations

import re
from pathlib import Path

from docutils import nodes
from sphinx.util.docutils import SphinxDirective


def tasks(chapter: Path) -> tuple[int, int]:
    """How many questions that mark themselves a chapter has, and how many exercises."""
    text = chapter.read_text(encoding="utf8")
    questions = re.findall(r"^quiz\(", text, re.MULTILINE)
    exercises = re.findall(r"^`{3,}\{exercise\}[^\n]*\n(?::[^\n]*\n)*?:label: ex-", text, re.MULTILINE)
    return len(questions), len(exercises)


class Progress(SphinxDirective):
    """`{progress} FILE STEM`"""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        chapter = Path(self.env.srcdir) / "book" / f"{self.arguments[0]}.md"
        self.env.note_dependency(str(chapter))
        questions, exercises = tasks(chapter)
        html = (
            f'<span class="chapter-progress" data-chapter="{chapter.stem}" '
            f'data-questions="{questions}" data-exercises="{exercises}"></span>'
        )
        return [nodes.raw("", html, format="html")]
