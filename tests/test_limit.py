import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from sampling import gaussian, within
from scipy.integrate import solve_ivp
from scipy.special import iv

from labnoise import (
    LeastSquares,
    SparseRegression,
    label_noise_flow,
    landscapes,
    limiting_diffusion,
    random_sparse_regression,
)

KEY = jax.random.key(11)


@pytest.mark.statement("Circle: the limit is dθ = √a dW − b dt (coefficient 1, not ½)", asked=0.02)
def test_limit_on_the_circle(measured):
    run = limiting_diffusion(
        gaussian(landscapes.circle(0.5, 0.25, 0.5)),
        jnp.array([1.3, 0.0]),
        1.0,
        100,
        jax.random.split(KEY, 4000),
    )
    angle = jnp.unwrap(jnp.arctan2(run.states[..., 1], run.states[..., 0]), axis=1)[:, -1]
    measured(within(angle, -0.25))
    within((angle + 0.25) ** 2, 0.5)
    assert float(abs(jnp.linalg.norm(run.states, axis=-1) - 1).max()) < 1e-8  # kept on Γ


@pytest.mark.statement("Tangent noise on the circle: E cosθ = e^{−s²T/2}", asked=0.02)
def test_tangent_noise_only(measured):
    run = limiting_diffusion(
        gaussian(landscapes.circle(0.8, 0.0, 0.0)),
        jnp.array([1.0, 0.0]),
        1.5,
        100,
        jax.random.split(KEY, 4000),
    )
    measured(within(run.states[:, -1, 0], np.exp(-0.8 * 1.5 / 2), 4e-3))


@pytest.mark.statement("Ring: E cosθ → −I₁(a/2)/I₀(a/2)", asked=0.02)
def test_ring_tends_to_von_mises(measured):
    run = limiting_diffusion(
        gaussian(landscapes.ring(2.0)), jnp.array([0.0, 1.0]), 30.0, 1500, jax.random.split(KEY, 200)
    )
    # means over time, once the start is forgotten, are independent from replica to replica
    measured(within(run.states[:, 400:, 0].mean(1), -iv(1, 1.0) / iv(0, 1.0), 4e-3))


@pytest.mark.statement("k-phase motor: from θ = 0, θ(10) = 1.88382", asked=1e-3)
def test_limit_of_the_motor(measured):
    x0 = jnp.array([1.0, 0.0, 0.0, 0.0, 0.0])
    ends = []
    for num_steps in (250, 500):
        run = limiting_diffusion(gaussian(landscapes.phase_motor(3)), x0, 10.0, num_steps, KEY)
        ends.append(jnp.arctan2(run.states[-1, 1], run.states[-1, 0]))
    measured(abs(2 * ends[1] - ends[0] - 1.88382))  # Richardson: the steps' error is O(1/num_steps)


@pytest.mark.statement("Valley: x(t) = x₀e^{−ct/2}", asked=1e-5)
def test_limit_in_the_valley(measured):
    run = limiting_diffusion(gaussian(landscapes.valley(1.0)), jnp.array([1.5, 0.0]), 1.0, 1000, KEY)
    coarse = limiting_diffusion(gaussian(landscapes.valley(1.0)), jnp.array([1.5, 0.0]), 1.0, 500, KEY)
    measured(abs(2 * run.states[-1, 0] - coarse.states[-1, 0] - 1.5 * np.exp(-0.5)))


@pytest.mark.statement("Hyperbola: q → q₀e^{−4δ²t} for any LeastSquares", asked=1e-8)
def test_label_noise_flow_on_the_hyperbola(measured):
    delta, t = 0.7, jnp.array([0.0, 0.1, 0.5, 2.0])
    path = label_noise_flow(landscapes.hyperbola(), jnp.array([2.0, 0.5]), t, delta)
    q = path[:, 0] ** 2 - path[:, 1] ** 2
    measured(abs(q / (3.75 * jnp.exp(-4 * delta**2 * t)) - 1).max())
    measured(abs(path.prod(1) - 1).max())


SHAPES = list(itertools.product(["difference", "square"], ["gaussian", "boolean"]))


