"""The numbered statements of chapter 3, each against something that does not share its derivation.

Reference flows are integrated by scipy, with formulas for the gradients where they are short.
"""

from importlib import import_module

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.optimize import minimize

from labnoise import (
    GaussianNoise,
    LabelNoise,
    LeastSquares,
    Loss,
    SparseRegression,
    canonical_sde,
    landscapes,
    ornstein_uhlenbeck,
    project,
    sgd,
)
from tests.random_losses import random_loss


@jax.jit
def slope_of_projection(problem, x):
    return jax.jacfwd(lambda x: project(problem, x))(x)


def settle(gradient, x, time):
    """Where the flow of a gradient is after a time, by scipy's stiff integrator."""
    return solve_ivp(
        lambda s, x: -gradient(x), (0, time), np.asarray(x), method="LSODA", rtol=1e-11, atol=1e-13
    ).y[:, -1]


def flow_end(problem, x):
    return settle(lambda x: np.asarray(problem.gradient(x)), x, 250.0)


def finite_difference(function, x, h=1e-3):
    """The Jacobian of a function by central differences of fourth order."""
    columns = []
    for direction in np.eye(len(x)):
        far, near = (function(x + k * h * direction) - function(x - k * h * direction) for k in (2, 1))
        columns.append((8 * near - far) / (12 * h))
    return np.stack(columns, axis=1)


@pytest.mark.statement("prop-one-step", asked=0.1)
def test_one_unit_of_the_sde_has_the_mean_and_covariance_of_a_step(measured):
    """Exponents of the two errors, 2 and 3, for bounded Lipschitz coefficients and a noise that depends on x."""
    tilt = jnp.array([[1.0, 0.4], [-0.3, 0.8]])

    def gradient(x):
        return jnp.tanh(tilt @ x + jnp.array([0.3, -0.2]))

    def sigma(x):
        return jnp.array([[1.0, 0.5, 0.0], [-0.2, 0.3, 0.7]]) * (1 + 0.5 * jnp.sin(x[0] - 2 * x[1]))

    x, parts = jnp.array([0.7, -0.4]), 32

    @jax.jit
    @jax.vmap
    def ends(key, eta):
        dW = jax.random.normal(key, (parts, 3)) / parts**0.5

        def move(y, dw):
            return y - eta * gradient(y) / parts + eta * sigma(y) @ dw, None

        return jax.lax.scan(move, x, dW)[0], x - eta * gradient(x) + eta * sigma(x) @ dW.sum(0)

    keys = jax.random.split(jax.random.key(0), 40_000)
    means, covariances = [], []
    for eta in (0.04, 0.02):
        sde, step = ends(keys, jnp.full(40_000, eta))
        means.append(np.linalg.norm(np.mean(sde - step, axis=0)))
        covariances.append(np.linalg.norm(np.cov(sde.T) - np.cov(step.T)))
        exact = eta**2 * np.array(sigma(x) @ sigma(x).T)
        assert np.linalg.norm(np.cov(step.T) - exact) < 0.03 * np.linalg.norm(exact)
    # the noise of the sample enters both with 1/200 of their size
    assert means[0] / means[1] > 3
    measured(abs(np.log2(covariances[0] / covariances[1]) - 3))


@pytest.mark.statement("prop-rescaled", asked=1e-12)
@pytest.mark.parametrize("eta", [0.3, 0.05])
def test_the_rescaled_sde_is_the_same_process(eta, measured):
    """Ornstein–Uhlenbeck: moments of dX = −η⁻¹HX dt + σ dB by hand, against the canonical SDE's at k = t/η²."""
    H = jnp.array([[2.0, 0.6], [0.6, 0.7]])
    cov = jnp.array([[0.5, -0.2], [-0.2, 0.9]])
    x, t = jnp.array([1.0, -2.0]), 0.9
    process = ornstein_uhlenbeck(H, cov, eta)
    values, vectors = np.linalg.eigh(H)
    sums = (values[:, None] + values[None]) / eta
    inner = vectors.T @ np.array(cov) @ vectors * (1 - np.exp(-sums * t)) / sums
    mean = vectors @ (np.exp(-values * t / eta) * (vectors.T @ np.array(x)))
    measured(np.abs(process.covariance(t / eta**2) - vectors @ inner @ vectors.T).max())
    measured(np.abs(process.mean(t / eta**2, x) - mean).max())


