"""The numbered statements of chapter 5, each against something that does not share its derivation.

The touchstone is the hyperbola, whose Φ has a closed form, and losses made up at random, whose Φ comes from
an ODE solver of another library. Noise has all its parts, with unequal sizes and signs.
"""

from pathlib import Path

import jax
import jax.numpy as jnp
import jupytext
import numpy as np
import pytest
from afterzero import ch05, dice
from jax.tree_util import Partial
from scipy.integrate import quad, solve_ivp
from scipy.linalg import null_space, solve_continuous_lyapunov
from scipy.special import iv

from labnoise import (
    FiniteNoise,
    GaussianNoise,
    LabelNoise,
    LeastSquares,
    Loss,
    drift_terms,
    landscapes,
    lyapunov_solve,
    sgd,
    tangent_projection,
)
from tests.independent import independent_flow
from tests.random_losses import random_covariance

ROOT = Path(__file__).parents[1]
HYPERBOLA = Loss(lambda x: (x[0] * x[1] - 1) ** 2)
POINT = jnp.array([2.0, 0.5])


def closed_form(x):
    """Φ of the hyperbola: the flow keeps u² − v² and ends where uv = 1."""
    q = x[0] ** 2 - x[1] ** 2
    p = jnp.sqrt((q + jnp.sqrt(q**2 + 4)) / 2)
    return jnp.array([p, 1 / p])


SECOND = np.array(jax.jit(jax.hessian(closed_form))(POINT))


def _surface_loss(x, a):
    """Two constraints in R⁴ with a Hessian that varies; Γ = {g = 0} does not depend on a."""
    g = _constraints(x)
    return 0.5 * jnp.exp(a * x[0]) * g[0] ** 2 + 0.5 * (2 + jnp.sin(a * x[3])) * (g[1] + 0.4 * a * g[0]) ** 2


def _constraints(x):
    return jnp.array([x[0] * x[1] - 1 + 0.3 * x[2] ** 2, x[3] - 0.5 * x[0] * x[2]])


SURFACE_POINT = jnp.array([1.6, (1 - 0.3 * 0.49) / 1.6, 0.7, 0.56])
_hessian = jax.jit(Loss.hessian)


def second_difference(problem, x, direction, h=0.01):
    """The second derivative of Φ along one direction, to the sixth order in h."""
    ends = {k: independent_flow(problem, x + k * h * direction, 60) for k in (-3, -2, -1, 1, 2, 3)}
    total = 1.5 * (ends[1] + ends[-1]) - 0.15 * (ends[2] + ends[-2]) + (ends[3] + ends[-3]) / 90
    return (total - 49 / 18 * np.asarray(x)) / h**2


@pytest.mark.statement("prop-second-derivative", asked=1e-6)
def test_second_derivative_of_phi_case_by_case(measured):
    """Each case on the hyperbola by the closed form; in R⁴, codimension 2, by an independent flow."""
    H, third = HYPERBOLA.hessian(POINT), jax.jacfwd(HYPERBOLA.hessian)(POINT)
    T, P = tangent_projection(HYPERBOLA, POINT), jnp.linalg.pinv(H)
    u, w, S = jnp.array([2.0, -0.5]), jnp.array([0.5, 2.0]), jnp.array([[1.0, 0.3], [0.3, -2.0]])
    measured(abs(SECOND @ u @ u + P @ (third @ u @ u)).max())
    measured(abs(SECOND @ w @ u + T @ (third @ u @ (P @ w))).max())
    block = H @ S + S @ H
    measured(abs(jnp.einsum("aij,ij->a", SECOND, block) + T @ jnp.einsum("aij,ij->a", third, S)).max())

    problem, x = Loss(Partial(_surface_loss, a=0.8)), SURFACE_POINT
    H, third = np.array(problem.hessian(x)), np.array(jax.jit(jax.jacfwd(problem.hessian))(x))
    P = np.linalg.pinv(H, rcond=1e-9)
    N = P @ H
    T = np.eye(4) - N
    u, w = T @ np.array([1.0, 0.4, -0.7, 0.2]), N @ np.array([0.3, 1.0, 0.5, -0.6])
    along, across = second_difference(problem, x, u), second_difference(problem, x, w)
    both = second_difference(problem, x, u + w)
    values, Q = np.linalg.eigh(H)  # the Lyapunov equation as a linear system in the normal coordinates
    Q, values = Q[:, 2:], values[2:]
    system = np.kron(np.diag(values), np.eye(2)) + np.kron(np.eye(2), np.diag(values))
    S = Q @ np.linalg.solve(system, np.outer(Q.T @ w, Q.T @ w).ravel()).reshape(2, 2) @ Q.T
    measured(abs(along + P @ (third @ u @ u)).max() / abs(along).max())
    measured(abs((both - along - across) / 2 + T @ (third @ u @ (P @ w))).max() / abs(along).max())
    measured(abs(across + T @ np.einsum("aij,ij->a", third, S)).max() / abs(along).max())


