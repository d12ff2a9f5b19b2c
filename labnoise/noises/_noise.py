"""Stochastic gradients: what SGD sees in place of ∇L.

Each noise draws its randomness apart from where it is used: `draw(key, x)` gives the raw random numbers of
one step, `gradient(x, draw)` turns them into a stochastic gradient. A loop over steps then draws for
hundreds of steps at once, which is ten times as fast as drawing in every step.

The covariance of each is exact: `Σ(x) = F(x)F(x)ᵀ` with F = `factor(x)`, of shape (D, q).
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array
from jax.tree_util import Partial

from labnoise import _checks
from labnoise._linalg import semidefinite_factor
from labnoise._pytree import pytree
from labnoise.problems import LeastSquares, Loss


class Noise:
    """What all stochastic gradients share: `.problem`, `.sample_gradient(key, x)`, `.covariance(x)`."""

    problem: Loss

    def draw(self, key: Array, x: Array) -> Any:
        """The raw randomness of one step at points like `x`."""
        raise NotImplementedError

    def gradient(self, x: Array, draw: Any) -> Array:
        """The stochastic gradient at `x` (D,) made from the randomness of one step."""
        raise NotImplementedError

    def factor(self, x: Array) -> Array:
        """A matrix F (D, q) with `FFᵀ = Σ(x)`."""
        raise NotImplementedError

    def sample_gradient(self, key: Array, x: Array) -> Array:
        """One stochastic gradient at `x`, shape (D,); its mean is ∇L(x)."""
        return self.gradient(x, self.draw(key, x))

    def covariance(self, x: Array) -> Array:
        """Σ(x), the covariance (D, D) of the stochastic gradient at `x`."""
        factor = self.factor(x)
        return factor @ factor.T

    def check_at(self, x: Array) -> None:
        """Raise ValueError if this noise makes no sense at the concrete point `x`."""


def _require_examples(problem: Loss, noise: str) -> None:
    if not isinstance(problem, LeastSquares):
        _checks.fail("problem", problem, f"{noise} draws examples: pass a LeastSquares problem")


def _uniform_indices(key: Array, size: int, number: int) -> Array:
    """`size` independent indices below `number`; no chance is off by more than `number`/2³²."""
    return (jax.random.bits(key, (size,), jnp.uint32) % number).astype(jnp.int32)


def _indices_and_perturbations(
    key: Array, size: int, number: int, distribution: str, dtype: Any
) -> tuple[Array, Array]:
    """`size` indices below `number` and as many signs or normal numbers.

    Both halves of one 64-bit word serve: to draw the two apart, from split keys, takes twice as long, and drawing
    is a third of a step. 32 bits make a normal number whose tail ends at 6.2 (float32, 23 bits: at 5.2).
    """
    words = jax.random.bits(key, (size,), jnp.uint64)
    indices = ((words >> 32).astype(jnp.uint32) % number).astype(jnp.int32)
    low = words.astype(jnp.uint32)
    if distribution == "sign":
        return indices, jnp.where(low >> 31 == 0, 1.0, -1.0).astype(dtype)
    digits = min(32, jnp.finfo(dtype).nmant)
    uniform = ((low >> (32 - digits)).astype(dtype) + 0.5) * 2.0**-digits  # exact, neither 0 nor 1
    return indices, 2**0.5 * jax.scipy.special.erfinv(2 * uniform - 1)


def _minibatch_factor(problem: LeastSquares, x: Array) -> Array:
    """F (D, n) with `FFᵀ = Cov(∇ℓ_i)`, i uniform, `∇ℓ_i = 2·loss_scale·r_i ∇f_i`."""
    gradients = 2 * problem.loss_scale * problem.residual(x)[:, None] * problem.jacobian(x)
    return (gradients - gradients.mean(0)).T / jnp.sqrt(problem.num_examples)


@pytree(data=("problem", "delta"), static=("batch_size", "distribution", "full"))
class LabelNoise(Noise):
    """Each label that enters a step is perturbed afresh, `y_i -> y_i + δε`, ε = ±1 or N(0, 1).

    With batch b_1 … b_B (drawn with replacement) and s = `problem.loss_scale` the stochastic gradient is

        gradient="batch":   (2s/B) Σ_k (f_{b_k}(x) − y_{b_k} − δε_k) ∇f_{b_k}(x)
        gradient="full":    ∇L(x) − (2s/B) Σ_k δε_k ∇f_{b_k}(x)

    The second is that of HaoChen et al. (2020). On Γ both have `Σ = (4s²δ²/Bn) JᵀJ = c∇²L`, `c = 2sδ²/B`; the second
    has that covariance everywhere.

    Parameters
    ----------
    problem : LeastSquares
    delta : number ≥ 0
    batch_size : B ≥ 1
    distribution : "sign" or "normal"
    gradient : "batch" or "full"

    Raises
    ------
    ValueError
        If `problem` has no examples to label, `delta` is negative, the batch is empty, or a choice does not
        exist.

    Examples
    --------
    >>> import jax, jax.numpy as jnp
    >>> from labnoise import LabelNoise, landscapes
    >>> noise = LabelNoise(landscapes.hyperbola(), delta=0.5)
    >>> x = jnp.array([2.0, 0.5])                                  # on Γ: uv = 1
    >>> bool(jnp.allclose(noise.covariance(x), 2 * 0.5**2 * noise.problem.hessian(x)))
    True
    >>> noise.sample_gradient(jax.random.key(0), x).shape
    (2,)
    """

    problem: LeastSquares

    def __init__(
        self,
        problem: LeastSquares,
        delta: Array | float,
        batch_size: int = 1,
        distribution: str = "sign",
        gradient: str = "batch",
    ):
        _require_examples(problem, "LabelNoise")
        _checks.nonnegative("delta", delta)
        _checks.one_of("distribution", distribution, ("sign", "normal"))
        _checks.one_of("gradient", gradient, ("batch", "full"))
        self.problem = problem
        self.delta = delta
        self.batch_size = _checks.count("batch_size", batch_size)
        self.distribution = distribution
        self.full = gradient == "full"

    def draw(self, key: Array, x: Array) -> tuple[Array, Array]:
        return _indices_and_perturbations(
            key, self.batch_size, self.problem.num_examples, self.distribution, x.dtype
        )

    def gradient(self, x: Array, draw: tuple[Array, Array]) -> Array:
        indices, perturbations = draw
        shift = self.delta * perturbations / self.batch_size
        if self.full:
            residual, pullback = self.problem.examples(x)
            # a sum over one-hot rows: scattering to `indices` costs more than the rest of the step
            hits = indices[:, None] == jnp.arange(self.problem.num_examples)
            weights = residual / self.problem.num_examples - shift @ hits.astype(x.dtype)
        else:
            residual, pullback = self.problem.examples(x, indices)
            weights = residual / self.batch_size - shift
        return 2 * self.problem.loss_scale * pullback(weights)

    def factor(self, x: Array) -> Array:
        scale = (
            2 * self.problem.loss_scale * self.delta / jnp.sqrt(self.batch_size * self.problem.num_examples)
        )
        labels = scale * self.problem.jacobian(x).T
        if self.full:
            return labels
        batch = _minibatch_factor(self.problem, x) / jnp.sqrt(self.batch_size)
        return jnp.concatenate([labels, batch], axis=1)


@pytree(data=("problem", "strength"), static=("batch_size", "kind"))
class MinibatchNoise(Noise):
    """The gradient of a few examples in place of all, `ℓ_i = loss_scale·(f_i − y_i)²`.

        kind="batch":   (1/B) Σ_k ∇ℓ_{b_k}(x)
        kind="pair":    ∇L(x) + strength·(∇ℓ_i(x) − ∇ℓ_j(x))

    The batch is drawn with replacement, `Σ = Cov(∇ℓ_i)/B`; i and j are independent, `Σ = 2·strength²·Cov(∇ℓ_i)`.
    Both vanish on Γ, where every example's gradient is zero. The second is HaoChen et al. (2020), section 3.

    Parameters
    ----------
    problem : LeastSquares
    batch_size : B ≥ 1, for kind="batch"
    kind : "batch" or "pair"
    strength : number ≥ 0, for kind="pair"

    Raises
    ------
    ValueError
        If `problem` has no examples, the batch is empty, `kind` does not exist, or an argument of the other
        kind is given.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> from labnoise import LeastSquares, MinibatchNoise
    >>> noise = MinibatchNoise(LeastSquares(lambda x: x[:2] * x[2:], jnp.array([1.0, 2.0])))
    >>> float(abs(noise.covariance(jnp.array([1.0, 2.0, 1.0, 1.0]))).max())    # on Γ
    0.0
    """

    problem: LeastSquares

    def __init__(
        self, problem: LeastSquares, batch_size: int = 1, kind: str = "batch", strength: Array | float = 1.0
    ):
        _require_examples(problem, "MinibatchNoise")
        _checks.one_of("kind", kind, ("batch", "pair"))
        _checks.nonnegative("strength", strength)
        if kind == "pair" and batch_size != 1:
            _checks.fail(
                "batch_size", batch_size, 'kind="pair" takes one example against another; leave it at 1'
            )
        if kind == "batch" and _checks.concrete(strength) and strength != 1:
            _checks.fail("strength", strength, 'only kind="pair" has a strength; leave it at 1')
        self.problem = problem
        self.batch_size = _checks.count("batch_size", batch_size)
        self.kind = kind
        self.strength = strength

    def draw(self, key: Array, x: Array) -> Array:
        size = 2 if self.kind == "pair" else self.batch_size
        return _uniform_indices(key, size, self.problem.num_examples)

    def gradient(self, x: Array, draw: Array) -> Array:
        if self.kind == "batch":
            residual, pullback = self.problem.examples(x, draw)
            return 2 * self.problem.loss_scale * pullback(residual / self.batch_size)
        residual, pullback = self.problem.examples(x)
        one, other = (draw[:, None] == jnp.arange(self.problem.num_examples)).astype(x.dtype)
        return (
            2
            * self.problem.loss_scale
            * pullback(residual * (1 / self.problem.num_examples + self.strength * (one - other)))
        )

    def factor(self, x: Array) -> Array:
        scale = jnp.sqrt(2) * self.strength if self.kind == "pair" else 1 / jnp.sqrt(self.batch_size)
        return scale * _minibatch_factor(self.problem, x)


@pytree(data=("problem", "cov", "fixed_factor"))
class GaussianNoise(Noise):
    """`∇L(x) + N(0, Σ(x))`, with Σ given; `GaussianNoise(problem, 0.0)` is gradient descent.

    Parameters
    ----------
    problem : Loss
    cov : a number σ² (for σ²I), a matrix (D, D), or a function (D,) -> (D, D)

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
        return jnp.sqrt(self.cov) * jnp.eye(x.size, dtype=x.dtype)

    def check_at(self, x: Array) -> None:
        if callable(self.cov):
            _checks.covariance("cov(x)", self.cov(x), x.size)
        elif self.fixed_factor is not None and self.fixed_factor.shape[0] != x.size:
            _checks.fail(
                "the shape of cov", self.fixed_factor.shape, f"the point has D = {x.size} coordinates"
            )


@pytree(data=("problem", "sigma"))
class FiniteNoise(Noise):
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
        return _uniform_indices(key, 1, jax.eval_shape(self.sigma, x).shape[1])[0]

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
