"""Samples against samples: do two clouds of points come from one distribution?"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import scipy  # which imports its parts when they are first used: together they take as long as JAX
from jax import Array

from labnoise import _checks


class Estimate(NamedTuple):
    """A number and its standard error.

    Attributes
    ----------
    value : number
    standard_error : number
    """

    value: Array
    standard_error: Array


class Significance(NamedTuple):
    """A statistic and the chance of one as large if both samples have the same distribution.

    Attributes
    ----------
    statistic : number
    p_value : number
    """

    statistic: Array
    p_value: Array


def _samples(a: Array, b: Array) -> tuple[Array, Array]:
    a, b = _checks.real_array("a", a, 2), _checks.real_array("b", b, 2)
    if a.shape[1] != b.shape[1]:
        _checks.fail("the shape of b", b.shape, f"both samples need points of {a.shape[1]} coordinates")
    for name, sample in (("a", a), ("b", b)):
        if len(sample) < 2:
            _checks.fail(f"the shape of {name}", sample.shape, "pass at least two points, one a row")
    return a, b


@jax.jit
def _mean_distances(x: Array, y: Array) -> Array:
    """For each row of x its mean distance to the rows of y."""
    return jax.lax.map(lambda point: jnp.linalg.norm(point - y, axis=-1).mean(), x, batch_size=256)


def energy_distance(a: Array, b: Array) -> Estimate:
    """`2E|X − Y| − E|X − X'| − E|Y − Y'|` from samples a (R, D) and b (R', D), with its standard error.

    Unbiased: for two samples of one distribution it scatters about zero, and may be negative. The
    standard error is the jackknife's, which for equal distributions errs on the large side. Székely &
    Rizzo (2013).

    Parameters
    ----------
    a, b : (R, D) and (R', D)

    Returns
    -------
    Estimate

    Raises
    ------
    ValueError
        If a sample is not a finite array of at least two rows, or the numbers of coordinates differ.

    Examples
    --------
    >>> import jax
    >>> from labnoise import compare
    >>> x = jax.random.normal(jax.random.key(0), (400, 2))
    >>> value, error = compare.energy_distance(x[:200], x[200:] + 1)
    >>> bool(value > 5 * error)
    True
    """
    a, b = _samples(a, b)
    m, n = len(a), len(b)
    a_to_b, b_to_a = _mean_distances(a, b), _mean_distances(b, a)
    a_to_a, b_to_b = _mean_distances(a, a) * m / (m - 1), _mean_distances(b, b) * n / (n - 1)
    value = 2 * a_to_b.mean() - a_to_a.mean() - b_to_b.mean()
    # leaving out a point changes each mean in proportion to that point's own mean distance
    by_a = 2 * (a_to_b - a_to_b.mean()) / (m - 1) - 2 * (a_to_a - a_to_a.mean()) / (m - 2 if m > 2 else 1)
    by_b = 2 * (b_to_a - b_to_a.mean()) / (n - 1) - 2 * (b_to_b - b_to_b.mean()) / (n - 2 if n > 2 else 1)
    variance = (m - 1) / m * jnp.sum(by_a**2) + (n - 1) / n * jnp.sum(by_b**2)
    return Estimate(value, jnp.sqrt(variance))


def sliced_wasserstein(
    a: Array, b: Array, key: Array, num_directions: int = 64, num_permutations: int = 199
) -> Significance:
    """The mean over random directions of the Wasserstein-1 distance between the projected samples.

    The statistic is positive even for equal distributions; its p-value comes from exchanging points of
    the two samples at random, and is exact. Bonneel et al. (2015).

    Parameters
    ----------
    a, b : (R, D), of the same shape
    key : a JAX key, for directions and permutations
    num_directions : int ≥ 1
    num_permutations : int ≥ 1
        The smallest p-value that can come out is 1/(1 + `num_permutations`).

    Returns
    -------
    Significance

    Raises
    ------
    ValueError
        If a sample is not a finite array of at least two rows, or the shapes differ.

    Examples
    --------
    >>> import jax
    >>> from labnoise import compare
    >>> x = jax.random.normal(jax.random.key(0), (200, 2))
    >>> float(compare.sliced_wasserstein(x[:100], x[100:] + 1, jax.random.key(1)).p_value)
    0.005
    """
    a, b = _samples(a, b)
    if a.shape != b.shape:
        _checks.fail("the shape of b", b.shape, f"both samples need the shape {a.shape}")
    num_directions = _checks.count("num_directions", num_directions)
    num_permutations = _checks.count("num_permutations", num_permutations)
    directions, exchange = jax.random.split(key)
    axes = jax.random.normal(directions, (a.shape[1], num_directions))
    projected = jnp.concatenate([a, b]) @ (axes / jnp.linalg.norm(axes, axis=0))
    statistic, others = _wasserstein(projected, jax.random.split(exchange, num_permutations))
    return Significance(statistic, (1 + jnp.sum(others >= statistic)) / (1 + num_permutations))


@jax.jit
def _wasserstein(points: Array, keys: Array) -> tuple[Array, Array]:
    half = len(points) // 2

    def distance(points: Array) -> Array:
        return jnp.abs(jnp.sort(points[:half], axis=0) - jnp.sort(points[half:], axis=0)).mean()

    return distance(points), jax.lax.map(lambda key: distance(jax.random.permutation(key, points)), keys)


def ks(a: Array, b: Array) -> Significance:
    """Kolmogorov and Smirnov's test in each coordinate, from samples a (R, D) and b (R', D).

    The statistic and the p-value of the coordinate that differs most, the latter times D (Bonferroni).

    Parameters
    ----------
    a, b : (R, D) and (R', D)

    Returns
    -------
    Significance

    Raises
    ------
    ValueError
        If a sample is not a finite array of at least two rows, or the numbers of coordinates differ.

    Examples
    --------
    >>> import jax
    >>> from labnoise import compare
    >>> x = jax.random.normal(jax.random.key(0), (400, 2))
    >>> bool(compare.ks(x[:200], x[200:]).p_value > 0.01)
    True
    """
    a, b = _samples(a, b)
    tests = [
        scipy.stats.ks_2samp(np.asarray(one), np.asarray(other)) for one, other in zip(a.T, b.T, strict=True)
    ]
    best = min(tests, key=lambda test: test.pvalue)
    return Significance(jnp.asarray(best.statistic), jnp.minimum(1.0, len(tests) * best.pvalue))
