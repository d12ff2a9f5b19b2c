"""The limit of RMSProp and Adam against SciPy's integration of equations written here in NumPy, and against runs."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from jax.tree_util import Partial
from sampling import within_order
from scipy.integrate import solve_ivp

from labnoise import (
    LabelNoise,
    LeastSquares,
    Loss,
    SparseRegression,
    adaptive_flow,
    drift_terms,
    label_noise_flow,
    project,
    random_sparse_regression,
    train,
)

KEY = jax.random.key(5)
RANDOM = np.random.default_rng(1)

# f_i = ½ xᵀA_i x + b_i·sin x
SQUARES = RANDOM.standard_normal((2, 5, 5))
SQUARES = 0.3 * (SQUARES + SQUARES.transpose(0, 2, 1))
WAVES = RANDOM.standard_normal((2, 5))
FOOT = RANDOM.standard_normal(5)


def curved(A, b, x):
    return 0.5 * jnp.einsum("ijk,j,k->i", A, x, x) + b @ jnp.sin(x)


TARGETS = np.asarray(curved(SQUARES, WAVES, FOOT))
GENERAL = LeastSquares(Partial(curved, jnp.asarray(SQUARES), jnp.asarray(WAVES)), TARGETS, loss_scale=0.7)
BESIDE = FOOT + 0.1

LINE = SparseRegression(jnp.array([[1.0, 2.0]]), jnp.array([1.0]), "square")
ON_LINE = jnp.sqrt(jnp.array([0.36, 0.32]))

SMALL, _ = random_sparse_regression(jax.random.key(3), 2, 4, 1, loss_scale=0.7)
START = jnp.linspace(0.4, 1.2, 8)


class Plain:
    """A least squares problem in NumPy: outputs f, J and all ∇²f_i (n, D, D), of mean of squares times s."""

    def __init__(self, outputs, jacobian, turns, s=1.0):
        self.outputs, self.jacobian, self.turns, self.s = outputs, jacobian, turns, s

    def diagonal(self, x, delta):
        J = self.jacobian(x)
        return 2 * self.s * delta**2 * 2 * self.s / len(J) * (J**2).sum(0)

    def velocity(self, x, p, delta):
        J, turns = self.jacobian(x), self.turns(x)
        # tr(PH) with H = (2s/n) JᵀJ + (2s/n) Σ r_i∇²f_i, the slope of the second at r = 0
        slope = 4 * self.s / len(J) * np.einsum("ijk,k,ik->j", turns, p, J)
        slope += 2 * self.s / len(J) * np.einsum("ijj,j->i", turns, p) @ J
        T = np.eye(x.size) - p[:, None] * J.T @ np.linalg.solve(J * p @ J.T, J)
        return -2 * self.s * delta**2 / 4 * T @ (p * slope)

    def follow(self, x, times, delta, rate, eps, V, method="DOP853"):
        def lagging(_, state):
            x, V = np.split(state, 2)
            change = rate * (self.diagonal(x, delta) - V)
            return np.concatenate([self.velocity(x, 1 / (np.sqrt(V) + eps), delta), change])

        def settled(_, x):
            return self.velocity(x, 1 / (np.sqrt(self.diagonal(x, delta)) + eps), delta)

        span, options = (0, times[-1]), {"method": method, "t_eval": times, "rtol": 1e-11, "atol": 1e-12}
        if rate < np.inf:
            return np.split(solve_ivp(lagging, span, np.concatenate([x, V]), **options).y.T, 2, axis=1)
        states = solve_ivp(settled, span, x, **options).y.T
        return states, np.array([self.diagonal(x, delta) for x in states])


def plain_general():
    return Plain(
        lambda x: 0.5 * np.einsum("ijk,j,k->i", SQUARES, x, x) + WAVES @ np.sin(x) - TARGETS,
        lambda x: SQUARES @ x + WAVES * np.cos(x),
        lambda x: SQUARES - np.array([np.diag(b * np.sin(x)) for b in WAVES]),
        0.7,
    )


def plain_sparse(problem):
    Z = np.asarray(problem.design)
    signed = Z if problem.parametrization == "square" else np.concatenate([Z, -Z], axis=1)
    return Plain(
        lambda x: signed @ x**2 - np.asarray(problem.targets),
        lambda x: 2 * signed * x,
        lambda x: np.array([np.diag(2 * row) for row in signed]),
        problem.loss_scale,
    )


def flowed(plain, x, p):
    """Where dx/dt = −P∇L ends, by SciPy."""

    def descent(_, x):
        J = plain.jacobian(x)
        return -p * (2 * plain.s / len(J) * plain.outputs(x) @ J)

    return solve_ivp(descent, (0, 2000 / p.min()), np.asarray(x), method="Radau", rtol=1e-11, atol=1e-13).y[
        :, -1
    ]


TIMES = np.array([0.1, 0.3, 0.6])


@pytest.mark.parametrize("rate", [0.7, 6.0, np.inf])
@pytest.mark.parametrize("given", [False, True], ids=["V by default", "V given"])
def test_a_general_problem_follows_what_scipy_finds(rate, given):
    plain, delta, eps = plain_general(), 0.8, 0.01
    if given:
        V = np.linspace(0.5, 3.0, 5)
        start = flowed(plain, BESIDE, 1 / (np.sqrt(V) + eps))
        assert abs(start - flowed(plain, BESIDE, np.ones(5))).max() > 0.005
    else:
        start = flowed(plain, BESIDE, np.ones(5))
        V = plain.diagonal(start, delta)
    expected = plain.follow(start, TIMES, delta, rate, eps, V)
    found = adaptive_flow(GENERAL, BESIDE, TIMES, delta, rate, eps, V if given else None)
    for ours, independent in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, independent, rtol=0, atol=1e-6)
    assert abs(found[0][-1] - found[0][0]).max() > 0.03


@pytest.mark.parametrize("rate", [0.7, 20.0, np.inf])
@pytest.mark.parametrize("problem", [SMALL, LINE], ids=["difference", "square"])
def test_the_sparse_model_follows_what_scipy_finds(problem, rate):
    plain, delta, eps, times = plain_sparse(problem), 0.8, 0.05, np.array([0.2, 0.8, 1.6])
    x0 = START if problem is SMALL else ON_LINE
    x0 = x0 * jnp.where(jnp.arange(x0.size) == 1, -1.0, 1.0)  # signs are kept
    start = np.asarray(project(problem, x0))
    expected = plain.follow(start, times, delta, rate, eps, plain.diagonal(start, delta), "Radau")
    found = adaptive_flow(problem, x0, times, delta, rate, eps)
    for ours, independent in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, independent, rtol=0, atol=1e-6)
    if rate == np.inf and problem is SMALL:
        assert (abs(found[0][-1]) < 1e-3).sum() >= 4  # most of u and v have come to their end by then


def test_the_sparse_model_is_the_general_problem_with_its_weights():
    general = LeastSquares(
        Partial(lambda Z, x: Z @ (x[:4] ** 2 - x[4:] ** 2), SMALL.design), SMALL.targets, SMALL.loss_scale
    )
    V = jnp.linspace(1.0, 5.0, 8)
    ours, theirs = (adaptive_flow(p, START, TIMES[:2], 0.5, jnp.inf, 0.1, V) for p in (SMALL, general))
    np.testing.assert_allclose(ours[0], theirs[0], rtol=0, atol=1e-8)
    np.testing.assert_allclose(ours[1], theirs[1], rtol=0, atol=1e-7)


@pytest.mark.parametrize(
    ("rate", "known"),
    [
        (1.0, (0.60666, 0.61366, 0.62128, 0.62980, 0.63948)),
        (5.0, (0.60685, 0.61490, 0.62481, 0.63715, 0.65247)),
    ],
)
def test_the_square_model_of_two_features(rate, known):
    states = adaptive_flow(LINE, ON_LINE, jnp.array([0.2, 0.4, 0.6, 0.8, 1.0]), 0.5, rate)[0]
    np.testing.assert_allclose(states[:, 0], known, rtol=0, atol=5.1e-6)


def test_at_first_it_is_the_drift_under_the_preconditioner():
    V, step, delta = jnp.linspace(0.5, 3.0, 5), 1e-5, 0.8
    P = 1 / (jnp.sqrt(V) + 1e-8)
    states, moments = adaptive_flow(GENERAL, BESIDE, jnp.array([0.0, step]), delta, 3.0, second_moment=V)
    cov = GENERAL.noise_strength(delta) * GENERAL.hessian(states[0])
    drift = drift_terms(GENERAL, cov, states[0], preconditioner=P).total
    np.testing.assert_allclose((states[1] - states[0]) / step, drift, rtol=0, atol=1e-3)
    np.testing.assert_allclose((moments[1] - V) / step, 3 * (jnp.diag(cov) - V), rtol=0, atol=1e-3)


def test_a_large_eps_is_sgd_on_a_slower_clock():
    t, eps = jnp.array([0.1, 0.4]), 1e6
    path = adaptive_flow(SMALL, START, t * eps**2, 0.5, jnp.inf, eps)[0]
    np.testing.assert_allclose(path, label_noise_flow(SMALL, START, t, 0.5), rtol=0, atol=1e-5)


@pytest.mark.parametrize("rate", [1.0, 8.0])
def test_the_sum_that_decreases(rate):
    plain, V = plain_general(), jnp.linspace(0.5, 3.0, 5)
    states, moments = map(
        np.asarray, adaptive_flow(GENERAL, BESIDE, jnp.linspace(0, 2, 9), 0.8, rate, 0.0, V)
    )
    sums = [
        (plain.diagonal(x, 0.8) / np.sqrt(v) + np.sqrt(v)).sum() for x, v in zip(states, moments, strict=True)
    ]
    assert (np.diff(sums) < -1e-3).all()


@pytest.mark.parametrize("rate", [1.0, np.inf])
def test_it_rests_where_the_trace_of_the_root_of_the_diagonal_does(rate):
    # on a + 2b = 3, a = sinh x, b = sinh y: Σ√H_ii ~ √(1+a²) + 2√(1+b²) is least at a = b, tr H ~ a² + 4b² at a = 2b
    waves = LeastSquares(lambda x: jnp.sinh(x[:1]) + 2 * jnp.sinh(x[1:]), jnp.array([3.0]))
    x0, late = jnp.array([0.1, 1.0]), jnp.array([100.0])
    np.testing.assert_allclose(
        jnp.sinh(adaptive_flow(waves, x0, late, 1.0, rate, 0.0)[0][0]), [1.0, 1.0], atol=1e-6
    )
    np.testing.assert_allclose(jnp.sinh(label_noise_flow(waves, x0, late, 1.0)[0]), [1.5, 0.75], atol=1e-7)


def errors_of_runs(optimizer, x0, end, rates, replicas):
    """The errors of the mean at t = 1 of `optimizer(η)`, with their standard errors."""
    errors, deviations = [], []
    for eta in rates:
        keys = jax.random.split(KEY, replicas)
        ends = train(LabelNoise(LINE, 0.5), x0, optimizer(eta), round(1 / eta**2), keys).states[:, -1]
        errors.append(float(abs(ends.mean(0) - end).max()))
        deviations.append(float((ends.std(0) / replicas**0.5).max()))
    return errors, deviations


def test_adam_follows_it_as_the_rate_falls():
    rates = (0.08, 0.04, 0.02)
    end = adaptive_flow(LINE, ON_LINE, jnp.array([1.0]), 0.5, 5.0)[0][0]

    def adam(eta):
        return optax.adam(eta, b1=0.9, b2=1 - 5 * eta**2)

    errors, deviations = errors_of_runs(adam, ON_LINE, end, rates, 4000)
    within_order(errors, rates, 1, deviations)
    assert errors[-1] < 0.01 < 0.03 < abs(end - label_noise_flow(LINE, ON_LINE, jnp.ones(1), 0.5)[0]).max()


def test_rmsprop_follows_it_from_a_second_moment_of_its_own():
    rates, x0, V = (0.08, 0.04, 0.02), jnp.array([0.8, 0.5]), jnp.array([1.0, 8.0])
    end = adaptive_flow(LINE, x0, jnp.array([1.0]), 0.5, 5.0, second_moment=V)[0][0]

    def rmsprop(eta):
        return optax.rmsprop(eta, decay=1 - 5 * eta**2, initial_scale=V, eps_in_sqrt=False)

    errors, deviations = errors_of_runs(rmsprop, x0, end, rates, 4000)
    within_order(errors, rates, 1, deviations)
    # not where V begins settled, or where x0 is taken to Γ without P
    assert errors[-1] < 0.01 < 0.02 < abs(end - adaptive_flow(LINE, x0, jnp.ones(1), 0.5, 5.0)[0][0]).max()


def test_jit_and_replicas():
    def end(x0, rate):
        return adaptive_flow(SMALL, x0, jnp.array([0.2]), 0.5, rate, 0.01)[0][0]

    np.testing.assert_allclose(jax.jit(end)(START, 2.0), end(START, 2.0), rtol=1e-9)
    starts = jnp.stack([START, START + 0.1])
    many = jax.vmap(lambda x: end(x, jnp.inf))(starts)
    np.testing.assert_allclose(many, [end(x, jnp.inf) for x in starts], rtol=1e-8)
    late = jax.jit(lambda t: adaptive_flow(GENERAL, BESIDE, t, 0.8, jnp.inf)[1])(jnp.array([0.1, 5.0]))
    assert jnp.isfinite(late[0]).all()
    assert jnp.isnan(late[1]).all()  # given up where V goes to zero


def call(**changes):
    arguments = {"problem": LINE, "x0": ON_LINE, "t": jnp.array([0.1]), "delta": 0.5, "rate": 1.0} | changes
    return adaptive_flow(**arguments)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"problem": Loss(lambda x: x @ x)}, "problem = .*LeastSquares"),
        ({"x0": jnp.ones(3)}, "x0"),
        ({"t": jnp.array([0.2, 0.1])}, "t = .*increasing"),
        ({"t": jnp.array([-0.1])}, "t = "),
        ({"t": jnp.array([jnp.inf])}, "t = .*finite"),
        ({"delta": 0.0}, "delta = 0.0: pass a positive"),
        ({"delta": -1.0}, "delta = -1.0"),
        ({"rate": 0.0}, "rate = 0.0: pass .* inf"),
        ({"rate": -jnp.inf}, "rate = -inf"),
        ({"rate": jnp.nan}, "rate = nan"),
        ({"rate": jnp.ones(2)}, "rate = .*single"),
        ({"rate": None}, "rate = None"),
        ({"eps": -1e-8}, "eps = -1e-08"),
        ({"second_moment": jnp.array([1.0, 0.0])}, "second_moment = .*positive"),
        ({"second_moment": jnp.ones(3)}, "the shape of second_moment = .*pass"),
        ({"second_moment": 1.0}, "the shape of second_moment"),
        ({"second_moment": jnp.array([1.0, jnp.nan])}, "second_moment = .*finite"),
        (
            {"problem": GENERAL, "x0": BESIDE, "delta": 0.8, "rate": jnp.inf, "t": jnp.array([5.0])},
            "t = .*entry of V",
        ),
        (
            {"problem": LeastSquares(lambda x: x[:1], jnp.ones(1)), "x0": jnp.ones(2), "eps": 0.0},
            "eps = 0.0: diag Σ is zero",
        ),
    ],
)
def test_bad_input_is_named(changes, message):
    with pytest.raises(ValueError, match=message):
        call(**changes)