def small_sparse_model(parametrization, design):
    problem, _ = random_sparse_regression(jax.random.key(4), 6, 12, 3, design, parametrization, 0.8)
    x0 = jnp.exp(0.4 * jax.random.normal(KEY, (12 if parametrization == "square" else 24,)))
    return problem, x0


@pytest.mark.statement("Exact limiting flow against a fine ODE", asked=1e-12)
@pytest.mark.parametrize(("parametrization", "design"), SHAPES)
def test_exact_flow_against_a_fine_ode(measured, parametrization, design):
    problem, x0 = small_sparse_model(parametrization, design)
    s, c, t = 0.8, 2 * 0.8 * 0.9**2, [0.0, 0.05, 0.3, 1.0]
    exact = np.asarray(label_noise_flow(problem, x0, jnp.array(t), 0.9))
    # written anew in NumPy, from f = Zw alone, and solved by a method of order 8 at its least tolerance
    Z = np.asarray(problem.design)
    signed = Z if parametrization == "square" else np.hstack([Z, -Z])
    moments = (signed**2).mean(0)

    def velocity(_, x):
        normals = np.linalg.qr((2 * signed * x).T)[0]
        slope = 16 * s * moments * x
        return -c / 4 * (slope - normals @ (normals.T @ slope))

    fine = solve_ivp(velocity, (0, 1), exact[0], method="DOP853", t_eval=t, rtol=3e-14, atol=1e-16)
    measured(abs(fine.y.T - exact).max())


@pytest.mark.statement("label_noise_flow of any LeastSquares against the closed form", asked=1e-9)
@pytest.mark.parametrize("parametrization", ["difference", "square"])
def test_general_integrator_against_the_closed_form(measured, parametrization):
    problem, x0 = small_sparse_model(parametrization, "gaussian")
    t = jnp.array([0.0, 0.05, 0.3])
    exact = label_noise_flow(problem, x0, t, 0.9)
    general = LeastSquares(problem.predict, problem.targets, 0.8)
    measured(abs(label_noise_flow(general, exact[0], t, 0.9) - exact).max())


@pytest.mark.statement("Time to recovery: |w(t) − w*| falls as e^{−8cγ*t}", asked=0.01)
@pytest.mark.parametrize("parametrization", ["difference", "square"])
def test_recovery_rate(measured, parametrization):
    problem, w_star = random_sparse_regression(jax.random.key(5), 20, 40, 3, "gaussian", parametrization)
    delta, size = 0.5, 40 if parametrization == "square" else 80
    rate = 8 * 2 * delta**2 * float(problem.recovery_rate(w_star))
    t = jnp.array([14.0, 18.0]) / rate
    path = label_noise_flow(problem, jnp.ones(size), t, delta)
    errors = jnp.linalg.norm(jax.vmap(problem.weights)(path) - w_star, axis=1)
    measured(abs(jnp.log(errors[0] / errors[1]) / 4 - 1))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: limiting_diffusion(landscapes.valley(), jnp.ones(2), 1.0, 10, KEY), "noise = "),
        (lambda: limiting_diffusion(gaussian(landscapes.valley()), jnp.ones(2), -1.0, 10, KEY), "t = -1.0"),
        (
            lambda: limiting_diffusion(gaussian(landscapes.valley()), jnp.ones(2), 1.0, 0, KEY),
            "num_steps = 0",
        ),
        (lambda: limiting_diffusion(gaussian(landscapes.valley()), jnp.ones(2), 1.0, 5, 0), "key = 0"),
        (
            lambda: label_noise_flow(landscapes.valley(), jnp.ones(2), jnp.ones(1), 1.0),
            "problem = .*LeastSquares",
        ),
        (
            lambda: label_noise_flow(landscapes.hyperbola(), jnp.ones(2), jnp.array([jnp.inf]), 1.0),
            "t = .*finite",
        ),
        (lambda: label_noise_flow(landscapes.hyperbola(), jnp.ones(2), jnp.ones(1), -1.0), "delta = -1.0"),
        (lambda: SparseRegression(jnp.eye(2), jnp.ones(2)).recovery_rate(jnp.zeros(2)), "w_star = .*Zw = y"),
    ],
)
def test_bad_input_is_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()
