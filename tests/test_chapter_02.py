"""The numbered statements of chapter 2, each against something that does not share its derivation.

Hessians and covariances do not commute, grids are uneven and models are curved, so that no sign and no ½ hides.
"""

from itertools import pairwise

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.linalg

from labnoise import (
    LabelNoise,
    LeastSquares,
    drift_terms,
    landscapes,
    lyapunov_solve,
    ornstein_uhlenbeck,
    project,
    sgd,
    sharpness,
)

SEEDS = [0, 1, 2]


def bridge(rng, paths, levels, end=1.0, size=1):
    """Brownian paths (paths, 2**levels + 1, size) on [0, end] by Lévy's construction: midpoints, no increments."""
    W = np.stack([np.zeros((paths, size)), np.sqrt(end) * rng.standard_normal((paths, size))], axis=1)
    for level in range(levels):
        spread = np.sqrt(end / 2**level) / 2
        middle = (W[:, 1:] + W[:, :-1]) / 2
        middle = middle + spread * rng.standard_normal(middle.shape)
        W = np.concatenate(
            [np.stack([W[:, :-1], middle], axis=2).reshape(paths, -1, size), W[:, -1:]], axis=1
        )
    return W


def sigmas(values, expected):
    """By how many standard errors the mean of independent `values` misses `expected`."""
    return float(np.abs((values.mean(0) - expected) / (values.std(0) / np.sqrt(len(values)))).max())


@pytest.mark.statement("thm-quadratic-variation", asked=4.5)
def test_quadratic_variation_of_brownian_motion(measured):
    """In standard errors: mean and variance of Σω², off-diagonal products; and a path without any noise."""
    end, cuts = 2.0, [0, 1, 2, 5, 7, 16, 18, 31, 40, 55, 64]  # an uneven partition of the 64 intervals
    W = bridge(np.random.default_rng(0), 40_000, 6, end, size=2)[:, cuts]
    lengths = np.diff(cuts) * end / 64
    omega = np.diff(W, axis=1)
    squares = np.sum(omega**2, axis=1)
    measured(sigmas(squares, end))
    measured(sigmas((squares - end) ** 2, 2 * np.sum(lengths**2)))
    product = np.sum(omega[..., 0] * omega[..., 1], axis=1)
    measured(sigmas(product, 0.0))
    measured(sigmas(product**2, np.sum(lengths**2)))

    fine = bridge(np.random.default_rng(1), 200, 12)[..., 0]
    length = [np.abs(np.diff(fine[:, :: 2**j], axis=1)).sum(1).mean() for j in (8, 4, 0)]
    assert length[2] > 3 * length[1] > 9 * length[0]  # each time 16 times finer, four times as long
    smooth = np.sin(3 * np.linspace(0, 1, 129))
    assert np.sum(np.diff(smooth) ** 2) <= 9 / 128


@pytest.mark.statement("lem-ito-isometry", asked=4.5)
def test_ito_isometry_on_an_uneven_grid(measured):
    """In standard errors, for the adapted matrix X = [[W₁W₂, 1], [cos W₁, W₂]] at left ends."""
    cuts = np.array([0, 1, 4, 6, 7, 12, 16])
    W = bridge(np.random.default_rng(2), 60_000, 4, size=2)[:, cuts]
    left, omega, lengths = W[:, :-1], np.diff(W, axis=1), np.diff(cuts) / 16
    X = np.stack(
        [
            np.stack([left[..., 0] * left[..., 1], np.ones(left.shape[:2])], axis=-1),
            np.stack([np.cos(left[..., 0]), left[..., 1]], axis=-1),
        ],
        axis=-2,
    )
    integral = np.einsum("pikl,pil->pk", X, omega)
    measured(sigmas(integral, 0.0))
    times = cuts[:-1] / 16  # E W₁²W₂² = s², E cos² W₁ = (1 + e^{−2s})/2, E W₂² = s
    expected = np.sum((times**2 + 1 + (1 + np.exp(-2 * times)) / 2 + times) * lengths)
    measured(sigmas(np.sum(integral**2, axis=1), expected))
    right = np.sum(W[:, 1:, 0] * omega[..., 0], axis=1)  # at right ends the mean is k
    measured(sigmas(right, 1.0))
    assert sigmas(right, 0.0) > 50