@pytest.mark.statement("lem-lyapunov", asked=1e-12)
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_lyapunov_operator_and_its_inverse(seed, measured):
    """Against SciPy on the range, the integral by quadrature, and the reader's exercise."""
    H, C = (np.array(random_covariance(seed + s, 5, rank=r)) for s, r in ((0, 3), (50, 5)))
    values, vectors = np.linalg.eigh(H)
    Q, P = vectors[:, 2:], np.linalg.pinv(H, rcond=1e-9)
    N = Q @ Q.T
    T = np.eye(5) - N
    expected = Q @ solve_continuous_lyapunov(Q.T @ H @ Q, Q.T @ C @ Q) @ Q.T
    S, scale = np.array(lyapunov_solve(H, C)), abs(expected).max()
    measured(abs(S - expected).max() / scale)
    measured(abs(ch05.lyapunov_inverse(H, C) - expected).max() / scale)
    measured(abs(np.array(lyapunov_solve(H, H)) - N / 2).max())
    measured(abs(np.array(lyapunov_solve(H, N)) - P / 2).max() / abs(P).max())
    B = N @ C @ T
    mixed = P @ B + B.T @ P
    measured(abs(H @ mixed + mixed @ H - B - B.T).max() / abs(B).max())
    i, j = 3, 4  # one entry of the integral
    entry = quad(lambda s: np.exp(-s * (values[i] + values[j])), 0, np.inf, epsabs=1e-14, epsrel=1e-13)[0]
    measured(abs(entry * (vectors[:, i] @ C @ vectors[:, j]) - vectors[:, i] @ S @ vectors[:, j]) / scale)
    assert np.linalg.eigvalsh(S).min() > -1e-12 * scale


