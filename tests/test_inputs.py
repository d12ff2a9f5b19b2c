"""Examples with inputs of their own: what is asked of a few of them costs what a few cost."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.tree_util import Partial
from networks import INPUTS, NETWORK, X0, N, Q, network

from labnoise import (
    CrossEntropy,
    LabelNoise,
    LeastSquares,
    MinibatchNoise,
    SampledLabels,
    label_noise_flow,
    project,
    sgd,
)

KEY = jax.random.key(4)
TARGETS = jnp.asarray(0.5 * np.random.default_rng(5).standard_normal((N, Q)))
SOFT = jnp.array([[0.5, 0.3, 0.2], [0.15, 0.4, 0.45]])
PAIRS = [
    (LeastSquares(NETWORK, TARGETS), LeastSquares(network, TARGETS, inputs=INPUTS)),
    (CrossEntropy(NETWORK, SOFT), CrossEntropy(network, SOFT, inputs=INPUTS)),
]


def noises(problem):
    if isinstance(problem, CrossEntropy):
        return [SampledLabels(problem, 2), MinibatchNoise(problem)]
    return [LabelNoise(problem, 0.5, 3), LabelNoise(problem, 0.5, gradient="full"), MinibatchNoise(problem)]


@pytest.mark.parametrize("pair", PAIRS)
def test_inputs_change_no_number(pair):
    whole, rows = pair
    indices = jnp.array([1, 0, 1])
    np.testing.assert_allclose(rows.outputs(X0, indices), NETWORK(X0)[indices], rtol=1e-13)
    np.testing.assert_allclose(rows.jacobian(X0), whole.jacobian(X0), atol=1e-13)
    for one, other in zip(noises(rows), noises(whole), strict=True):
        runs = [sgd(noise, X0, 0.02, 40, KEY).states for noise in (one, other)]
        np.testing.assert_allclose(*runs, atol=1e-12)
        np.testing.assert_allclose(one.covariance(X0), other.covariance(X0), atol=1e-13)
    P = jnp.linspace(0.5, 2.0, X0.size)
    np.testing.assert_allclose(project(rows, X0, P), project(whole, X0, P), atol=1e-9)
    t = jnp.array([0.0, 0.2])
    paths = [label_noise_flow(noises(problem)[0], X0, t) for problem in pair]
    np.testing.assert_allclose(*paths, atol=1e-9)


def test_a_batch_is_all_that_is_evaluated():
    """Among thousands of examples nothing of the width of the network has thousands of rows."""
    n, d, width = 20_000, 3, 7

    def wide(x, inputs):
        return jnp.tanh(inputs @ x.reshape(d, width)).sum(1)

    inputs, x = np.random.default_rng(0).standard_normal((n, d)), jnp.linspace(-1.0, 1.0, d * width)
    for make in (lambda problem: LabelNoise(problem, 0.5, 4), lambda problem: MinibatchNoise(problem, 4)):
        programs = [
            str(jax.make_jaxpr(make(problem).sample_gradient)(KEY, x))
            for problem in (
                LeastSquares(wide, np.zeros(n), inputs=inputs),
                LeastSquares(Partial(wide, inputs=inputs), np.zeros(n)),
            )
        ]
        assert [f"{n},{width}" in program for program in programs] == [False, True]


def test_trees_of_inputs_and_whole_numbers_among_them():
    table = jnp.array([[1.0, 0.0], [0.0, 2.0]])
    inputs = {"token": np.array([0, 1, 1]), "scale": np.array([1.0, 2.0, 3.0])}
    problem = LeastSquares(lambda x, z: z["scale"] * (table[z["token"]] @ x), np.zeros(3), inputs=inputs)
    x = jnp.array([0.5, -1.0])
    np.testing.assert_allclose(problem.outputs(x), [0.5, -4.0, -6.0])
    np.testing.assert_allclose(problem.outputs(x, jnp.array([2])), [-6.0])
    np.testing.assert_allclose(problem.jacobian(x), [[1.0, 0.0], [0.0, 4.0], [0.0, 6.0]])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: LeastSquares(network, TARGETS, inputs=INPUTS[:1]), r"shape of inputs = \(1, 2\).*n = 2"),
        (lambda: LeastSquares(network, TARGETS, inputs=1.0), r"shape of inputs = \(\).*n = 2"),
        (lambda: CrossEntropy(network, SOFT, inputs=[INPUTS, INPUTS[0, :1]]), r"shape of inputs = \(1,\)"),
        (lambda: LeastSquares(network, TARGETS, inputs=[["one", "two"]]), "inputs = 'one': pass numbers"),
        (
            lambda: project(LeastSquares(lambda x, z: z @ x[:2], TARGETS, inputs=INPUTS), X0),
            r"predict\(x, inputs\) for 2 rows = \(2,\): it must be \(2, 3\)",
        ),
        (
            lambda: sgd(
                LabelNoise(LeastSquares(lambda x, z: network(x, INPUTS), TARGETS, inputs=INPUTS), 0.5),
                X0,
                0.1,
                1,
                KEY,
            ),
            r"predict\(x, inputs\) for 1 rows = \(2, 3\): it must be \(1, 3\)",
        ),
    ],
)
def test_bad_inputs_are_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()
