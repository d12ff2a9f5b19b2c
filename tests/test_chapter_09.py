"""The numbered statements of chapter 9, each against something that does not share its derivation.

Flows by SciPy, optimizers as plain NumPy loops, and the two weights of `second_moment` against the package.
"""

import itertools

import jax.numpy as jnp
import numpy as np
import pytest
from afterzero import ch09, second_moment
from afterzero.experiments import adam
from afterzero.experiments.results import BATCHES, read
from sampling import within_order
from scipy.integrate import solve_ivp
from scipy.optimize import minimize_scalar

from labnoise import SparseRegression, adaptive_flow, drift_terms, landscapes, project

SLANTED = np.array([[1.0, 0.4], [0.4, 2.0]])
HYPERBOLA = landscapes.hyperbola()
LINE = SparseRegression(second_moment.FEATURES[None], jnp.ones(1), "square")
SETTLED = second_moment.C * second_moment.diagonal(second_moment.START)


def end_on_hyperbola(x, P):
    """Where dx/dt = −P∇(uv − 1)² ends."""

    def slope(_, x):
        return -P @ (2 * (x[0] * x[1] - 1) * x[::-1])

    return solve_ivp(slope, (0, 40), x, method="Radau", rtol=1e-12, atol=1e-13).y[:, -1]


@pytest.mark.statement("prop-preconditioned", asked=1e-4)
def test_a_fixed_preconditioner_is_sgd_in_other_coordinates(measured):
    """Derivatives of the flow's end by differences; tr(PH) along the drift falls; and a step in other coordinates."""
    x, P, h = np.array([2.0, 0.5]), SLANTED, 1e-3
    J = x[None, ::-1]
    T = np.eye(2) - P @ J.T @ np.linalg.inv(J @ P @ J.T) @ J
    unit = np.eye(2)
    slope = np.transpose(
        [(end_on_hyperbola(x + h * e, P) - end_on_hyperbola(x - h * e, P)) / (2 * h) for e in unit]
    )
    measured(abs(slope - T).max())
    F = np.linalg.cholesky(P)
    kick = P @ J[0]  # PΣP is its square, for Σ = ½H = JᵀJ
    ends = [end_on_hyperbola(x + step * kick, P) for step in (h, -h, 0)]
    bend = (ends[0] + ends[1] - 2 * ends[2]) / h**2
    # tr(PH) = 2(p₁₁v² + 2p₁₂uv + p₂₂u²) + 4(uv − 1)p₁₂, the last part normal
    gradient = 4 * np.array([P[0, 1] * x[1] + P[1, 1] * x[0], P[0, 0] * x[1] + P[0, 1] * x[0]])
    drift = -0.5 / 4 * T @ P @ gradient
    measured(abs(bend / 2 - drift).max())
    assert gradient @ drift < -0.1
    g, eta = np.array([0.3, -0.7]), 0.01
    np.testing.assert_allclose(F @ (np.linalg.solve(F, x) - eta * F.T @ g), x - eta * P @ g, atol=1e-15)


def test_any_point_of_the_hyperbola_is_the_flattest_for_some_preconditioner():
    for u in (0.6, 1.0, 1.7):
        x, p = jnp.array([u, 1 / u]), jnp.array([u**4, 1.0])
        assert abs(drift_terms(HYPERBOLA, HYPERBOLA.hessian(x), x, preconditioner=p).total).max() < 1e-9
        best = minimize_scalar(lambda s, u=u: u**4 / s**2 + s**2, bounds=(0.2, 5), method="bounded").x
        assert abs(best - u) < 1e-5


def test_the_two_weights_are_those_of_the_package():
    for w1, p in ((0.2, [0.5, 3.0]), (0.7, [2.0, 0.4])):
        x, p = np.sqrt([w1, (1 - w1) / 2]), np.array(p)
        H = LINE.hessian(jnp.asarray(x))
        np.testing.assert_allclose(second_moment.diagonal(x), jnp.diag(H), rtol=1e-12)
        terms = drift_terms(LINE, second_moment.C * H, jnp.asarray(x), preconditioner=jnp.asarray(p))
        np.testing.assert_allclose(second_moment.velocity(x, p), terms.total, atol=1e-10)
        np.testing.assert_allclose(second_moment.crossing(x, p), jnp.trace(jnp.diag(p) @ H), rtol=1e-12)
    for rate in (1.0, 5.0):
        ours = float(
            adaptive_flow(LINE, jnp.asarray(second_moment.START), jnp.ones(1), second_moment.DELTA, rate)[0][
                0, 0
            ]
        )
        assert abs(second_moment.predicted(rate) - ours) < 1e-6


