"""The numbered statements of chapter 6, each against something that does not share its derivation."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from afterzero import ch06
from scipy import stats
from scipy.integrate import solve_ivp
from scipy.linalg import null_space
from scipy.optimize import minimize

from labnoise import (
    LabelNoise,
    SparseRegression,
    label_noise_flow,
    project,
    random_sparse_regression,
    sgd,
)


def small(n=6, d=12, sparsity=2, seed=3, design="gaussian"):
    """A small problem with a start whose two halves are unequal, and of either sign."""
    problem, w_star = random_sparse_regression(jax.random.key(seed), n, d, sparsity, design)
    sizes, signs = jax.random.split(jax.random.key(seed + 100))
    start = jnp.exp(0.4 * jax.random.normal(sizes, (2 * d,))) * jax.random.rademacher(signs, (2 * d,))
    return problem, np.asarray(w_star), start


def loss_gradient(Z, y, x):
    """∇L in NumPy, from f = Zw alone."""
    u, v = np.split(x, 2)
    pull = 4 / len(y) * Z.T @ (Z @ (u**2 - v**2) - y)
    return np.concatenate([u * pull, -v * pull])


@pytest.mark.statement("prop-olm", asked=1e-7)
def test_sharpness_of_the_sparse_model(measured):
    """The trace by differences of the gradient off Γ; rank and kernel on Γ, also with a pair of zeros."""
    problem, _, x = small()
    Z, y, x = np.asarray(problem.design), np.asarray(problem.targets), np.asarray(x)
    m, (u, v) = np.mean(Z**2, axis=0), np.split(x, 2)
    h = 1e-4 * np.eye(24)
    trace = sum((loss_gradient(Z, y, x + e) - loss_gradient(Z, y, x - e)) @ e for e in h) / 2e-8
    measured(abs(8 * np.sum(m * (u**2 + v**2)) / trace - 1))
    w = np.linalg.pinv(Z[:, 1:]) @ y  # on Γ with (u_0, v_0) = (0, 0)
    x = np.sqrt(np.concatenate([[0], np.maximum(w, 0) + 0.3, [0], np.maximum(-w, 0) + 0.3]))
    assert np.abs(problem.residual(jnp.array(x))).max() < 1e-12
    J = np.asarray(problem.jacobian(jnp.array(x)))
    assert np.linalg.matrix_rank(J) == 6
    hessian = np.array([(loss_gradient(Z, y, x + e) - loss_gradient(Z, y, x - e)) / 2e-4 for e in h])
    kernel = null_space(J)
    assert kernel.shape == (24, 18)
    measured(abs(hessian @ kernel).max() / abs(hessian).max())


@pytest.mark.statement("prop-kernel", asked=0.04)
def test_kernel_regime_and_its_risk(measured):
    """The limit of large α by its rate 1/α⁴; the law by a Kolmogorov–Smirnov distance; all Boolean designs."""
    problem, _, _ = small()
    least = np.linalg.pinv(problem.design) @ problem.targets
    gaps = [
        float(abs(problem.weights(project(problem, jnp.full(24, alpha))) - least).max())
        for alpha in (2.0, 4.0)
    ]
    measured(abs(gaps[0] / gaps[1] / 2**4 - 1))

    rng, (n, d), w = np.random.default_rng(5), (5, 14), np.zeros(14)
    w[:2] = 2.0, -1.0
    Z = rng.standard_normal((3000, n, d))
    risks = np.sum((w - np.einsum("tdn,tn->td", np.linalg.pinv(Z), Z @ w)) ** 2, axis=1) / 5
    found = stats.kstest(risks, stats.beta((d - n) / 2, n / 2).cdf)
    assert found.pvalue > 1e-3
    measured(found.statistic)

    signs = np.array(list(itertools.product([-1.0, 1.0], repeat=12))).reshape(-1, 3, 4)
    w = np.array([0.0, 3.0, -1.0, 0.0])
    risk = np.mean([np.sum((np.linalg.pinv(Z) @ Z @ w - w) ** 2) / 10 for Z in signs])
    ranks = np.mean([np.linalg.matrix_rank(Z) for Z in signs])
    assert ranks < 3
    assert abs(risk - (1 - ranks / 4)) < 1e-12


@pytest.mark.statement("thm-olm-flow", asked=1e-8)
@pytest.mark.parametrize("design", ["gaussian", "boolean"])
def test_closed_form_solves_the_limiting_flow(design, measured):
    """Φ by integrating gradient flow, then the limiting equation by a method of order 8, all in NumPy."""
    problem, _, start = small(design=design)
    Z, y, delta = np.asarray(problem.design), np.asarray(problem.targets), 0.6
    flow = solve_ivp(
        lambda _, x: -loss_gradient(Z, y, x), (0, 40), start, method="LSODA", rtol=1e-12, atol=1e-13
    )
    h = 1e-5 * np.eye(24)

    def sharpness(x):  # by differences of the gradient; a polynomial of degree 2 up to rounding
        return sum((loss_gradient(Z, y, x + e) - loss_gradient(Z, y, x - e)) @ e for e in h) / 2e-10

    x = np.asarray(start)
    slope = np.array([sharpness(x + 1e5 * e) - sharpness(x - 1e5 * e) for e in h]) / 2  # at steps of one
    stretch = slope / x  # ∇tr∇²L is linear in x

    def velocity(_, x):
        J = 2 * np.hstack([Z, -Z]) * x
        pull = stretch * x
        return -(2 * delta**2) / 4 * (pull - np.linalg.pinv(J) @ (J @ pull))

    t = [0.2, 0.7]
    path = solve_ivp(velocity, (0, 0.7), flow.y[:, -1], method="DOP853", t_eval=t, rtol=1e-11, atol=1e-13)
    measured(abs(path.y.T - label_noise_flow(problem, start, jnp.array(t), delta)).max())


@pytest.mark.statement("prop-bregman", asked=1e-6)
def test_weights_minimize_the_entropy(measured):
    """The convex problem by a general optimizer over the affine space {Zw = y}."""
    problem, _, start = small()
    Z, y, m = (np.asarray(a) for a in (problem.design, problem.targets, problem.second_moments))
    u, v, delta, t = *np.abs(np.split(np.asarray(start), 2)), 0.7, 0.15
    scale, tilt = u * v * np.exp(-16 * delta**2 * t * m), np.log(u / v)
    w0, basis = np.linalg.pinv(Z) @ y, null_space(Z)

    def objective(a):
        w = w0 + basis @ a
        return np.sum(w * np.arcsinh(w / (2 * scale)) - np.sqrt(w**2 + 4 * scale**2) - tilt * w)

    found = minimize(objective, np.zeros(6), method="BFGS", options={"gtol": 1e-9})
    assert found.success or "precision loss" in found.message
    flow = label_noise_flow(problem, start, jnp.array([t]), delta)[0]
    measured(abs(w0 + basis @ found.x - problem.weights(flow)).max())


def error_of_limit(problem, truth, t, delta):
    flow = label_noise_flow(problem, jnp.ones(2 * truth.size), jnp.asarray(t), delta)
    return np.linalg.norm(np.asarray(jax.vmap(problem.weights)(flow)) - truth, axis=1)


@pytest.mark.statement("thm-recovery-rate", asked=0.01)
def test_recovery_rate_is_the_best_certificate(measured):
    """The slope of ln|w − w*| against the linear program; and a draw in which the second clause is needed."""
    delta = 0.8
    problem, w_star = random_sparse_regression(jax.random.key(12), 40, 100, 5)
    Z, truth = np.asarray(problem.design), np.asarray(w_star)
    rate = 16 * delta**2 * ch06.best_margin(Z, truth)
    errors = error_of_limit(problem, truth, np.array([8.0, 12.0, 16.0]) / rate, delta)
    measured(abs(np.log(errors[1] / errors[2]) / 4 - 1))

    problem, w_star = random_sparse_regression(jax.random.key(6), 40, 100, 5)
    Z, truth = np.asarray(problem.design), np.asarray(w_star)
    margin = ch06.best_margin(Z, truth)
    assert abs(margin - np.mean(Z**2, axis=0)[truth == 0].min()) < 1e-9
    errors = error_of_limit(problem, truth, np.array([1.5, 2.0, 2.5]), 1.0)
    assert np.log(errors[1] / errors[2]) / 0.5 > 1.2 * 16 * margin


@pytest.mark.parametrize(("seed", "small"), [(12, 0), (6, 1), (404, 2)])
def test_the_rate_after_a_degenerate_draw_is_that_of_the_exercise(seed, small):
    """So many features off the support are so small that they hold γ* down; the error falls faster all the same."""
    problem, w_star = random_sparse_regression(jax.random.key(seed), 40, 100, 5)
    Z, truth = np.asarray(problem.design), np.asarray(w_star)
    rate = ch06.exponent(Z, truth)
    assert np.sum(np.mean(Z**2, axis=0)[truth == 0] < rate - 1e-9) == small
    errors = error_of_limit(problem, truth, np.array([1.5, 2.0]), 1.0)
    assert np.log(errors[0] / errors[1]) / 8 == pytest.approx(rate, rel=0.01)
    if small:
        assert rate > 1.02 * ch06.best_margin(Z, truth)


def test_the_flow_solves_the_dual_of_basis_pursuit():
    """The exercise: λ/(8ct) has the value of basis pursuit in the limit, and nearly obeys the dual's constraints."""
    problem, _, _ = small()
    Z, y, m = (np.asarray(a) for a in (problem.design, problem.targets, problem.second_moments))
    best = np.sum(m * np.abs(problem.basis_pursuit(problem.second_moments)))
    gaps, t = [], np.array([2.0, 4.0])
    for when, x in zip(
        t, np.asarray(label_noise_flow(problem, jnp.ones(24), jnp.asarray(t), 1.0)), strict=True
    ):
        nu = np.linalg.pinv(Z).T @ (np.log(x[:12]) + 8 * when * m) / (8 * when)
        gaps.append(max(abs(nu @ y - best), np.max(np.abs(Z.T @ nu) - m)))
    assert gaps[1] < 0.6 * gaps[0] < 0.1 * best


