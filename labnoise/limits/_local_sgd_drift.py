"""The limit of Local SGD: averaging changes what spreads, and with it the drift (Gu, Lyu, Huang & Arora 2023)."""

import jax
import jax.numpy as jnp
from jax import Array

from labnoise import _checks
from labnoise._linalg import spectrum
from labnoise.limits._drift import DriftTerms, terms_at
from labnoise.limits._projection import on_manifold
from labnoise.problems import Loss


def local_sgd_drift(problem: Loss, cov: Array, x: Array, workers: int, alpha: Array | float) -> DriftTerms:
    """The four terms of Local SGD at the point `x` of Γ, per unit of t = η²·(steps of one worker).

    With K workers and α = η·(steps between two averages) they are those of `drift_terms` for the covariance Σ of one
    worker with its entry (i, j), in an eigenbasis of ∇²L, multiplied by

        1/K + (1 − 1/K) ψ(α(λ_i + λ_j)),      ψ(a) = (a − 1 + e^{−a})/a,  ψ(0) = 0.

    So tangent noise and compensation are those of Σ/K; the mixed term has ψ(αλ_i); and the normal term grows from
    that of Σ/K at α → 0, an average after each step, to that of Σ itself as α → ∞, K times as much. For label noise,
    Σ = cH, H = ∇²L, it is `−T∇R` with `R = (c/4)[tr H/K + (1 − 1/K) tr F_α(H)]`, F_α'(λ) = ψ(2αλ).
    That Local SGD has a stronger drift is shown by Gu, Lyu, Huang & Arora (2023).

    Parameters
    ----------
    problem : Loss
    cov : Σ (D, D), of one worker's gradient
    x : (D,), a point of Γ
    workers : K ≥ 1
    alpha : α ≥ 0

    Returns
    -------
    DriftTerms

    Raises
    ------
    ValueError
        If `cov` is no covariance, `x` is not on Γ, K < 1, α < 0, or the rank of ∇²L is not clear at x.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> from labnoise import landscapes, local_sgd_drift
    >>> circle, x = landscapes.circle(a=0.5, b=0.25, d=0.5), jnp.array([1.0, 0.0])
    >>> terms = local_sgd_drift(circle, circle.cov(x), x, workers=4, alpha=1.0)
    >>> terms.mixed.round(4).tolist(), terms.tangent_noise.round(4).tolist()       # λ = 1, ψ(1) = 1/e
    ([0.0, -0.1315], [[0.0, 0.0], [0.0, 0.125]])
    """
    x = on_manifold(problem, x)
    cov = _checks.covariance("cov", cov, x.size)
    workers = _checks.count("workers", workers)
    _checks.nonnegative("alpha", alpha)
    terms = _local_sgd_drift(problem, cov, x, float(workers), alpha)
    _checks.smooth(problem, "x", x, terms)
    return terms


@jax.jit
def _local_sgd_drift(
    problem: Loss, cov: Array, x: Array, workers: Array | float, alpha: Array | float
) -> DriftTerms:
    eigenvalues, nonzero, Q = spectrum(problem.hessian(x))
    curvatures = jnp.where(nonzero, eigenvalues, 0.0)
    spread = 1 / workers + (1 - 1 / workers) * relaxed(alpha * (curvatures[:, None] + curvatures))
    return terms_at(problem, Q @ (spread * (Q.T @ cov @ Q)) @ Q.T, x)


def relaxed(a: Array) -> Array:
    """`ψ(a) = (a − 1 + e^{−a})/a` for a ≥ 0, without the cancellation at small a."""
    small = a < 1e-2
    safe = jnp.where(small, 1.0, a)
    series = a / 2 * (1 - a / 3 * (1 - a / 4 * (1 - a / 5 * (1 - a / 6 * (1 - a / 7)))))
    return jnp.where(small, series, (safe + jnp.expm1(-safe)) / safe)
