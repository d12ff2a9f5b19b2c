"""The gradient-flow projection Φ onto the manifold Γ (Li, Wang & Arora 2022, section 4).

`Φ(x) = lim φ(x, t)`, t → ∞, where `dφ/dt = −∇L(φ)`, φ(x, 0) = x.
"""

from functools import partial

import jax
import jax.numpy as jnp
from jax import Array

from labnoise import _checks
from labnoise._linalg import RANK, kernel_projection, pseudo_inverse
from labnoise.limits._gradient_flow import LIMITS, Solved, explain_unfinished, flow, settled
from labnoise.limits._runge_kutta import Limits, checked_limits
from labnoise.problems import Examples, Loss
from labnoise.problems._kinks import kink_at
from labnoise.problems._preconditioned import precondition

# A point further from Γ than the first, beside its size, is none of it; whole Hessians of so many parameters are cheap.
_OFF, _FEW = 1e-6, 2000
# Of the gradient, after which the path may have passed a saddle; how far beside a start another one lies that rounding
# may take for it; and which ends are not the same.
_RISEN, _BESIDE, _APART = 10.0, 1e-11, 1e-3


def project(
    problem: Loss,
    x0: Array,
    preconditioner: Array | None = None,
    tolerance: float = LIMITS.tolerance,
    max_steps: int = LIMITS.max_steps,
) -> Array:
    """`Φ(x0) = lim φ(x0, t)` as t → ∞, the point of Γ that gradient flow `dφ/dt = −∇L(φ)` from `x0` reaches.

    Li, Wang & Arora (2022), section 4. For a `SparseRegression` by an n-dimensional convex problem, without an ODE;
    otherwise by the implicit integrator of `gradient_flow`, matrix-free for least squares. `∂Φ(x)∇L(x) = 0`
    everywhere (Lemma 1), and `∂Φ = T` on Γ (Lemma 2).

    Under a preconditioner P, Φ_P: the end of `dx/dt = −P∇L(x)`, with the same Γ. On it `∂Φ_P = T_P`, which projects
    on the tangent space along P times the normals.

    Parameters
    ----------
    problem : Loss
    x0 : (D,)
    preconditioner : P, a diagonal (D,) or a matrix (D, D), symmetric and positive definite; by default the identity
    tolerance, max_steps : number > 0, int ≥ 1
        Of the integrator of `gradient_flow`, where that is used.

    Returns
    -------
    (D,), differentiable twice in `x0` and in the arrays of `problem`, on Γ and off it

    Raises
    ------
    ValueError
        If `x0` or P is bad, if the flow does not settle, or if it ends where L has no minimum: under `jit` the result
        is NaN instead. And if it passes a saddle so closely that rounding decides where it ends, which `jit` does not
        see.

    Examples
    --------
    >>> import jax, jax.numpy as jnp
    >>> from labnoise import landscapes, project
    >>> hyperbola, x0 = landscapes.hyperbola(), jnp.array([2.0, 1.0])
    >>> end = project(hyperbola, x0)
    >>> bool(jnp.allclose(end[0] ** 2 - end[1] ** 2, 3.0)), bool(jnp.allclose(end[0] * end[1], 1.0))
    (True, True)
    >>> slope = jax.jacobian(lambda x: project(hyperbola, x))(x0)
    >>> bool(jnp.allclose(slope @ hyperbola.gradient(x0), 0.0, atol=1e-9))
    True
    >>> end = project(hyperbola, x0, preconditioner=jnp.array([1.0, 4.0]))
    >>> bool(jnp.allclose(4 * end[0] ** 2 - end[1] ** 2, 15.0)), bool(jnp.allclose(end[0] * end[1], 1.0))
    (True, True)
    """
    x0 = _checks.point("x0", x0, problem)
    limits = checked_limits(tolerance, max_steps)
    if preconditioner is not None:
        inner = precondition(problem, preconditioner, x0.size)
        return inner.outward(_project(inner, inner.inward(x0), limits))
    return _project(problem, x0, limits)


def _project(problem: Loss, x0: Array, limits: Limits) -> Array:
    own = problem.own_projection(x0)
    if own is not None:
        return own
    result = _project_by_flow(problem, x0, limits)
    explain_unfinished(problem, x0, result, limits)
    if _checks.concrete(problem, result) and (complaint := problem.complaint(result.x)):
        _checks.fail("x0", x0, complaint)
    if _checks.concrete(problem, x0, result) and result.rise > _RISEN:
        _require_clear_side(problem, x0, result.x, limits)
    return settled(result)


def _require_clear_side(problem: Loss, x0: Array, end: Array, limits: Limits) -> None:
    """Raise ValueError where starts that rounding cannot tell from `x0` end elsewhere, on another side of a saddle."""
    signs = jax.random.rademacher(jax.random.key(0), x0.shape, x0.dtype)
    for side in (-_BESIDE, _BESIDE):
        other = _project_by_flow(problem, x0 + side * jnp.abs(x0).max() * signs, limits)
        away = float(jnp.linalg.norm(other.x - end))
        if not away <= _APART * float(jnp.linalg.norm(end)):
            _checks.fail(
                "x0",
                x0,
                "gradient flow from here passes a saddle so closely that rounding decides on which side it leaves: "
                f"from a start {abs(side):.0e}·|x0| beside it it ends {away:.2g} away; move the start to one side",
            )