def loop(eta, rate, beta1, runs, corrected=False, decay=0.0, start=second_moment.START, t=1.0, seed=0):
    """x at t of Adam on the two weights, in NumPy; from V settled, or from zero with both corrections."""
    rng, x = np.random.default_rng(seed), np.tile(start, (runs, 1))
    beta2 = 1 - rate * eta**2
    V = np.zeros_like(x) if corrected else np.tile(second_moment.C * second_moment.diagonal(start), (runs, 1))
    u = np.zeros_like(x)
    for k in range(1, round(t / eta**2) + 1):
        sign = rng.choice([-1.0, 1.0], runs)
        slope = 2 * (x**2 @ second_moment.FEATURES - 1 - second_moment.DELTA * sign)
        g = slope[:, None] * 2 * second_moment.FEATURES * x
        V = beta2 * V + (1 - beta2) * g * g
        u = beta1 * u + (1 - beta1) * g
        below = np.sqrt(V / (1 - beta2**k) if corrected else V) + 1e-8
        x = (1 - decay * eta**2) * x - eta * (u / (1 - beta1**k) if corrected else u) / below
    return x


def error(x, end):
    """How far the mean of x₁ is from the limit's, and its standard error."""
    return float(abs(x[:, 0].mean() - end)), float(x[:, 0].std() / len(x) ** 0.5)


@pytest.mark.statement("thm-adaptive", asked=0.01)
@pytest.mark.parametrize("beta1", [0.0, 0.9], ids=["RMSProp", "momentum"])
def test_adam_and_rmsprop_tend_to_the_adaptive_limit(beta1, measured):
    rates, end = (0.08, 0.04, 0.02), second_moment.predicted(5.0)
    errors, deviations = zip(*(error(loop(eta, 5.0, beta1, 6000), end) for eta in rates), strict=True)
    within_order(errors, rates, 1, deviations)
    measured(errors[-1])
    assert abs(end - second_moment.predicted(1e-9)) > 0.01  # a V that stays would lead elsewhere


def with_correction(rate):
    """x₁ at t = 1 where V follows at the rate a/(1 − e^{−at})."""

    def slope(t, state):
        x, V = np.split(state, 2)
        follows = rate / -np.expm1(-rate * t) * (second_moment.C * second_moment.diagonal(x) - V)
        return np.concatenate([second_moment.velocity(x, 1 / np.sqrt(V)), follows])

    start = np.concatenate([second_moment.START, SETTLED])
    return solve_ivp(slope, (1e-7, 1), start, rtol=1e-9, atol=1e-11).y[0, -1]


def test_bias_correction_has_a_rate_of_its_own():
    rates, end, plain = (0.04, 0.02, 0.01), with_correction(1.0), second_moment.predicted(1.0)
    np.testing.assert_allclose([end, plain], [0.64822, 0.63948], rtol=0, atol=1.5e-5)
    errors, deviations = zip(
        *(error(loop(eta, 1.0, 0.9, 4000, corrected=True), end) for eta in rates), strict=True
    )
    within_order(errors, rates, 1, deviations, slack=1.8)  # and a logarithm
    uncorrected = loop(0.01, 1.0, 0.9, 4000)[:, 0]
    corrected = loop(0.01, 1.0, 0.9, 4000, corrected=True)[:, 0]
    gap = corrected.mean() - uncorrected.mean()
    assert abs(gap - (end - plain)) < 4.5 * np.hypot(corrected.std(), uncorrected.std()) / 4000**0.5 + 0.002


# three weights, one output f = x₁² + sinh x₂ + x₁x₃²
def bent(x):
    return x[0] ** 2 + np.sinh(x[1]) + x[0] * x[2] ** 2


def bent_slope(x):
    return np.array([2 * x[0] + x[2] ** 2, np.cosh(x[1]), 2 * x[0] * x[2]])


def bent_turn(x):
    return np.array([[2, 0, 2 * x[2]], [0, np.sinh(x[1]), 0], [2 * x[2], 0, 2 * x[0]]])


