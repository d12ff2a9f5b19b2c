"""Stochastic gradient descent, `x(k+1) = x(k) − η g_k`, for every noise of `labnoise.noise`."""

import os
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from tqdm.auto import tqdm

from labnoise import _checks
from labnoise.noise import Noise

LearningRate = Array | float | Callable[[Array], Array]

# One chain draws the randomness of this many steps at once, or fewer if a step needs much of it.
_BLOCK, _BLOCK_NUMBERS = 512, 2**14
# A run is cut in this many compiled pieces, between which the progress bar moves.
_PIECES = 50


class Trajectory(NamedTuple):
    """Saved states of one run or of R replicas.

    Attributes
    ----------
    steps : (saves,)
        Number of steps done at each saved state.
    states : (saves, D), or (R, saves, D) for R keys
    diverged_at : (), or (R,) for R keys
        The step that first gave a state that is not finite; −1 if none did.
    """

    steps: Array
    states: Array
    diverged_at: Array


def sgd(
    noise: Noise,
    x0: Array,
    learning_rate: LearningRate,
    num_steps: int,
    key: Array,
    save_every: int | None = None,
    momentum: Array | float = 0.0,
) -> Trajectory:
    """Run SGD, `x(k+1) = x(k) − η_k g_k(x(k))`, or heavy ball, `m ← βm + g_k, x ← x − η_k m`.

    Parameters
    ----------
    noise : Noise
        Gives the stochastic gradients g_k of its problem.
    x0 : (D,)
        Start. Its dtype is kept: a float32 start gives a fast float32 run.
    learning_rate : number or function step -> η
        A function is called with an integer array element 0, 1, …, `num_steps` − 1 inside `vmap`.
    num_steps : int ≥ 0
    key : a JAX key, or an array of keys (R,)
        R keys run R independent replicas. The randomness of step k depends on the key and on k only, not on
        how often states are saved, nor on the number of replicas.
    save_every : int, optional
        Save each that many steps; the start and the last state are always saved. By default only those two.
    momentum : β in [0, 1)
        Heavy ball behaves as SGD with learning rate η/(1 − β).

    Returns
    -------
    Trajectory
        A replica that diverged is marked in `diverged_at` and does not disturb the others.

    Raises
    ------
    ValueError
        If an argument is bad, or if every replica diverged; the error then names the largest learning rate
        that the curvature at the start allows. Under `jit` nothing is raised, look at `diverged_at`.

    Notes
    -----
    Runs longer than two seconds show a progress bar, unless the environment variable LABNOISE_STATIC is set.
    Time t of the limit is η²·steps.

    Examples
    --------
    >>> import jax, jax.numpy as jnp
    >>> from labnoise import GaussianNoise, landscapes, sgd
    >>> descent = GaussianNoise(landscapes.valley(), 0.0)
    >>> run = sgd(descent, jnp.array([1.0, 1.0]), 0.1, 100, jax.random.key(0), save_every=50)
    >>> run.steps.tolist(), run.states.shape, int(run.diverged_at)
    ([0, 50, 100], (3, 2), -1)
    """
    x0, num_steps, save_every = _check(noise, x0, learning_rate, num_steps, key, save_every, momentum)
    states, diverged_at = _run(noise, x0, learning_rate, num_steps, key, save_every, momentum)
    steps = jnp.asarray(np.minimum(save_every * np.arange(states.shape[-2]), num_steps))
    if _checks.concrete(diverged_at) and (diverged_at >= 0).all():
        _explain_divergence(noise, x0, diverged_at, momentum)
    return Trajectory(steps, states, diverged_at)


