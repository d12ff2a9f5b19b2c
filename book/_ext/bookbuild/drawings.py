"""Below the code of a cell that is folded away: the drawings of `afterzero.figures` that it calls."""

from __future__ import annotations

import ast
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx

from . import myst, sources

FIGURES = "afterzero.figures"


def show(app: Sphinx, doctree: nodes.document) -> None:
    """Into the fold of each cell, below its own code, goes the source of what it draws with."""
    root, page = Path(app.srcdir), Path(app.env.doc2path(app.env.docname))
    hidden = [cell for cell in doctree.findall(nodes.container) if cell.get("hide_mode") == "input"]
    names = sources.imports(myst.code(page)) if hidden else {}
    for cell in hidden:
        fold = cell.children[0]
        for module, source in drawings(root, myst.parsed(fold.astext()), names).items():
            where = nodes.paragraph("", "From ", nodes.literal(text=module), classes=["drawings-of"])
            fold += [where, nodes.literal_block(source, source, language="python")]


def drawings(root: Path, code: ast.AST, names: dict[str, str]) -> dict[str, str]:
    """Module of `afterzero.figures` → the source of all in it that some code uses, itself or by way of the rest.

    `names` says what the imported names in the code stand for.
    """
    modules: dict[str, Definitions] = {}
    waiting = _meant(code, names)
    while waiting:
        module, _, name = waiting.pop().rpartition(".")
        path = sources.file(root, module) if module.startswith(FIGURES) else None
        if path is None:
            continue
        if module not in modules:
            modules[module] = Definitions(path, module)
        own = modules[module]
        if name in own.statements and name not in own.used:
            own.used.add(name)
            waiting += _meant(own.statements[name], own.names)
    return {module: own.source() for module, own in sorted(modules.items()) if own.used}


class Definitions:
    """What a module defines, and which of it is used."""

    def __init__(self, path: Path, module: str) -> None:
        self.text = path.read_text(encoding="utf8")
        tree = ast.parse(self.text)
        self.statements = {name: node for node in tree.body for name in _defined(node)}
        self.names = {name: f"{module}.{name}" for name in self.statements}
        self.names |= sources.imports(tree, sources.package_of(path, module))
        self.used: set[str] = set()

    def source(self) -> str:
        """The statements that define what is used, in the order of the file."""
        lines = self.text.splitlines()
        parts: dict[int, str] = {}
        for node in (self.statements[name] for name in self.used):
            start = min(part.lineno for part in (node, *getattr(node, "decorator_list", []))) - 1
            while start and lines[start - 1].startswith("#"):
                start -= 1
            parts[start] = "\n".join(lines[start : node.end_lineno])
        return "\n\n\n".join(parts[start] for start in sorted(parts))


def _defined(statement: ast.stmt) -> list[str]:
    if isinstance(statement, (ast.FunctionDef, ast.ClassDef)):
        return [statement.name]
    targets = statement.targets if isinstance(statement, ast.Assign) else []
    return [part.id for target in targets for part in ast.walk(target) if isinstance(part, ast.Name)]


def _meant(code: ast.AST, names: dict[str, str]) -> list[str]:
    """What the names in some code stand for: `figures.stage` is afterzero.figures.ch03.stage."""
    found = []
    for node in ast.walk(code):
        if isinstance(node, (ast.Name, ast.Attribute)):
            first, _, last = ast.unparse(node).rpartition(".")
            if first in names:
                found.append(f"{names[first]}.{last}")
            elif last in names and not first:
                found.append(names[last])
    return found
