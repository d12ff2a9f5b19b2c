"""Gradient flow `dφ/dt = −∇L(φ)`, stiff as it is near a manifold of minimizers.

Steps of linearly implicit Euler, `φ ← φ − τ(I + τA)⁻¹∇L(φ)` with A ≈ ∇²L fixed during a step of length h, are
done in 2, 3, …, 9 parts and extrapolated to τ = 0 (Deuflhard 1985; Hairer & Wanner, Solving ODEs II, IV.9):
order 8 for any A, and stable at any h for A = ∇²L. Which A it is, and how it is inverted, the loss itself says
(`Loss.resolvent`).

Derivatives. The adaptive loop only chooses the step lengths, watching a few random tangent vectors as well
as the state: at a minimizer the state is at rest but its tangents are not. The steps are then done again at
these lengths by a plain scan, which JAX differentiates any number of times, forward or backward.
"""

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from labnoise import _checks
from labnoise.limits._runge_kutta import Limits, checked_limits
from labnoise.problems import Loss
from labnoise.problems._kinks import kink_at, kink_between

_PARTS = np.arange(2, 10)
# Of the tolerance the estimate is meant, which is one order below the result.
LIMITS = Limits(tolerance=1e-10, max_steps=300)
_AT_REST = 1e-11
_NUM_TANGENTS = 3


def _weights(parts: np.ndarray) -> np.ndarray:
    """Lagrange weights that extrapolate a series in τ = h/parts to τ = 0."""
    return np.array([np.prod([j / (j - i) for i in parts if i != j]) for j in parts])


_BEST, _LOWER = _weights(_PARTS), np.append(0.0, _weights(_PARTS[1:]))


class Solved(NamedTuple):
    """State reached and what is left to go, `|H†∇L|` relative to |x| (0 if the asked time was reached).

    And how many times |∇L| rose to from the least that it had been: where that is much, a saddle was passed.
    """

    x: Array
    left: Array
    rise: Array


def gradient_flow(
    problem: Loss,
    x0: Array,
    times: Array,
    tolerance: float = LIMITS.tolerance,
    max_steps: int = LIMITS.max_steps,
) -> Array:
    """The solution of `dφ/dt = −∇L(φ)`, φ(0) = x0, at increasing times; `inf` is allowed as the last.

    The time here is that of gradient flow, η·steps of gradient descent. Linearly implicit Euler steps, extrapolated
    (Deuflhard 1985), which stay stable however stiff the loss is.

    Parameters
    ----------
    problem : Loss
    x0 : (D,)
    times : (k,), increasing, ≥ 0
    tolerance, max_steps : number > 0, int ≥ 1
        The local error, relative to the state, and the most steps from one time to the next.

    Returns
    -------
    (k, D), differentiable in `x0` and in the arrays of `problem`

    Raises
    ------
    ValueError
        If an argument is bad or the flow does not settle. Under `jit` the states are NaN instead.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> from labnoise import Loss, gradient_flow
    >>> bowl = Loss(lambda x: 0.5 * (x[0] ** 2 + 1000 * x[1] ** 2))
    >>> print(gradient_flow(bowl, jnp.array([1.0, 1.0]), jnp.array([0.0, 1.0, 2.0]))[:, 0].round(6))
    [1.       0.367879 0.135335]
    """
    x0 = _checks.point("x0", x0, problem)
    times = _checks.times("times", times)
    if _checks.concrete(times):
        steps = np.diff(np.append(0.0, times))
        if np.isnan(steps).any() or (steps < 0).any():
            _checks.fail("times", times, "times are at least 0 and increasing")
    limits = checked_limits(tolerance, max_steps)
    path = _flow_at(problem, x0, times, limits)
    explain_unfinished(problem, x0, path, limits)
    return settled(path)


