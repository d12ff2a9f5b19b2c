import jax
import jax.numpy as jnp
import numpy as np
import pytest

from labnoise import (
    FiniteNoise,
    GaussianNoise,
    LabelNoise,
    Loss,
    SparseRegression,
    landscapes,
    random_sparse_regression,
    sgd,
    sweep,
)
from labnoise.dynamics._optimizers import Descent, HeavyBall

KEY = jax.random.key(7)
HYPERBOLA = landscapes.hyperbola()


def test_gradient_descent_is_the_loop_that_one_would_write():
    problem, _ = random_sparse_regression(jax.random.key(0), 5, 7, 2)
    x = x0 = jax.random.normal(jax.random.key(1), (14,))
    velocity, expected = 0.0, [x0]
    for k in range(9):
        velocity = 0.6 * velocity + problem.gradient(x)
        x = x - 0.01 / (1 + k) * velocity
        expected.append(x)
    run = sgd(GaussianNoise(problem, 0.0), x0, lambda k: 0.01 / (1 + k), 9, KEY, save_every=2, momentum=0.6)
    assert run.steps.tolist() == [0, 2, 4, 6, 8, 9]
    np.testing.assert_allclose(run.states, jnp.stack(expected)[run.steps], rtol=1e-12)


@pytest.mark.statement("Hyperbola: each step multiplies u² − v² by 1 − η²g²", asked=1e-12)
def test_invariant_of_the_hyperbola(measured):
    eta, run = 0.05, sgd(LabelNoise(HYPERBOLA, 0.5), jnp.array([1.6, 0.4]), 0.05, 2000, KEY, save_every=1)
    u, v = run.states.T
    # the noise is ±δ, so that each step's slope is one of two numbers: take the one that fits u
    slopes = 2 * (u * v - 1)[:-1, None] + jnp.array([1.0, -1.0])
    slope = jnp.take_along_axis(
        slopes, abs(u[:-1, None] - eta * slopes * v[:-1, None] - u[1:, None]).argmin(1)[:, None], 1
    )[:, 0]
    q = u**2 - v**2
    measured(abs(q[1:] / (q[:-1] * (1 - eta**2 * slope**2)) - 1).max())


@pytest.mark.statement("Sparse model, batch 1: u_j v_j ← u_j v_j (1 − 16η²(r − δε)²z_ij²)", asked=1e-13)
def test_invariant_of_the_sparse_model(measured):
    problem, _ = random_sparse_regression(jax.random.key(0), 4, 6, 2)
    noise, eta, d = LabelNoise(problem, 0.5), 0.01, 6
    x = jnp.linspace(0.5, 1.5, 2 * d)
    for step in range(20):
        key = jax.random.fold_in(KEY, step)
        (example,), (sign,) = noise.draw(key, x)
        after = x - eta * noise.sample_gradient(key, x)
        z = problem.design[example]
        slope = z @ (x[:d] ** 2 - x[d:] ** 2) - problem.targets[example] - 0.5 * sign
        factors = 1 - 16 * eta**2 * slope**2 * z**2
        measured(abs(after[:d] * after[d:] / (x[:d] * x[d:] * factors) - 1).max())
        x = after


def test_a_coordinate_that_starts_at_zero_never_changes_sign():
    design = jax.random.normal(jax.random.key(0), (3, 3))  # so that w = (0, 0, 2) alone interpolates
    noise = LabelNoise(SparseRegression(design, 2 * design[:, 2]), 0.5)
    ends = {}
    for start in (0.0, 0.1):  # of u_2, whose weight w_2 should become 2
        x0 = jnp.array([1.0, 1.0, start, 0.9, 1.1, 1.0])
        weights = jax.vmap(noise.problem.weights)(sgd(noise, x0, 0.02, 4000, KEY, save_every=1).states)[:, 2]
        ends[start] = float(weights[-1])
        assert float(weights[0]) < 0
        assert start > 0 or float(weights.max()) <= 0
    assert ends[0.0] <= 0 < 1 < ends[0.1]


def test_saving_and_replicas_do_not_change_the_run():
    noise, x0 = LabelNoise(HYPERBOLA, 0.5), jnp.array([1.6, 0.4])
    fine = sgd(noise, x0, 0.05, 1300, KEY, save_every=1)
    coarse = sgd(noise, x0, 0.05, 1300, KEY, save_every=500)
    assert coarse.steps.tolist() == [0, 500, 1000, 1300]
    np.testing.assert_array_equal(coarse.states, fine.states[coarse.steps])
    shorter = sgd(noise, x0, 0.05, 700, KEY)
    np.testing.assert_array_equal(shorter.states[-1], fine.states[700])
    keys = jax.random.split(KEY, 3)
    many = sgd(noise, x0, 0.05, 1300, keys)
    assert many.states.shape == (3, 2, 2)
    for key, states in zip(keys, many.states, strict=True):
        np.testing.assert_allclose(sgd(noise, x0, 0.05, 1300, key).states, states, rtol=1e-12)


