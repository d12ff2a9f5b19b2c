"""Mini-batch noise: which dies on Γ."""

import jax.numpy as jnp
from jax import Array

from labnoise import _checks
from labnoise.noises._draws import uniform_indices
from labnoise.noises._noise import Noise
from labnoise.problems import Examples


class MinibatchNoise(Noise, static=("batch_size", "kind")):
    """The gradient of a few examples in place of all, with ℓ_i the loss of example i.

        kind="batch":   (1/B) Σ_k ∇ℓ_{b_k}(x)
        kind="pair":    ∇L(x) + strength·(∇ℓ_i(x) − ∇ℓ_j(x))

    The batch is drawn with replacement, `Σ = Cov(∇ℓ_i)/B`; i and j are independent, `Σ = 2·strength²·Cov(∇ℓ_i)`.
    Both vanish on Γ, where every example's gradient is zero. The second is HaoChen et al. (2020), section 3.

    Parameters
    ----------
    problem : Examples, such as LeastSquares
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

    problem: Examples

    def __init__(
        self, problem: Examples, batch_size: int = 1, kind: str = "batch", strength: Array | float = 1.0
    ):
        if not isinstance(problem, Examples):
            _checks.fail(
                "problem",
                problem,
                "MinibatchNoise draws examples: pass a problem made of them, such as LeastSquares",
            )
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
        return uniform_indices(key, size, self.problem.num_examples)

    def gradient(self, x: Array, draw: Array) -> Array:
        if self.kind == "batch":
            outputs, targets, pullback = self.problem.examples(x, draw)
            return pullback(self.problem.slopes(outputs, targets) / self.batch_size)
        outputs, targets, pullback = self.problem.examples(x)
        one, other = (draw[:, None] == jnp.arange(self.problem.num_examples)).astype(x.dtype)
        weights = 1 / self.problem.num_examples + self.strength * (one - other)
        return pullback((self.problem.slopes(outputs, targets).T * weights).T)

    def factor(self, x: Array) -> Array:
        scale = jnp.sqrt(2) * self.strength if self.kind == "pair" else 1 / jnp.sqrt(self.batch_size)
        return scale * minibatch_factor(self.problem, x)


def minibatch_factor(problem: Examples, x: Array) -> Array:
    """F (D, n) with `FFᵀ = Cov(∇ℓ_i)`, i uniform."""
    gradients = problem.example_gradients(x)
    return (gradients - gradients.mean(0)).T / jnp.sqrt(problem.num_examples)
