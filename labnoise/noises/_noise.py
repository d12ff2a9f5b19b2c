"""Stochastic gradients: what SGD sees in place of ∇L.

Each noise draws its randomness apart from where it is used: `draw(key, x)` gives the raw random numbers of
one step, `gradient(x, draw)` turns them into a stochastic gradient. A loop over steps then draws for
hundreds of steps at once, which is ten times as fast as drawing in every step.

The covariance of each is exact: `Σ(x) = F(x)F(x)ᵀ` with F = `factor(x)`, of shape (D, q).
"""

from typing import Any, NoReturn

import jax
from jax import Array

from labnoise import _checks
from labnoise._pytree import Pytree
from labnoise.problems import Loss


class Noise(Pytree):
    """What all stochastic gradients share: `.problem`, `.sample_gradient(key, x)`, `.covariance(x)`.

    A noise of your own is a subclass that keeps its loss as `problem` and has three methods: `draw`, `gradient` and,
    for its covariance and the limit, `factor`. Arrays and numbers with a decimal point among its attributes are data
    to JAX; whole numbers, strings and functions are compiled in. One with `Σ = c∇²L` on Γ, as label noise has it, says
    its c by an attribute or a property `hessian_multiple`, and `label_noise_flow` takes it; else that is None.

    Examples
    --------
    The gradient in directions that drop out at random, as with dropout on the weights' update:

    >>> import jax, jax.numpy as jnp
    >>> from labnoise import Loss, Noise, sgd
    >>> class Dropout(Noise):
    ...     def __init__(self, problem, keep):
    ...         self.problem, self.keep = problem, keep
    ...     def draw(self, key, x):
    ...         return jax.random.bernoulli(key, self.keep, x.shape)
    ...     def gradient(self, x, draw):
    ...         return self.problem.gradient(x) * draw / self.keep
    ...     def factor(self, x):
    ...         return jnp.sqrt(1 / self.keep - 1) * jnp.diag(self.problem.gradient(x))
    >>> noise = Dropout(Loss(lambda x: 0.5 * x @ x), keep=0.5)
    >>> noise.covariance(jnp.array([2.0, 1.0])).round(6).tolist()
    [[4.0, 0.0], [0.0, 1.0]]
    >>> run = sgd(noise, jnp.array([2.0, 1.0]), 0.1, 200, jax.random.key(0))
    >>> bool(abs(run.states[-1]).max() < 1e-6)
    True
    """

    problem: Loss
    hessian_multiple: Array | float | None = None

    def draw(self, key: Array, x: Array) -> Any:
        """The raw randomness of one step at points like `x`."""
        _checks.missing(self, "draw(key, x)", "the random numbers of one step")

    def gradient(self, x: Array, draw: Any) -> Array:
        """The stochastic gradient at `x` (D,) made from the randomness of one step."""
        _checks.missing(self, "gradient(x, draw)", "the stochastic gradient (D,)")

    def factor(self, x: Array) -> Array:
        """A matrix F (D, q) with `FFᵀ = Σ(x)`."""
        _checks.missing(self, "factor(x)", "F (D, q) with FFᵀ = Σ(x), the covariance of its gradient")

    def sample_gradient(self, key: Array, x: Array) -> Array:
        """One stochastic gradient at `x`, shape (D,); its mean is ∇L(x)."""
        return self.gradient(x, self.draw(key, x))

    def covariance(self, x: Array) -> Array:
        """Σ(x), the covariance (D, D) of the stochastic gradient at `x`."""
        _checks.room("covariance", x.size, 1, "take its factor, factor(x), or pass the noise to drift_terms")
        factor = self.factor(x)
        return factor @ factor.T

    def check_at(self, x: Array) -> None:
        """Raise ValueError if this noise makes no sense at the concrete point `x`."""


class Biased(Noise):
    """A stochastic gradient whose mean is not ∇L(x): it has no place in the main theorem, and no factor."""

    def factor(self, x: Array) -> Array:
        _refuse(self)

    def sample_gradient(self, key: Array, x: Array) -> Array:
        """One stochastic gradient at `x`, shape (D,); its mean is not ∇L(x)."""
        return super().sample_gradient(key, x)


def require_unbiased(noise: Noise) -> None:
    """Raise ValueError where Σ and the limit of the main theorem are asked of a noise that has neither."""
    if isinstance(noise, Biased):
        _refuse(noise)


def _refuse(noise: Biased) -> NoReturn:
    _checks.fail(
        "noise",
        noise,
        f"the mean of {type(noise).__name__} is not ∇L, so that it has no covariance about ∇L and another "
        "limit; see regularizer_flow",
    )


def require_noise(value: Any) -> None:
    """Raise ValueError unless `value` is a noise that knows its problem."""
    if not isinstance(value, Noise):
        _checks.fail("noise", value, "pass a noise, such as LabelNoise(problem, delta)")
    if not isinstance(getattr(value, "problem", None), Loss):
        _checks.fail("noise", value, f"keep the Loss of {type(value).__name__} as its attribute `problem`")


def require_gradient(noise: Noise, x: Array) -> None:
    """Raise ValueError unless the stochastic gradient has the shape of the point `x`."""
    exact = x.astype(float)  # as the arrays of the problem are; a run in float32 casts them all
    shape = jax.eval_shape(_sample, noise, jax.random.key(0), exact).shape
    if shape != x.shape:
        _checks.fail(
            f"the shape of {type(noise).__name__}.gradient(x, draw)",
            shape,
            f"it must be that of x, {x.shape}",
        )


def require_factor(noise: Noise, x: Array) -> None:
    """Raise ValueError unless the noise factor at the point `x` (D,) is a matrix with D rows."""
    shape = jax.eval_shape(noise.factor, x).shape
    if len(shape) != 2 or shape[0] != x.size:
        _checks.fail(f"the shape of {type(noise).__name__}.factor(x)", shape, f"it must be ({x.size}, q)")


@jax.jit  # which remembers what it has traced: a run of SGD may be shorter than that
def _sample(noise: Noise, key: Array, x: Array) -> Array:
    return noise.sample_gradient(key, x)
