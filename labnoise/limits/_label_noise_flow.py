"""The limit of label noise at times t = η²·steps: an ordinary differential equation on Γ.

Li, Wang & Arora (2022), corollary 5.2 and section 6.
"""

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float

from labnoise import _checks
from labnoise._shapes import shaped
from labnoise.limits._factored_drift import turn
from labnoise.limits._follow import checked_times, follow, require_fit
from labnoise.limits._projection import project
from labnoise.limits._runge_kutta import checked_limits
from labnoise.noises import Noise
from labnoise.noises._noise import require_noise
from labnoise.problems import Examples, LeastSquares


def label_noise_flow(
    problem: LeastSquares | Noise,
    x0: Array,
    t: Array,
    delta: Array | float | None = None,
    batch_size: int = 1,
    tolerance: float = 1e-10,
    max_steps: int = 10_000,
) -> Array:
    """The limit of SGD with label noise at the times t = η²·steps.

    `dY/dt = −(c/4) T∇tr∇²L(Y)`, Y(0) = Φ(x0), where the noise has `Σ = c∇²L` on Γ. Called with a least squares problem
    it is the limit of `LabelNoise(problem, delta, batch_size)`, `c = 2sδ²/B`, s = `problem.loss_scale`; called with a
    noise, that of this noise, such as `SampledLabels(problem, B)` with c = 1/B.

    For the sparse model this has the closed form

        Y(t) = Φ(x0 ⊙ e^{−4sctm})

    with m = `problem.second_moments`, once for u and once for v. So label noise acts as gradient descent from an
    ever smaller initialization. As t → ∞ it ends at the basis pursuit with weights m, where that has one solution.

    For any other problem the equation is integrated, with solves of the size of the number of outputs, (n, n) where
    they are numbers, and never a D x D matrix. Li, Wang & Arora (2022), corollary 5.2 and section 6.

    Parameters
    ----------
    problem : LeastSquares, with `delta`; or a Noise with `Σ = c∇²L` on Γ, without
        A noise of your own says its c by an attribute or a property `hessian_multiple`, and its problem has examples.
    x0 : (D,)
    t : (k,), times ≥ 0, increasing
        For a `SparseRegression` in any order, and concrete times may be `inf`.
    delta : number ≥ 0
        Size of the label perturbation.
    batch_size : B ≥ 1
    tolerance, max_steps : number > 0, int ≥ 1
        Of an integration: the local error, relative to Y, and the most steps from one time to the next.

    Returns
    -------
    (k, D), differentiable in `x0`, t, `delta` and the arrays of `problem`
        For a `SparseRegression` exact up to rounding, and fastest for increasing times; for any other problem
        as accurate as `tolerance` says. Under `jit` NaN where there is no solution, and in its derivatives where it
        takes more than 1024 steps.

    Raises
    ------
    ValueError
        If an argument is bad, the noise is not of this kind, the projection does not converge, or the flow can be
        followed only for a while, as to a kink.

    Warns
    -----
    UserWarning
        If the model has kinks, such as those of ReLUs, and one lies between two of the states: the flow is right on
        each piece, and of its way across the theory says nothing.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> from labnoise import CrossEntropy, SampledLabels, SparseRegression, label_noise_flow
    >>> problem = SparseRegression(jnp.array([[1.0, 2.0]]), jnp.array([2.0]), parametrization="square")
    >>> path = label_noise_flow(problem, jnp.ones(2), jnp.array([0.0, 0.1, jnp.inf]), delta=1.0)
    >>> (path**2).round(3).tolist()
    [[0.781, 0.61], [1.75, 0.125], [2.0, 0.0]]

    A classifier with the logit uv and the soft label .8, for which `u² − v²` falls as e^{−.16t}:

    >>> soft = CrossEntropy(lambda x: jnp.array([[x[0] * x[1], 0.0]]), targets=jnp.array([[0.8, 0.2]]))
    >>> path = label_noise_flow(SampledLabels(soft), jnp.array([2.0, 0.5]), jnp.array([0.0, 3.0]))
    >>> unbalance = path[:, 0] ** 2 - path[:, 1] ** 2
    >>> bool(jnp.allclose(unbalance[1] / unbalance[0], jnp.exp(-0.16 * 3)))
    True
    """
    loss, c = _label_noise(problem, delta, batch_size)
    x0 = _checks.point("x0", x0, loss)
    t = _checks.times("t", t)
    limits = checked_limits(tolerance, max_steps)
    if _checks.concrete(t) and not (np.asarray(t) >= 0).all():
        _checks.fail("t", t, "times are zero or positive")
    path = loss.label_noise_path(x0, t, c) if isinstance(loss, LeastSquares) else None
    if path is not None:
        return path if _checks.concrete(t) else jnp.where((t >= 0)[:, None], path, jnp.nan)
    t = checked_times("t", t)
    start = project(loss, x0)
    chosen = loss.independent(start)
    path = follow("t", loss, _field, (loss, c, chosen), start, t, limits)
    require_fit("t", t, loss, path, chosen)
    return path