def test_the_prices_of_other_units_are_those_of_the_flattest_points():
    """By a linear program in the new units, of which the coefficients are put back into the old."""
    rng, Z = np.random.default_rng(3), np.asarray(small()[0].design)
    y, scales = rng.standard_normal(6), np.exp(rng.standard_normal(12))  # no sparse truth: the prices decide
    problem = SparseRegression(jnp.array(Z), jnp.array(y))
    other = SparseRegression(jnp.array(Z * scales), jnp.array(y))
    w = scales * np.asarray(other.basis_pursuit(other.second_moments))
    np.testing.assert_allclose(Z @ w, y, atol=1e-9)
    np.testing.assert_allclose(w, problem.basis_pursuit(jnp.array(ch06.prices(Z, scales))), atol=1e-8)
    assert np.abs(w - problem.basis_pursuit(problem.second_moments)).max() > 0.1


@pytest.mark.statement("thm-sparse-sgd", asked=0.05)
def test_sgd_is_near_the_truth_with_a_probability_that_grows(measured):
    """The share of 64 runs that are farther than ε away after T/η² steps, at a small learning rate and a larger one."""
    problem, w_star = random_sparse_regression(jax.random.key(2), 16, 20, 1)
    start, far = jnp.full(40, 0.5), {}
    for eta in (0.016, 0.004):
        keys = jax.random.split(jax.random.key(3), 64)
        run = sgd(LabelNoise(problem, 1.0), start, eta, round(1 / eta**2), keys)
        errors = jnp.linalg.norm(jax.vmap(problem.weights)(run.states[:, -1]) - w_star, axis=1)
        far[eta] = float(jnp.mean(errors > 0.35))
    assert far[0.016] > far[0.004] + 0.1
    measured(far[0.004])