def explain_unfinished(problem: Loss, x0: Array, result: Solved, limits: Limits) -> None:
    """Raise ValueError where the flow from the concrete point `x0` was given up before it settled."""
    left = result.left
    if _checks.concrete(left) and not (left <= 1e-9).all():
        _checks.smooth(problem, "x0", x0, problem.gradient(x0))
        if not jnp.any(problem.gradient(x0)):
            _checks.fail(
                "x0",
                x0,
                "the gradient is zero there, and yet it is no point of a manifold of minima: a saddle, a maximum, or a "
                "place where the Jacobian loses its rank; move the start a little",
            )
        end = result.x.reshape(-1, x0.size)[-1]
        kink = kink_between(problem, x0, end) or kink_at(problem, end) if jnp.isfinite(end).all() else None
        if kink:
            _checks.fail("x0", x0, f"gradient flow from here was not seen to settle; {kink}")
        grown, before = float(jnp.linalg.norm(end)), float(jnp.linalg.norm(x0))
        if grown > 3 * (1 + before) and problem.loss(end) < problem.loss(x0):
            _checks.fail(
                "x0",
                x0,
                f"gradient flow from here went on from |x| = {before:.3g} to {grown:.3g} while the loss fell: it "
                "seems to have no finite minimizer, as a logistic loss has none on separable data; give the "
                "labels soft targets (CrossEntropy), or add weight decay",
            )
        if dependence := problem.dependence(x0):
            _checks.fail("x0", x0, f"gradient flow from here was not seen to settle; {dependence}")
        _checks.fail(
            "x0",
            x0,
            f"gradient flow from here was still {float(jnp.max(left)):.1e}·|x| away from rest after "
            f"{limits.max_steps} implicit steps; start in the basin of a manifold where the Hessian keeps its rank",
        )


def settled(result: Solved) -> Array:
    """The states, NaN where the flow did not settle: this is the status that a traced call returns."""
    return jnp.where((result.left <= 1e-9)[..., None], result.x, jnp.nan)


@partial(jax.jit, static_argnames="limits")
def _flow_at(problem: Loss, x0: Array, times: Array, limits: Limits) -> Solved:
    def stretch(x: Array, duration: Array) -> tuple[Array, Solved]:
        result = flow(problem, x, duration, limits)
        return result.x, result

    path = jax.lax.scan(stretch, x0, jnp.diff(times, prepend=0.0))[1]
    # traced times raise nothing: from the first that is out of order, or after ∞, there is no answer
    ordered = jnp.cumprod(jnp.diff(times, prepend=0.0) >= 0) > 0
    return path._replace(left=jnp.where(ordered, path.left, jnp.inf))


@partial(jax.custom_jvp, nondiff_argnums=(3,))
def flow(problem: Loss, x: Array, duration: Array, limits: Limits = LIMITS) -> Solved:
    """Gradient flow from `x` (D,) for a time `duration`, which may be infinite."""
    return _adapt(problem, x, duration, jnp.zeros((0, x.size), x.dtype), limits)[0]


@flow.defjvp
def _flow_jvp(limits: Limits, primals: Any, tangents: Any) -> tuple[Solved, Solved]:
    problem, x, duration = primals
    dproblem, dx, dduration = tangents
    watched = jax.random.normal(jax.random.key(0), (_NUM_TANGENTS, x.size), x.dtype)
    solved, lengths = _adapt(*jax.lax.stop_gradient((problem, x, duration)), watched, limits)

    def again(problem: Loss, x: Array) -> Array:
        return _replay(problem, x, lengths, duration)

    end, dend = jax.jvp(again, (problem, x), (dproblem, dx))
    dend = dend - jnp.where(jnp.isinf(duration), 0.0, dduration) * problem.gradient(end)
    return solved._replace(x=end), jax.tree.map(jnp.zeros_like, solved)._replace(x=dend)


def _step(problem: Loss, x: Array, h: Array) -> tuple[Array, Array]:
    """One extrapolated step: its result and that of one order less."""
    lengths = h / _PARTS
    damp = problem.resolvent(x, lengths)

    def part(moved: Array, number: Array) -> tuple[Array, None]:
        moves = -lengths[:, None] * damp(jax.vmap(problem.gradient)(x + moved))
        return moved + jnp.where((number < _PARTS)[:, None], moves, 0.0), None

    # all the sequences advance side by side, those of few parts wait for the longest
    moved = jax.lax.scan(part, jnp.zeros((len(_PARTS), x.size), x.dtype), jnp.arange(_PARTS[-1]))[0]
    return x + _BEST @ moved, x + _LOWER @ moved