@pytest.mark.statement("thm-main", asked=1e-6)
def test_the_drift_of_the_main_theorem_and_sgd(measured):
    """½∂²Φ[Σ] by the closed form and by an independent flow; then SGD itself, with finitely many outcomes."""
    cov = np.array([[0.5, 0.3], [0.3, 0.8]])
    terms = drift_terms(HYPERBOLA, cov, POINT)
    half = 0.5 * np.einsum("aij,ij->a", SECOND, cov)
    measured(abs(terms.total - half).max())
    assert abs(terms.total - terms.mixed / 2 - half).max() > 0.02  # the poster's ½ would be seen

    problem, x = Loss(Partial(_surface_loss, a=0.8)), SURFACE_POINT
    cov4 = np.array(random_covariance(3, 4, rank=2))
    values, vectors = np.linalg.eigh(cov4)
    expected = sum(
        0.5 * second_difference(problem, x, np.sqrt(values[i] / values[3]) * vectors[:, i]) * values[3]
        for i in (2, 3)
    )
    found = drift_terms(problem, cov4, x)
    measured(abs(found.total - expected).max() / abs(expected).max())
    # none of the parts is small, so that none can hide
    assert min(abs(part).max() for part in found[1:]) > 0.01 * abs(expected).max()

    # SGD: the mean of Φ(x) in closed form after a short time, Ξ = 3 outcomes that are not Gaussian
    root = jnp.array([[0.6, -0.4, -0.2], [0.1, 0.4, -0.5]])
    rule, eta, t, runs = FiniteNoise(HYPERBOLA, lambda x: root), 0.01, 0.04, 20_000
    run = sgd(rule, POINT, eta, round(t / eta**2), jax.random.split(jax.random.key(3), runs))
    ends = np.asarray(jax.jit(jax.vmap(closed_form))(run.states[:, -1]))
    velocity = (ends.mean(0) - np.asarray(POINT)) / t
    sigma = ends.std(0) / np.sqrt(runs) / t
    expected = drift_terms(HYPERBOLA, root @ root.T, POINT).total
    assert (abs(velocity - expected) < 4 * sigma + 0.15 * abs(expected)).all()
    spread = np.cov(ends.T) / t
    np.testing.assert_allclose(
        spread, drift_terms(HYPERBOLA, root @ root.T, POINT).tangent_noise, atol=0.06 * spread.max()
    )


@pytest.mark.statement("prop-geometry", asked=1e-9)
def test_compensation_and_mixed_term_are_geometry(measured):
    """From the constraints g alone: the second fundamental form is −G†∂²g, and no loss is needed."""
    x, cov = SURFACE_POINT, np.array(random_covariance(7, 4))
    G, bend = np.array(jax.jacobian(_constraints)(x)), np.array(jax.hessian(_constraints)(x))
    pinv = np.linalg.pinv(G)
    T = np.eye(4) - pinv @ G
    tangents = null_space(G)  # an orthonormal basis of the tangent space

    def second_form(u, v):
        return -pinv @ (bend @ v @ u)

    compensation = 0.5 * -pinv @ np.einsum("aij,ij->a", bend, T @ cov @ T)
    crossed = (np.eye(4) - T) @ cov  # Σ_{⊥,∥} = Σ_j w_j v_jᵀ with w_j = NΣt_j, v_j = t_j
    mixed = sum(v * sum(crossed @ t @ second_form(t, v) for t in tangents.T) for v in tangents.T)
    one, two = (drift_terms(Loss(Partial(_surface_loss, a=a)), cov, x) for a in (0.8, -0.5))
    for terms in (one, two):
        measured(abs(terms.compensation - compensation).max() / abs(compensation).max())
        measured(abs(terms.mixed - mixed).max() / abs(mixed).max())
    assert abs(one.normal - two.normal).max() > 0.05 * abs(one.normal).max()


@pytest.mark.statement("prop-circle", asked=0.02)
def test_the_coefficient_of_the_mixed_term_is_one(measured):
    """Extrapolated from SGD written out in complex numbers; the variance of the angle is a."""
    coefficient = ch05.coefficient()
    measured(abs(coefficient - 1))
    etas = np.array(ch05.ETAS)
    errors = np.array([ch05.circle_angles(eta)[1] for eta in ch05.ETAS]) / ch05.B
    weights = np.linalg.pinv(np.stack([etas, np.ones(4)], axis=1))[1]  # of the intercept
    assert abs(coefficient - 1) < 4 * np.linalg.norm(weights * errors) + etas.max() ** 2
    assert abs(np.polyfit(etas, [ch05.circle_angles(eta)[2] for eta in ch05.ETAS], 1)[1] - ch05.A) < 0.03
    circle, x = landscapes.circle(0.4, -0.1, 0.3), jnp.array([0.6, 0.8])
    terms = drift_terms(circle, circle.cov(x), x)
    np.testing.assert_allclose(terms.total, 0.1 * jnp.array([-0.8, 0.6]) - 0.2 * x, atol=1e-12)


