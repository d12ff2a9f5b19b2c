import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from labnoise import (
    FiniteNoise,
    GaussianNoise,
    LabelNoise,
    LeastSquares,
    MinibatchNoise,
    SparseRegression,
    landscapes,
)

DRAW = np.random.default_rng(0)  # NumPy's, as what stands here is made in every worker
DESIGN = DRAW.standard_normal((4, 7))
PROBLEM = SparseRegression(DESIGN, DESIGN[:, :3].sum(axis=1), "square", loss_scale=0.6)
X = 1 + 0.3 * DRAW.standard_normal(7)
TILTED = jnp.array([[2.0, 0.7, 0.0], [0.7, 0.5, -0.2], [0.0, -0.2, 0.3]])

NOISES = {
    "label": LabelNoise(PROBLEM, 0.8),
    "label, normal, batch of 3": LabelNoise(PROBLEM, 0.8, batch_size=3, distribution="normal"),
    "label, full gradient": LabelNoise(PROBLEM, 0.8, batch_size=2, gradient="full"),
    "mini-batch": MinibatchNoise(PROBLEM, batch_size=2),
    "mini-batch, pair": MinibatchNoise(PROBLEM, kind="pair", strength=0.7),
    "Gaussian, number": GaussianNoise(PROBLEM, 0.3),
    "Gaussian, matrix": GaussianNoise(landscapes.four_terms(), TILTED),
    "Gaussian, function": GaussianNoise(landscapes.four_terms(), landscapes.four_terms().cov),
    "finite": FiniteNoise(PROBLEM, lambda x: jnp.outer(x, jnp.array([2.0, -1.0, -1.0]))),
}


@pytest.mark.parametrize("name", NOISES)
def test_samples_have_the_stated_mean_and_covariance(name):
    noise = NOISES[name]
    x = X if noise.problem is PROBLEM else jnp.array([0.6, -0.9, 0.4])
    samples = jax.vmap(lambda key: noise.sample_gradient(key, x))(jax.random.split(jax.random.key(2), 40_000))
    centred = samples - noise.problem.gradient(x)
    products = centred[:, :, None] * centred[:, None, :]
    covariance = noise.covariance(x)
    for values, expected in ((centred, 0.0), (products, covariance)):
        sigma = values.std(0) / len(values) ** 0.5 + 1e-12
        assert float((abs(values.mean(0) - expected) / sigma).max()) < 5


@pytest.mark.statement("Label noise on Γ: Σ = c∇²L, c = 2δ²/B", asked=1e-12)
@pytest.mark.parametrize("gradient", ["batch", "full"])
def test_label_noise_is_the_hessian_on_the_manifold(measured, gradient):
    x = jnp.array([1.0, -2.0, 3.0, 0.5])
    problem = LeastSquares(lambda x: jnp.sin(x[:2]) * x[2:], jnp.sin(x[:2]) * x[2:], loss_scale=0.25)
    noise = LabelNoise(problem, 0.7, batch_size=3, gradient=gradient)
    measured(abs(noise.covariance(x) - 2 * 0.25 * 0.7**2 / 3 * problem.hessian(x)).max())


@pytest.mark.statement("Label noise on Γ, batch drawn without replacement: Σ = c∇²L", asked=1e-12)
@pytest.mark.parametrize("batch_size", [1, 2, 4])
def test_label_noise_without_replacement_is_the_hessian_too(measured, batch_size):
    """Every batch of different examples and every choice of signs, by stochastic gradients of the loss itself."""

    def predict(x):
        return jnp.array([x[0] * x[1], jnp.sin(x[2]), x[3] + x[0] ** 2, x[1] * x[4]])

    x = jnp.array([1.0, -2.0, 0.4, 0.5, 0.8])
    problem, delta = LeastSquares(predict, predict(x)), 0.7
    slopes = jax.jacobian(lambda labels: jax.jacobian(lambda x: (predict(x) - labels) ** 2)(x))
    per_label = np.asarray(
        slopes(predict(x))
    )  # [i, a, j]: how label j moves the gradient of example i's loss
    outcomes = np.array(
        [
            sum(delta * sign * per_label[i, :, i] for i, sign in zip(batch, signs, strict=True)) / batch_size
            for batch in itertools.combinations(range(4), batch_size)
            for signs in itertools.product((-1, 1), repeat=batch_size)
        ]
    )
    measured(abs(outcomes.mean(0)).max())
    covariance = outcomes.T @ outcomes / len(outcomes)
    measured(abs(covariance - 2 * delta**2 / batch_size * problem.hessian(x)).max())


