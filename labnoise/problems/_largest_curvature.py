"""The largest eigenvalue of the Hessian, by Lanczos' method: which sharpness-aware steps lower."""

from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from labnoise import _checks
from labnoise.problems._loss import Loss

_KRYLOV = 24  # directions of a round, or D if that is less, which then finds the eigenvalue in one
_ROUNDS = 200
_TOLERANCE = 1e-12  # of |Hv − λv|, beside the size of H; the eigenvalue itself is off by the square of that
_ACCEPTED = 1e-6


def largest_curvature(problem: Loss, x: Array) -> Array:
    """`λ_max(∇²L(x))`, the largest eigenvalue of the Hessian, at any point x (D,), shape ().

    By products of the Hessian with vectors alone: Lanczos' method (1950), begun anew from the best vector found. Where
    the eigenvalue is simple it can be differentiated any number of times, with slope `∂²(∇L)[vvᵀ]`, v its unit
    eigenvector; where it is not there is no gradient, and what JAX returns is that of one of the branches. Half of it
    is what full-batch `SharpnessAware` descends along Γ (Wen, Ma & Li 2023).

    Returns
    -------
    ()
        Under `jit` NaN where the method did not converge.

    Raises
    ------
    ValueError
        If `x` is not a finite vector at which the loss is finite, or the method does not converge.

    Examples
    --------
    >>> import jax, jax.numpy as jnp
    >>> from labnoise import Loss, largest_curvature
    >>> loss = Loss(lambda x: 0.5 * (1 + x[0] ** 2) * x[1] ** 2 + x[2] ** 2)
    >>> float(largest_curvature(loss, jnp.array([2.0, 0.0, 0.0])).round(6))
    5.0
    >>> float(jax.grad(lambda x: largest_curvature(loss, x))(jnp.array([2.0, 0.0, 0.0]))[0].round(6))
    4.0
    """
    x = _checks.point("x", x, problem)
    value, left = _largest_curvature(problem, x)
    if _checks.concrete(left) and not left <= _ACCEPTED:
        _checks.smooth(problem, "x", x, problem.gradient(x), _product(problem, x, jnp.ones_like(x)))
        _checks.fail(
            "x", x, f"here Lanczos' method was still off by {float(left):.1e} after {_ROUNDS} rounds"
        )
    return value


@jax.jit
def _largest_curvature(problem: Loss, x: Array) -> tuple[Array, Array]:
    value, _, left = _top(problem, x)
    return jnp.where(left <= _ACCEPTED, value, jnp.nan), left


def _product(problem: Loss, x: Array, vector: Array) -> Array:
    return jax.jvp(problem.gradient, (x,), (vector,))[1]


@jax.custom_jvp
def _top(problem: Loss, x: Array) -> tuple[Array, Array, Array]:
    """λ, its unit eigenvector v (D,), and `|Hv − λv|` relative to the size of H."""
    product = jax.linearize(problem.gradient, x)[1]
    size = min(_KRYLOV, x.size)

    def extend(i: Array | int, state: tuple[Array, Array, Array]) -> tuple[Array, Array, Array]:
        basis, images, vector = state
        for _ in range(2):  # once leaves what rounding has mixed in
            vector = vector - (basis @ vector) @ basis
        length = jnp.linalg.norm(vector)
        vector = jnp.where(length > 1e-300, vector / jnp.where(length > 1e-300, length, 1.0), 0.0)
        image = product(vector)
        return basis.at[i].set(vector), images.at[i].set(image), image

    def rounds(state: tuple[Array, Array, Array, Array]) -> tuple[Array, Array, Array, Array]:
        _, vector, _, number = state
        empty = jnp.zeros((size, x.size), x.dtype)
        basis, images, _ = jax.lax.fori_loop(0, size, extend, (empty, empty, vector))
        within = basis @ images.T
        # a direction that is none, where the space is exhausted, must not pass for the eigenvalue 0
        absent = jnp.where(jnp.sum(basis**2, axis=1) > 0.5, 0.0, -2 * jnp.abs(within).max() - 1.0)
        values, vectors = jnp.linalg.eigh(0.5 * (within + within.T) + jnp.diag(absent))
        best = vectors[:, -1] @ basis
        best = best / jnp.linalg.norm(best)
        scale = jnp.abs(values * (jnp.abs(vectors) ** 2 @ jnp.ones(size))).max() + 1e-300
        left = jnp.linalg.norm(vectors[:, -1] @ images - values[-1] * best) / scale
        return values[-1], best, left, number + 1

    def unfinished(state: tuple[Array, Array, Array, Array]) -> Array:
        return (state[2] > _TOLERANCE) & (state[3] < _ROUNDS)

    start = jax.random.normal(jax.random.key(0), x.shape, x.dtype)
    infinity = jnp.asarray(jnp.inf, x.dtype)
    value, vector, left, _ = jax.lax.while_loop(
        unfinished, rounds, (infinity, start, infinity, jnp.asarray(0))
    )
    return value, vector, left


@_top.defjvp
def _top_jvp(primals: Any, tangents: Any) -> tuple[Any, Any]:
    problem, x = primals
    value, vector, left = _top(problem, x)
    turned = jax.jvp(lambda problem, x: _product(problem, x, vector), (problem, x), tangents)[1]
    slope = vector @ turned

    def shifted(u: Array) -> Array:  # λ − H beside v, positive definite where λ is simple
        along = vector @ u
        return value * u - _product(problem, x, u) + (1 + jnp.abs(value)) * along * vector

    turn = jax.scipy.sparse.linalg.cg(shifted, turned - slope * vector, tol=1e-13, maxiter=10 * x.size)[0]
    return (value, vector, left), (slope, turn - (vector @ turn) * vector, jnp.zeros_like(left))