def _hill(x):
    return -0.65 * x @ x


def _waves(x):
    return jnp.sum(jnp.cos(jnp.array([1.0, 0.7]) * x)) + 0.3 * jnp.sin(x[0] + x[1])


@pytest.mark.statement("prop-fast-clock", asked=0.08)
def test_on_the_fast_clock_the_noise_vanishes(measured):
    """On L = −½ℓ|x|² the bound is attained; on another loss it holds."""
    eta, s, cov = 0.01, 0.8, jnp.array([[0.4, 0.1], [0.1, 0.2]])
    keys = jax.random.split(jax.random.key(2), 4000)
    start = jnp.array([0.3, -0.5])

    def squares(loss):
        problem = Loss(loss)
        run = canonical_sde(GaussianNoise(problem, cov), start, eta, round(s / eta), keys, dt=1 / 8)
        end = solve_ivp(lambda r, x: -np.asarray(problem.gradient(x)), (0, s), start, rtol=1e-9)
        return np.sum((run.states[:, -1] - end.y[:, -1]) ** 2, axis=1)

    lipschitz = 1.3
    bound = eta * float(jnp.trace(cov)) * (np.exp(2 * lipschitz * s) - 1) / (2 * lipschitz)
    hill = squares(_hill)
    # Euler's steps of η/8 bias the square by about (ℓs)(ℓη/8), which is added to the statistical error
    error = hill.std() / np.sqrt(len(hill)) + lipschitz**2 * s * eta / 8 * bound
    assert abs(hill.mean() - bound) < 4 * error
    measured(abs(hill.mean() / bound - 1))
    assert squares(_waves).mean() < bound  # whose Hessian is at most 1 + 0.6 in norm, and less on the way


@pytest.mark.statement("thm-limit-map", asked=1e-6)
def test_the_limit_map_is_twice_differentiable_through_its_variational_equations(measured):
    """φ, ∂φ and ∂²φ integrated jointly by scipy, against derivatives of the package's Φ; and the rate."""
    problem, x, _, _ = random_loss(3, 3, 2)
    third, x = jax.jit(jax.jacfwd(problem.hessian)), np.asarray(x)

    def first(s, state):
        J = state[3:].reshape(3, 3)
        H = np.asarray(problem.hessian(state[:3]))
        return np.append(-np.asarray(problem.gradient(state[:3])), -H @ J)

    def slope(x):
        start = np.append(x, np.eye(3))
        return solve_ivp(first, (0, 250), start, method="LSODA", rtol=1e-10, atol=1e-12).y[3:, -1]

    def joint(s, state):
        point, J, G = state[:3], state[3:12].reshape(3, 3), state[12:].reshape(3, 3, 3)
        H = np.asarray(problem.hessian(point))
        force = np.einsum("iab,aj,bk->ijk", np.asarray(third(point)), J, J)
        fast = np.einsum("ia,ajk->ijk", H, G)
        return np.concatenate(
            [-np.asarray(problem.gradient(point)), (-H @ J).ravel(), (-fast - force).ravel()]
        )

    start = np.concatenate([x, np.eye(3).ravel(), np.zeros(27)])
    times = [0, 40, 50, 60, 250]
    path = solve_ivp(joint, (0, 250), start, method="LSODA", rtol=1e-10, atol=1e-12, t_eval=times).y
    bend = path[12:, -1].reshape(3, 3, 3)
    assert np.abs(bend).max() > 0.05
    measured(np.abs(path[3:12, -1].reshape(3, 3) - slope_of_projection(problem, x)).max())
    direction = np.array([0.6, -0.3, 0.7])
    by_difference = finite_difference(lambda h: slope(x + h[0] * direction), np.zeros(1), 1e-2)
    measured(np.abs(by_difference.reshape(3, 3) - bend @ direction).max())

    end = path[:3, -1]  # the slowest curvature sets the rate at which the path comes to rest
    left = np.linalg.norm(path[:3, 1:4].T - end, axis=1)
    slowest = np.linalg.eigvalsh(problem.hessian(jnp.array(end)))[1]
    np.testing.assert_allclose(np.log(left[:-1] / left[1:]) / 10, slowest, rtol=0.02)


