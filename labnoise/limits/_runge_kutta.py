"""Dormand and Prince's Runge–Kutta method of order 5(4), with a return to a manifold after each step."""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from labnoise import _checks

_A = np.array(
    [
        [0, 0, 0, 0, 0, 0],
        [1 / 5, 0, 0, 0, 0, 0],
        [3 / 40, 9 / 40, 0, 0, 0, 0],
        [44 / 45, -56 / 15, 32 / 9, 0, 0, 0],
        [19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729, 0, 0],
        [9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656, 0],
    ]
)
_FIFTH = np.array([35 / 384, 0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84, 0])
_FOURTH = np.array([5179 / 57600, 0, 7571 / 16695, 393 / 640, -92097 / 339200, 187 / 2100, 1 / 40])
Field = Callable[[Array], tuple[Array, Array]]
_State = tuple[Array, Array, Array, Array, Array, Array, Array, Array]
_KEPT = 1024  # step lengths for derivatives, where their number cannot be seen


class Limits(NamedTuple):
    """When an integration is accurate enough, and when it is given up."""

    tolerance: float = 1e-10
    max_steps: int = 10_000


def checked_limits(tolerance: Any, max_steps: Any) -> Limits:
    """The limits that a person typed."""
    _checks.scalar("tolerance", tolerance, lambda size: 1e-14 <= size < 1, "pass a number from 1e-14 to 1")
    return Limits(float(tolerance), _checks.count("max_steps", max_steps))


class Path(NamedTuple):
    """States (k, D), which of them are right (k,), how far it came (k,); lengths of its steps, how many until each."""

    states: Array
    solid: Array
    reached: Array
    lengths: Array
    numbers: Array


def _step(field: Field, y: Array, slope: Array, h: Array) -> tuple[Array, Array, Array]:
    """The state after a step, back on the manifold; the slope at its end; its error."""

    def stage(i: Array | int, slopes: Array) -> Array:
        return slopes.at[i].set(field(y + h * (jnp.asarray(_A)[i] @ slopes[:6]))[0])

    slopes = jnp.zeros((7, y.size), y.dtype).at[0].set(slope)
    slopes = jax.lax.fori_loop(1, 6, stage, slopes)
    new = y + h * (_FIFTH[:6] @ slopes[:6])
    last, back = field(new)
    slopes = slopes.at[6].set(last)
    return new + back, last, h * ((_FIFTH - _FOURTH) @ slopes)


def integrate(
    field: Field,
    y: Array,
    times: Array,
    tolerance: float = 1e-10,
    size: Callable[[Array], Array] = jnp.linalg.norm,
    max_steps: int = 10_000,
) -> tuple[Array, Array, Array]:
    """Solve `dy/dt = v(y)`, y(0) = y, at increasing times: states (k, D), which of them are right (k,), and (k,).

    The first state that is not right was left at its time in the last of these, when its `max_steps` ran out. After it,
    or after a time out of order, none is right.

    `field(y)` is v(y) and the small move that takes y back to the manifold. A step costs six of them: the last
    slope of a step is the first of the next, for the move back is as small as the error of a step. `tolerance` is the
    norm of its error in units of `size(y)`, which is one for all coordinates or (D,).
    """
    return _adapt(field, y, times, Limits(tolerance, max_steps), size)[:3]


