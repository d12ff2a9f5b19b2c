"""`train`: any optimizer of optax, against the loop that one would write, and against `sgd`."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from labnoise import (
    FiniteNoise,
    GaussianNoise,
    LabelNoise,
    Loss,
    landscapes,
    random_sparse_regression,
    sgd,
    train,
)
from labnoise.dynamics._train import _check_memory, _rule

KEY = jax.random.key(7)
HYPERBOLA = landscapes.hyperbola()
NOISE, X0 = LabelNoise(HYPERBOLA, 0.5), jnp.array([1.6, 0.4])


def plain_loop(noise, x0, optimizer, num_steps, key):
    """All states of the loop of optax's own documentation."""

    @jax.jit
    def step(x, state, k):
        gradient = noise.sample_gradient(jax.random.fold_in(key, k), x)
        updates, state = optimizer.update(gradient, state, x)
        return optax.apply_updates(x, updates), state

    x, state, states = x0, optimizer.init(x0), [x0]
    for k in range(num_steps):
        x, state = step(x, state, k)
        states.append(x)
    return jnp.stack(states)


@pytest.mark.parametrize(
    "optimizer",
    [
        optax.adam(0.01),
        optax.adamw(optax.cosine_decay_schedule(0.02, 300), b2=0.99, weight_decay=0.1),
        optax.chain(optax.clip_by_global_norm(0.5), optax.rmsprop(0.01, momentum=0.3)),
        optax.inject_hyperparams(optax.adam)(learning_rate=0.01),
    ],
    ids=["adam", "adamw with a schedule", "clipped rmsprop", "injected"],
)
def test_it_is_the_plain_loop_of_optax(optimizer):
    problem, _ = random_sparse_regression(jax.random.key(0), 5, 7, 2)
    noise, x0 = LabelNoise(problem, 0.3), jax.random.normal(jax.random.key(1), (14,))
    run = train(noise, x0, optimizer, 300, KEY, save_every=1)
    np.testing.assert_allclose(run.states, plain_loop(noise, x0, optimizer, 300, KEY), rtol=0, atol=1e-12)


@pytest.mark.parametrize("momentum", [0.0, 0.6])
def test_optax_sgd_gives_the_numbers_of_sgd(momentum):
    problem, _ = random_sparse_regression(jax.random.key(0), 5, 7, 2)
    noise, x0 = LabelNoise(problem, 0.3), jnp.linspace(0.5, 1.5, 14)
    keys = jax.random.split(KEY, 3)
    ours = sgd(noise, x0, 0.002, 1300, keys, save_every=100, momentum=momentum)
    theirs = train(noise, x0, optax.sgd(0.002, momentum=momentum), 1300, keys, save_every=100)
    np.testing.assert_array_equal(theirs.steps, ours.steps)
    np.testing.assert_allclose(theirs.states, ours.states, rtol=0, atol=1e-12)


def test_saving_and_replicas_do_not_change_the_run():
    optimizer, keys = optax.adam(0.01), jax.random.split(KEY, 3)
    fine = train(NOISE, X0, optimizer, 1300, KEY, save_every=1)
    coarse = train(NOISE, X0, optimizer, 1300, KEY, save_every=500)
    assert coarse.steps.tolist() == [0, 500, 1000, 1300]
    np.testing.assert_array_equal(coarse.states, fine.states[coarse.steps])
    many = train(NOISE, X0, optimizer, 1300, keys)
    for key, states in zip(keys, many.states, strict=True):
        np.testing.assert_allclose(train(NOISE, X0, optimizer, 1300, key).states, states, rtol=1e-12)
    np.testing.assert_array_equal(train(NOISE, X0, optimizer, 0, KEY).states, X0[None])


def test_dtype_is_kept():
    run = train(NOISE, X0.astype(jnp.float32), optax.adam(0.01), 100, KEY)
    assert run.states.dtype == jnp.float32