def test_without_the_rank_the_flow_may_follow_a_spiral_and_never_converge():
    """The chapter's hat: −∇L is tangent to θ = 1/(1 − r²), by finite differences of the loss."""

    def hat(r, theta):
        h, a = 1 / (1 - r**2), 4 * r**4 / (4 * r**4 + (1 - r**2) ** 4)
        return np.exp(-h) * (1 - a * np.sin(theta - h))

    r, e = np.linspace(0.4, 0.9, 50), 1e-6
    theta = 1 / (1 - r**2)
    by_r = (hat(r + e, theta) - hat(r - e, theta)) / (2 * e)
    by_theta = (hat(r, theta + e) - hat(r, theta - e)) / (2 * e)
    turn = by_theta / (r**2 * by_r)  # dθ/dr along the flow
    np.testing.assert_allclose(turn, 2 * r / (1 - r**2) ** 2, rtol=1e-5)
    assert (by_r < 0).all()  # outwards


HYPERBOLA = landscapes.hyperbola()


def end_of_hyperbola(x, time=30.0):
    return settle(lambda x: 2 * (x[0] * x[1] - 1) * x[::-1], x, time)


def end_on_hyperbola(x):
    """The chapter's formula."""
    sign, q = np.sign(x[0] + x[1]), x[0] ** 2 - x[1] ** 2
    root = np.sqrt(q**2 + 4)
    return sign * np.sqrt(np.array([root + q, root - q]) / 2)


@pytest.mark.statement("prop-hyperbola-map", asked=1e-8)
@pytest.mark.parametrize(
    "start", [(2.4, 0.3), (0.2, 3.0), (1.5, -1.2), (-0.3, -2.0), (0.1, 0.1), (-2.0, 0.5)]
)
def test_the_limit_map_of_the_hyperbola(start, measured):
    end = end_of_hyperbola(start)
    measured(np.abs(end_on_hyperbola(np.array(start)) - end).max())
    measured(np.abs(np.asarray(project(HYPERBOLA, jnp.array(start))) - end).max())


def test_from_the_edge_of_the_basin_the_hyperbola_is_not_reached():
    end = end_of_hyperbola((1.3, -1.3), 10.0)
    assert np.abs(end).max() < 1e-6


@pytest.mark.statement("prop-dual", asked=1e-7)
def test_the_limit_map_of_the_sparse_model_is_a_convex_problem(measured):
    """The minimizer by scipy's BFGS and Φ by the package, against the flow in 2d dimensions."""
    rng = np.random.default_rng(4)
    Z, u, v = rng.standard_normal((3, 5)), rng.uniform(0.4, 1.4, 5), rng.uniform(-1.4, -0.4, 5)
    y = Z @ np.array([1.5, 0, 0, -0.7, 0.2])

    def flow(s, x):
        pull = 4 / 3 * Z.T @ (Z @ (x[:5] ** 2 - x[5:] ** 2) - y)
        return np.append(-x[:5] * pull, x[5:] * pull)

    end = solve_ivp(flow, (0, 300), np.append(u, v), method="LSODA", rtol=1e-11, atol=1e-13).y[:, -1]

    def dual(s):
        up, down = u**2 * np.exp(2 * Z.T @ s), v**2 * np.exp(-2 * Z.T @ s)
        return (up + down).sum() / 2 - y @ s, Z @ (up - down) - y

    s = minimize(dual, np.zeros(3), jac=True, tol=1e-12).x
    assert np.abs(s).max() > 0.1
    by_dual = np.append(u * np.exp(Z.T @ s), v * np.exp(-Z.T @ s))
    measured(np.abs(by_dual - end).max())
    problem = SparseRegression(jnp.array(Z), jnp.array(y))
    measured(np.abs(project(problem, jnp.append(u, v)) - end).max())
    jacobian = 2 * np.hstack([Z * end[:5], -Z * end[5:]])
    assert np.linalg.svd(jacobian)[1].min() > 0.1


