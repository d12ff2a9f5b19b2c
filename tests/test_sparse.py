import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from labnoise import SparseRegression, label_noise_flow, project, random_sparse_regression

SHAPES = list(itertools.product(["difference", "square"], ["gaussian", "boolean"]))


def instance(parametrization, design, n=20, d=50, sparsity=3, loss_scale=0.8):
    problem, w_star = random_sparse_regression(
        jax.random.key(4), n, d, sparsity, design, parametrization, loss_scale
    )
    x0 = jnp.exp(0.4 * jax.random.normal(jax.random.key(5), (d if parametrization == "square" else 2 * d,)))
    return problem, w_star, x0


@pytest.mark.parametrize(("parametrization", "design"), SHAPES)
def test_projection_is_on_the_manifold_and_conserves_what_flow_conserves(parametrization, design):
    problem, _, x0 = instance(parametrization, design)
    end = project(problem, x0)
    assert float(abs(problem.residual(end)).max()) < 1e-13
    logs = jnp.log(end / x0)
    if parametrization == "difference":
        np.testing.assert_allclose(logs[:50], -logs[50:], atol=1e-13)  # u_j v_j
        logs = logs[:50]
    # the logarithm of the factor lies in the row space of Z
    coefficients = jnp.linalg.lstsq(problem.design.T, logs)[0]
    np.testing.assert_allclose(problem.design.T @ coefficients, logs, atol=1e-12)
    np.testing.assert_allclose(project(problem, end), end, rtol=1e-12)


def test_projection_leaves_an_exact_solution_alone():
    problem = SparseRegression(jnp.array([[1.0, 2.0]]), jnp.array([3.0]), "square")
    np.testing.assert_array_equal(project(problem, jnp.ones(2)), jnp.ones(2))


@pytest.mark.parametrize("parametrization", ["difference", "square"])
def test_projection_is_differentiable_twice(parametrization):
    problem, _, x0 = instance(parametrization, "gaussian", n=2, d=5, sparsity=2)
    for jacobian in (jax.jacfwd, jax.jacrev):
        slope = jacobian(lambda x: project(problem, x))(x0)
        np.testing.assert_allclose(slope @ problem.gradient(x0), 0, atol=1e-12)  # Lemma 1
        end = project(problem, x0)
        J = problem.jacobian(end)
        tangent = jnp.eye(x0.size) - jnp.linalg.pinv(J) @ J
        np.testing.assert_allclose(jacobian(lambda x: project(problem, x))(end), tangent, atol=1e-12)
    # Lemma 1 differentiated once more along ∇L
    second = jax.jacfwd(jax.jacrev(lambda x: project(problem, x)))(x0)
    g, H = problem.gradient(x0), problem.hessian(x0)
    np.testing.assert_allclose(jnp.einsum("aij,i,j", second, g, g) + slope @ H @ g, 0, atol=1e-10)


@pytest.mark.statement("The limiting flow's closed form ends at m-weighted basis pursuit", asked=1e-9)
@pytest.mark.parametrize(("parametrization", "design"), SHAPES)
def test_late_anneal_is_basis_pursuit(measured, parametrization, design):
    problem, _, x0 = instance(parametrization, design)
    late, end = label_noise_flow(problem, x0, jnp.array([60.0, jnp.inf]), delta=0.5)
    measured(abs(problem.weights(late) - problem.basis_pursuit(problem.second_moments)).max())
    np.testing.assert_allclose(problem.weights(end), problem.weights(late), atol=1e-9)
    np.testing.assert_array_equal(jnp.sign(end[jnp.abs(end) > 1e-3]), 1.0)
    if design == "boolean":  # m = 1: unweighted basis pursuit
        np.testing.assert_allclose(problem.weights(end), problem.basis_pursuit(), atol=1e-12)


@pytest.mark.statement("The limiting flow's closed form solves dY/dt = −(c/4) T∇tr∇²L", asked=1e-7)
@pytest.mark.parametrize(("parametrization", "design"), SHAPES)
def test_anneal_solves_its_equation(measured, parametrization, design):
    problem, _, x0 = instance(parametrization, design)
    delta, h = 0.7, 1e-4
    before, y, after = label_noise_flow(problem, x0, jnp.array([0.2 - h, 0.2, 0.2 + h]), delta)
    J = problem.jacobian(y)
    trace_gradient = jax.grad(lambda x: 2 * 0.8 / 20 * (problem.jacobian(x) ** 2).sum())(y)
    tangent = trace_gradient - jnp.linalg.pinv(J) @ (J @ trace_gradient)
    velocity = -(2 * 0.8 * delta**2) / 4 * tangent
    measured(abs((after - before) / (2 * h) - velocity).max() / abs(velocity).max())