def test_dtype_is_kept():
    run = sgd(LabelNoise(HYPERBOLA, 0.5), jnp.array([1.6, 0.4], jnp.float32), 0.05, 100, KEY, momentum=0.5)
    assert run.states.dtype == jnp.float32


def test_no_steps():
    run = sgd(LabelNoise(HYPERBOLA, 0.5), jnp.array([1.6, 0.4]), 0.05, 0, KEY)
    np.testing.assert_array_equal(run.states, [[1.6, 0.4]])


@pytest.fixture
def bars(monkeypatch):
    """The progress bars that are made: what they are asked for, and how they move."""
    made = []

    class Bar:
        def __init__(self, **options):
            self.options, self.moves = options, []
            made.append(self)

        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

        def update(self, steps=1):
            self.moves.append(steps)

    monkeypatch.setattr("labnoise._progress.tqdm", Bar)
    monkeypatch.delenv("LABNOISE_PROGRESS", raising=False)
    return made


def test_a_long_run_in_pieces_reports_progress(bars):
    sgd(LabelNoise(HYPERBOLA, 0.5), jnp.array([1.6, 0.4]), 0.05, 60_001, KEY)
    (bar,) = bars
    assert (sum(bar.moves), bar.options["disable"], bar.options["delay"]) == (60_001, False, 2)
    assert len(bar.moves) > 1
    assert bar.options["total"] == 60_001


@pytest.mark.parametrize(
    ("name", "value", "silent"),
    [
        ("LABNOISE_PROGRESS", "0", True),
        ("LABNOISE_PROGRESS", "1", False),
        ("LABNOISE_FRAMES", "frames", False),
    ],
)
def test_a_setting_silences_the_bar(bars, monkeypatch, name, value, silent):
    monkeypatch.setenv(name, value)
    sgd(LabelNoise(HYPERBOLA, 0.5), jnp.array([1.6, 0.4]), 0.05, 10, KEY)
    sweep(lambda seed, n: n, {"n": [1]}, 1)
    assert [bar.options["disable"] for bar in bars] == [silent, silent]


def test_a_run_inside_jit_shows_no_bar(bars):
    jax.jit(lambda key: sgd(LabelNoise(HYPERBOLA, 0.5), jnp.array([1.6, 0.4]), 0.05, 10, key).states)(KEY)
    assert [bar.options["disable"] for bar in bars] == [True]


def test_a_replica_that_diverges_is_marked_alone():
    # two unlucky draws, of one in four, throw the state beyond |x| = √20, where steps on x⁴/4 explode
    quartic = Loss(lambda x: 0.25 * (x**4).sum())
    tall = FiniteNoise(quartic, lambda x: jnp.array([[18.0, -6.0, -6.0, -6.0]]))
    keys = jax.random.split(KEY, 16)
    run = sgd(tall, jnp.array([1.0]), 0.1, 2, keys, save_every=1)
    assert (run.diverged_at == -1).all()
    run = sgd(tall, jnp.array([1.0]), 0.1, 20, keys, save_every=1)
    broken = run.diverged_at >= 0
    assert 0 < int(broken.sum()) < 16
    for at, states in zip(run.diverged_at, run.states, strict=True):
        finite = jnp.isfinite(states).all(1)
        assert bool(finite.all()) if at < 0 else (bool(finite[: int(at)].all()) and not bool(finite[int(at)]))


def test_if_all_diverge_the_error_names_the_largest_rate():
    quadratic = GaussianNoise(Loss(lambda x: 8.5 * x[0] ** 2), 0.0)
    with pytest.raises(ValueError, match=r"every replica diverged.*λ_max = 17.*at most η = 0.117"):
        sgd(quadratic, jnp.array([4.0, 1e-9]), 0.2, 10_000, KEY)


@pytest.mark.parametrize("rule", [Descent(), HeavyBall(0.6)], ids=["descent", "heavy ball"])
def test_the_largest_rate_parts_what_converges_from_what_diverges(rule):
    largest, momentum = rule.largest_rate(17.0), getattr(rule, "momentum", 0.0)
    quadratic = GaussianNoise(Loss(lambda x: 8.5 * x[0] ** 2), 0.0)
    below, above = (
        abs(sgd(quadratic, jnp.ones(1), factor * largest, 2000, KEY, momentum=momentum).states[-1, 0])
        for factor in (0.99, 1.01)
    )
    assert below < 1e-3 < 1e3 < above


