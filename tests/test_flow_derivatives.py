"""Derivatives of the flows, forward and in reverse, what they cost, and limits of their steps that a reader sets."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from networks import INPUTS, X0, N, Q, network

import labnoise as ln
from labnoise import landscapes
from labnoise.limits import _runge_kutta

HYPERBOLA, START, T = landscapes.hyperbola(), jnp.array([2.0, 1.0]), jnp.array([0.0, 0.1, 0.4])
TARGETS = jnp.asarray(0.5 * np.random.default_rng(5).standard_normal((N, Q)))


def ours(x0, t, delta):
    return ln.label_noise_flow(HYPERBOLA, x0, t, delta)


def exact(x0, t, delta):
    return HYPERBOLA.limit(x0, t, delta)


@pytest.mark.parametrize("argument", [0, 1, 2])
def test_the_flow_of_label_noise_has_derivatives_of_both_kinds(argument):
    expected = jax.jacfwd(exact, argument)(START, T, 0.5)
    for way in (jax.jacfwd, jax.jacrev):
        np.testing.assert_allclose(way(ours, argument)(START, T, 0.5), expected, atol=1e-8)
        np.testing.assert_allclose(jax.jit(way(ours, argument))(START, T, 0.5), expected, atol=1e-8)


def test_more_steps_than_are_kept(monkeypatch):
    monkeypatch.setattr(_runge_kutta, "_KEPT", 4)
    expected = jax.jacrev(exact)(START, T, 0.5)
    np.testing.assert_allclose(jax.jacrev(ours)(START, T, 0.5), expected, atol=1e-8)
    for way in (jax.jacfwd, jax.jacrev):
        traced = jax.jit(way(lambda x0, t, delta: ours(x0, t, delta)))(START, T, 0.5)
        assert np.isnan(traced[-1]).all()


def test_derivatives_in_the_data_are_differences():
    def end(targets):
        problem = ln.LeastSquares(network, targets, inputs=INPUTS)
        return jnp.linspace(-1.0, 1.0, X0.size) @ ln.label_noise_flow(problem, X0, jnp.array([0.3]), 0.7)[0]

    slope, step = jax.grad(end)(TARGETS), 1e-4
    for i, a in ((0, 0), (1, 2)):
        difference = end(TARGETS.at[i, a].add(step)) - end(TARGETS.at[i, a].add(-step))
        np.testing.assert_allclose(slope[i, a], difference / (2 * step), rtol=1e-5)


def test_the_flow_of_a_regularizer_has_derivatives_of_both_kinds():
    def end(x0, k):
        return ln.regularizer_flow(
            HYPERBOLA, x0, T, jax.tree_util.Partial(lambda k, x: k * ln.sharpness(HYPERBOLA, x), k)
        )[-1]

    expected = jax.jacfwd(lambda x0, k: exact(x0, 4 * k * T, 1 / 2**0.5)[-1], (0, 1))(START, 0.25)
    for way in (jax.jacfwd, jax.jacrev):
        for slope, known in zip(way(end, (0, 1))(START, 0.25), expected, strict=True):
            np.testing.assert_allclose(slope, known, atol=1e-8)


def test_a_reverse_derivative_keeps_the_starts_of_steps_alone():
    """Some hundred states, and what is computed in one step; in all steps that would be hundreds of times as much."""
    n, D = 4, 3000

    def model(x, inputs):
        return jnp.tanh(inputs @ x.reshape(3, -1)).mean(1)

    problem = ln.LeastSquares(model, np.zeros(n), inputs=np.eye(4, 3))
    for way in (
        lambda x: ln.project(problem, x)[0],
        lambda x: ln.label_noise_flow(problem, x, jnp.ones(1), 1.0)[0, 0],
    ):
        compiled = jax.jit(jax.grad(way)).lower(jnp.ones(D)).compile()
        assert compiled.memory_analysis().temp_size_in_bytes < 8 * D * 6000


# Limits that a reader sets


def test_tolerances_and_numbers_of_steps_are_arguments():
    once = jnp.array([2.0])
    errors = [
        float(
            abs(
                ln.label_noise_flow(HYPERBOLA, START, once, 0.5, tolerance=size) - exact(START, once, 0.5)
            ).max()
        )
        for size in (1e-3, 1e-6, 1e-10)
    ]
    assert 1e-2 > errors[0] > 10 * errors[1] > 100 * errors[2]
    with pytest.raises(ValueError, match=r"t = .*followed to t = 0\.29\d*, not to 0\.4.*max_steps"):
        ln.label_noise_flow(HYPERBOLA, START, T, 0.5, max_steps=3)
    with pytest.raises(ValueError, match="away from rest after 2 implicit steps"):
        ln.project(HYPERBOLA, START, max_steps=2)
    loose = ln.project(HYPERBOLA, START, tolerance=1e-3) - HYPERBOLA.project(START)
    assert 1e-10 < float(abs(loose).max()) < 1e-2
    flow = ln.gradient_flow(HYPERBOLA, START, jnp.array([0.1]), tolerance=1e-4)
    np.testing.assert_allclose(flow, ln.gradient_flow(HYPERBOLA, START, jnp.array([0.1])), atol=1e-4)
    for call in (
        lambda: ln.project(HYPERBOLA, START, tolerance=0.0),
        lambda: ln.label_noise_flow(HYPERBOLA, START, T, 0.5, tolerance=2.0),
    ):
        with pytest.raises(ValueError, match=r"tolerance = .*pass a number from 1e-14"):
            call()
    with pytest.raises(ValueError, match="max_steps = 0: pass at least 1"):
        ln.regularizer_flow(HYPERBOLA, START, T, lambda x: x @ x, max_steps=0)
