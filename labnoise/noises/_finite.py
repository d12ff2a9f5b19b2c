"""Noise with finitely many outcomes: the definition of Li, Wang & Arora (2022)."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax import Array
from jax.tree_util import Partial

from labnoise import _checks
from labnoise.noises._draws import uniform_indices
from labnoise.noises._noise import Noise
from labnoise.problems import Loss


class FiniteNoise(Noise, static=()):
    """The paper's noise: `∇L(x) + √Ξ σ_ξ(x)`, ξ uniform on {1 … Ξ}, Σ_ξ σ_ξ = 0; covariance `Σ = σσᵀ`.

    Parameters
    ----------
    problem : Loss
    sigma : function (D,) -> (D, Ξ)

    Raises
    ------
    ValueError
        If `sigma` cannot be called; where it is first used, if its columns do not sum to zero.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> from labnoise import FiniteNoise, Loss
    >>> plane = Loss(lambda x: 0.5 * x[1] ** 2)
    >>> noise = FiniteNoise(plane, lambda x: jnp.array([[0.0, 0.0], [1.0, -1.0]]))
    >>> noise.covariance(jnp.zeros(2)).tolist()
    [[0.0, 0.0], [0.0, 2.0]]
    """

    def __init__(self, problem: Loss, sigma: Callable[[Array], Array]):
        if not isinstance(problem, Loss):
            _checks.fail("problem", problem, "pass a Loss")
        if not callable(sigma):
            _checks.fail("sigma", sigma, "pass a function from a point (D,) to the noise vectors (D, Ξ)")
        self.problem = problem
        self.sigma = sigma if isinstance(sigma, Partial) else Partial(sigma)

    def draw(self, key: Array, x: Array) -> Array:
        return uniform_indices(key, 1, jax.eval_shape(self.sigma, x).shape[1])[0]

    def gradient(self, x: Array, draw: Array) -> Array:
        sigma = self.sigma(x)
        return self.problem.gradient(x) + jnp.sqrt(sigma.shape[1]) * sigma[:, draw]

    def factor(self, x: Array) -> Array:
        return self.sigma(x)

    def check_at(self, x: Array) -> None:
        sigma = _checks.real_array("sigma(x)", self.sigma(x), 2)
        if sigma.shape[0] != x.size or sigma.shape[1] == 0:
            _checks.fail(
                "the shape of sigma(x)", sigma.shape, f"it must be (D, Ξ) with D = {x.size} and Ξ ≥ 1"
            )
        if _checks.concrete(sigma) and float(abs(sigma.sum(1)).max()) > 1e-8 * float(abs(sigma).max()):
            _checks.fail(
                "the sum of the columns of sigma(x)", sigma.sum(1), "subtract their mean: it must be zero"
            )