@pytest.mark.statement("prop-adam-sum", asked=1e-5)
@pytest.mark.parametrize("rate", [0.7, 8.0])
def test_the_sum_that_adam_lowers(rate, measured):
    """L = (f − y)², so that H_ii = 2J_i²; along SciPy's path the sum's slope by differences is the two squares."""
    c = 0.6

    def pull(x, p):
        return 4 * bent_turn(x) @ (p * bent_slope(x))  # ∇tr(PH) but for its normal part

    def slope(_, state):
        x, V = np.split(state, 2)
        p, J = V**-0.5, bent_slope(x)
        T = np.eye(3) - np.outer(p * J, J) / (J @ (p * J))
        return np.concatenate([-c / 4 * T @ (p * pull(x, p)), rate * (2 * c * J**2 - V)])

    start = np.array([0.7, 0.4, 1.1, 0.5, 3.0, 1.0])
    times = np.linspace(0, 1.5, 31)
    path = solve_ivp(slope, (0, 2), start, rtol=1e-12, atol=1e-13, dense_output=True).sol
    assert abs(bent(path(1.5)[:3]) - bent(start[:3])) < 1e-8

    def total(t):
        x, V = np.split(path(t), 2)
        return np.sum(2 * c * bent_slope(x) ** 2 / np.sqrt(V) + np.sqrt(V))

    for t in times[1:]:
        x, V = np.split(path(t), 2)
        p, J = V**-0.5, bent_slope(x)
        T = np.eye(3) - np.outer(p * J, J) / (J @ (p * J))
        push = pull(x, p)
        falls = -(c**2) / 4 * push @ T @ (p * push) - rate / 2 * np.sum((2 * c * J**2 - V) ** 2 / V**1.5)
        h = 1e-3
        found = (8 * (total(t + h) - total(t - h)) - (total(t + 2 * h) - total(t - 2 * h))) / (12 * h)
        measured(abs(found - falls))
        assert falls < 0
    assert (np.diff([total(t) for t in times]) < 0).all()


def test_the_preconditioner_is_the_derivative_of_the_regularizer():
    """Exercise 9.3: the least of Σp(V) + g(V) over V has the derivative p; for Adam's p with ε in closed form."""
    e = 0.3
    for p, fall in ((lambda s: s**-0.7, lambda s: 0.7 * s**-1.7), (lambda s: 1 / (s**0.5 + e), None)):
        grid = np.linspace(0.1, 4, 40_001)
        bend = fall(grid) if fall else -np.gradient(p(grid), grid)
        g = np.concatenate([[0], np.cumsum((grid * bend)[1:] + (grid * bend)[:-1]) * (grid[1] - grid[0]) / 2])
        least = [np.min(s * p(grid) + g) for s in (1.0, 1.1)]
        assert abs((least[1] - least[0]) / 0.1 - p(1.05)) < 2e-3
    h = [2 * np.sqrt(s) - 2 * e * np.log1p(np.sqrt(s) / e) for s in (0.999, 1.001)]
    assert abs((h[1] - h[0]) / 0.002 - 1 / (1 + e)) < 1e-6
    H = LINE.hessian(
        jnp.asarray(second_moment.START)
    )  # and the clock: c stands in the speed to the power 1 − 2q
    for q in (0.0, 0.3, 0.5, 0.8):
        weak, strong = (
            drift_terms(LINE, c * H, jnp.asarray(second_moment.START), (c * jnp.diag(H)) ** -q).total
            for c in (0.5, 2.0)
        )
        np.testing.assert_allclose(strong, 4 ** (1 - 2 * q) * weak, atol=1e-12)


def test_the_cloud_under_a_preconditioner():
    """The table's S = ½c(I − T_P)P solves PHS + SHP = PΣP, and runs in the normal space's bowl have it."""
    x, P, c = np.array([2.0, 0.5]), SLANTED, 0.7
    H, J = np.asarray(HYPERBOLA.hessian(jnp.asarray(x))), x[None, ::-1]
    T = np.eye(2) - P @ J.T @ np.linalg.inv(J @ P @ J.T) @ J
    S = 0.5 * c * (np.eye(2) - T) @ P
    np.testing.assert_allclose(S, S.T, atol=1e-14)
    np.testing.assert_allclose(P @ H @ S + S @ H @ P, c * P @ H @ P, atol=1e-12)
    rng, eta, z = (
        np.random.default_rng(6),
        0.01,
        np.zeros((4000, 2)),
    )  # of the quadratic: steps z − ηP(Hz + noise)
    factor = np.sqrt(2 * c) * J[0]  # Σ = cH, H = 2JᵀJ
    for _ in range(400):
        z = z - eta * (z @ H + rng.standard_normal((4000, 1)) * factor) @ P
    off = J @ (np.cov(z.T) / eta - S) @ J.T / (J @ S @ J.T)
    stiffness = float(2 * (J @ P @ J.T).item())
    assert abs(off.item() - 1 / (1 - eta * stiffness / 2) + 1) < 4.5 * np.sqrt(2 / 4000)