def test_the_page_runs_what_the_checker_runs():
    """The function on the page, which a reader can change, and the one behind exercise 5.3 give the same numbers."""
    page = jupytext.read(ROOT / "book" / "05-the-main-theorem.md")
    (cell,) = (cell.source for cell in page.cells if cell.source.startswith("def circle_angles("))
    names = {"np": np, "dice": dice}
    exec(cell, names)
    np.testing.assert_allclose(names["circle_angles"](0.08), ch05.circle_angles(0.08), rtol=1e-12)


@pytest.mark.statement("cor-label-noise", asked=1e-9)
def test_label_noise_descends_the_trace(measured):
    """The slope of the trace along curves in Γ, by differences; the hyperbola's −4δ²q; and it is monotone."""
    problem, x, c = Loss(Partial(_surface_loss, a=0.8)), SURFACE_POINT, 0.7
    H = problem.hessian(x)
    terms = drift_terms(problem, c * H, x)
    measured(abs(terms.compensation).max() + abs(terms.mixed).max() + abs(terms.tangent_noise).max())

    def on_surface(a, b):  # a curve in Γ: x₀ and x₂ are its coordinates, the others follow
        return np.array([a, (1 - 0.3 * b**2) / a, b, 0.5 * a * b])

    def trace(a, b):
        return float(jnp.trace(_hessian(problem, on_surface(a, b))))

    h = 2e-3
    for move in ((1, 0), (0, 1), (0.7, -1.2)):
        at = [
            (
                trace(1.6 + k * h * move[0], 0.7 + k * h * move[1]),
                on_surface(1.6 + k * h * move[0], 0.7 + k * h * move[1]),
            )
            for k in (-3, -2, -1, 1, 2, 3)
        ]
        weights = np.array([-1, 9, -45, 45, -9, 1]) / (60 * h)
        slope = sum(w * value for w, (value, _) in zip(weights, at, strict=True))
        velocity = sum(w * point for w, (_, point) in zip(weights, at, strict=True))
        assert abs(float(velocity @ terms.normal) + c / 4 * slope) < 1e-7 * abs(slope)
    delta = 0.6
    rule = LabelNoise(LeastSquares(lambda x: x[:1] * x[1:], jnp.ones(1)), delta)
    drift = drift_terms(rule.problem, rule.covariance(POINT), POINT).total
    measured(
        abs(2 * (POINT[0] * drift[0] - POINT[1] * drift[1]) / (POINT[0] ** 2 - POINT[1] ** 2) + 4 * delta**2)
    )


@pytest.mark.statement("cor-isotropic", asked=1e-6)
def test_isotropic_noise_and_the_pseudo_determinant(measured):
    """ln|∇²L|₊ along curves in Γ by eigenvalues and differences; and the reader's formula for its slope."""
    problem, x = Loss(Partial(_surface_loss, a=0.8)), SURFACE_POINT
    terms = drift_terms(problem, np.eye(4), x)
    measured(abs(terms.mixed).max())

    def on_surface(a, b):
        return np.array([a, (1 - 0.3 * b**2) / a, b, 0.5 * a * b])

    def logarithm(a, b):
        return np.log(np.linalg.eigvalsh(_hessian(problem, on_surface(a, b)))[2:]).sum()

    h = 2e-3
    for move in ((1, 0), (0, 1), (0.7, -1.2)):
        places = [(1.6 + k * h * move[0], 0.7 + k * h * move[1]) for k in (-3, -2, -1, 1, 2, 3)]
        weights = np.array([-1, 9, -45, 45, -9, 1]) / (60 * h)
        slope = sum(w * logarithm(*place) for w, place in zip(weights, places, strict=True))
        velocity = sum(w * on_surface(*place) for w, place in zip(weights, places, strict=True))
        measured(abs(float(velocity @ terms.normal) + slope / 4) / abs(slope))
    rng = np.random.default_rng(2)
    J, dJ = rng.standard_normal((2, 3, 5))
    ends = [np.log(np.linalg.eigvalsh((J + s * dJ).T @ (J + s * dJ))[2:]).sum() for s in (-1e-4, 1e-4)]
    measured(abs((ends[1] - ends[0]) / 2e-4 / ch05.log_pseudodeterminant_slope(J, dJ) - 1))


