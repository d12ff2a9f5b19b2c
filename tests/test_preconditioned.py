"""A fixed preconditioner, and Local SGD: projection and four terms against other derivations and the methods."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from sampling import within_order
from scipy.integrate import quad, solve_ivp

from labnoise import (
    GaussianNoise,
    LabelNoise,
    LeastSquares,
    Loss,
    Noise,
    drift_terms,
    landscapes,
    local_sgd,
    local_sgd_drift,
    project,
    random_sparse_regression,
    tangent_projection,
    train,
)
from labnoise.limits._local_sgd_drift import relaxed

KEY = jax.random.key(5)
HYPERBOLA = landscapes.hyperbola()
BENT = Loss(lambda x: 0.5 * (x[1] - x[0] ** 2) ** 2 * (1 + x[2] ** 2) + 0.5 * (x[2] - x[0]) ** 2)
FULL = jnp.array([[1.0, 0.3, 0.1], [0.3, 0.8, -0.2], [0.1, -0.2, 1.5]])
DIAGONAL = jnp.array([1.0, 2.5, 0.4])


def as_matrix(P):
    return jnp.diag(P) if P.ndim == 1 else P


@pytest.mark.parametrize("P", [DIAGONAL, FULL], ids=["diagonal", "full"])
def test_projection_under_a_preconditioner_is_the_end_of_its_flow(P):
    x0, M = np.array([0.8, 1.3, -0.2]), np.asarray(as_matrix(P))
    flow = solve_ivp(
        lambda _, x: -M @ np.asarray(BENT.gradient(x)), (0, 60), x0, method="LSODA", rtol=1e-12, atol=1e-13
    )
    np.testing.assert_allclose(project(BENT, jnp.asarray(x0), P), flow.y[:, -1], rtol=0, atol=1e-8)


def test_projection_of_the_sparse_model_under_a_preconditioner():
    problem, _ = random_sparse_regression(jax.random.key(0), 3, 5, 2)
    x0 = jnp.linspace(0.5, 1.5, 10)
    np.testing.assert_allclose(project(problem, x0, jnp.full(10, 2.5)), project(problem, x0), atol=1e-9)
    P = jnp.linspace(0.5, 2.0, 10)
    end = project(problem, x0, P)
    np.testing.assert_allclose(problem.residual(end), 0.0, atol=1e-9)
    logs = jnp.log(end / x0) / P  # (u e^{p_u Zᵀs}, v e^{−p_v Zᵀs})
    s = jnp.linalg.lstsq(problem.design.T, logs[:5])[0]
    np.testing.assert_allclose(
        jnp.concatenate([s, -s]) @ jnp.kron(jnp.eye(2), problem.design), logs, atol=1e-9
    )


def test_the_drifts_under_a_preconditioner_are_the_second_derivative_of_its_projection():
    x, P, M = jnp.array([0.7, 0.49, 0.7]), FULL, FULL
    A = jax.random.normal(KEY, (3, 3))
    cov = A @ A.T
    terms = drift_terms(BENT, cov, x, preconditioner=P)
    slope = jax.jacfwd(lambda x: project(BENT, x, P))
    bend = jax.jacfwd(slope)(x)
    np.testing.assert_allclose(terms.total, 0.5 * jnp.einsum("ijk,jk->i", bend, M @ cov @ M), atol=1e-7)
    T = slope(x)
    np.testing.assert_allclose(terms.tangent_noise, T @ M @ cov @ M @ T.T, atol=1e-8)
    np.testing.assert_allclose(T @ terms.compensation, 0.0, atol=1e-8)  # the others are tangent
    np.testing.assert_allclose(T @ (terms.mixed + terms.normal), terms.mixed + terms.normal, atol=1e-8)
    # of label noise −(c/4) T_P P∇tr(PH)
    label = drift_terms(BENT, 0.3 * BENT.hessian(x), x, preconditioner=P)
    slope_of_trace = jax.grad(lambda x: jnp.trace(M @ BENT.hessian(x)))(x)
    np.testing.assert_allclose(label.total, -0.3 / 4 * T @ M @ slope_of_trace, atol=1e-8)


def test_the_identity_changes_nothing():
    x, cov = jnp.array([0.7, 0.49, 0.7]), jnp.diag(jnp.array([0.2, 0.5, 0.1]))
    for ours, plain in zip(
        drift_terms(BENT, cov, x, FULL @ jnp.linalg.inv(FULL)), drift_terms(BENT, cov, x), strict=True
    ):
        np.testing.assert_allclose(ours, plain, atol=1e-12)
    np.testing.assert_allclose(project(BENT, x + 0.1, jnp.ones(3)), project(BENT, x + 0.1), rtol=0, atol=1e-9)
    assert tangent_projection(BENT, x).shape == (3, 3)


def test_preconditioned_label_noise_follows_the_drift_as_the_rate_falls():
    p, delta, t = 3.0, 0.5, 0.4
    P, c = jnp.array([1.0, p]), 2 * delta**2
    start = project(HYPERBOLA, jnp.array([1.5, 0.7]), P)

    def velocity(_, theta):  # on Γ (u, v) = (e^θ, e^{−θ})
        x = jnp.array([np.exp(theta[0]), np.exp(-theta[0])])
        return drift_terms(HYPERBOLA, c * HYPERBOLA.hessian(x), x, P).total[:1] / x[:1]

    theta = solve_ivp(velocity, (0, t), np.log(start[:1]), rtol=1e-9, atol=1e-11).y[0, -1]
    end = jnp.array([np.exp(theta), np.exp(-theta)])
    errors, deviations, rates = [], [], (0.1, 0.05, 0.025)
    for eta in rates:
        optimizer = optax.stateless(lambda g, x, eta=eta: -eta * P * g)
        run = train(
            LabelNoise(HYPERBOLA, delta), start, optimizer, round(t / eta**2), jax.random.split(KEY, 10_000)
        )
        ends = run.states[:, -1]
        errors.append(float(abs(ends.mean(0) - end).max()))
        deviations.append(float((ends.std(0) / len(ends) ** 0.5).max()))
    within_order(errors, rates, 1, deviations)


def test_psi_has_no_cancellation():
    for a in (1e-12, 1e-5, 0.0099, 0.0101, 0.3, 5.0, 800.0):
        exact = quad(lambda s, a: (1 - s) * a * np.exp(-a * s), 0, min(1, 50 / a), a, epsabs=0, epsrel=1e-13)[
            0
        ]
        np.testing.assert_allclose(relaxed(jnp.asarray(a)), exact, rtol=1e-11)
    assert float(relaxed(jnp.zeros(()))) == 0.0


# L = ½(1 + x²)y₁² + 2e^{−x/2}y₂², noise of variance 1 and ½ on y
CHANNEL = Loss(lambda x: 0.5 * (1 + x[0] ** 2) * x[1] ** 2 + 2 * jnp.exp(-x[0] / 2) * x[2] ** 2)
VARIANCES = jnp.array([0.0, 1.0, 0.5])


def channel_limit(workers, alpha, t=0.8):
    def velocity(_, state):
        (x,) = state
        speed = 0.0
        for curvature, slope, variance in (
            (1 + x**2, 2 * x, 1.0),
            (4 * np.exp(-x / 2), -2 * np.exp(-x / 2), 0.5),
        ):
            a = 2 * curvature * alpha
            psi = (a - 1 + np.exp(-a)) / a if alpha else 0.0
            speed -= 0.5 * slope * variance / (2 * curvature) * (1 / workers + (1 - 1 / workers) * psi)
        return [speed]

    return solve_ivp(velocity, (0, t), [1.0], rtol=1e-10, atol=1e-12).y[0, -1], velocity(0, [1.0])[0]


@pytest.mark.parametrize(
    ("workers", "alpha", "known"),
    [(4, 0.0, 0.9625), (4, 0.5, 0.9034), (4, 2.0, 0.8669), (4, 8.0, 0.8549), (8, 2.0, 0.8696)],
)
def test_the_drift_of_local_sgd_in_the_channel(workers, alpha, known):
    end, speed = channel_limit(workers, alpha)
    assert abs(end - known) < 6e-5
    terms = local_sgd_drift(CHANNEL, jnp.diag(VARIANCES), jnp.array([1.0, 0.0, 0.0]), workers, alpha)
    np.testing.assert_allclose(terms.total, [speed, 0.0, 0.0], atol=1e-12)


def test_local_sgd_follows_its_drift_as_the_rate_falls():
    noise, rates, errors, deviations = GaussianNoise(CHANNEL, jnp.diag(VARIANCES)), (0.1, 0.05, 0.025), [], []
    end = channel_limit(4, 0.5)[0]
    for eta in rates:
        steps = round(0.5 / eta)
        keys = jax.random.split(KEY, 2000)
        run = local_sgd(noise, jnp.array([1.0, 0.0, 0.0]), eta, round(0.8 / eta**2) // steps, steps, 4, keys)
        x = run.states[:, -1, 0]
        errors.append(float(abs(x.mean() - end)))
        deviations.append(float(x.std() / x.size**0.5))
    within_order(errors, rates, 1, deviations)
    assert errors[-1] < 0.003 < 0.05 < abs(x.mean() - channel_limit(4, 0.0)[0])


class InTheFrame(Noise):
    """The noise of the circle from a factor that is known: that of a covariance costs more than the step."""

    def __init__(self, circle):
        self.problem = circle
        self.root = jnp.linalg.cholesky(jnp.array([[circle.a, circle.b], [circle.b, circle.d]]))

    def draw(self, key, x):
        return jax.random.normal(key, (2,))

    def gradient(self, x, draw):
        tangent, radial = self.root @ draw
        unit = x / jnp.sqrt(x @ x)
        turned = jnp.array([-unit[1], unit[0]])
        return self.problem.gradient(x) + tangent * turned + radial * unit


def test_the_mixed_term_of_local_sgd_has_psi_of_one_curvature():
    circle, x, eta = landscapes.circle(), jnp.array([1.0, 0.0]), 0.05
    terms = local_sgd_drift(circle, circle.cov(x), x, 4, 1.0)
    run = local_sgd(InTheFrame(circle), x, eta, 20, 20, 4, jax.random.split(KEY, 8000))  # to t = 1
    angle = jnp.arctan2(run.states[:, -1, 1], run.states[:, -1, 0])
    deviation = float(angle.std() / angle.size**0.5)
    assert abs(float(angle.mean() - terms.mixed[1])) < 4.5 * deviation + 0.1 * eta
    wrong = -0.25 * (0.25 + 0.75 * float(relaxed(jnp.array(2.0))))  # with ψ of two curvatures
    assert abs(float(angle.mean()) - wrong) > 5 * deviation
    assert abs(float(angle.var() - terms.tangent_noise[1, 1])) < 0.01


def test_one_worker_and_no_round_are_sgd_and_its_average():
    cov = jnp.diag(jnp.array([0.2, 0.5, 0.1]))
    x = jnp.array([0.7, 0.49, 0.7])
    for ours, plain in zip(local_sgd_drift(BENT, cov, x, 1, 0.7), drift_terms(BENT, cov, x), strict=True):
        np.testing.assert_allclose(ours, plain, atol=1e-12)
    for ours, plain in zip(local_sgd_drift(BENT, cov, x, 5, 0.0), drift_terms(BENT, cov, x), strict=True):
        np.testing.assert_allclose(5 * ours, plain, atol=1e-12)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: project(HYPERBOLA, jnp.ones(2), jnp.array([1.0, 0.0])), "preconditioner = .*positive"),
        (lambda: project(HYPERBOLA, jnp.ones(2), jnp.ones(3)), "the shape of preconditioner = .*D = 2"),
        (lambda: project(HYPERBOLA, jnp.ones(2), jnp.diag(jnp.array([1.0, -1.0]))), "preconditioner = "),
        (lambda: project(HYPERBOLA, jnp.ones(2), jnp.ones((2, 2))), "preconditioner = .*definite"),
        (lambda: project(HYPERBOLA, jnp.ones(2), jnp.array([[1.0, 0.5], [0.0, 1.0]])), "preconditioner = "),
        (lambda: project(HYPERBOLA, jnp.ones(2), 2.0), "the shape of preconditioner"),
        (lambda: drift_terms(HYPERBOLA, jnp.eye(2), jnp.ones(2), -jnp.ones(2)), "preconditioner = "),
        (
            lambda: drift_terms(HYPERBOLA, jnp.eye(2), jnp.array([1.0, 1.01]), jnp.ones(2)),
            "at x = ",
        ),
        (lambda: local_sgd_drift(HYPERBOLA, jnp.eye(2), jnp.ones(2), 0, 1.0), "workers = 0"),
        (lambda: local_sgd_drift(HYPERBOLA, jnp.eye(2), jnp.ones(2), 2, -1.0), "alpha = -1.0"),
        (lambda: local_sgd_drift(HYPERBOLA, -jnp.eye(2), jnp.ones(2), 2, 1.0), "cov = "),
        (lambda: local_sgd_drift(HYPERBOLA, jnp.eye(2), jnp.array([1.0, 1.01]), 2, 1.0), "at x = "),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_jit_and_a_general_least_squares():
    problem = LeastSquares(lambda x: jnp.array([x[0] * x[1] + 0.1 * x[2] ** 2]), jnp.array([1.0]))
    x0 = jnp.array([1.2, 0.9, 0.3])
    end = project(problem, x0, DIAGONAL)
    np.testing.assert_allclose(jax.jit(lambda P: project(problem, x0, P))(DIAGONAL), end, rtol=1e-9)
    np.testing.assert_allclose(project(problem, x0, jnp.diag(DIAGONAL)), end, rtol=1e-8)
    assert abs(float(problem.residual(end)[0])) < 1e-9
