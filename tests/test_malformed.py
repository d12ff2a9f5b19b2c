"""Malformed arguments: an error that names the argument, or a finite answer; never NaN, nor a library's assertion."""

import inspect

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jax.tree_util import Partial

import labnoise as ln
from labnoise import compare, landscapes

HYPERBOLA = landscapes.hyperbola()
VALLEY = landscapes.valley()
KEY = jax.random.key(0)
DESIGN = np.random.default_rng(1).standard_normal((3, 5))
SPARSE, TRUTH = ln.SparseRegression(DESIGN, DESIGN[:, 0]), np.eye(5)[0]
SOFT = ln.CrossEntropy(lambda x: jnp.outer(x[:1], x), jnp.array([[0.8, 0.2]]))
ON_GAMMA = jnp.array([2.0, 0.5])
START = jnp.array([1.5, 1.0])
SAMPLES = np.random.default_rng(0).standard_normal((6, 2))


def flat_start(predict, params):
    """`flatten` without the functions that it returns."""
    return ln.flatten(predict, params)[1]


# A good call of every public function: the function, and its arguments by name.
CALLS = {
    "sgd": (
        ln.sgd,
        {
            "noise": ln.LabelNoise(HYPERBOLA, 0.1),
            "x0": START,
            "learning_rate": 0.01,
            "num_steps": 3,
            "key": KEY,
            "save_every": 2,
            "momentum": 0.5,
        },
    ),
    "train": (
        ln.train,
        {
            "noise": ln.LabelNoise(HYPERBOLA, 0.1),
            "x0": START,
            "optimizer": optax.adam(0.01),
            "num_steps": 3,
            "key": KEY,
            "save_every": 2,
        },
    ),
    "local_sgd": (
        ln.local_sgd,
        {
            "noise": ln.LabelNoise(HYPERBOLA, 0.1),
            "x0": START,
            "learning_rate": 0.01,
            "num_rounds": 3,
            "local_steps": 2,
            "workers": 2,
            "key": KEY,
            "save_every": 2,
        },
    ),
    "canonical_sde": (
        ln.canonical_sde,
        {
            "noise": ln.LabelNoise(HYPERBOLA, 0.1),
            "x0": START,
            "learning_rate": 0.01,
            "num_steps": 3,
            "key": KEY,
            "dt": 1.0,
        },
    ),
    "gradient_flow": (ln.gradient_flow, {"problem": HYPERBOLA, "x0": START, "times": jnp.array([0.0, 0.5])}),
    "project": (ln.project, {"problem": HYPERBOLA, "x0": START}),
    "project, sparse": (ln.project, {"problem": SPARSE, "x0": jnp.ones(10)}),
    "tangent_projection": (ln.tangent_projection, {"problem": HYPERBOLA, "x": ON_GAMMA}),
    "sharpness": (ln.sharpness, {"problem": HYPERBOLA, "x": ON_GAMMA}),
    "lyapunov_solve": (ln.lyapunov_solve, {"hessian": np.diag([2.0, 0.0]), "cov": np.eye(2)}),
    "ornstein_uhlenbeck": (
        ln.ornstein_uhlenbeck,
        {"hessian": np.diag([2.0, 1.0]), "cov": np.eye(2), "learning_rate": 0.1},
    ),
    "drift_terms": (ln.drift_terms, {"problem": HYPERBOLA, "cov": jnp.eye(2), "x": ON_GAMMA}),
    "project, preconditioned": (
        ln.project,
        {"problem": HYPERBOLA, "x0": START, "preconditioner": jnp.array([1.0, 2.0])},
    ),
    "drift_terms, preconditioned": (
        ln.drift_terms,
        {"problem": HYPERBOLA, "cov": jnp.eye(2), "x": ON_GAMMA, "preconditioner": jnp.array([1.0, 2.0])},
    ),
    "local_sgd_drift": (
        ln.local_sgd_drift,
        {"problem": HYPERBOLA, "cov": jnp.eye(2), "x": ON_GAMMA, "workers": 3, "alpha": 0.5},
    ),
    "limiting_diffusion": (
        ln.limiting_diffusion,
        {"noise": ln.GaussianNoise(HYPERBOLA, 0.1), "x0": START, "t": 0.1, "num_steps": 2, "key": KEY},
    ),
    "largest_curvature": (ln.largest_curvature, {"problem": HYPERBOLA, "x": ON_GAMMA}),
    "regularizer_flow": (
        ln.regularizer_flow,
        {
            "problem": HYPERBOLA,
            "x0": START,
            "tau": jnp.array([0.0, 0.1]),
            "regularizer": Partial(ln.sharpness, HYPERBOLA),
        },
    ),
    "label_noise_flow": (
        ln.label_noise_flow,
        {"problem": HYPERBOLA, "x0": START, "t": jnp.array([0.0, 0.1]), "delta": 0.5, "batch_size": 2},
    ),
    "label_noise_flow, noise": (
        ln.label_noise_flow,
        {"problem": ln.SampledLabels(SOFT), "x0": START, "t": jnp.array([0.0, 0.1])},
    ),
    "label_noise_flow, sparse": (
        ln.label_noise_flow,
        {"problem": SPARSE, "x0": jnp.ones(10), "t": jnp.array([0.0, 0.1]), "delta": 0.5},
    ),
    "adaptive_flow": (
        ln.adaptive_flow,
        {
            "problem": HYPERBOLA,
            "x0": START,
            "t": jnp.array([0.0, 0.1]),
            "delta": 0.5,
            "rate": 2.0,
            "eps": 0.01,
            "second_moment": jnp.ones(2),
        },
    ),
    "adaptive_flow, sparse": (
        ln.adaptive_flow,
        {
            "problem": SPARSE,
            "x0": jnp.ones(10),
            "t": jnp.array([0.0, 0.1]),
            "delta": 0.5,
            "rate": np.inf,
            "eps": 0.1,
        },
    ),
    "random_sparse_regression": (
        ln.random_sparse_regression,
        {"key": KEY, "n": 3, "d": 5, "sparsity": 1, "design": "gaussian"},
    ),
    "SparseRegression": (
        ln.SparseRegression,
        {
            "design": SPARSE.design,
            "targets": SPARSE.targets,
            "parametrization": "difference",
            "loss_scale": 1.0,
        },
    ),
    "SparseRegression.recovery_rate": (SPARSE.recovery_rate, {"w_star": TRUTH}),
    "SparseRegression.basis_pursuit": (SPARSE.basis_pursuit, {"feature_weights": jnp.ones(5)}),
    "LeastSquares": (
        ln.LeastSquares,
        {"predict": lambda x: x[:1] * x[1:], "targets": jnp.ones(1), "loss_scale": 1.0},
    ),
    "LabelNoise": (
        ln.LabelNoise,
        {"problem": SPARSE, "delta": 0.1, "batch_size": 2, "distribution": "sign", "gradient": "batch"},
    ),
    "distance": (ln.distance, {"problem": HYPERBOLA, "x": START}),
    "diagnose": (ln.diagnose, {"problem": HYPERBOLA, "states": SAMPLES}),
    "flatten": (flat_start, {"predict": lambda params: params["w"], "params": {"w": jnp.ones(2)}}),
    "CrossEntropy": (
        ln.CrossEntropy,
        {"logits": lambda x: jnp.outer(x[:1], x), "targets": jnp.array([[0.8, 0.2]])},
    ),
    "SampledLabels": (ln.SampledLabels, {"problem": SOFT, "batch_size": 2}),
    "MinibatchNoise": (
        ln.MinibatchNoise,
        {"problem": SPARSE, "batch_size": 2, "kind": "batch", "strength": 1.0},
    ),
    "GaussianNoise": (ln.GaussianNoise, {"problem": HYPERBOLA, "cov": np.eye(2)}),
    "SharpnessAware": (ln.SharpnessAware, {"noise": ln.MinibatchNoise(SPARSE), "radius": 0.1}),
    "PerturbedGradient": (ln.PerturbedGradient, {"problem": HYPERBOLA, "sigma": 0.1}),
    "energy_distance": (compare.energy_distance, {"a": SAMPLES, "b": SAMPLES + 1}),
    "sliced_wasserstein": (compare.sliced_wasserstein, {"a": SAMPLES, "b": SAMPLES + 1, "key": KEY}),
    "ks": (compare.ks, {"a": SAMPLES[:, :1], "b": SAMPLES[:, 1:]}),
    "circle": (landscapes.circle, {"a": 0.5, "b": 0.25, "d": 0.5}),
    "ring": (landscapes.ring, {"a": 2.0}),
    "valley": (landscapes.valley, {"c": 1.0}),
    "phase_motor": (landscapes.phase_motor, {"k": 3}),
    "four_terms": (
        landscapes.four_terms,
        {"a": 1.0, "tangent": 0.3, "mixed": 0.2, "radial": 0.5, "vertical": 0.8},
    ),
}

