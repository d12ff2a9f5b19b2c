"""Checks of what a person typed: each failure names the argument, its value and the remedy.

Every check looks at concrete values only. Under `jit`, `vmap` or `grad` the arguments are tracers, nothing
is known about their values, and nothing raises.
"""

import os
import warnings
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

import jax
import jax.numpy as jnp
import numpy as np

_LONGEST = 300  # characters of a value in a message, which otherwise hide the remedy


def concrete(*values: Any) -> bool:
    """Whether all numbers in `values` (pytrees) are known now."""
    return not any(isinstance(leaf, jax.core.Tracer) for leaf in jax.tree.leaves(values))


def fail(name: str, value: Any, remedy: str) -> NoReturn:
    """Raise the one kind of error that labnoise raises for a bad argument."""
    shown = repr(value)
    if len(shown) > _LONGEST:
        shown = f"{shown[:_LONGEST]} … (a {type(value).__name__})"
    if hasattr(value, "shape") and hasattr(value, "dtype"):
        shown = " ".join(np.array2string(np.asarray(value), threshold=8, precision=4).split())
    raise ValueError(f"{name} = {shown}: {remedy}")


def missing(owner: object, method: str, what: str) -> NoReturn:
    """Raise where a subclass that somebody wrote lacks a method that is now needed."""
    raise NotImplementedError(f"{type(owner).__name__} has no method {method}: define it; it returns {what}")


def double_precision() -> None:
    """Raise ValueError where somebody switched off the float64 that importing labnoise switched on."""
    if not jax.config.read("jax_enable_x64"):
        fail(
            "jax_enable_x64",
            False,
            "labnoise needs the 64 bits that its import turned on, for its random numbers too; call "
            'jax.config.update("jax_enable_x64", True), or leave the block that turned them off',
        )


def numbers(name: str, value: Any) -> jax.Array:
    """Whatever JAX takes for numbers; it has its own errors for what are none."""
    double_precision()
    if isinstance(value, Mapping):
        fail(
            name,
            f"a {type(value).__name__} with the keys {', '.join(map(str, list(value)[:5]))}",
            "pass one array; labnoise.flatten(predict, params) makes one (D,) of a tree, and a model of it, "
            "jax.flatten_util.ravel_pytree(params) the array and the way back alone",
        )
    try:
        if value is None:
            raise TypeError
        return jnp.asarray(value)
    except (TypeError, ValueError, OverflowError):
        fail(name, value, "pass numbers, in an array of one shape, that fit in 64 bits")


def real_array(name: str, value: Any, ndim: int | tuple[int, ...], keep_dtype: bool = False) -> jax.Array:
    """`value` as an array of real numbers in float64, or in its own precision, with `ndim` axes, all finite."""
    allowed = (ndim,) if isinstance(ndim, int) else ndim
    array = numbers(name, value)
    if array.ndim not in allowed:
        fail(f"the shape of {name}", array.shape, f"pass an array with {' or '.join(map(str, allowed))} axes")
    if jnp.issubdtype(array.dtype, jnp.complexfloating):
        fail(f"the dtype of {name}", str(array.dtype), "pass real numbers")
    if not (keep_dtype and jnp.issubdtype(array.dtype, jnp.floating)):
        array = array.astype(float)
    if concrete(array) and not np.isfinite(array).all():
        fail(name, value, "every entry must be a finite number")
    return array


def point(name: str, value: Any, problem: Any, keep_dtype: bool = False) -> jax.Array:
    """A parameter vector (D,), in float64 or its own dtype, at which the loss of `problem` is one finite number."""
    if not callable(getattr(problem, "loss", None)):
        fail("problem", problem, "pass a Loss, a LeastSquares or a SparseRegression")
    x = real_array(name, value, 1, keep_dtype)
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
    if not keep_dtype and loss.dtype != x.dtype:
        fail(
            "the dtype of the loss",
            str(loss.dtype),
            f"at {name} in {x.dtype} it must be that; take the casts out of the loss or the model, for a Hessian's "
            "rank is not seen in less",
        )
    return x


def coarseness(value: Any, size: int) -> float:
    """How far rounding moves the eigenvalues of a matrix (`size`, `size`) typed in less than float64; 0 in float64."""
    dtype = numbers("value", value).dtype
    if not jnp.issubdtype(dtype, jnp.floating) or dtype == jnp.float64:
        return 0.0
    return 4 * max(size, 1) * float(jnp.finfo(dtype).eps)


def smooth(problem: Any, name: str, x: jax.Array, *derivatives: Any) -> None:
    """Raise ValueError where derivatives of the loss at the concrete point `x` are not finite."""
    if concrete(problem, x, derivatives) and not all(
        np.isfinite(leaf).all() for leaf in jax.tree.leaves(derivatives)
    ):
        fail(
            name,
            x,
            "the loss is finite there but its derivatives are not: it is not smooth, or written with a root or a norm "
            "of zero; write jnp.sum(r**2) for jnp.linalg.norm(r)**2, or move the point",
        )


