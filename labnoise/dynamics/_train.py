"""Any optimizer of optax on any noise: the loop of `sgd` with another update rule."""

from typing import Any

import jax
import jax.numpy as jnp
import optax
from jax import Array

from labnoise import _checks
from labnoise.dynamics._loop import Trajectory, run_steps
from labnoise.dynamics._optimizers import Transformation
from labnoise.dynamics._sgd import all_diverged, check_run, curvature_at
from labnoise.noises._noise import Noise

_ROUNDING = 1e-5


def train(
    noise: Noise,
    x0: Array,
    optimizer: optax.GradientTransformation,
    num_steps: int,
    key: Array,
    save_every: int | None = None,
) -> Trajectory:
    """Run any optimizer of optax on the stochastic gradients g_k of a noise.

    `u_k, s_{k+1} = update(g_k(x_k), s_k, x_k)`, `x_{k+1} = x_k + u_k`, s_0 = init(x0): the loop of optax, compiled.
    Its randomness is that of `sgd`: `train(noise, x0, optax.sgd(η, momentum=β), …)` gives the numbers of
    `sgd(noise, x0, η, …, momentum=β)`, which needs no compilation for another η.

    Parameters
    ----------
    noise : Noise
        Gives the stochastic gradients g_k of its problem.
    x0 : (D,)
        Start. Its dtype is kept.
    optimizer : optax.GradientTransformation, such as `optax.adam(1e-3)`
        The learning rate, or its schedule, is part of it. Weight decay and masks see x_k.
    num_steps : int ≥ 0
    key : a JAX key, or an array of keys (R,)
        R keys run R independent replicas, each with a state of the optimizer of its own.
    save_every : int, optional
        Save each that many steps; the start and the last state are always saved. By default only those two.

    Returns
    -------
    Trajectory
        A replica that diverged is marked in `diverged_at` and does not disturb the others.

    Raises
    ------
    ValueError
        If an argument is bad, if `optimizer` is none, has a β₂ outside [0, 1), asks for more than the gradient, its
        state and x (such as a line search, which asks for the loss) or draws from a key of its own that all replicas
        would share, or if every replica diverged. Under `jit` that is not raised, look at `diverged_at`.

    Notes
    -----
    A new optimizer is compiled anew, also if only its learning rate is another: keep it, or give the rate as a
    schedule. Runs longer than two seconds show a progress bar, unless the environment has LABNOISE_PROGRESS=0.
    Optimizers: https://optax.readthedocs.io.

    Examples
    --------
    >>> import jax, jax.numpy as jnp, optax
    >>> from labnoise import LabelNoise, landscapes, train
    >>> noise, x0 = LabelNoise(landscapes.hyperbola(), 0.5), jnp.array([1.6, 0.4])
    >>> run = train(noise, x0, optax.adam(1e-3), 2000, jax.random.split(jax.random.key(0), 8), save_every=500)
    >>> run.steps.tolist(), run.states.shape
    ([0, 500, 1000, 1500, 2000], (8, 5, 2))
    >>> bool(abs(run.states[:, -1].prod(-1) - 1).max() < 0.1)                         # near Γ, uv = 1
    True
    """
    x0, num_steps, save_every = check_run(noise, x0, num_steps, key, save_every)
    rule = _rule(optimizer)
    traced = _check(optimizer, rule, x0, key)
    if not traced and _checks.concrete(x0):
        _check_memory(optimizer, rule, x0)
    run = run_steps(noise, rule, x0, 1.0, num_steps, key, save_every, in_one=traced)
    if all_diverged(run):
        raise ValueError(
            f"optimizer: every replica diverged, the first at step {int(run.diverged_at.min())}; lower its learning "
            f"rate. At x0 λ_max = {curvature_at(noise.problem, x0):.4g}: plain steps without noise are stable for "
            "η < 2/λ_max"
        )
    return run


def _rule(optimizer: Any) -> Transformation:
    remedy = "pass an optimizer of optax, such as optax.adam(1e-3)"
    initial, update = getattr(optimizer, "init", None), getattr(optimizer, "update", None)
    if isinstance(optimizer, type) or not callable(initial) or not callable(update):
        _checks.fail("optimizer", optimizer, remedy)
    try:
        hash((initial, update))
    except TypeError:
        _checks.fail("optimizer", optimizer, "JAX cannot tell it from another; " + remedy)
    return Transformation(initial, update)


def _check(optimizer: Any, rule: Transformation, x0: Array, key: Array) -> bool:
    """Whether a tracer hides in the optimizer, after one step of it without numbers."""

    def step(x: Array) -> tuple[Array, Any, Any]:
        state = rule.init(x)
        return *rule.update(x, state, x), state

    try:
        seen, (update, new, state) = jax.make_jaxpr(step, return_shape=True)(x0)
    except Exception as reason:  # whatever a stranger's code raises
        raise ValueError(
            f"optimizer = {optimizer!r}: it makes no step from a gradient (D,), its state and x (D,) alone; {reason}"
        ) from reason
    if jnp.shape(update) != x0.shape:
        _checks.fail(
            "the shape of the optimizer's step", jnp.shape(update), f"it must be that of x0, {x0.shape}"
        )
    if jax.tree.map(jnp.shape, new) != jax.tree.map(jnp.shape, state):
        _checks.fail(
            "optimizer", optimizer, "its update must return a state of the shapes that init returned"
        )
    own = [leaf for leaf in jax.tree.leaves(state) if jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key)]
    if own and key.ndim:
        _checks.fail(
            "optimizer",
            optimizer,
            "it draws from a key of its own, which all replicas would share; let the noise draw, or run one replica",
        )
    return not _checks.concrete(seen.consts)


def _check_memory(optimizer: Any, rule: Transformation, x0: Array) -> None:
    """Optax does not look at its numbers: Adam runs with β₂ = 1.5, on a mean that gives later squares less weight.

    A mean of squares, `nu` in optax's states, lies after a gradient of ones between what it was and one.
    """
    state = rule.init(x0)
    for before, after in zip(
        _squares(state, x0), _squares(rule.update(jnp.ones_like(x0), state, x0)[1], x0), strict=True
    ):
        low, high = jnp.minimum(before, 1) - _ROUNDING, jnp.maximum(before, 1) + _ROUNDING
        if not ((low <= after) & (after <= high)).all():
            _checks.fail(
                "optimizer",
                optimizer,
                "its mean of squares is none: choose its b2, or decay, at least 0 and below 1",
            )


def _squares(state: Any, x0: Array) -> list[Array]:
    name = jax.tree_util.GetAttrKey("nu")
    leaves = jax.tree_util.tree_leaves_with_path(state)
    return [leaf for path, leaf in leaves if name in path and jnp.shape(leaf) == x0.shape]
