"""The limit of every noise with `Σ = c∇²L` on Γ: batches, sampled labels, a reader's own; see also test_limit.py."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from networks import NETWORK, X0, N, Q, independent_label_noise_flow
from sampling import within_order

from labnoise import (
    CrossEntropy,
    GaussianNoise,
    LabelNoise,
    LeastSquares,
    Loss,
    MinibatchNoise,
    Noise,
    SampledLabels,
    SharpnessAware,
    drift_terms,
    label_noise_flow,
    landscapes,
    project,
    random_sparse_regression,
    sgd,
)

KEY = jax.random.key(5)
SOFT = CrossEntropy(NETWORK, jnp.array([[0.5, 0.3, 0.2], [0.15, 0.4, 0.45]]))
HYPERBOLA, T = landscapes.hyperbola(), jnp.array([0.0, 0.1, 0.4])


@pytest.mark.parametrize("problem", [HYPERBOLA, random_sparse_regression(KEY, 3, 5, 1, loss_scale=0.7)[0]])
def test_a_batch_of_b_labels_runs_b_times_slower(problem):
    """With the integrator and with the closed form, by either way to call it."""
    x0 = jnp.linspace(0.5, 2.0, 2 if problem is HYPERBOLA else 10)
    single = label_noise_flow(problem, x0, T / 3, 0.6)
    np.testing.assert_allclose(label_noise_flow(problem, x0, T, 0.6, batch_size=3), single, atol=1e-9)
    for gradient in ("batch", "full"):
        noise = LabelNoise(problem, 0.6, batch_size=3, gradient=gradient)
        np.testing.assert_allclose(label_noise_flow(noise, x0, T), single, atol=1e-9)


def test_sampled_labels_of_three_classes_have_this_limit():
    """Against an integrator of another kind, the drift of the main theorem, and SGD at three learning rates."""
    t, on_gamma = jnp.array([0.0, 0.7, 2.0]), project(SOFT, X0)
    path = label_noise_flow(SampledLabels(SOFT), X0, t)
    np.testing.assert_allclose(path[0], on_gamma, atol=1e-12)
    independent = independent_label_noise_flow(SOFT, on_gamma, t, 1.0, N * (Q - 1))
    np.testing.assert_allclose(path, independent, atol=1e-8)
    np.testing.assert_allclose(
        label_noise_flow(SampledLabels(SOFT, batch_size=4), X0, 4 * t), path, atol=1e-8
    )
    moved = (label_noise_flow(SampledLabels(SOFT), X0, jnp.array([1e-5]))[0] - on_gamma) / 1e-5
    drift = drift_terms(SOFT, SampledLabels(SOFT).covariance(on_gamma), on_gamma).total
    np.testing.assert_allclose(moved, drift, atol=1e-4)

    rates, errors, deviations = (0.2, 0.1, 0.05), [], []
    for eta in rates:
        keys = jax.random.split(KEY, 1000)
        ends = sgd(SampledLabels(SOFT), on_gamma, eta, round(2 / eta**2), keys).states[:, -1]
        errors.append(float(jnp.linalg.norm(ends.mean(0) - path[-1])))
        deviations.append(float(jnp.linalg.norm(ends.std(0)) / len(keys) ** 0.5))
    within_order(errors, rates, 1, deviations)
    assert errors[-1] < 0.15 * float(jnp.linalg.norm(path[-1] - path[0]))


def test_it_is_compiled_once_for_all_sizes_of_the_noise_and_can_be_traced():
    def end(delta):
        return label_noise_flow(LabelNoise(HYPERBOLA, delta), jnp.array([2.0, 1.0]), T)[-1]

    np.testing.assert_allclose(jax.jit(end)(0.5), end(0.5), atol=1e-12)
    assert bool(jnp.isnan(jax.jit(lambda t: label_noise_flow(HYPERBOLA, X0[:2], t, 0.5))(-T)[-1]).all())


class Halved(Noise):
    """A reader's noise: label noise of a hyperbola, half as large."""

    def __init__(self, problem, hessian_multiple):
        self.problem, self.hessian_multiple = problem, hessian_multiple


def test_an_own_noise_says_its_c():
    x0 = jnp.array([2.0, 0.5])
    own = label_noise_flow(Halved(HYPERBOLA, 0.5), x0, T)
    np.testing.assert_allclose(own, label_noise_flow(HYPERBOLA, x0, T, 0.5), atol=1e-12)
    np.testing.assert_allclose(own, HYPERBOLA.limit(x0, T, 0.5), atol=1e-8)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: label_noise_flow(HYPERBOLA, X0[:2], T), "delta = None: pass"),
        (lambda: label_noise_flow(HYPERBOLA, X0[:2], T, 1.0, 0), "batch_size = 0"),
        (lambda: label_noise_flow(SOFT, X0, T, 1.0), "problem = .*a noise such as SampledLabels"),
        (
            lambda: label_noise_flow(SampledLabels(SOFT), X0, T, 1.0),
            "delta = 1.0: the noise .* leave delta out",
        ),
        (lambda: label_noise_flow(SampledLabels(SOFT), X0, T, batch_size=2), "batch_size = 2: the noise"),
        (lambda: label_noise_flow(MinibatchNoise(SOFT), X0, T), "problem = .*hessian_multiple"),
        (lambda: label_noise_flow(GaussianNoise(SOFT, 1.0), X0, T), "problem = .*limiting_diffusion"),
        (
            lambda: label_noise_flow(SharpnessAware(SampledLabels(SOFT), 0.1), X0, T),
            "problem = .*hessian_multiple",
        ),
        (
            lambda: label_noise_flow(Halved(Loss(lambda x: x @ x), 0.5), X0, T),
            "problem = .*a mean over examples",
        ),
        (
            lambda: label_noise_flow(LabelNoise(LeastSquares(NETWORK, jnp.zeros((N, Q))), 1.0), X0, T - 1),
            "t = .*zero or positive",
        ),
    ],
)
def test_bad_input_is_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()
