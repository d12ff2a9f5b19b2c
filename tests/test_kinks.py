"""Networks with kinks: on a piece they are right, across a kink that is said, and smooth units raise no alarm."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import solve_ivp

import labnoise as ln
from labnoise.problems._kinks import kink_at, kink_between

INPUTS, TARGETS, WIDTH, DELTA = np.array([[1.0, 0.3], [-0.4, 1.2]]), np.array([0.7, -0.4]), 4, 1.0


def unit_inputs(x):
    return INPUTS @ x[: 2 * WIDTH].reshape(2, WIDTH) + x[2 * WIDTH : 3 * WIDTH]


def network(unit):
    def predict(x, inputs):
        return unit(inputs @ x[: 2 * WIDTH].reshape(2, WIDTH) + x[2 * WIDTH : 3 * WIDTH]) @ x[3 * WIDTH :]

    return ln.LeastSquares(predict, TARGETS, inputs=INPUTS)


RELU = network(jax.nn.relu)


def start(seed):
    return jnp.asarray(np.random.default_rng(seed).standard_normal(4 * WIDTH))


def flow_of_a_piece(x, end):
    """The flow of label noise by SciPy, on the piece of `x`, until a unit switches: where, and when that was."""
    on = unit_inputs(x) > 0
    outputs = lambda x: (on * unit_inputs(x)) @ x[3 * WIDTH :]  # noqa: E731
    rows = jax.jit(jax.jacobian(outputs))
    slope = jax.jit(jax.grad(lambda x: (jax.jacobian(outputs)(x) ** 2).sum()))

    def velocity(_, x):  # c = 2δ², ∇²L = (2/n)JᵀJ, n = 2
        J, gradient = np.asarray(rows(x)), np.asarray(slope(x))
        return -(DELTA**2) / 2 * (gradient - J.T @ np.linalg.solve(J @ J.T, J @ gradient))

    def nearest(_, x):
        return float(np.where(on, unit_inputs(x), -unit_inputs(x)).min())

    nearest.terminal = True
    done = solve_ivp(velocity, (0.0, end), np.asarray(x), "DOP853", rtol=1e-11, atol=1e-12, events=nearest)
    return done.y[:, -1], done.t[-1]


def test_on_a_piece_the_flow_is_the_plain_one_and_across_a_kink_it_says_so():
    on_gamma = ln.project(RELU, start(2))
    _, when = flow_of_a_piece(on_gamma, 10.0)
    assert 0.1 < when < 2.0
    for part in (0.5, 0.99):
        ours = ln.label_noise_flow(RELU, on_gamma, jnp.array([part * when]), DELTA)[-1]
        np.testing.assert_allclose(ours, flow_of_a_piece(on_gamma, part * when)[0], atol=1e-8)
    t = jnp.array([0.5, 1.02]) * when
    with pytest.warns(UserWarning, match=rf"t = {t[1]:.6g}: up to here 1 of 8 places .* a kink"):
        ln.label_noise_flow(RELU, on_gamma, t, DELTA)


def test_project_that_fails_at_a_kink_says_so():
    with pytest.raises(ValueError, match=r"x0 = .*not seen to settle; 3 of 8 places .* a kink"):
        ln.project(RELU, start(4))


def test_the_terms_of_the_limit_are_refused_at_a_kink_and_right_beside_it():
    inside = ln.project(RELU, start(2))
    assert kink_at(RELU, inside) is None
    smooth = ln.Loss(
        lambda x: jnp.mean((((unit_inputs(inside) > 0) * unit_inputs(x)) @ x[3 * WIDTH :] - TARGETS) ** 2)
    )
    cov = jnp.eye(inside.size)
    for ours, plain in zip(
        ln.drift_terms(RELU, cov, inside), ln.drift_terms(smooth, cov, inside), strict=True
    ):
        np.testing.assert_allclose(ours, plain, atol=1e-9)
    at = ln.LeastSquares(lambda x: x[:1] * x[1:2] + jax.nn.relu(x[2:]), np.ones(1))
    point = jnp.array([2.0, 0.5, 0.0])
    for call in (
        lambda: ln.tangent_projection(at, point),
        lambda: ln.drift_terms(at, jnp.eye(3), point),
        lambda: ln.drift_terms(at, ln.LabelNoise(at, 0.5), point),
    ):
        with pytest.raises(ValueError, match=r"x = .*it is at a kink: beside it 1 of 1 places"):
            call()


@pytest.mark.parametrize(
    ("unit", "number"),
    [
        (jax.nn.relu, 1),
        (jax.nn.leaky_relu, 1),
        (jnp.abs, 1),
        (lambda z: jnp.where(z > 0, z, 0.0), 1),
        (lambda z: jnp.clip(z, 0.0, 10.0), 1),
        (jax.nn.softplus, 0),
        (jnp.tanh, 0),
        (jax.nn.gelu, 0),
        (lambda z: jax.nn.logsumexp(jnp.stack([z, -z]), axis=0), 0),
    ],
)
def test_what_is_a_kink(unit, number):
    problem, (one, other) = network(unit), (start(1), start(5))
    for form in (problem, ln.Loss(problem.loss)):
        found = kink_between(form, one, other)
        assert (found is not None) == bool(number)
        assert found is None or "kink" in found
        assert kink_between(form, one, one + 1e-9) is None
