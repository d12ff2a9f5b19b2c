"""The runs of chapter 8's momentum widget, against the same steps in NumPy and against `labnoise.sgd`."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from afterzero import dice, heavy_ball

from labnoise import LabelNoise, landscapes, sgd


@pytest.mark.parametrize("throw", [0, 5])
def test_the_unbalance_is_that_of_the_steps_one_by_one(throw):
    eta, beta, last = 0.006, 0.8, 60
    shape = (heavy_ball.LENGTH // heavy_ball.EVERY, heavy_ball.EVERY, heavy_ball.RUNS)
    signs = np.asarray(jax.random.rademacher(dice.key(2, throw), shape)).reshape(heavy_ball.LENGTH, -1)
    x, m = np.tile([[2.0], [0.5]], heavy_ball.RUNS), np.zeros((2, heavy_ball.RUNS))
    expected = {}
    for k in range(heavy_ball.STEPS[last] + 1):
        expected[k] = np.mean(x[0] ** 2 - x[1] ** 2)
        m = beta * m + 2 * (x.prod(axis=0) - (1 + 0.5 * signs[k])) * x[::-1]
        x = x - eta * m
    measured = heavy_ball.unbalance(eta, beta, throw)[: last + 1]
    np.testing.assert_allclose(measured, [expected[k] for k in heavy_ball.STEPS[: last + 1]], rtol=1e-10)


def test_it_has_the_mean_of_sgd_with_momentum():
    """Half-way down, at t = 0.7, in units of the standard error of 20 means of 16 runs and of 320 runs."""
    eta, beta = 0.004, 0.75
    i = int(np.abs(heavy_ball.STEPS * (eta / (1 - beta)) ** 2 - 0.7).argmin())
    means = np.array([heavy_ball.unbalance(eta, beta, throw)[i] for throw in range(20)])
    noise, keys = LabelNoise(landscapes.hyperbola(), 0.5), jax.random.split(jax.random.key(1), 320)
    steps = int(heavy_ball.STEPS[i])
    u, v = np.asarray(sgd(noise, jnp.array([2.0, 0.5]), eta, steps, keys, momentum=beta).states[:, -1]).T
    q = u**2 - v**2
    error = np.hypot(means.std(ddof=1) / 20**0.5, q.std(ddof=1) / 320**0.5)
    assert error < 0.03
    assert abs(means.mean() - q.mean()) < 4 * error


def test_each_throw_is_another_and_the_same_again():
    one, other = (heavy_ball.unbalance(0.004, 0.9, throw) for throw in (1, 6))
    assert np.abs(one - other).max() > 1e-3
    heavy_ball._together.cache_clear()
    np.testing.assert_array_equal(one, heavy_ball.unbalance(0.004, 0.9, 1))
