"""The loop of all that goes step by step: a noise's gradients, an optimizer's rule, replicas and saved states."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax._src.config import debug_nans, trace_context  # there is no public way to ask what a `with` has set

from labnoise import _checks
from labnoise._progress import progress_bar
from labnoise.dynamics._optimizers import Optimizer
from labnoise.noises._noise import Noise

LearningRate = Array | float | Callable[[Array], Array]

# A chain draws the randomness of this many steps at once, or fewer if a step needs much of it: so many numbers when it
# runs alone, where a loop over few numbers would spend its time on starting, and so many beside others, for memory.
_BLOCK, _NUMBERS_ALONE, _NUMBERS_BESIDE_OTHERS = 512, 2**16, 2**14
# Replicas run beside each other in groups, with up to so many numbers in their states, which fit the nearest cache.
# The groups share the cores, and are the same on a machine with more of them, for the same last digits.
_NUMBERS_TOGETHER = 2**12
# States saved oftener than this are written by the steps themselves: a segment for each takes longer than its steps.
_OFTEN = 4
# A run is cut in this many compiled pieces, between which the progress bar moves; a short one in fewer, for each
# costs a millisecond.
_PIECES, _PIECE_STEPS = 50, 20_000


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


def run_steps(
    noise: Noise,
    optimizer: Optimizer,
    x0: Array,
    learning_rate: LearningRate,
    num_steps: int,
    key: Array,
    save_every: int,
    in_one: bool = False,
) -> Trajectory:
    """Cut the run in pieces of equal shape, compiled once, between which the progress bar moves.

    In one piece if something is traced, or if `in_one` says that something is that cannot be seen. All shapes are
    rounded up to a few round numbers, so that a run of another length seldom compiles anew: a widget
    that moves the learning rate at fixed η²·steps would otherwise compile at every move.
    """
    in_one = in_one or not _checks.concrete(noise, optimizer, x0, learning_rate, key)
    groups = [key] if in_one else _groups(key, x0.size)
    block = _steps_per_block(noise, x0, groups[0].size)
    if in_one:
        block = min(block, save_every)
    often = not in_one and save_every < _OFTEN
    segments = _segments(num_steps, max(num_steps, 1) if often else save_every, block)
    number = len(segments[0])
    fewest = number * _PIECE_STEPS // max(num_steps, 1)  # segments that a piece of that many steps has
    size = max(1, number if in_one else _round_up(max(-(-number // _PIECES), min(number, fewest))))
    num_saves = 1 + -(-num_steps // save_every)
    carries = [_start(noise, optimizer, x0, keys, _round_up(num_saves), block) for keys in groups]
    rates, every = rates_of(learning_rate, num_steps, x0.dtype), save_every if often else None

    with progress_bar(num_steps, "step", silent=in_one) as bar, ThreadPoolExecutor(_cores()) as threads:
        # another thread may not touch what is traced, and does not see what a `with` has set in this one
        apart = len(groups) > 1 and threads.submit(_settings).result() == _settings()
        each = threads.map if apart else map
        for first in range(0, number, size):
            piece = tuple(part[first : first + size] for part in segments)
            bar_step = int(piece[1].sum())
            missing = size - len(piece[0])  # the last piece is filled up with segments of no steps
            start, count, slot = (np.pad(part, (0, missing), mode="edge") for part in piece)
            count[size - missing :] = 0
            advance = partial(_advance, noise, optimizer, (start, count, slot), rates, every, in_one)
            carries = list(each(advance, carries, groups))
            if not in_one:
                jax.block_until_ready(carries)
                bar.update(bar_step)
    saved, diverged_at = carries[0][2:4]
    if in_one:
        states = saved[..., :num_saves, :]
    else:
        # sliced, joined, or made an array, by jax.numpy it would compile for every new number of saves
        saved, diverged_at = (_joined([carry[i] for carry in carries], key) for i in (2, 3))
        states, diverged_at = jax.device_put((saved[..., :num_saves, :], diverged_at))
    steps = jax.device_put(np.minimum(save_every * np.arange(num_saves), num_steps))
    return Trajectory(steps, states, diverged_at)


def _cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _settings() -> Any:
    """JAX's settings in the thread that asks."""
    return trace_context(), debug_nans.value


