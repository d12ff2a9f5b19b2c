"""The k-phase motor: a limit that turns for ever, and so an implicit bias that is no regularizer."""

from collections.abc import Callable
from functools import partial

import jax
import jax.numpy as jnp
from jax import Array
from jax.tree_util import Partial

from labnoise import _checks
from labnoise.landscapes._landscape import Landscape
from labnoise.limits._runge_kutta import integrate


class PhaseMotor(Landscape, static=("k",)):
    """The landscape that `phase_motor` makes.

    Attributes
    ----------
    k : int
        The number of phases.
    """

    def __init__(self, k: int):
        self.k = _checks.count("k", k)

    def loss(self, x: Array) -> Array:
        p, z = x[:2], x[2:]
        phases = _phases(z.size)
        stiffness = 2 + jnp.cos(phases) * p[0] + jnp.sin(phases) * p[1]
        return (p @ p - 1) ** 2 / 8 + 0.5 * stiffness @ z**2

    @property
    def cov(self) -> Callable[[Array], Array]:
        """Σ, diagonal, of variance `1 + sin(θ − φ_i)` on z_i, a function (2 + k,) -> (2 + k, 2 + k)."""
        return Partial(_cov)

    def velocity(self, angle: Array) -> Array:
        """The speed of the limit at the angles θ (…): `¼ Σ_i τ_i sin(θ − φ_i)/h_i` per unit of t.

        `τ_i = 1 + sin(θ − φ_i)` is the noise and `h_i = 2 + cos(θ − φ_i)` the stiffness of phase i.
        """
        return _velocity(jnp.asarray(angle), self.k)

    def angle(self, angle0: Array, t: Array) -> Array:
        """The limit's angle at the increasing times t (k,), counted through from turn to turn, from `angle0`."""
        return _angle(jnp.asarray(angle0, float), _checks.times("t", t), self.k)


def _phases(k: int) -> Array:
    return 2 * jnp.pi * jnp.arange(k) / k


def _cov(x: Array) -> Array:
    p, phases = x[:2], _phases(x.size - 2)
    # sin(θ − φ_i) for the direction θ of p
    sines = (p[1] * jnp.cos(phases) - p[0] * jnp.sin(phases)) / jnp.linalg.norm(p)
    return jnp.diag(jnp.concatenate([jnp.zeros(2), 1 + sines]))


@partial(jax.jit, static_argnames="k")
def _velocity(angle: Array, k: int) -> Array:
    angles = angle[..., None] - _phases(k)
    return 0.25 * jnp.sum((1 + jnp.sin(angles)) * jnp.sin(angles) / (2 + jnp.cos(angles)), axis=-1)


@partial(jax.jit, static_argnames="k")
def _angle(angle0: Array, t: Array, k: int) -> Array:
    # in the coordinate θ + 2π, since the error of a step is measured relative to the state
    shift = 2 * jnp.pi - angle0
    states, reached, _ = integrate(
        lambda y: (_velocity(y - shift, k), jnp.zeros_like(y)), (angle0 + shift)[None], t, tolerance=1e-12
    )
    return jnp.where(reached, states[:, 0] - shift, jnp.nan)


def phase_motor(k: int = 3) -> PhaseMotor:
    """The k-phase motor: Γ is a circle, and the limit turns around it for ever if k ≥ 3.

    `x = (p, z) ∈ R²×R^k`, `L = (|p|² − 1)²/8 + ½ Σ_i h_i z_i²`, on Γ `h_i = 2 + cos(θ − φ_i)`, `φ_i = 2πi/k`,
    with noise of variance `1 + sin(θ − φ_i)` on z_i. The limit is the ordinary differential equation

        dθ/dt = ¼ Σ_i (1 + sin(θ − φ_i)) sin(θ − φ_i)/(2 + cos(θ − φ_i)),

    and no potential decreases along it. For k = 3 a turn takes t = 32.652.

    Raises
    ------
    ValueError
        If `k` is not a whole number ≥ 1.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> from labnoise import landscapes
    >>> motor = landscapes.phase_motor(3)
    >>> motor.cov(jnp.array([1.0, 0.0, 0.0, 0.0, 0.0])).diagonal().round(3).tolist()
    [0.0, 0.0, 1.0, 0.134, 1.866]
    >>> float(motor.angle(0.0, jnp.array([10.0]))[0].round(5))
    1.88382
    """
    return PhaseMotor(k)
