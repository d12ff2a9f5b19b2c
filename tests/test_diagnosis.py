"""Distance from Γ, and what is told along a run."""

import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np
import pytest
from networks import NETWORK, X0
from random_losses import random_loss

from labnoise import (
    CrossEntropy,
    LabelNoise,
    LeastSquares,
    Loss,
    diagnose,
    distance,
    landscapes,
    project,
    random_sparse_regression,
    sgd,
)

KEY = jax.random.key(0)
SOFT = CrossEntropy(NETWORK, jnp.array([[0.5, 0.3, 0.2], [0.15, 0.4, 0.45]]))
SPARSE, _ = random_sparse_regression(KEY, 5, 9, 2)
STIFF, BESIDE, *_ = random_loss(1, 12, 5, condition=1e4)
HYPERBOLA = landscapes.hyperbola()
SCALES = jnp.array([1.0, 1.0, 2.0])
REPEATED = LeastSquares(lambda x: jnp.outer(SCALES, x[:1] * x[1:]), SCALES[:, None])
PROBLEMS = {
    "a valley": (landscapes.valley(), jnp.array([1.5, 0.2])),
    "a ring": (landscapes.ring(2.0), jnp.array([0.7, 0.8])),
    "a stiff loss": (STIFF, BESIDE),
    "least squares": (HYPERBOLA, jnp.array([2.0, 0.7])),
    "more examples than parameters": (REPEATED, jnp.array([2.0, 0.7])),
    "the sparse model": (SPARSE, jnp.linspace(0.5, 1.5, 18)),
    "cross-entropy": (SOFT, X0),
}


@pytest.mark.parametrize("name", PROBLEMS)
def test_the_distance_is_that_of_the_projection_to_first_order(name):
    problem, x0 = PROBLEMS[name]
    on_gamma = project(problem, x0)
    away = jnp.asarray(np.random.default_rng(2).standard_normal(x0.size)) / x0.size**0.5
    sizes, errors = (0.1, 0.02, 0.004), []
    for size in sizes:
        x = on_gamma + size * away
        errors.append(abs(float(distance(problem, x)) - float(jnp.linalg.norm(x - project(problem, x)))))
    assert all(error < 0.05 * size**2 + 1e-9 for error, size in zip(errors, sizes, strict=True)), errors
    assert float(distance(problem, on_gamma)) < 1e-12


def test_it_can_be_traced_and_says_where_there_is_no_answer():
    x = jnp.array([2.0, 0.7])
    np.testing.assert_allclose(jax.jit(distance)(HYPERBOLA, x), distance(HYPERBOLA, x), rtol=1e-12)
    both = jax.vmap(lambda x: distance(HYPERBOLA, x))(jnp.stack([x, x[::-1]]))
    np.testing.assert_allclose(both, distance(HYPERBOLA, x), rtol=1e-9)
    steep = Loss(lambda x: jnp.sum(x))  # without a minimum
    assert bool(jnp.isnan(jax.jit(distance)(steep, x)))
    with pytest.raises(ValueError, match=r"x = .*no point of Γ was found"):
        distance(steep, x)


def test_a_run_is_diagnosed_by_whole_hessians():
    run = sgd(LabelNoise(SPARSE, 0.5), jnp.linspace(0.5, 1.5, 18), 0.005, 4000, KEY, save_every=1000)
    found = diagnose(SPARSE, run.states)
    for k, state in enumerate(run.states):
        eigenvalues = np.linalg.eigvalsh(SPARSE.hessian(state))
        np.testing.assert_allclose(found.loss[k], SPARSE.loss(state), rtol=1e-12)
        np.testing.assert_allclose(found.sharpness[k], eigenvalues.sum(), rtol=1e-10)
        np.testing.assert_allclose(found.largest_curvature[k], eigenvalues[-1], rtol=1e-8)
        np.testing.assert_allclose(
            found.distance[k], jnp.linalg.norm(state - project(SPARSE, state)), rtol=2e-2
        )
    traced = jax.jit(diagnose)(SPARSE, run.states)
    np.testing.assert_allclose(traced.distance, found.distance, rtol=1e-9)
    single = diagnose(SPARSE, run.states.astype(jnp.float32))
    np.testing.assert_allclose(single.sharpness, found.sharpness, rtol=1e-5)


def test_a_state_far_from_every_minimum_has_no_distance_and_the_others_have():
    hill = Loss(lambda x: 0.5 * x[1] ** 2 * jnp.exp(-x[1]))  # Γ is x[1] = 0; beyond 2 it falls for ever
    found = diagnose(hill, jnp.array([[1.0, 0.1], [1.0, 30.0]]))
    assert np.isfinite(found.distance[0])
    assert np.isnan(found.distance[1])
    assert np.isfinite(found.sharpness).all()
    plt.close(found.plot()[0].figure)


def test_the_plot_has_four_axes_with_the_numbers():
    found = diagnose(HYPERBOLA, jnp.array([[2.0, 0.5], [2.0, 0.6], [1.5, 0.7]]))
    figure, axes = plt.subplots(1, 4)
    given, made = found.plot(axes), found.plot()
    assert list(given) == list(axes)
    for panels in (given, made):
        for axis, values in zip(panels, found, strict=True):
            np.testing.assert_array_equal(axis.lines[0].get_ydata(), values)
            assert axis.get_title()
        assert [axis.get_yscale() for axis in panels] == ["linear", "log", "linear", "log"]  # zero on Γ
    with pytest.raises(ValueError, match="the number of axes = 3: pass four"):
        found.plot(axes[:3])
    plt.close(figure)
    plt.close(made[0].figure)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: distance(HYPERBOLA, jnp.ones((2, 2))), "the shape of x"),
        (lambda: distance(HYPERBOLA, jnp.array([jnp.inf, 1.0])), "x = .*finite"),
        (lambda: diagnose(HYPERBOLA, jnp.ones(2)), "the shape of states = .*2 axes"),
        (lambda: diagnose(HYPERBOLA, jnp.ones((0, 2))), "the shape of states = .*at least one"),
        (lambda: diagnose(HYPERBOLA, jnp.array([[1.0, jnp.nan]])), "states = .*finite"),
        (
            lambda: diagnose(HYPERBOLA, jnp.array([[2.0, 0.5], [1e200, 1.0]])),
            r"states\[1\] = .*the loss is not",
        ),
        (lambda: diagnose(None, jnp.ones((1, 2))), "problem = None"),
        (
            lambda: diagnose(Loss(lambda x: jnp.sum(jnp.abs(x) ** 1.5)), jnp.array([[1.0], [0.0]])),
            r"states\[1\] = .*not smooth",
        ),
    ],
)
def test_bad_input_is_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()
