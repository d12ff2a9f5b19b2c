"""Which line of an answer is meant: of an error, and of a result that has the wrong shape."""

from __future__ import annotations

import ast
import inspect
import linecache
import textwrap
import traceback
from collections.abc import Callable
from typing import Any


def raised_at(error: BaseException, answer: Callable[..., Any]) -> str:
    """`line 3: return J @ x`, the last line of the answer's own cell that the error went through, or nothing."""
    if hasattr(error, "where"):  # it comes from another process
        return str(error.where)
    own = _file(answer)
    lines = [
        line for frame, line in traceback.walk_tb(error.__traceback__) if frame.f_code.co_filename == own
    ]
    return quote(own, lines[-1]) if lines else ""


def returned_at(answer: Callable[..., Any]) -> str:
    """The line of a function's one `return`; nothing where there are several, or none is known."""
    try:
        lines, first = inspect.getsourcelines(answer)
        (function,) = ast.parse(textwrap.dedent("".join(lines))).body
    except (OSError, TypeError, SyntaxError, ValueError):
        return ""
    returns = [node for node in ast.walk(function) if isinstance(node, ast.Return)]
    # The first line of a module counts as 0 there, that of any other block as itself.
    return quote(_file(answer), max(first, 1) + returns[0].lineno - 1) if len(returns) == 1 else ""


def _file(answer: Callable[..., Any]) -> str:
    while hasattr(answer, "func"):  # functools.partial
        answer = answer.func
    code = getattr(inspect.unwrap(answer), "__code__", None)
    return code.co_filename if code else ""


def quote(file: str, line: int) -> str:
    """`line 3: return J @ x`, of a file or a cell."""
    text = linecache.getline(file, line).strip()
    return f"line {line}: {text}" if text else ""
