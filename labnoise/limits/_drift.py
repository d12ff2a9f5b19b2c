"""The four terms of the main theorem (Li, Wang & Arora 2022, theorem 4.6).

On Γ, with H = ∇²L, `∂²(∇L)[A] = Σ_ij A_ij ∂_i∂_j∇L`, T and N the projections on the kernel and the range
of H, `Σ_∥ = TΣT`, `Σ_⊥ = NΣN`, `Σ_{⊥,∥} = NΣT` and `L_H(S) = HS + SH`:

    dY = Σ_∥^{1/2} dW − ½H†∂²(∇L)[Σ_∥] dt − T∂²(∇L)[H†Σ_{⊥,∥}] dt − ½T∂²(∇L)[L_H^{-1}(Σ_⊥)] dt

in the time t = η²·steps. The three drifts together are `½∂²Φ[Σ]`.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

from labnoise import _checks
from labnoise._linalg import hessian_matrix, kernel_projection, lyapunov, pseudo_inverse
from labnoise._shapes import shaped
from labnoise.limits._factored_drift import FactoredDriftTerms, factored_terms
from labnoise.limits._projection import clear_rank, on_manifold
from labnoise.noises import Noise
from labnoise.noises._noise import require_factor, require_noise, require_unbiased
from labnoise.problems import Examples, Loss
from labnoise.problems._preconditioned import Preconditioned, PreconditionedExamples, precondition


class DriftTerms(NamedTuple):
    """The four terms at a point of Γ.

    Attributes
    ----------
    tangent_noise : (D, D)
        Σ_∥ = TΣT, the covariance of the limit's noise per unit of t.
    compensation : (D,)
        `−½H†∂²(∇L)[Σ_∥]`, normal to Γ: it holds a path with tangent noise on Γ.
    mixed : (D,)
        `−T∂²(∇L)[H†Σ_{⊥,∥}]`, tangent to Γ; the coefficient is 1.
    normal : (D,)
        `−½T∂²(∇L)[L_H^{-1}(Σ_⊥)]`, tangent to Γ; the only term that depends on more than Γ and Σ.
    """

    tangent_noise: Array
    compensation: Array
    mixed: Array
    normal: Array

    @property
    def total(self) -> Array:
        """The sum of the three drifts, `½∂²Φ[Σ]`, shape (D,)."""
        return self.compensation + self.mixed + self.normal


def drift_terms(
    problem: Loss, cov: Array | Noise, x: Array, preconditioner: Array | None = None
) -> DriftTerms | FactoredDriftTerms:
    """The four terms of the main theorem at the point `x` of Γ for the noise covariance `cov` there.

    With H = ∇²L, T and N the projections on its kernel and its range, `Σ_∥ = TΣT`, `Σ_⊥ = NΣN`, `Σ_{⊥,∥} = NΣT`,
    `∂²(∇L)[A] = Σ_ij A_ij ∂_i∂_j∇L` and `L_H(S) = HS + SH` the limit of SGD in the time t = η²·steps is

        dY = Σ_∥^{1/2} dW
             − ½ H†∂²(∇L)[Σ_∥] dt
             − T ∂²(∇L)[H†Σ_{⊥,∥}] dt
             − ½ T ∂²(∇L)[L_H^{-1}(Σ_⊥)] dt

    in this order `tangent_noise` (as its covariance), `compensation`, `mixed` and `normal`. Li, Wang & Arora (2022),
    theorem 4.6. The three drifts together are `½∂²Φ[Σ]`.

    Under a preconditioner P, which does not change, the step is `x ← x − ηPg`. With P = FFᵀ and x = Fy that is SGD on
    `L(Fy)` with the noise FᵀΣF; its four terms, brought back by F, are returned: Σ_∥ becomes `T_P PΣP T_Pᵀ`, T_P the
    oblique projection of `project`, and the drifts together `½∂²Φ_P[PΣP]`. Where Σ = c∇²L they are
    `−(c/4) T_P P∇tr(P∇²L)`.

    Parameters
    ----------
    problem : Loss
    cov : Σ (D, D), such as `noise.covariance(x)`: of the gradient g; or the noise itself
        With a noise nothing is D x D where the problem is a mean over examples with fewer outputs than parameters.
    x : (D,), a point of Γ
    preconditioner : P, a diagonal (D,) or a matrix (D, D), symmetric and positive definite; by default the identity

    Returns
    -------
    DriftTerms
        For a noise the like, in which `tangent_noise` is made when it is asked for of `tangent_factor` (D, q), TF for
        the noise's factor F.

    Raises
    ------
    ValueError
        If `cov` is no covariance, `x` is not on Γ, the loss is not smooth there, as at a kink of a ReLU network (on
        a piece the terms are right, as far as SGD's cloud stays on it), P is not positive definite, or the rank of ∇²L
        is not clear. A point in float32 is taken to Γ first; under `jit` it is refused.

    Examples
    --------
    The circle with correlated tangent and radial noise, at θ = 0 (the tangent is the second axis):

    >>> import jax.numpy as jnp
    >>> from labnoise import LabelNoise, drift_terms, landscapes
    >>> circle, x = landscapes.circle(a=0.5, b=0.25, d=0.5), jnp.array([1.0, 0.0])
    >>> terms = drift_terms(circle, circle.cov(x), x)
    >>> terms.compensation.round(6).tolist(), (terms.mixed + 0.0).round(6).tolist()
    ([-0.25, 0.0], [0.0, -0.25])

    Label noise, passed as it is:

    >>> hyperbola, x = landscapes.hyperbola(), jnp.array([2.0, 0.5])
    >>> terms = drift_terms(hyperbola, LabelNoise(hyperbola, 0.5), x)
    >>> float((2 * x * jnp.array([1.0, -1.0]) @ terms.total).round(6))          # u² − v² = 3.75 falls at the rate 4δ²
    -3.75
    """
    x = on_manifold(problem, x)
    if isinstance(cov, Noise):
        return _terms_of_noise(problem, cov, x, preconditioner)
    cov = _checks.covariance("cov", cov, x.size)
    if preconditioner is None:
        terms = _drift_terms(problem, cov, x)
    else:
        inner = precondition(problem, preconditioner, x.size)
        if _checks.concrete(inner, x):
            clear_rank("the Hessian under the preconditioner", inner.hessian(inner.inward(x)))
        terms = _preconditioned_terms(inner, cov, x)
    _checks.smooth(problem, "x", x, terms)
    return terms


def _terms_of_noise(
    problem: Loss, noise: Noise, x: Array, preconditioner: Array | None
) -> DriftTerms | FactoredDriftTerms:
    require_noise(noise)
    require_unbiased(noise)
    noise.check_at(x)
    require_factor(noise, x)
    if not (isinstance(problem, Examples) and problem.codimension < x.size):
        return drift_terms(problem, noise.covariance(x), x, preconditioner)
    if preconditioner is None:
        terms = _factored_terms(problem, noise, x)
    else:
        inner = precondition(problem, preconditioner, x.size)
        on_manifold(inner, inner.inward(x))
        terms = _preconditioned_factored_terms(inner, noise, x)
    _checks.smooth(problem, "x", x, terms)
    return terms


@jax.jit
def _factored_terms(problem: Examples, noise: Noise, x: Array) -> FactoredDriftTerms:
    return factored_terms(problem, noise.factor(x), x)


@jax.jit
def _preconditioned_factored_terms(
    inner: PreconditionedExamples, noise: Noise, x: Array
) -> FactoredDriftTerms:
    inward = jax.vmap(inner.pulled, in_axes=1, out_axes=1)
    terms = factored_terms(inner, inward(noise.factor(x)), inner.inward(x))
    return FactoredDriftTerms(
        jax.vmap(inner.outward, in_axes=1, out_axes=1)(terms.tangent_factor), *map(inner.outward, terms[1:])
    )


@jax.jit
def _preconditioned_terms(inner: Preconditioned, cov: Array, x: Array) -> DriftTerms:
    factor = jnp.diag(inner.factor) if inner.factor.ndim == 1 else inner.factor
    terms = terms_at(inner, factor.T @ cov @ factor, inner.inward(x))
    drifts = (factor @ drift for drift in terms[1:])
    return DriftTerms(factor @ terms.tangent_noise @ factor.T, *drifts)


@shaped
def terms_at(problem: Loss, cov: Float[Array, "D D"], x: Float[Array, " D"]) -> DriftTerms:
    """As `drift_terms`, without its checks: for loops that are compiled."""
    H = problem.hessian(x)
    P = pseudo_inverse(H)
    T = kernel_projection(H, P)
    tangent = T @ cov @ T
    crossed = P @ cov @ T
    matrices = jnp.stack([tangent, 0.5 * (crossed + crossed.T), lyapunov(H, cov)])
    by_tangent, by_crossed, by_normal = third_derivative(problem, x, matrices)
    return DriftTerms(tangent, -0.5 * P @ by_tangent, -T @ by_crossed, -0.5 * T @ by_normal)


_drift_terms = jax.jit(terms_at)


@shaped
def third_derivative(
    problem: Loss, x: Float[Array, " D"], matrices: Float[Array, "k D D"]
) -> Float[Array, "k D"]:
    """`∂²(∇L)[A] = Σ_ij A_ij ∂_i∂_j∇L` at `x` for symmetric `matrices` A."""

    def along(pair: tuple[Array, Array]) -> Array:
        axis, columns = pair  # e_j (D,), and A e_j (k, D)
        _, second = jax.linearize(lambda x: jax.jvp(problem.gradient, (x,), (axis,))[1], x)
        return jax.vmap(second)(columns)

    axes = jnp.eye(x.size, dtype=x.dtype)
    # a few axes at a time: all of them at once would need D times the memory of one gradient
    return jax.lax.map(along, (axes, jnp.moveaxis(matrices, 2, 0)), batch_size=32).sum(0)


def lyapunov_solve(hessian: Array, cov: Array) -> Array:
    """`L_H^{-1}(Σ_⊥)`: the S with `HS + SH = NΣN` and range in range(H), shape (D, D).

    The stationary covariance of SGD about a point of Γ is η times this.

    Parameters
    ----------
    hessian : H (D, D), symmetric, positive semidefinite, with a clear rank
    cov : Σ (D, D)

    Raises
    ------
    ValueError
        If H is not such a matrix, or Σ is no covariance.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> from labnoise import lyapunov_solve
    >>> lyapunov_solve(jnp.diag(jnp.array([0.0, 2.0, 4.0])), 3 * jnp.ones((3, 3))).tolist()
    [[0.0, 0.0, 0.0], [0.0, 0.75, 0.5], [0.0, 0.5, 0.375]]
    """
    hessian = hessian_matrix(hessian)
    cov = _checks.covariance("cov", cov, hessian.shape[0], beside="hessian")
    if _checks.concrete(hessian):
        clear_rank("hessian", hessian)
    return lyapunov(hessian, cov)
