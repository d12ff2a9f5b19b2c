import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labnoise import Loss, drift_terms, landscapes, lyapunov_solve, project, tangent_projection
from tests.random_losses import random_covariance, random_loss
from tests.test_projection import derivatives_of_projection, independent_flow

pytestmark = pytest.mark.xdist_group("test_projection")  # one worker compiles ∂²Φ for both files


@pytest.mark.statement("Main theorem: the three drifts are ½∂²Φ[Σ]", asked=1e-6)
@pytest.mark.parametrize(("dimension", "codimension", "condition"), [(4, 2, 1.0), (4, 2, 1e2)])
def test_drift_is_half_the_second_derivative_of_an_independent_flow(
    measured, dimension, codimension, condition
):
    problem, x0, _, _ = random_loss(5, dimension, codimension, condition)
    x, cov = project(problem, x0), random_covariance(5, dimension, rank=2)
    terms = drift_terms(problem, cov, x)
    values, vectors = np.linalg.eigh(cov)
    h, expected = 4e-3, 0.0
    for direction in (vectors * np.sqrt(np.maximum(values, 0)) / np.sqrt(values.max())).T[-2:]:
        ends = {
            k: independent_flow(problem, x + k * h * direction, 60 * condition) for k in (-3, -2, -1, 1, 2, 3)
        }
        second = 1.5 * (ends[1] + ends[-1]) - 0.15 * (ends[2] + ends[-2]) + (ends[3] + ends[-3]) / 90
        expected = expected + 0.5 * (second - 49 / 18 * np.asarray(x)) / h**2 * values.max()
    measured(np.linalg.norm(terms.total - expected) / np.linalg.norm(expected))


@pytest.mark.statement("Main theorem: ½∂²Φ[Σ] by differentiating project twice", asked=1e-6)
@settings(max_examples=3)
@given(seed=st.integers(0, 10**6))
def test_drift_is_half_the_second_derivative_of_project(measured, seed):
    problem, x0, _, _ = random_loss(seed, 4, 2)
    x, cov = project(problem, x0), random_covariance(seed, 4)
    second = derivatives_of_projection(problem, x)[1]
    expected = 0.5 * jnp.einsum("aij,ij->a", second, cov)
    measured(jnp.linalg.norm(drift_terms(problem, cov, x).total - expected) / jnp.linalg.norm(expected))


@pytest.mark.statement("Compensation and mixed term depend only on Γ and Σ", asked=1e-9)
@settings(max_examples=5)
@given(seed=st.integers(0, 10**6))
def test_geometry(measured, seed):
    problem, x0, _, other = random_loss(seed, 4, 2)
    x, cov = project(problem, x0), random_covariance(seed, 4)
    one, two = drift_terms(problem, cov, x), drift_terms(other, cov, x)
    scale = jnp.linalg.norm(one.total)
    measured(abs(one.tangent_noise - two.tangent_noise).max())
    measured(jnp.linalg.norm(one.compensation - two.compensation) / scale)
    measured(jnp.linalg.norm(one.mixed - two.mixed) / scale)
    assert float(jnp.linalg.norm(one.normal - two.normal) / scale) > 1e-4


@pytest.mark.statement("Label noise Σ = c∇²L: dY/dt = −¼T∇tr[c∇²L]", asked=1e-9)
def test_label_noise_corollary(measured):
    problem, x0, _, _ = random_loss(8, 4, 2)
    x, c = project(problem, x0), 0.7
    H, T = problem.hessian(x), tangent_projection(problem, x)
    expected = -c / 4 * T @ jax.grad(lambda x: jnp.trace(problem.hessian(x)))(x)
    terms = drift_terms(problem, c * H, x)
    measured(jnp.linalg.norm(terms.total - expected) / jnp.linalg.norm(expected))
    measured(jnp.linalg.norm(terms.compensation) + jnp.linalg.norm(terms.mixed))


@pytest.mark.statement("Isotropic Σ = I: the normal term is −¼T∇ln|∇²L|₊", asked=1e-8)
def test_isotropic_corollary(measured):
    problem, x0, _, _ = random_loss(9, 4, 2)
    x = project(problem, x0)
    T = tangent_projection(problem, x)

    def log_determinant(y):  # of the range of H, found along Γ by projecting back
        eigenvalues = jnp.linalg.eigvalsh(problem.hessian(project(problem, y)))
        return jnp.log(eigenvalues[2:]).sum()

    h, axes = 1e-3, np.eye(4)
    slope = np.array(
        [
            (
                8 * (log_determinant(x + h * e) - log_determinant(x - h * e))
                - (log_determinant(x + 2 * h * e) - log_determinant(x - 2 * h * e))
            )
            / (12 * h)
            for e in axes @ T
        ]
    )
    terms = drift_terms(problem, jnp.eye(4), x)
    measured(abs(terms.normal + 0.25 * slope).max() / abs(slope).max())
    measured(jnp.linalg.norm(terms.mixed))