@pytest.mark.statement("prop-one-rule", asked=1e-6)
def test_one_rule_and_the_regularizer_at_finite_learning_rates(measured):
    """Gradient descent itself, kicked; against differences of tr ς along curves in Γ. No third derivative is taken."""
    problem, x = Loss(Partial(_surface_loss, a=0.8)), SURFACE_POINT
    H = np.array(problem.hessian(x))
    values, vectors = np.linalg.eigh(H)
    Q, values = vectors[:, 2:], values[2:]
    eta, c = 1.3 / values[1], 0.7  # ηλ = 1.3 and less
    descend = jax.jit(lambda y: jax.lax.fori_loop(0, 4000, lambda _, z: z - eta * problem.gradient(z), y))
    weights = np.array([1, -9, 45, -45, 9, -1]) / 60  # of a first derivative, to the sixth order

    def at(a, b):  # the curves in Γ of x₀ and x₂
        return np.array([a, (1 - 0.3 * b**2) / a, b, 0.5 * a * b])

    def slopes(move, function, h=2e-3):  # of the curve, and of Σ function(λ_i) along it
        points = [at(1.6 + k * h * move[0], 0.7 + k * h * move[1]) for k in (3, 2, 1, -1, -2, -3)]
        sums = [function(np.linalg.eigvalsh(_hessian(problem, point))[2:]).sum() for point in points]
        return weights @ np.array(points) / h, weights @ np.array(sums) / h

    def curvature(kick, h=0.005):  # the second derivative of Φ_η in this direction
        ends = {k: np.array(descend(x + k * h * kick)) for k in (-3, -2, -1, 1, 2, 3)}
        total = 1.5 * (ends[1] + ends[-1]) - 0.15 * (ends[2] + ends[-2]) + (ends[3] + ends[-3]) / 90
        return (total - 49 / 18 * np.array(x)) / h**2

    kicks = (np.sqrt(c * values) * Q).T  # one at a time, of either sign: covariance cH
    moved = 0.5 * eta**2 * sum(curvature(kick) for kick in kicks)
    S = Q @ np.array([[1.0, 0.2], [0.2, 1.0]]) @ Q.T  # no function of H, so this is part 2 by itself
    sizes, directions = np.linalg.eigh(H @ S + S @ H - eta * H @ S @ H)
    second = sum(
        size * curvature(kick) for size, kick in zip(sizes, directions.T, strict=True) if abs(size) > 1e-9
    )
    expected = 2 * np.array(drift_terms(problem, H @ S + S @ H, x).normal)  # -T∂²(∇L)[S]
    measured(np.linalg.norm(second - expected) / np.linalg.norm(expected))
    smooth = Q @ np.diag(2 * values / (1 + values**2)) @ Q.T  # Σ_⊥ = 2Hs(H) with s = 1/(1 + λ²)
    normal = np.array(drift_terms(problem, smooth, x).normal)
    for move in ((1, 0), (0, 1), (0.7, -1.2)):
        velocity, slope = slopes(move, np.arctan)
        measured(abs(velocity @ normal + slope / 2) / abs(slope))
        velocity, slope = slopes(move, lambda found: np.log(2 - eta * found))
        measured(abs(velocity @ moved / (eta * c / 2 * slope) - 1))
        small = slopes(move, lambda found: -eta / 2 * found)[1]
        assert abs(slope / small - 1) > 0.2  # the limit's trace would be seen


