"""The numbered statements of chapter 8, each against something that does not share its derivation; and its table.

Methods as plain NumPy loops, flows along Γ by SciPy from slopes written by hand or by differences.
"""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from sampling import within_order
from scipy.integrate import quad_vec, solve_ivp
from scipy.linalg import expm, solve_discrete_lyapunov

from labnoise import (
    GaussianNoise,
    LabelNoise,
    LeastSquares,
    Loss,
    MinibatchNoise,
    PerturbedGradient,
    SharpnessAware,
    landscapes,
    largest_curvature,
    local_sgd_drift,
    project,
    regularizer_flow,
    sgd,
    train,
)

Z = np.array([[1.0, 0.5, -0.7], [0.3, -1.0, 0.8]])
START = np.array([1.1, 0.7, 0.9])
BESIDE = START + np.array([0.003, 0.002, 0.001])  # on Γ itself steps without noise stand still
Y = Z @ START**2
VALLEY = landscapes.valley()


def slopes(x, i=None):
    """The gradient of the mean of (z·(v⊙v) − y)² at points (…, 3), or of one example each."""
    r, J = x**2 @ Z.T - Y, 2 * Z * x[..., None, :]
    if i is None:
        return np.einsum("...i,...ij->...j", r, J)
    rows = np.arange(len(x))
    return 2 * r[rows, i][:, None] * J[rows, i]


def flow(value, tau, step=1e-4, start=BESIDE):
    """dY/dτ = −T∇R on Γ by SciPy, R given as a function of J (2, 3), with differences for its slope."""

    def velocity(_, x):
        slope = [
            (value(2 * Z * (x + step * axis)) - value(2 * Z * (x - step * axis))) / (2 * step)
            for axis in np.eye(3)
        ]
        J = 2 * Z * x
        return -(np.eye(3) - np.linalg.pinv(J) @ J) @ np.array(slope)

    foot = np.asarray(project(SQUARE, jnp.asarray(start)))
    return solve_ivp(velocity, (0, tau), foot, method="DOP853", rtol=1e-9, atol=1e-11).y[:, -1]


SQUARE = LeastSquares(lambda x: jnp.asarray(Z) @ x**2, jnp.asarray(Y))


def half_trace(J):  # H = JᵀJ for two examples
    return 0.5 * np.sum(J**2)


def half_largest(J):
    return 0.5 * np.linalg.eigvalsh(J @ J.T)[-1]


def error_and_deviation(ends, end):
    return abs(ends.mean(0) - end).max(), (ends.std(0) / len(ends) ** 0.5).max()


@pytest.mark.statement("thm-scheme", asked=0.01)
def test_a_probe_of_its_own_follows_its_own_regularizer(measured):
    """Gradients at x + ρH^½ζ, s(λ) = λ: ¼ tr H² falls, on the clock ηρ²k; the whole path, not only its end."""

    def run(rho, eta, runs=200):
        rng, x, seen = np.random.default_rng(3), np.tile(BESIDE, (runs, 1)), []
        for _ in range(4):
            for _ in range(round(0.025 / (eta * rho**2))):
                off = np.einsum("rij,ri->rj", 2 * Z * x[:, None], rng.standard_normal((runs, 2)))
                x = x - eta * slopes(x + rho * off)
            seen.append(x)
        return np.array(seen)

    def quarter(J):
        return 0.25 * np.sum((J @ J.T) ** 2)

    path = [flow(quarter, tau) for tau in (0.025, 0.05, 0.075, 0.1)]
    sizes, errors, deviations = ((0.05, 0.02), (0.035, 0.01), (0.025, 0.005)), [], []
    for rho, eta in sizes:
        pairs = [error_and_deviation(ends, end) for ends, end in zip(run(rho, eta), path, strict=True)]
        errors.append(max(pair[0] for pair in pairs))
        deviations.append(max(pair[1] for pair in pairs))
    within_order(errors, [rho for rho, _ in sizes], 2, deviations)
    measured(errors[-1])
    assert abs(path[-1] - flow(half_trace, 0.1)).max() > 0.2


