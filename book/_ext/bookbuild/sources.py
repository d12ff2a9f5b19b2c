"""What the cells of a page and the modules of `afterzero` import of each other, read without running any of it."""

from __future__ import annotations

import ast
import tomllib
from functools import cache
from importlib.util import resolve_name
from pathlib import Path


@cache
def packages(root: Path) -> dict[str, Path]:
    """`afterzero` and the packages inside it → their folders."""
    text = (root / "pyproject.toml").read_text(encoding="utf8")
    folders = tomllib.loads(text)["tool"]["setuptools"]["package-dir"]
    return {name: root / folder for name, folder in folders.items() if name.startswith("afterzero")}


def file(root: Path, module: str) -> Path | None:
    """Where a module of `afterzero` stands; None if nothing there has this name."""
    folders = packages(root)
    package, _, name = module.rpartition(".")
    if module in folders:
        path = folders[module] / "__init__.py"
    elif package in folders:
        path = folders[package] / f"{name}.py"
    else:
        return None
    return path if path.is_file() else None


def read(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf8"))


def imports(tree: ast.AST, package: str = "") -> dict[str, str]:
    """Imported name → what it stands for: `from afterzero.figures import ch03 as figures` gives
    {"figures": "afterzero.figures.ch03"}."""
    found = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {name.asname or name.name: name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            origin = "." * node.level + (node.module or "")
            origin = resolve_name(origin, package) if node.level else origin
            found |= {name.asname or name.name: f"{origin}.{name.name}" for name in node.names}
    return found


def package_of(path: Path, module: str) -> str:
    """The package from which a module's relative imports count."""
    return module if path.name == "__init__.py" else module.rpartition(".")[0]


def needed(root: Path, tree: ast.AST) -> set[Path]:
    """The files of all modules of `afterzero` that some code imports, and that these import in turn."""
    found: set[Path] = set()
    waiting = list(imports(tree).values())
    while waiting:
        module = waiting.pop()
        path = file(root, module)
        if path and path not in found:
            found.add(path)
            waiting += imports(read(path), package_of(path, module)).values()
        if "." in module:  # to import a.b is to import a; and b may be a name inside a
            waiting.append(module.rpartition(".")[0])
    return found