def test_a_cloud_can_make_any_velocity_field():
    """Exercise 5.9: the main theorem turns the plane around the origin."""
    powers = jnp.array([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]])
    problem = Loss(lambda x: 0.5 * jnp.exp(powers @ x[:2]) @ x[2:] ** 2)
    x, y = 0.7, -1.2
    tau = 2 * np.sqrt(1 + np.array([y, y, x, x]) ** 2) + 2 * np.array([y, -y, -x, x])
    cov = np.diag(np.concatenate([np.zeros(2), tau]))
    assert (tau > 0).all()
    drift = drift_terms(problem, cov, jnp.array([x, y, 0, 0, 0, 0])).total
    np.testing.assert_allclose(drift, [-y, x, 0, 0, 0, 0], atol=1e-12)


def stationary_density(drift, variance):
    """The density on a grid of the circle that the generator, by finite differences, leaves alone."""
    n = 400
    theta = 2 * np.pi * np.arange(n) / n
    step = theta[1]
    ahead, behind = np.roll(np.eye(n), 1, axis=1), np.roll(np.eye(n), -1, axis=1)
    generator = (
        np.diag(drift(theta)) @ (ahead - behind) / (2 * step)
        + np.diag(variance(theta) / 2) @ (ahead + behind - 2 * np.eye(n)) / step**2
    )
    density = np.linalg.svd(generator.T)[2][-1]
    return theta, density / density.sum()


@pytest.mark.statement("prop-ring", asked=1e-3)
def test_the_ring_tends_to_von_mises(measured):
    """The drift at several angles; the stationary law by a grid; and exercise 5.5, noise of varying strength."""
    a = 2.0
    ring = landscapes.ring(a)
    for theta in (0.3, 2.0, 4.5):
        x = jnp.array([np.cos(theta), np.sin(theta)])
        total = drift_terms(ring, ring.cov(x), x).total
        measured(abs(-np.sin(theta) * total[0] + np.cos(theta) * total[1] - a / 4 * np.sin(theta)))
    theta, density = stationary_density(lambda s: a / 4 * np.sin(s), lambda s: 1 + 0 * s)
    measured(abs(np.cos(theta) @ density + iv(1, a / 2) / iv(0, a / 2)))
    von_mises = np.exp(-a / 2 * np.cos(theta))
    measured(abs(density - von_mises / von_mises.sum()).sum())

    def strength(s):
        return 1 + 0.5 * np.sin(s + 0.4)

    theta, density = stationary_density(
        lambda s: -(strength(s) ** 2) / 4 * (-a * np.sin(s)), lambda s: strength(s) ** 2
    )
    expected = von_mises / strength(theta) ** 2
    measured(abs(density - expected / expected.sum()).sum())


def motor_velocity(k, angles):
    """dθ/dt by the main theorem, from the loss and the covariance of the landscape alone."""
    motor, angles = landscapes.phase_motor(k), jnp.asarray(angles)

    def velocity(theta):
        x = jnp.zeros(2 + k).at[0].set(jnp.cos(theta)).at[1].set(jnp.sin(theta))
        total = drift_terms(motor, motor.cov(x), x).total
        return jnp.cos(theta) * total[1] - jnp.sin(theta) * total[0]

    return np.asarray(jax.jit(jax.vmap(velocity))(angles))


@pytest.mark.statement("prop-motor", asked=1e-9)
def test_the_motor_turns_for_three_phases_and_more(measured):
    """The velocity from ½∂²Φ[Σ]; its lower bound and its mean; a phase shift."""

    def velocity(theta, k):
        return ch05.motor_speed(theta, k, 0.0)

    for k, theta in ((3, 0.4), (5, 2.0)):
        measured(abs(motor_velocity(k, [theta])[0] - velocity(theta, k)))
    grid, kappa = np.linspace(0, 2 * np.pi, 1001), 2 - 3**0.5
    for k in range(3, 9):
        least = min(velocity(theta, k) for theta in grid)
        bound = k / 4 * (kappa - 4 * kappa**k / (1 - kappa**k))
        assert 0 < bound <= least < bound + 4e-3
        measured(abs(np.mean([velocity(theta, k) for theta in grid[:-1]]) - k * kappa / 4))
    for theta in (0.3, 2.2):  # a shift by π: backwards, and by a quarter turn: no mean speed
        assert ch05.motor_speed(theta, 3, np.pi) < 0
    assert abs(np.mean([ch05.motor_speed(theta, 3, np.pi / 2) for theta in grid[:-1]])) < 1e-12


