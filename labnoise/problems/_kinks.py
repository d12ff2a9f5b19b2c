"""Kinks: where a loss is not smooth, seen by a unit that switches, such as a ReLU whose input changes its sign.

The theory asks for three derivatives. On a piece where nothing switches it holds, and derivatives by JAX are those of
the piece: at a kink they are blind. What switches is found in the program of the model: each `max`, `min`, `abs`,
`sign` and choice. Since smooth functions are written with these too, such as softplus, a switch is a kink only if
derivatives jump there.
"""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.extend.core import ClosedJaxpr, Jaxpr, Literal

from labnoise.problems._examples import Examples
from labnoise.problems._loss import Loss

_SWITCHES = ("max", "min", "abs", "sign", "select_n")
_CALLS = ("jit", "pjit", "custom_jvp_call", "custom_vjp_call", "closed_call", "remat", "checkpoint")
_HALVINGS = 45
_JUMP = 1e-4  # of the size of a derivative, across 1e-9 of the way


def kink_between(problem: Loss, x: Array, y: Array) -> str | None:
    """What is to be said of a kink on the straight way between the concrete points `x` and `y` (D,); None without."""
    program = jax.make_jaxpr(_model(problem))(x)
    return _between(problem, program, x, y) if _has_switches(program.jaxpr) else None


def kink_at(problem: Loss, x: Array) -> str | None:
    """The same for a kink within 1e-7 of the concrete point `x` (D,), in one of three directions."""
    program = jax.make_jaxpr(_model(problem))(x)
    if not _has_switches(program.jaxpr):
        return None
    step = 1e-7 * (1 + jnp.linalg.norm(x))
    for direction in np.random.default_rng(0).standard_normal((3, x.size)):
        move = step * direction / np.linalg.norm(direction)
        if found := _between(problem, program, x - move, x + move):
            return found
    return None


def _model(problem: Loss) -> Callable[[Array], Array]:
    return problem.outputs if isinstance(problem, Examples) else problem.loss


def _between(problem: Loss, program: ClosedJaxpr, x: Array, y: Array) -> str | None:
    def state(s: float) -> np.ndarray:
        seen: list[np.ndarray] = []
        _run(program.jaxpr, program.consts, [x + s * (y - x)], seen)
        return np.concatenate([np.ravel(one) for one in seen]) if seen else np.zeros(0, bool)

    first, last = state(0.0), state(1.0)
    number = int((first != last).sum())
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS if number else 0):
        middle = (low + high) / 2
        low, high = (low, middle) if (state(middle) != first).any() else (middle, high)
    if not number or not _jumps(problem, x, y - x, high):
        return None
    return (
        f"{number} of {first.size} places where the model chooses, as a ReLU does by the sign of its input, switch: a "
        "kink, where the loss is not smooth and the theory says nothing. What is computed is right on each piece; stay "
        "on one, or take a smooth unit such as softplus or tanh"
    )


def _jumps(problem: Loss, x: Array, way: Array, s: float) -> bool:
    """Whether the first or second derivative along the way jumps at s."""

    def slope(s: Array) -> Array:
        return jax.jvp(lambda s: _model(problem)(x + s * way), (s,), (jnp.ones_like(s),))[1]

    def derivatives(s: float) -> tuple[Array, Array]:
        return jax.jvp(slope, (jnp.asarray(s),), (jnp.ones(()),))

    for before, after in zip(derivatives(s - 1e-9), derivatives(s + 1e-9), strict=True):
        size = float(jnp.maximum(jnp.abs(before).max(), jnp.abs(after).max()))
        if float(jnp.abs(after - before).max()) > _JUMP * size > 0:
            return True
    return False


def _inner(equation: Any) -> Any:
    """The program that an equation calls, as it is; None for all others."""
    if equation.primitive.name not in _CALLS:
        return None
    return equation.params.get("jaxpr", equation.params.get("call_jaxpr"))


def _has_switches(program: Jaxpr) -> bool:
    for equation in program.eqns:
        inner = _inner(equation)
        if equation.primitive.name in _SWITCHES or (
            inner is not None and _has_switches(getattr(inner, "jaxpr", inner))
        ):
            return True
    return False


def _run(
    program: Jaxpr, constants: Sequence[Any], arguments: Sequence[Any], seen: list[np.ndarray]
) -> list[Any]:
    """Run the program, and write down which way each switch falls."""
    known = dict(zip([*program.constvars, *program.invars], [*constants, *arguments], strict=True))

    def value(name: Any) -> Any:
        return name.val if isinstance(name, Literal) else known[name]

    for equation in program.eqns:
        values, primitive = [value(name) for name in equation.invars], equation.primitive
        inner = _inner(equation)
        if inner is not None:
            results = _run(getattr(inner, "jaxpr", inner), getattr(inner, "consts", ()), values, seen)
        else:
            results = primitive.bind(*values, **primitive.get_bind_params(equation.params))
            results = results if primitive.multiple_results else [results]
        if primitive.name in ("max", "min"):
            seen.append(np.asarray(values[0] > values[1]))
        elif primitive.name in ("abs", "sign"):
            seen.append(np.asarray(values[0] > 0))
        elif primitive.name == "select_n":
            seen.append(np.asarray(values[0]) != 0)
        known.update(zip(equation.outvars, results, strict=True))
    return [value(name) for name in program.outvars]