def heavy_ball_on_the_circle(beta, rate, a, b, d, runs):
    """Angles at t = 1 of heavy ball with effective rate `rate`; the mean of a run and of its mirror image's kicks."""
    rng, eta = np.random.default_rng(6), rate * (1 - beta)
    root = np.linalg.cholesky([[a, b], [b, d]])
    x, m = np.ones(2 * runs, complex), np.zeros(2 * runs, complex)
    angle = np.zeros(2 * runs)
    for _ in range(round(1 / rate**2)):
        kick = root @ rng.standard_normal((2, runs))
        tangent, radial = np.hstack([kick, -kick])
        size = abs(x)
        m = beta * m + x * ((size**2 - 1) / 2 + (radial + 1j * tangent) / size)
        new = x - eta * m
        angle += np.angle(new / x)
        x = new
    return (angle[:runs] + angle[runs:]) / 2, angle.var()


@pytest.mark.statement("thm-heavy-ball", asked=0.02)
@pytest.mark.parametrize(("beta", "rate"), [(0.6, 0.08), (0.9, 0.04)])
def test_heavy_ball_has_the_limit_of_sgd(beta, rate, measured):
    """On the circle, where tangent noise and the mixed term matter: dθ = √a dW − b dt. Then the lead p, exactly."""
    a, b, d, runs = 0.3, -0.25, 0.5, 16_000
    (coarse, wide), (fine, narrow) = (
        heavy_ball_on_the_circle(beta, size, a, b, d, runs) for size in (rate, rate / 2)
    )
    error = 2 * fine - coarse + b  # the error of order η̃ removed
    assert abs(error.mean()) < 4.5 * error.std() / runs**0.5 + 2 * rate**2
    measured(abs(error.mean()))
    assert abs(2 * narrow - wide - a) < 4.5 * a * (5 * 2 / runs) ** 0.5  # a tenth of a
    rng, eta, x, m = np.random.default_rng(1), 0.01, np.array([2.0, 0.4]), np.zeros(2)
    rate = eta / (1 - beta)
    for _ in range(50):
        gradient = (2 * (x[0] * x[1] - 1) + rng.standard_normal()) * x[::-1]
        p, m = x - beta * rate * m, beta * m + gradient
        x = x - eta * m
        np.testing.assert_allclose(x - beta * rate * m, p - rate * gradient, rtol=0, atol=1e-14)


def test_momentum_that_grows_with_the_rate_weakens_the_mixed_term():
    """Exercise 8.2: on the circle, 1 − β = aη̃ with a = ½, the mixed term by the factor 1/(1 + λ/2a) = ½."""
    rate, a, runs = 0.025, 0.5, 12_000
    slow, _ = heavy_ball_on_the_circle(1 - a * rate, rate, 0.3, -0.25, 0.5, runs)
    assert abs(slow.mean() - 0.125) < 4.5 * slow.std() / runs**0.5 + 0.5 * rate
    assert abs(slow.mean() - 0.25) > 0.09


def test_momentum_that_grows_with_the_rate_has_another_cloud():
    """Exercise 8.2, by the exact covariance of the recursion."""
    lam, cov, a = np.array([1.0, 3.0]), np.array([[1.0, 0.8], [0.8, 1.0]]), 1.0
    expected = cov / (lam[:, None] + lam + (lam[:, None] - lam) ** 2 / (2 * a))
    for rate, allowed in ((0.01, 4e-3), (0.001, 4e-4)):
        beta, eta = 1 - a * rate, rate * a * rate
        H, identity = np.diag(lam), np.eye(2)
        step = np.block([[identity - eta * H, -eta * beta * identity], [H, beta * identity]])
        kick = np.vstack([-eta * identity, identity])
        P = solve_discrete_lyapunov(step, kick @ cov @ kick.T)[:2, :2]
        assert abs(P / rate - expected).max() < allowed
    assert abs(expected[0, 1] - 0.8 / 4) > 0.05


BENT = Loss(lambda x: 0.5 * (x[1] - x[0] ** 2) ** 2 * (1 + x[2] ** 2) + 0.5 * (x[2] - x[0]) ** 2)