def _label_noise(problem: Any, delta: Any, batch_size: Any) -> tuple[Examples, Array | float]:
    """The loss, a mean over examples, and the c with `Σ = c∇²L` on Γ."""
    if isinstance(problem, Noise):
        require_noise(problem)
        if delta is not None:
            _checks.fail("delta", delta, "the noise that was passed has its own size: leave delta out")
        if not isinstance(batch_size, int) or batch_size != 1:
            _checks.fail("batch_size", batch_size, "the noise that was passed has its own: leave it out")
        loss, c = problem.problem, problem.hessian_multiple
        if c is None or not isinstance(loss, Examples):
            _checks.fail(
                "problem",
                problem,
                "its covariance is not known to be c∇²L on Γ, L a mean over examples; pass LabelNoise or "
                "SampledLabels, give a noise of your own its c as `hessian_multiple`, or take limiting_diffusion",
            )
        return loss, c
    if not isinstance(problem, LeastSquares):
        _checks.fail(
            "problem",
            problem,
            "label noise needs labels: pass a LeastSquares problem and delta, or a noise such as SampledLabels",
        )
    _checks.scalar("delta", delta, lambda size: 0 <= size < 1e100, "pass a number from 0 to 1e100")
    return problem, problem.noise_strength(delta, _checks.count("batch_size", batch_size))


@shaped
def flow_field(
    problem: Examples,
    x: Float[Array, " D"],
    c: Array | float,
    P: Float[Array, " D"] | float = 1.0,
    chosen: Float[Array, "r M"] | None = None,
) -> tuple[Float[Array, " D"], Float[Array, " D"]]:
    """`−(c/4) T_P P∇tr(P∇²L)` on Γ, P held fixed, and the move from `x` back to Γ by one Newton step along P·normals.

    On Γ `tr(P∇²L) = (1/n) Σ_a ∇h_aᵀP∇h_a`, h = Rf with the roots R of the curvatures at x, up to a function whose slope
    is normal, and so with the gradient `(2/n) Σ_a ∇²h_a P∇h_a`. Where the conditions depend on each other, `chosen` are
    as many combinations of them as their rank.
    """
    K, misfit = problem.conditions(x)
    roots = problem.roots(problem.outputs(x), problem.targets)
    normals = P * K
    gradient = P * (2 / problem.num_examples * turn(problem, roots, x, normals))
    if chosen is not None:
        K, normals, misfit = chosen @ K, chosen @ normals, chosen @ misfit
    sides = jnp.stack([K @ gradient, misfit], axis=1)
    normal, back = jnp.linalg.solve(K @ normals.T, sides).T @ normals
    return -c / 4 * (gradient - normal), -back


def _field(data: tuple[Examples, Array | float, Array | None]) -> Callable[[Array], tuple[Array, Array]]:
    problem, c, chosen = data
    return lambda y: flow_field(problem, y, c, chosen=chosen)
