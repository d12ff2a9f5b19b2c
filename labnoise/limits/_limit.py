"""The limit of SGD at times t = η²·steps: the limiting diffusion, and the flow of label noise.

Li, Wang & Arora (2022), theorem 4.6, corollary 5.2 and section 6.
"""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from labnoise import _checks
from labnoise._linalg import kernel_projection, pseudo_inverse
from labnoise.dynamics import Trajectory
from labnoise.limits._drift import _drift_terms_traced
from labnoise.limits._projection import on_manifold, project
from labnoise.limits._runge_kutta import integrate
from labnoise.noises import Noise
from labnoise.problems import LeastSquares, SparseRegression
from labnoise.problems._dual import RESIDUAL, dual_projection, explain_no_projection

# Newton steps to the point of Γ on the normal plane of the step's start; each squares the distance.
_RETRACTIONS = 3


def limiting_diffusion(noise: Noise, x0: Array, t: Array | float, num_steps: int, key: Array) -> Trajectory:
    """Paths of the limit Y, `dY = Σ_∥^{1/2} dW + ½∂²Φ[Σ] dt`, from Φ(x0) to the time t.

    Li, Wang & Arora (2022), theorem 4.6; the drift is that of `drift_terms`. Euler–Maruyama with `num_steps` steps
    of length t/num_steps, each followed by a return to Γ along its normals at the step's start. Weak error
    O(t/num_steps).

    Parameters
    ----------
    noise : Noise
    x0 : (D,), anywhere in the basin of Γ
    t : final time, in units of η²·steps of SGD
    num_steps : int ≥ 1
    key : a JAX key, or (R,) keys for R replicas

    Returns
    -------
    Trajectory
        All states; `steps[i]` stands for the time t·i/num_steps.

    Raises
    ------
    ValueError
        If an argument is bad, `x0` has no projection, or every replica leaves the basin of Γ.

    Examples
    --------
    >>> import jax, jax.numpy as jnp
    >>> from labnoise import GaussianNoise, landscapes, limiting_diffusion
    >>> valley = landscapes.valley(c=1.0)
    >>> noise, x0 = GaussianNoise(valley, valley.cov), jnp.array([1.0, 0.0])
    >>> run = limiting_diffusion(noise, x0, 2.0, 100, jax.random.key(0))
    >>> bool(abs(run.states[-1, 0] - jnp.exp(-1.0)) < 0.01)                      # x(t) = e^{−t/2}
    True
    """
    if not isinstance(noise, Noise):
        _checks.fail("noise", noise, "pass a noise, such as LabelNoise(problem, delta)")
    _checks.nonnegative("t", t)
    num_steps = _checks.count("num_steps", num_steps)
    _checks.keys(key)
    start = project(noise.problem, x0)
    on_manifold(noise.problem, start)
    noise.check_at(start)
    states, diverged_at = _diffuse(noise, start, jnp.asarray(t, start.dtype), num_steps, key)
    if _checks.concrete(diverged_at) and (diverged_at >= 0).all():
        _checks.fail("num_steps", num_steps, "every replica left the basin of Γ; take more and shorter steps")
    return Trajectory(jnp.arange(num_steps + 1), states, diverged_at)


@partial(jax.jit, static_argnames="num_steps")
def _diffuse(noise: Noise, start: Array, t: Array, num_steps: int, key: Array) -> tuple[Array, Array]:
    dt = t / num_steps
    problem = noise.problem

    def step(x: Array, increment: Array) -> tuple[Array, Array]:
        factor = noise.factor(x)
        terms = _drift_terms_traced(problem, factor @ factor.T, x)
        H = problem.hessian(x)
        T = kernel_projection(H, pseudo_inverse(H))
        N = jnp.eye(x.size, dtype=x.dtype) - T

        def newton(_: Array | int, y: Array) -> Array:
            return y - jnp.linalg.solve(N @ problem.hessian(y) @ N + T, N @ problem.gradient(y))

        moved = x + terms.total * dt + jnp.sqrt(dt) * (T @ (factor @ increment))
        moved = jax.lax.fori_loop(0, _RETRACTIONS, newton, moved)
        return moved, moved

    def replica(key: Array) -> tuple[Array, Array]:
        width = jax.eval_shape(noise.factor, start).shape[1]
        increments = jax.random.normal(key, (num_steps, width), start.dtype)
        states = jnp.concatenate([start[None], jax.lax.scan(step, start, increments)[1]])
        broken = ~jnp.isfinite(states).all(-1)
        return states, jnp.where(broken.any(), jnp.argmax(broken), -1)

    return (jax.vmap(replica) if key.ndim else replica)(key)


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
    if isinstance(problem, SparseRegression):
        return _anneal(problem, x0, t, delta)
    if _checks.concrete(t) and not (np.isfinite(t).all() and (np.diff(t) >= 0).all()):
        _checks.fail("t", t, "pass increasing finite times; only a SparseRegression has a closed form at inf")
    path, reached = _integrate(problem, project(problem, x0), t, delta)
    if _checks.concrete(reached) and not reached.all():
        _checks.fail(
            "t", t, f"the flow could be followed only to t < {float(t[reached.argmin()]):.4g}; end earlier"
        )
    return jnp.where(reached[:, None], path, jnp.nan)


