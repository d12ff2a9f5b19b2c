"""Stochastic gradient descent, `x(k+1) = x(k) − η g_k`, for every noise of `labnoise.noises`."""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from labnoise import _checks
from labnoise._progress import progress_bar
from labnoise.dynamics._optimizers import Descent, HeavyBall, Optimizer
from labnoise.noises._noise import Noise, require_gradient, require_noise
from labnoise.problems import Loss

LearningRate = Array | float | Callable[[Array], Array]

# A chain draws the randomness of this many steps at once, or fewer if a step needs much of it: so many numbers when it
# runs alone, where a loop over few numbers would spend its time on starting, and so many beside others, for memory.
_BLOCK, _NUMBERS_ALONE, _NUMBERS_BESIDE_OTHERS = 512, 2**16, 2**14
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
        A function is called with an integer array element 0, 1, …, `num_steps` − 1 inside `vmap`. It may be zero at
        some steps, as a warm-up is at the first.
    num_steps : int ≥ 0
    key : a JAX key, or an array of keys (R,)
        R keys run R independent replicas. The randomness of step k depends on the key and on k only, not on
        how often states are saved, nor on the number of replicas; with keys of kind "rbg", whose numbers JAX makes
        otherwise under `vmap`, this does not hold, and an array of them warns.
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
    Runs longer than two seconds show a progress bar, unless the environment has LABNOISE_PROGRESS=0.
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
    x0, num_steps, save_every = check_run(noise, x0, num_steps, key, save_every)
    _checks.scalar("momentum", momentum, lambda beta: 0 <= beta < 1, "pass a number β with 0 ≤ β < 1")
    check_rate(learning_rate, num_steps)
    plain = _checks.concrete(momentum) and momentum == 0
    optimizer = Descent() if plain else HeavyBall(momentum)
    run = run_steps(noise, optimizer, x0, learning_rate, num_steps, key, save_every)
    if all_diverged(run):
        explain_divergence(noise, optimizer, x0, run)
    return run


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
    block = _steps_per_block(noise, x0, key.size)
    if in_one:
        block = min(block, save_every)
    often = not in_one and save_every < _OFTEN
    segments = _segments(num_steps, max(num_steps, 1) if often else save_every, block)
    number = len(segments[0])
    fewest = number * _PIECE_STEPS // max(num_steps, 1)  # segments that a piece of that many steps has
    size = max(1, number if in_one else _round_up(max(-(-number // _PIECES), min(number, fewest))))
    rates = _rates(learning_rate, num_steps, x0.dtype)

    x = jnp.broadcast_to(x0, (*key.shape, x0.size))
    state = optimizer.init(x0)
    state = jax.tree.map(lambda leaf: jnp.broadcast_to(leaf, (*key.shape, *leaf.shape)), state)
    num_saves = 1 + -(-num_steps // save_every)
    shown = optimizer.shown(x0)
    saved = jnp.broadcast_to(shown, (*key.shape, _round_up(num_saves), shown.size))
    draws = jax.tree.map(
        lambda leaf: jnp.zeros((*key.shape, block, *leaf.shape), leaf.dtype), _shape_of_a_draw(noise, x0)
    )
    carry = (x, state, saved, jnp.full(key.shape, -1, int), draws)

    with progress_bar(num_steps, "step", silent=in_one) as bar:
        for first in range(0, number, size):
            piece = tuple(part[first : first + size] for part in segments)
            bar_step = int(piece[1].sum())
            missing = size - len(piece[0])  # the last piece is filled up with segments of no steps
            start, count, slot = (np.pad(part, (0, missing), mode="edge") for part in piece)
            count[size - missing :] = 0
            every = save_every if often else None
            carry = _advance(noise, optimizer, carry, key, (start, count, slot), rates, every, in_one)
            if not in_one:
                jax.block_until_ready(carry)
                bar.update(bar_step)
    saved, diverged_at = carry[2:4]
    # sliced, or made an array, by jax.numpy it would compile for every new number of saves
    states = saved[..., :num_saves, :] if in_one else jax.device_put(np.asarray(saved)[..., :num_saves, :])
    steps = jax.device_put(np.minimum(save_every * np.arange(num_saves), num_steps))
    return Trajectory(steps, states, diverged_at)


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


@partial(jax.jit, static_argnames="differentiable")
def _advance(
    noise: Noise,
    optimizer: Optimizer,
    carry: Any,
    key: Array,
    segments: tuple[np.ndarray, np.ndarray, np.ndarray],
    rates: Array,
    save_every: int | None,
    differentiable: bool,
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


def _rates(learning_rate: LearningRate, num_steps: int, dtype: Any) -> Array:
    """The learning rate as a number, or the schedule's at every step."""
    if not callable(learning_rate):
        return jnp.asarray(learning_rate, dtype)
    steps = np.minimum(np.arange(_round_up(num_steps)), num_steps - 1)
    return jax.vmap(learning_rate)(jnp.asarray(steps)).astype(dtype)


def check_run(
    noise: Any, x0: Any, num_steps: Any, key: Any, save_every: Any, counted: str = "num_steps"
) -> tuple[Array, int, int]:
    """The start, the number of steps and how often to save, after checking them; steps may be called otherwise."""
    require_noise(noise)
    x0 = _checks.point("x0", x0, noise.problem, keep_dtype=True)
    noise.check_at(x0)
    require_gradient(noise, x0)
    num_steps = _checks.count(counted, num_steps, least=0)
    save_every = max(num_steps, 1) if save_every is None else _checks.count("save_every", save_every)
    _checks.keys(key)
    return x0, num_steps, save_every


def check_rate(learning_rate: Any, num_steps: int) -> None:
    """Raise ValueError unless the learning rate, or the schedule at every step, is positive."""
    if callable(learning_rate):
        try:
            rates = _rates(learning_rate, num_steps, float)
        except (TypeError, ValueError) as reason:
            _checks.fail("learning_rate", learning_rate, f"a schedule maps a step to a number ({reason})")
        if _checks.concrete(rates) and not (np.isfinite(rates) & (rates >= 0)).all():
            _checks.fail("learning_rate", rates, "the schedule must be finite and nowhere negative")
        if _checks.concrete(rates) and num_steps > 1 and not (rates > 0).any():
            _checks.fail("learning_rate", rates, "the schedule is zero at every step, so nothing would move")
    else:
        _checks.positive("learning_rate", learning_rate)


def all_diverged(run: Trajectory) -> bool:
    """Whether it is known that no replica stayed finite."""
    return _checks.concrete(run.diverged_at) and bool((run.diverged_at >= 0).all())


def curvature_at(problem: Loss, x0: Array) -> float:
    """The largest |λ| of ∇²L at the concrete point x0."""
    x0 = x0.astype(float)
    hessian = problem.hessian(x0)
    _checks.smooth(problem, "x0", x0, problem.gradient(x0), hessian)
    return float(abs(jnp.linalg.eigvalsh(hessian)).max())


def explain_divergence(noise: Noise, optimizer: Optimizer, x0: Array, run: Trajectory) -> None:
    curvature = curvature_at(noise.problem, x0)
    if curvature > 0:
        largest = float(optimizer.largest_rate(curvature))
        advice = f"allows at most η = {largest:.4g} without noise; take one well below it"
    else:
        advice = "sets no bound; take a smaller one"
    raise ValueError(
        f"learning_rate: every replica diverged, the first at step {int(run.diverged_at.min())}. The curvature "
        f"at x0, λ_max = {curvature:.4g}, {advice}"
    )
