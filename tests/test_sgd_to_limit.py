"""SGD itself against what the theory says of it: the limit, with error O(η), and the spread around it, O(√η).

Every bound is a number of standard errors, at fixed keys, plus the next order in η where that is known.
"""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from sampling import gaussian, within

from labnoise import (
    FiniteNoise,
    GaussianNoise,
    LabelNoise,
    Loss,
    gradient_flow,
    label_noise_flow,
    landscapes,
    project,
    random_sparse_regression,
    sgd,
)

KEY = jax.random.key(11)


def angles(run):
    return jnp.unwrap(jnp.arctan2(run.states[..., 1], run.states[..., 0]), axis=1)[:, -1]


@pytest.mark.statement("Z_η tends to Brownian motion of covariance (I − 11ᵀ/Ξ)t", asked=0.05)
def test_driving_process(measured):
    size, eta, t = 4, 0.02, np.array([0.3, 1.0])
    centred = jnp.eye(size) - 1 / size
    flat = FiniteNoise(Loss(lambda x: 0.0 * x.sum()), lambda x: centred)  # without a slope SGD is −Z_η
    run = sgd(flat, jnp.zeros(size), eta, 2500, jax.random.split(KEY, 4000), save_every=250)
    early, late = run.states[:, 3], run.states[:, -1]
    for increment, duration in ((early, t[0]), (late - early, t[1] - t[0])):
        products = increment[:, :, None] * increment[:, None, :]
        sigma = products.std(0) / len(products) ** 0.5
        errors = abs(products.mean(0) - duration * centred)
        assert float((errors / sigma).max()) < 4.5
        measured(errors.max())
        np.testing.assert_allclose(increment.sum(1), 0, atol=1e-10)  # the lost direction
        # a Gaussian has E x⁴ = 3 (E x²)²
        within(increment[:, 0] ** 4, 3 * (0.75 * duration) ** 2)
    within((late - early)[:, 0] * early[:, 0], 0.0)
    within((late - early)[:, 0] ** 2 * early[:, 0] ** 2, 0.75**2 * t[0] * (t[1] - t[0]))


@pytest.mark.statement("x − φ(x₀, A_η) + Φ(x₀) tends to Y as a process, x itself does not", asked=0.25)
def test_initial_layer(measured):
    valley, x0, t = landscapes.valley(1.0), jnp.array([1.5, 1.0]), 0.2
    start = project(valley, x0)
    sups = {}
    for eta in (0.04, 0.01, 0.0025):
        run = sgd(gaussian(valley), x0, eta, round(t / eta**2), KEY, save_every=round(0.04 / eta))
        times = eta**2 * run.steps
        limit = jnp.stack([start[0] * jnp.exp(-times / 2), jnp.zeros_like(times)], axis=1)
        clock = np.minimum(eta * run.steps, 20.0)  # A_η = η·steps; by 20 the layer is over
        layer = gradient_flow(valley, x0, jnp.unique(clock))[np.unique(clock, return_inverse=True)[1]]
        sups[eta] = float(abs(run.states - layer + start - limit).max())
        assert float(abs(run.states - limit).max()) > 0.9
    assert sups[0.04] > 1.5 * sups[0.01] > 1.5**2 * sups[0.0025]
    measured(sups[0.0025])


@pytest.mark.statement(
    "Label noise: E‖x − Φ(x)‖² = ηcM/2 and E L = (ηc/4) tr∇²L, to leading order", asked=0.05
)
def test_distance_from_the_manifold(measured):
    problem, _ = random_sparse_regression(jax.random.key(2), 2, 3, 1)
    x0, delta = project(problem, jnp.array([0.9, 0.5, 1.1, 0.4, 1.0, 0.8])), 0.5
    c, M, ratios = 2 * delta**2, 2, {}
    for eta in (0.008, 0.004):
        x = sgd(LabelNoise(problem, delta), x0, eta, 400, jax.random.split(KEY, 10_000)).states[:, -1]
        nearest = jax.vmap(lambda x: project(problem, x))(x)
        distances = ((x - nearest) ** 2).sum(1) / (eta * c * M / 2)
        traces = 8 * (problem.second_moments @ (nearest[:, :3] ** 2 + nearest[:, 3:] ** 2).T)
        ratios[eta] = distances, jax.vmap(problem.loss)(x) / (eta * c / 4 * traces)
    for coarse, fine in zip(ratios[0.008], ratios[0.004], strict=True):
        measured(within(2 * fine - coarse, 1.0, 0.01))  # without the correction of order η


@pytest.mark.statement("Valley: SGD's variance is η(cx₀²/2)e^{−ct}ln((e^{ct}+x₀²)/(1+x₀²))", asked=0.05)
@pytest.mark.parametrize("t", [0.4, 1.5])
def test_fluctuations_in_the_valley(measured, t):
    eta, c, start = 0.04, 0.8, 1.5
    run = sgd(
        gaussian(landscapes.valley(c)),
        jnp.array([start, 0.0]),
        eta,
        round(t / eta**2),
        jax.random.split(KEY, 16_000),
    )
    x = run.states[:, -1, 0]
    growth = np.exp(c * t)
    variance = eta * c * start**2 / 2 / growth * np.log((growth + start**2) / (1 + start**2))
    measured(within((x - x.mean()) ** 2 / variance, 1.0, eta / 2))