@partial(jax.jit, static_argnames="limits")
def _project_by_flow(problem: Loss, x0: Array, limits: Limits) -> Solved:
    return flow(problem, x0, jnp.asarray(jnp.inf, x0.dtype), limits)


def tangent_projection(problem: Loss, x: Array) -> Array:
    """`T = I − H†H`, the projection on the tangent space of Γ at its point `x`, shape (D, D); `∂Φ = T` there.

    Li, Wang & Arora (2022), lemma 2 of their poster: `∂Φ` on Γ is this projection.

    Parameters
    ----------
    problem : Loss
    x : (D,), a point of Γ

    Raises
    ------
    ValueError
        If `x` is not on Γ, the loss is not smooth there, or the rank of ∇²L is not clear. A point in float32 is taken
        to Γ first; under `jit` it is refused.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> from labnoise import landscapes, tangent_projection
    >>> tangent_projection(landscapes.circle(), jnp.array([0.6, 0.8])).round(6).tolist()
    [[0.64, -0.48], [-0.48, 0.36]]
    """
    x = on_manifold(problem, x)
    return _tangent_projection(problem, x)


@jax.jit
def _tangent_projection(problem: Loss, x: Array) -> Array:
    H = problem.hessian(x)
    return kernel_projection(H, pseudo_inverse(H))


def on_manifold(problem: Loss, x: Array) -> Array:
    """`x`, after checking that it is a point of Γ at which the rank of ∇²L is clear."""
    typed, x = x, _checks.point("x", x, problem)
    rounding = _checks.coarseness(typed, 1)
    if not _checks.concrete(problem, x):
        if rounding:
            dtype = str(_checks.numbers("x", typed).dtype)
            _checks.fail("the dtype of x", dtype, "pass a point of Γ in float64: project(problem, x) is one")
        return x
    if rounding:  # so far off Γ does rounding take a point, and the rank of ∇²L would not be seen there
        nearest, size = project(problem, x), float(jnp.linalg.norm(x))
        away = float(jnp.linalg.norm(nearest - x))
        if away > max(1e-6, 10 * rounding) * (1 + size):
            _checks.fail("x", x, f"this point is about {away:.1e} away from Γ; pass project(problem, x)")
        x = nearest
    if kink := kink_at(problem, x):
        _checks.fail("x", x, f"it is at a kink: beside it {kink}")
    distance = _among_examples(problem, x)
    if distance is None:
        H = problem.hessian(x)
        _checks.smooth(problem, "x", x, problem.gradient(x), H)
        clear_rank("the Hessian at x", H)
        distance = float(jnp.linalg.norm(pseudo_inverse(H) @ problem.gradient(x)))
    if distance > _OFF * (1 + float(jnp.linalg.norm(x))):
        _checks.fail("x", x, f"this point is about {distance:.1e} away from Γ; pass project(problem, x)")
    return x


def _among_examples(problem: Loss, x: Array) -> float | None:
    """The distance of a concrete `x` from Γ, whose rank was found clear; None where only the whole Hessian tells it."""
    if not isinstance(problem, Examples) or problem.codimension >= x.size:
        return None
    K, misfit = problem.conditions(x)
    _checks.smooth(problem, "x", x, K, misfit)
    G = K @ K.T
    solved = pseudo_inverse(G) @ misfit
    size, unfitted = jnp.linalg.norm(misfit), jnp.linalg.norm(misfit - G @ solved)
    if size > 1e-6 * (1 + jnp.abs(problem.targets).max()) and unfitted > 1e-3 * size:
        return None  # dependent examples that cannot all be fitted: the Hessian is more than KᵀK/n
    distance = float(jnp.linalg.norm(solved @ K))
    if distance > _OFF * (1 + float(jnp.linalg.norm(x))) and x.size <= _FEW:
        return None  # off Γ the whole Hessian says more, such as that it is indefinite
    clear_rank("the Hessian at x, among the examples,", G / problem.num_examples)
    return distance


def clear_rank(name: str, H: Array) -> None:
    """Raise ValueError unless each eigenvalue of the concrete H is either positive or zero beyond doubt."""
    eigenvalues = jnp.linalg.eigvalsh(H)
    largest = float(jnp.abs(eigenvalues).max())
    if float(eigenvalues[0]) < -1e-6 * largest:
        _checks.fail(
            name, H, f"it has the negative eigenvalue {float(eigenvalues[0]):.2e}; Γ consists of minima"
        )
    doubtful = eigenvalues[
        (jnp.abs(eigenvalues) > RANK / 100 * largest) & (jnp.abs(eigenvalues) < RANK * 100 * largest)
    ]
    if doubtful.size:
        _checks.fail(
            name,
            H,
            f"its rank is not clear, the eigenvalue {float(doubtful[0]):.1e} is neither zero nor positive "
            f"beside {largest:.1e}; the theory needs a Hessian of constant rank",
        )