@pytest.mark.statement("prop-half", asked=1e-12)
def test_local_minima_of_the_root(measured):
    """Every vertex by enumeration: higher all around it; points with dependent columns are not minima."""
    rng = np.random.default_rng(5)
    Z, x = rng.standard_normal((2, 5)), rng.uniform(0.2, 1.5, 10)
    y, m = Z @ rng.standard_normal(5), np.mean(Z**2, axis=0)

    def root(w):
        return np.sum(np.sqrt(m * abs(w)))

    kernel = np.linalg.svd(Z)[2][2:]
    around = rng.standard_normal((400, 3))
    around = around / np.linalg.norm(around, axis=1, keepdims=True) @ kernel
    for pair in itertools.combinations(range(5), 2):
        w = np.zeros(5)
        w[list(pair)] = np.linalg.solve(Z[:, pair], y)
        assert min(root(w + 1e-5 * h) for h in around) > root(w)
    w = np.linalg.lstsq(Z[:, :3], y)[0]
    h = np.append(np.cross(Z[0, :3], Z[1, :3]), [0, 0])  # in the kernel, on the support
    w = np.append(w, [0, 0]) + 0.3 * h
    assert min(root(w + 1e-3 * h), root(w - 1e-3 * h)) < root(w)
    problem = SparseRegression(jnp.asarray(Z), jnp.asarray(Z @ (x[:5] ** 2 - x[5:] ** 2)))
    roots = np.sqrt(np.diag(np.asarray(problem.hessian(jnp.asarray(x))))).sum()
    measured(abs(roots - np.sqrt(8) * np.sum(np.sqrt(np.tile(m, 2)) * x)))
    assert roots > np.sqrt(8) * root(x[:5] ** 2 - x[5:] ** 2)
    one_sided = np.where(np.arange(10) < 5, x, 0.0)
    measured(abs(np.sqrt(m) @ one_sided[:5] - root(one_sided[:5] ** 2)))


@pytest.mark.statement("prop-fall", asked=1e-6)
def test_a_weight_reaches_zero_at_a_time_that_its_square_tells(measured):
    """The package's flow against eq-fall by SciPy, μ from Zw = y; two strengths; and weights that nothing holds."""
    rng = np.random.default_rng(8)
    Z, x = rng.standard_normal((2, 4)), rng.uniform(0.6, 1.4, 8)
    signed, m = np.concatenate([Z, -Z], axis=1), np.tile(np.mean(Z**2, axis=0), 2)

    def slope(_, u):
        pulls = signed.T / np.sqrt(m)[:, None]  # of μ on u̇
        mu = np.linalg.solve(2 * signed * u @ pulls, signed.sum(1))
        return -1 / (2 * u) + pulls @ mu

    problem = SparseRegression(jnp.asarray(Z), jnp.asarray(signed @ x**2))
    times = np.array([0.05, 0.15, 0.25])
    expected = solve_ivp(slope, (0, 0.25), x, t_eval=times, rtol=1e-11, atol=1e-12).y.T
    assert expected.min() > 0.1
    for delta in (0.4, 1.3):
        found = adaptive_flow(problem, jnp.asarray(x), jnp.asarray(times), delta, jnp.inf, 0.0)[0]
        measured(abs(np.asarray(found) - expected).max())
    early = np.array([0.5, 0.98]) * float((np.asarray(project(problem, jnp.asarray(1.5 * x))) ** 2).min())
    begin = project(problem, jnp.asarray(1.5 * x))
    for t, left in zip(
        early,
        adaptive_flow(problem, jnp.asarray(1.5 * x), jnp.asarray(early), 0.7, jnp.inf, 0.0)[0],
        strict=True,
    ):
        measured(abs(begin**2 - t - left**2).max())
        measured(abs(problem.weights(left) - problem.weights(begin)).max())
    idle = SparseRegression(jnp.asarray(Z), jnp.zeros(2))
    pairs = np.tile(x[:4], 2)
    for t in (0.2, 0.9):
        left = np.asarray(adaptive_flow(idle, jnp.asarray(pairs), jnp.array([t]), 0.7, jnp.inf, 0.0)[0][0])
        measured(abs(left**2 - np.maximum(pairs**2 - t, 0)).max())


