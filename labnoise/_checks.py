"""Checks of what a person typed: each failure names the argument, its value and the remedy.

Every check looks at concrete values only. Under `jit`, `vmap` or `grad` the arguments are tracers, nothing
is known about their values, and nothing raises.
"""

from collections.abc import Callable
from typing import Any, NoReturn

import jax
import jax.numpy as jnp
import numpy as np


def concrete(*values: Any) -> bool:
    """Whether all numbers in `values` (pytrees) are known now."""
    return not any(isinstance(leaf, jax.core.Tracer) for leaf in jax.tree.leaves(values))


def fail(name: str, value: Any, remedy: str) -> NoReturn:
    """Raise the one kind of error that labnoise raises for a bad argument."""
    shown = repr(value)
    if hasattr(value, "shape"):
        shown = " ".join(np.array2string(np.asarray(value), threshold=8, precision=4).split())
    raise ValueError(f"{name} = {shown}: {remedy}")


def real_array(name: str, value: Any, ndim: int | tuple[int, ...]) -> jax.Array:
    """`value` as an array of real floating-point numbers with `ndim` axes, all finite."""
    allowed = (ndim,) if isinstance(ndim, int) else ndim
    array = jnp.asarray(value)
    if array.ndim not in allowed:
        fail(f"the shape of {name}", array.shape, f"pass an array with {' or '.join(map(str, allowed))} axes")
    if jnp.issubdtype(array.dtype, jnp.complexfloating):
        fail(f"the dtype of {name}", str(array.dtype), "pass real numbers")
    if not jnp.issubdtype(array.dtype, jnp.floating):
        array = array.astype(float)
    if concrete(array) and not np.isfinite(array).all():
        fail(name, value, "every entry must be a finite number")
    return array


def point(name: str, value: Any, problem: Any) -> jax.Array:
    """A parameter vector (D,) at which the loss of `problem` is one finite number."""
    x = real_array(name, value, 1)
    try:
        loss = _loss(problem, x)
    except (TypeError, ValueError, IndexError) as reason:
        raise ValueError(
            f"{name} of shape {x.shape}: the loss cannot be evaluated there; {reason}"
        ) from reason
    if loss.shape != ():
        fail("the shape of the loss", loss.shape, "a loss maps a point (D,) to one number ()")
    if concrete(loss) and not np.isfinite(loss):
        fail(name, value, "the loss is not a finite number there; start elsewhere")
    return x


@jax.jit
def _loss(problem: Any, x: jax.Array) -> jax.Array:
    return problem.loss(x)


def scalar(name: str, value: Any, holds: Callable[[float], bool], remedy: str) -> None:
    """One real number with a property."""
    if jnp.ndim(value) != 0:
        fail(name, value, "pass a single number")
    if concrete(value) and not (np.isfinite(value) and holds(float(value))):
        fail(name, value, remedy)


def positive(name: str, value: Any) -> None:
    scalar(name, value, lambda number: number > 0, "pass a positive finite number")


def nonnegative(name: str, value: Any) -> None:
    scalar(name, value, lambda number: number >= 0, "pass a finite number that is zero or positive")


def count(name: str, value: Any, least: int = 1) -> int:
    """A whole number that is at least `least`."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        fail(name, value, "pass a whole number")
    if value < least:
        fail(name, value, f"pass at least {least}")
    return int(value)


def one_of(name: str, value: Any, choices: tuple[str, ...]) -> None:
    if value not in choices:
        fail(name, value, f"choose one of {', '.join(map(repr, choices))}")


def covariance(name: str, value: Any, dimension: int | None = None) -> jax.Array:
    """A symmetric positive semidefinite matrix (D, D)."""
    matrix = real_array(name, value, 2)
    size = matrix.shape[0] if dimension is None else dimension
    if matrix.shape != (size, size):
        fail(f"the shape of {name}", matrix.shape, f"pass a square matrix ({size}, {size})")
    if concrete(matrix):
        scale = float(jnp.abs(matrix).max(initial=0.0))
        if float(jnp.abs(matrix - matrix.T).max(initial=0.0)) > 1e-8 * scale:
            fail(name, value, f"a covariance is symmetric; pass (A + A.T)/2 if {name} is A up to rounding")
        least = float(jnp.linalg.eigvalsh(matrix).min(initial=0.0))
        if least < -1e-8 * scale:
            fail(name, value, f"a covariance has no negative eigenvalue, this one has {least:.3g}")
    return matrix


def keys(key: Any) -> None:
    """One JAX key, or an array of them (R,)."""
    if not isinstance(key, jax.Array) or not jnp.issubdtype(key.dtype, jax.dtypes.prng_key) or key.ndim > 1:
        fail("key", key, "pass jax.random.key(seed), or jax.random.split(key, R) for R replicas")
