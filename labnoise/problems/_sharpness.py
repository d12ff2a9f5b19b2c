"""The trace of the Hessian, which label noise lowers."""

import jax
import jax.numpy as jnp
from jax import Array

from labnoise import _checks
from labnoise.problems._loss import Loss


def sharpness(problem: Loss, x: Array) -> Array:
    """The trace of the Hessian, `tr ∇²L(x)`, at any point x (D,), shape ().

    Label noise of strength c, `Σ = c∇²L`, makes SGD descend this function along Γ:
    `dY/dt = −(c/4) T∇tr∇²L`, t = η²·steps (Li, Wang & Arora 2022, corollary 5.2).

    Raises
    ------
    ValueError
        If `x` is not a finite vector at which the loss and its second derivatives are finite.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> from labnoise import Loss, sharpness
    >>> float(sharpness(Loss(lambda x: 0.5 * (1 + x[0] ** 2) * x[1] ** 2), jnp.array([2.0, 0.0])))
    5.0
    """
    x = _checks.point("x", x, problem)
    own = problem.own_sharpness(x)
    trace = _sharpness(problem, x) if own is None else own
    _checks.smooth(problem, "x", x, trace)
    return trace


@jax.jit
def _sharpness(problem: Loss, x: Array) -> Array:
    def curvature(direction: Array) -> Array:
        return jnp.vdot(direction, jax.jvp(problem.gradient, (x,), (direction,))[1])

    def along(axis: Array) -> Array:
        return curvature(jnp.zeros_like(x).at[axis].set(1.0))

    # a few Hessian-vector products at a time, along axes that are made when they are needed: nothing is D x D
    return jax.lax.map(along, jnp.arange(x.size), batch_size=64).sum()
