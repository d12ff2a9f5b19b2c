import jax
import jax.numpy as jnp
import numpy as np
import pytest

from labnoise import LeastSquares, Loss, landscapes, random_sparse_regression, sharpness


def test_sharpness_is_the_trace_of_the_hessian():
    problem, _ = random_sparse_regression(jax.random.key(0), 6, 9, 2)
    x = jax.random.normal(jax.random.key(1), (18,))
    np.testing.assert_allclose(sharpness(problem, x), jnp.trace(problem.hessian(x)), rtol=1e-12)


@pytest.mark.statement("tr∇²L = 8·Σ m_j (u_j² + v_j²), everywhere", asked=1e-12)
def test_sharpness_of_the_difference_model(measured):
    problem, _ = random_sparse_regression(jax.random.key(0), 6, 9, 2, loss_scale=0.7)
    x = jax.random.normal(jax.random.key(1), (18,))
    expected = 8 * 0.7 * problem.second_moments @ (x[:9] ** 2 + x[9:] ** 2)
    measured(abs(sharpness(problem, x) / expected - 1))


@pytest.mark.statement("∇²L = (2/n) JᵀJ on Γ", asked=1e-12)
def test_hessian_on_the_manifold(measured):
    x = jnp.array([1.0, -2.0, 3.0, 0.5])
    problem = LeastSquares(lambda x: jnp.sin(x[:2]) * x[2:], jnp.sin(x[:2]) * x[2:], loss_scale=0.3)
    J = problem.jacobian(x)
    measured(abs(problem.hessian(x) - 0.3 * (2 / 2) * J.T @ J).max())


def test_gradients_of_examples_add_up():
    problem, _ = random_sparse_regression(jax.random.key(0), 6, 9, 2, loss_scale=0.7)
    general = LeastSquares(problem.predict, problem.targets, 0.7)
    x = jax.random.normal(jax.random.key(1), (18,))
    for model in (problem, general):
        outputs, targets, pullback = model.examples(x, jnp.array([3, 1, 3]))
        residual = outputs - targets
        expected = sum(a * model.jacobian(x)[i] for a, i in zip([1.0, 2.0, 5.0], [3, 1, 3], strict=True))
        np.testing.assert_allclose(residual, model.residual(x)[jnp.array([3, 1, 3])], rtol=1e-12)
        np.testing.assert_allclose(pullback(jnp.array([1.0, 2.0, 5.0])), expected, rtol=1e-12)
        outputs, targets, pullback = model.examples(x)
        residual = outputs - targets
        np.testing.assert_allclose(2 * 0.7 / 6 * pullback(residual), model.gradient(x), rtol=1e-12)


def test_float32_stays_float32():
    problem = landscapes.valley()
    assert problem.gradient(jnp.ones(2, jnp.float32)).dtype == jnp.float32


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Loss(3.0), "fn = 3.0: pass a function"),
        (lambda: LeastSquares(jnp.sin, jnp.zeros((2, 2, 2))), "the shape of targets"),
        (lambda: LeastSquares(jnp.sin, jnp.array([1.0, jnp.nan])), "targets = .*finite"),
        (lambda: LeastSquares(jnp.sin, jnp.zeros(0)), "targets = .*at least one example"),
        (lambda: LeastSquares(jnp.sin, jnp.zeros(2), loss_scale=-1.0), "loss_scale = -1.0: pass a positive"),
        (lambda: sharpness(landscapes.valley(), jnp.ones((2, 2))), "the shape of x"),
        (lambda: sharpness(landscapes.valley(), jnp.array([jnp.inf, 1.0])), "x = .*finite"),
        (lambda: sharpness(Loss(lambda x: x), jnp.ones(2)), "the shape of the loss"),
        (lambda: sharpness(LeastSquares(jnp.sin, jnp.zeros(2)), jnp.ones(3)), r"the shape of predict\(x\)"),
    ],
)
def test_bad_input_is_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()
