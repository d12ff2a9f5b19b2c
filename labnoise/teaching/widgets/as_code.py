"""One setting of a widget as code that a reader copies: the same picture with nothing but matplotlib."""

from __future__ import annotations

from collections.abc import Callable
from itertools import groupby
from typing import Any

from labnoise.teaching.widgets.definition import THROW, Definition


def setting_as_code(definition: Definition) -> dict[str, Any] | None:
    """What stands before a setting, the stops of each control as they are typed, and what stands after it.

    The code runs in a notebook that has run the chapter's cells: functions of other modules it imports itself.
    None if a function was made inside another one, is a lambda or a partial: a reader cannot name it.
    """
    draw, stage = definition.draw, definition.stage
    functions = [function for function in (draw, stage) if function]
    if not all(_name(function).isidentifier() for function in functions):
        return None
    width, height = definition.picture.fig.get_size_inches()
    imports = ["import matplotlib.pyplot as plt", *_imports(functions)]
    figure = f"fig = plt.figure(figsize=({width:g}, {height:g}))"
    target = f"{_name(stage)}(fig)" if stage else "fig"
    return {
        "before": "\n".join([*imports, "", figure, f"{_name(draw)}({target}, "]),
        "values": [[repr(value) for value in control.values] for control in definition.controls],
        "throw": THROW if definition.dice else None,
        "after": ")",
    }


def _name(function: Callable[..., Any]) -> str:
    return getattr(function, "__qualname__", "")


def _imports(functions: list[Callable[..., Any]]) -> list[str]:
    """One line for each module but the notebook."""
    found = sorted((function.__module__, _name(function)) for function in functions)
    return [
        f"from {module} import {', '.join(name for _, name in names)}"
        for module, names in groupby(found, key=lambda pair: pair[0])
        if module != "__main__"
    ]