@pytest.mark.statement("thm-ito", asked=0.02)
def test_itos_formula_along_a_path_in_the_plane(measured):
    """A bounded motion in the plane with two sources of noise: both sides on ever finer partitions of one path.

    The difference falls like the root of the mesh; without the second-order term it does not fall at all.
    """
    W = bridge(np.random.default_rng(3), 64, 14, size=2)
    f = lambda x: np.sin(x[..., 0]) * np.cos(2 * x[..., 1])  # noqa: E731
    errors, without = [], []
    for stride in (64, 16, 4, 1):
        omega = np.diff(W[:, ::stride], axis=1)
        h = 1 / omega.shape[1]
        x, change, second_sum = np.full((64, 2), 0.3), 0.0, 0.0
        first = f(x)
        for i in range(omega.shape[1]):
            s = i * h
            sin, cos = np.sin(x[:, 0]), np.cos(x[:, 0])
            sin2, cos2 = np.sin(2 * x[:, 1]), np.cos(2 * x[:, 1])
            gradient = np.stack([cos * cos2, -2 * sin * sin2], axis=-1)
            drift = np.stack([np.cos(x[:, 1]), -np.sin(x[:, 0] + s)], axis=-1)
            a, b = 1 + 0.5 * np.sin(x[:, 1]), 0.7 * np.cos(x[:, 0])  # σ = [[a, 0.3], [b, −0.5]]
            noise = np.stack(
                [a * omega[:, i, 0] + 0.3 * omega[:, i, 1], b * omega[:, i, 0] - 0.5 * omega[:, i, 1]],
                axis=-1,
            )
            S00, S01, S11 = a**2 + 0.09, a * b - 0.15, b**2 + 0.25
            second = 0.5 * (-sin * cos2 * S00 - 4 * cos * sin2 * S01 - 4 * sin * cos2 * S11) * h
            change = change + np.sum(gradient * (drift * h + noise), axis=-1) + second
            second_sum = second_sum + second
            x = x + drift * h + noise
        errors.append(np.sqrt(np.mean((f(x) - first - change) ** 2)))
        without.append(np.sqrt(np.mean((f(x) - first - change + second_sum) ** 2)))
    measured(errors[-1])
    assert all(fine < 0.65 * coarse for coarse, fine in pairwise(errors))  # a half each time
    assert min(without) > 10 * errors[-1]


def root(cov):
    """A symmetric square root."""
    values, Q = np.linalg.eigh(cov)
    return Q @ np.diag(np.sqrt(np.maximum(values, 0))) @ Q.T


def near_a_minimum(seed, size=4, rank=4):
    """A Hessian of the given rank, a covariance that does not commute with it, a learning rate."""
    rng = np.random.default_rng(seed)
    Q = np.linalg.qr(rng.standard_normal((size, size)))[0]
    values = np.append(rng.uniform(0.4, 3.0, rank), np.zeros(size - rank))
    F = rng.standard_normal((size, size))
    return Q @ np.diag(values) @ Q.T, F @ F.T, 0.2, Q[:, :rank] @ Q[:, :rank].T


@pytest.mark.statement("prop-ou-solution", asked=1e-10)
@pytest.mark.parametrize("rank", [4, 2])
@pytest.mark.parametrize("seed", SEEDS)
def test_ou_mean_and_covariance_against_a_block_exponential(seed, rank, measured):
    """Van Loan: exp of [[A, Q], [0, −Aᵀ]] contains the integral e^{As}Qe^{Aᵀs}; Padé, no eigenvectors."""
    H, cov, eta, _ = near_a_minimum(seed, rank=rank)
    near, k, start = ornstein_uhlenbeck(jnp.array(H), jnp.array(cov), eta), 3.7, np.arange(1.0, 5.0)
    A = -eta * H
    block = scipy.linalg.expm(np.block([[A, eta**2 * cov], [np.zeros((4, 4)), -A.T]]) * k)
    expected = block[:4, 4:] @ block[:4, :4].T
    measured(np.abs(near.covariance(k) - expected).max() / np.abs(expected).max())
    measured(np.abs(near.mean(k, start) - block[:4, :4] @ start).max() / 5)