@pytest.mark.statement("four_terms: each term against its closed form", asked=1e-10)
def test_four_terms_each_alone(measured):
    a, s, b, r, v = 1.3, 0.3, 0.2, 0.5, 0.8
    landscape, theta = landscapes.four_terms(a, s, b, r, v), 0.7
    x = jnp.array([jnp.cos(theta), jnp.sin(theta), 0.0])
    tangent, outward = jnp.array([-jnp.sin(theta), jnp.cos(theta), 0.0]), x
    terms = drift_terms(landscape, landscape.cov(x), x)
    measured(abs(terms.tangent_noise - s * jnp.outer(tangent, tangent)).max())
    measured(abs(terms.compensation + s / 2 * outward).max())
    measured(abs(terms.mixed + b * tangent).max())
    measured(abs(terms.normal - a * v / 4 * jnp.sin(theta) * tangent).max())


@pytest.mark.statement("k-phase motor: dθ/dt = ¼Σ τ_i sin(θ−φ_i)/(2+cos(θ−φ_i))", asked=1e-10)
def test_motor_velocity(measured):
    for k, theta in ((3, 0.4), (5, 2.0), (1, 1.0)):
        motor, phases = landscapes.phase_motor(k), 2 * np.pi * np.arange(k) / k
        x = jnp.concatenate([jnp.array([np.cos(theta), np.sin(theta)]), jnp.zeros(k)])
        angles = theta - phases
        speed = 0.25 * ((1 + np.sin(angles)) * np.sin(angles) / (2 + np.cos(angles))).sum()
        expected = speed * jnp.concatenate([jnp.array([-np.sin(theta), np.cos(theta)]), jnp.zeros(k)])
        measured(abs(drift_terms(motor, motor.cov(x), x).total - expected).max())


@pytest.mark.statement("S = L_H^{-1}(Σ_⊥) solves HS + SH = Σ_⊥", asked=1e-12)
def test_lyapunov(measured):
    H, cov = random_covariance(1, 6, rank=4), random_covariance(2, 6)
    N = jnp.linalg.pinv(H, rtol=1e-8) @ H
    S = lyapunov_solve(H, cov)
    measured(abs(H @ S + S @ H - N @ cov @ N).max() / abs(cov).max())
    measured(abs(N @ S @ N - S).max() / abs(cov).max())


def test_jit_vmap_grad():
    circle, cov = landscapes.circle(), jnp.array([[0.5, 0.25], [0.25, 0.7]])
    points = jnp.array([[1.0, 0.0], [0.6, 0.8]])
    totals = jax.vmap(lambda x: drift_terms(circle, cov, x).total)(points)
    np.testing.assert_allclose(totals[1], drift_terms(circle, cov, points[1]).total, atol=1e-12)
    slope = jax.grad(lambda s: drift_terms(circle, s * cov, points[1]).total[0])(2.0)
    np.testing.assert_allclose(slope, totals[1, 0], atol=1e-12)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: drift_terms(landscapes.circle(), jnp.eye(2), jnp.array([1.5, 0.0])), "x = .*away from Γ"),
        (lambda: drift_terms(landscapes.circle(), jnp.eye(3), jnp.array([1.0, 0.0])), "the shape of cov"),
        (lambda: drift_terms(landscapes.circle(), -jnp.eye(2), jnp.array([1.0, 0.0])), "cov = .*negative"),
        (
            lambda: drift_terms(Loss(lambda x: x[0] ** 2 - x[1] ** 2), jnp.eye(2), jnp.zeros(2)),
            "negative eigenvalue",
        ),
        (lambda: lyapunov_solve(jnp.array([[1.0, 2.0], [0.0, 1.0]]), jnp.eye(2)), "hessian = .*symmetric"),
        (
            lambda: lyapunov_solve(jnp.diag(jnp.array([1.0, 1e-8])), jnp.eye(2)),
            "hessian = .*rank is not clear",
        ),
    ],
)
def test_bad_input_is_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()