@pytest.mark.statement("prop-motor", asked=5e-4)
def test_the_period_of_three_phases(measured):
    """∫dθ/v over the circle, v by the main theorem: 32.652; and by an ODE solver on the written-out speed."""
    grid = 2 * np.pi * np.arange(96) / 96  # the integrand is periodic: this rule is exact to rounding
    measured(abs(2 * np.pi * np.mean(1 / motor_velocity(3, grid)) - 32.652))
    turn = solve_ivp(
        lambda t, y: [ch05.motor_speed(y[0], 3, 0.0)], (0, 32.652), [0.7], rtol=1e-10, atol=1e-12
    )
    measured(abs(turn.y[0, -1] - 0.7 - 2 * np.pi))


@pytest.mark.statement("prop-motor", asked=1e-12)
@pytest.mark.parametrize(
    ("k", "stable", "unstable", "rest"),
    [
        (1, [np.pi], [0.0], [0.0, np.pi, 1.5 * np.pi]),
        (2, [0.0, np.pi], [np.arctan(0.5), np.pi + np.arctan(0.5)], [0.0, np.pi, np.arctan(0.5)]),
    ],
)
def test_one_and_two_phases_do_not_turn(k, stable, unstable, rest, measured):
    """By the main theorem the velocity is zero at the points of rest; each motion ends at one, within a turn."""
    measured(abs(motor_velocity(k, rest)).max())
    for points, sign in ((stable, 1), (unstable, -1)):
        assert (sign * motor_velocity(k, np.array(points) - 0.01) > 0).all()
        assert (sign * motor_velocity(k, np.array(points) + 0.01) < 0).all()
    ends = stable + ([1.5 * np.pi] if k == 1 else [])
    starts = np.linspace(0.05, 6.2, 12)
    motion = solve_ivp(
        lambda t, y: [ch05.motor_speed(s, k, 0.0) for s in y], (0, 2000), starts, method="LSODA"
    )
    final = motion.y[:, -1]
    assert abs(final - starts).max() < 2 * np.pi
    # near 3π/2 the speed falls with the square of the distance, so that the way there has no end in sight
    assert abs(np.exp(1j * final)[:, None] - np.exp(1j * np.array(ends))).min(1).max() < 0.02


def test_the_limit_at_a_crossing_ends_with_the_stated_probability():
    """Exercise 5.8: E e^{−λZ} solves the backward equation, and SGD crosses about as often."""
    t, z, lam, h = 0.7, 1.3, 2.0, 1e-4

    def f(t, z):
        return np.exp(-lam * z / (1 + 2 * lam * t))

    in_time = (f(t + h, z) - f(t - h, z)) / (2 * h)
    in_space = (f(t, z + h) - 2 * f(t, z) + f(t, z - h)) / h**2
    assert abs(in_time - 2 * z * in_space) < 1e-6
    crossing = Loss(lambda x: 0.5 * x[0] ** 2 * x[1] ** 2)
    x = jnp.array([0.8, 0.0])
    np.testing.assert_allclose(drift_terms(crossing, jnp.eye(2), x).total, [-1 / 1.6, 0.0], atol=1e-12)
    run = sgd(
        GaussianNoise(crossing, 1.0), jnp.array([1.0, 0.0]), 0.02, 2500,
        jax.random.split(jax.random.key(2), 1000), save_every=5,
    )  # fmt: skip
    far = np.abs(np.asarray(run.states))
    share = (far[..., 1] > far[..., 0]).any(1).mean()
    assert abs(share - np.exp(-0.5)) < 4 * 0.5 / 1000**0.5