@pytest.mark.statement("prop-ou-solution", asked=4.5)
def test_ou_solution_against_many_small_steps(measured):
    """In standard errors: the extrapolation to steps of length zero of Euler's method, which knows no solution."""
    H, cov, eta, _ = near_a_minimum(3, size=2, rank=2)
    rng, paths, k = np.random.default_rng(4), 40_000, 6.0
    sigma = root(cov)
    x = {1: np.tile([1.0, -2.0], (paths, 1)), 2: np.tile([1.0, -2.0], (paths, 1))}
    h = k / 120
    for _ in range(60):
        pair = np.sqrt(h) * rng.standard_normal((2, paths, 2))
        for omega in pair:
            x[1] = x[1] - eta * h * x[1] @ H + eta * omega @ sigma
        x[2] = x[2] - 2 * eta * h * x[2] @ H + eta * pair.sum(0) @ sigma
    near = ornstein_uhlenbeck(jnp.array(H), jnp.array(cov), eta)
    mean = np.array(near.mean(k, jnp.array([1.0, -2.0])))
    measured(sigmas(2 * x[1] - x[2], mean))
    products = [(y - mean)[:, :, None] * (y - mean)[:, None, :] for y in (x[1], x[2])]
    measured(sigmas(2 * products[0] - products[1], np.array(near.covariance(k))))


@pytest.mark.statement("prop-stationary", asked=1e-10)
@pytest.mark.parametrize("rank", [4, 2])
@pytest.mark.parametrize("seed", SEEDS)
def test_stationary_covariance_against_bartels_and_stewart(seed, rank, measured):
    """SciPy's Schur solver on the normal space; the limit of C(k), its rate, and the tangent growth."""
    H, cov, eta, N = near_a_minimum(seed, rank=rank)
    basis = scipy.linalg.orth(N)
    S = basis @ scipy.linalg.solve_continuous_lyapunov(
        basis.T @ H @ basis, eta * basis.T @ cov @ basis
    ) @ basis.T  # fmt: skip
    near = ornstein_uhlenbeck(jnp.array(H), jnp.array(cov), eta)
    scale = np.abs(S).max()
    measured(np.abs(near.stationary_covariance - S).max() / scale)
    measured(np.abs(eta * lyapunov_solve(jnp.array(H), jnp.array(cov)) - S).max() / scale)
    slowest = np.linalg.eigvalsh(basis.T @ H @ basis)[0]
    k = 14 / (eta * slowest)
    measured(np.abs(N @ near.covariance(k) @ N - S).max() / scale)
    assert (np.linalg.eigvalsh(S) > -1e-12).all()
    k, T = 6 / (eta * slowest), np.eye(4) - N
    left = np.abs(N @ near.covariance(k) @ N - S).max() / np.exp(-12)
    assert 0 < left <= 4 * scale
    measured(np.abs(T @ near.covariance(k) @ T - eta**2 * k * T @ cov @ T).max())


@pytest.mark.statement("prop-discrete-stationary", asked=1e-10)
@pytest.mark.parametrize("rank", [4, 2])
@pytest.mark.parametrize("seed", SEEDS)
def test_discrete_covariance_against_an_independent_solver(seed, rank, measured):
    """SciPy's discrete Lyapunov solver, and the recursion of covariances iterated until it stands still."""
    H, cov, _, N = near_a_minimum(seed, rank=rank)
    for eta in (0.1, 1.8 / np.linalg.eigvalsh(H)[-1]):
        basis = scipy.linalg.orth(N)
        step = np.eye(rank) - eta * basis.T @ H @ basis
        inner = scipy.linalg.solve_discrete_lyapunov(step, eta**2 * basis.T @ cov @ basis)
        S = basis @ inner @ basis.T
        near = ornstein_uhlenbeck(jnp.array(H), jnp.array(cov), eta)
        discrete = near.discrete_stationary_covariance
        measured(np.abs(discrete - S).max() / np.abs(S).max())
        iterated = np.zeros((4, 4))
        for _ in range(1500):
            iterated = (np.eye(4) - eta * H) @ iterated @ (np.eye(4) - eta * H) + eta**2 * N @ cov @ N
        measured(np.abs(discrete - iterated).max() / np.abs(S).max())


def test_state_dependent_noise_has_another_stationary_variance():
    """Exercise 2.3 against SGD with a batch of one: 4.5 standard errors, and far from the constant-noise law."""
    z, delta, eta = jnp.array([0.4, 0.8, 1.5]), 0.7, 0.3
    linear = LeastSquares(lambda x: z * x[0], targets=jnp.zeros(3))
    keys = jax.random.split(jax.random.key(0), 20_000)
    x = np.array(sgd(LabelNoise(linear, delta), jnp.zeros(1), eta, 60, keys).states[:, -1, 0])
    m2, m4 = float(jnp.mean(z**2)), float(jnp.mean(z**4))
    assert sigmas(x**2, eta * delta**2 * m2 / (m2 - eta * m4)) < 4.5
    assert sigmas(x**2, eta * delta**2 / (1 - eta * m2)) > 10