@pytest.mark.statement("The limiting flow is the hyperbolic-entropy projection of w₀e^{−8ctm}", asked=1e-11)
@pytest.mark.parametrize("design", ["gaussian", "boolean"])
def test_anneal_is_a_bregman_projection(measured, design):
    problem, _, x0 = instance("difference", design, loss_scale=1.0)
    delta, Z = 0.5, problem.design
    shrink = jnp.exp(-8 * 2 * delta**2 * 0.05 * (Z**2).mean(0))  # e^{−8ctm}
    u, v = x0[:50], x0[50:]
    w = problem.weights(label_noise_flow(problem, x0, jnp.array([0.05]), delta)[0])
    scale = u * v * shrink
    # the slope of the entropy Σ w asinh(w/2β) − √(w² + 4β²) changes by a combination of the rows of Z
    moved = jnp.arcsinh(w / (2 * scale)) - jnp.arcsinh((u**2 - v**2) * shrink / (2 * scale))
    rows = jnp.linalg.qr(Z.T)[0]
    measured(abs(moved - rows @ (rows.T @ moved)).max())
    measured(abs(Z @ w - problem.targets).max())


@pytest.mark.statement("The loss ¼(f − y)² with Σ = c∇²L: Y(t) = Φ(v e^{−ctm})", asked=1e-13)
def test_anneal_with_a_quarter_of_the_squares(measured):
    problem, _, x0 = instance("square", "gaussian", loss_scale=0.25)
    delta, t = 1.3, 0.4
    c = delta**2 / 2
    shrunk = project(problem, x0 * jnp.exp(-c * t * (problem.design**2).mean(0)))
    measured(abs(label_noise_flow(problem, x0, jnp.array([t]), delta)[0] - shrunk).max())


@pytest.mark.statement(
    "Price of the initialization's scale: ln10/(4c) a decade for Boolean designs", asked=1e-9
)
@pytest.mark.parametrize("parametrization", ["difference", "square"])
def test_price_of_the_scale(measured, parametrization):
    problem, _, x0 = instance(parametrization, "boolean", loss_scale=1.0)
    t, c = jnp.array([0.0, 0.1, 0.5]), 2.0
    decade = jnp.log(10) / (4 * c)
    assert round(float(decade), 3) == 0.288
    measured(
        abs(label_noise_flow(problem, 10 * x0, t + decade, 1.0) - label_noise_flow(problem, x0, t, 1.0)).max()
    )


def test_price_of_the_scale_for_gaussian_designs_is_higher():
    problem, w_star, _ = instance("difference", "gaussian", n=40, d=100, sparsity=5, loss_scale=1.0)
    t, arrivals = jnp.linspace(0.2, 3.0, 141), []
    for scale in (1.0, 10.0):
        path = label_noise_flow(problem, scale * jnp.ones(200), t, 1.0)
        errors = jnp.linalg.norm(jax.vmap(problem.weights)(path) - w_star, axis=1)
        arrivals.append(float(t[jnp.argmax(errors < 0.01)]))
    moments = problem.second_moments
    assert np.log(10) / 8 < arrivals[1] - arrivals[0] < np.log(10) / (8 * float(moments.min()))


@pytest.mark.statement("Kernel regime, scale → ∞ with u = v: ŵ = Z†y", asked=1e-9)
def test_kernel_regime(measured):
    problem, _, _ = instance("difference", "gaussian")
    w = problem.weights(project(problem, jnp.full(100, 1e3)))
    measured(abs(w - np.linalg.pinv(problem.design) @ problem.targets).max())


@pytest.mark.statement(
    "Kernel regime, unbalanced: w₀ + DZᵀ(ZDZᵀ)^{-1}(y − Zw₀), D = diag(u² + v²)", asked=1e-9
)
def test_unbalanced_kernel_regime(measured):
    problem, _, x0 = instance("difference", "gaussian")
    Z, y = np.asarray(problem.design), np.asarray(problem.targets)
    D, w0 = 1e6 * np.asarray(x0[:50]) ** 2, np.sin(np.arange(50.0))
    u, v = np.sqrt((D + w0) / 2), np.sqrt((D - w0) / 2)
    w = problem.weights(project(problem, jnp.concatenate([u, v])))
    measured(abs(w - w0 - D * (Z.T @ np.linalg.solve((Z * D) @ Z.T, y - Z @ w0))).max())


