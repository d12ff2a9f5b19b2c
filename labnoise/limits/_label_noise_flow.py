"""The limit of label noise at times t = η²·steps: an ordinary differential equation on Γ.

Li, Wang & Arora (2022), corollary 5.2 and section 6.
"""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float

from labnoise import _checks
from labnoise._shapes import shaped
from labnoise.limits._projection import project
from labnoise.limits._runge_kutta import integrate
from labnoise.problems import Examples, LeastSquares, Loss


def label_noise_flow(problem: LeastSquares, x0: Array, t: Array, delta: Array | float) -> Array:
    """The limit of SGD with label noise, batch size 1, at the times t = η²·steps.

    `dY/dt = −(c/4) T∇tr∇²L(Y)`, Y(0) = Φ(x0), with `Σ = c∇²L`, `c = 2sδ²`, s = `problem.loss_scale`. For the
    sparse model this has the closed form

        Y(t) = Φ(x0 ⊙ e^{−4sctm})

    with m = `problem.second_moments`, once for u and once for v. So label noise acts as gradient descent from an
    ever smaller initialization. As t → ∞ it ends at the basis pursuit with weights m, where that has one solution.

    For any other least squares problem the equation is integrated, with n x n solves and never a D x D matrix.
    Li, Wang & Arora (2022), corollary 5.2 and section 6.

    Parameters
    ----------
    problem : LeastSquares
    x0 : (D,)
    t : (k,), times ≥ 0, increasing
        For a `SparseRegression` in any order, and concrete times may be `inf`.
    delta : number ≥ 0
        Size of the label perturbation.

    Returns
    -------
    (k, D)
        For a `SparseRegression` exact up to rounding, and fastest for increasing times; for any other problem
        with a local error of 1e-10, relative to Y. Under `jit` NaN where there is no solution.

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
    if not isinstance(problem, LeastSquares):
        _checks.fail("problem", problem, "label noise needs labels: pass a LeastSquares problem")
    x0 = _checks.point("x0", x0, problem)
    t = _checks.times("t", t)
    if _checks.concrete(t) and not (np.asarray(t) >= 0).all():
        _checks.fail("t", t, "times are zero or positive")
    _checks.scalar("delta", delta, lambda size: 0 <= size < 1e100, "pass a number from 0 to 1e100")
    path = problem.label_noise_path(x0, t, delta)
    if path is not None:
        return path if _checks.concrete(t) else jnp.where((t >= 0)[:, None], path, jnp.nan)
    t = checked_times("t", t)
    path, solid, reached = _integrate(problem, project(problem, x0), t, delta)
    explain_unreached("t", t, path, solid, reached, problem)
    return jnp.where(solid[:, None], path, jnp.nan)


def checked_times(name: str, t: Any) -> Array:
    """Finite times (k,) ≥ 0, increasing."""
    times = _checks.times(name, t)
    if _checks.concrete(times):
        steps = np.diff(np.asarray(times), prepend=0.0)
        if not np.isfinite(np.asarray(times)).all() or (steps < 0).any():
            _checks.fail(name, t, "pass increasing finite times, zero or positive")
    return times


def explain_unreached(
    name: str,
    t: Array,
    path: Array,
    solid: Array,
    reached: Array,
    problem: Loss,
    stiff: str = "it is stiff there: end earlier",
) -> None:
    """Raise ValueError where a flow was given up before one of the concrete times t (k,), and say how far it came."""
    if _checks.concrete(reached, solid) and not solid.all():
        first = int(solid.argmin())
        _checks.fail(
            name,
            t,
            f"the flow was followed to {name} = {float(reached[first]):.6g}, not to {float(t[first]):.6g}; "
            + (problem.dependence(path[first]) or stiff),
        )


@shaped
def flow_field(
    problem: Examples, x: Float[Array, " D"], c: Array | float, P: Float[Array, " D"] | float = 1.0
) -> tuple[Float[Array, " D"], Float[Array, " D"]]:
    """`−(c/4) T_P P∇tr(P∇²L)` on Γ, P held fixed, and the move from `x` back to Γ by one Newton step along P·normals.

    On Γ `tr(P∇²L) = (1/n) Σ_a ∇h_aᵀP∇h_a`, h = Rf with the roots R of the curvatures at x, up to a function whose slope
    is normal, and so with the gradient `(2/n) Σ_a ∇²h_a P∇h_a`. One row at a time: together they need M times the
    memory, and more time for that.
    """
    roots = jax.lax.stop_gradient(problem.roots(problem.outputs(x), problem.targets))
    misfit = roots @ problem.misfit(x).reshape(roots.shape[0], -1, 1)

    def row(a: Array) -> tuple[Array, Array]:
        i, root = a // roots.shape[1], roots[a // roots.shape[1], a % roots.shape[1]]

        def slope(x: Array) -> Array:
            return jax.grad(lambda x: root @ jnp.atleast_1d(problem.outputs(x)[i]))(x)

        direction = slope(x)
        return direction, jax.jvp(slope, (x,), (P * direction,))[1]

    K, turns = jax.lax.map(row, jnp.arange(roots.shape[0] * roots.shape[1]))
    gradient = P * (2 / problem.num_examples * turns.sum(0))
    normals = P * K
    sides = jnp.stack([K @ gradient, misfit.reshape(-1)], axis=1)
    normal, back = jnp.linalg.solve(K @ normals.T, sides).T @ normals
    return -c / 4 * (gradient - normal), -back


@jax.jit
def _integrate(
    problem: LeastSquares, start: Array, t: Array, delta: Array | float
) -> tuple[Array, Array, Array]:
    c = problem.noise_strength(delta)
    return integrate(lambda y: flow_field(problem, y, c), start, t)
