"""Update rules as values: what a step makes of a stochastic gradient.

`init(x)` gives the state that an optimizer carries along, `step(x, state, gradient, rate)` the next point and the
next state. A loop over steps needs to know no more.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import optax
from jax import Array

from labnoise import _checks
from labnoise._pytree import Pytree


class Optimizer(Pytree):
    """What all update rules share."""

    def init(self, x: Array) -> Any:
        """The state at the start x (D,): a tree of arrays."""
        _checks.missing(self, "init(x)", "the state at the start")

    def step(self, x: Array, state: Any, gradient: Array, rate: Array) -> tuple[Array, Any]:
        """The next point and the next state, from the gradient (D,) at x and the learning rate η."""
        _checks.missing(self, "step(x, state, gradient, rate)", "the next point (D,) and the next state")

    def shown(self, x: Array) -> Array:
        """What of the state x a trajectory keeps, (D,)."""
        return x

    def largest_rate(self, curvature: Array | float) -> Array | float:
        """The η beyond which it diverges where the largest curvature is λ, without noise."""
        _checks.missing(self, "largest_rate(curvature)", "the largest stable η")


class Descent(Optimizer, static=()):
    """The plain step, `x ← x − ηg`."""

    def init(self, x: Array) -> None:
        return None

    def step(self, x: Array, state: None, gradient: Array, rate: Array) -> tuple[Array, None]:
        return x - rate * gradient, None

    def largest_rate(self, curvature: Array | float) -> Array | float:
        return 2 / curvature


class HeavyBall(Optimizer, static=()):
    """Momentum, `m ← βm + g, x ← x − ηm` (Polyak 1964)."""

    def __init__(self, momentum: Array | float):
        self.momentum = momentum

    def init(self, x: Array) -> Array:
        return jnp.zeros_like(x)

    def step(self, x: Array, state: Array, gradient: Array, rate: Array) -> tuple[Array, Array]:
        velocity = self.momentum * state + gradient
        return x - rate * velocity, velocity

    def largest_rate(self, curvature: Array | float) -> Array | float:
        return 2 * (1 + self.momentum) / curvature


class Transformation(Optimizer, static=("initial", "update")):
    """Any optimizer of optax, `u, s ← update(g, s, x), x ← x + u`. Its learning rate is its own."""

    def __init__(self, initial: Callable, update: Callable):
        self.initial, self.update = initial, update

    def init(self, x: Array) -> Any:
        return jax.tree.map(jnp.asarray, self.initial(x))

    def step(self, x: Array, state: Any, gradient: Array, rate: Array) -> tuple[Array, Any]:
        updates, new = self.update(gradient, state, x)
        # a loop carries a state of one type: moments of a float32 run stay in float32
        new = jax.tree.map(lambda leaf, old: jnp.asarray(leaf, old.dtype), new, state)
        return optax.apply_updates(x, updates), new


class Averaging(Optimizer, static=("workers", "period")):
    """Plain steps of K workers, x (KD,), who all move to their mean after each `period` steps."""

    def __init__(self, workers: int, period: int):
        self.workers, self.period = workers, period

    def init(self, x: Array) -> Array:
        return jnp.zeros((), jnp.int64)

    def step(self, x: Array, state: Array, gradient: Array, rate: Array) -> tuple[Array, Array]:
        x = x - rate * gradient
        mean = jnp.tile(x.reshape(self.workers, -1).mean(0), self.workers)
        return jnp.where(state + 1 == self.period, mean, x), (state + 1) % self.period

    def shown(self, x: Array) -> Array:
        return x[: x.size // self.workers]

    def largest_rate(self, curvature: Array | float) -> Array | float:
        return 2 / curvature
