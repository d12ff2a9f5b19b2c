"""A loss together with the noise that is studied on it."""

from collections.abc import Callable

import jax.numpy as jnp
from jax import Array

from labnoise import _checks
from labnoise.problems import Loss


class Landscape(Loss):
    """A loss together with the noise that is studied on it; the functions of `labnoise.landscapes` make them.

    What has a closed form on a landscape is a method of it: `project(x)` is Φ(x), `limit(x0, t)` the limit of SGD at
    the times t = η²·steps, `velocity(angle)` its drift along a circle. Each docstring has the formula.

    Attributes
    ----------
    cov : function (D,) -> (D, D)
        The covariance Σ of the noise at a point, for `GaussianNoise(landscape, landscape.cov)`.
    """

    def __init__(self) -> None:
        """A landscape is its parameters: there is no function to be given."""

    @property
    def cov(self) -> Callable[[Array], Array]:
        """The covariance Σ of the noise, a function (D,) -> (D, D)."""
        _checks.missing(
            self, "cov", "the noise's covariance, a function (D,) -> (D, D); write it as a property"
        )


def frame(x: Array) -> Array:
    """Columns: the tangent (counterclockwise) and the outward normal of the circle about 0 through x (2,)."""
    radial = x / jnp.linalg.norm(x)
    return jnp.stack([jnp.array([-radial[1], radial[0]]), radial], axis=1)