class Mirrored(GaussianNoise):
    """The same law with every draw negated: in a mean over both most of the noise cancels."""

    def draw(self, key, x):
        return -super().draw(key, x)


@pytest.mark.statement("Circle: SGD has Eθ = −bT(1 + η(3d − a) + O(η²))", asked=0.8)
def test_sgd_on_the_circle(measured):
    a, b, d, T = 0.2, -0.3, 0.6, 1.0
    circle, keys, slopes = landscapes.circle(a, b, d), jax.random.split(KEY, 8000), {}
    for eta in (0.1, 0.05):
        steps = round(T / eta**2)
        runs = [
            sgd(noise(circle, circle.cov), jnp.array([1.0, 0.0]), eta, steps, keys, save_every=steps // 10)
            for noise in (GaussianNoise, Mirrored)
        ]
        theta = sum(map(angles, runs)) / 2
        within(theta, -b * T * (1 + eta * (3 * d - a)), 3 * eta**2)
        slopes[eta] = (theta / (-b * T) - 1) / eta
    measured(within(2 * slopes[0.05] - slopes[0.1], 3 * d - a, 0.2))


@pytest.mark.statement("k-phase motor: SGD's mean is 1.88382 + 2.2η", asked=0.07)
def test_sgd_tends_to_the_limit_on_the_motor(measured):
    x0, means = jnp.array([1.0, 0.0, 0.0, 0.0, 0.0]), {}
    for eta in (0.2, 0.1, 0.05):
        steps = round(10 / eta**2)
        run = sgd(
            gaussian(landscapes.phase_motor(3)),
            x0,
            eta,
            steps,
            jax.random.split(KEY, 800),
            save_every=steps // 20,
        )
        theta = angles(run)
        within(theta, 1.88382 + 2.2 * eta, eta**2)
        # the spread √(.7318η), of relative error O(η), and of sampling error 1/√(2R)
        assert abs(float(theta.std()) / (0.7318 * eta) ** 0.5 - 1) < 0.04 + 4.5 / 1600**0.5
        means[eta] = theta
    measured(within(2 * means[0.05] - means[0.1], 1.88382))  # the error of order η removed


@pytest.mark.statement("Heavy ball: the limit at t = (η/(1−β))²·steps", asked=0.015)
@pytest.mark.parametrize("beta", [0.5, 0.9])
def test_heavy_ball_in_the_valley(measured, beta):
    valley, x0, t, ends = landscapes.valley(1.0), jnp.array([1.5, 0.0]), 1.0, {}
    for effective in (0.04, 0.02):
        steps = round(t / effective**2)
        eta = effective * (1 - beta)
        run = sgd(gaussian(valley), x0, eta, steps, jax.random.split(KEY, 2000), momentum=beta)
        ends[effective] = run.states[:, -1, 0]
        within(ends[effective], 1.5 * np.exp(-t / 2), 0.4 * effective)
    measured(within(2 * ends[0.02] - ends[0.04], 1.5 * np.exp(-t / 2)))


@pytest.mark.statement("Label-noise SGD tends to the flow, with error O(η)", asked=0.01)
def test_label_noise_sgd_follows_the_flow(measured):
    noise, x0, t = LabelNoise(landscapes.hyperbola(), 0.5), jnp.array([2.0, 0.5]), 0.8
    ends = {}
    for eta in (0.02, 0.01):
        x = sgd(noise, x0, eta, round(t / eta**2), jax.random.split(KEY, 400)).states[:, -1]
        ends[eta] = x[:, 0] ** 2 - x[:, 1] ** 2
    limit = label_noise_flow(noise.problem, x0, jnp.array([t]), 0.5)[0]
    limit = limit[0] ** 2 - limit[1] ** 2
    measured(within(2 * ends[0.01] - ends[0.02], limit, 0.005))
    assert 1.8 < float((ends[0.02].mean() - limit) / (ends[0.01].mean() - limit)) < 2.2


@pytest.mark.statement(
    "Label-noise SGD recovers w* from a start of any generic scale, up to the cloud of size O(√η)", asked=0.5
)
@pytest.mark.parametrize("scale", [0.3, 1.0])
def test_sgd_recovers_the_sparse_vector(measured, scale):
    """The mean square of |w − w*| over 16 runs is that of the stationary cloud (ηc/2)N around the limit."""
    problem, w_star = random_sparse_regression(jax.random.key(3), 12, 20, 2)
    x0 = scale * jnp.exp(0.3 * jax.random.normal(KEY, (40,)))
    descent = problem.weights(project(problem, x0))
    eta, t = 0.003, 1.2
    limit = label_noise_flow(problem, x0, jnp.array([t]), 1.0)[0]
    assert float(jnp.linalg.norm(problem.weights(limit) - w_star)) < 2e-3
    J, slope = problem.jacobian(limit), jax.jacobian(problem.weights)(limit)
    cloud = eta * 2 / 2 * float(jnp.trace(slope @ jnp.linalg.pinv(J) @ J @ slope.T))
    run = sgd(LabelNoise(problem, 1.0), x0, eta, round(t / eta**2), jax.random.split(KEY, 16))
    errors = jax.vmap(problem.weights)(run.states[:, -1]) - w_star
    measured(within(jnp.sum(errors**2, axis=1) / cloud, 1.0))
    assert float(jnp.linalg.norm(descent - w_star)) > 0.45
