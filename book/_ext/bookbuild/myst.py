"""The one reader of the book's sources: the directives of a page, its prose, and the code of its cells."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml
from markdown_it import MarkdownIt
from mdit_py_plugins.colon_fence import colon_fence_plugin
from mdit_py_plugins.front_matter import front_matter_plugin

_BLOCKS = MarkdownIt("commonmark").use(front_matter_plugin).use(colon_fence_plugin).disable("inline")
_HEAD = re.compile(r"\s*\{(?P<kind>[^}\s]+)\}(?P<argument>.*)")
_OPTION = re.compile(r":([\w-]+):[ ]*(.*)\n")
_BLOCK_OF_OPTIONS = re.compile(r"---\n(.*?)^---[ ]*\n", re.MULTILINE | re.DOTALL)
LITERAL = {"code-cell", "code-block", "literalinclude", "math", "raw", "eval-rst"}  # no directives in these


@dataclass(frozen=True)
class Directive:
    """What stands between two fences whose first says {kind} argument."""

    kind: str
    argument: str
    options: dict  # of `:key: value` lines the value is text, of a block between two --- it is YAML's
    body: str
    within: tuple[str, ...] = ()  # the kinds of the directives around it, the outermost first


def directives(text: str, within: tuple[str, ...] = ()) -> Iterator[Directive]:
    """All directives of a text, each before those inside it."""
    for token in _BLOCKS.parse(text):
        head = _HEAD.fullmatch(token.info) if token.type in ("fence", "colon_fence") else None
        if head is None:
            continue
        options, body = _options(token.content)
        yield Directive(head["kind"], head["argument"].strip(), options, body, within)
        if head["kind"] not in LITERAL:
            yield from directives(body, (*within, head["kind"]))


@dataclass(frozen=True)
class Passage:
    """A paragraph, a list's item, a title or a formula of its own."""

    line: int  # of the page, counted from 1
    text: str
    kind: str  # "title", "math" or "prose"
    within: tuple[str, ...]  # the kinds of the directives around it, the outermost first
    label: str = ""  # what the page calls the block that holds it, or the formula
    opens: bool = False  # whether it is a directive's own line, {kind} argument


def passages(text: str, within: tuple[str, ...] = (), start: int = 1, label: str = "") -> Iterator[Passage]:
    """What a reader reads of a text, without code: titles, prose, formulas and the first lines of directives."""
    title = False
    for token in _BLOCKS.parse(text):
        line = start + (token.map[0] if token.map else 0)
        head = _HEAD.fullmatch(token.info) if token.type in ("fence", "colon_fence") else None
        if token.type == "inline":
            kind = "title" if title else "math" if token.content.startswith("$$") else "prose"
            own = re.search(r"^\$\$ \((\S+)\)$|^\((\S+)\)=$", token.content, re.MULTILINE)
            yield Passage(line, token.content, kind, within, own[1] or own[2] if own else label)
        title = token.type == "heading_open"
        if head is None:
            continue
        options, body = _options(token.content)
        name, inside = str(options.get("label", label)), (*within, head["kind"])
        yield Passage(line, head["argument"].strip(), "title", inside, name, opens=True)
        below = line + 1 + token.content.removesuffix(body).count("\n")
        if head["kind"] == "math":
            yield Passage(below, body, "math", inside, name)
        elif head["kind"] not in LITERAL:
            yield from passages(body, inside, below, name)


def _options(content: str) -> tuple[dict, str]:
    if block := _BLOCK_OF_OPTIONS.match(content):
        return yaml.safe_load(block[1]) or {}, content[block.end() :]
    options, start = {}, 0
    while option := _OPTION.match(content, start):
        options[option[1]], start = option[2].strip(), option.end()
    return options, content[start:]


def read(page: Path) -> list[Directive]:
    """All directives of a page."""
    return list(directives(page.read_text(encoding="utf8")))


def cells(page: Path) -> list[str]:
    """The code of each cell of a page."""
    return [directive.body for directive in read(page) if directive.kind == "code-cell"]


def code(page: Path) -> ast.Module:
    """The code of all cells of a page, as one module."""
    return parsed("\n".join(cells(page)), page.name)


def parsed(cell: str, name: str = "a cell") -> ast.Module:
    """The code of a cell, without IPython's own commands; a syntax error is said to be in what has this name."""
    return ast.parse(re.sub(r"^[%!].*$", "", cell, flags=re.MULTILINE), name)