def curved():
    """Three examples in five weights, nonlinear, and the point at which they are fitted."""
    A, C = jax.random.normal(jax.random.key(7), (2, 3, 5))
    x = jnp.array([0.3, -0.8, 0.5, 1.1, -0.4])

    def predict(x):
        return jnp.tanh(A @ x) + 0.3 * (C @ x) ** 2

    return LeastSquares(predict, targets=predict(x)), x


@pytest.mark.statement("prop-plateau", asked=4.5)
def test_loss_and_distance_on_the_plateau(measured):
    """In standard errors: random-sign noise of any shape in a bowl, by simulation of the recursion itself."""
    H, cov, _, N = near_a_minimum(5, size=4, rank=3)
    rng, replicas = np.random.default_rng(6), 20_000
    eta, c = 0.25, 0.7
    values = np.linalg.eigvalsh(H)[1:]
    discrete = 2 * values / (2 - eta * values)  # what replaces λ in tr H
    for noise, expected in ((c * H, eta * c / 4 * discrete.sum()), (cov, None)):
        factor = root(noise)
        x = np.zeros((replicas, 4))
        for _ in range(150):
            x = x - eta * (x @ H + rng.choice([-1.0, 1.0], (replicas, 4)) @ factor)
        loss = 0.5 * np.einsum("pi,ij,pj->p", x, H, x)
        if expected is None:  # any noise: the trace of the discrete equation, 2tr(HS) = η tr Σ_⊥ + η tr(HSH)
            stirred = 0.5 * eta * np.sum((x @ H) ** 2, axis=1)
            measured(sigmas(loss - 0.5 * stirred, eta / 4 * np.trace(N @ cov @ N)))
        else:
            measured(sigmas(loss, expected))
            assert sigmas(loss, eta * c / 4 * values.sum()) > 10  # the continuous law is another
            distance = np.sum((x @ N) ** 2, axis=1)
            measured(sigmas(distance, eta * c * np.sum(1 / (2 - eta * values))))
    S = ornstein_uhlenbeck(jnp.array(H), jnp.array(c * H), 1e-3).stationary_covariance
    assert np.abs(S - 1e-3 * c / 2 * N).max() < 1e-12
    S = ornstein_uhlenbeck(jnp.array(H), jnp.array(cov), 1e-3).stationary_covariance
    assert abs(np.trace(H @ S) / 2 - 1e-3 / 4 * np.trace(N @ cov @ N)) < 1e-12


@pytest.mark.statement("prop-plateau", asked=4.5)
def test_the_plateau_of_a_curved_model(measured):
    """In standard errors: loss and distance of SGD on a curved Γ, extrapolated to η → 0 from two learning rates."""
    problem, x0 = curved()
    tr, delta, c = float(sharpness(problem, x0)), 0.1, 0.02
    found = []
    for eta in (0.02, 0.01):
        keys = jax.random.split(jax.random.key(8), 6000)
        x = sgd(LabelNoise(problem, delta), x0, eta, 250, keys).states[:, -1]
        loss = np.array(jax.vmap(problem.loss)(x)) / (eta * c / 4 * tr)
        where = jax.jit(jax.vmap(lambda x: project(problem, x)))(x[:400])
        away = np.sum((np.array(x[:400]) - np.array(where)) ** 2, axis=1) / (eta * c / 2 * 3)
        found.append((loss, away))
    for fine, coarse in zip(found[1], found[0], strict=True):
        estimate = 2 * fine.mean() - coarse.mean()
        error = np.hypot(2 * fine.std(), coarse.std()) / np.sqrt(len(fine))
        measured(abs(estimate - 1) / error)


