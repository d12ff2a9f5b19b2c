"""Where runs end, with little change from one length to the next: for pictures of a cloud that follow the time."""

from __future__ import annotations

import jax
import numpy as np
from jax import Array

from labnoise import Noise


@jax.jit
def ends(noise: Noise, x0: Array, eta: Array | float, steps: Array | int, keys: Array) -> Array:
    """The last states of independent runs of SGD, whose dice are counted from the end of the run.

    After each number of steps they have the law of `labnoise.sgd`. There two lengths of a run differ by all that the
    noise did in between; here both end with the same dice, and differ by little more than the slow motion. For the
    same reason the ends move little with η at a fixed time η²·steps.

    Parameters
    ----------
    noise : Noise
    x0 : (D,)
        Start of every run.
    eta : number
        The learning rate η.
    steps : int ≥ 0
    keys : JAX keys (R,)
        One a run.

    Returns
    -------
    (R, D)

    Examples
    --------
    >>> import jax, jax.numpy as jnp
    >>> from afterzero.ends import ends
    >>> from labnoise import LabelNoise, landscapes
    >>> noise, keys = LabelNoise(landscapes.hyperbola(), delta=0.5), jax.random.split(jax.random.key(0), 50)
    >>> one, other = (ends(noise, jnp.array([2.0, 0.5]), 0.01, steps, keys) for steps in (1000, 1001))
    >>> bool(abs(one - other).max() < 1e-3)
    True
    """

    def end(key: Array) -> Array:
        def step(k: Array, x: Array) -> Array:
            return x - eta * noise.sample_gradient(jax.random.fold_in(key, steps - k), x)

        return jax.lax.fori_loop(0, steps, step, x0)

    return jax.vmap(end)(keys)


def at_equal_ratios(
    noise: Noise, x0: Array, eta: float, last: int, runs: int, key: Array
) -> tuple[list[int], np.ndarray]:
    """Numbers of steps from 1 to `last`, four to each doubling, and the `ends` of runs after each, (moments, R, D)."""
    keys = jax.random.split(key, runs)
    moments = sorted({round(last ** (i / (4 * np.log2(last)))) for i in range(round(4 * np.log2(last)) + 1)})
    return moments, np.stack([ends(noise, x0, eta, steps, keys) for steps in moments])
