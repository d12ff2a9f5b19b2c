"""Chapter 10's network on digits: what is measured, the limit by another integrator, SGD, the stored runs, a kink."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from afterzero.experiments import digits as dg
from afterzero.experiments import digits_runs as runs
from afterzero.experiments.results import read
from sampling import within_order
from scipy.integrate import solve_ivp

from labnoise import (
    LabelNoise,
    LeastSquares,
    drift_terms,
    label_noise_flow,
    local_sgd_drift,
    project,
    sgd,
    sharpness,
)

DRAWN = dg.draw(np.random.default_rng(0))
TIMES = jnp.array([0.0, 0.05, 0.1])


@pytest.fixture(scope="module")
def path():
    return label_noise_flow(DRAWN.problem, DRAWN.x0, TIMES, runs.DELTA)


def test_what_is_measured_of_a_network(path):
    """Against the package, and NumPy's loops over the images."""
    found = dg.measures(path, DRAWN)
    for k, x in enumerate(path):
        np.testing.assert_allclose(found["sharpness"][k], sharpness(DRAWN.problem, x), rtol=1e-8)
        params = DRAWN.unflatten(x)
        outputs = np.array(
            [np.tanh(z @ params["hidden"] + params["bias"]) @ params["out"] for z in DRAWN.unseen]
        )
        np.testing.assert_allclose(found["mse"][k], np.mean((outputs - DRAWN.answers) ** 2))
        assert found["wrong"][k] == np.mean(np.sign(outputs) != DRAWN.answers)
        parts = abs(np.tanh(DRAWN.inputs @ params["hidden"] + params["bias"]) * params["out"]).mean(axis=0)
        np.testing.assert_allclose(found["share"][k], max(parts) / sum(parts))
        H = np.asarray(2 / 40 * (DRAWN.problem.jacobian(x) ** 2).sum(axis=0))
        np.testing.assert_allclose(runs.root_trace(x[None], DRAWN)[0], np.sqrt(H).sum())
    assert dg.least_sharpness(DRAWN) < found["sharpness"].min()
    assert (len(DRAWN.answers), set(DRAWN.labels)) == (317, {-1.0, 1.0})
    i, label = 3, 0.3
    by_jax = jax.grad(lambda x: (DRAWN.problem.outputs(x)[i] - label) ** 2)(path[0])
    np.testing.assert_allclose(runs.example_gradient(path[0], DRAWN.inputs[i], label), by_jax, atol=1e-12)


def test_the_limit_is_that_of_another_integrator(path):
    """`−(c/4)T∇S` with S from the formula for this network, T by a QR decomposition, SciPy's method of order 8."""

    def flatness(x):
        bias, hidden, out = x[:32], x[32 : 65 * 32].reshape(64, 32), x[65 * 32 :]
        t = jnp.tanh(DRAWN.inputs @ hidden + bias)
        lengths = 1 + (DRAWN.inputs**2).sum(axis=1)
        return 2 * jnp.mean((t**2 + (out * (1 - t**2)) ** 2 * lengths[:, None]).sum(axis=1))

    slope, jacobian = jax.jit(jax.grad(flatness)), jax.jit(jax.jacrev(DRAWN.problem.outputs))

    def velocity(_, x):
        normals = np.linalg.qr(np.asarray(jacobian(x)).T)[0]
        gradient = np.asarray(slope(x))
        return -runs.C / 4 * (gradient - normals @ (normals.T @ gradient))

    start, span = np.asarray(path[0]), (0.0, float(TIMES[-1]))
    other = solve_ivp(velocity, span, start, "DOP853", np.asarray(TIMES), rtol=1e-11, atol=1e-12).y.T
    np.testing.assert_allclose(path, other, atol=1e-8)


def test_sgd_comes_to_the_limit_in_proportion_to_the_learning_rate():
    """The stored runs, which are made again below: their mean sharpness at t = 1, at three rates."""
    table = read("digits-methods")
    rows = table[(table["method"] == "sgd") & (table["t"] == 1)]
    (limit,) = rows["sharpness"][rows["eta"] == 0]
    found = [rows["sharpness"][np.isclose(rows["eta"], eta)] for eta in runs.RATES]
    errors = [float(abs(values.mean() - limit)) for values in found]
    deviations = [float(values.std(ddof=1) / len(values) ** 0.5) for values in found]
    within_order(errors, runs.RATES, 1, deviations, sigmas=3)
    assert errors[0] > 4 * deviations[0]


def test_a_plain_loop_is_the_package_s_sgd_in_law():
    noise, keys = LabelNoise(DRAWN.problem, runs.DELTA), jax.random.split(jax.random.key(5), 256)
    start = project(DRAWN.problem, DRAWN.x0)
    ends = [
        runs.noisy_runs(DRAWN, start, runs.plain(0.005), (), [100], keys)[:, 0],
        np.asarray(sgd(noise, start, 0.005, 100, keys).states[:, -1]),
    ]
    outputs = [np.asarray(jax.vmap(DRAWN.problem.outputs)(end)) - DRAWN.labels for end in ends]
    squares = [(each**2).mean(axis=1) for each in outputs]
    sigma = np.sqrt(sum(each.var() / len(keys) for each in squares))
    assert abs(squares[0].mean() - squares[1].mean()) < 4 * sigma
    assert sigma < 0.12 * squares[0].mean()