@pytest.mark.statement("thm-local-sgd", asked=1e-5)
@pytest.mark.parametrize(("workers", "alpha"), [(4, 0.7), (8, 2.0)])
def test_a_round_of_local_sgd_has_the_mean_and_covariance_of_the_theorem(workers, alpha, measured):
    """The spread of a worker by matrix exponentials, Φ and its second derivative by differences of `project`."""
    x = jnp.array([0.6, 0.36, 0.6])
    root = np.array([[0.5, 0.1, 0.0], [-0.3, 0.6, 0.2], [0.2, -0.1, 0.4]])
    cov, H = root @ root.T, np.asarray(BENT.hessian(x))

    def spread(s):  # ∫ e^{−Hr} Σ e^{−Hr} dr up to s
        return quad_vec(lambda r: expm(-H * r) @ cov @ expm(-H * r), 0, s, epsabs=1e-12)[0]

    third = np.asarray(jax.jacfwd(jax.hessian(BENT.loss))(x))
    lagging = quad_vec(lambda r: (alpha - r) * (expm(-H * r) @ cov @ expm(-H * r)), 0, alpha)[0]
    J = np.array([[-2 * 0.6, 1.0, 0.0], [-1.0, 0.0, 1.0]])  # Γ: x₁ = x₀², x₂ = x₀
    T = np.eye(3) - np.linalg.pinv(J) @ J
    mean = -0.5 * T @ np.einsum("ijk,jk->i", third, lagging)
    values, vectors = np.linalg.eigh(spread(alpha))
    h = 2e-3
    for value, v in zip(values, vectors.T, strict=True):
        ends = [np.asarray(project(BENT, x + s * h * v)) for s in (-2, -1, 1, 2)]
        second = (-ends[0] + 16 * ends[1] - 30 * np.asarray(x) + 16 * ends[2] - ends[3]) / (12 * h**2)
        mean = mean + value * second / (2 * workers)
    terms = local_sgd_drift(BENT, jnp.asarray(cov), x, workers, alpha)
    measured(abs(mean / alpha - np.asarray(terms.total)).max())
    measured(abs(T @ spread(alpha) @ T / (workers * alpha) - np.asarray(terms.tangent_noise)).max())


def local_on_the_circle(workers, alpha, eta, runs, cov):
    """Angles at t = 1 of averages of workers, in the mean of a run and of its mirror image's tangent kicks."""
    rng, h = np.random.default_rng(8), round(alpha / eta)
    root = np.linalg.cholesky(cov)
    z, total = np.ones((2, runs, workers), complex), np.zeros((2, runs))
    for k in range(1, round(1 / eta**2 / h) * h + 1):
        tangent, radial = np.tensordot(root, rng.standard_normal((2, runs, workers)), 1)
        kicks = np.stack([radial + 1j * tangent, -radial - 1j * tangent])
        z = z - eta * z * ((abs(z) ** 2 - 1) / 2 + kicks / abs(z))
        if k % h == 0:
            mean = z.mean(axis=2)
            total += np.angle(mean)  # since the last average
            z = np.repeat(abs(mean)[:, :, None].astype(complex), workers, axis=2)
    return total.mean(axis=0), total.var()


@pytest.mark.parametrize(
    ("workers", "alpha", "predicted", "wrong", "runs"),
    [(4, 1.0, -0.1315, -0.1689, 4000), (8, 2.0, -0.1554, -0.1963, 2000)],
)
def test_the_mixed_term_of_local_sgd_at_three_rates(workers, alpha, predicted, wrong, runs):
    """ψ(αλ) on the circle, where there is no normal term; the variance is that of Σ/K."""
    rates, errors, deviations = (0.1, 0.05, 0.025), [], []
    for eta in rates:
        angles, variance = local_on_the_circle(workers, alpha, eta, runs, [[0.5, 0.25], [0.25, 0.5]])
        errors.append(abs(angles.mean() - predicted))
        deviations.append(angles.std() / runs**0.5)
    within_order(errors, rates, 1, deviations)
    assert abs(angles.mean() - wrong) > 6 * deviations[-1]
    assert abs(variance * workers - 0.5) < 4.5 * 0.5 * (1 / runs) ** 0.5 + 0.01


def local_in_the_channel(workers, alpha, eta, runs):
    """x at t = 0.8 of L = ½(1 + x²)y² + 2e^{−x/2}z², noise of variance 1 and ½ on y and z."""
    rng, h = np.random.default_rng(2), round(alpha / eta)
    x, y, z = np.ones((runs, workers)), np.zeros((runs, workers)), np.zeros((runs, workers))
    for k in range(1, round(0.8 / eta**2 / h) * h + 1):
        soft, (one, other) = 2 * np.exp(-x / 2), rng.standard_normal((2, runs, workers))
        x, y, z = (
            x - eta * (x * y**2 - soft * z**2 / 2),
            y - eta * ((1 + x**2) * y + one),
            z - eta * (2 * soft * z + other / 2**0.5),
        )
        if k % h == 0:
            x, y, z = (np.tile(w.mean(axis=1, keepdims=True), workers) for w in (x, y, z))
    return x[:, 0]