@pytest.mark.statement("prop-tangent-drift", asked=1e-4)
@pytest.mark.parametrize("seed", SEEDS)
def test_tangent_drift_against_a_cloud_of_points(seed, measured):
    """The mean gradient over a small cloud of points with covariance S, no third derivative; and ½∂²Φ[Σ]."""
    rng = np.random.default_rng(seed)
    A, C = rng.standard_normal((2, 3, 5))
    x = jnp.array(rng.uniform(-1, 1, 5))

    def predict(x):
        return jnp.tanh(A @ x) + 0.3 * (C @ x) ** 2

    problem = LeastSquares(predict, targets=predict(x))
    H = np.array(problem.hessian(x))
    Q = np.linalg.eigh(H)[1]
    T = Q[:, :2] @ Q[:, :2].T
    F = Q[:, 2:] @ rng.standard_normal((3, 3))
    cov = F @ F.T  # normal noise of any shape
    eta = 1e-8
    gradient = jax.vmap(problem.gradient)

    def velocity(S):
        """−ηT·(mean of ∇L) over the points ±√D·(columns of a root of S): covariance S, no third moment."""
        spread, vectors = np.linalg.eigh(S)
        columns = (vectors * np.sqrt(5 * np.maximum(spread, 0))).T
        return -eta * T @ np.mean(np.array(gradient(x + np.concatenate([columns, -columns]))), axis=0)

    basis = Q[:, 2:]
    inner = scipy.linalg.solve_continuous_lyapunov(basis.T @ H @ basis, eta * basis.T @ cov @ basis)
    expected = eta**2 * np.array(drift_terms(problem, jnp.array(cov), x).normal)
    measured(np.abs(velocity(basis @ inner @ basis.T) - expected).max() / np.abs(expected).max())

    c = 0.4  # label noise: the gradient of the sharpness, by differentiating the trace
    slope = np.array(jax.grad(lambda x: sharpness(problem, x))(x))
    expected = -(eta**2) * c / 4 * T @ slope
    measured(np.abs(velocity(eta * c / 2 * (np.eye(5) - T)) - expected).max() / np.abs(expected).max())
    flat = velocity(eta * c / 2 * T)  # T∂²(∇L)[T] = 0
    measured(np.abs(flat).max() / np.abs(expected).max())


@pytest.mark.statement("prop-tangent-drift", asked=4.5)
def test_sgd_drifts_with_the_predicted_velocity(measured):
    """In standard errors: SGD on the hyperbola between the steps k and 3k, extrapolated to η → 0."""
    x0, delta = np.array([2.0, 0.5]), 0.5
    along = np.array([2.0, -0.5]) / np.sqrt(4.25)
    speeds, errors = [], []
    for eta in (0.01, 0.005):
        keys = jax.random.split(jax.random.key(9), 8000)
        wait = round(0.6 / eta)
        run = sgd(LabelNoise(landscapes.hyperbola(), delta), x0, eta, 3 * wait, keys, save_every=wait)
        x = np.array(run.states) @ along
        moved = (x[:, 3] - x[:, 1]) / (2 * wait * eta**2)
        speeds.append(moved.mean())
        errors.append(moved.std() / np.sqrt(len(moved)))
    expected = -2 * delta**2 * 3.75 / np.sqrt(4.25)  # −cq/|x|
    measured(abs(2 * speeds[1] - speeds[0] - expected) / np.hypot(2 * errors[1], errors[0]))


def test_the_local_prediction_fails_in_slow_time():
    """Its error at fixed t = η²k has a limit; at η^-1.6 steps it is small and nothing happens there."""
    x0, delta = np.array([2.0, 0.5]), 0.5
    along = np.array([2.0, -0.5]) / np.sqrt(4.25)
    velocity = -2 * delta**2 * 3.75 / np.sqrt(4.25) * along

    def on_curve(q):
        u = np.sqrt((q + np.sqrt(q**2 + 4)) / 2)
        return np.stack([u, 1 / u], axis=-1)

    limit = np.linalg.norm(on_curve(3.75 * np.exp(-4 * delta**2 * 0.75)) - x0 - 0.75 * velocity)
    for eta in (0.04, 0.02, 0.01):
        keys = jax.random.split(jax.random.key(1), 64)
        every = round(0.05 / eta**2)
        run = sgd(LabelNoise(landscapes.hyperbola(), delta), x0, eta, 15 * every, keys, save_every=every)
        states, t = np.array(run.states), np.array(run.steps) * eta**2
        where = on_curve(states[..., 0] ** 2 - states[..., 1] ** 2).mean(0)
        error = np.linalg.norm(where - x0 - t[:, None] * velocity, axis=-1)
        assert abs(error[-1] - limit) < 2 * eta
        assert np.interp(eta**0.4, t, error) < 0.1 * limit / 0.15