def _anneal(problem: SparseRegression, x0: Array, t: Array, delta: Array | float) -> Array:
    path, residuals = _anneal_to(problem, x0, t, delta)
    if _checks.concrete(path):
        explain_no_projection(x0, np.asarray(residuals).max(initial=0.0))
        ends = np.flatnonzero(np.isinf(t))  # the linear program at t = ∞ needs concrete numbers
        if ends.size:
            path = path.at[ends].set(_end_of_anneal(problem, x0))
    return path


@jax.jit
def _anneal_to(problem: SparseRegression, x0: Array, t: Array, delta: Array | float) -> tuple[Array, Array]:
    """The states at finite times and the residuals of the dual; NaN where t = ∞ or the dual is unsolved."""
    scale, moments = problem.loss_scale, problem.second_moments
    rate = 4 * scale * (2 * scale * delta**2) * jnp.tile(moments, x0.size // moments.size)

    def at(before: tuple[Array, Array], time: Array) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
        last, s = before
        now = jnp.where(jnp.isinf(time), last, time)
        # a later time starts from the solution at the one before; from an earlier one Newton would overflow
        start = jnp.where(now >= last, s, 0.0)
        point, residual, s = dual_projection(problem, x0, -rate * now, start)
        solved = residual < RESIDUAL
        point = jnp.where(solved & jnp.isfinite(time), point, jnp.nan)
        return (now, jnp.where(solved, s, 0.0)), (point, residual)

    return jax.lax.scan(at, (jnp.zeros((), t.dtype), jnp.zeros_like(problem.targets)), t)[1]


def _end_of_anneal(problem: SparseRegression, x0: Array) -> Array:
    w = problem.basis_pursuit(problem.second_moments)
    parts = [w] if problem.parametrization == "square" else [w, -w]
    return jnp.sign(x0) * jnp.sqrt(jnp.maximum(jnp.concatenate(parts), 0.0))


def flow_field(problem: LeastSquares, x: Array, c: Array | float) -> tuple[Array, Array]:
    """`−(c/4) T∇tr∇²L` on Γ, and the move from `x` back to Γ by one Newton step along the normals.

    On Γ `tr∇²L = (2s/n)‖J‖²`, up to a function whose slope is normal, with the gradient `(4s/n) Σ_i ∇²f_i ∇f_i`.
    One example at a time: together they need n times the memory, and more time for that.
    """

    def example(i: Array) -> tuple[Array, Array]:
        def slope(x: Array) -> Array:
            return jax.grad(lambda x: problem.residual(x)[i])(x)

        row = slope(x)
        return row, jax.jvp(slope, (x,), (row,))[1]

    J, turns = jax.lax.map(example, jnp.arange(problem.num_examples))
    gradient = 4 * problem.loss_scale / problem.num_examples * turns.sum(0)
    normal, back = jnp.linalg.solve(J @ J.T, jnp.stack([J @ gradient, problem.residual(x)], axis=1)).T @ J
    return -c / 4 * (gradient - normal), -back


@jax.jit
def _integrate(problem: LeastSquares, start: Array, t: Array, delta: Array | float) -> tuple[Array, Array]:
    c = 2 * problem.loss_scale * delta**2
    return integrate(lambda y: flow_field(problem, y, c), start, t)
