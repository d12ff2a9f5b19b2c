"""The flow of a regularizer against SciPy's, and against the methods that follow it, as their learning rates fall."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from sampling import within_order
from scipy.integrate import solve_ivp

from labnoise import (
    GaussianNoise,
    LabelNoise,
    LeastSquares,
    Loss,
    MinibatchNoise,
    PerturbedGradient,
    SharpnessAware,
    SparseRegression,
    label_noise_flow,
    landscapes,
    largest_curvature,
    project,
    random_sparse_regression,
    regularizer_flow,
    sgd,
    sharpness,
    train,
)

KEY = jax.random.key(11)
REPLICAS = jax.random.split(KEY, 200)
DESIGN = jnp.array([[1.0, 0.5, -0.7], [0.3, -1.0, 0.8]])
START = jnp.array([1.1, 0.7, 0.9])
SQUARE = SparseRegression(DESIGN, DESIGN @ START**2, "square")
BESIDE = START + jnp.array([0.003, 0.002, 0.001])  # on Γ itself steps without noise stand still


def half_trace(x):
    return 0.5 * sharpness(SQUARE, x)


def half_largest(x):
    return 0.5 * largest_curvature(SQUARE, x)


def quarter_log(x):
    return 0.25 * jnp.log(largest_curvature(SQUARE, x))


def limit(regularizer, tau=0.3, start=BESIDE):
    return regularizer_flow(SQUARE, start, jnp.array([tau]), regularizer)[0]


def independent(slope, tau):
    """The flow on Γ of the square model by SciPy, from a slope ∇R written in NumPy."""
    Z = np.asarray(DESIGN)

    def velocity(_, x):
        J = 2 * Z * x
        return -(np.eye(3) - np.linalg.pinv(J) @ J) @ slope(x)

    return solve_ivp(velocity, (0, tau), np.asarray(START), method="DOP853", rtol=1e-12, atol=1e-13).y[:, -1]


def slope_of_half_trace(x):
    return 8 * np.mean(np.asarray(DESIGN) ** 2, axis=0) * x  # ½ tr H = 4 Σ m_j x_j² on Γ


def slope_of_half_largest(x, step=1e-5):
    def value(x):  # H = (2/n) JᵀJ on Γ, J = 2Zx, whose continuation off Γ has the same tangent slope
        return np.linalg.eigvalsh((2 * DESIGN * x) @ (2 * DESIGN * x).T)[-1] / 2

    def central(h, axis):
        return (value(x + h * axis) - value(x - h * axis)) / (2 * h)

    step = 1e-3  # with Richardson's extrapolation twice: sixth order
    table = [[central(step / 2**i, axis) for axis in np.eye(3)] for i in range(3)]
    a, b, c = map(np.array, table)
    return (64 * c - 20 * b + a) / 45


@pytest.mark.parametrize(
    ("regularizer", "slope", "known"),
    [
        (half_trace, slope_of_half_trace, (1.03201, 0.04457, 0.50432)),
        (half_largest, slope_of_half_largest, (1.04236, 0.27253, 0.58022)),
    ],
    ids=["trace", "largest"],
)
def test_it_is_the_flow_that_scipy_finds(regularizer, slope, known):
    end = limit(regularizer, start=START)
    np.testing.assert_allclose(end, independent(slope, 0.3), rtol=0, atol=1e-8)
    np.testing.assert_allclose(end, known, rtol=0, atol=1e-5)


def test_of_label_noise_it_is_the_closed_form():
    problem, _ = random_sparse_regression(jax.random.key(0), 5, 7, 2)
    x0, times = jnp.linspace(0.5, 1.5, 14), jnp.array([0.0, 0.05, 0.2])
    path = regularizer_flow(problem, x0, times, lambda x: 0.5 * sharpness(problem, x))  # c = 2δ² = 2
    np.testing.assert_allclose(path, label_noise_flow(problem, x0, times, 1.0), rtol=0, atol=1e-8)


def test_the_trace_by_gradients_of_outputs_has_the_same_flow():
    inputs = jnp.linspace(-1.0, 1.0, 4)[:, None] ** jnp.arange(3)

    def network(x, inputs):
        return jnp.tanh(inputs @ x[:9].reshape(3, 3)) @ x[9:]

    problem = LeastSquares(network, jnp.sin(jnp.arange(4.0)), inputs=inputs)
    x0, times = jnp.sin(jnp.arange(12.0)), jnp.array([0.05, 0.2])
    exact, by_outputs = (
        regularizer_flow(problem, x0, times, regularizer)
        for regularizer in (
            lambda x: 0.5 * sharpness(problem, x),
            lambda x: 0.5 * (problem.conditions(x)[0] ** 2).sum() / 4,
        )
    )
    assert abs(exact[1] - exact[0]).max() > 1e-3
    np.testing.assert_allclose(by_outputs, exact, rtol=0, atol=1e-8)


def test_on_a_general_loss_and_with_weight_decay():
    # L = ½(1 + x²)y², R = ½(1 + x²) + (λ/2)x²: x' = −(1 + λ)x
    valley, x0 = landscapes.valley(), jnp.array([1.0, 0.4])
    times = jnp.array([0.5, 1.0])
    path = regularizer_flow(valley, x0, times, lambda x: 0.5 * sharpness(valley, x) + 0.35 * x @ x)
    foot = project(valley, x0)[0]
    np.testing.assert_allclose(path[:, 0], foot * jnp.exp(-1.7 * times), rtol=1e-9)
    traced = jax.jit(lambda x: regularizer_flow(valley, x, times, lambda x: 0.85 * x @ x))(x0)
    np.testing.assert_allclose(traced, path, rtol=1e-9)


def falling(run, sizes, order, regularizer, tau=0.3):
    """The errors of `run(*size)`, means and standard errors (D,), fall at this order in what comes first."""
    end = limit(regularizer, tau)
    found = [run(*size) for size in sizes]
    errors = [abs(mean - end).max() for mean, _ in found]
    within_order(errors, [size[0] for size in sizes], order, [sigma.max() for _, sigma in found])
    return found[-1][0], errors


def means(run):
    ends = run.states[:, -1]
    return ends.mean(0), ends.std(0) / len(ends) ** 0.5


HYPERBOLA, DELTA, TAU = landscapes.hyperbola(), 0.5, 0.5


def unbalance(x):
    return x[..., 0] ** 2 - x[..., 1] ** 2


def unbalances_fall_to(expected, decay, run, sizes):
    """From q = 2, to the flow's own unbalance and, as the learning rates fall, to that of the method's mean."""

    def regularizer(x):  # c = 2δ²
        return 0.5 * DELTA**2 * sharpness(HYPERBOLA, x) + 0.5 * decay * x @ x

    x0 = HYPERBOLA.point(2.0)
    path = regularizer_flow(HYPERBOLA, x0, jnp.array([TAU]), regularizer)
    np.testing.assert_allclose(unbalance(path[0]), expected, rtol=0, atol=1e-8)
    found = [unbalance(run(x0, size).states[:, -1]) for size in sizes]
    errors = [abs(float(q.mean()) - expected) for q in found]
    within_order(errors, sizes, 1, [float(q.std() / q.size**0.5) for q in found])
    return errors[-1]


def test_label_noise_with_weight_decay_follows_the_sum():
    """A step with decay w = λη takes q = u² − v² to ((1 − ηw)² − η²g²)q, E g² → 4δ²: dq/dt = −(4δ² + 2λ)q, t = η²k."""
    decay = 0.4

    def run(x0, eta):
        rule = optax.chain(optax.add_decayed_weights(decay * eta), optax.sgd(eta))
        return train(LabelNoise(HYPERBOLA, DELTA), x0, rule, round(TAU / eta**2), REPLICAS)

    expected = 2 * np.exp(-(4 * DELTA**2 + 2 * decay) * TAU)
    error = unbalances_fall_to(expected, decay, run, [0.04, 0.02, 0.01])
    assert error < 0.012 < 0.3 < 2 * np.exp(-4 * DELTA**2 * TAU) - expected  # of label noise alone


def test_heavy_ball_follows_the_trace_on_its_own_clock():
    """Steps of η/(1 − β) each in all: dq/dτ = −4δ²q at τ = (η/(1 − β))²k."""
    beta = 0.8

    def run(x0, step):
        steps = round(TAU / step**2)
        return sgd(LabelNoise(HYPERBOLA, DELTA), x0, step * (1 - beta), steps, REPLICAS, momentum=beta)

    expected = 2 * np.exp(-4 * DELTA**2 * TAU)
    assert unbalances_fall_to(expected, 0.0, run, [0.08, 0.04, 0.02]) < 0.02


def test_perturbed_gradients_follow_the_trace():
    def run(sigma, eta):
        return means(
            sgd(PerturbedGradient(SQUARE, sigma), BESIDE, eta, round(0.3 / (sigma**2 * eta)), REPLICAS)
        )

    # the mean lies off the limit by the square of the cloud, σ²
    falling(run, [(0.1, 0.02), (0.07, 0.01), (0.05, 0.005)], 2, half_trace)


def test_sharpness_aware_steps_on_one_example_follow_the_trace():
    def run(eta, rho):
        noise = SharpnessAware(MinibatchNoise(SQUARE), rho)
        return means(sgd(noise, BESIDE, eta, round(0.3 / (eta * rho**2)), REPLICAS[:50]))

    end, errors = falling(run, [(0.02, 0.05), (0.01, 0.05), (0.005, 0.05)], 1, half_trace)
    assert errors[-1] < 0.006 < 0.2 < abs(end - limit(half_largest)).max()


def test_sharpness_aware_steps_on_all_examples_follow_the_largest_curvature():
    def run(eta, rho):
        noise = SharpnessAware(GaussianNoise(SQUARE, 0.0), rho)
        return sgd(noise, BESIDE, eta, round(0.3 / (eta * rho**2)), KEY).states[-1], jnp.zeros(3)

    end, errors = falling(run, [(0.01, 0.1), (0.005, 0.05), (0.0025, 0.025)], 1, half_largest)
    assert errors[-1] < 0.02 < 0.18 < abs(end - limit(half_trace)).max()


def test_normalized_gradient_descent_follows_the_logarithm_of_the_largest_curvature():
    def run(eta):
        optimizer = optax.chain(optax.normalize_by_update_norm(), optax.sgd(eta))
        steps = round(0.4 / eta**2)
        end = train(GaussianNoise(SQUARE, 0.0), BESIDE, optimizer, steps, KEY).states[-1]
        return project(SQUARE, end), jnp.zeros(3)  # it jumps to and fro across Γ, by no more than η

    np.testing.assert_allclose(limit(quarter_log, 0.4, START), (1.08604, 0.62231, 0.83248), rtol=0, atol=1e-5)
    falling(run, [(0.02,), (0.01,), (0.005,), (0.0025,)], 1, quarter_log, tau=0.4)


@pytest.mark.parametrize("size", [3, 200])
def test_the_largest_curvature_is_that_of_the_whole_matrix(size):
    A = jax.random.normal(jax.random.key(size), (size, size))
    loss = Loss(lambda x: 0.5 * x @ (A + A.T) @ x + 0.1 * jnp.sum(jnp.sin(A @ x)) + 0.05 * jnp.sum(x**4))
    x = jax.random.normal(KEY, (size,))
    values, vectors = jnp.linalg.eigh(loss.hessian(x))  # indefinite, and λ_max is not the largest in size
    np.testing.assert_allclose(largest_curvature(loss, x), values[-1], rtol=1e-10)
    slope = jax.grad(lambda x: vectors[:, -1] @ loss.hessian(x) @ vectors[:, -1])(x)
    np.testing.assert_allclose(jax.grad(lambda x: largest_curvature(loss, x))(x), slope, rtol=0, atol=1e-7)
    if size == 3:
        exact = jax.hessian(lambda x: jnp.linalg.eigvalsh(loss.hessian(x))[-1])(x)
        np.testing.assert_allclose(
            jax.hessian(lambda x: largest_curvature(loss, x))(x), exact, rtol=0, atol=1e-9
        )


def test_the_largest_curvature_where_there_is_none_and_where_it_is_double():
    assert float(largest_curvature(Loss(lambda x: x.sum()), jnp.ones(3))) == 0.0
    assert abs(float(largest_curvature(Loss(lambda x: -(x @ x)), jnp.ones(40))) + 2) < 1e-12
    np.testing.assert_allclose(largest_curvature(Loss(lambda x: 3 * x @ x), jnp.ones(40)), 6.0, rtol=1e-12)


@pytest.mark.parametrize("parametrization", ["difference", "square"])
def test_the_closed_form_of_the_sharpness(parametrization):
    problem = SparseRegression(DESIGN, DESIGN @ START**2, parametrization, loss_scale=0.3)
    x = jax.random.normal(KEY, (3 if parametrization == "square" else 6,))
    np.testing.assert_allclose(sharpness(problem, x), jnp.trace(problem.hessian(x)), rtol=1e-12)
    general = LeastSquares(problem.predict, problem.targets, 0.3)
    np.testing.assert_allclose(sharpness(general, x), sharpness(problem, x), rtol=1e-12)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"problem": None}, "problem = "),
        ({"x0": jnp.array([1.0, jnp.nan, 0.0])}, "x0 = "),
        ({"tau": jnp.array([0.2, 0.1])}, "tau = .*increasing"),
        ({"tau": jnp.array([-0.1])}, "tau = .*increasing"),
        ({"tau": jnp.array([jnp.inf])}, "tau = .*finite"),
        ({"tau": 0.1}, "tau = "),
        ({"regularizer": 0.5}, "regularizer = 0.5: pass a function"),
        ({"regularizer": lambda x: x}, r"regularizer\(x\) = .*one real number"),
        ({"regularizer": lambda x: (x @ x, 1.0)}, r"regularizer\(x\) = .*one real number"),
        ({"regularizer": lambda x: x @ jnp.ones(4)}, "regularizer = .*cannot be evaluated"),
        ({"regularizer": lambda x: jnp.log(-x @ x)}, "regularizer = .*finite"),
    ],
)
def test_bad_input_is_named(change, message):
    good = {"problem": SQUARE, "x0": START, "tau": jnp.array([0.1]), "regularizer": half_trace}
    with pytest.raises(ValueError, match=message):
        regularizer_flow(**(good | change))


def test_where_two_largest_curvatures_meet_it_stops_by_name():
    # R = ½ max(1 + x, 1 − x) pushes x to 0 from either side, where it has no gradient
    crossing = Loss(lambda x: 0.5 * (2 + x[0]) * x[1] ** 2 + 0.5 * (2 - x[0]) * x[2] ** 2)
    with pytest.raises(ValueError, match=r"tau = .*followed to tau = 1, not to 2"):
        regularizer_flow(
            crossing,
            jnp.array([0.5, 0.0, 0.0]),
            jnp.array([0.5, 2.0]),
            lambda x: 0.5 * largest_curvature(crossing, x),
        )
