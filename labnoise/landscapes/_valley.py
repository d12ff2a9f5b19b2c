"""A straight valley that widens towards its middle."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax import Array
from jax.tree_util import Partial

from labnoise import _checks
from labnoise.landscapes._landscape import Landscape

_NEWTON_STEPS = 12  # from either start the last digits are there after eight


class Valley(Landscape, static=()):
    """The landscape that `valley` makes.

    Attributes
    ----------
    c : number ≥ 0
        Σ = c∇²L on Γ.
    """

    def __init__(self, c: float):
        _checks.nonnegative("c", c)
        self.c = c

    def loss(self, x: Array) -> Array:
        return 0.5 * (1 + x[0] ** 2) * x[1] ** 2

    @property
    def cov(self) -> Callable[[Array], Array]:
        """Σ, the variance `c(1 + x²)` on y, a function (2,) -> (2, 2)."""
        return Partial(_cov, c=self.c)

    def project(self, x: Array) -> Array:
        """Φ(x), for x (…, 2): the point (X, 0) of the same sign with `ln X² + X² = ln x² + x² − y²`.

        Gradient flow has `y dy = (1/x + x) dx`, which separates.
        """
        x = jnp.asarray(x, float)
        across, along = x[..., 1], x[..., 0]
        level = jnp.log(along**2) + along**2 - across**2

        def newton(_: int, log_square: Array) -> Array:
            square = jnp.exp(log_square)
            return log_square - (log_square + square - level) / (1 + square)

        start = jnp.where(level < 1, level, jnp.log(jnp.maximum(level, 1.0)))  # to the right: Newton descends
        log_square = jax.lax.fori_loop(0, _NEWTON_STEPS, newton, start)
        foot = jnp.where(along == 0, 0.0, jnp.sign(along) * jnp.exp(0.5 * log_square))
        return jnp.stack([foot, jnp.zeros_like(foot)], axis=-1)

    def limit(self, x0: Array, t: Array) -> Array:
        """The limit from `x0` (2,) at the times t (…), shape (…, 2): `X e^{−ct/2}` along the valley, Φ(x0) = (X, 0)."""
        foot = self.project(x0)
        return foot * jnp.exp(-0.5 * self.c * jnp.asarray(t, float)[..., None])

    def fluctuation(self, x0: Array, t: Array) -> Array:
        """The variance of SGD about the limit along the valley, divided by η, for `x0` (2,) at the times t (…).

        `(cX²/2) e^{−ct} ln((e^{ct} + X²)/(1 + X²))` to leading order, Φ(x0) = (X, 0).
        """
        square = self.project(x0)[0] ** 2
        grown = jnp.exp(self.c * jnp.asarray(t, float))
        return 0.5 * self.c * square / grown * jnp.log((grown + square) / (1 + square))


def _cov(x: Array, c: Array) -> Array:
    return jnp.diag(jnp.array([0.0, c]) * (1 + x[0] ** 2))


def valley(c: float = 1.0) -> Valley:
    """`L = ½(1 + x²)y²` with label-like noise, variance `c(1 + x²)` on y, so that Σ = c∇²L on Γ = {y = 0}.

    The limit is `x(t) = x₀ e^{−ct/2}`; around it SGD fluctuates with variance
    `η(cx₀²/2) e^{−ct} ln((e^{ct} + x₀²)/(1 + x₀²))`.

    Raises
    ------
    ValueError
        If `c` is negative.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> from labnoise import landscapes, sharpness
    >>> float(sharpness(landscapes.valley(), jnp.array([3.0, 0.0])))
    10.0
    >>> landscapes.valley(c=1.0).limit(jnp.array([1.0, 0.0]), jnp.array([0.0, 2.0])).round(4).tolist()
    [[1.0, 0.0], [0.3679, 0.0]]
    """
    return Valley(c)