@pytest.mark.statement("cor-scale", asked=1e-9)
def test_a_decade_of_scale_costs_a_fixed_time(measured):
    """By gradient flow, integrated from the shrunken start; the reader's exercise gives the delay."""
    problem, _, _ = small(design="boolean")
    Z, y, delta, t = np.asarray(problem.design), np.asarray(problem.targets), 0.5, 0.2
    delay = ch06.delay(3.0, delta)
    shrunk = 0.9 * np.exp(-8 * delta**2 * t)
    flow = solve_ivp(
        lambda _, x: -loss_gradient(Z, y, x),
        (0, 200),
        np.full(24, shrunk),
        method="LSODA",
        rtol=1e-12,
        atol=1e-14,
    )
    for scale, when in ((0.9, t), (2.7, t + delay)):
        x = label_noise_flow(problem, jnp.full(24, scale), jnp.array([when]), delta)[0]
        measured(abs(x - flow.y[:, -1]).max())


@pytest.mark.statement("thm-sample-complexity", asked=0.01)
@pytest.mark.parametrize("design", ["gaussian", "boolean"])
def test_enough_examples_give_a_certificate(design, measured):
    """The share of draws at n = 10 κ ln d without the margin 3/8; the bound on the shortest ν in each draw."""
    rng, d, kappa = np.random.default_rng(8), 150, 3
    n = round(10 * kappa * np.log(d))
    assert n <= d + 1
    n, failed = min(n, d), []
    for _ in range(200):
        Z = rng.standard_normal((n, d))
        Z = Z if design == "gaussian" else np.sign(Z)
        m, on = np.mean(Z**2, axis=0), np.arange(d) < kappa
        nu = np.linalg.pinv(Z[:, on].T) @ (m[on] * rng.choice([-1, 1], kappa))
        assert nu @ nu <= np.sum(m[on] ** 2) / np.linalg.svd(Z[:, on])[1][-1] ** 2 + 1e-12
        failed.append(np.min((m - abs(Z.T @ nu))[~on]) < 3 / 8 and ch06.best_margin(Z, on * 1.0) < 3 / 8)
    measured(np.mean(failed))


