"""The gradient at a perturbed point: noise that each step takes back."""

import jax
from jax import Array

from labnoise import _checks
from labnoise.noises._noise import Biased
from labnoise.problems import Loss


class PerturbedGradient(Biased, static=()):
    """`∇L(x + σζ)`, ζ ~ N(0, I) afresh each step: anticorrelated noise, in its own coordinates.

    With z = x + ξ_k, ξ_k = σζ_k, the step `x ← x − η∇L(x + ξ_k)` is `z ← z − η∇L(z) + ξ_{k+1} − ξ_k`: each step adds
    a noise and takes the last one back. Orvieto et al. (2022). Near Γ, on the clock τ = σ²η·steps, it follows
    the flow of `½ tr∇²L`: see `regularizer_flow`. Along Γ it does not diffuse to that order.

    Its mean is not ∇L: `covariance`, `canonical_sde` and `limiting_diffusion` refuse it.

    Parameters
    ----------
    problem : Loss
    sigma : σ ≥ 0, a length in the space of x

    Raises
    ------
    ValueError
        If `problem` is no Loss, or σ is negative.

    Examples
    --------
    >>> import jax, jax.numpy as jnp
    >>> from labnoise import PerturbedGradient, landscapes, sgd
    >>> noise = PerturbedGradient(landscapes.valley(), sigma=0.1)
    >>> run = sgd(noise, jnp.array([1.0, 0.0]), 0.02, 5000, jax.random.split(jax.random.key(0), 100))
    >>> bool(abs(run.states[:, -1, 0].mean() - jnp.exp(-1.0)) < 0.02)       # x(τ) = e^{−τ} at τ = σ²η·5000 = 1
    True
    """

    def __init__(self, problem: Loss, sigma: Array | float):
        if not isinstance(problem, Loss):
            _checks.fail("problem", problem, "pass a Loss")
        _checks.nonnegative("sigma", sigma)
        self.problem, self.sigma = problem, sigma

    def draw(self, key: Array, x: Array) -> Array:
        return jax.random.normal(key, x.shape, x.dtype)

    def gradient(self, x: Array, draw: Array) -> Array:
        return self.problem.gradient(x + self.sigma * draw)
