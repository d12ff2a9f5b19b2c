"""Sharpness-aware minimization: the gradient where a step up the gradient leads (Foret et al. 2021)."""

from typing import Any

import jax.numpy as jnp
from jax import Array

from labnoise import _checks
from labnoise.noises._noise import Biased, Noise, require_noise


class SharpnessAware(Biased, static=()):
    """The gradient g of another noise, with the same draw, at `x + ρ g(x)/|g(x)|`.

    Around `GaussianNoise(problem, 0.0)` it is full-batch SAM, around `MinibatchNoise(problem)` 1-SAM, one example a
    step. Foret, Kleiner, Mobahi & Neyshabur (2021). Near Γ, on the clock τ = ηρ²·steps, the first follows the flow of
    `½ λ_max(∇²L)`, where that is simple, and the second that of the mean over examples of `½ λ_max(∇²ℓ_i)`, which is
    `½ tr∇²L` where outputs are scalar: see `regularizer_flow`. Where g is zero nothing is added to x.

    Its mean is not ∇L: `covariance`, `canonical_sde` and `limiting_diffusion` refuse it.

    Parameters
    ----------
    noise : Noise
    radius : ρ ≥ 0, a length in the space of x

    Raises
    ------
    ValueError
        If `noise` is none, or the radius is negative.

    Examples
    --------
    >>> import jax, jax.numpy as jnp
    >>> from labnoise import GaussianNoise, Loss, SharpnessAware
    >>> bowl = Loss(lambda x: 0.5 * x @ x)
    >>> sam = SharpnessAware(GaussianNoise(bowl, 0.0), radius=0.5)
    >>> print(sam.sample_gradient(jax.random.key(0), jnp.array([3.0, 4.0])).round(6))
    [3.3 4.4]
    """

    def __init__(self, noise: Noise, radius: Array | float):
        require_noise(noise)
        _checks.nonnegative("radius", radius)
        self.noise, self.problem, self.radius = noise, noise.problem, radius

    def draw(self, key: Array, x: Array) -> Any:
        return self.noise.draw(key, x)

    def gradient(self, x: Array, draw: Any) -> Array:
        gradient = self.noise.gradient(x, draw)
        square = gradient @ gradient
        somewhere = square > 0
        length = jnp.sqrt(jnp.where(somewhere, square, 1.0))
        return self.noise.gradient(x + jnp.where(somewhere, self.radius / length, 0.0) * gradient, draw)

    def check_at(self, x: Array) -> None:
        self.noise.check_at(x)
