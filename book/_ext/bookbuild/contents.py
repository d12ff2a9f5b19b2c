"""The pages of the book in their order, as _toc.yml has them, and what the book says of one chapter after the other."""

from __future__ import annotations

from pathlib import Path

import yaml
from docutils import nodes
from docutils.statemachine import StringList
from sphinx.util.docutils import SphinxDirective

TOC = "_toc.yml"


def pages(root: Path) -> list[str]:
    """The names of all pages, as Sphinx has them: without their ending."""
    contents = _read(root)
    return [contents["root"], *(page for part in contents.get("parts", []) for page in _files(part))]


def chapters(root: Path) -> list[Path]:
    """The sources of the numbered chapters."""
    parts = _read(root).get("parts", [])
    return [root / f"{page}.md" for part in parts if part.get("numbered") for page in _files(part)]


def _read(root: Path) -> dict:
    return yaml.safe_load((root / TOC).read_text(encoding="utf8"))


def _files(part: dict) -> list[str]:
    return [chapter["file"] for chapter in part["chapters"]]


class Tables(SphinxDirective):
    """Without an argument a section for each chapter, with a table about it; with one the table about that."""

    optional_arguments = 1
    look = ""  # the class of the box around a table

    def table(self, about: Path | str) -> list[str]:
        """The lines of a Markdown table about a chapter, or about what the argument names."""
        raise NotImplementedError

    def run(self) -> list[nodes.Node]:
        if self.arguments:
            return [self._box(self.arguments[0])]
        root = Path(self.env.srcdir)
        self.env.note_dependency(str(root / TOC))
        sections = []
        for number, chapter in enumerate(chapters(root), start=1):
            self.env.note_dependency(str(chapter))
            title = f"Chapter {number}"
            section = nodes.section("", nodes.title(text=title), names=[nodes.fully_normalize_name(title)])
            self.state.document.note_implicit_target(section, section)
            section += self._box(chapter)
            sections.append(section)
        return sections

    def _box(self, about: Path | str) -> nodes.Node:
        box = nodes.container(classes=[self.look])
        self.state.nested_parse(StringList(self.table(about), source=self.env.docname), 0, box)
        return box
