"""Least squares whose outputs are vectors: q labels an example, each perturbed by itself."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from independent import independent_flow
from networks import NETWORK, X0, N, Q, independent_label_noise_flow
from sampling import within_order

from labnoise import (
    LabelNoise,
    LeastSquares,
    MinibatchNoise,
    drift_terms,
    label_noise_flow,
    project,
    regularizer_flow,
    sgd,
    sharpness,
)
from labnoise.problems import Examples

KEY = jax.random.key(3)
SCALE, DELTA = 0.5, 0.8
TARGETS = jnp.asarray(0.5 * np.random.default_rng(5).standard_normal((N, Q)))
PROBLEM = LeastSquares(NETWORK, TARGETS, SCALE)
ON_GAMMA = project(PROBLEM, X0)


def by_hand(x, labels=TARGETS):
    """The losses of the examples (N,), written out."""
    return jnp.stack(
        [SCALE * sum((NETWORK(x)[i, a] - labels[i, a]) ** 2 for a in range(Q)) for i in range(N)]
    )


def test_loss_and_gradients_of_examples_are_what_one_would_write():
    rows = jax.jacobian(by_hand)(X0)
    np.testing.assert_allclose(PROBLEM.loss(X0), by_hand(X0).mean(), rtol=1e-14)
    np.testing.assert_allclose(PROBLEM.example_gradients(X0), rows, rtol=1e-11, atol=1e-13)
    np.testing.assert_allclose(PROBLEM.gradient(X0), rows.mean(0), rtol=1e-11, atol=1e-13)
    outputs, targets, pullback = PROBLEM.examples(X0, jnp.array([1, 0, 1]))
    slopes = PROBLEM.slopes(outputs, targets)
    np.testing.assert_allclose(pullback(slopes), 2 * rows[1] + rows[0], rtol=1e-11, atol=1e-13)


def test_one_output_is_the_scalar_problem_step_by_step():
    scalar = LeastSquares(lambda x: NETWORK(x)[:, 0], TARGETS[:, 0], SCALE)
    column = LeastSquares(lambda x: NETWORK(x)[:, :1], TARGETS[:, :1], SCALE)
    for make in (
        lambda problem: LabelNoise(problem, DELTA, batch_size=2),
        lambda problem: LabelNoise(problem, DELTA, distribution="normal", gradient="full"),
        lambda problem: MinibatchNoise(problem, kind="pair"),
    ):
        one, other = make(scalar), make(column)
        np.testing.assert_allclose(one.covariance(X0), other.covariance(X0), atol=1e-13)
        runs = [sgd(noise, X0, 0.02, 50, KEY).states for noise in (one, other)]
        np.testing.assert_allclose(*runs, atol=1e-12)


@pytest.mark.parametrize("gradient", ["batch", "full"])
def test_label_noise_is_the_hessian_on_the_manifold(gradient):
    J = PROBLEM.jacobian(ON_GAMMA)
    assert J.shape == (N * Q, X0.size)
    np.testing.assert_allclose(PROBLEM.hessian(ON_GAMMA), 2 * SCALE / N * J.T @ J, atol=1e-12)
    noise = LabelNoise(PROBLEM, DELTA, batch_size=3, gradient=gradient)
    expected = 2 * SCALE * DELTA**2 / 3 * PROBLEM.hessian(ON_GAMMA)
    np.testing.assert_allclose(noise.covariance(ON_GAMMA), expected, atol=1e-12)


@pytest.mark.parametrize("gradient", ["batch", "full"])
def test_each_label_of_a_drawn_example_is_moved_by_itself(gradient):
    noise = LabelNoise(PROBLEM, DELTA, batch_size=2, gradient=gradient)
    rows, seen = jax.jit(jax.jacobian(by_hand)), set()
    for key in jax.random.split(KEY, 40):
        indices, signs = noise.draw(key, X0)
        seen.update((int(i), *np.asarray(row)) for i, row in zip(indices, signs, strict=True))
        expected = jnp.zeros(X0.size) if gradient == "batch" else PROBLEM.gradient(X0)
        for i, row in zip(indices, signs, strict=True):
            fresh, old = rows(X0, TARGETS.at[i].add(DELTA * row))[i], rows(X0, TARGETS)[i]
            expected += (fresh if gradient == "batch" else fresh - old) / 2
        np.testing.assert_allclose(noise.gradient(X0, (indices, signs)), expected, rtol=1e-10, atol=1e-12)
    assert len(seen) == 16  # two examples, eight triples of signs


@pytest.mark.parametrize(
    "noise",
    [
        LabelNoise(PROBLEM, DELTA, batch_size=2),
        LabelNoise(PROBLEM, DELTA, distribution="normal", gradient="full"),
        MinibatchNoise(PROBLEM, batch_size=2),
        MinibatchNoise(PROBLEM, kind="pair", strength=0.7),
    ],
)
def test_samples_have_the_stated_mean_and_covariance(noise):
    samples = jax.vmap(lambda key: noise.sample_gradient(key, X0))(jax.random.split(KEY, 40_000))
    centred = samples - PROBLEM.gradient(X0)
    products = centred[:, :, None] * centred[:, None, :]
    for values, expected in ((centred, 0.0), (products, noise.covariance(X0))):
        sigma = values.std(0) / len(values) ** 0.5 + 1e-12
        assert float((abs(values.mean(0) - expected) / sigma).max()) < 5


def test_the_projection_is_the_end_of_gradient_flow():
    np.testing.assert_allclose(ON_GAMMA, independent_flow(PROBLEM, X0, 2000.0), atol=1e-8)


def test_the_limit_of_label_noise_is_its_flow():
    """Against an integrator of another kind, the drift of the main theorem, the flow of a regularizer, and SGD."""
    t = jnp.array([0.0, 0.2, 0.5])
    path, c = label_noise_flow(PROBLEM, X0, t, DELTA), 2 * SCALE * DELTA**2
    np.testing.assert_allclose(path[0], ON_GAMMA, atol=1e-12)
    np.testing.assert_allclose(path, independent_label_noise_flow(PROBLEM, ON_GAMMA, t, c, N * Q), atol=1e-8)
    flow = regularizer_flow(PROBLEM, X0, t, lambda x: c / 4 * sharpness(PROBLEM, x))
    np.testing.assert_allclose(path, flow, atol=1e-8)
    nearby = label_noise_flow(PROBLEM, X0, jnp.array([0.0, 1e-5]), DELTA)
    drift = drift_terms(PROBLEM, LabelNoise(PROBLEM, DELTA).covariance(ON_GAMMA), ON_GAMMA).total
    np.testing.assert_allclose((nearby[1] - nearby[0]) / 1e-5, drift, atol=1e-4)

    rates, errors, deviations = (0.02, 0.01, 0.005), [], []
    for eta in rates:
        keys = jax.random.split(KEY, 200)
        ends = sgd(LabelNoise(PROBLEM, DELTA), ON_GAMMA, eta, round(0.5 / eta**2), keys).states[:, -1]
        errors.append(float(jnp.linalg.norm(ends.mean(0) - path[-1])))
        deviations.append(float(jnp.linalg.norm(ends.std(0)) / len(keys) ** 0.5))
    within_order(errors, rates, 1, deviations)
    assert errors[-1] < 0.15 * float(jnp.linalg.norm(path[-1] - path[0]))


class Coupled(Examples):
    """`ℓ = ½ rᵀAr`, r = f − y, with a full matrix A: an own loss whose curvature is known and nothing else."""

    def __init__(self, predict, targets, weight):
        self.predict, self.targets, self.weight = predict, targets, weight

    def loss(self, x):
        residual = self.outputs(x) - self.targets
        return 0.5 * jnp.mean(jnp.sum(residual @ self.weight * residual, axis=1))

    def slopes(self, outputs, targets):
        return (outputs - targets) @ self.weight

    def curvatures(self, outputs, targets):
        return jnp.broadcast_to(self.weight, (len(outputs), *self.weight.shape))


def test_an_own_loss_of_vectors_needs_its_slopes_and_curvatures_only():
    weight = jnp.array([[2.0, 0.5, 0.0], [0.5, 1.0, -0.3], [0.0, -0.3, 0.7]])
    problem = Coupled(NETWORK, TARGETS, weight)
    np.testing.assert_allclose(problem.misfit(X0), NETWORK(X0) - TARGETS, atol=1e-12)
    np.testing.assert_allclose(project(problem, X0), independent_flow(problem, X0, 2000.0), atol=1e-8)
    K, _ = problem.conditions(ON_GAMMA)
    np.testing.assert_allclose(problem.hessian(ON_GAMMA), K.T @ K / N, atol=1e-12)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: LeastSquares(NETWORK, jnp.zeros((2, 2, 2))), "the shape of targets = .*1 or 2 axes"),
        (lambda: LeastSquares(NETWORK, jnp.zeros((2, 0))), "targets = .*at least one example"),
        (
            lambda: sharpness(LeastSquares(NETWORK, jnp.zeros((N, 2))), X0),
            r"the shape of predict\(x\) = \(2, 3\)",
        ),
        (
            lambda: project(LeastSquares(lambda x: NETWORK(x)[:, [0, 0]], TARGETS[:, :2]), X0),
            "gradients of the 4 outputs have rank 2",
        ),
    ],
)
def test_bad_input_is_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()