def _run(
    noise: Noise,
    x0: Array,
    learning_rate: LearningRate,
    num_steps: int,
    key: Array,
    save_every: int,
    momentum: Array | float,
) -> tuple[Array, Array]:
    """Cut the run in pieces of equal length, compiled once; steps past the last one leave the state alone.

    The pieces and the room for saved states are rounded up to powers of two, so that a run of another length seldom
    compiles anew: a widget that moves the learning rate at fixed η²·steps would otherwise compile at every move.
    """
    per_block = _steps_per_block(noise, x0)
    num_blocks = -(-num_steps // per_block)
    in_one = not _checks.concrete(noise, x0, learning_rate, key, momentum)
    per_piece = num_blocks if in_one else _power_of_two(-(-num_blocks // _PIECES))

    # `save_every` states apart, each slot is overwritten until its own step is reached: no branch in the loop
    num_saves = 1 + -(-num_steps // save_every)
    saved = jnp.broadcast_to(x0, (*key.shape, _power_of_two(num_saves), x0.size))
    x = jnp.broadcast_to(x0, (*key.shape, x0.size))
    velocity = None if _checks.concrete(momentum) and momentum == 0 else jnp.zeros_like(x)
    carry = (x, velocity, saved, jnp.full(key.shape, -1, int))

    silent = in_one or bool(os.environ.get("LABNOISE_STATIC"))
    with tqdm(total=num_steps, unit="step", delay=2, disable=silent, leave=False) as bar:
        for first in range(0, num_blocks, max(per_piece, 1)):
            steps = per_block * first + np.arange(per_block * per_piece).reshape(per_piece, per_block)
            rates = _rates(learning_rate, steps, x0.dtype)
            carry = _advance(noise, carry, key, steps, rates, momentum, num_steps, save_every)
            if not in_one:
                jax.block_until_ready(carry)
                bar.update(min(per_block * per_piece, num_steps - bar.n))
    return carry[2][..., :num_saves, :], carry[3]


def _power_of_two(count: int) -> int:
    """The smallest power of two that is at least `count`; 0 stays 0."""
    return 1 << (count - 1).bit_length() if count else 0


@jax.jit
def _advance(
    noise: Noise,
    carry: Any,
    key: Array,
    steps: Array | np.ndarray,
    rates: Array,
    momentum: Array | float,
    num_steps: int,
    save_every: int,
) -> Any:
    """The steps `steps` (blocks, steps per block) of each replica."""

    def replica(carry: Any, key: Array) -> Any:
        dtype = carry[0].dtype
        model = jax.tree.map(
            lambda leaf: leaf.astype(dtype) if jnp.issubdtype(leaf, jnp.floating) else leaf, noise
        )
        block = partial(_block, model, key, jnp.asarray(momentum, dtype), num_steps, save_every)
        return jax.lax.scan(block, carry, (steps, rates))[0]

    for _ in range(key.ndim):
        replica = jax.vmap(replica)
    return replica(carry, key)


def _block(
    noise: Noise, key: Array, momentum: Array, num_steps: int, save_every: int, carry: Any, block: Any
) -> tuple[Any, None]:
    steps, rates = block
    first = carry[0]
    draws = noise.draw(jax.random.fold_in(key, steps[0]), steps.shape, first)

    def step(carry: Any, now: Any) -> tuple[Any, None]:
        x, velocity, saved, diverged_at = carry
        k, rate, draw = now
        gradient = noise.gradient(x, draw).astype(x.dtype)
        if velocity is not None:
            gradient = velocity = momentum * velocity + gradient
        done = k >= num_steps
        x = jnp.where(done, x, x - rate * gradient)
        k = jnp.minimum(k + 1, num_steps)
        saved = saved.at[-(-k // save_every)].set(x)
        broke = (diverged_at < 0) & ~jnp.isfinite(x.sum())
        return (x, velocity, saved, jnp.where(broke, k, diverged_at)), None

    return jax.lax.scan(step, carry, (steps, rates, draws))


def _steps_per_block(noise: Noise, x0: Array) -> int:
    one = jax.eval_shape(lambda key: noise.draw(key, (), x0), jax.random.key(0))
    numbers = sum(leaf.size for leaf in jax.tree.leaves(one))
    return int(np.clip(_BLOCK_NUMBERS // max(numbers, 1), 16, _BLOCK))


def _rates(learning_rate: LearningRate, steps: np.ndarray, dtype: Any) -> Array:
    if not callable(learning_rate):
        return jnp.full(steps.shape, learning_rate, dtype)
    return jax.vmap(jax.vmap(learning_rate))(jnp.asarray(steps)).astype(dtype)


def _check(
    noise: Any, x0: Any, learning_rate: Any, num_steps: Any, key: Any, save_every: Any, momentum: Any
) -> tuple[Array, int, int]:
    if not isinstance(noise, Noise):
        _checks.fail("noise", noise, "pass a noise, such as LabelNoise(problem, delta)")
    x0 = _checks.point("x0", x0, noise.problem)
    noise.check_at(x0)
    num_steps = _checks.count("num_steps", num_steps, least=0)
    save_every = max(num_steps, 1) if save_every is None else _checks.count("save_every", save_every)
    _checks.scalar("momentum", momentum, lambda beta: 0 <= beta < 1, "pass a number β with 0 ≤ β < 1")
    if callable(learning_rate):
        rates = _rates(learning_rate, np.arange(num_steps)[None], float)
        if _checks.concrete(rates) and not (np.isfinite(rates) & (rates > 0)).all():
            _checks.fail("learning_rate", rates, "the schedule must be positive and finite at every step")
    else:
        _checks.positive("learning_rate", learning_rate)
    _checks.keys(key)
    return x0, num_steps, save_every


def _explain_divergence(noise: Noise, x0: Array, diverged_at: Array, momentum: Array | float) -> None:
    curvature = float(abs(jnp.linalg.eigvalsh(noise.problem.hessian(x0))).max())
    largest = 2 * (1 + momentum) / curvature if curvature > 0 else np.inf
    raise ValueError(
        f"learning_rate: every replica diverged, the first at step {int(diverged_at.min())}. The curvature "
        f"at x0, λ_max = {curvature:.4g}, allows at most η = {float(largest):.4g} without noise; take one "
        "well below it"
    )
