"""The ring, narrow on one side and wide on the other, under isotropic noise."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax import Array
from jax.tree_util import Partial

from labnoise import _checks
from labnoise.landscapes._landscape import Landscape


class Ring(Landscape, static=()):
    """The landscape that `ring` makes.

    Attributes
    ----------
    a : number
        The valley's curvature at the angle θ is `e^{a cosθ}`.
    """

    def __init__(self, a: float):
        _checks.finite("a", a)
        self.a = a

    def loss(self, x: Array) -> Array:
        radius = jnp.linalg.norm(x)
        return 0.5 * jnp.exp(self.a * x[0] / radius) * (radius - 1) ** 2

    @property
    def cov(self) -> Callable[[Array], Array]:
        """Σ = I, a function (2,) -> (2, 2)."""
        return Partial(_cov)

    def project(self, x: Array) -> Array:
        """Φ(x), for x (…, 2) other than the centre, at the angle with `tan(θ/2) = tan(θ₀/2) (r e^{1/r − 1})^{a/2}`.

        Gradient flow from (r, θ₀) has `dθ/dr = −(a/2) sinθ (r − 1)/r²`, which separates.
        """
        x = jnp.asarray(x, float)
        radius = jnp.linalg.norm(x, axis=-1)
        half = jnp.arctan2(x[..., 1], x[..., 0]) / 2
        stretch = jnp.exp(0.5 * self.a * (jnp.log(radius) + 1 / radius - 1))
        angle = 2 * jnp.arctan2(stretch * jnp.sin(half), jnp.cos(half))
        return jnp.stack([jnp.cos(angle), jnp.sin(angle)], axis=-1)

    def velocity(self, angle: Array) -> Array:
        """The drift of the limit's angle, `(a/4) sinθ` per unit of t; its noise has variance 1."""
        return 0.25 * self.a * jnp.sin(angle)

    def density(self, angle: Array) -> Array:
        """The stationary density of the angle, von Mises about π: `e^{−(a/2)cosθ}/(2π I₀(a/2))`."""
        half = 0.5 * self.a
        return jnp.exp(-half * jnp.cos(angle) - abs(half)) / (2 * jnp.pi * jax.scipy.special.i0e(half))


def _cov(x: Array) -> Array:
    return jnp.eye(x.size, dtype=x.dtype)


def ring(a: float = 2.0) -> Ring:
    """`L = ½ e^{a cosθ} (r − 1)²` with noise Σ = I.

    The limit is `dθ = dW + (a/4) sinθ dt`, whose stationary law is von Mises about π with concentration a/2:
    `E cosθ = −I₁(a/2)/I₀(a/2)`.

    Raises
    ------
    ValueError
        If `a` is not a finite number.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> from labnoise import landscapes, sharpness
    >>> ring = landscapes.ring(2.0)
    >>> round(float(sharpness(ring, jnp.array([1.0, 0.0]))), 4)                      # e²
    7.3891
    >>> narrow, wide = ring.density(jnp.array([0.0, jnp.pi]))
    >>> round(float(wide / narrow), 4)                                               # e^a: the wide side wins
    7.3891
    """
    return Ring(a)
