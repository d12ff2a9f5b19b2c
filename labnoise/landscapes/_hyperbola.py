"""Two weights in a row: the landscape on which chapters 1 to 5 meet each new idea."""

import jax.numpy as jnp
from jax import Array
from jax.tree_util import Partial

from labnoise.problems import LeastSquares


class Hyperbola(LeastSquares, static=()):
    """The least squares problem that `hyperbola` makes, with what is known of it in closed form."""

    def __init__(self) -> None:
        super().__init__(Partial(_product), jnp.ones(1))

    def point(self, unbalance: Array) -> Array:
        """The point of uv = 1, u > 0, with `u² − v² = q`, for unbalances q (…), shape (…, 2)."""
        q = jnp.asarray(unbalance, float)
        larger = jnp.sqrt((jnp.sqrt(q**2 + 4) + abs(q)) / 2)
        smaller = 1 / larger
        return jnp.stack([jnp.where(q >= 0, larger, smaller), jnp.where(q >= 0, smaller, larger)], axis=-1)

    def project(self, x: Array) -> Array:
        """Φ(x), for x (…, 2) with u + v ≠ 0: the point of uv = 1 with the same u² − v², on the side of u + v.

        Gradient flow conserves u² − v² and the sign of u + v; from u + v = 0 it ends at the saddle 0.
        """
        x = jnp.asarray(x, float)
        side = jnp.sign(x[..., 0] + x[..., 1])
        side = jnp.where(side == 0, jnp.nan, side)
        return side[..., None] * self.point(x[..., 0] ** 2 - x[..., 1] ** 2)

    def limit(self, x0: Array, t: Array, delta: Array | float) -> Array:
        """The limit of label noise ±δ, batch size 1, from `x0` (2,) at the times t (…), shape (…, 2).

        `u² − v² = q₀ e^{−4δ²t}` on the branch of Φ(x0), t = η²·steps.
        """
        x0 = jnp.asarray(x0, float)
        q = (x0[0] ** 2 - x0[1] ** 2) * jnp.exp(-4 * delta**2 * jnp.asarray(t, float))
        return jnp.sign(x0[0] + x0[1]) * self.point(q)


def _product(x: Array) -> Array:
    return x[:1] * x[1:]


def hyperbola() -> Hyperbola:
    """`L = (uv − 1)²`, a least squares problem with one example, for `LabelNoise`.

    A step of slope `g = 2(uv − 1 − δε)` multiplies `q = u² − v²` by exactly `1 − η²g²`, so that in the limit
    `q(t) = q₀e^{−4δ²t}`: label noise balances u and v.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> from labnoise import landscapes, sharpness
    >>> hyperbola = landscapes.hyperbola()
    >>> float(sharpness(hyperbola, jnp.array([2.0, 0.5])))                          # 2(u² + v²)
    8.5
    >>> print(hyperbola.project(jnp.array([2.0, 1.0])).round(4))                    # u² − v² = 3 is kept
    [1.8174 0.5503]
    """
    return Hyperbola()