@pytest.mark.parametrize(
    ("workers", "alpha", "known"), [(4, 0.5, 0.9034), (4, 2.0, 0.8669), (4, 8.0, 0.8549), (8, 2.0, 0.8696)]
)
def test_local_sgd_in_the_channel_at_three_rates(workers, alpha, known):
    rates, errors, deviations = (0.1, 0.05, 0.025), [], []
    for eta in rates:
        x = local_in_the_channel(workers, alpha, eta, 800)
        errors.append(abs(x.mean() - known))
        deviations.append(x.std() / len(x) ** 0.5)
    within_order(errors, rates, 1, deviations)
    assert errors[-1] < 0.005


@pytest.mark.statement("thm-one-sam", asked=0.012)
def test_one_example_lowers_the_trace(measured):
    def run(eta, rho, runs=50):
        rng, x = np.random.default_rng(5), np.tile(BESIDE, (runs, 1))
        for _ in range(round(0.3 / (eta * rho**2))):
            i = rng.integers(2, size=runs)
            g = slopes(x, i)
            x = x - eta * slopes(x + rho * g / np.linalg.norm(g, axis=1, keepdims=True), i)
        return x

    end, sizes = flow(half_trace, 0.3), ((0.04, 0.1), (0.02, 0.07), (0.01, 0.05))
    found = [error_and_deviation(run(*size), end) for size in sizes]
    errors, deviations = zip(*found, strict=True)
    within_order(errors, [eta for eta, _ in sizes], 1, deviations)
    measured(errors[-1])
    assert abs(end - flow(half_largest, 0.3)).max() > 0.2


def test_one_example_of_two_outputs_lowers_its_own_largest_eigenvalue():
    """f_i of two outputs: the mean over examples of ½ λ_max(∇²ℓ_i) falls, and not ½ tr H."""

    def first(x):
        return jnp.array([x[2] * (1 + x[0]), x[3] * (1.5 - 0.5 * x[0])])

    def second(x):
        return jnp.array([x[4] * (1 + 0.3 * x[0]), x[5] * (0.5 + 0.2 * x[1])])

    losses = [Loss(lambda x, f=f: jnp.sum(f(x) ** 2)) for f in (first, second)]
    both = LeastSquares(lambda x: jnp.stack([first(x), second(x)]), jnp.zeros((2, 2)))
    x0, tau = jnp.array([1.0, 0.5, 0, 0, 0, 0]), jnp.array([0.2])
    # λ_max(∇²ℓ_1) = 2(1 + x)², λ_max(∇²ℓ_2) = 2(1 + 0.3x)²; the two that lose are not felt
    expected = solve_ivp(
        lambda _, x: [-0.5 * (2 * (1 + x[0]) + 0.6 * (1 + 0.3 * x[0]))], (0, 0.2), [1.0], rtol=1e-9
    ).y[0, -1]
    path = regularizer_flow(
        both, x0, tau, lambda x: 0.25 * sum(largest_curvature(loss, x) for loss in losses)
    )
    np.testing.assert_allclose(path[0, :2], [expected, 0.5], atol=1e-6)
    errors, deviations, rates = [], [], (0.02, 0.01, 0.005)
    start, keys = x0 + jnp.array([0, 0, 1.0, 0.7, -0.8, 0.5]) * 1e-3, jax.random.split(jax.random.key(2), 30)
    for eta in rates:
        noise, rho = SharpnessAware(MinibatchNoise(both), 0.05), 0.05
        run = sgd(noise, start, eta, round(0.2 / (eta * rho**2)), keys)
        x = np.asarray(run.states[:, -1, :2])
        errors.append(abs(x.mean(0) - np.array([expected, 0.5])).max())
        deviations.append((x.std(0) / len(x) ** 0.5).max())
    within_order(errors, rates, 1, deviations)
    assert errors[-1] < 0.03


