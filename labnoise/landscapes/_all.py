"""Solvable landscapes: losses on which the limit of SGD is known in closed form.

Each is a `Loss`; those that come with a noise of their own carry it as `.cov`, a function of the point,
ready for `GaussianNoise(landscape, landscape.cov)`. Throughout t = η²·steps.
"""

from collections.abc import Callable

import jax.numpy as jnp
from jax import Array
from jax.tree_util import Partial

from labnoise import _checks
from labnoise._pytree import pytree
from labnoise.problems import LeastSquares, Loss


@pytree(data=("fn", "cov"))
class Landscape(Loss):
    """A loss together with the noise that is studied on it; the functions below make them.

    Attributes
    ----------
    fn : function (D,) -> ()
        The loss.
    cov : function (D,) -> (D, D)
        The covariance Σ of the noise at a point, for `GaussianNoise(landscape, landscape.cov)`.
    """

    cov: Callable[[Array], Array]

    def __init__(self, fn: Partial, cov: Partial):
        super().__init__(fn)
        self.cov = cov


def _frame(x: Array) -> Array:
    """Columns: the tangent (counterclockwise) and the outward normal of the circle about 0 through x (2,)."""
    radial = x / jnp.linalg.norm(x)
    return jnp.stack([jnp.array([-radial[1], radial[0]]), radial], axis=1)


def _circle_loss(x: Array) -> Array:
    return (x @ x - 1) ** 2 / 8


def _circle_cov(x: Array, a: Array, b: Array, d: Array) -> Array:
    frame = _frame(x)
    return frame @ jnp.array([[a, b], [b, d]]) @ frame.T


def circle(a: float = 0.5, b: float = 0.25, d: float = 0.5) -> Landscape:
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
    """
    for name, value in (("a", a), ("b", b), ("d", d)):
        _checks.finite(name, value)
    _checks.covariance("[[a, b], [b, d]]", jnp.array([[a, b], [b, d]]))
    return Landscape(Partial(_circle_loss), Partial(_circle_cov, a=a, b=b, d=d))


def _ring_loss(x: Array, a: Array) -> Array:
    radius = jnp.linalg.norm(x)
    return 0.5 * jnp.exp(a * x[0] / radius) * (radius - 1) ** 2


def _isotropic_cov(x: Array) -> Array:
    return jnp.eye(x.size, dtype=x.dtype)


def ring(a: float = 2.0) -> Landscape:
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
    >>> round(float(sharpness(landscapes.ring(2.0), jnp.array([1.0, 0.0]))), 4)      # e²
    7.3891
    """
    _checks.finite("a", a)
    return Landscape(Partial(_ring_loss, a=a), Partial(_isotropic_cov))


def _valley_loss(x: Array) -> Array:
    return 0.5 * (1 + x[0] ** 2) * x[1] ** 2


def _valley_cov(x: Array, c: Array) -> Array:
    return jnp.diag(jnp.array([0.0, c]) * (1 + x[0] ** 2))


def valley(c: float = 1.0) -> Landscape:
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
    """
    _checks.nonnegative("c", c)
    return Landscape(Partial(_valley_loss), Partial(_valley_cov, c=c))


def _product(x: Array) -> Array:
    return x[:1] * x[1:]


def hyperbola() -> LeastSquares:
    """`L = (uv − 1)²`, a least squares problem with one example, for `LabelNoise`.

    A step of slope `g = 2(uv − 1 − δε)` multiplies `q = u² − v²` by exactly `1 − η²g²`, so that in the limit
    `q(t) = q₀e^{−4δ²t}`: label noise balances u and v.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> from labnoise import landscapes, sharpness
    >>> float(sharpness(landscapes.hyperbola(), jnp.array([2.0, 0.5])))             # 2(u² + v²)
    8.5
    """
    return LeastSquares(Partial(_product), jnp.ones(1))


def _phases(k: int) -> Array:
    return 2 * jnp.pi * jnp.arange(k) / k


def _motor_loss(x: Array) -> Array:
    p, z = x[:2], x[2:]
    phases = _phases(z.size)
    stiffness = 2 + jnp.cos(phases) * p[0] + jnp.sin(phases) * p[1]
    return (p @ p - 1) ** 2 / 8 + 0.5 * stiffness @ z**2


def _motor_cov(x: Array) -> Array:
    p, phases = x[:2], _phases(x.size - 2)
    # sin(θ − φ_i) for the direction θ of p
    sines = (p[1] * jnp.cos(phases) - p[0] * jnp.sin(phases)) / jnp.linalg.norm(p)
    return jnp.diag(jnp.concatenate([jnp.zeros(2), 1 + sines]))


def phase_motor(k: int = 3) -> Landscape:
    """The k-phase motor: Γ is a circle, and the limit turns around it for ever if k ≥ 3.

    `x = (p, z) ∈ R²×R^k`, `L = (|p|² − 1)²/8 + ½ Σ_i h_i z_i²`, on Γ `h_i = 2 + cos(θ − φ_i)`, `φ_i = 2πi/k`,
    with noise of variance `1 + sin(θ − φ_i)` on z_i. The limit is the ordinary differential equation

        dθ/dt = ¼ Σ_i (1 + sin(θ − φ_i)) sin(θ − φ_i)/(2 + cos(θ − φ_i)),

    and no potential decreases along it. For k = 3 a turn takes t = 32.652.

    Raises
    ------
    ValueError
        If `k` is not a whole number ≥ 1.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> from labnoise import landscapes
    >>> motor = landscapes.phase_motor(3)
    >>> motor.cov(jnp.array([1.0, 0.0, 0.0, 0.0, 0.0])).diagonal().round(3).tolist()
    [0.0, 0.0, 1.0, 0.134, 1.866]
    """
    _checks.count("k", k)
    # k enters through the length of x, which the compiler knows; here it only serves as a check
    return Landscape(Partial(_motor_loss), Partial(_motor_cov))


def _four_terms_loss(x: Array, a: Array) -> Array:
    p, z = x[:2], x[2]
    return (p @ p - 1) ** 2 / 8 + 0.5 * jnp.exp(a * p[0] / jnp.linalg.norm(p)) * z**2


def _four_terms_cov(x: Array, tangent: Array, mixed: Array, radial: Array, vertical: Array) -> Array:
    frame = jnp.zeros((3, 3), x.dtype).at[:2, :2].set(_frame(x[:2])).at[2, 2].set(1.0)
    inner = jnp.array([[tangent, mixed, 0.0], [mixed, radial, 0.0], [0.0, 0.0, vertical]])
    return frame @ inner @ frame.T


def four_terms(
    a: float = 1.0, tangent: float = 0.3, mixed: float = 0.2, radial: float = 0.5, vertical: float = 0.8
) -> Landscape:
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
    >>> landscapes.four_terms().cov(jnp.array([1.0, 0.0, 0.0])).round(3).tolist()
    [[0.5, 0.2, 0.0], [0.2, 0.3, 0.0], [0.0, 0.0, 0.8]]
    """
    for name, value in (("a", a), ("tangent", tangent), ("mixed", mixed), ("radial", radial)):
        _checks.finite(name, value)
    _checks.covariance("[[tangent, mixed], [mixed, radial]]", jnp.array([[tangent, mixed], [mixed, radial]]))
    _checks.nonnegative("vertical", vertical)
    return Landscape(
        Partial(_four_terms_loss, a=a),
        Partial(_four_terms_cov, tangent=tangent, mixed=mixed, radial=radial, vertical=vertical),
    )