def _groups(keys: Array, size: int) -> list[Array]:
    """The keys in groups of one size, the last filled up with its last key, for states (size,)."""
    number = -(-keys.size * size // _NUMBERS_TOGETHER)
    length = -(-keys.size // number)
    if length >= keys.size:
        return [keys]
    return [keys[np.minimum(np.arange(i, i + length), keys.size - 1)] for i in range(0, keys.size, length)]


def _joined(parts: list[Array], key: Array) -> np.ndarray:
    """What the groups have found, for each key once."""
    return np.asarray(parts[0]) if key.ndim == 0 else np.concatenate(parts)[: key.size]


def _start(noise: Noise, optimizer: Optimizer, x0: Array, key: Array, saves: int, block: int) -> Any:
    """The point, the optimizer's state, the saved states, where it diverged and the draws, for each key."""
    state = jax.tree.map(lambda leaf: jnp.broadcast_to(leaf, (*key.shape, *leaf.shape)), optimizer.init(x0))
    shown = optimizer.shown(x0)
    saved = jnp.broadcast_to(shown, (*key.shape, saves, shown.size))
    draws = jax.tree.map(
        lambda leaf: jnp.zeros((*key.shape, block, *leaf.shape), leaf.dtype), _shape_of_a_draw(noise, x0)
    )
    return jnp.broadcast_to(x0, (*key.shape, x0.size)), state, saved, jnp.full(key.shape, -1, int), draws


def _segments(num_steps: int, save_every: int, block: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """First step, number of steps and save slot of each segment: cut where a block ends and where a state is saved.

    The segments of one saving interval overwrite each other's state in their common slot.
    """
    starts = np.union1d(np.arange(0, num_steps, block), np.arange(0, num_steps, save_every))
    ends = np.append(starts[1:], num_steps)[: len(starts)]
    return starts, ends - starts, -(-ends // save_every)


def _round_up(count: int) -> int:
    """The smallest power of two that is at least `count`."""
    return 1 << (count - 1).bit_length()


@partial(jax.jit, static_argnums=5)
def _advance(
    noise: Noise,
    optimizer: Optimizer,
    segments: tuple[np.ndarray, np.ndarray, np.ndarray],
    rates: Array,
    save_every: int | None,
    differentiable: bool,
    carry: Any,
    key: Array,
) -> Any:
    """Some segments of each replica; their ends are saved, or, with `save_every`, states within them."""

    def replica(carry: Any, key: Array) -> Any:
        dtype = carry[0].dtype
        source, rule = jax.tree.map(
            lambda leaf: jnp.asarray(leaf, dtype) if jnp.issubdtype(leaf, jnp.floating) else leaf,
            (noise, optimizer),
        )
        segment = partial(_segment, source, rule, key, rates, save_every, differentiable)
        return jax.lax.scan(segment, carry, segments)[0]

    for _ in range(key.ndim):
        replica = jax.vmap(replica)
    return replica(carry, key)


def _segment(
    noise: Noise,
    optimizer: Optimizer,
    key: Array,
    rates: Array,
    save_every: int | None,
    differentiable: bool,
    carry: Any,
    now: Any,
) -> tuple[Any, None]:
    """Draw the randomness of a whole block where one begins, then do the steps of the segment."""
    x, state, saved, diverged_at, draws = carry
    start, count, slot = now
    block = jax.tree.leaves(draws)[0].shape[0]

    def draw_block() -> Any:
        steps = start + jnp.arange(block)
        return jax.vmap(lambda k: noise.draw(jax.random.fold_in(key, k), x))(steps)

    draws = jax.lax.cond(start % block == 0, draw_block, lambda: draws)

    def step(i: Array, now: Any) -> Any:
        x, state, finite, within = now
        k = start + i
        draw = jax.tree.map(lambda leaf: leaf[k % block], draws)
        gradient = noise.gradient(x, draw).astype(x.dtype)
        x, state = optimizer.step(x, state, gradient, rates[k] if rates.ndim else rates)
        if save_every is not None:  # the steps of one saving interval overwrite each other's state
            within = within.at[k // save_every + 1].set(optimizer.shown(x))
        # counted by coordinate, the compiler fuses this with the line above; any sum over D doubles the cost
        return x, state, finite + jnp.isfinite(x), within

    reached = (x, state, jnp.zeros(x.shape, jnp.int32), None if save_every is None else saved)
    if differentiable:  # a loop of unknown length has no reverse derivative; one with idle steps has

        def step_or_idle(now: Any, i: Array) -> tuple[Any, None]:
            return jax.tree.map(partial(jnp.where, i < count), step(i, now), now), None

        reached = jax.lax.scan(step_or_idle, reached, jnp.arange(block))[0]
    else:
        reached = jax.lax.fori_loop(0, count, step, reached)
    x, state, finite, within = reached
    broke = (diverged_at < 0) & (finite.min() < count)
    diverged_at = jnp.where(broke, start + finite.min() + 1, diverged_at)
    saved = saved.at[slot].set(optimizer.shown(x)) if within is None else within
    return (x, state, saved, diverged_at, draws), None


def _shape_of_a_draw(noise: Noise, x0: Array) -> Any:
    return jax.eval_shape(_draw, noise, jax.random.key(0), x0)


@jax.jit  # which remembers what it has traced: that costs as much as all else of a short run
def _draw(noise: Noise, key: Array, x: Array) -> Any:
    return noise.draw(key, x)


def _steps_per_block(noise: Noise, x0: Array, replicas: int) -> int:
    numbers = sum(leaf.size for leaf in jax.tree.leaves(_shape_of_a_draw(noise, x0)))
    most = max(_NUMBERS_ALONE // max(replicas, 1), _NUMBERS_BESIDE_OTHERS)
    return int(np.clip(most // max(numbers, 1), 16, _BLOCK))


def rates_of(learning_rate: LearningRate, num_steps: int, dtype: Any) -> Array:
    """The learning rate as a number, or the schedule's at every step."""
    if not callable(learning_rate):
        return jnp.asarray(learning_rate, dtype)
    steps = np.minimum(np.arange(_round_up(num_steps)), num_steps - 1)
    return jax.vmap(learning_rate)(jnp.asarray(steps)).astype(dtype)