@pytest.mark.statement("Mini-batch noise vanishes on Γ", asked=1e-15)
def test_minibatch_noise_dies_on_the_manifold(measured):
    x = jnp.array([1.0, -2.0, 3.0, 0.5])
    problem = LeastSquares(lambda x: jnp.sin(x[:2]) * x[2:], jnp.sin(x[:2]) * x[2:])
    for noise in (MinibatchNoise(problem), MinibatchNoise(problem, kind="pair")):
        measured(abs(noise.covariance(x)).max())
        measured(abs(noise.sample_gradient(jax.random.key(0), x)).max())


def test_jit_vmap_grad():
    noise = LabelNoise(PROBLEM, 0.8)
    traced = jax.jit(lambda delta, x: jnp.trace(LabelNoise(PROBLEM, delta).covariance(x)))
    assert float(jax.grad(traced)(0.8, X)) > 0
    assert jax.vmap(noise.covariance)(jnp.stack([X, X])).shape == (2, 7, 7)
    np.testing.assert_allclose(traced(0.8, X), jnp.trace(noise.covariance(X)))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: LabelNoise(landscapes.valley(), 1.0), "problem = .*LeastSquares"),
        (lambda: LabelNoise(PROBLEM, -1.0), "delta = -1.0"),
        (lambda: LabelNoise(PROBLEM, 1.0, batch_size=0), "batch_size = 0: pass at least 1"),
        (lambda: LabelNoise(PROBLEM, 1.0, batch_size=1.5), "batch_size = 1.5: pass a whole number"),
        (lambda: LabelNoise(PROBLEM, 1.0, distribution="cauchy"), "distribution = 'cauchy': choose one of"),
        (lambda: LabelNoise(PROBLEM, 1.0, gradient="half"), "gradient = 'half'"),
        (lambda: MinibatchNoise(PROBLEM, kind="triple"), "kind = 'triple'"),
        (lambda: MinibatchNoise(PROBLEM, batch_size=2, kind="pair"), "batch_size = 2"),
        (lambda: MinibatchNoise(PROBLEM, strength=2.0), "strength = 2.0"),
        (lambda: GaussianNoise(PROBLEM, -1.0), "cov = -1.0"),
        (lambda: GaussianNoise(PROBLEM, jnp.array([[1.0, 0.5], [0.0, 1.0]])), "cov = .*symmetric"),
        (lambda: GaussianNoise(PROBLEM, jnp.diag(jnp.array([1.0, -1.0]))), "cov = .*negative eigenvalue"),
        (lambda: GaussianNoise(jnp.sin, 1.0), "problem = .*pass a Loss"),
        (lambda: GaussianNoise(PROBLEM, jnp.eye(3)).check_at(X), r"the shape of cov = \(3, 3\).*D = 7"),
        (lambda: FiniteNoise(PROBLEM, 1.0), "sigma = 1.0"),
        (lambda: FiniteNoise(PROBLEM, lambda x: jnp.ones((7, 2))).check_at(X), "sum of the columns"),
        (lambda: FiniteNoise(PROBLEM, lambda x: jnp.ones((6, 2))).check_at(X), r"the shape of sigma\(x\)"),
    ],
)
def test_bad_input_is_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()
