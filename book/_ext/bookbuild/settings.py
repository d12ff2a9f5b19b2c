"""The settings of every experiment, read from the code that runs it."""

from __future__ import annotations

import ast
from pathlib import Path

from . import myst, sources
from .contents import Tables

# A call of one of these is an experiment: it draws random numbers, or follows a path.
RUNS = {
    "sgd",
    "canonical_sde",
    "limiting_diffusion",
    "label_noise_flow",
    "gradient_flow",
    "random_sparse_regression",
}
LONGEST = 120  # characters of a value; what is longer is a computation, to be read in its cell
LONGEST_USE = 300  # and of a call that sets the arguments of the function around an experiment


def code(source: Path) -> ast.Module:
    """A module's code, or that of all cells of a chapter."""
    return sources.read(source) if source.suffix == ".py" else myst.code(source)


Scope = dict[str, str | None]  # what a name stands for; None where it is an argument, or set more than once


def experiments(source: Path) -> list[tuple[str, str, str]]:
    """Each different call that runs something, what its names stand for, and how the function around it is used."""
    found: dict[tuple[str, str, str], None] = {}

    def visit(node: ast.AST, scopes: list[Scope], around: str) -> None:
        if isinstance(node, ast.FunctionDef):
            around = node.name
        if isinstance(
            node, (ast.FunctionDef, ast.Lambda, ast.ListComp, ast.DictComp, ast.GeneratorExp, ast.SetComp)
        ):
            scopes = [*scopes, scope(node)]
        if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in RUNS:
            found[ast.unparse(node), where(node, scopes), used(tree, around)] = None
        for child in ast.iter_child_nodes(node):
            visit(child, scopes, around)

    tree = code(source)
    visit(tree, [scope(tree)], "")
    return list(found)


def scope(owner: ast.AST) -> Scope:
    """The names that a module, a function or a comprehension binds, those of functions inside it left out."""
    names: Scope = {}

    def bind(target: ast.AST, value: str | None) -> None:
        if isinstance(target, ast.Name):
            names[target.id] = value if names.get(target.id, value) == value else None
        for part in getattr(target, "elts", []):
            bind(part, None)

    def visit(node: ast.AST) -> None:
        if isinstance(node, ast.Assign) and len(node.targets) == 1:
            parts, values = getattr(node.targets[0], "elts", None), getattr(node.value, "elts", None)
            if parts and values and len(parts) == len(values):
                for part, value in zip(parts, values, strict=True):
                    bind(part, ast.unparse(value))
            else:
                bind(node.targets[0], ast.unparse(node.value))
        if isinstance(node, (ast.For, ast.comprehension)):
            for part in getattr(node.target, "elts", [node.target]):
                bind(part, f"each of {ast.unparse(node.iter)}")
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.arg):
                names[child.arg] = None
            elif not isinstance(
                child, (ast.FunctionDef, ast.Lambda, ast.ListComp, ast.DictComp, ast.GeneratorExp)
            ):
                visit(child)

    visit(owner)
    return names


def where(call: ast.AST, scopes: list[Scope]) -> str:
    """What the names of the call stand for, and the names in that in turn."""
    told: dict[str, str] = {}
    waiting = [call]
    while waiting:
        for node in ast.walk(waiting.pop(0)):
            if not isinstance(node, ast.Name) or node.id in told:
                continue
            value = next((names[node.id] for names in reversed(scopes) if node.id in names), None)
            if value and len(value) <= LONGEST:
                told[node.id] = value
                waiting.append(ast.parse(value.removeprefix("each of ")))
    return ", ".join(f"{name} = {value}" for name, value in told.items()).replace("= each of", "in")


def used(tree: ast.Module, function: str) -> str:
    """The calls of a function, or those to which it is given."""
    if not function:
        return ""
    uses = [
        ast.unparse(node)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and any(isinstance(part, ast.Name) and part.id == function for part in (node.func, *node.args))
    ]
    return ", ".join(dict.fromkeys(use for use in uses if len(use) <= LONGEST_USE))


class Settings(Tables):
    """`{settings}`, or `{settings} FILE` for the experiments of a module."""

    look = "settings"

    def table(self, about: Path | str) -> list[str]:
        source = Path(self.env.srcdir) / "book" / about
        self.env.note_dependency(str(source))
        lines = ["| experiment | with | called as |", "| --- | --- | --- |"]
        for parts in experiments(source):
            code = (f"`{part}`".replace("|", "\\|") if part else "" for part in parts)
            lines.append(f"| {' | '.join(code)} |")
        return lines