def test_a_replica_that_diverges_is_marked_alone():
    quartic = Loss(lambda x: 0.25 * (x**4).sum())
    tall = FiniteNoise(quartic, lambda x: jnp.array([[18.0, -6.0, -6.0, -6.0]]))
    keys = jax.random.split(KEY, 16)
    run = train(tall, jnp.array([1.0]), optax.sgd(0.1), 20, keys, save_every=1)
    np.testing.assert_array_equal(run.diverged_at, sgd(tall, jnp.array([1.0]), 0.1, 20, keys).diverged_at)
    assert 0 < int((run.diverged_at >= 0).sum()) < 16


def test_if_all_diverge_the_error_says_so():
    quadratic = GaussianNoise(Loss(lambda x: 8.5 * x[0] ** 2), 0.0)
    with pytest.raises(ValueError, match=r"optimizer: every replica diverged.*λ_max = 17: .*η < 2/λ_max"):
        train(quadratic, jnp.array([4.0, 1e-9]), optax.sgd(0.2), 10_000, KEY)


def test_jit_vmap_grad():
    def end(eta):  # the rate hides in the optimizer, where no argument shows it
        return train(NOISE, X0, optax.adam(eta), 20, KEY).states[-1]

    eta, step = 0.01, 1e-6
    np.testing.assert_allclose(jax.jit(end)(eta), end(eta), rtol=1e-12)
    assert jax.vmap(end)(jnp.array([0.01, 0.02])).shape == (2, 2)
    np.testing.assert_allclose(
        jax.jacrev(end)(eta), (end(eta + step) - end(eta - step)) / (2 * step), rtol=1e-6
    )


class Growing:
    """Its state has another shape after a step."""

    def init(self, x):
        return jnp.zeros(1)

    def update(self, gradient, state, x):
        return -gradient, jnp.zeros(2)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"noise": HYPERBOLA}, "noise = "),
        ({"x0": jnp.array([1.0, jnp.nan])}, "x0 = "),
        ({"optimizer": 0.1}, "optimizer = 0.1: pass an optimizer of optax"),
        ({"optimizer": optax.adam}, "optimizer = <function adam.*pass an optimizer of optax"),
        ({"optimizer": optax.lbfgs()}, "optimizer = .*from a gradient"),
        ({"optimizer": Growing()}, "optimizer = .*shapes that init returned"),
        (
            {"optimizer": optax.stateless(lambda g, x: g[:1])},
            "the shape of the optimizer's step",
        ),
        (
            {"optimizer": optax.noisy_sgd(0.1, 0.1, 0.5, key=0), "key": jax.random.split(KEY, 2)},
            "optimizer = .*a key of its own",
        ),
        ({"optimizer": optax.adam(0.1, b2=1.5)}, "optimizer = .*choose its b2, or decay"),
        ({"optimizer": optax.adamw(0.1, b2=-0.1)}, "optimizer = .*choose its b2, or decay"),
        ({"optimizer": optax.rmsprop(0.1, 1.01, initial_scale=3.0)}, "optimizer = .*choose its b2, or decay"),
        ({"num_steps": -1}, "num_steps = -1"),
        ({"save_every": 0}, "save_every = 0"),
        ({"key": 0}, "key = 0: pass jax.random.key"),
    ],
)
def test_bad_input_is_named(change, message):
    good = {"noise": NOISE, "x0": X0, "optimizer": optax.adam(0.1), "num_steps": 10, "key": KEY}
    with pytest.raises(ValueError, match=message):
        train(**(good | change))


@pytest.mark.parametrize(
    "name",
    ["adabelief", "adamax", "amsgrad", "lamb", "nadam", "noisy_sgd", "novograd", "rmsprop", "sm3", "yogi"],
)
def test_the_means_of_squares_of_optax_pass(name):
    more = {"eta": 0.1, "gamma": 0.5, "key": 0} if name == "noisy_sgd" else {}
    optimizer = getattr(optax, name)(0.1, **more)
    _check_memory(optimizer, _rule(optimizer), X0)