@pytest.mark.statement("lem-flow-direction", asked=1e-8)
@pytest.mark.parametrize("seed", [1, 2])
def test_a_push_along_the_gradient_is_forgotten(seed, measured):
    """Far from Γ, by ends of an independent flow: along ∇L the end's derivative is zero, across it is not."""
    problem, x, _, _ = random_loss(seed, 3, 2)
    gradient = np.asarray(problem.gradient(x))
    across = np.cross(gradient, [0.3, -0.5, 0.8])

    def slope(direction, h=1e-2):
        direction = direction / np.linalg.norm(direction)
        ends = [flow_end(problem, x + k * h * direction) for k in (-2, -1, 1, 2)]
        return np.linalg.norm(ends[0] - 8 * ends[1] + 8 * ends[2] - ends[3]) / (12 * h)

    assert np.linalg.norm(gradient) > 0.05
    assert slope(across) > 0.05
    jacobian = slope_of_projection(problem, x)
    measured(np.linalg.norm(jacobian @ gradient) / np.linalg.norm(gradient))
    assert slope(gradient) < 1e-5  # what fourth order leaves at this step


@pytest.mark.statement("lem-tangent-projection", asked=1e-7)
@pytest.mark.parametrize("seed", [1, 2])
def test_on_gamma_the_derivative_is_the_tangent_projection(seed, measured):
    """Finite differences of an independent flow, against the projection made from Γ's own equations."""
    problem, x, g, _ = random_loss(seed, 3, 2)
    p = flow_end(problem, x)
    normal = np.linalg.qr(np.asarray(jax.jacobian(g)(jnp.array(p))).T)[0]
    tangent = np.eye(3) - normal @ normal.T
    measured(np.abs(finite_difference(lambda y: flow_end(problem, y), p, 5e-3) - tangent).max())


def _lopsided(x):
    return jnp.array([x[0] ** 2 * x[1], x[2]]) - 0.2 * x[2] ** 2


@pytest.mark.statement("prop-conserved", asked=1e-9)
def test_symmetries_conserve(measured):
    """u²v with the invariant u² − 2v², flow by scipy, SGD by the package, and tr(AΣ) of the SDE."""
    A = np.diag([1.0, -2.0, 0.0])
    problem = LeastSquares(_lopsided, jnp.array([1.0, 0.3]))

    def Q(x):
        return np.einsum("...i,ij,...j", x, A, x)

    x = jnp.array([1.3, 0.4, 0.9])
    measured(np.abs(problem.jacobian(x) @ A @ x).max())
    measured(abs(Q(flow_end(problem, x)) - Q(x)))
    measured(abs(Q(project(problem, x)) - Q(x)))
    eta, rule = 0.02, LabelNoise(problem, 0.4)
    states = np.array(sgd(rule, x, eta, 300, jax.random.key(0), save_every=1).states)
    steps = -np.diff(states, axis=0) / eta
    measured(np.abs(np.diff(Q(states)) - eta**2 * Q(steps)).max())
    # Itô: for a step of Gaussian noise Q moves in the mean by η²tr(AΣ) and Q of the gradient, exactly
    cov, gradient = np.array(rule.covariance(x)), np.array(problem.gradient(x))
    draws = rule.factor(x)
    second = np.mean([Q(x - eta * (gradient + sign * column * np.sqrt(draws.shape[1])))
                      for column in np.array(draws).T for sign in (1, -1)])  # fmt: skip
    measured(abs(second - Q(x) - eta**2 * (np.trace(A @ cov) + Q(gradient))))
    assert abs(np.trace(A @ cov)) > 0.1