def test_the_last_one_and_the_life_of_a_weight():
    """Exercises 9.4 and 9.5 against the flow itself, and against SciPy."""
    rng = np.random.default_rng(2)
    for _ in range(3):
        z, w = rng.uniform(0.3, 3.0, 4), rng.uniform(0.1, 1.0, 4)
        problem = SparseRegression(jnp.asarray(z[None]), jnp.array([z @ w]), "square")
        end = adaptive_flow(problem, jnp.sqrt(jnp.asarray(w)), jnp.array([30.0]), 1.0, jnp.inf)[0][0] ** 2
        np.testing.assert_allclose(ch09.last_one(z, w), end, atol=1e-8)
    u, v, e = 1.1, 0.2, 0.3
    t = ch09.lifetime(u, v, e)
    end = solve_ivp(lambda _, u: -u / (2 * (u + e) ** 2), (0, t), [u], rtol=1e-10, atol=1e-12).y[0, -1]
    assert abs(end - v) < 1e-8
    assert abs(np.asarray(ch09.oblique(np.array([[0.5, 2.0]]), np.array([1.0, 3.0]))).trace() - 1) < 1e-12


@pytest.mark.statement("prop-decoupled", asked=0.03)
def test_decoupled_decay_spreads(measured):
    """A shrunken point flows back to −T_P x, the gradient in the metric; AdamW ends where the coefficients share."""
    x, P, h = np.array([2.0, 0.5]), SLANTED, 1e-5
    J = x[None, ::-1]
    T = np.eye(2) - P @ J.T @ np.linalg.inv(J @ P @ J.T) @ J
    measured(abs((end_on_hyperbola((1 - h) * x, P) - end_on_hyperbola(x, P)) / h + T @ x).max())
    # ½xᵀP⁻¹x along Γ is lowered at the rate ⟨P⁻¹x, T_P x⟩ = |T_P x|² in the metric P⁻¹
    inverse = np.linalg.inv(P)
    measured(abs(x @ inverse @ T @ x - (T @ x) @ inverse @ (T @ x)))
    ends = {
        decay: loop(0.02, 10.0, 0.9, 400, decay=decay, start=np.sqrt([0.55, 0.225]), t=4.0)[:, 0] ** 2
        for decay in (0.0, 8.0)
    }
    assert ends[0.0].mean() > 0.8
    off = abs(ends[8.0].mean() - 1 / 3)
    assert off < 4.5 * ends[8.0].std() / 20 + 0.02
    measured(off)


def test_decoupled_decay_at_three_rates():
    """Adam with decay 1 − ωη², against −½T_P P ∂²∇L[S] − ωT_P Y and V̇ = a(diag Σ − V) by SciPy."""
    start, decay, rate, t = np.sqrt([0.55, 0.225]), 4.0, 10.0, 1.0
    J = 2 * second_moment.FEATURES

    def slope(_, state):
        x, V = np.split(state, 2)
        p = 1 / np.sqrt(V)
        tangent = x - p * J * x * (J * x @ x) / (J * x @ (p * J * x))
        moments = second_moment.C * second_moment.diagonal(x)
        return np.concatenate([second_moment.velocity(x, p) - decay * tangent, rate * (moments - V)])

    begin = np.concatenate([start, second_moment.C * second_moment.diagonal(start)])
    end = solve_ivp(slope, (0, t), begin, rtol=1e-9, atol=1e-11).y[:2, -1]
    rates = (0.04, 0.02, 0.01)
    found = [error(loop(eta, rate, 0.9, 1000, decay=decay, start=start, t=t), end[0]) for eta in rates]
    errors, deviations = zip(*found, strict=True)
    within_order(errors, rates, 1, deviations)
    assert errors[-1] < 0.01
    plain = loop(0.02, rate, 0.9, 1000, start=start, t=t)
    assert abs(plain[:, 0].mean() - end[0]) > 0.05


