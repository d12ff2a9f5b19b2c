"""Dormand and Prince's Runge–Kutta method of order 5(4), with a return to a manifold after each step."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

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
_State = tuple[Array, Array, Array, Array, Array, Array]


def integrate(
    field: Callable[[Array], tuple[Array, Array]],
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

    def attempt(state: _State) -> _State:
        y, slope, time, h, end, number = state
        now = jnp.minimum(h, end - time)

        def stage(i: Array | int, slopes: Array) -> Array:
            return slopes.at[i].set(field(y + now * (jnp.asarray(_A)[i] @ slopes[:6]))[0])

        slopes = jnp.zeros((7, y.size), y.dtype).at[0].set(slope)
        slopes = jax.lax.fori_loop(1, 6, stage, slopes)
        new = y + now * (_FIFTH[:6] @ slopes[:6])
        last, back = field(new)
        slopes = slopes.at[6].set(last)
        error = jnp.linalg.norm(now * ((_FIFTH - _FOURTH) @ slopes) / size(y)) / tolerance
        error = jnp.where(jnp.isfinite(error), error, jnp.inf)
        growth = jnp.clip(0.9 * (error + 1e-30) ** -0.2, 0.1, 5.0)
        accept = error <= 1
        h = jnp.where(accept, jnp.maximum(h, now * growth), now * growth)
        y, slope = jnp.where(accept, new + back, y), jnp.where(accept, last, slope)
        return y, slope, time + jnp.where(accept, now, 0.0), h, end, number + 1

    def unfinished(state: _State) -> Array:
        _, _, time, _, end, number = state
        return (time < end) & (number < max_steps)

    def stretch(
        state: tuple[Array, Array, Array], duration: Array
    ) -> tuple[tuple[Array, Array, Array], tuple[Array, Array]]:
        y, slope, h = state
        begin = (y, slope, jnp.zeros_like(h), h, duration, jnp.asarray(0))
        y, slope, time, h, _, _ = jax.lax.while_loop(unfinished, attempt, begin)
        return (y, slope, h), (y, time)

    slope = field(y)[0]
    speed = jnp.linalg.norm(slope / size(y))
    first = jnp.where(speed > 0, 1e-2 / speed, 1.0)
    durations = jnp.diff(times, prepend=0.0)
    states, spent = jax.lax.scan(stretch, (y, slope, first), durations)[1]
    # what comes after a stretch that was not finished, or after a time out of order, is not reached either
    done = jnp.cumprod((spent >= durations) & (durations >= 0)) > 0
    before = jnp.concatenate([jnp.zeros(1, times.dtype), times[:-1]])[: len(times)]
    return states, done, before + spent
