"""Ends of runs whose dice are counted from the end: SGD's law, and little change from one length to the next."""

import jax
import jax.numpy as jnp
import numpy as np
from afterzero.ends import ends

from labnoise import GaussianNoise, LabelNoise, Loss, landscapes, sgd

HYPERBOLA = landscapes.hyperbola()
NOISE, START, ETA = LabelNoise(HYPERBOLA, delta=0.5), jnp.array([2.0, 0.5]), 0.02


def test_without_noise_they_are_those_of_gradient_descent():
    descent = GaussianNoise(HYPERBOLA, 0.0)
    run = sgd(descent, jnp.array([3.0, 0.1]), ETA, 7, jax.random.key(0))
    end = ends(descent, jnp.array([3.0, 0.1]), ETA, 7, jax.random.split(jax.random.key(1), 2))
    np.testing.assert_allclose(end, np.tile(run.states[-1], (2, 1)), rtol=1e-14)
    assert (ends(NOISE, START, ETA, 0, jax.random.split(jax.random.key(0), 2)) == START).all()


def test_the_last_step_of_every_length_has_the_same_dice():
    """On a flat loss a run is the sum of its noise, and a longer one has the shorter one's noise at its end."""
    flat, key = GaussianNoise(Loss(lambda x: 0 * x[0]), 1.0), jax.random.split(jax.random.key(0), 1)
    sums = np.array([ends(flat, jnp.zeros(2), 1.0, steps, key)[0] for steps in range(5)])
    noise = [flat.sample_gradient(jax.random.fold_in(key[0], k), jnp.zeros(2)) for k in range(1, 5)]
    np.testing.assert_allclose(
        sums, -np.concatenate([np.zeros((1, 2)), np.cumsum(noise, axis=0)]), atol=1e-12
    )


def test_they_have_the_law_of_sgd():
    """Means and second moments of 4000 runs, within 4.5 standard errors of the difference."""
    one, other = jax.random.split(jax.random.key(0), 4000), jax.random.split(jax.random.key(1), 4000)
    end = np.asarray(ends(NOISE, START, ETA, 300, one))
    usual = np.asarray(sgd(NOISE, START, ETA, 300, other).states[:, -1])
    for moment in (lambda x: x, lambda x: x**2, lambda x: x[:, :1] * x[:, 1:]):
        a, b = moment(end), moment(usual)
        error = np.sqrt((a.var(axis=0) + b.var(axis=0)) / 4000)
        assert (np.abs(a.mean(axis=0) - b.mean(axis=0)) < 4.5 * error).all()


def test_ten_steps_more_change_little_where_sgd_changes_by_its_whole_jitter():
    keys = jax.random.split(jax.random.key(0), 200)
    change = ends(NOISE, START, ETA, 1010, keys) - ends(NOISE, START, ETA, 1000, keys)
    saved = sgd(NOISE, START, ETA, 1010, keys, save_every=10).states
    assert np.abs(change).max() < 0.1 * np.abs(saved[:, -1] - saved[:, -2]).max()
