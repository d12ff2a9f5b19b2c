"""Label noise: the noise that goes on after the loss is zero (Blanc et al. 2020; HaoChen et al. 2020)."""

import jax.numpy as jnp
from jax import Array

from labnoise import _checks
from labnoise.noises._draws import indices_and_perturbations
from labnoise.noises._minibatch import minibatch_factor
from labnoise.noises._noise import Noise
from labnoise.problems import LeastSquares


class LabelNoise(Noise, static=("batch_size", "distribution", "full")):
    """Each label that enters a step is perturbed afresh, `y_i -> y_i + δε`, ε = ±1 or N(0, 1).

    With batch b_1 … b_B (drawn with replacement) and s = `problem.loss_scale` the stochastic gradient is

        gradient="batch":   (2s/B) Σ_k (f_{b_k}(x) − y_{b_k} − δε_k) ∇f_{b_k}(x)
        gradient="full":    ∇L(x) − (2s/B) Σ_k δε_k ∇f_{b_k}(x)

    The second is that of HaoChen et al. (2020). Where labels are vectors of q numbers, ε_k is one too, each of its
    entries drawn by itself, and ∇f stands for Jᵀ. On Γ both have `Σ = (4s²δ²/Bn) JᵀJ = c∇²L`, `c = 2sδ²/B`; the second
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
        if not isinstance(problem, LeastSquares):
            _checks.fail("problem", problem, "LabelNoise perturbs labels: pass a LeastSquares problem")
        _checks.nonnegative("delta", delta)
        _checks.one_of("distribution", distribution, ("sign", "normal"))
        _checks.one_of("gradient", gradient, ("batch", "full"))
        self.problem = problem
        self.delta = delta
        self.batch_size = _checks.count("batch_size", batch_size)
        self.distribution = distribution
        self.full = gradient == "full"

    def draw(self, key: Array, x: Array) -> tuple[Array, Array]:
        shape = (self.batch_size, *self.problem.targets.shape[1:])
        return indices_and_perturbations(key, shape, self.problem.num_examples, self.distribution, x.dtype)

    def gradient(self, x: Array, draw: tuple[Array, Array]) -> Array:
        indices, perturbations = draw
        shift = self.delta * perturbations
        if self.full:
            # a sum over one-hot rows: scattering to `indices` costs more than the rest of the step
            hits = (indices[:, None] == jnp.arange(self.problem.num_examples)).astype(x.dtype)
            shift = self.problem.num_examples / self.batch_size * jnp.tensordot(shift, hits, (0, 0)).T
            outputs, targets, pullback = self.problem.examples(x)
        else:
            outputs, targets, pullback = self.problem.examples(x, indices)
        slopes = self.problem.slopes(outputs, self.problem.relabel(targets, shift))
        return pullback(slopes / len(slopes))

    @property
    def hessian_multiple(self) -> Array | float:  # type: ignore[override]
        """`c = 2sδ²/B`."""
        return self.problem.noise_strength(self.delta, self.batch_size)

    def factor(self, x: Array) -> Array:
        scale = self.problem.curvature * self.delta / jnp.sqrt(self.batch_size * self.problem.num_examples)
        labels = scale * self.problem.jacobian(x).T
        if self.full:
            return labels
        batch = minibatch_factor(self.problem, x) / jnp.sqrt(self.batch_size)
        return jnp.concatenate([labels, batch], axis=1)