def test_two_linear_layers_stay_balanced():
    inputs, goal = np.random.default_rng(0).standard_normal((2, 2, 4))

    def flow(s, x):
        W1, W2 = x[:6].reshape(3, 2), x[6:].reshape(2, 3)
        error = (W2 @ W1 @ inputs - goal) @ inputs.T / 4
        return -np.append((W2.T @ error).ravel(), (error @ W1.T).ravel())

    def balance(x):
        W1, W2 = x[:6].reshape(3, 2), x[6:].reshape(2, 3)
        return W1 @ W1.T - W2.T @ W2

    x = np.random.default_rng(1).standard_normal(12)
    path = solve_ivp(flow, (0, 20), x, rtol=1e-11, atol=1e-12).y
    assert np.linalg.norm(path[:, -1] - x) > 0.3
    np.testing.assert_allclose(balance(path[:, -1]), balance(x), atol=1e-8)


@pytest.mark.statement("prop-off-gamma", asked=1e-7)
@pytest.mark.parametrize("start", [(3.0, 1.2), (0.2, 1.1), (1.8, -1.1)])
def test_off_gamma_the_derivative_is_no_projection(start, measured):
    """Range, kernel and square by finite differences of an independent flow; the point where it is oblique."""
    x = np.array(start)
    end = end_of_hyperbola(x)
    slope = finite_difference(lambda y: end_of_hyperbola(y), x, 2e-3)
    tangent = np.array([end[0], -end[1]]) / np.linalg.norm(end)
    measured(np.abs(np.outer(tangent, tangent) @ slope - slope).max())
    measured(np.abs(slope @ x[::-1]).max() / np.linalg.norm(x))
    measured(abs(np.linalg.norm(slope) - np.linalg.norm(x) / np.linalg.norm(end)))
    measured(np.abs(slope @ slope - x @ end / (end @ end) * slope).max())
    assert np.abs(slope @ slope - slope).max() > 0.1

    U, V = end
    oblique = np.array([U, V]) + 4 / (U**2 - V**2) * np.array([V, -U])
    measured(np.abs(end_of_hyperbola(oblique) - end).max())
    there = finite_difference(lambda y: end_of_hyperbola(y), oblique, 2e-3)
    measured(np.abs(there @ there - there).max())
    assert np.abs(there - there.T).max() > 0.1


def test_off_gamma_the_derivative_has_the_rank_of_gamma():
    """In more dimensions: rank D − M, and range in the tangent space at the end."""
    problem, x, g, _ = random_loss(5, 3, 2)
    slope = np.array(slope_of_projection(problem, x))
    sizes = np.linalg.svd(slope)[1]
    assert sizes[0] > 0.1
    assert sizes[1] < 1e-8
    normals = np.asarray(jax.jacobian(g)(project(problem, x)))
    assert np.abs(normals @ slope).max() < 1e-8


ch03 = import_module("afterzero.ch03")


