"""Labels drawn afresh from soft targets: the label noise of classification."""

import jax.numpy as jnp
from jax import Array

from labnoise import _checks
from labnoise.noises._draws import indices_and_uniforms
from labnoise.noises._minibatch import minibatch_factor
from labnoise.noises._noise import Noise
from labnoise.problems import CrossEntropy


class SampledLabels(Noise, static=("batch_size",)):
    """Each label that enters a step is a class drawn afresh from its target: `(1/B) Σ_k J_{b_k}ᵀ(p_{b_k} − e_{c_k})`.

    The batch b_1 … b_B is drawn with replacement, the class c_k of example b_k from its target y_{b_k}; J_i = ∂f_i are
    the slopes of its logits, p_i their softmax and e_c a unit vector. The covariance is

        Σ = (1/B) [ (1/n) Σ_i J_iᵀ(diag y_i − y_i y_iᵀ)J_i + Cov(∇ℓ_i) ],

    the second that of drawing examples. On Γ the second vanishes and the first is the Hessian: `Σ = ∇²L/B`.

    Parameters
    ----------
    problem : CrossEntropy
    batch_size : B ≥ 1

    Raises
    ------
    ValueError
        If `problem` has no targets to draw labels from, or the batch is empty.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> from labnoise import CrossEntropy, SampledLabels
    >>> problem = CrossEntropy(lambda x: jnp.array([[x[0] * x[1], 0.0]]), targets=jnp.array([[0.8, 0.2]]))
    >>> noise, x = SampledLabels(problem, batch_size=4), jnp.array([2.0, jnp.log(4.0) / 2])     # on Γ
    >>> bool(jnp.allclose(noise.covariance(x), problem.hessian(x) / 4))
    True
    """

    problem: CrossEntropy

    def __init__(self, problem: CrossEntropy, batch_size: int = 1):
        if not isinstance(problem, CrossEntropy):
            _checks.fail("problem", problem, "SampledLabels draws classes: pass a CrossEntropy problem")
        self.problem = problem
        self.batch_size = _checks.count("batch_size", batch_size)

    def draw(self, key: Array, x: Array) -> tuple[Array, Array]:
        return indices_and_uniforms(key, self.batch_size, self.problem.num_examples, x.dtype)

    def gradient(self, x: Array, draw: tuple[Array, Array]) -> Array:
        indices, uniforms = draw
        outputs, targets, pullback = self.problem.examples(x, indices)
        return pullback(
            self.problem.slopes(outputs, self.problem.relabel(targets, uniforms)) / self.batch_size
        )

    @property
    def hessian_multiple(self) -> float:  # type: ignore[override]
        """`c = 1/B`."""
        return 1 / self.batch_size

    def factor(self, x: Array) -> Array:
        targets = self.problem.targets
        roots = self.problem.roots(jnp.log(targets), targets)  # of the labels' covariance, p being y
        slopes = self.problem.jacobian(x).reshape(*targets.shape, x.size)
        labels = (roots @ slopes).reshape(-1, x.size).T / jnp.sqrt(self.problem.num_examples)
        return jnp.concatenate([labels, minibatch_factor(self.problem, x)], axis=1) / jnp.sqrt(
            self.batch_size
        )
