"""Trees of parameters as vectors: dictionaries, tuples, and modules in the manner of Flax and Equinox."""

from dataclasses import dataclass, field

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.tree_util import Partial

from labnoise import CrossEntropy, LabelNoise, LeastSquares, flatten, label_noise_flow, project, sgd

DRAW = np.random.default_rng(0)
INPUTS = DRAW.standard_normal((4, 2))
FIRST, SECOND, BIAS = DRAW.standard_normal((2, 5)), DRAW.standard_normal((5, 3)), DRAW.standard_normal(3)


def plain(x, inputs=INPUTS):
    """The network of all trees below, with its parameters in the order of their leaves."""
    first, bias, second = x[:10].reshape(2, 5), x[10:13], x[13:].reshape(5, 3)
    return jnp.tanh(inputs @ first) @ second + bias


@jax.tree_util.register_dataclass
@dataclass
class Module:
    """In the manner of Equinox: the parameters beside whole numbers and functions, the module itself is called."""

    first: jax.Array
    layers: tuple
    calls: int
    activation: object = field(metadata={"static": True}, default=jnp.tanh)

    def __call__(self, one):
        (bias, second), squash = self.layers
        return squash(one @ self.first) @ second + bias


def of_module(module, inputs):
    return jax.vmap(module)(inputs)


def of_dictionary(variables, inputs):
    """In the manner of Flax: variables, of which the parameters are one branch."""
    params = variables["params"]
    hidden = jnp.tanh(inputs @ params["dense_0"]["kernel"])
    return hidden @ params["dense_1"]["kernel"] + params["dense_1"]["bias"]


def of_tuple(params, inputs):
    first, (bias, second) = params
    return jnp.tanh(inputs @ first) @ second + bias


def module(dtype=float):
    first, second, bias = (jnp.asarray(part, dtype) for part in (FIRST, SECOND, BIAS))
    return Module(first, ((bias, second), jax.nn.tanh), 7)


def dictionary(dtype=float):
    tree = {"dense_0": {"kernel": FIRST}, "dense_1": {"bias": BIAS, "kernel": SECOND}}
    params = jax.tree.map(lambda leaf: jnp.asarray(leaf, dtype), tree)
    return {"params": params, "step": jnp.array(3)}


TREES = {
    "module": (of_module, module()),
    "dictionary": (of_dictionary, dictionary()),
    "dictionary in float32": (of_dictionary, dictionary(np.float32)),
    "tuple of NumPy's": (of_tuple, (FIRST, (BIAS, SECOND))),
}


@pytest.mark.parametrize("name", TREES)
def test_the_model_of_a_vector_is_the_model_of_the_tree(name):
    predict, params = TREES[name]
    model, x0, unflatten = flatten(predict, params)
    assert (x0.shape, x0.dtype) == ((28,), np.float64)
    parts = np.concatenate([FIRST.ravel(), BIAS, SECOND.ravel()])
    np.testing.assert_allclose(x0, parts, atol=1e-6 if "float32" in name else 0)
    np.testing.assert_allclose(model(x0, INPUTS), plain(x0), atol=1e-14)
    again = unflatten(2 * x0)
    assert jax.tree.structure(again) == jax.tree.structure(params)
    np.testing.assert_array_equal(flatten(predict, again)[1], 2 * x0)
    for dtype in (np.float64, np.float32):  # the dtype of x, so that the losses can be differentiated in it
        assert model(x0.astype(dtype), INPUTS.astype(dtype)).dtype == dtype
    slope = jax.jit(jax.grad(lambda x: model(x, INPUTS).sum()))(x0)
    np.testing.assert_allclose(slope, jax.grad(lambda x: plain(x).sum())(x0), atol=1e-12)


def test_what_is_no_parameter_stays_as_it_is():
    again = flatten(of_module, module())[2](jnp.zeros(28))
    assert (again.calls, again.layers[1], again.activation) == (7, jax.nn.tanh, jnp.tanh)
    assert int(flatten(of_dictionary, dictionary())[2](jnp.zeros(28))["step"]) == 3


@pytest.mark.parametrize("name", TREES)
def test_losses_noises_and_limits_take_it(name):
    predict, params = TREES[name]
    model, x0, _ = flatten(predict, params)
    ours = LeastSquares(Partial(model, inputs=INPUTS), jnp.ones((4, 3)))
    theirs = LeastSquares(Partial(plain, inputs=INPUTS), jnp.ones((4, 3)))
    t = jnp.array([0.0, 0.01])
    for function in (
        lambda problem: project(problem, x0),
        lambda problem: label_noise_flow(problem, x0, t, 0.5),
        lambda problem: sgd(LabelNoise(problem, 0.5), x0, 0.01, 20, jax.random.key(0)).states,
        lambda problem: CrossEntropy(problem.predict, jnp.full((4, 3), 1 / 3)).gradient(x0),
    ):
        np.testing.assert_allclose(function(ours), function(theirs), atol=1e-9)


def test_the_same_model_compiles_nothing_anew():
    compiled = []

    def counted(params, inputs):
        compiled.append(1)
        return of_tuple(params, inputs)

    for scale in (1.0, 2.0, 3.0):
        model, x0, _ = flatten(counted, jax.tree.map(lambda leaf, s=scale: s * leaf, (FIRST, (BIAS, SECOND))))
        LeastSquares(Partial(model, inputs=scale * INPUTS), jnp.ones((4, 3))).gradient(x0)
        if scale == 1.0:
            traced = len(compiled)
    assert len(compiled) == traced


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: flatten(3.0, module()), "predict = 3.0: pass a function"),
        (lambda: flatten(of_tuple, {}), "params = .*no leaf is an array"),
        (lambda: flatten(of_tuple, {"w": 1.0, "k": jnp.arange(3)}), "params = .*no leaf is an array"),
        (lambda: flatten(of_tuple, {"w": jnp.array([1.0, np.nan])}), r"params\['w'\] = .*finite"),
        (lambda: flatten(of_tuple, {"w": jnp.ones(2, complex)}), r"dtype of params\['w'\] = .*real"),
        (lambda: flatten(of_module, module())[2](jnp.ones(3)), r"the shape of x = \(3,\): .*D = 28"),
    ],
)
def test_bad_input_is_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()