def _left(problem: Loss, x: Array, tangents: Array) -> Array:
    """How far state and tangents still are from rest, relative to their size."""
    of_state = jnp.linalg.norm(problem.newton_step(x)) / (jnp.linalg.norm(x) + 1e-300)
    of_state = jnp.where(jnp.isfinite(of_state), of_state, jnp.inf)  # J may have lost its rank
    if not len(tangents):
        return of_state
    turns = jax.vmap(jax.linearize(lambda x: problem.newton_step(x), x)[1])(tangents)
    return jnp.maximum(of_state, jnp.linalg.norm(turns) / jnp.linalg.norm(tangents))


def _adapt(problem: Loss, x: Array, duration: Array, tangents: Array, limits: Limits) -> tuple[Solved, Array]:
    """Choose step lengths (`max_steps`,), zero where unused, such that state and tangents are accurate."""

    def lifted(x: Array, tangents: Array, h: Array) -> tuple[Any, Any]:
        (best, lower), slopes = (
            jax.linearize(lambda x: _step(problem, x, h), x)
            if len(tangents)
            else (_step(problem, x, h), None)
        )
        if slopes is None:
            return (best, tangents), (lower, tangents)
        dbest, dlower = jax.vmap(slopes)(tangents)
        return (best, dbest), (lower, dlower)

    def error(best: Any, lower: Any) -> Array:
        def relative(a: Array, b: Array) -> Array:
            return jnp.linalg.norm(a - b) / (jnp.linalg.norm(a) + 1e-300)

        parts = [relative(a, b) for a, b in zip(best, lower, strict=True) if a.size]
        worst = jnp.max(jnp.stack(parts)) / limits.tolerance
        return jnp.where(jnp.isfinite(worst), worst, jnp.inf)

    def unfinished(state: Any) -> Array:
        _, _, time, _, left, _, number, tried, _, _ = state
        few = (number < limits.max_steps) & (tried < 2 * limits.max_steps)
        return (time < duration) & (left > _AT_REST) & few

    def attempt(state: Any) -> Any:
        x, tangents, time, h, left, lengths, number, tried, least, rise = state
        now = jnp.minimum(h, duration - time)
        best, lower = lifted(x, tangents, now)
        worst = error(best, lower)
        growth = jnp.clip(0.9 * (worst + 1e-30) ** (-1 / len(_PARTS)), 0.1, 5.0)
        accept = worst <= 1
        x, tangents = jax.tree.map(lambda new, old: jnp.where(accept, new, old), best, (x, tangents))
        lengths = lengths.at[number].set(jnp.where(accept, now, 0.0))
        # a step that was cut short at the end says little about the next
        h = jnp.where(accept, jnp.maximum(h, now * growth), now * growth)
        left = jnp.where(accept, _left(problem, x, tangents), left)
        steep = jnp.linalg.norm(problem.gradient(x))
        least, rise = jnp.minimum(least, steep), jnp.maximum(rise, steep / (least + 1e-300))
        time = time + jnp.where(accept, now, 0.0)
        return x, tangents, time, h, left, lengths, number + accept, tried + 1, least, rise

    gradient = problem.gradient(x)
    curvature = jnp.linalg.norm(jax.jvp(problem.gradient, (x,), (gradient,))[1])
    first = 0.1 * jnp.linalg.norm(gradient) / (curvature + 1e-300)
    first = jnp.where(jnp.linalg.norm(gradient) > 0, first, 1e-3)
    infinity = jnp.asarray(jnp.inf, x.dtype)
    zero = jnp.asarray(0)
    begun = (x, tangents, jnp.zeros_like(infinity), first, infinity, jnp.zeros(limits.max_steps), zero, zero)
    start = (*begun, jnp.linalg.norm(gradient), jnp.ones_like(infinity))
    x, tangents, time, _, left, lengths, _, _, _, rise = jax.lax.while_loop(unfinished, attempt, start)
    done = time >= duration
    x = jnp.where(done, x, x - problem.newton_step(x))
    return Solved(x, jnp.where(done, 0.0, left), rise), lengths


def _replay(problem: Loss, x: Array, lengths: Array, duration: Array) -> Array:
    @jax.checkpoint  # of a step only its start is kept: all it computes is many times as much
    def advance(x: Array, h: Array) -> Array:
        return _step(problem, x, h)[0]

    def step(x: Array, h: Array) -> tuple[Array, None]:
        return jax.lax.cond(h > 0, advance, lambda x, h: x, x, h), None

    x = jax.lax.scan(step, x, lengths)[0]
    return jnp.where(lengths.sum() >= duration, x, x - problem.newton_step(x))
