"""The limit of label noise under RMSProp and Adam: a preconditioner moves along with the path on Γ."""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from labnoise import _checks
from labnoise.limits._adaptive_sparse import sparse_flow
from labnoise.limits._follow import checked_times, explain_unreached, require_fit
from labnoise.limits._label_noise_flow import flow_field
from labnoise.limits._projection import project
from labnoise.limits._runge_kutta import integrate
from labnoise.problems import LeastSquares, SparseRegression


def adaptive_flow(
    problem: LeastSquares,
    x0: Array,
    t: Array,
    delta: Array | float,
    rate: Array | float,
    eps: Array | float = 1e-8,
    second_moment: Array | None = None,
) -> tuple[Array, Array]:
    """The limit of RMSProp and Adam with label noise, batch size 1, at the times t = η²·steps.

    Their steps are `V ← β₂V + (1−β₂) g⊙g`, `x ← x − ηg/(√V + ε)`. With `1 − β₂ = rate·η²`, Σ = cH on Γ, H = ∇²L and
    c = 2sδ² (s = `problem.loss_scale`) as in `label_noise_flow`, they follow for small η

        dY/dt = −(c/4) T_P P ∇tr(PH(Y)),        dV/dt = rate·(diag Σ(Y) − V),

    where `P = diag(1/(√V + ε))`, which the gradient holds fixed, and `T_P = I − PJᵀ(JPJᵀ)⁻¹J`, J = ∂f: the drift of
    `drift_terms` under the preconditioner P. Adam's momentum β₁ does not enter. This holds where 1 − β₂ is small beside
    η, so that P does not notice how the path crosses Γ; rate = inf, where V is diag Σ(Y) always, is for
    η² ≪ 1 − β₂ ≪ η.

    At ε = 0 the sum `Σ_i (Σ_ii/√V_i + √V_i)` decreases, whatever the rate, and where V has settled the flow rests where
    `tr (Diag H)^{1/2} = Σ_i √H_ii` does on Γ. In the sparse model this is, where u_jv_j = 0, a multiple of
    `Σ_j √m_j|w_j|^{1/2}`, which is concave between the zeros: many local minima, where `Σ_j m_j|w_j|` of SGD has one.

    The start. Y(0) = Φ_P(x0) under the P of V(0) = `second_moment`, which is what the optimizer begins with: V hardly
    changes while the path goes to Γ. By default the method begins on Γ with V settled, Y(0) = Φ(x0) and
    V(0) = diag Σ(Y(0)). With rate = inf V forgets V(0) at once. Adam's bias correction begins with a settled V, too,
    but the corrected V then follows at `rate/(1 − e^{−rate·t})` in place of `rate`: faster, until t is some 1/rate.

    The ends. In the sparse model a settled V vanishes together with an entry u of x, which on its own follows
    u' = −u/(2(u + e)²), e = ε/√(4cm_j·2s): u² falls at the rate 1, and near u = e this becomes a decay at the rate
    1/(2e²). At ε = 0 u stays 0 from then on, which is the limit of small ε. The flow of a `SparseRegression` passes all
    these ends, with n x n solves. That of another problem takes ever shorter steps where ε is small and an entry of
    diag Σ goes to zero, and is given up in an error that says where.

    Parameters
    ----------
    problem : LeastSquares
    x0 : (D,)
    t : (k,), finite times ≥ 0, increasing
    delta : number > 0
        Size of the label perturbation.
    rate : number > 0, or inf
        (1 − β₂)/η².
    eps : ε ≥ 0
        Added to √V, outside of the root.
    second_moment : V(0) (D,), positive; by default diag Σ at Φ(x0)

    Returns
    -------
    states : (k, D)
    second_moments : (k, D)
        Both with a local error of 1e-10, relative to their sizes; it is that of u² in a sparse model with V settled.
        Under `jit`, where a rate that is traced is finite, NaN where there is no solution.

    Raises
    ------
    ValueError
        If an argument is bad, the projection does not converge, ε = 0 and an entry of diag Σ is zero, or the flow can
        be followed only for a while.

    Examples
    --------
    On w₁ + 2w₂ = 1 label noise ends at w = (1, 0), which has the least Σ m_j w_j. Under Adam that depends on the start,
    for (0, ½) is another local minimum of Σ √m_j √w_j:

    >>> import jax.numpy as jnp
    >>> from labnoise import SparseRegression, adaptive_flow
    >>> problem = SparseRegression(jnp.array([[1.0, 2.0]]), jnp.array([1.0]), parametrization="square")
    >>> t = jnp.array([0.0, 0.1, 1.0, 3.0])
    >>> for w in ([0.36, 0.32], [0.1, 0.45]):
    ...     states, moments = adaptive_flow(problem, jnp.sqrt(jnp.array(w)), t, delta=0.5, rate=jnp.inf)
    ...     print((states[:, 0] ** 2).round(4), bool(jnp.allclose(moments, 4 * jnp.array([1.0, 4.0]) * states**2)))
    [0.36   0.3643 0.4498 1.    ] True
    [0.1    0.0505 0.     0.    ] True
    """
    if not isinstance(problem, LeastSquares):
        _checks.fail("problem", problem, "label noise needs labels: pass a LeastSquares problem")
    x0 = _checks.point("x0", x0, problem)
    t = checked_times("t", t)
    _checks.scalar("delta", delta, lambda size: 0 < size < 1e100, "pass a positive number up to 1e100")
    settled = _is_infinite(rate)
    if not settled:
        _checks.scalar("rate", rate, lambda rate: rate > 0, "pass (1 − β₂)/η² > 0, or inf: V settled always")
    _checks.nonnegative("eps", eps)
    c = problem.noise_strength(delta)
    if second_moment is None:
        start = project(problem, x0)
        V = _diagonal(problem, start, c)
    else:
        V = _moments(second_moment, x0.size)
        start = project(problem, x0, preconditioner=1 / (jnp.sqrt(V) + eps))
    if _checks.concrete(eps, V) and not (eps > 0 or isinstance(problem, SparseRegression) or (V > 0).all()):
        _checks.fail(
            "eps", eps, "diag Σ is zero at Φ(x0) in some coordinate, where P = 1/√V is infinite: pass eps > 0"
        )
    chosen = None if isinstance(problem, SparseRegression) else problem.independent(start)
    path, moments, solid, reached = _integrate(problem, start, V, t, c, eps, rate, chosen, settled)
    explain_unreached("t", t, path, solid, reached, problem, _STIFF)
    require_fit("t", t, problem, path, chosen)
    return jnp.where(solid[:, None], path, jnp.nan), jnp.where(solid[:, None], moments, jnp.nan)


