"""A reader's own loss, noise and optimizer: plain subclasses, and errors that say what is missing."""

import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from independent import independent_flow

from labnoise import (
    GaussianNoise,
    LabelNoise,
    LeastSquares,
    Loss,
    MinibatchNoise,
    Noise,
    canonical_sde,
    drift_terms,
    landscapes,
    limiting_diffusion,
    project,
    sgd,
)
from labnoise.problems import Examples

KEY = jax.random.key(0)
START = jnp.array([1.5, 1.0])


class OwnValley(Loss):
    """`landscapes.valley` written anew."""

    def __init__(self, width):
        self.width = width

    def loss(self, x):
        return 0.5 * (self.width + x[0] ** 2) * x[1] ** 2


class OwnGaussian(Noise):
    """`GaussianNoise(valley, valley.cov)` with c = 1 written anew."""

    def __init__(self, problem, strength):
        self.problem, self.strength = problem, strength

    def draw(self, key, x):
        return jax.random.normal(key, x.shape, x.dtype)

    def gradient(self, x, draw):
        return self.problem.gradient(x) + self.factor(x) @ draw

    def factor(self, x):
        return jnp.diag(jnp.array([0.0, self.strength])) * jnp.sqrt(1 + x[0] ** 2)


OWN = OwnGaussian(OwnValley(1.0), 1.0)
VALLEY = landscapes.valley(1.0)
GIVEN = GaussianNoise(VALLEY, VALLEY.cov)


