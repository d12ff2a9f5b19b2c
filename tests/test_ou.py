import jax
import jax.numpy as jnp
import numpy as np
import pytest
from random_losses import random_covariance, random_loss

from labnoise import GaussianNoise, Loss, canonical_sde, drift_terms, ornstein_uhlenbeck, project, sgd

H = jnp.array([[2.0, 0.6, 0.0], [0.6, 1.0, 0.0], [0.0, 0.0, 0.0]])
COV = jnp.array([[1.0, -0.4, 0.2], [-0.4, 0.8, 0.1], [0.2, 0.1, 0.3]])
N = jnp.diag(jnp.array([1.0, 1.0, 0.0]))
ETA = 0.3
QUADRATIC = Loss(lambda x: 0.5 * x @ H @ x)


@pytest.mark.statement("OU: HS + SH = ηΣ_⊥, and HS + SH − ηHSH = ηΣ_⊥ for the recursion", asked=1e-12)
def test_stationary_covariances(measured):
    near = ornstein_uhlenbeck(H, COV, ETA)
    S = near.stationary_covariance
    measured(abs(H @ S + S @ H - ETA * N @ COV @ N).max())
    S = near.discrete_stationary_covariance
    measured(abs(H @ S + S @ H - ETA * H @ S @ H - ETA * N @ COV @ N).max())


@pytest.mark.statement("OU, label noise: S = (ηc/2)N, discrete ηc(2 − ηH)^{-1}N", asked=1e-12)
def test_label_noise_is_isotropic(measured):
    near = ornstein_uhlenbeck(H, 0.7 * H, ETA)
    measured(abs(near.stationary_covariance - ETA * 0.7 / 2 * N).max())
    discrete = ETA * 0.7 * jnp.linalg.inv(2 * jnp.eye(3) - ETA * H) @ N
    measured(abs(near.discrete_stationary_covariance - discrete).max())


@pytest.mark.statement("OU: d/dk of mean and covariance", asked=1e-8)
def test_mean_and_covariance_solve_their_equations(measured):
    near, k, h, x0 = ornstein_uhlenbeck(H, COV, ETA), 3.0, 1e-3, jnp.array([1.0, -2.0, 0.5])
    slope = (near.mean(k + h, x0) - near.mean(k - h, x0)) / (2 * h)
    measured(abs(slope + ETA * H @ near.mean(k, x0)).max() / 10)
    C = near.covariance(k)
    slope = (near.covariance(k + h) - near.covariance(k - h)) / (2 * h)
    measured(abs(slope + ETA * (H @ C + C @ H) - ETA**2 * COV).max() / 10)
    measured(abs(near.covariance(0.0)).max())


@pytest.mark.statement("Second-order Taylor: tangent velocity −(η²/2)T∂²(∇L)[L_H^{-1}Σ_⊥] a step", asked=1e-6)
@pytest.mark.parametrize("label_noise", [False, True])
def test_second_order_taylor(measured, label_noise):
    problem, x, _, _ = random_loss(3, 4, 2)
    x = project(problem, x)
    hessian, eta, c, h = problem.hessian(x), 0.1, 0.7, 1e-3
    cov = c * hessian if label_noise else random_covariance(3, 4)
    S = ornstein_uhlenbeck(hessian, cov, eta).stationary_covariance
    # −η E T∇L(x + Δ) over the stationary spread of Δ, scaled down by h: points x ± h·σ_i with Σσ_iσ_iᵀ = S
    tangents = np.linalg.svd(hessian)[0][:, 2:]
    eigenvalues, vectors = np.linalg.eigh(S)
    points = h * vectors * np.sqrt(np.maximum(eigenvalues, 0))
    slopes = jax.jit(jax.vmap(problem.gradient))(x + np.concatenate([points.T, -points.T]))
    velocity = -eta * tangents @ (tangents.T @ slopes.sum(0) / (2 * h**2))
    expected = eta**2 * drift_terms(problem, cov, x).normal
    size = jnp.linalg.norm(expected)
    measured(jnp.linalg.norm(velocity - expected) / size)
    if label_noise:
        slope = jax.jit(jax.grad(lambda x: jnp.trace(problem.hessian(x))))(x)
        local = -(eta**2) * c / 4 * tangents @ (tangents.T @ slope)
        measured(jnp.linalg.norm(velocity - local) / size)


def test_discrete_covariance_is_that_of_a_long_simulation():
    run = sgd(
        GaussianNoise(QUADRATIC, COV), jnp.zeros(3), ETA, 60, jax.random.split(jax.random.key(0), 20_000)
    )
    x = run.states[:, -1]
    products = x[:, :, None] * x[:, None, :]
    expected = ornstein_uhlenbeck(H, COV, ETA).discrete_stationary_covariance
    sigma = products.std(0) / len(x) ** 0.5
    assert float((abs(products.mean(0) - expected) / sigma)[:2, :2].max()) < 4.5
    continuous = ornstein_uhlenbeck(H, COV, ETA).stationary_covariance
    assert float((abs(products.mean(0) - continuous) / sigma)[0, 0]) > 10  # the O(ηλ) difference is seen


def test_samples_and_canonical_sde_have_the_exact_law():
    near, x0, k = ornstein_uhlenbeck(H, COV, ETA), jnp.array([1.0, -2.0, 0.5]), 4
    keys = jax.random.split(jax.random.key(1), 20_000)
    exact = near.sample(keys, jnp.array([1.5, 4.0]), x0)[:, -1]
    fine = canonical_sde(GaussianNoise(QUADRATIC, COV), x0, ETA, k, keys, dt=1 / 50).states[:, -1]
    for x, bias in ((exact, 0.0), (fine, 0.02)):
        centred = x - near.mean(k, x0)
        products = centred[:, :, None] * centred[:, None, :]
        for values, expected in ((centred, 0.0), (products, near.covariance(k))):
            sigma = values.std(0) / len(values) ** 0.5
            assert float(((abs(values.mean(0) - expected) - bias * abs(expected)) / sigma).max()) < 4.5


def test_canonical_sde_counts_time_in_steps():
    run = canonical_sde(
        GaussianNoise(QUADRATIC, 0.0),
        jnp.ones(3),
        lambda k: 0.1 / (1 + k),
        6,
        jax.random.key(0),
        dt=0.5,
        save_every=2,
    )
    x = jnp.ones(3)
    for k in range(6):
        for _ in range(2):
            x = x - 0.5 * 0.1 / (1 + k) * H @ x
    assert run.steps.tolist() == [0, 2, 4, 6]
    np.testing.assert_allclose(run.states[-1], x, rtol=1e-12)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ornstein_uhlenbeck(-H, COV, ETA), "hessian = .*negative"),
        (lambda: ornstein_uhlenbeck(H, COV[:2, :2], ETA), "the shape of cov"),
        (lambda: ornstein_uhlenbeck(H, COV, 0.0), "learning_rate = 0.0"),
        (lambda: ornstein_uhlenbeck(H, COV, 1.0), "learning_rate = 1.0: it must be below 2/λ_max"),
        (lambda: canonical_sde(QUADRATIC, jnp.ones(3), 0.1, 5, jax.random.key(0)), "noise = "),
        (
            lambda: canonical_sde(
                GaussianNoise(QUADRATIC, 1.0), jnp.ones(3), 0.1, 5, jax.random.key(0), dt=0.4
            ),
            "dt = 0.4",
        ),
    ],
)
def test_bad_input_is_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()
