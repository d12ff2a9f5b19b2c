"""The trace of the Hessian, which label noise lowers."""

from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from labnoise import _checks
from labnoise.problems._examples import Examples
from labnoise.problems._loss import Loss

# Of the Hessian with a vector: more take hours.
_MOST_PRODUCTS = 20_000
_PROBES = 8
_NEGLIGIBLE = 1e-6


def sharpness(problem: Loss, x: Array) -> Array:
    """The trace of the Hessian, `tr ∇²L(x)`, at any point x (D,), shape ().

    Label noise of strength c, `Σ = c∇²L`, makes SGD descend this function along Γ:
    `dY/dt = −(c/4) T∇tr∇²L`, t = η²·steps (Li, Wang & Arora 2022, corollary 5.2).

    Exact up to rounding, by D products of the Hessian with a vector. Where D is larger than 20 000 these would take
    hours: there it is for a mean over examples with fewer outputs than parameters, on Γ, where the Hessian is Gauss and
    Newton's matrix and its trace a sum over gradients of outputs. What is off Γ is seen by a few products with random
    signs, and refused.

    Raises
    ------
    ValueError
        If `x` is not a finite vector at which the loss and its second derivatives are finite, or D is larger than
        20 000 and `x` not on Γ. Under `jit` that is NaN.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> from labnoise import Loss, sharpness
    >>> float(sharpness(Loss(lambda x: 0.5 * (1 + x[0] ** 2) * x[1] ** 2), jnp.array([2.0, 0.0])))
    5.0
    """
    x = _checks.point("x", x, problem)
    if on_manifold_only(problem, x):
        return _on_manifold(problem, x)
    own = problem.own_sharpness(x)
    trace = _sharpness(problem, x) if own is None else own
    _checks.smooth(problem, "x", x, trace)
    return trace


def on_manifold_only(problem: Loss, x: Array) -> bool:
    """Whether the products of the Hessian would be too many, and Gauss and Newton's matrix has to do, on Γ."""
    many = x.size > _MOST_PRODUCTS and problem.own_sharpness(x) is None
    return many and isinstance(problem, Examples) and problem.codimension < x.size


def _on_manifold(problem: Any, x: Array) -> Array:
    trace, rest = _by_examples(problem, x)
    _checks.smooth(problem, "x", x, trace, rest)
    if _checks.concrete(rest) and not rest <= _NEGLIGIBLE * trace:
        _checks.fail(
            "x",
            x,
            f"it is not on Γ: Gauss and Newton's part of the sharpness is {float(trace):.6g}, and the other about "
            f"{float(rest):.1g}, known only by D = {x.size} products of the Hessian; pass project(problem, x)",
        )
    return jnp.where(rest <= _NEGLIGIBLE * trace, trace, jnp.nan)


@jax.custom_jvp
@jax.jit
def _by_examples(problem: Examples, x: Array) -> tuple[Array, Array]:
    """The trace of Gauss and Newton's matrix, and the size of what it leaves out, from a few random signs."""
    K, _ = problem.conditions(x)
    outputs = problem.outputs(x)
    slopes = problem.slopes(outputs, problem.targets) / problem.num_examples

    def left_out(
        signs: Array,
    ) -> Array:  # ⟨slopes, ∇²f⟩ between two equal vectors of signs: its mean is the trace
        slope = jax.grad(lambda x: jnp.vdot(slopes, problem.outputs(x)))
        return jnp.vdot(signs, jax.jvp(slope, (x,), (signs,))[1])

    signs = jax.random.rademacher(jax.random.key(0), (_PROBES, x.size), x.dtype)
    return jnp.sum(K**2) / problem.num_examples, jnp.abs(jax.lax.map(left_out, signs)).max()


@_by_examples.defjvp
def _by_examples_jvp(primals: Any, tangents: Any) -> Any:
    # across Γ the slope of what is left out is not zero: the exact one takes its D products
    slope = jax.jvp(_sharpness, primals, tangents)[1]
    trace, rest = _by_examples(*primals)
    return (trace, rest), (slope, jnp.zeros_like(rest))


@jax.jit
def _sharpness(problem: Loss, x: Array) -> Array:
    def curvature(direction: Array) -> Array:
        return jnp.vdot(direction, jax.jvp(problem.gradient, (x,), (direction,))[1])

    def along(axis: Array) -> Array:
        return curvature(jnp.zeros_like(x).at[axis].set(1.0))

    # a few Hessian-vector products at a time, along axes that are made when they are needed: nothing is D x D
    return jax.lax.map(along, jnp.arange(x.size), batch_size=64).sum()