def _adapt(
    field: Field,
    y: Array,
    times: Array,
    limits: Limits,
    size: Callable[[Array], Array] = jnp.linalg.norm,
    kept: int = 0,
) -> Path:
    """As `integrate`, with the lengths of the first `kept` steps."""

    def attempt(state: _State) -> _State:
        y, slope, time, h, end, number, lengths, done = state
        now = jnp.minimum(h, end - time)
        new, last, error = _step(field, y, slope, now)
        error = jnp.linalg.norm(error / size(y)) / limits.tolerance
        error = jnp.where(jnp.isfinite(error), error, jnp.inf)
        growth = jnp.clip(0.9 * (error + 1e-30) ** -0.2, 0.1, 5.0)
        accept = error <= 1
        h = jnp.where(accept, jnp.maximum(h, now * growth), now * growth)
        y, slope = jnp.where(accept, new, y), jnp.where(accept, last, slope)
        lengths = lengths.at[done].set(jnp.where(accept, now, 0.0))
        return y, slope, time + jnp.where(accept, now, 0.0), h, end, number + 1, lengths, done + accept

    def unfinished(state: _State) -> Array:
        _, _, time, _, end, number, _, _ = state
        return (time < end) & (number < limits.max_steps)

    def stretch(state: Any, duration: Array) -> tuple[Any, tuple[Array, Array, Array]]:
        y, slope, h, lengths, done = state
        begin = (y, slope, jnp.zeros_like(h), h, duration, jnp.asarray(0), lengths, done)
        y, slope, time, h, _, _, lengths, done = jax.lax.while_loop(unfinished, attempt, begin)
        return (y, slope, h, lengths, done), (y, time, done)

    slope = field(y)[0]
    speed = jnp.linalg.norm(slope / size(y))
    first = jnp.where(speed > 0, 1e-2 / speed, 1.0)
    durations = jnp.diff(times, prepend=0.0)
    begin = (y, slope, first, jnp.zeros(max(kept, 1), y.dtype), jnp.asarray(0))
    (_, _, _, lengths, _), (states, spent, numbers) = jax.lax.scan(stretch, begin, durations)
    # what comes after a stretch that was not finished, or after a time out of order, is not reached either
    solid = jnp.cumprod((spent >= durations) & (durations >= 0)) > 0
    before = jnp.concatenate([jnp.zeros(1, times.dtype), times[:-1]])[: len(times)]
    return Path(states, solid, before + spent, lengths, numbers)


@partial(jax.custom_jvp, nondiff_argnums=(0, 4))
def solve(make: Callable[[Any], Field], data: Any, y: Array, times: Array, limits: Limits) -> Path:
    """As `integrate`, with the field `make(data)` and with derivatives of any kind in `data`, y and the times.

    They are those of the same steps, done again: a loop of unknown length has no reverse derivative.
    """
    return _solve(make, data, y, times, limits, 0)


@solve.defjvp
def _solve_jvp(
    make: Callable[[Any], Field], limits: Limits, primals: Any, tangents: Any
) -> tuple[Path, Path]:
    data, y, times = primals
    path = _solve(make, *jax.lax.stop_gradient((data, y, times)), limits, _KEPT)
    most = path.numbers.max(initial=0)
    if _checks.concrete(most) and most > _KEPT:
        kept = 1 << (int(most) - 1).bit_length()
        path = _solve(make, *jax.lax.stop_gradient((data, y, times)), limits, kept)

    def again(data: Any, y: Array) -> Array:
        return _again(make, data, y, path.lengths, path.numbers)

    slopes = jax.jvp(again, (data, y), tangents[:2])[1]
    velocities = jax.vmap(lambda y: make(data)(y)[0])(path.states)
    slopes = slopes + tangents[2][:, None] * velocities
    # multiplied, for a reverse derivative would pass by a choice and be zero
    slopes = slopes * jnp.where(path.numbers[:, None] <= path.lengths.size, 1.0, jnp.nan)
    still = jax.tree.map(lambda leaf: np.zeros(leaf.shape, jax.dtypes.float0), path)
    return path, still._replace(
        states=slopes, reached=jnp.zeros_like(path.reached), lengths=jnp.zeros_like(path.lengths)
    )


@partial(jax.jit, static_argnums=(0, 4, 5))
def _solve(
    make: Callable[[Any], Field], data: Any, y: Array, times: Array, limits: Limits, kept: int
) -> Path:
    return _adapt(make(data), y, times, limits, kept=kept)


@partial(jax.jit, static_argnums=0)
def _again(make: Callable[[Any], Field], data: Any, y: Array, lengths: Array, numbers: Array) -> Array:
    field = make(data)

    @jax.checkpoint  # of a step only its start is kept: all it computes is many times as much
    def advance(y: Array, h: Array) -> Array:
        return _step(field, y, field(y)[0], h)[0]

    def step(y: Array, h: Array) -> tuple[Array, Array]:
        y = jax.lax.cond(h > 0, advance, lambda y, h: y, y, h)
        return y, y

    return jnp.concatenate([y[None], jax.lax.scan(step, y, lengths)[1]])[jnp.minimum(numbers, lengths.size)]
