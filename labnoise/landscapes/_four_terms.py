"""A circle in space on which all four terms of the main theorem act at once."""

from collections.abc import Callable

import jax.numpy as jnp
from jax import Array
from jax.tree_util import Partial

from labnoise import _checks
from labnoise.landscapes._landscape import Landscape, frame


class FourTerms(Landscape, static=()):
    """The landscape that `four_terms` makes.

    Attributes
    ----------
    a : number
        The curvature in the direction z at the angle θ is `e^{a cosθ}`.
    tangent, mixed, radial, vertical : numbers
        The entries of the noise's covariance in the frame (tangent, radial, z).
    """

    def __init__(self, a: float, tangent: float, mixed: float, radial: float, vertical: float):
        for name, value in (("a", a), ("tangent", tangent), ("mixed", mixed), ("radial", radial)):
            _checks.finite(name, value)
        _checks.covariance(
            "[[tangent, mixed], [mixed, radial]]", jnp.array([[tangent, mixed], [mixed, radial]])
        )
        _checks.nonnegative("vertical", vertical)
        self.a, self.tangent, self.mixed, self.radial, self.vertical = a, tangent, mixed, radial, vertical

    def loss(self, x: Array) -> Array:
        p, z = x[:2], x[2]
        return (p @ p - 1) ** 2 / 8 + 0.5 * jnp.exp(self.a * p[0] / jnp.linalg.norm(p)) * z**2

    @property
    def cov(self) -> Callable[[Array], Array]:
        """Σ in the coordinates of space, a function (3,) -> (3, 3)."""
        return Partial(
            _cov, tangent=self.tangent, mixed=self.mixed, radial=self.radial, vertical=self.vertical
        )

    def velocity(self, angle: Array) -> Array:
        """The drift of the limit's angle, `−mixed + (a·vertical/4) sinθ` per unit of t; its variance is `tangent`."""
        return -self.mixed + 0.25 * self.a * self.vertical * jnp.sin(angle)


def _cov(x: Array, tangent: Array, mixed: Array, radial: Array, vertical: Array) -> Array:
    axes = jnp.zeros((3, 3), x.dtype).at[:2, :2].set(frame(x[:2])).at[2, 2].set(1.0)
    inner = jnp.array([[tangent, mixed, 0.0], [mixed, radial, 0.0], [0.0, 0.0, vertical]])
    return axes @ inner @ axes.T


def four_terms(
    a: float = 1.0, tangent: float = 0.3, mixed: float = 0.2, radial: float = 0.5, vertical: float = 0.8
) -> FourTerms:
    """A circle in space on which all four terms of the main theorem act at once.

    `x = (p, z) ∈ R²×R`, `L = (|p|² − 1)²/8 + ½ e^{a cosθ} z²`. In the frame (tangent, radial, z) the noise
    has covariance `[[tangent, mixed, 0], [mixed, radial, 0], [0, 0, vertical]]`. The limit is

        dθ = √tangent dW − mixed dt + (a·vertical/4) sinθ dt,

    its noise the first term, its drifts the mixed and the normal one; the compensation, `−(tangent/2)`
    along the outward normal, holds the path on the circle.

    Raises
    ------
    ValueError
        If that covariance is not positive semidefinite.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> from labnoise import landscapes
    >>> landscape = landscapes.four_terms()
    >>> landscape.cov(jnp.array([1.0, 0.0, 0.0])).round(3).tolist()
    [[0.5, 0.2, 0.0], [0.2, 0.3, 0.0], [0.0, 0.0, 0.8]]
    >>> float(landscape.velocity(jnp.pi / 2))
    0.0
    """
    return FourTerms(a, tangent, mixed, radial, vertical)
