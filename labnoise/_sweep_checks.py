"""What a sweep asks of its executor and of its task before anything runs."""

import ast
import hashlib
import inspect
import textwrap
from collections.abc import Callable
from concurrent.futures import Executor
from contextlib import suppress
from typing import Any

from labnoise import _checks


def refuse_fork(executor: Executor | None) -> None:
    """Raise ValueError if the executor copies this process by `fork` and JAX has threads here, which hangs."""
    context = getattr(executor, "_mp_context", None)  # that of a ProcessPoolExecutor
    if context is not None and context.get_start_method() == "fork" and _jax_has_started():
        _checks.fail(
            "executor",
            executor,
            "it forks this process, in which JAX has started threads, and its trials would hang; pass "
            'ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn"))',
        )


def _jax_has_started() -> bool:
    """Whether JAX has computed anything in this process; True where it does not tell."""
    try:
        from jax._src.xla_bridge import backends_are_initialized
    except ImportError:
        return True
    return backends_are_initialized()


def code_of(task: Callable[..., Any]) -> str | None:
    """A short hash of the task's code, the same however it is commented or laid out; None where nobody knows it."""
    try:
        source = textwrap.dedent(inspect.getsource(task))
    except (OSError, TypeError):
        return None
    with suppress(SyntaxError):  # a lambda's lines may be no program of their own
        source = ast.unparse(ast.parse(source))
    return hashlib.sha256(source.encode()).hexdigest()[:16]
