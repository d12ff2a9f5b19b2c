"""Where D is large nothing is D x D: the numbers are those of whole matrices, and what needs one says so first."""

import re

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from jax.tree_util import Partial
from networks import INPUTS, NETWORK, X0, N, Q, network

import labnoise as ln
from labnoise import _checks, landscapes
from labnoise.problems import _sharpness

KEY = jax.random.key(6)
RNG = np.random.default_rng(5)
TARGETS = 0.5 * RNG.standard_normal((N, Q))
SQUARES = ln.LeastSquares(network, TARGETS, 0.7, INPUTS)
SOFT = ln.CrossEntropy(NETWORK, jnp.array([[0.5, 0.3, 0.2], [0.15, 0.4, 0.45]]))
TWICE = ln.LeastSquares(network, TARGETS[[0, 1, 0]], inputs=INPUTS[[0, 1, 0]])  # one example two times


class Factor(ln.Noise):
    """Noise of a given factor, in all directions."""

    def __init__(self, problem, matrix):
        self.problem, self.matrix = problem, matrix

    def factor(self, x):
        return self.matrix * (1 + x[0] ** 2)


def noises(problem):
    # not so large that a step of a path leaves the reach of Newton's return to Γ
    yield Factor(problem, 0.2 * jnp.asarray(np.random.default_rng(8).standard_normal((X0.size, 4))))
    yield ln.MinibatchNoise(problem)
    yield ln.SampledLabels(problem) if problem is SOFT else ln.LabelNoise(problem, 0.6, gradient="full")


@pytest.mark.parametrize(("turn", "problem"), [*enumerate([SQUARES, SOFT, TWICE])])
def test_terms_of_a_factor_are_those_of_the_whole_covariance(turn, problem):
    """With each problem each noise and each preconditioner: each pair of noise and preconditioner comes once."""
    x = ln.project(SQUARES if problem is TWICE else problem, X0)
    skew = jnp.asarray(RNG.standard_normal((X0.size, X0.size)))
    preconditioners = [None, jnp.linspace(0.5, 2.0, x.size), jnp.eye(x.size) + 0.05 * skew @ skew.T]
    plain = ln.Loss(problem.loss)
    for k, noise in enumerate(noises(problem)):
        P = preconditioners[(k + turn) % 3]
        ours = ln.drift_terms(problem, noise, x, P)
        whole = ln.drift_terms(plain, noise.covariance(x), x, P)
        size = 1 + max(float(abs(part).max()) for part in whole)
        for name in ("tangent_noise", "compensation", "mixed", "normal", "total"):
            np.testing.assert_allclose(
                getattr(ours, name), getattr(whole, name), atol=1e-9 * size, err_msg=name
            )


def test_terms_of_a_factor_have_derivatives():
    x, noise = ln.project(SQUARES, X0), next(noises(SQUARES))

    def by_factor(x):
        return ln.drift_terms(SQUARES, noise, x).total

    def by_matrix(x):
        return ln.drift_terms(SQUARES, noise.covariance(x), x).total

    along = ln.tangent_projection(SQUARES, x) @ jnp.linspace(-1.0, 1.0, x.size)
    slopes = [jax.jvp(jax.jit(terms), (x,), (along,))[1] for terms in (by_factor, by_matrix)]
    np.testing.assert_allclose(*slopes, atol=1e-9)


def test_a_loss_without_examples_takes_a_noise_too():
    ring, x = landscapes.circle(a=0.5, b=0.25, d=0.5), jnp.array([0.6, 0.8])
    terms = ln.drift_terms(ring, ln.GaussianNoise(ring, ring.cov), x)
    np.testing.assert_allclose(terms.total, ln.drift_terms(ring, ring.cov(x), x).total)


@pytest.mark.parametrize("problem", [SQUARES, SOFT])
def test_paths_of_the_limit_are_those_of_whole_hessians(problem):
    for noise in noises(problem):
        paths = [
            ln.limiting_diffusion(one, X0, 0.05, 5, KEY).states
            for one in (noise, Whole(noise, ln.Loss(problem.loss)))
        ]
        np.testing.assert_allclose(*paths, atol=1e-8)


def test_paths_with_dependent_examples():
    rows = np.random.default_rng(5).standard_normal((3, 6))
    rows[2] = rows[0]
    twice = ln.LeastSquares(lambda x: jnp.asarray(rows) @ (x + 0.1 * x**3), rows @ np.full(6, 0.3))
    noise, start = ln.GaussianNoise(twice, 0.3), jnp.linspace(0.1, 0.6, 6)
    paths = [
        ln.limiting_diffusion(one, start, 0.05, 5, KEY).states
        for one in (noise, Whole(noise, ln.Loss(twice.loss)))
    ]
    np.testing.assert_allclose(*paths, atol=1e-7)


class Whole(ln.Noise):
    """Another noise, on the same loss without its examples."""

    def __init__(self, noise, problem):
        self.noise, self.problem = noise, problem

    def factor(self, x):
        return self.noise.factor(x)