_STIFF = (
    "it is stiff there, as where an entry of V goes to zero or V follows at a large rate: end earlier, or change eps "
    "or rate"
)


def _is_infinite(rate: Any) -> bool:
    _checks.numbers("rate", rate)
    return bool(_checks.concrete(rate) and np.ndim(rate) == 0 and rate == np.inf)


def _moments(second_moment: Any, size: int) -> Array:
    V = _checks.real_array("second_moment", second_moment, 1)
    if V.shape != (size,):
        _checks.fail("the shape of second_moment", V.shape, f"pass ({size},), that of x0")
    if _checks.concrete(V) and not (np.asarray(V) > 0).all():
        _checks.fail(
            "second_moment", second_moment, "pass positive numbers, mean squares of the gradient's entries"
        )
    return V


@jax.jit
def _diagonal(problem: LeastSquares, x: Array, c: Array | float) -> Array:
    """diag Σ = c diag ∇²L at `x` on Γ."""
    return c * problem.curvature / problem.num_examples * (problem.jacobian(x) ** 2).sum(0)


@partial(jax.jit, static_argnames="settled")
def _integrate(
    problem: LeastSquares,
    start: Array,
    V: Array,
    t: Array,
    c: Array | float,
    eps: Array | float,
    rate: Array | float,
    chosen: Array | None,
    settled: bool,
) -> tuple[Array, Array, Array, Array]:
    """States and second moments (k, D), which of them are right, and how far the flow came (k,)."""
    if isinstance(problem, SparseRegression):
        return sparse_flow(problem, start, None if settled else V, t, c, eps, rate)

    def root(V: Array) -> Array:
        return jnp.sqrt(jnp.maximum(V, 0.0)) + eps

    def settled_field(x: Array) -> tuple[Array, Array]:
        return flow_field(problem, x, c, 1 / root(_diagonal(problem, x, c)), chosen)

    def field(state: Array) -> tuple[Array, Array]:
        x, V = jnp.split(state, 2)
        velocity, back = flow_field(problem, x, c, 1 / root(V), chosen)
        change = rate * (_diagonal(problem, x, c) - V)
        return jnp.concatenate([velocity, change]), jnp.concatenate([back, jnp.zeros_like(V)])

    def size(state: Array) -> Array:
        x, V = jnp.split(state, 2)  # of V each entry counts, for P is made of its root
        return jnp.concatenate([jnp.full_like(x, jnp.linalg.norm(x)), root(V) ** 2])

    if settled:
        path, solid, reached = integrate(settled_field, start, t)
        return path, jax.vmap(lambda x: _diagonal(problem, x, c))(path), solid, reached
    path, solid, reached = integrate(field, jnp.concatenate([start, V]), t, size=size)
    states, moments = jnp.split(path, 2, axis=1)
    return states, moments, solid, reached
