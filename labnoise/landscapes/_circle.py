"""The circle on which one sees that the mixed term has the coefficient 1."""

from collections.abc import Callable

import jax.numpy as jnp
from jax import Array
from jax.tree_util import Partial

from labnoise import _checks
from labnoise.landscapes._landscape import Landscape, frame


class Circle(Landscape, static=()):
    """The landscape that `circle` makes.

    Attributes
    ----------
    a, b, d : numbers
        The covariance of the noise in the frame (tangent, radial) is `[[a, b], [b, d]]`.
    """

    def __init__(self, a: float, b: float, d: float):
        for name, value in (("a", a), ("b", b), ("d", d)):
            _checks.finite(name, value)
        _checks.covariance("[[a, b], [b, d]]", jnp.array([[a, b], [b, d]]))
        self.a, self.b, self.d = a, b, d

    def loss(self, x: Array) -> Array:
        return (x @ x - 1) ** 2 / 8

    @property
    def cov(self) -> Callable[[Array], Array]:
        """Σ in the coordinates of the plane, a function (2,) -> (2, 2)."""
        return Partial(_cov, a=self.a, b=self.b, d=self.d)

    def project(self, x: Array) -> Array:
        """Φ(x) = x/|x|, for x (…, 2) other than the centre: gradient flow is radial."""
        x = jnp.asarray(x, float)
        return x / jnp.linalg.norm(x, axis=-1, keepdims=True)

    def angle(self, angle0: Array, t: Array) -> tuple[Array, Array]:
        """Mean and variance of the limit's angle at the times t = η²·steps, `θ₀ − bt` and `at`.

        It is normal, counted through from turn to turn; so `E cosθ = cos(θ₀ − bt) e^{−at/2}`.
        """
        t = jnp.asarray(t, float)
        return angle0 - self.b * t, self.a * t


def _cov(x: Array, a: Array, b: Array, d: Array) -> Array:
    axes = frame(x)
    return axes @ jnp.array([[a, b], [b, d]]) @ axes.T


def circle(a: float = 0.5, b: float = 0.25, d: float = 0.5) -> Circle:
    """`L = (|x|² − 1)²/8` with noise `[[a, b], [b, d]]` in the frame (tangent, radial).

    The limit is `dθ = √a dW − b dt`: the drift is the mixed term alone, with coefficient 1 and not ½.
    `circle(s2, 0, 0)` has tangent noise only, and there `E cosθ(t) = e^{−s2·t/2}`.

    Raises
    ------
    ValueError
        If `[[a, b], [b, d]]` is not positive semidefinite.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> from labnoise import landscapes
    >>> landscapes.circle().cov(jnp.array([1.0, 0.0])).tolist()        # here radial is x, tangent is y
    [[0.5, 0.25], [0.25, 0.5]]
    >>> mean, variance = landscapes.circle().angle(0.0, 2.0)
    >>> float(mean), float(variance)
    (-0.5, 1.0)
    """
    return Circle(a, b, d)
