"""Local SGD: workers who step alone and meet to average (Stich 2019)."""

from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from labnoise import _checks
from labnoise.dynamics._loop import LearningRate, Trajectory, run_steps
from labnoise.dynamics._optimizers import Averaging
from labnoise.dynamics._sgd import all_diverged, check_rate, check_run, explain_divergence
from labnoise.noises._noise import Biased, Noise


class _Workers(Biased, static=("workers",)):
    """The gradients (KD,) of K workers at their points x (KD,), each with a draw of its own."""

    def __init__(self, noise: Noise, workers: int):
        self.noise, self.problem, self.workers = noise, noise.problem, workers

    def draw(self, key: Array, x: Array) -> Any:
        keys = jax.random.split(key, self.workers) if self.workers > 1 else key[None]  # alone it is SGD
        one = x[: x.size // self.workers]
        return jax.vmap(lambda key: self.noise.draw(key, one))(keys)

    def gradient(self, x: Array, draw: Any) -> Array:
        return jax.vmap(self.noise.gradient)(x.reshape(self.workers, -1), draw).ravel()


def local_sgd(
    noise: Noise,
    x0: Array,
    learning_rate: LearningRate,
    num_rounds: int,
    local_steps: int,
    workers: int,
    key: Array,
    save_every: int | None = None,
) -> Trajectory:
    """Local SGD: K workers do h steps of SGD each on noise of their own, then all go on from their mean.

    `x_j ← x_j − η g_j(x_j)`, h times for j = 1 … K, then `x_j ← (1/K) Σ_i x_i`: one round (Stich 2019).
    One worker is `sgd`, and h = 1 is SGD with K times less noise. How it drifts along Γ was found by Gu, Lyu, Huang &
    Arora (2023).

    Parameters
    ----------
    noise : Noise
        That of each worker, independent of the others'.
    x0 : (D,)
        Start of all. Its dtype is kept.
    learning_rate : number or function step -> η
        The step counts one worker's steps.
    num_rounds : int ≥ 0
    local_steps : h ≥ 1
        Steps of a worker in a round.
    workers : K ≥ 1
    key : a JAX key, or an array of keys (R,)
        R keys run R independent replicas of all workers.
    save_every : int, optional
        Save each that many rounds; the start and the last round are always saved. By default only those two.

    Returns
    -------
    Trajectory
        States are means over the workers at the ends of rounds; `steps` and `diverged_at` count one worker's steps.

    Raises
    ------
    ValueError
        If an argument is bad, or if every replica diverged.

    Examples
    --------
    >>> import jax, jax.numpy as jnp
    >>> from labnoise import LabelNoise, landscapes, local_sgd
    >>> noise, x0 = LabelNoise(landscapes.hyperbola(), 0.5), jnp.array([1.6, 0.4])
    >>> run = local_sgd(noise, x0, 0.02, 50, local_steps=10, workers=4, key=jax.random.key(0), save_every=25)
    >>> run.steps.tolist(), run.states.shape
    ([0, 250, 500], (3, 2))
    """
    x0, num_rounds, save_every = check_run(noise, x0, num_rounds, key, save_every, counted="num_rounds")
    local_steps = _checks.count("local_steps", local_steps)
    workers = _checks.count("workers", workers)
    num_steps = num_rounds * local_steps
    check_rate(learning_rate, num_steps)
    rule = Averaging(workers, local_steps)
    run = run_steps(
        _Workers(noise, workers),
        rule,
        jnp.tile(x0, workers),
        learning_rate,
        num_steps,
        key,
        save_every * local_steps,
    )
    if all_diverged(run):
        explain_divergence(noise, rule, x0, run)
    return run
