"""Sharpness-aware steps, gradients at perturbed points, Local SGD: each against the loop that one would write."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from labnoise import (
    GaussianNoise,
    LabelNoise,
    Loss,
    MinibatchNoise,
    PerturbedGradient,
    SharpnessAware,
    canonical_sde,
    landscapes,
    limiting_diffusion,
    local_sgd,
    random_sparse_regression,
    sgd,
)

KEY = jax.random.key(7)
HYPERBOLA, VALLEY = landscapes.hyperbola(), landscapes.valley()
PROBLEM, _ = random_sparse_regression(jax.random.key(0), 5, 7, 2)
X0 = jnp.linspace(0.5, 1.5, 14)


def test_a_sharpness_aware_step_is_taken_with_one_draw():
    noise = LabelNoise(PROBLEM, 0.3, batch_size=2)
    for key in jax.random.split(KEY, 5):
        draw = noise.draw(key, X0)
        gradient = noise.gradient(X0, draw)
        expected = noise.gradient(X0 + 0.1 * gradient / np.linalg.norm(gradient), draw)
        np.testing.assert_allclose(SharpnessAware(noise, 0.1).sample_gradient(key, X0), expected, rtol=1e-12)


def test_where_the_gradient_is_zero_nothing_moves():
    minimum = jnp.array([1.0, 0.0])
    sam = SharpnessAware(GaussianNoise(VALLEY, 0.0), 0.1)
    np.testing.assert_array_equal(sam.sample_gradient(KEY, minimum), [0.0, 0.0])
    slope = jax.jacobian(lambda x: sam.sample_gradient(KEY, x))(minimum)
    assert np.isfinite(slope).all()
    run = sgd(sam, minimum.astype(jnp.float32), 0.1, 10, KEY)
    np.testing.assert_array_equal(run.states[-1], run.states[0])


def test_perturbed_gradients_are_gradients_elsewhere_and_anticorrelated_noise_in_their_own_coordinates():
    noise, eta, x = PerturbedGradient(PROBLEM, 0.1), 0.01, X0
    run = sgd(noise, X0, eta, 6, KEY, save_every=1)
    xi = [0.1 * noise.draw(jax.random.fold_in(KEY, k), X0) for k in range(7)]
    z = X0 + xi[0]
    for k in range(6):
        x = x - eta * PROBLEM.gradient(x + xi[k])
        z = z - eta * PROBLEM.gradient(z) + xi[k + 1] - xi[k]
        np.testing.assert_allclose(run.states[k + 1], x, rtol=1e-12)
        np.testing.assert_allclose(z - xi[k + 1], x, rtol=1e-12)


def test_a_local_round_is_the_loop_that_one_would_write():
    noise, workers, steps = LabelNoise(PROBLEM, 0.3), 3, 4
    run = local_sgd(noise, X0, lambda k: 0.01 / (1 + k), 5, steps, workers, KEY, save_every=2)
    assert run.steps.tolist() == [0, 8, 16, 20]
    points, expected = [X0] * workers, [X0]
    for k in range(5 * steps):
        keys = jax.random.split(jax.random.fold_in(KEY, k), workers)
        points = [
            x - 0.01 / (1 + k) * noise.sample_gradient(key, x) for x, key in zip(points, keys, strict=True)
        ]
        if (k + 1) % steps == 0:
            points = [sum(points) / workers] * workers
        expected.append(points[0])
    np.testing.assert_allclose(run.states, jnp.stack(expected)[run.steps], rtol=1e-12)


def test_one_worker_is_sgd_and_replicas_are_separate_runs():
    noise = LabelNoise(PROBLEM, 0.3)
    alone = local_sgd(noise, X0, 0.01, 200, 5, 1, KEY, save_every=50)
    run = sgd(noise, X0, 0.01, 1000, KEY, save_every=250)
    np.testing.assert_array_equal(alone.steps, run.steps)
    np.testing.assert_allclose(alone.states, run.states, rtol=1e-12)
    keys = jax.random.split(KEY, 2)
    many = local_sgd(noise, X0.astype(jnp.float32), 0.01, 20, 5, 4, keys)
    assert many.states.dtype == jnp.float32
    for key, states in zip(keys, many.states, strict=True):
        np.testing.assert_allclose(local_sgd(noise, X0, 0.01, 20, 5, 4, key).states, states, rtol=1e-4)
    np.testing.assert_array_equal(local_sgd(noise, X0, 0.01, 0, 5, 4, KEY).states, X0[None])


def test_local_sgd_under_jit_vmap_grad():
    def end(eta):
        return local_sgd(LabelNoise(HYPERBOLA, 0.5), jnp.array([1.6, 0.4]), eta, 5, 3, 2, KEY).states[-1]

    eta, step = 0.05, 1e-6
    np.testing.assert_allclose(jax.jit(end)(eta), end(eta), rtol=1e-12)
    slope = (end(eta + step) - end(eta - step)) / (2 * step)
    np.testing.assert_allclose(jax.jacrev(end)(eta), slope, rtol=1e-6)


def test_if_all_workers_diverge_the_error_names_the_largest_rate():
    quadratic = GaussianNoise(Loss(lambda x: 8.5 * x[0] ** 2), 0.0)
    with pytest.raises(ValueError, match=r"every replica diverged.*λ_max = 17.*at most η = 0.117"):
        local_sgd(quadratic, jnp.array([4.0, 1e-9]), 0.2, 1000, 10, 3, KEY)


@pytest.mark.parametrize(
    "biased",
    [SharpnessAware(GaussianNoise(VALLEY, VALLEY.cov), 0.1), PerturbedGradient(VALLEY, 0.1)],
    ids=["SharpnessAware", "PerturbedGradient"],
)
def test_what_needs_an_unbiased_gradient_refuses_others_by_name(biased):
    x, message = jnp.array([1.0, 0.0]), rf"noise = .*{type(biased).__name__} is not ∇L"
    for refused in (
        lambda: biased.covariance(x),
        lambda: biased.factor(x),
        lambda: limiting_diffusion(biased, x, 1.0, 10, KEY),
        lambda: canonical_sde(biased, x, 0.1, 10, KEY),
    ):
        with pytest.raises(ValueError, match=message):
            refused()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: SharpnessAware(VALLEY, 0.1), "noise = "),
        (lambda: SharpnessAware(MinibatchNoise(PROBLEM), -0.1), "radius = -0.1: pass a finite number"),
        (lambda: SharpnessAware(MinibatchNoise(PROBLEM), jnp.ones(2)), "radius = .*single real number"),
        (lambda: PerturbedGradient(lambda x: x @ x, 0.1), "problem = .*pass a Loss"),
        (lambda: PerturbedGradient(VALLEY, -0.1), "sigma = -0.1"),
        (lambda: PerturbedGradient(VALLEY, np.nan), "sigma = nan"),
    ],
)
def test_bad_noises_are_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"noise": HYPERBOLA}, "noise = "),
        ({"x0": jnp.array([1.0, jnp.nan])}, "x0 = "),
        ({"learning_rate": 0.0}, "learning_rate = 0.0"),
        ({"learning_rate": lambda k: 1.0 - k}, "learning_rate = .*schedule"),
        ({"num_rounds": -1}, "num_rounds = -1"),
        ({"local_steps": 0}, "local_steps = 0: pass at least 1"),
        ({"local_steps": 2.0}, "local_steps = 2.0: pass a whole number"),
        ({"workers": 0}, "workers = 0: pass at least 1"),
        ({"save_every": 0}, "save_every = 0"),
        ({"key": 0}, "key = 0: pass jax.random.key"),
    ],
)
def test_bad_input_of_local_sgd_is_named(change, message):
    good = {
        "noise": LabelNoise(HYPERBOLA, 0.5),
        "x0": jnp.ones(2),
        "learning_rate": 0.1,
        "num_rounds": 10,
        "local_steps": 2,
        "workers": 2,
        "key": KEY,
    }
    with pytest.raises(ValueError, match=message):
        local_sgd(**(good | change))