def wide(x, inputs):
    first, second = x[: x.size // 3 * 2].reshape(2, -1), x[x.size // 3 * 2 :]
    return jnp.tanh(inputs @ first) @ second


@pytest.mark.parametrize("whole", [True, False])
def test_no_program_holds_a_matrix(whole):
    D, n = 3000, 4
    inputs, targets, x = RNG.standard_normal((n, 2)), np.zeros(n), jnp.linspace(-0.1, 0.1, D)
    model = (
        ln.LeastSquares(Partial(wide, inputs=inputs), targets)
        if whole
        else ln.LeastSquares(wide, targets, inputs=inputs)
    )
    noise = ln.LabelNoise(model, 0.5)
    for call in (
        lambda x: ln.drift_terms(model, noise, x),
        lambda x: ln.project(model, x),
        lambda x: ln.label_noise_flow(noise, x, jnp.array([0.1])),
        lambda x: ln.limiting_diffusion(noise, x, 0.1, 3, KEY),
        lambda x: ln.sharpness(model, x),
        lambda x: ln.distance(model, x),
        lambda x: ln.largest_curvature(model, x),
    ):
        assert not re.search(rf"{D},{D}\b", str(jax.make_jaxpr(call)(x)))


# Sharpness where D products are too many


def test_sharpness_of_many_parameters_is_exact_on_gamma_and_refused_off_it(monkeypatch):
    x = ln.project(SQUARES, X0)
    on, off = (float(ln.sharpness(SQUARES, point)) for point in (x, X0))
    slope = jax.grad(lambda x: ln.sharpness(SQUARES, x))(x)
    monkeypatch.setattr(_sharpness, "_MOST_PRODUCTS", 10)
    np.testing.assert_allclose(ln.sharpness(SQUARES, x), on, rtol=1e-9)
    np.testing.assert_allclose(jax.grad(lambda x: ln.sharpness(SQUARES, x))(x), slope, rtol=1e-12)
    with pytest.raises(ValueError, match=r"x = .*not on Γ.*project\(problem, x\)"):
        ln.sharpness(SQUARES, X0)
    assert np.isnan(jax.jit(lambda x: ln.sharpness(SQUARES, x))(X0))
    np.testing.assert_allclose(
        ln.sharpness(ln.Loss(SQUARES.loss), X0), off
    )  # no examples: by all the products


def test_a_diagnosis_of_many_parameters_leaves_the_sharpness_off_gamma_open(monkeypatch):
    x = ln.project(SQUARES, X0)
    whole = ln.diagnose(SQUARES, jnp.stack([x, X0]))
    monkeypatch.setattr(_sharpness, "_MOST_PRODUCTS", 10)
    jax.clear_caches()
    found = ln.diagnose(SQUARES, jnp.stack([x, X0]))
    assert np.isnan(found.sharpness).tolist() == [False, True]
    np.testing.assert_allclose(found.sharpness[0], whole.sharpness[0], rtol=1e-9)
    for name in ("loss", "distance", "largest_curvature"):
        np.testing.assert_allclose(getattr(found, name), getattr(whole, name), rtol=1e-9)
    jax.clear_caches()


def test_a_divergence_of_many_parameters_is_said_without_their_hessian(monkeypatch):
    monkeypatch.setattr(_checks, "memory", lambda: 1e6)
    size = 12_000
    still = ln.GaussianNoise(ln.Loss(lambda x: 1.5 * jnp.sum(x**2)), 0.0)
    for run in (
        lambda: ln.sgd(still, jnp.ones(size), 10.0, 500, jax.random.key(0)),
        lambda: ln.train(still, jnp.ones(size), optax.sgd(10.0), 500, jax.random.key(0)),
    ):
        with pytest.raises(ValueError, match=r"every replica diverged.*λ_max = 3\b"):
            run()


# What must hold a matrix


def test_a_matrix_that_does_not_fit_is_refused_before_it_is_made(monkeypatch):
    D = 50_000
    loss, x = ln.Loss(lambda x: 0.25 * (jnp.sum(x**2) - 1) ** 2), jnp.zeros(D).at[0].set(1.0)
    monkeypatch.setattr(_checks, "memory", lambda: 16e9)
    for call in (
        lambda: loss.hessian(x),
        lambda: ln.tangent_projection(loss, x),
        lambda: ln.project(loss, 2 * x),
        lambda: ln.drift_terms(loss, ln.GaussianNoise(loss, 1.0), x),
        lambda: ln.local_sgd_drift(loss, jnp.eye(2), x, 2, 1.0),
        lambda: jax.eval_shape(loss.hessian, x),
    ):
        with pytest.raises(ValueError, match=r"D = 50000, .* GB, and this machine has 16 GB: .*LeastSquares"):
            call()
    with pytest.raises(ValueError, match=r"covariance needs a matrix D x D, D = 50000, 20 GB.*factor"):
        ln.GaussianNoise(loss, 1.0).covariance(x)
    # what has no matrix still goes
    assert float(ln.largest_curvature(loss, x)) == pytest.approx(2.0)
    assert float(ln.distance(loss, 1.01 * x)) == pytest.approx(0.01, rel=1e-2)


def test_a_large_matrix_is_announced(monkeypatch):
    monkeypatch.setattr(_checks, "_QUIET", 1e4)
    with pytest.warns(UserWarning, match=r"the Hessian needs a matrix D x D, D = 50, 2e-05 GB: a LeastSq"):
        ln.Loss(lambda x: jnp.sum(x**2)).hessian(jnp.ones(50))