@pytest.mark.parametrize("powers", [(0.0, 0.0, 0.0), (0.3, 0.0, 0.0), (0.0, 0.8, 0.0), (0.2, 0.4, -0.3)])
def test_the_exponents_of_exercise_3_7_are_those_of_heavy_ball(powers):
    """Exact moments of m ← βm + λx + noise, x ← x − ηm, iterated: its cloud, and how far it moves where λ = 0."""
    m, g, p = powers
    a, force, distance = ch03.which_clock(*powers)
    etas, clouds, clocks = 10.0 ** np.array([-7, -8]), [], []
    for eta in etas:
        beta, noise = 1 - eta**m if m else 0.0, eta ** (g + p)
        for lam, found in ((1.0, clouds), (0.0, clocks)):
            step = np.array([[1 - eta * lam, -eta * beta], [lam, beta]])
            kick = np.array([-eta, 1.0])
            if lam:  # vec(S) = (I − step ⊗ step)⁻¹ vec(noise)
                full = np.linalg.solve(np.eye(4) - np.kron(step, step), noise * np.outer(kick, kick).ravel())
                found.append(np.sqrt(full[0]))
            else:  # variance of x per step, once the momentum has settled
                found.append(noise * (eta / (1 - beta)) ** 2)
    slope = lambda values: np.log(values[0] / values[1]) / np.log(etas[0] / etas[1])  # noqa: E731
    assert slope(clouds) == pytest.approx(distance, abs=0.02)
    assert slope(clocks) == pytest.approx(a)
    assert force == pytest.approx(-2 * distance)


def test_the_rules_of_exercise_3_8_are_kept_and_are_sharp():
    """Quadratic losses, random starts, and the start in the flattest direction."""
    rng = np.random.default_rng(0)
    h, radius, error = np.array([3.0, 0.0, 0.4, 20.0]), 2.0, 0.05
    time, gradient, loss = ch03.when_to_stop(h, radius, error)
    starts = rng.standard_normal((500, 4)) * 10.0 ** rng.uniform(-3, 3, (500, 4))
    starts = np.vstack([starts, [0, 0, 1.0, 0]])
    starts *= radius / np.linalg.norm(starts[:, h > 0], axis=1, keepdims=True)
    worst = np.zeros(3)
    for s in np.linspace(0, 1.2 * time, 3001):
        x = starts * np.exp(-h * s)
        left = np.linalg.norm(x[:, h > 0], axis=1)
        stopped = (s >= time, np.linalg.norm(h * x, axis=1) <= gradient, x**2 @ h / 2 <= loss)
        worst = [
            max(worst[i], left[np.broadcast_to(stop, left.shape)].max(initial=0))
            for i, stop in enumerate(stopped)
        ]
    np.testing.assert_allclose(worst, error, rtol=0.005)


def test_the_rates_of_exercise_3_9_are_those_of_small_steps_of_the_rescaled_sde():
    """E Δq and E Δq² of x + √t ξ to first order in t, by the moments of four draws ±√2 σ; the force by hand."""
    x, cov, t, eta = np.array([1.3, -0.6]), np.array([[0.5, 0.3], [0.3, 0.4]]), 1e-8, 0.1
    factor = np.linalg.cholesky(cov)
    pull = -2 * (x[0] * x[1] - 1) * x[::-1] / eta
    moved = [x + pull * t + sign * np.sqrt(2 * t) * column for column in factor.T for sign in (1, -1)]
    change = np.array([y[0] ** 2 - y[1] ** 2 - (x[0] ** 2 - x[1] ** 2) for y in moved])
    rates = ch03.unbalance(x, cov)
    np.testing.assert_allclose([change.mean() / t, np.mean(change**2) / t], rates, rtol=1e-3)


@pytest.mark.parametrize("power", [1, 2, 3, 5])
def test_gradient_flow_keeps_to_the_family_of_exercise_3_10(power):
    """ζ is integrated beside the flow of the loss itself."""
    rng = np.random.default_rng(1)
    Z, v = rng.standard_normal((2, 5)), rng.uniform(0.6, 1.2, 5)
    y = Z @ rng.uniform(0.6, 1.2, 5) ** power

    def flow(s, state):
        v = state[:5]
        residual = Z @ v**power - y
        return np.append(-2 / 2 * power * v ** (power - 1) * (Z.T @ residual), -2 * power / 2 * residual)

    path = solve_ivp(flow, (0, 1), np.append(v, np.zeros(2)), rtol=1e-11, atol=1e-12).y[:, -1]
    assert np.abs(path[:5] - v).max() > 0.05
    np.testing.assert_allclose(ch03.family(v, Z, path[5:], power), path[:5], rtol=1e-8)