numbers = st.sampled_from([np.nan, np.inf, -np.inf, -1.0, -1, 0, 0.0, 0.5, 1e300, 2**70, True, 1j])
arrays = st.builds(
    np.full,
    st.sampled_from([(), (0,), (1,), (2,), (3,), (10,), (2, 2), (0, 2), (2, 3), (5, 5), (2, 2, 2)]),
    st.sampled_from([np.nan, np.inf, 0.0, -1.0, 1.0, 1e30]),
    st.sampled_from(["float64", "float32", "complex128"]),
)
others = st.sampled_from(
    [None, "", "no such thing", [], {}, [[1.0], [1.0, 2.0]], object(), np.array(["a", "b"]), len]
)
malformed = numbers | arrays | others | arrays.map(lambda array: array.astype(bool) if array.size else array)


def is_known(function, name):
    parameters = inspect.signature(function).parameters
    assert name in parameters, f"{function} has no argument {name}: mend the table of calls"


@pytest.mark.parametrize("call", CALLS)
def test_the_calls_are_good(call):
    function, arguments = CALLS[call]
    for name in arguments:
        is_known(function, name)
    finite(function(**arguments))


def finite(result):
    for leaf in jax.tree.leaves(result):
        if jnp.issubdtype(jnp.asarray(leaf).dtype, jnp.floating):
            assert np.isfinite(np.asarray(leaf)).all(), f"not finite: {result}"


@pytest.mark.parametrize("call", CALLS)
@settings(max_examples=40)
@given(data=st.data())
def test_a_malformed_argument_is_named(call, data):
    function, good = CALLS[call]
    name = data.draw(st.sampled_from(sorted(good)))
    value = data.draw(malformed)
    complaint = None
    try:
        result = function(**(good | {name: value}))
    except (ValueError, TypeError) as error:
        complaint = str(error)
    if complaint is not None:
        assert name in complaint, f"{name} = {value!r} is not named: {complaint}"
    elif not isinstance(result, tuple) or not any(isinstance(part, ln.Loss) for part in result):
        finite(result)
