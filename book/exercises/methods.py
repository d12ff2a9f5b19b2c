"""The methods of chapter 8 on the hyperbola, for its first widget: their runs, their clocks, and their limits.

With label noise of size 1, c = 2, all that lower the trace have R = ½ tr∇²L, so that equal clocks are equal motion.
"""

from collections.abc import Callable
from functools import cache, lru_cache
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from afterzero import dice
from scipy.integrate import solve_ivp
from scipy.interpolate import PchipInterpolator

from labnoise import (
    GaussianNoise,
    LabelNoise,
    PerturbedGradient,
    SharpnessAware,
    Trajectory,
    landscapes,
    local_sgd,
    sgd,
    train,
)

HYPERBOLA, START = (
    landscapes.hyperbola(),
    jnp.array([2.0, 0.51]),
)  # on Γ itself methods without noise stand still
ETA, BETA, RHO, SIGMA = 0.005, 0.75, 0.1, 0.15
WORKERS, ALPHA = 8, 0.1
LENGTH = 40_000  # steps that all make, on the clock of label noise up to 1
RUNS, THROWS = 16, 4  # a mean; throws are run together, which takes hardly longer than one
LABELS, STILL = LabelNoise(HYPERBOLA, 1.0), GaussianNoise(HYPERBOLA, 0.0)


class Method(NamedTuple):
    """What its clock counts in a step, the velocity of the unbalance q on it, and its runs."""

    clock: float
    velocity: Callable[[np.ndarray], np.ndarray]
    run: Callable[[jax.Array, int, int], Trajectory]


def falls_with_trace(q: np.ndarray) -> np.ndarray:
    """The velocity −4q of R = ½ tr∇²L."""
    return -4 * q


def falls_with_log(q: np.ndarray) -> np.ndarray:
    """Of R = ¼ ln λ, λ = 2√(q² + 4)."""
    return -q / np.sqrt(q**2 + 4)


def falls_with_averages(q: np.ndarray) -> np.ndarray:
    """Of R = ½[λ/K + (1 − 1/K)F(λ)], F' = ψ(2αλ)."""
    a = 4 * ALPHA * np.sqrt(q**2 + 4)
    psi = (a + np.expm1(-a)) / a
    return -4 * q * (1 / WORKERS + (1 - 1 / WORKERS) * psi)


def _local(keys: jax.Array, steps: int, every: int) -> Trajectory:
    together = round(ALPHA / ETA)
    return local_sgd(LABELS, START, ETA, steps // together, together, WORKERS, keys, every // together)


_AWARE = SharpnessAware(STILL, RHO)
_NORMALIZED = optax.chain(optax.normalize_by_update_norm(), optax.sgd(ETA))

METHODS = {
    "label noise": Method(
        ETA**2, falls_with_trace, lambda keys, steps, every: sgd(LABELS, START, ETA, steps, keys, every)
    ),
    "heavy ball": Method(
        (ETA / (1 - BETA)) ** 2,
        falls_with_trace,
        lambda keys, steps, every: sgd(LABELS, START, ETA, steps, keys, every, momentum=BETA),
    ),
    "Local SGD": Method(ETA**2, falls_with_averages, _local),
    "sharpness-aware": Method(
        ETA * RHO**2,
        falls_with_trace,
        lambda keys, steps, every: sgd(_AWARE, START, ETA, steps, keys[:1], every),
    ),
    "noise taken back": Method(
        SIGMA**2 * ETA,
        falls_with_trace,
        lambda keys, steps, every: sgd(PerturbedGradient(HYPERBOLA, SIGMA), START, ETA, steps, keys, every),
    ),
    "normalized": Method(
        ETA**2,
        falls_with_log,
        lambda keys, steps, every: train(STILL, START, _NORMALIZED, steps, keys[:1], every),
    ),
}


def unbalance(name: str, throw: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Steps, and after each the unbalance u² − v² of a method in the mean over 16 runs.

    Examples
    --------
    >>> from afterzero.methods import unbalance
    >>> steps, q = unbalance("normalized")
    >>> steps[:3].tolist(), float(q[0].round(4))
    ([0, 100, 200], 3.7399)
    """
    together, one = divmod(throw, THROWS)
    steps, q = _together(name, together)
    return steps, q[min(one, len(q) - 1)]


@lru_cache(100)
def _together(name: str, together: int) -> tuple[np.ndarray, np.ndarray]:
    throws = range(THROWS * together, THROWS * (together + 1))
    keys = jnp.concatenate([jax.random.split(dice.key(4, throw), RUNS) for throw in throws])
    run = METHODS[name].run(keys, LENGTH, 20 if name == "heavy ball" else 100)
    u, v = np.moveaxis(np.asarray(run.states), -1, 0)
    q = u**2 - v**2
    return np.asarray(run.steps), q if len(q) == 1 else q.reshape(THROWS, RUNS, -1).mean(axis=1)


@cache
def curve(name: str, throw: int = 0) -> PchipInterpolator:
    """`unbalance` as a function of the steps, which turns only where the runs do."""
    return PchipInterpolator(*unbalance(name, throw))


@cache
def _flow(velocity: Callable[[np.ndarray], np.ndarray]) -> Callable[[np.ndarray], np.ndarray]:
    start = float(START[0] ** 2 - START[1] ** 2)
    return solve_ivp(lambda _, q: velocity(q), (0, 20), [start], rtol=1e-9, atol=1e-10, dense_output=True).sol


def limit(name: str, tau: np.ndarray) -> np.ndarray:
    """The unbalance of a method's limit at the times tau of its clock, up to 20."""
    return _flow(METHODS[name].velocity)(np.asarray(tau))[0]
