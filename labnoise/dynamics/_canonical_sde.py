"""The canonical SDE of SGD, `dX̃ = −η∇L dt + ησ dW`, time counted in steps.

Li, Wang & Arora (2022), section 2.
"""

import jax
import jax.numpy as jnp
from jax import Array

from labnoise import _checks
from labnoise.dynamics._loop import LearningRate, Trajectory
from labnoise.dynamics._sgd import sgd
from labnoise.noises._noise import Noise, require_noise, require_unbiased


class _Diffusion(Noise, static=()):
    """Gaussian noise with the covariance of another noise, its factor enlarged by `spread`."""

    def __init__(self, noise: Noise, spread: float):
        self.noise, self.problem, self.spread = noise, noise.problem, spread

    def draw(self, key: Array, x: Array) -> Array:
        return jax.random.normal(key, jax.eval_shape(self.noise.factor, x).shape[1:], x.dtype)

    def gradient(self, x: Array, draw: Array) -> Array:
        return self.problem.gradient(x) + self.spread * (self.noise.factor(x) @ draw)

    def factor(self, x: Array) -> Array:
        return self.spread * self.noise.factor(x)

    def check_at(self, x: Array) -> None:
        self.noise.check_at(x)


def canonical_sde(
    noise: Noise,
    x0: Array,
    learning_rate: LearningRate,
    num_steps: int,
    key: Array,
    dt: float = 1.0,
    save_every: int | None = None,
) -> Trajectory:
    """Paths of `dX̃ = −η∇L(X̃) dt + ησ(X̃) dW`, `σσᵀ = Σ`, over `num_steps` steps of SGD.

    The canonical SDE of Li, Wang & Arora (2022), section 2, with time counted in steps of SGD. Euler–Maruyama with
    steps of length `dt`: that is SGD with learning rate η·dt and Gaussian noise of covariance Σ/dt. At dt = 1 it is
    SGD with the noise replaced by a Gaussian one.

    Parameters
    ----------
    noise, x0, learning_rate, num_steps, key, save_every
        As in `sgd`, but x0 is taken in float64.
    dt : 1, 1/2, 1/3, …
        The length of an Euler step, in steps of SGD.

    Returns
    -------
    Trajectory
        Its `steps` and `diverged_at` count steps of SGD.

    Raises
    ------
    ValueError
        As `sgd`, and if 1/dt is not a whole number.

    Examples
    --------
    >>> import jax, jax.numpy as jnp
    >>> from labnoise import GaussianNoise, Loss, canonical_sde
    >>> descent = GaussianNoise(Loss(lambda x: 0.5 * x @ x), 0.0)
    >>> run = canonical_sde(descent, jnp.ones(1), 0.1, 10, jax.random.key(0), dt=0.01)
    >>> run.steps.tolist(), bool(abs(run.states[-1, 0] - jnp.exp(-1.0)) < 1e-3)
    ([0, 10], True)
    """
    require_noise(noise)
    require_unbiased(noise)
    _checks.positive("dt", dt)
    parts = round(1 / dt)
    if parts < 1 or abs(parts * dt - 1) > 1e-9:
        _checks.fail("dt", dt, "a step of SGD must consist of a whole number of steps dt: 1, 1/2, 1/3, …")
    x0 = _checks.point("x0", x0, noise.problem)
    num_steps = _checks.count("num_steps", num_steps, least=0)
    save_every = max(num_steps, 1) if save_every is None else _checks.count("save_every", save_every)

    if callable(learning_rate):
        schedule = learning_rate
        rate: LearningRate = lambda k: schedule(k // parts) / parts  # noqa: E731
    else:
        _checks.positive("learning_rate", learning_rate)
        rate = learning_rate / parts
    fine = sgd(_Diffusion(noise, parts**0.5), x0, rate, num_steps * parts, key, save_every * parts)
    at = jnp.where(fine.diverged_at > 0, -(-fine.diverged_at // parts), fine.diverged_at)
    return Trajectory(fine.steps // parts, fine.states, at)
