"""The report on a reader's model, and models in Flax and Equinox."""

import equinox as eqx
import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from afterzero import own
from jax.tree_util import Partial
from networks import NETWORK, X0, N, Q

from labnoise import CrossEntropy, LabelNoise, LeastSquares, SampledLabels, flatten, project

INPUTS = np.random.default_rng(0).standard_normal((5, 3))
LABELS = np.array([1.0, -1.0, 1.0, 1.0, -1.0])
KEY = jax.random.key(1)


class Network(nn.Module):
    """One hidden layer in Flax, as the chapter shows it."""

    @nn.compact
    def __call__(self, inputs):
        return nn.Dense(1)(jnp.tanh(nn.Dense(6)(inputs)))[:, 0]


def in_flax():
    return Network().apply, Network().init(KEY, jnp.zeros((1, 3)))


def in_equinox():
    module = eqx.nn.MLP(3, "scalar", 6, 1, activation=jnp.tanh, key=KEY)
    return (lambda module, inputs: jax.vmap(module)(inputs)), module


@pytest.mark.parametrize("make", [in_flax, in_equinox])
def test_models_of_other_packages_are_reported(make):
    """The tree is taken apart and put together, its outputs are those of the package, and it has a report."""
    apply, params = make()
    predict, x0, unflatten = flatten(apply, params)
    assert x0.shape == (6 * 3 + 6 + 6 + 1,)
    np.testing.assert_allclose(predict(x0, INPUTS), apply(params, INPUTS), atol=1e-5)
    problem = LeastSquares(Partial(predict, inputs=INPUTS), LABELS)
    text = own.report(LabelNoise(problem, 0.5), x0, t=0.1)
    assert text.startswith("D = 31 weights, 5 conditions of rank 5: Γ has dimension 26")
    fitted = unflatten(project(problem, x0))
    np.testing.assert_allclose(apply(fitted, INPUTS), LABELS, atol=1e-8)


def test_what_a_report_says_of_a_classifier():
    """Rank, trace and rates from the whole Hessian; a flow that gets flatter; and which terms act."""
    targets = np.array([[0.5, 0.3, 0.2], [0.15, 0.4, 0.45]])
    problem = CrossEntropy(NETWORK, targets)
    lines = own.report(SampledLabels(problem), X0, t=2.0).splitlines()
    x = project(problem, X0)
    values = np.linalg.eigvalsh(problem.hessian(x))[::-1]
    assert lines[0].endswith(f"{N * (Q - 1)} conditions of rank 4: Γ has dimension {X0.size - 4}")
    assert f"trace {values.sum():.3g}, eigenvalues from {values[0]:.3g} down to {values[3]:.2g}" in lines[1]
    assert "tangent noise 0, compensation 0, mixed 0, normal" in lines[2]
    along = [float(part.split(" (")[0].split()[-1]) for part in lines[3].split(",")]
    assert along[0] > along[1] > along[2] > 0
    J = np.asarray(problem.jacobian(x)).reshape(N, Q, -1)
    widest = max(
        np.linalg.eigvalsh(j.T @ (np.diag(p) - np.outer(p, p)) @ j)[-1]
        for j, p in zip(J, targets, strict=True)
    )
    assert lines[4].endswith(f"below {0.2 / values.sum():.3g}; a finite cloud below {2 / widest:.3g}")


def test_the_four_terms_with_fewer_and_with_more_conditions_than_weights():
    """A sum of five weights twice over: six copies of it are more conditions than weights, and say the same."""
    lines = []
    for copies in (1, 6):
        problem = LeastSquares(Partial(twice, copies=np.ones(copies)), np.ones(copies))
        lines.append(
            own.report(LabelNoise(problem, 0.5), jnp.array([0.2, 0.3, 0.1, 0.4, 0.5]), t=0.01).splitlines()
        )
    assert lines[1][0] == "D = 5 weights, 6 conditions of rank 1: Γ has dimension 4"
    assert lines[0][1:] == lines[1][1:]


def twice(x, copies):
    return copies * (x[0] * x[1] + x[2:].sum())
