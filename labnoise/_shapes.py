"""Shapes in signatures, such as `Float[Array, "n D"]`: read by people always, checked in the tests only."""

import os
from collections.abc import Callable
from typing import TypeVar

Function = TypeVar("Function", bound=Callable)


def shaped(function: Function) -> Function:
    """Check a function's shapes and types at each call where LABNOISE_CHECK_SHAPES is set; else do nothing."""
    if not os.environ.get("LABNOISE_CHECK_SHAPES"):
        return function
    from beartype import beartype
    from jaxtyping import jaxtyped

    return jaxtyped(typechecker=beartype)(function)