@pytest.mark.statement("Kernel regime, Gaussian: ‖ŵ − w*‖²/‖w*‖² is Beta((d − n)/2, n/2)", asked=0.03)
def test_gaussian_kernel_regime_has_a_beta_law(measured):
    n, d, sparsity = 6, 15, 3

    def error(key):
        problem, w_star = random_sparse_regression(key, n, d, sparsity)
        return jnp.sum((problem.minimum_norm() - w_star) ** 2) / sparsity

    errors = jax.jit(jax.vmap(error))(jax.random.split(jax.random.key(6), 5000))
    law = stats.beta((d - n) / 2, n / 2)
    assert abs(law.mean() - (1 - n / d)) < 1e-12
    distance = stats.kstest(np.asarray(errors), law.cdf)
    assert distance.pvalue > 1e-3
    measured(distance.statistic)


@pytest.mark.statement("Kernel regime, Boolean: the mean error is 1 − E[rank Z]/d", asked=1e-12)
def test_boolean_kernel_regime_over_all_designs(measured):
    n, d = 3, 4
    designs = jnp.array(list(itertools.product([-1.0, 1.0], repeat=n * d))).reshape(-1, n, d)
    w_star = jnp.array([1.0, -2.0, 0.5, 0.0])

    @jax.vmap
    def error(Z):
        return jnp.sum((SparseRegression(Z, Z @ w_star).minimum_norm() - w_star) ** 2)

    ranks = np.linalg.matrix_rank(np.asarray(designs))
    assert ranks.min() < n  # some rows repeat: E[rank Z] < n
    measured(abs(error(designs).mean() / jnp.sum(w_star**2) - (1 - ranks.mean() / d)))


def test_minimum_norm_and_basis_pursuit():
    problem, w_star, _ = instance("difference", "gaussian")
    np.testing.assert_allclose(problem.design @ problem.minimum_norm(), problem.targets, atol=1e-12)
    np.testing.assert_allclose(
        problem.minimum_norm(), jnp.linalg.pinv(problem.design) @ problem.targets, atol=1e-12
    )
    np.testing.assert_allclose(problem.basis_pursuit(), w_star, atol=1e-12)


def test_start_at_infinitesimal_scale_under_jit_gives_nan_not_a_wrong_answer():
    problem, _, x0 = instance("square", "gaussian")
    dead = x0.at[:].set(0.0)
    assert bool(jnp.isnan(jax.jit(lambda x: project(problem, x))(dead)).all())


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: SparseRegression(jnp.ones((2, 3)), jnp.ones(3)), "the shape of targets"),
        (lambda: SparseRegression(jnp.ones((2, 3)), jnp.ones(2)), "the rank of design = 1"),
        (lambda: SparseRegression(jnp.ones((1, 3)), jnp.ones(1), "cube"), "parametrization = 'cube'"),
        (lambda: SparseRegression(jnp.ones((1, 3)), -jnp.ones(1), "square"), "targets = .*no w > 0"),
        (lambda: SparseRegression(jnp.zeros((0, 3)), jnp.ones(0)), "the shape of design"),
        (lambda: random_sparse_regression(jax.random.key(0), 3, 5, 6), "sparsity = 6"),
        (lambda: random_sparse_regression(jax.random.key(0), 6, 5, 1), "n = 6"),
        (
            lambda: random_sparse_regression(jax.random.key(0), 3, 5, 1, design="fourier"),
            "design = 'fourier'",
        ),
        (lambda: project(instance(*SHAPES[0])[0], jnp.ones(50)), r"x0.*needs \(100,\)"),
        (lambda: project(instance(*SHAPES[2])[0], jnp.zeros(50)), "x0 = .*away from zero"),
        (lambda: label_noise_flow(*instance(*SHAPES[0])[::2], 1.0, 1.0), "t = 1.0: pass an array"),
        (lambda: label_noise_flow(*instance(*SHAPES[0])[::2], jnp.array([-1.0]), 1.0), "t = "),
        (lambda: instance(*SHAPES[0])[0].basis_pursuit(jnp.zeros(50)), "feature_weights = "),
    ],
)
def test_bad_input_is_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()
