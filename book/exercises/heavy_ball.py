"""Heavy ball on the hyperbola, for chapter 8's widget: for hundreds of settings its steps are written out."""

from functools import cache, lru_cache

import jax
import jax.numpy as jnp
import numpy as np
from afterzero import dice
from jax import Array

LENGTH, EVERY, RUNS = 20_000, 20, 16
THROWS = 4  # are run together, which takes hardly longer than one
_SAVES = np.unique(np.round(LENGTH / EVERY * np.linspace(0, 1, 121) ** 2).astype(int))
STEPS = EVERY * _SAVES  # closer at the start, since at large rates it is soon over


def unbalance(eta: float, beta: float, throw: int = 0) -> np.ndarray:
    """The unbalance u² − v² under label noise ½, from (2, ½), in the mean over 16 runs, after each of `STEPS`.

    The steps are `m ← βm + g`, `x ← x − ηm`, those of `labnoise.sgd(…, momentum=beta)`, with other dice.

    Examples
    --------
    >>> from afterzero.heavy_ball import STEPS, unbalance
    >>> q = unbalance(eta=0.004, beta=0.75)
    >>> int(STEPS[-1]), len(q) == len(STEPS), float(q[0])
    (20000, True, 3.75)
    """
    together, one = divmod(throw, THROWS)
    return _together(eta, beta, together)[:, one]


@lru_cache(1000)
def _together(eta: float, beta: float, together: int) -> np.ndarray:
    start = np.full((1, THROWS), 3.75)
    return np.concatenate([start, _runs(eta, beta, _signs(together))])[_SAVES]


@cache
def _signs(together: int) -> Array:
    """Which way the labels are moved: (saves, steps between them, throws, runs)."""
    keys = [dice.key(2, throw) for throw in range(THROWS * together, THROWS * (together + 1))]
    shape = (LENGTH // EVERY, EVERY, RUNS)
    return jnp.stack([jax.random.rademacher(key, shape, float) for key in keys], axis=2)


@jax.jit
def _runs(eta: Array | float, beta: Array | float, signs: Array) -> Array:
    """The mean unbalance (saves, throws)."""

    def step(state: tuple[Array, ...], sign: Array) -> tuple[tuple[Array, ...], None]:
        u, v, m_u, m_v = state
        slope = 2 * (u * v - 1 - sign / 2)
        m_u, m_v = beta * m_u + slope * v, beta * m_v + slope * u
        return (u - eta * m_u, v - eta * m_v, m_u, m_v), None

    def to_save(state: tuple[Array, ...], signs: Array) -> tuple[tuple[Array, ...], Array]:
        state, _ = jax.lax.scan(step, state, signs)
        return state, jnp.mean(state[0] ** 2 - state[1] ** 2, axis=-1)

    one = jnp.ones(signs.shape[2:])
    return jax.lax.scan(to_save, (2 * one, one / 2, 0 * one, 0 * one), signs)[1]