def test_an_own_noise_runs_as_the_one_that_it_copies():
    keys = jax.random.split(KEY, 5)
    for run in (
        lambda noise: sgd(noise, START, 0.1, 50, keys, save_every=10, momentum=0.3),
        lambda noise: canonical_sde(noise, START, 0.1, 20, keys, dt=0.5),
        lambda noise: limiting_diffusion(noise, START, 0.2, 10, keys),
    ):
        np.testing.assert_allclose(run(OWN).states, run(GIVEN).states, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(OWN.covariance(START), GIVEN.covariance(START), atol=1e-14)
    on_gamma = project(OWN.problem, START)
    one, other = (drift_terms(n.problem, n.covariance(on_gamma), on_gamma) for n in (OWN, GIVEN))
    np.testing.assert_allclose(one.total, other.total, atol=1e-9)


def test_another_value_of_a_number_compiles_nothing_anew():
    compiled = 0

    class Counted(OwnValley):
        def loss(self, x):
            nonlocal compiled
            compiled += 1
            return super().loss(x)

    for width in (1.0, 2.0, 3.0):
        sgd(GaussianNoise(Counted(width), 0.0), START, 0.1, 5, KEY)
        if width == 1.0:
            traced = compiled
    assert compiled == traced


def test_whole_numbers_and_functions_are_compiled_in():
    class Batched(OwnGaussian):
        def __init__(self, problem, size, squash):
            super().__init__(problem, 1.0)
            self.size, self.squash = size, squash

        def draw(self, key, x):
            return jax.random.normal(key, (self.size, *x.shape), x.dtype)

        def gradient(self, x, draw):
            return super().gradient(x, self.squash(draw).mean(axis=0))

    noise = Batched(OWN.problem, 3, jnp.tanh)
    leaves, structure = jax.tree.flatten(noise)
    assert sorted(leaves) == [1.0, 1.0]  # the width and the strength
    again = jax.tree.map(lambda leaf: 2 * leaf, jax.tree.unflatten(structure, leaves))
    assert (again.size, again.squash, again.strength, again.problem.width) == (3, jnp.tanh, 2.0, 2.0)
    assert (
        jax.tree.structure(jax.tree.map(lambda leaf: None, noise, is_leaf=lambda x: x is None)) != structure
    )
    assert np.isfinite(sgd(noise, START, 0.1, 20, KEY).states).all()


def test_an_own_loss_and_noise_can_be_differentiated_through():
    def end(strength):
        return sgd(OwnGaussian(OwnValley(1.0), strength), START, 0.1, 5, KEY).states[-1].sum()

    slope = (end(1.0 + 1e-6) - end(1.0 - 1e-6)) / 2e-6
    assert float(jax.grad(end)(1.0)) == pytest.approx(float(slope), rel=1e-5)


class Logistic(Examples):
    """Cross-entropy of two classes with soft targets q: `ℓ = ln(1 + e^f) − qf`."""

    def __init__(self, predict, targets):
        self.predict, self.targets = predict, targets

    def loss(self, x):
        outputs = self.outputs(x)
        return jnp.mean(jax.nn.softplus(outputs) - self.targets * outputs)

    def slopes(self, outputs, targets):
        return jax.nn.sigmoid(outputs) - targets

    def curvatures(self, outputs, targets):
        return jax.nn.sigmoid(outputs) * jax.nn.sigmoid(-outputs)


def test_examples_of_another_loss_have_their_noise_and_their_projection():
    def predict(x):
        return jnp.stack([x[0] * x[1], x[1] * x[2]])

    problem, x0 = Logistic(predict, jnp.array([0.8, 0.3])), jnp.array([1.0, 0.7, -0.4])
    np.testing.assert_allclose(problem.example_gradients(x0).mean(0), problem.gradient(x0), atol=1e-14)
    end = project(problem, x0)
    np.testing.assert_allclose(end, independent_flow(problem, x0, 4000.0), atol=1e-7)
    np.testing.assert_allclose(problem.misfit(end), 0, atol=1e-9)
    J, h = problem.jacobian(end), problem.curvatures(problem.outputs(end), problem.targets)
    np.testing.assert_allclose(problem.hessian(end), J.T @ (h[:, None] / 2 * J), atol=1e-9)
    assert float(abs(MinibatchNoise(problem).covariance(end)).max()) < 1e-15
    with pytest.raises(ValueError, match="LabelNoise perturbs labels: pass a LeastSquares problem"):
        LabelNoise(problem, 1.0)


@pytest.mark.parametrize("gradient", ["batch", "full"])
def test_label_noise_is_the_slope_at_a_fresh_label(gradient):
    problem = LeastSquares(lambda x: jnp.stack([x[0] * x[1], x[1] ** 2]), jnp.array([1.0, 2.0]), 0.7)
    noise = LabelNoise(problem, 0.3, batch_size=3, gradient=gradient)
    indices, signs = noise.draw(KEY, START)
    expected = jnp.zeros(2) if gradient == "batch" else problem.gradient(START)
    for i, sign in zip(indices, signs, strict=True):

        def loss(x, label, i=i):
            return 0.7 * (problem.predict(x)[i] - label) ** 2

        fresh = jax.grad(loss)(START, problem.targets[i] + 0.3 * sign)
        old = jax.grad(loss)(START, problem.targets[i])
        expected += (fresh if gradient == "batch" else fresh - old) / 3
    np.testing.assert_allclose(noise.gradient(START, (indices, signs)), expected, rtol=1e-12)


class Nothing(Noise):
    def __init__(self, problem):
        self.problem = problem


class WithoutFactor(Nothing):
    draw, gradient = OwnGaussian.draw, lambda self, x, draw: self.problem.gradient(x) + draw


class WrongShape(WithoutFactor):
    gradient = lambda self, x, draw: draw[:1]  # noqa: E731


class NoProblem(WithoutFactor):
    def __init__(self):
        pass


class NoLoss(Loss):
    def __init__(self):
        pass


class Narrow(WithoutFactor):
    def factor(self, x):
        return x


class Short(WithoutFactor):
    def factor(self, x):
        return jnp.ones((1, 2))


class Listed(WithoutFactor):
    def __init__(self, problem):
        self.problem, self.weights = problem, [1, 2]


class Traced(Listed, static=()):
    """Its batch size, a shape, is not named as static."""

    def __init__(self, problem):
        self.problem, self.size = problem, 2

    def draw(self, key, x):
        return jax.random.normal(key, (self.size,))


class Bare(landscapes.Landscape):
    def loss(self, x):
        return x @ x


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: sgd(Nothing(VALLEY), START, 0.1, 5, KEY), "Nothing has no method draw(key, x): define it"),
        (lambda: Nothing(VALLEY).gradient(START, None), "Nothing has no method gradient(x, draw): define it"),
        (lambda: WithoutFactor(VALLEY).covariance(START), "WithoutFactor has no method factor(x): define it"),
        (
            lambda: limiting_diffusion(WithoutFactor(VALLEY), START, 0.1, 2, KEY),
            "WithoutFactor has no method factor(x)",
        ),
        (
            lambda: limiting_diffusion(Narrow(VALLEY), START, 0.1, 2, KEY),
            "the shape of Narrow.factor(x) = (2,): it must be (2, q)",
        ),
        (
            lambda: limiting_diffusion(Short(VALLEY), START, 0.1, 2, KEY),
            "the shape of Short.factor(x) = (1, 2): it must be (2, q)",
        ),
        (
            lambda: sgd(WrongShape(VALLEY), START, 0.1, 5, KEY),
            "the shape of WrongShape.gradient(x, draw) = (1,)",
        ),
        (
            lambda: sgd(NoProblem(), START, 0.1, 5, KEY),
            "keep the Loss of NoProblem as its attribute `problem`",
        ),
        (lambda: sgd(OWN.gradient, START, 0.1, 5, KEY), "noise = "),
        (lambda: NoLoss().gradient(START), "NoLoss has no method loss(x): define it"),
        (lambda: project(NoLoss(), START), "NoLoss has no method loss(x)"),
        (
            lambda: sgd(Listed(VALLEY), START, 0.1, 5, KEY),
            "Listed.weights = [1, 2]: JAX can neither trace it",
        ),
        (lambda: sgd(Traced(VALLEY), START, 0.1, 5, KEY), "depends on the value of the argument noise.size"),
        (lambda: Bare().cov, "Bare has no method cov: define it"),
    ],
)
def test_what_is_missing_is_named(call, message):
    with pytest.raises((ValueError, TypeError, NotImplementedError), match=re.escape(message)):
        call()