@pytest.mark.statement("prop-survivor", asked=0.01)
def test_the_stiffest_direction_survives_and_sets_the_velocity(measured):
    """The map itself from many starts; its derivative by differences; the velocities by runs at tiny sizes."""
    M, rng = np.diag([1.0, 2.5, 4.0]), np.random.default_rng(1)

    def step(q):
        return q - M @ q / np.linalg.norm(q)

    for i, a in ((0, 0.3), (1, 1.0), (2, 1.5), (2, 2.0)):
        mu, e = M[i, i], np.eye(3)[i]
        np.testing.assert_allclose(step(a * e), -(mu - a) * e, atol=1e-12)
        for j in {0, 1, 2} - {i}:
            h = 1e-5
            factor = (step(step(a * e + h * np.eye(3)[j]))[j] - step(step(a * e - h * np.eye(3)[j]))[j]) / (
                2 * h
            )
            measured(abs(factor - (1 - M[j, j] * (mu - M[j, j]) / (a * (mu - a)))))
            assert (factor > 1) == (j > i)  # stiffer directions grow, softer ones die
            assert j > i or abs(factor) < 1
    for _ in range(20):  # with the term −ηHq, H = √M
        q = rng.standard_normal(3)
        for _ in range(3000):
            q = step(q) - 0.05 * np.sqrt(M) @ q
        measured(abs(abs(q) - np.array([0, 0, 4 / (2 - 0.05 * 2)])).max())

    def speed(eta, rho, steps=4000):
        """Mean step of x in ½(4 + x)y² + ½z² at x = 0, SAM or (ρ = None) normalized; x is set back each time."""
        y, total = np.array([1e-5, 1e-5]), 0.0
        for k in range(steps):
            g = np.array([y[0] ** 2 / 2, 4 * y[0], y[1]])
            size = np.linalg.norm(g)
            if rho is None:
                move = eta * g / size
            else:
                x, (u, v) = rho * g[0] / size, y + rho * g[1:] / size
                move = eta * np.array([u**2 / 2, (4 + x) * u, v])
            total += move[0] * (k >= steps // 2)
            y = y - move[1:]
        return total / (steps - steps // 2)

    for eta in (0.1, 0.4):
        predicted = eta * 1e-6 * 4 / (2 - 4 * eta) ** 2 / 2
        measured(abs(speed(eta, 1e-3) / predicted - 1))
    measured(abs(speed(1e-3, None) / (1e-6 / 4 / 4) - 1))  # ¼ η² /λ


def test_the_root_of_the_loss_lowers_an_eighth_of_the_largest_curvature():
    """Exercise 8.4, at three learning rates."""
    end, rates, errors = flow(lambda J: half_largest(J) / 4, 0.4), (0.01, 0.005, 0.0025), []
    for eta in rates:
        x = BESIDE.copy()
        for _ in range(round(0.4 / eta**2)):
            x = x - eta * slopes(x) / (2 * np.sqrt(np.mean((Z @ x**2 - Y) ** 2)))
        errors.append(abs(np.asarray(project(SQUARE, jnp.asarray(x))) - end).max())
    within_order(errors, rates, 1, np.zeros(3))
    assert errors[-1] < 0.01


@pytest.mark.statement("thm-anticorrelated", asked=0.01)
def test_noise_that_is_taken_back_lowers_the_trace(measured):
    """With random signs, at three sizes."""

    def run(sigma, eta, runs=200):
        rng, x = np.random.default_rng(4), np.tile(BESIDE, (runs, 1))
        for _ in range(round(0.3 / (sigma**2 * eta))):
            x = x - eta * slopes(x + sigma * rng.choice([-1.0, 1.0], (runs, 3)))
        return x

    end, sizes = flow(half_trace, 0.3), ((0.1, 0.02), (0.07, 0.01), (0.05, 0.005))
    errors, deviations = zip(*[error_and_deviation(run(*size), end) for size in sizes], strict=True)
    within_order(errors, [sigma for sigma, _ in sizes], 2, deviations)
    measured(errors[-1])


@pytest.mark.parametrize(("kept", "expected"), [(True, 0.1), (False, 1e-4)])
def test_noise_that_is_taken_back_does_not_diffuse(kept, expected):
    """On the circle after 1000 steps with σ = 0.01; taken back, the last ξ is all that there is."""
    rng, runs, last = np.random.default_rng(6), 10_000, 0.0
    z = np.ones(runs, complex)
    for _ in range(1000):
        xi = 0.01 * (rng.standard_normal(runs) + 1j * rng.standard_normal(runs))
        z, last = z - 0.1 * z * (abs(z) ** 2 - 1) / 2 + xi - (0.0 if kept else last), xi
    deviation = (2 / runs) ** 0.5
    assert abs(np.angle(z).var() / expected - 1) < 4.5 * deviation + 0.01


@pytest.mark.statement("prop-decay", asked=0.01)
def test_weight_decay_counts_on_each_clock(measured):
    """In the valley ½(1 + x²)y²: taken back and SAM have x₀e^{−(1 + ω)τ}; normalized dx/dτ = −x/(2(1 + x²)) − ωx."""
    omega, tau, runs = 0.7, 0.5, 200

    def run(kind, eta, size):
        rng, x, y = np.random.default_rng(7), np.ones(runs), np.full(runs, 0.01)
        gamma = eta * size**2 if size else eta**2
        for _ in range(round(tau / gamma)):
            if kind == "taken back":
                a, b = x + size * rng.standard_normal(runs), y + size * rng.standard_normal(runs)
            else:
                a, b = x, y
            g = np.stack([a * b**2, (1 + a**2) * b])
            length = np.hypot(*g)
            if kind == "aware":
                a, b = x + size * g[0] / length, y + size * g[1] / length
                g = np.stack([a * b**2, (1 + a**2) * b])
            elif kind == "normalized":
                g = g / length
            x, y = x - eta * g[0] - omega * gamma * x, y - eta * g[1] - omega * gamma * y
        return x.mean()

    limits = {kind: np.exp(-(1 + omega) * tau) for kind in ("taken back", "aware")}
    limits["normalized"] = solve_ivp(
        lambda _, x: -x / (2 * (1 + x**2)) - omega * x, (0, tau), [1.0], rtol=1e-9
    ).y[0, -1]
    for kind, eta, size in (("taken back", 0.01, 0.05), ("aware", 0.01, 0.05), ("normalized", 0.005, 0.0)):
        measured(abs(run(kind, eta, size) - limits[kind]))


@pytest.mark.parametrize("method", ["heavy ball", "taken back", "aware", "normalized"])
def test_weight_decay_on_each_clock(method):
    """The package's methods with optax's decay, at three sizes, on the square model."""
    omega, tau, x0, beta = 0.8, 0.2, jnp.asarray(BESIDE), 0.5
    still, many = GaussianNoise(SQUARE, 0.0), {"heavy ball": 3000, "taken back": 100}.get(method, 1)
    falls = {
        "heavy ball": lambda J: 0.5 * half_trace(J),  # c = 1
        "taken back": half_trace,
        "aware": half_largest,
        "normalized": lambda J: 0.25 * np.log(2 * half_largest(J)),
    }[method]
    end = flow(lambda J: falls(J) + 0.5 * omega * np.sum((J[0] / (2 * Z[0])) ** 2), tau)
    errors, deviations, sizes = [], [], (0.08, 0.04, 0.02)
    for size in sizes:
        eta = {"heavy ball": (1 - beta) * size / 2, "normalized": size / 4}.get(method, size / 8)
        gamma = {"heavy ball": (eta / (1 - beta)) ** 2, "normalized": eta**2}.get(method, eta * size**2)
        noise = {
            "heavy ball": LabelNoise(SQUARE, 0.5**0.5),
            "taken back": PerturbedGradient(SQUARE, size),
            "aware": SharpnessAware(still, size),
            "normalized": still,
        }[method]
        head = [optax.normalize_by_update_norm()] if method == "normalized" else []
        plain = optax.sgd(eta, momentum=beta if method == "heavy ball" else None)
        rule = optax.chain(*head, plain, optax.add_decayed_weights(-omega * gamma))
        ends = train(noise, x0, rule, round(tau / gamma), jax.random.split(jax.random.key(3), many))
        x = np.asarray(ends.states[:, -1])
        if method == "normalized":
            x = np.asarray(project(SQUARE, jnp.asarray(x[0])))[None]
        errors.append(abs(x.mean(0) - end).max())
        deviations.append((x.std(0) / len(x) ** 0.5).max())
    within_order(errors, sizes, 1, deviations)
    assert errors[-1] < 0.02
    assert abs(end - flow(falls, tau)).max() > 0.03