def test_a_second_moment_that_follows_at_once_keeps_x_on_a_line():
    """Exercise 9.7; with two examples it does not."""
    rng, x, eta = np.random.default_rng(3), second_moment.START.copy(), 0.01
    for _ in range(2000):
        r = x**2 @ second_moment.FEATURES - 1
        sign = rng.choice([-1.0, 1.0])
        J = 2 * second_moment.FEATURES * x
        x = x - eta * 2 * (r - 0.5 * sign) * J / np.sqrt(4 * (r * r + 0.25) * J * J)
    assert abs((x - second_moment.START) @ [1, -1]) < 1e-12
    assert abs(x - second_moment.START).max() < 0.2
    Z, y, x = np.array([[1.0, 2.0, 0.5], [0.3, 1.0, 2.0]]), np.array([1.0, 1.0]), np.array([0.6, 0.4, 0.6])
    for _ in range(2000):
        r = Z @ x**2 - y
        J = 2 * Z * x
        V = np.mean(4 * (r * r + 0.25)[:, None] * J * J, axis=0)
        i, sign = rng.integers(2), rng.choice([-1.0, 1.0])
        x = x - eta * 2 * (r[i] - 0.5 * sign) * J[i] / np.sqrt(V)
    assert np.isfinite(x).all()


@pytest.mark.parametrize("setting", adam.SETTINGS)
def test_the_phase_diagrams_are_complete_and_can_be_made_again(setting):
    table = read(f"adam-{setting}")
    cells = np.stack([table[name] for name in ("sparsity", "n", "trial")], axis=1)
    trials = len(np.unique(table["trial"]))
    assert trials % BATCHES == 0
    assert len(np.unique(cells, axis=0)) == len(cells) == 15 * 15 * trials
    assert (table["batch"] == table["trial"] % BATCHES).all()
    found, kappas, sizes = adam.solved(setting)
    i, k, trial = 3, 6, 5
    again = adam.sparse(trial, setting, int(sizes[k]), int(kappas[i]), 30)
    row = table[(table["sparsity"] == kappas[i]) & (table["n"] == sizes[k]) & (table["trial"] == trial)]
    for name, error in again.items():
        np.testing.assert_allclose(row[name], error, rtol=6e-3, atol=1e-6)
        assert found[name][i, k, trial] == (error < adam.SOLVED)


def test_the_other_tables_are_complete_and_can_be_made_again(monkeypatch):
    table = read("adam-matrices")
    row = table[17]
    # Another compiler's rounding is like a start that is 1e-13 away, which moves Adam's end: it divides small by small.
    again, size = [], adam.FACTORS
    for k in range(6):
        monkeypatch.setattr(adam, "FACTORS", size * (1 + k * 1e-13))
        again.append(adam.matrix(int(row["trial"]), int(row["n"]), int(row["rank"])))
    for name in ("SGD", "Adam"):
        ends = np.array([one[name] for one in again])
        assert abs(row[name] - ends.mean()) < 4 * ends.std(ddof=1) * (1 + 1 / 6) ** 0.5 + 0.0005, (
            name
        )  # as it is stored
    ranks, sizes = np.unique(table["rank"]), np.unique(table["n"])
    assert (
        len(table)
        == len(ranks) * len(sizes) * len(np.unique(table["trial"]))
        >= BATCHES * len(ranks) * len(sizes)
    )
    moved = adam.moved()
    assert moved.shape == (4, 8, BATCHES)
    assert np.isfinite(moved).all()
    table = read("adam-regimes")
    row = table[(table["eta"] == 0.04) & (table["forgetting"] == 0.01)][2]
    assert abs(adam.regime(2, 0.04, 0.01)["moved"] - row["moved"]) < 1e-3
    assert abs(moved[0, 4, 2] - row["moved"]) < 1e-12


def test_the_three_regimes_in_the_stored_runs():
    """The limit where 1 − β₂ ≪ η, the factor λ/(λ + b) beyond; the plateau between; each to its order in η."""
    moved, start = adam.moved(), second_moment.START[0]
    mean, deviation = moved.mean(axis=2), moved.std(axis=2, ddof=1) / BATCHES**0.5
    for i, eta in enumerate(adam.ETAS):
        for k, forgetting in enumerate(adam.FORGETTING):
            a, b = forgetting / eta**2, forgetting / eta
            told = second_moment.predicted(a, b) - start
            assert abs(mean[i, k] - told) < 4.5 * deviation[i, k] + 0.5 * eta + 0.004, (eta, forgetting)
    assert abs(mean[-1, -1]) < 0.1 * mean[-1, 2]  # where V follows at once, nothing moves
