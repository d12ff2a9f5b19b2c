"""Stochastic gradient descent, `x(k+1) = x(k) − η g_k`, for every noise of `labnoise.noises`."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from labnoise import _checks
from labnoise.dynamics._loop import LearningRate, Trajectory, rates_of, run_steps
from labnoise.dynamics._optimizers import Descent, HeavyBall, Optimizer
from labnoise.noises._noise import Noise, require_gradient, require_noise
from labnoise.problems import Loss, largest_curvature

_DENSE = 500


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
            rates = rates_of(learning_rate, num_steps, float)
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
    """The largest |λ| of ∇²L at the concrete point x0; with many parameters, the largest λ, without the matrix."""
    x0 = x0.astype(float)
    if x0.size > _DENSE:
        along = jax.jvp(problem.gradient, (x0,), (jnp.ones_like(x0),))
        _checks.smooth(problem, "x0", x0, along)
        return float(largest_curvature(problem, x0))
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