@pytest.mark.statement("prop-products", asked=1e-12)
def test_products_obey_their_law(measured):
    """A step of the package is one of 2n by hand, and the products are those of the law; zeros stay zeros."""
    problem, _, start = small()
    Z, y, eta, delta = np.asarray(problem.design), np.asarray(problem.targets), 0.01, 0.7
    u, v = np.split(np.asarray(start), 2)
    residuals = Z @ (u**2 - v**2) - y
    laws = [
        1 - 16 * eta**2 * (residuals[i] - sign * delta) ** 2 * Z[i] ** 2 for i in range(6) for sign in (1, -1)
    ]
    run = sgd(LabelNoise(problem, delta), start, eta, 1, jax.random.split(jax.random.key(1), 200))
    seen = set()
    for state in np.asarray(run.states)[:, -1]:
        factor = np.prod(np.split(state, 2), axis=0) / (u * v)
        gaps = [abs(factor - law).max() for law in laws]
        seen.add(int(np.argmin(gaps)))
        measured(min(gaps))
    assert len(seen) == 12
    broken = start.at[14].set(0.0).at[3].set(0.0)  # v_2 = 0 and u_3 = 0
    run = sgd(LabelNoise(problem, delta), broken, 0.002, 20_000, jax.random.key(2), save_every=100)
    w = np.asarray(jax.vmap(problem.weights)(run.states))
    assert (w[:, 2] >= 0).all()
    assert (w[:, 3] <= 0).all()
    assert run.states[-1, 14] == run.states[-1, 3] == 0


@pytest.mark.statement(
    "Label-noise SGD, n = 40, d = 100, κ = 5: |w − w*|² ≤ 0.01, gradient descent above 2", asked=0.01
)
def test_label_noise_recovers_what_gradient_descent_does_not(measured):
    problem, w_star = random_sparse_regression(jax.random.key(12), 40, 100, 5)
    start, noise = jnp.full(200, 0.5), LabelNoise(problem, 1.0)
    descent = problem.weights(project(problem, start))
    assert float(jnp.sum((descent - w_star) ** 2)) > 2
    x = sgd(noise, start, 2e-3, 375_000, jax.random.key(9)).states[-1]
    x = sgd(noise, x, 2e-4, 20_000, jax.random.key(10)).states[-1]
    measured(jnp.sum((problem.weights(x) - w_star) ** 2))


def test_the_cloud_of_a_sparse_limit():
    """E|w − w*|² ≈ 4ηδ²|w*|₁: over 32 runs, within four standard errors and ten per cent."""
    problem, w_star = random_sparse_regression(jax.random.key(5), 12, 20, 2)
    limit = label_noise_flow(problem, jnp.ones(40), jnp.array([2.0]), 1.0)[0]
    run = sgd(LabelNoise(problem, 0.5), limit, 2e-3, 4000, jax.random.split(jax.random.key(4), 32), 500)
    errors = jnp.sum((jax.vmap(jax.vmap(problem.weights))(run.states[:, 3:]) - w_star) ** 2, axis=-1).mean(1)
    mean, error = float(errors.mean()), float(errors.std()) / np.sqrt(32)
    expected = 4 * 2e-3 * 0.5**2 * 2
    assert abs(mean - expected) < 4 * error + 0.1 * expected


def test_twins_keep_the_ratio_that_the_start_gave_them():
    problem, _, _ = small()
    Z = np.asarray(problem.design).copy()
    Z[:, 1] = Z[:, 0]
    twins = SparseRegression(jnp.array(Z), jnp.array(Z[:, 0]))
    start = jnp.ones(24).at[jnp.array([0, 12])].set(2.0)
    w = np.asarray(jax.vmap(twins.weights)(label_noise_flow(twins, start, jnp.array([0.1, 1.0]), 1.0)))
    np.testing.assert_allclose(w[:, 0] / w[:, 1], 4.0, rtol=1e-9)


def test_the_closed_form_from_a_start_with_v_zero_is_that_of_the_square_model():
    """The exercise: the square model's flow ends at the least weighted norm among w ≥ 0."""
    rng = np.random.default_rng(4)
    Z, w_star = rng.standard_normal((8, 14)), np.zeros(14)
    w_star[[2, 9]] = 1.0, 0.5
    problem = SparseRegression(jnp.array(Z), jnp.array(Z @ w_star), "square")
    end = problem.weights(label_noise_flow(problem, jnp.ones(14), jnp.array([40.0]), 1.0)[0])
    np.testing.assert_allclose(end, problem.basis_pursuit(problem.second_moments), atol=1e-8)
