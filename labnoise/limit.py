"""The limit of label-noise SGD as a deterministic flow on Γ (Li, Wang & Arora 2022, corollary 5.2, section
6)."""

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from labnoise import _checks
from labnoise.dual import RESIDUAL, dual_projection, explain_no_projection
from labnoise.losses import LeastSquares
from labnoise.sparse import SparseRegression


def label_noise_flow(problem: LeastSquares, x0: Array, t: Array, delta: Array | float) -> Array:
    """The limit of SGD with label noise, batch size 1, at the times t = η²·steps.

    `dY/dt = −(c/4) T∇tr∇²L(Y)`, Y(0) = Φ(x0), with `Σ = c∇²L`, `c = 2sδ²`, s = `problem.loss_scale`. For the
    sparse model this has the closed form

        Y(t) = Φ(x0 ⊙ e^{−4sctm}),    m = `problem.second_moments` (once for u and once for v):

    label noise acts as gradient descent from an ever smaller initialization. As t → ∞ it ends at the basis
    pursuit with weights m, where that has one solution.

    Parameters
    ----------
    problem : LeastSquares
    x0 : (D,)
    t : (k,), times ≥ 0; `inf` is allowed for concrete times and a `SparseRegression`
    delta : size of the label perturbation, a number ≥ 0

    Returns
    -------
    (k, D)

    Raises
    ------
    ValueError
        If an argument is bad or the projection does not converge.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> from labnoise import SparseRegression, label_noise_flow
    >>> problem = SparseRegression(jnp.array([[1.0, 2.0]]), jnp.array([2.0]), parametrization="square")
    >>> path = label_noise_flow(problem, jnp.ones(2), jnp.array([0.0, 0.1, jnp.inf]), delta=1.0)
    >>> (path**2).round(3).tolist()
    [[0.781, 0.61], [1.75, 0.125], [2.0, 0.0]]
    """
    x0 = _checks.point("x0", x0, problem)
    if jnp.ndim(t) != 1:
        _checks.fail("t", t, "pass an array of times (k,)")
    t = jnp.asarray(t, float)
    if _checks.concrete(t) and not (t >= 0).all():
        _checks.fail("t", t, "times are zero or positive")
    _checks.nonnegative("delta", delta)
    if not isinstance(problem, SparseRegression):
        raise NotImplementedError("the flow of a general LeastSquares comes with milestone 2")
    return _anneal(problem, x0, t, delta)


def _anneal(problem: SparseRegression, x0: Array, t: Array, delta: Array | float) -> Array:
    ends = jnp.isinf(t)
    path, residuals = _anneal_to(problem, x0, jnp.where(ends, 0.0, t), delta)
    path = jnp.where(residuals[:, None] < RESIDUAL, path, jnp.nan)
    if _checks.concrete(path, ends):
        explain_no_projection(x0, residuals.max())
        if ends.any():
            path = path.at[np.flatnonzero(ends)].set(_end_of_anneal(problem, x0))
    return path


@jax.jit
def _anneal_to(problem: SparseRegression, x0: Array, t: Array, delta: Array | float) -> tuple[Array, Array]:
    scale, moments = problem.loss_scale, problem.second_moments
    rate = 4 * scale * (2 * scale * delta**2) * jnp.tile(moments, x0.size // moments.size)
    return jax.lax.map(lambda time: dual_projection(problem, x0, -rate * time), t)


def _end_of_anneal(problem: SparseRegression, x0: Array) -> Array:
    w = problem.basis_pursuit(problem.second_moments)
    parts = [w] if problem.parametrization == "square" else [w, -w]
    return jnp.sign(x0) * jnp.sqrt(jnp.maximum(jnp.concatenate(parts), 0.0))
