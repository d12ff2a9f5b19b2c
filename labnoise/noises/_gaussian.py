"""Gaussian noise of a given covariance; without any, gradient descent."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array
from jax.tree_util import Partial

from labnoise import _checks
from labnoise._linalg import semidefinite_factor
from labnoise.noises._noise import Noise
from labnoise.problems import Loss


class GaussianNoise(Noise, static=()):
    """`∇L(x) + N(0, Σ(x))`, with Σ given; `GaussianNoise(problem, 0.0)` is gradient descent.

    Parameters
    ----------
    problem : Loss
    cov : a number σ² (for σ²I), a matrix (D, D), or a function (D,) -> (D, D)
        A function is compiled with the globals that it used at its first call, as `fn` of a `Loss`.
        A function's matrix is factored at every step, which takes some D³ operations and most of the step. Where a
        factor F(x), Σ = FFᵀ, is known, a `Noise` of your own with the gradient `∇L + F(x) draw` costs no more than F.

    Raises
    ------
    ValueError
        If the number is negative, or the matrix is not symmetric positive semidefinite. A function is checked
        where it is first used.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> from labnoise import GaussianNoise, landscapes
    >>> valley = landscapes.valley()
    >>> GaussianNoise(valley, valley.cov).covariance(jnp.array([2.0, 0.0])).round(6).tolist()
    [[0.0, 0.0], [0.0, 5.0]]
    """

    def __init__(self, problem: Loss, cov: Array | float | Callable[[Array], Array]):
        if not isinstance(problem, Loss):
            _checks.fail("problem", problem, "pass a Loss")
        self.problem = problem
        self.fixed_factor = None
        if callable(cov):
            self.cov: Any = cov if isinstance(cov, Partial) else Partial(cov)
        elif _checks.numbers("cov", cov).ndim == 0:
            _checks.nonnegative("cov", cov)
            self.cov = cov
        else:
            self.cov = _checks.covariance("cov", cov)
            self.fixed_factor = semidefinite_factor(self.cov)

    def draw(self, key: Array, x: Array) -> Array:
        return jax.random.normal(key, x.shape, x.dtype)

    def gradient(self, x: Array, draw: Array) -> Array:
        if self.fixed_factor is None and not callable(self.cov):
            return self.problem.gradient(x) + jnp.sqrt(self.cov) * draw
        return self.problem.gradient(x) + self.factor(x) @ draw

    def factor(self, x: Array) -> Array:
        if self.fixed_factor is not None:
            return self.fixed_factor
        if callable(self.cov):
            return semidefinite_factor(self.cov(x))
        _checks.room(
            "the factor of a covariance σ²I",
            x.size,
            1,
            "pass a noise with a factor (D, q)",
        )
        return jnp.sqrt(self.cov) * jnp.eye(x.size, dtype=x.dtype)

    def check_at(self, x: Array) -> None:
        if callable(self.cov):
            _checks.covariance("cov(x)", self.cov(x), x.size)
        elif self.fixed_factor is not None and self.fixed_factor.shape[0] != x.size:
            _checks.fail(
                "the shape of cov", self.fixed_factor.shape, f"the point has D = {x.size} coordinates"
            )