def test_jit_vmap_grad():
    def end(x0, eta):
        return sgd(LabelNoise(HYPERBOLA, 0.5), x0, eta, 20, KEY).states[-1]

    x0, eta = jnp.array([1.6, 0.4]), 0.05
    np.testing.assert_allclose(jax.jit(end)(x0, eta), end(x0, eta), rtol=1e-12)
    assert jax.vmap(end, (None, 0))(x0, jnp.array([0.01, 0.02])).shape == (2, 2)
    step = 1e-6
    slope = (end(x0, eta + step) - end(x0, eta - step)) / (2 * step)
    np.testing.assert_allclose(jax.jacrev(end, 1)(x0, eta), slope, rtol=1e-6)
    diverged = jax.jit(lambda x: sgd(GaussianNoise(landscapes.valley(), 0.0), x, 9.0, 2000, KEY))
    assert int(diverged(jnp.array([4.0, 1.0])).diverged_at) >= 0  # a status in place of an error


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"noise": HYPERBOLA}, "noise = "),
        ({"x0": jnp.ones((2, 2))}, "the shape of x0"),
        ({"x0": jnp.array([1.0, jnp.nan])}, "x0 = "),
        ({"x0": jnp.ones(3)}, "x0|predict"),
        ({"learning_rate": 0.0}, "learning_rate = 0.0: pass a positive"),
        ({"learning_rate": -1.0}, "learning_rate = -1.0"),
        ({"learning_rate": lambda k: 1.0 - k}, "learning_rate = .*schedule"),
        ({"learning_rate": jnp.ones(3)}, "learning_rate = .*single real number"),
        ({"num_steps": -1}, "num_steps = -1"),
        ({"num_steps": 1e3}, "num_steps = 1000.0: pass a whole number"),
        ({"save_every": 0}, "save_every = 0"),
        ({"momentum": 1.0}, "momentum = 1.0"),
        ({"key": 0}, "key = 0: pass jax.random.key"),
    ],
)
def test_bad_input_is_named(change, message):
    good = {
        "noise": LabelNoise(HYPERBOLA, 0.5),
        "x0": jnp.ones(2),
        "learning_rate": 0.1,
        "num_steps": 10,
        "key": KEY,
    }
    with pytest.raises(ValueError, match=message):
        sgd(**(good | change))


def test_another_run_traces_nothing_anew():
    traced = []

    class Counted(LabelNoise, static=("batch_size", "distribution", "full")):
        def draw(self, key, x):
            traced.append(key)
            return super().draw(key, x)

    for delta in (0.5, 0.4, 0.3):
        before = len(traced)
        sgd(Counted(HYPERBOLA, delta), jnp.array([1.6, 0.4]), 0.05, 20, KEY)
    assert before == len(traced) > 0


def test_many_replicas_in_groups_are_what_they_are_alone():
    noise, x0 = LabelNoise(landscapes.hyperbola(), 0.5), jnp.array([1.6, 0.4])
    keys = jax.random.split(jax.random.key(5), 4099)  # three groups, the last filled up
    run = sgd(noise, x0, 0.05, 40, keys, save_every=20)
    assert (run.states.shape, run.diverged_at.shape) == ((4099, 3, 2), (4099,))
    for i in (0, 1366, 1367, 2733, 2734, 4098):
        alone = sgd(noise, x0, 0.05, 40, keys[i], save_every=20)
        np.testing.assert_allclose(run.states[i], alone.states, rtol=1e-12)
    assert len({float(q) for q in run.states[:, -1, 0]}) > 4000


def test_a_setting_of_jax_for_a_few_lines_is_one_for_many_replicas_too():
    noise, x0 = LabelNoise(landscapes.hyperbola(), 0.5), jnp.array([1.6, 0.4])
    keys = jax.random.split(jax.random.key(5), 4099)
    plain = sgd(noise, x0, 0.05, 40, keys).states
    with jax.threefry_partitionable(False):
        many, few = sgd(noise, x0, 0.05, 40, keys).states, sgd(noise, x0, 0.05, 40, keys[:3]).states
    np.testing.assert_allclose(many[:3], few, rtol=1e-12)
    assert abs(many[:3, -1] - plain[:3, -1]).max() > 1e-3
