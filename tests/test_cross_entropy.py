"""Cross-entropy with soft targets, and its label noise: classes drawn afresh."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from independent import independent_flow
from networks import NETWORK, X0, N, Q

from labnoise import (
    CrossEntropy,
    LabelNoise,
    LeastSquares,
    MinibatchNoise,
    SampledLabels,
    landscapes,
    project,
    sgd,
    sharpness,
    tangent_projection,
)

KEY = jax.random.key(5)
TARGETS = jnp.array([[0.5, 0.3, 0.2], [0.15, 0.4, 0.45]])
PROBLEM = CrossEntropy(NETWORK, TARGETS)
ON_GAMMA = project(PROBLEM, X0)


def by_hand(x, labels=TARGETS):
    """The losses of the examples (N,), from the chances themselves."""
    chances = jnp.exp(NETWORK(x)) / jnp.exp(NETWORK(x)).sum(axis=1, keepdims=True)
    return -(labels * jnp.log(chances)).sum(axis=1)


def test_loss_slopes_and_curvatures_are_what_one_would_write():
    np.testing.assert_allclose(PROBLEM.loss(X0), by_hand(X0).mean(), rtol=1e-13)
    np.testing.assert_allclose(PROBLEM.example_gradients(X0), jax.jacobian(by_hand)(X0), atol=1e-13)
    outputs = NETWORK(X0)
    each = jax.vmap(jax.hessian(lambda f, y: -y @ jax.nn.log_softmax(f)))(outputs, TARGETS)
    np.testing.assert_allclose(PROBLEM.curvatures(outputs, TARGETS), each, atol=1e-14)
    roots = PROBLEM.roots(outputs, TARGETS)
    assert roots.shape == (N, Q - 1, Q)
    np.testing.assert_allclose(roots.transpose(0, 2, 1) @ roots, each, atol=1e-14)


def test_on_gamma_the_chances_are_the_targets_and_the_hessian_is_gauss_newton():
    np.testing.assert_allclose(jax.nn.softmax(PROBLEM.outputs(ON_GAMMA)), TARGETS, atol=1e-12)
    assert float(PROBLEM.loss(ON_GAMMA)) == pytest.approx(float(-(TARGETS * jnp.log(TARGETS)).sum() / N))
    J = PROBLEM.jacobian(ON_GAMMA).reshape(N, Q, X0.size)
    spread = [np.diag(y) - np.outer(y, y) for y in np.asarray(TARGETS)]
    expected = sum(j.T @ c @ j for j, c in zip(J, spread, strict=True)) / N
    H = PROBLEM.hessian(ON_GAMMA)
    np.testing.assert_allclose(H, expected, atol=1e-12)
    assert np.linalg.matrix_rank(H, tol=1e-8, hermitian=True) == N * (Q - 1) == PROBLEM.codimension
    # T is more than the kernel of J, for logits may be shifted
    assert float(jnp.trace(tangent_projection(PROBLEM, ON_GAMMA))) == pytest.approx(X0.size - N * (Q - 1))


def test_the_projection_is_the_end_of_gradient_flow():
    np.testing.assert_allclose(ON_GAMMA, independent_flow(PROBLEM, X0, 2000.0), atol=1e-8)
    np.testing.assert_allclose(PROBLEM.misfit(ON_GAMMA), 0, atol=1e-12)


@pytest.mark.parametrize("batch_size", [1, 3])
def test_sampled_labels_are_the_hessian_on_the_manifold(batch_size):
    noise = SampledLabels(PROBLEM, batch_size)
    expected = PROBLEM.hessian(ON_GAMMA) / batch_size
    np.testing.assert_allclose(noise.covariance(ON_GAMMA), expected, atol=1e-12)
    np.testing.assert_allclose(MinibatchNoise(PROBLEM).covariance(ON_GAMMA), 0, atol=1e-15)


def test_each_step_has_the_gradients_of_classes_that_were_drawn():
    noise, rows = SampledLabels(PROBLEM, batch_size=2), jax.jit(jax.jacobian(by_hand))
    every = [rows(X0, jnp.broadcast_to(label, (N, Q))) for label in jnp.eye(Q)]  # [class][example]
    for key in jax.random.split(KEY, 20):
        indices, uniforms = noise.draw(key, X0)
        classes = [sum(u >= np.cumsum(TARGETS[i])[:-1]) for i, u in zip(indices, uniforms, strict=True)]
        expected = sum(every[c][i] for c, i in zip(classes, indices, strict=True)) / 2
        np.testing.assert_allclose(noise.gradient(X0, (indices, uniforms)), expected, atol=1e-12)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_samples_have_the_stated_mean_and_covariance(dtype):
    noise = SampledLabels(PROBLEM, batch_size=2)
    typed = jax.tree.map(lambda leaf: leaf.astype(dtype), noise)
    samples = jax.vmap(lambda key: typed.sample_gradient(key, X0.astype(dtype)))(
        jax.random.split(KEY, 40_000)
    )
    assert samples.dtype == dtype
    centred = samples.astype(float) - PROBLEM.gradient(X0)
    products = centred[:, :, None] * centred[:, None, :]
    for values, expected in ((centred, 0.0), (products, noise.covariance(X0))):
        sigma = values.std(0) / len(values) ** 0.5 + 1e-12
        assert float((abs(values.mean(0) - expected) / sigma).max()) < 5


def test_one_example_whose_logit_is_a_product():
    """`u² − v²` falls as e^{−q(1−q)t}; a run without `labnoise` had 2.1460(15), 2.1627(7), 2.1700(4) at these rates."""
    problem = CrossEntropy(lambda x: jnp.array([[x[0] * x[1], 0.0]]), jnp.array([[0.8, 0.2]]))
    x0 = jnp.array([2.0, jnp.log(4.0) / 2])
    np.testing.assert_allclose(sharpness(problem, x0), 0.16 * x0 @ x0, rtol=1e-12)
    limit = (x0[0] ** 2 - x0[1] ** 2) * np.exp(-0.16 * 3)
    assert float(limit) == pytest.approx(2.1778, abs=5e-5)
    others = {0.1: (2.1460, 0.0015), 0.05: (2.1627, 0.0007), 0.025: (2.1700, 0.0004)}
    for eta, (found, deviation) in others.items():
        keys = jax.random.split(KEY, 1000)
        ends = sgd(SampledLabels(problem), x0, eta, round(3 / eta**2), keys).states[:, -1]
        unbalance = ends[:, 0] ** 2 - ends[:, 1] ** 2
        mean, sigma = float(unbalance.mean()), float(unbalance.std() / len(keys) ** 0.5)
        assert abs(mean - found) < 4 * np.hypot(sigma, deviation)
        assert abs(mean - limit) < 0.4 * eta + 4 * sigma


def test_rounding_in_the_targets_is_taken_out_and_no_class_is_beyond_the_last():
    typed = np.full((1, 3), 1 / 3, np.float32)
    problem = CrossEntropy(lambda x: x[None], typed)
    np.testing.assert_allclose(problem.targets.sum(axis=1), 1.0, rtol=1e-15)
    labels = problem.relabel(jnp.tile(problem.targets, (2, 1)), jnp.array([1 - 2.0**-33, 2.0**-33]))
    assert labels.tolist() == [[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: CrossEntropy(1.0, TARGETS), "logits = 1.0: pass a function"),
        (lambda: CrossEntropy(NETWORK, TARGETS[0]), "the shape of targets = .*2 axes"),
        (lambda: CrossEntropy(NETWORK, jnp.ones((3, 1))), "the shape of targets = .*two classes"),
        (lambda: CrossEntropy(NETWORK, jnp.eye(3)), "targets = .*smooth the labels"),
        (lambda: CrossEntropy(NETWORK, 2 * TARGETS), "the sums of the rows of targets = .*sum to 1"),
        (lambda: sharpness(CrossEntropy(NETWORK, TARGETS[:1]), X0), r"the shape of predict\(x\) = \(2, 3\)"),
        (lambda: SampledLabels(landscapes.hyperbola()), "problem = .*CrossEntropy"),
        (lambda: SampledLabels(PROBLEM, 0), "batch_size = 0"),
        (lambda: LabelNoise(PROBLEM, 1.0), "problem = .*LeastSquares"),
        (lambda: SampledLabels(LeastSquares(NETWORK, TARGETS)), "problem = .*CrossEntropy"),
    ],
)
def test_bad_input_is_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()
