import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labnoise import (
    LeastSquares,
    Loss,
    gradient_flow,
    landscapes,
    lyapunov_solve,
    project,
    tangent_projection,
)
from tests.independent import independent_flow
from tests.random_losses import random_loss


@jax.jit
def derivatives_of_projection(problem, x):
    """∂Φ (D, D) and ∂²Φ (D, D, D), compiled once for all tests."""

    def slope(x):
        first = jax.jacrev(lambda x: project(problem, x))(x)
        return first, first

    second, first = jax.jacfwd(slope, has_aux=True)(x)
    return first, second


@pytest.mark.statement("Φ, on random losses, D ≤ 20, condition ≤ 1e3", asked=1e-9)
@pytest.mark.parametrize(("dimension", "codimension", "condition"), [(4, 2, 1.0), (20, 12, 1e3)])
def test_projection_is_where_an_independent_flow_ends(measured, dimension, codimension, condition):
    problem, x0, g, _ = random_loss(dimension, dimension, codimension, condition)
    end = project(problem, x0)
    measured(np.linalg.norm(end - independent_flow(problem, x0, 60 * condition)) / np.linalg.norm(end))
    assert float(abs(g(end)).max()) < 1e-10


@pytest.mark.statement("Lemma 1, ∂Φ∇L = 0 off Γ", asked=1e-8)
@settings(max_examples=3)
@given(seed=st.integers(0, 10**6))
def test_lemma_1(measured, seed):
    problem, x0, _, _ = random_loss(seed, 4, 2)
    slope = derivatives_of_projection(problem, x0)[0]
    gradient = problem.gradient(x0)
    measured(jnp.linalg.norm(slope @ gradient) / jnp.linalg.norm(gradient))


@pytest.mark.statement("Lemma 2, ∂Φ = T on Γ", asked=1e-8)
@pytest.mark.parametrize(("dimension", "codimension", "condition"), [(4, 2, 1.0), (4, 2, 1e3)])
def test_lemma_2(measured, dimension, codimension, condition):
    problem, x0, g, _ = random_loss(dimension, dimension, codimension, condition)
    end = project(problem, x0)
    slope = derivatives_of_projection(problem, end)[0]
    G = jax.jacobian(g)(end)
    tangent = jnp.eye(dimension) - jnp.linalg.pinv(G) @ G
    measured(abs(slope - tangent).max())
    measured(abs(tangent_projection(problem, end) - tangent).max())


@pytest.mark.statement("∂Φ off Γ, against finite differences of an independent flow", asked=1e-8)
def test_first_derivative_off_the_manifold(measured):
    problem, x0, _, _ = random_loss(3, 4, 2)
    direction, h = jnp.array([0.3, -0.8, 0.5, 0.1]), 2e-3
    ends = [independent_flow(problem, x0 + k * h * direction, 600.0) for k in (-2, -1, 1, 2)]
    expected = (ends[0] - 8 * ends[1] + 8 * ends[2] - ends[3]) / (12 * h)
    slope = derivatives_of_projection(problem, x0)[0] @ direction
    measured(np.linalg.norm(slope - expected) / np.linalg.norm(expected))


@pytest.mark.statement("∂²Φ[u,v], [u,w] and ½∂²Φ[Σ_⊥] on Γ", asked=1e-6)
def test_second_derivative_on_the_manifold(measured):
    problem, x0, _, _ = random_loss(3, 4, 2)
    x = project(problem, x0)
    second = derivatives_of_projection(problem, x)[1]
    third = jax.jacfwd(problem.hessian)(x)
    H, T = problem.hessian(x), tangent_projection(problem, x)
    P, N = jnp.linalg.pinv(H, rtol=1e-8), jnp.eye(4) - T
    u, v = T @ jnp.array([1.0, 2.0, -1.0, 0.5]), T @ jnp.array([0.5, -1.0, 2.0, 0.3])
    w = N @ jnp.array([1.0, 1.0, 0.3, -0.4])
    S = lyapunov_solve(H, jnp.outer(w, w))
    scale = abs(second).max()
    measured(abs(second @ v @ u + P @ (third @ v @ u)).max() / scale)
    measured(abs(second @ w @ u + T @ (third @ (P @ w) @ u)).max() / scale)
    measured(abs(0.5 * second @ w @ w + 0.5 * T @ jnp.einsum("aij,ij->a", third, S)).max() / scale)


def test_least_squares_needs_no_hessian():
    weights = jax.random.normal(jax.random.key(0), (40,))

    def predict(x):
        return jnp.stack([jnp.tanh(x @ weights), jnp.sin(x[:20]).sum() / 10])

    problem = LeastSquares(predict, jnp.array([0.3, -0.2]))
    x0 = 0.2 * jax.random.normal(jax.random.key(1), (40,))
    end = project(problem, x0)
    assert float(abs(problem.residual(end)).max()) < 1e-12
    general = project(Loss(problem.loss), x0)
    np.testing.assert_allclose(end, general, atol=1e-9)