def test_the_regularizer_of_local_sgd_has_its_drift():
    """On a small network, by the package's four terms; with one worker it is label noise."""
    small = dg.draw(np.random.default_rng(1), examples=3)
    pick = jnp.arange(small.x0.size).reshape(66, 32)[:, :2].ravel()
    problem = LeastSquares(lambda x: small.problem.outputs(small.x0.at[pick].set(x)), small.labels)
    x = project(problem, small.x0[pick])
    cov = LabelNoise(problem, runs.DELTA).covariance(x)
    for workers, alpha in ((1, 0.3), (4, 0.3), (3, 2.0)):
        slope = jax.grad(runs.local_regularizer(problem, workers, alpha))(x)
        K, _ = problem.conditions(x)
        tangent = slope - K.T @ jnp.linalg.solve(K @ K.T, K @ slope)
        np.testing.assert_allclose(
            -tangent, local_sgd_drift(problem, cov, x, workers, alpha).normal, atol=1e-8
        )
    np.testing.assert_allclose(
        local_sgd_drift(problem, cov, x, 1, 0.3).normal, drift_terms(problem, cov, x).normal
    )


def test_weight_decay_is_at_a_minimum():
    x = runs.decayed(DRAWN.problem, DRAWN.x0, 0.1)
    np.testing.assert_allclose(DRAWN.problem.gradient(x) + 0.1 * x, 0, atol=1e-5)


@pytest.mark.parametrize("method", ["sgd", "local", "adam"])
def test_stored_runs_are_made_again(method, monkeypatch):
    """The first save of two runs; their dice are those of their numbers."""
    rates, times = runs.METHODS[method]
    monkeypatch.setattr(runs, "RUNS", 2)
    monkeypatch.setitem(runs.METHODS, method, (rates, times[:1]))
    table = read("digits-methods")
    rows = table[(table["method"] == method) & np.isclose(table["eta"], rates[1]) & (table["t"] == times[0])]
    found = runs.shown(runs.paths(method, rates[1], DRAWN)[:, 0], DRAWN)
    for name, values in found.items():
        np.testing.assert_allclose(values, rows[name][:2], rtol=2e-3, atol=2e-3)


def test_stored_flows_are_made_again(path):
    table = read("digits-flow")
    row = table[(table["draw"] == 0) & (table["t"] == 0)]
    for name, values in dg.measures(path[:1], DRAWN).items():
        np.testing.assert_allclose(values, row[name], rtol=1e-3)


def test_a_kink_stops_sgd_where_the_flow_on_the_pieces_goes_on():
    """f₁ = u₂ + max(u₁, 0), f₂ = e^{−u₁/2}u₃ by the package: its flow is the piecewise one, its SGD stops."""

    def predict(u):
        return jnp.stack([u[1] + jnp.maximum(u[0], 0.0), jnp.exp(-u[0] / 2) * u[2]])

    problem, start, t = LeastSquares(predict, jnp.zeros(2)), jnp.array([-1.0, 0.0, 0.0]), 3.0
    crossing = 2 * (1 - np.exp(-1))
    keys, eta = jax.random.split(jax.random.key(0), 60), 0.02
    for time, expected in ((1.0, np.log(np.exp(-1) + 0.5)), (t, 0.0)):
        ends = sgd(LabelNoise(problem, 1.0), start, eta, round(time / eta**2), keys).states[:, -1, 0]
        assert abs(float(jnp.median(ends)) - expected) < 0.04
    assert np.log(1 + (t - crossing) / 4) > 0.3  # the flow on the pieces by hand
    x = jnp.array([0.2, -0.2, 0.0])
    drift = drift_terms(problem, LabelNoise(problem, 1.0).covariance(x), x).total
    np.testing.assert_allclose(
        drift[0], np.exp(-0.2) / 4, rtol=1e-6
    )  # and what the package says beyond the kink


def test_the_residuals_of_the_linearization_are_those_of_its_steps():
    """A loop over the steps of 20 000 runs, and where all examples are alike the plateau x/(1 − x)."""
    rng, eta, steps = np.random.default_rng(0), 0.05, 12
    J = rng.standard_normal((3, 5))
    r = np.zeros((20_000, 3))
    for _ in range(steps):
        i, signs = rng.integers(3, size=len(r)), rng.choice([-1.0, 1.0], len(r))
        r = r - 2 * eta * (r[np.arange(len(r)), i] - signs)[:, None] * (J @ J.T)[i]
    squares = (r**2).mean(axis=1)
    expected = runs.residuals_of_linearization(J, eta, [steps])[0]
    assert abs(squares.mean() - expected) < 4 * squares.std() / len(r) ** 0.5
    x = 0.2
    settled = runs.residuals_of_linearization(np.eye(4), x, [0, 400])
    np.testing.assert_allclose(settled, [0, x / (1 - x)], atol=1e-12)