@jax.jit
def _loss(problem: Any, x: jax.Array) -> jax.Array:
    return problem.loss(x)


def times(name: str, value: Any) -> jax.Array:
    """Times (k,), which may be infinite."""
    array = numbers(name, value)
    if array.ndim != 1 or jnp.issubdtype(array.dtype, jnp.complexfloating):
        fail(name, value, "pass an array of times (k,)")
    return array.astype(float)


def scalar(name: str, value: Any, holds: Callable[[float], bool], remedy: str) -> None:
    """One real number with a property."""
    number = value
    if not isinstance(value, float):  # three Arrays of one took a fifth of the time of a closed form
        number = numbers(name, value)
        if number.ndim != 0 or jnp.issubdtype(number.dtype, jnp.complexfloating):
            fail(name, value, "pass a single real number")
    if concrete(number) and not (np.isfinite(number) and holds(float(number))):
        fail(name, value, remedy)


def finite(name: str, value: Any) -> None:
    scalar(name, value, lambda number: True, "pass a finite number")


def positive(name: str, value: Any) -> None:
    scalar(name, value, lambda number: number > 0, "pass a positive finite number")


def nonnegative(name: str, value: Any) -> None:
    scalar(name, value, lambda number: number >= 0, "pass a finite number that is zero or positive")


# More than fits in the memory of any machine, or in its day.
_MOST = 10**12


def count(name: str, value: Any, least: int = 1) -> int:
    """A whole number that is at least `least`."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        fail(name, value, "pass a whole number")
    if value < least:
        fail(name, value, f"pass at least {least}")
    if value > _MOST:
        fail(name, value, f"pass at most {_MOST}")
    return int(value)


def one_of(name: str, value: Any, choices: tuple[str, ...]) -> None:
    if not isinstance(value, str) or value not in choices:
        fail(name, value, f"choose one of {', '.join(map(repr, choices))}")


def covariance(name: str, value: Any, dimension: int | None = None, beside: str = "x") -> jax.Array:
    """A symmetric positive semidefinite matrix (D, D), with the D of the argument `beside`."""
    matrix = real_array(name, value, 2)
    size = matrix.shape[0] if dimension is None else dimension
    if matrix.shape != (size, size):
        why = "" if dimension is None else f", to match {beside}"
        fail(f"the shape of {name}", matrix.shape, f"pass a square matrix ({size}, {size}){why}")
    if concrete(matrix):
        scale = float(jnp.abs(matrix).max(initial=0.0))
        rounding = max(1e-8, coarseness(value, size))
        if float(jnp.abs(matrix - matrix.T).max(initial=0.0)) > rounding * scale:
            fail(name, value, f"a covariance is symmetric; pass (A + A.T)/2 if {name} is A up to rounding")
        least = float(jnp.linalg.eigvalsh(matrix).min(initial=0.0))
        if least < -rounding * scale:
            fail(name, value, f"a covariance has no negative eigenvalue, this one has {least:.3g}")
    return matrix


# What a square matrix may take without a word.
_QUIET = 1e9


def room(what: str, size: int, number: int, instead: str) -> None:
    """Before `number` matrices (`size`, `size`) are made: ValueError if they do not fit, a warning if large."""
    needed = 8.0 * number * size**2
    if needed <= _QUIET:
        return
    matrices = "a matrix D x D" if number == 1 else f"{number} matrices D x D"
    says = f"{what} needs {matrices}, D = {size}, {needed / 1e9:.3g} GB"
    if needed > memory():
        raise ValueError(f"{says}, and this machine has {memory() / 1e9:.3g} GB: {instead}")
    warnings.warn(f"{says}: {instead}", stacklevel=3)


def memory() -> float:
    """Bytes of memory of this machine, 16 GB where it does not tell."""
    try:
        return float(os.sysconf("SC_PAGE_SIZE")) * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):  # Windows has no such names
        return 16e9


def keys(key: Any) -> None:
    """One JAX key, or an array of them (R,)."""
    if not isinstance(key, jax.Array) or not jnp.issubdtype(key.dtype, jax.dtypes.prng_key) or key.ndim > 1:
        fail("key", key, "pass jax.random.key(seed), or jax.random.split(key, R) for R replicas")
    if key.ndim and "rbg" in str(jax.random.key_impl(key)):
        warnings.warn(
            f"key = {key.size} keys of kind {jax.random.key_impl(key)}: under vmap such keys give other numbers "
            "together than alone, so a replica depends on what runs beside it; for replicas that do not, split "
            'jax.random.key(seed, impl="threefry2x32")',
            stacklevel=4,
        )