@pytest.mark.statement("Gradient flow conserves u² − v² on the hyperbola", asked=1e-9)
def test_flow_on_the_hyperbola(measured):
    x0 = jnp.array([2.0, -0.5])
    path = gradient_flow(landscapes.hyperbola(), x0, jnp.array([0.0, 0.1, 1.0, 30.0, jnp.inf]))
    q = path[:, 0] ** 2 - path[:, 1] ** 2
    measured(abs(q / q[0] - 1).max())
    measured(abs(path[-1].prod() - 1))
    np.testing.assert_array_equal(path[0], x0)


def test_flow_is_differentiable_in_start_time_and_targets():
    def end(x0, time, target):
        problem = LeastSquares(lambda x: x[:1] * x[1:], jnp.array([1.0]) * target)
        return gradient_flow(problem, x0, time[None])[0]

    args, h = (jnp.array([1.5, 0.3]), jnp.array(0.2), jnp.array(1.3)), 1e-5
    slopes = jax.jacrev(end, (1, 2))(*args)
    for i in (1, 2):
        lower, upper = list(args), list(args)
        lower[i], upper[i] = args[i] - h, args[i] + h
        expected = (end(*upper) - end(*lower)) / (2 * h)
        np.testing.assert_allclose(slopes[i - 1], expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: project(landscapes.hyperbola(), jnp.zeros(2)), "x0 = .*gradient is zero there"),
        (lambda: project(landscapes.circle(), jnp.zeros(2)), "x0 = .*saddle or a maximum"),
        (lambda: project(Loss(lambda x: 0.25 * x[0] ** 4), jnp.ones(1)), "x0 = .*away from rest"),
        (lambda: project(landscapes.circle(), jnp.array([1.0, jnp.nan])), "x0 = .*finite"),
        (
            lambda: gradient_flow(landscapes.circle(), jnp.ones(2), jnp.array([1.0, 0.5])),
            "times = .*increasing",
        ),
        (lambda: gradient_flow(landscapes.circle(), jnp.ones(2), 1.0), "times = 1.0"),
        (
            lambda: tangent_projection(landscapes.circle(), jnp.array([1.1, 0.0])),
            r"x = .*away from Γ; pass project",
        ),
        (
            lambda: tangent_projection(Loss(lambda x: x[0] ** 2 + 1e-8 * x[1] ** 2), jnp.zeros(2)),
            "rank is not clear",
        ),
    ],
)
def test_bad_input_is_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_under_jit_a_flow_that_does_not_settle_is_nan():
    quartic = Loss(lambda x: 0.25 * x[0] ** 4)
    assert bool(jnp.isnan(jax.jit(lambda x: project(quartic, x))(jnp.ones(1))).all())


SADDLES = [  # the flow from the first start comes to a saddle but for rounding; from the second it does not
    (landscapes.hyperbola().loss, [1.0, -1.0], [1.0, -0.99]),
    (lambda x: (x[0] ** 2 - 1) ** 2 + 3 * (x[1] - 2) ** 2, [0.0, 1.0], [1e-4, 1.0]),
    (lambda x: (x[0] ** 2 - 1) ** 2 + 0.5 * (x[1] - 2) ** 2, [0.0, 1.0], [1e-4, 1.0]),
]


@pytest.mark.parametrize(("loss", "there", "beside"), SADDLES)
def test_where_rounding_would_choose_the_side_of_a_saddle_it_is_said(loss, there, beside):
    """In turned coordinates, where rounding does not keep the symmetry."""
    turn = jnp.array([[0.8, -0.6], [0.6, 0.8]])
    turned = Loss(lambda x: loss(turn.T @ x))
    with pytest.raises(ValueError, match=r"x0 = .*(rounding decides on which side|a saddle)"):
        project(turned, turn @ jnp.array(there))
    end = project(turned, turn @ jnp.array(beside))
    np.testing.assert_allclose(turn.T @ end, project(Loss(loss), jnp.array(beside)), atol=1e-6)


def test_the_side_of_a_saddle_among_examples():
    turn = jnp.array([[0.8, -0.6], [0.6, 0.8]])
    product = LeastSquares(lambda x: (turn.T @ x)[:1] * (turn.T @ x)[1:], jnp.ones(1))  # uv = 1, turned
    with pytest.raises(ValueError, match=r"x0 = .*(rounding decides on which side|a saddle)"):
        project(product, turn @ jnp.array([1.0, -1.0]))
    assert jnp.isfinite(project(product, turn @ jnp.array([1.0, -0.99]))).all()
