"""The cell in which an answer stands: its text, what it needs from elsewhere, and how to run it again."""

from __future__ import annotations

import ast
import builtins
import importlib
import linecache
import symtable
import sys
from typing import Any

from labnoise.teaching import _record

# What a cell may use without having imported it: every chapter's first cell does.
MODULES = {"np": "numpy", "jax": "jax", "jnp": "jax.numpy", "plt": "matplotlib.pyplot"}


def own_text(exercise_id: str) -> str | None:
    """The text of the notebook cell that is running, if it is one and names the exercise."""
    interactive = sys.modules.get("IPython")
    shell = interactive.get_ipython() if interactive else None
    if shell is None:
        return None
    text = str(shell.history_manager.input_hist_raw[-1])
    return text if exercise_id in text else None


def as_cell(exercise_id: str, text: str) -> str:
    """A text that checks an answer when it is run: a function's own, without its cell, is followed by the call."""
    try:
        program = ast.parse(_without_magics(text))
        last = program.body[-1]
    except (SyntaxError, IndexError):
        return text
    if any(isinstance(node, ast.Constant) and node.value == exercise_id for node in ast.walk(program)):
        return text
    if isinstance(last, ast.FunctionDef):
        name = last.name
    elif isinstance(last, ast.Assign) and isinstance(last.targets[0], ast.Name):
        name = last.targets[0].id
    else:
        return text
    return f'{text.rstrip()}\n\ncheck("{exercise_id}", {name})\n'


def from_elsewhere(text: str) -> list[str]:
    """The names that a cell uses and neither defines nor imports, in alphabetical order.

    Raises
    ------
    SyntaxError
        If the text is no program.
    """
    used, defined = set(), set()
    scopes = [symtable.symtable(_without_magics(text), "<cell>", "exec")]
    top = scopes[0]
    while scopes:
        scope = scopes.pop()
        scopes += scope.get_children()
        for symbol in scope.get_symbols():
            here = symbol.is_assigned() or symbol.is_imported() or symbol.is_namespace()
            if here and (scope is top or symbol.is_declared_global()):
                defined.add(symbol.get_name())
            elif symbol.is_global() or scope is top:
                used.add(symbol.get_name())
    return sorted(used - defined - set(dir(builtins)) - set(MODULES) - set(_ours()))


def run(exercise_id: str, text: str, namespace: dict[str, Any]) -> Any:
    """Run a cell and return what it gives to `check` as its answer.

    The namespace gets what `from_elsewhere` takes for granted and it lacks.

    Raises
    ------
    LookupError
        If the cell gives `check` no answer to this exercise.
    Exception
        Whatever the cell raises.
    """
    text = _without_magics(text)
    name = f"<answer to {exercise_id}>"
    # Python then finds the text again, for errors and for the next save.
    linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
    code = compile(text, name, "exec")
    mentioned = {word for word in _names(text) if word not in namespace}
    namespace |= {word: importlib.import_module(MODULES[word]) for word in mentioned & set(MODULES)}
    namespace |= {word: getattr(sys.modules["labnoise"], word) for word in mentioned & set(_ours())}
    with _record.catching() as caught:
        exec(code, namespace)
    if exercise_id not in caught:
        raise LookupError(f'the cell does not call check("{exercise_id}", …)')
    return caught[exercise_id]


def _ours() -> list[str]:
    return list(sys.modules["labnoise"].__all__)


def _names(text: str) -> set[str]:
    return {node.id for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name)}


def _without_magics(text: str) -> str:
    """A notebook's own commands, %timeit and !ls, are no Python; the lines keep their numbers."""
    return (
        "\n".join("" if line.lstrip().startswith(("%", "!")) else line for line in text.splitlines()) + "\n"
    )
