"""What cannot be answered is refused, with the argument, its value and the remedy; never a silent wrong number."""

import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from networks import independent_label_noise_flow

import labnoise as ln
from labnoise import landscapes

HYPERBOLA = landscapes.hyperbola()
# Γ is the unit sphere in a rotated frame, and its Hessian in float32 never has exact zeros
FRAME = np.linalg.qr(np.random.default_rng(0).standard_normal((5, 5)))[0]
SPHERE = ln.Loss(lambda x: 0.25 * (jnp.sum((FRAME @ x)[:3] ** 2) - 1) ** 2)
ON_SPHERE = jnp.asarray(FRAME.T @ np.array([0.6, 0.48, 0.64, 0.3, -0.2]))


# Float32


def singular(dtype=np.float64):
    return (2.0 * np.outer(FRAME[0], FRAME[0]) + np.outer(FRAME[1], FRAME[1])).astype(dtype)


def test_a_singular_hessian_in_less_than_float64_is_refused():
    for value in (singular(np.float32), singular().astype(jnp.bfloat16)):
        value = (jnp.asarray(value) + jnp.asarray(value).T) / 2
        with pytest.raises(ValueError, match=r"hessian = .*its rank is not clear in b?float.*in float64"):
            ln.ornstein_uhlenbeck(value, np.eye(5), 0.1)
        with pytest.raises(ValueError, match=r"hessian = .*its rank is not clear in b?float.*in float64"):
            ln.lyapunov_solve(value, np.eye(5))
    with pytest.raises(ValueError, match="the dtype of hessian = 'float32'"):
        jax.jit(lambda H: ln.lyapunov_solve(H, jnp.eye(5)))(singular(np.float32))


def test_a_clear_hessian_in_float32_is_computed_in_float64():
    clear, cov = np.diag([2.0, 1.0, 0.0]).astype(np.float32), np.eye(3, dtype=np.float32)
    near = ln.ornstein_uhlenbeck(clear, cov, 0.1)
    exact = ln.ornstein_uhlenbeck(clear.astype(float), np.eye(3), 0.1)
    start = np.ones(3, np.float32)
    for pair in zip(
        (
            near.stationary_covariance,
            near.mean(3.0, start),
            near.sample(jax.random.key(0), [1.0, 2.0], start),
        ),
        (
            exact.stationary_covariance,
            exact.mean(3.0, start * 1.0),
            exact.sample(jax.random.key(0), [1.0, 2.0], start),
        ),
        strict=True,
    ):
        assert pair[0].dtype == jnp.float64
        np.testing.assert_array_equal(*pair)
    assert ln.lyapunov_solve(clear, cov).dtype == jnp.float64


def test_a_point_in_float32_is_taken_to_gamma_in_float64():
    single, cov = ON_SPHERE.astype(jnp.float32), np.eye(5, dtype=np.float32)
    T = ln.tangent_projection(SPHERE, single)
    np.testing.assert_allclose(T, ln.tangent_projection(SPHERE, ON_SPHERE), atol=1e-6)
    np.testing.assert_allclose(T @ T, T, atol=1e-12)
    for ours, exact in zip(
        ln.drift_terms(SPHERE, cov, single), ln.drift_terms(SPHERE, np.eye(5), ON_SPHERE), strict=True
    ):
        np.testing.assert_allclose(ours, exact, atol=1e-5)
    assert ln.sharpness(SPHERE, single).dtype == jnp.float64
    with pytest.raises(ValueError, match="away from Γ; pass project"):
        ln.tangent_projection(SPHERE, single + 0.01)
    with pytest.raises(ValueError, match=r"the dtype of x = 'float32'.*project\(problem, x\)"):
        jax.jit(lambda x: ln.tangent_projection(SPHERE, x))(single)


def test_everything_but_sgd_computes_in_float64():
    start, t, key = jnp.array([1.5, 1.0], jnp.float32), jnp.array([0.0, 0.1], jnp.float32), jax.random.key(0)
    noise = ln.LabelNoise(HYPERBOLA, 0.1)
    design = np.random.default_rng(1).standard_normal((3, 5)).astype(np.float32)
    sparse = ln.SparseRegression(design, design[:, 0])
    for run, exact in [
        (lambda x: ln.project(HYPERBOLA, x), start),
        (lambda x: ln.gradient_flow(HYPERBOLA, x, t), start),
        (lambda x: ln.label_noise_flow(HYPERBOLA, x, t, 0.5), start),
        (lambda x: ln.limiting_diffusion(noise, x, 0.1, 2, key).states, start),
        (lambda x: ln.canonical_sde(noise, x, 0.01, 3, key).states, start),
        (lambda x: ln.project(sparse, x), jnp.ones(10, jnp.float32)),
        (lambda x: ln.label_noise_flow(sparse, x, t, 0.5), jnp.ones(10, jnp.float32)),
        (lambda x: ln.regularizer_flow(HYPERBOLA, x, t, lambda x: jnp.sum(x**2)), start),
        (lambda x: ln.adaptive_flow(HYPERBOLA, x, t, 0.5, 3.0)[0], start),
        (lambda x: ln.largest_curvature(HYPERBOLA, x), start),
        (lambda x: ln.distance(HYPERBOLA, x), start),
        (lambda x: ln.diagnose(HYPERBOLA, x[None]).distance, start),
        (lambda x: HYPERBOLA.project(x), start),
        (lambda x: HYPERBOLA.point(x), start),
        (lambda x: HYPERBOLA.limit(x, t, 0.5), start),
        (lambda x: landscapes.valley().project(x), start),
        (lambda x: landscapes.valley().limit(x, t), start),
        (lambda x: landscapes.valley().fluctuation(x, t), start),
        (lambda x: landscapes.circle().project(x), start),
        (lambda x: landscapes.ring().project(x), start),
    ]:
        assert run(exact).dtype == jnp.float64
        np.testing.assert_array_equal(run(exact), run(exact.astype(float)))
    assert ln.sgd(noise, start, 0.01, 3, key).states.dtype == jnp.float32


def test_a_loss_that_casts_to_float32_is_refused_except_by_sgd():
    casts = ln.Loss(lambda x: jnp.sum(x.astype(jnp.float32)[:1] ** 2))
    with pytest.raises(ValueError, match=r"the dtype of the loss = 'float32'.*casts"):
        ln.project(casts, jnp.ones(2))
    ln.sgd(ln.GaussianNoise(casts, 0.1), jnp.ones(2), 0.1, 3, jax.random.key(0))


# Not smooth


KINK = ln.Loss(lambda x: jnp.linalg.norm(jnp.array([[1.0, 2.0]]) @ x) ** 2)
WIDE_KINK = ln.Loss(lambda x: jnp.linalg.norm(x) ** 2)


@pytest.mark.parametrize(
    "call",
    [
        lambda x: ln.tangent_projection(KINK, x),
        lambda x: ln.drift_terms(KINK, jnp.eye(2), x),
        lambda x: ln.sharpness(KINK, x),
        lambda x: ln.largest_curvature(KINK, x),
        lambda x: ln.distance(KINK, x),
        lambda x: ln.distance(ln.Loss(lambda x: (jnp.linalg.norm(x) - 1) ** 2), x),
        lambda x: ln.local_sgd_drift(
            ln.Loss(lambda x: 0.5 * x[1] ** 2 + (x[0] ** 2) ** 2.25), jnp.eye(2), x, 2, 1.0
        ),
        lambda x: ln.sgd(ln.GaussianNoise(WIDE_KINK, 0.1), jnp.zeros(600), 0.1, 5, jax.random.key(0)),
        lambda x: ln.project(KINK, x),
        lambda x: ln.gradient_flow(KINK, x, jnp.array([0.0, 1.0])),
        lambda x: ln.limiting_diffusion(ln.GaussianNoise(KINK, 0.1), x, 0.1, 2, jax.random.key(0)),
        lambda x: ln.sgd(ln.GaussianNoise(KINK, 0.1), x, 0.1, 5, jax.random.key(0)),
    ],
)
def test_a_loss_written_by_a_norm_of_zero_is_named(call):
    with pytest.raises(ValueError, match=r"x0? = .*derivatives are not.*jnp\.sum"):
        call(jnp.zeros(2))


def test_a_third_derivative_that_does_not_exist_is_named():
    # the Hessian is finite at 0 and the third derivative NaN
    loss = ln.Loss(
        lambda x: 0.5 * x[1] ** 2 * (1 + jnp.where(x[0] >= 0, x[0], x[0]) ** 2) + jnp.abs(x[1]) ** 2.5
    )
    with pytest.raises(ValueError, match="it is at a kink"):
        ln.drift_terms(loss, jnp.eye(2), jnp.zeros(2))


def test_divergence_from_a_flat_place_promises_no_infinite_learning_rate():
    quartic = ln.Loss(lambda x: jnp.sum(x) ** 4)
    with pytest.raises(ValueError, match=r"λ_max = 0, sets no bound") as refused:
        ln.sgd(ln.GaussianNoise(quartic, 100.0), jnp.zeros(2), 1.0, 50, jax.random.key(0))
    assert "inf" not in str(refused.value)


# Keys, globals


def test_rbg_replicas_depend_on_their_neighbours_and_that_is_said():
    noise, start = ln.GaussianNoise(HYPERBOLA, 0.1), jnp.array([1.5, 1.0])
    keys = jax.random.split(jax.random.key(0, impl="rbg"), 3)
    with pytest.warns(UserWarning, match="key = 3 keys of kind rbg: .*threefry2x32"):
        together = ln.sgd(noise, start, 0.01, 5, keys).states[1]
    alone = ln.sgd(noise, start, 0.01, 5, keys[1]).states
    assert float(abs(together - alone).max()) > 1e-3  # should JAX mend this, take the warning away
    keys = jax.random.split(jax.random.key(0), 3)
    np.testing.assert_array_equal(
        ln.sgd(noise, start, 0.01, 5, keys).states[1], ln.sgd(noise, start, 0.01, 5, keys[1]).states
    )


# Float64 switched off


def test_float64_switched_off_after_the_import_is_said():
    noise, start = ln.LabelNoise(HYPERBOLA, 0.1), jnp.array([1.5, 1.0])
    design = np.random.default_rng(1).standard_normal((3, 5))
    with jax.enable_x64(False):
        for call in (
            lambda: ln.sgd(noise, start, 0.01, 3, jax.random.key(0)),
            lambda: noise.sample_gradient(jax.random.key(0), start),
            lambda: ln.project(HYPERBOLA, start),
            lambda: ln.sharpness(HYPERBOLA, start),
            lambda: ln.SparseRegression(design, design[:, 0]),
            lambda: ln.ornstein_uhlenbeck(np.eye(2), np.eye(2), 0.1),
        ):
            with pytest.raises(ValueError, match=r"jax_enable_x64 = False: .*jax\.config\.update"):
                call()
    assert ln.project(HYPERBOLA, start).dtype == jnp.float64


@pytest.mark.parametrize(
    ("before", "warns"),
    [
        ("", 0),
        ("x = jnp.ones(3)", 1),
        ("x = jnp.ones(3, int)", 0),
        ("jax.config.update('jax_enable_x64', True); x = jnp.ones(3)", 0),
        ("x = jnp.ones(3); del x", 0),
    ],
)
def test_an_import_after_other_work_says_what_it_changes(before, warns):
    program = f"""
import jax, jax.numpy as jnp, warnings
{before}
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    import labnoise
from jax._src import xla_bridge
assert [str(w.message)[:46] for w in caught] == {["importing labnoise turned on JAX's float64 for"] * warns}, caught
assert {bool(before)} or not xla_bridge.backends_are_initialized()
assert jnp.ones(3).dtype == jnp.float64
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=120)


# Times


def test_times_out_of_order_are_nan_under_jit_from_there_on():
    start, t = jnp.array([1.5, 1.0]), jnp.array([0.1, 0.3, 0.2, 0.4])
    right = jnp.array([0.1, 0.3])
    for path in (
        lambda t: ln.gradient_flow(HYPERBOLA, start, t),
        lambda t: ln.label_noise_flow(HYPERBOLA, start, t, 0.5),
        lambda t: ln.ornstein_uhlenbeck(np.eye(2), np.eye(2), 0.1).sample(jax.random.key(0), t, start),
    ):
        with pytest.raises(ValueError, match="increasing"):
            path(t)
        traced = jax.jit(path)(t)
        assert np.isnan(traced[2:]).all()
        assert np.isfinite(traced[:2]).all()
        if path(right).shape == (2, 2):
            np.testing.assert_allclose(jax.jit(path)(right), path(right), rtol=1e-12)
    design = np.random.default_rng(1).standard_normal((3, 5))
    sparse = ln.SparseRegression(design, design[:, 0])
    traced = jax.jit(lambda t: ln.label_noise_flow(sparse, jnp.ones(10), t, 0.5))(jnp.array([0.2, -0.1, 0.1]))
    assert np.isnan(traced).any(1).tolist() == [False, True, False]


def test_infinite_times_do_not_trip_debug_nans():
    design = np.random.default_rng(1).standard_normal((3, 5))
    sparse, t = ln.SparseRegression(design, design[:, 0]), jnp.array([jnp.inf, 0.0, 0.1, jnp.inf])
    expected = ln.label_noise_flow(sparse, jnp.ones(10), t, 0.5)
    with jax.debug_nans(True):
        np.testing.assert_array_equal(ln.label_noise_flow(sparse, jnp.ones(10), t, 0.5), expected)
        ln.gradient_flow(HYPERBOLA, jnp.array([1.5, 1.0]), jnp.array([0.0, 1.0, jnp.inf]))
        ln.project(HYPERBOLA, jnp.array([1.5, 1.0]))
    np.testing.assert_allclose(expected[0], expected[3])


def test_how_far_the_flow_was_followed_is_said():
    from labnoise.limits._runge_kutta import integrate

    # y(t) = 1 − t in the first coordinate up to a wall at t = 0.7, where the field is no number
    def field(y):
        return jnp.where(y[0] > 0.3, jnp.array([-1.0, 0.0]), jnp.nan), jnp.zeros(2)

    _, right, reached = jax.jit(lambda t: integrate(field, jnp.ones(2), t))(jnp.array([0.5, 2.0, 3.0]))
    assert right.tolist() == [True, False, False]
    assert 0.6 < float(reached[1]) <= 0.7001


# Schedules, sharpness, trees


def test_a_schedule_may_start_at_zero():
    noise, start = ln.LabelNoise(HYPERBOLA, 0.1), jnp.array([1.5, 1.0])
    run = ln.sgd(noise, start, lambda k: 0.01 * jnp.minimum(k / 3, 1.0), 6, jax.random.key(0), save_every=1)
    np.testing.assert_array_equal(run.states[1], start)
    assert float(abs(run.states[-1] - start).max()) > 1e-4
    for schedule, says in [
        (lambda k: 0.0 * k, "zero at every step"),
        (lambda k: 0.01 - 0.005 * k, "nowhere negative"),
    ]:
        with pytest.raises(ValueError, match=says):
            ln.sgd(noise, start, schedule, 6, jax.random.key(0))


def test_sharpness_keeps_no_matrix():
    D = 200_000
    program = str(jax.make_jaxpr(lambda x: ln.sharpness(ln.Loss(lambda x: jnp.sum(x**4)), x))(jnp.ones(D)))
    assert f"{D},{D}" not in program
    assert float(ln.sharpness(ln.Loss(lambda x: jnp.sum(x**4)), jnp.arange(100.0))) == 12 * sum(
        k**2 for k in range(100)
    )


def test_a_tree_in_place_of_an_array_is_named_with_its_remedy_and_few_words():
    tree = {"weights": np.ones((30, 30)), "bias": np.ones(30)}
    for call in (
        lambda: ln.project(HYPERBOLA, tree),
        lambda: ln.project(HYPERBOLA, [tree, tree]),
        lambda: ln.sgd(ln.LabelNoise(HYPERBOLA, 0.1), tree, 0.1, 3, jax.random.key(0)),
        lambda: ln.label_noise_flow(HYPERBOLA, jnp.ones(2), tree, 0.1),
    ):
        with pytest.raises(ValueError, match=r"(x0|t) = ") as refused:
            call()
        assert len(str(refused.value)) < 600
    with pytest.raises(ValueError, match=r"x0 = .*keys weights, bias.*ravel_pytree"):
        ln.project(HYPERBOLA, tree)


# Degenerate rest


@pytest.mark.parametrize(
    ("fn", "x0"),
    [
        (lambda x: (x[0] * x[1] * x[2] - 1) ** 2, jnp.zeros(3)),
        (lambda x: x[0] ** 3, jnp.zeros(1)),
        (lambda x: 1.0 - jnp.sum(x**4), jnp.zeros(2)),
        (lambda x: (x[0] - 5.0) ** 2 + x[1] ** 3, jnp.array([5.0, 0.0])),
        (lambda x: x[0] ** 2 - x[1] ** 4, jnp.zeros(2)),
    ],
)
def test_project_refuses_a_degenerate_saddle_or_maximum(fn, x0):
    with pytest.raises(ValueError, match=r"x0 = .*degenerate saddle or maximum.*move the start"):
        ln.project(ln.Loss(fn), x0)


def test_project_accepts_manifolds_of_minima_of_any_curvature():
    for radius in (0.005, 1.0, 300.0):
        ring = ln.Loss(lambda x, r=radius: 0.25 * (x @ x - r**2) ** 2 - 7.0)
        end = ln.project(ring, radius * jnp.array([0.9, 0.6, 0.2]))
        np.testing.assert_allclose(jnp.linalg.norm(end), radius, rtol=1e-9)
    flat = ln.project(ln.Loss(lambda x: (x[0] * x[1] * x[2] - 1) ** 2), jnp.array([0.5, 0.6, 0.7]))
    np.testing.assert_allclose(flat.prod(), 1, rtol=1e-9)


def one_row_twice():
    rows = np.random.default_rng(5).standard_normal((3, 6))
    rows[2] = rows[0]
    problem = ln.LeastSquares(lambda x: jnp.asarray(rows) @ (x + 0.1 * x**3), rows @ np.full(6, 0.3))
    return problem, jnp.linspace(0.1, 0.6, 6), 2


def all_entries_of_a_product():
    """UUᵀ, U (4, 2): sixteen examples for eight weights, and a circle of minimizers."""
    rng = np.random.default_rng(3)
    truth = rng.standard_normal((4, 2))
    problem = ln.LeastSquares(
        lambda x: (x.reshape(4, 2) @ x.reshape(4, 2).T).ravel(), (truth @ truth.T).ravel()
    )
    return problem, jnp.asarray(rng.standard_normal(8)), 7


@pytest.mark.parametrize("make", [one_row_twice, all_entries_of_a_product])
def test_of_dependent_examples_the_rank_counts(make):
    problem, start, rank = make()
    x = ln.project(problem, start)
    # rounding lets the singular solve of Φ through, and the answer is that of the dense Hessian, which knows its rank
    np.testing.assert_allclose(x, ln.project(ln.Loss(problem.loss), start), atol=1e-8)
    times, c = jnp.array([0.1, 0.4]), 0.5
    expected = independent_label_noise_flow(problem, x, times, c, rank)
    # of UUᵀ the sharpness is the same on all of Γ, and label noise rests: there the pull below is what moves
    assert (abs(expected - x).max() > 1e-3) == (make is one_row_twice)
    np.testing.assert_allclose(ln.label_noise_flow(problem, start, times, 0.5), expected, atol=1e-8)
    by_trace = ln.regularizer_flow(problem, start, times, lambda x: c / 4 * jnp.trace(problem.hessian(x)))
    np.testing.assert_allclose(by_trace, expected, atol=1e-8)
    pull = jnp.linspace(-1.0, 1.0, x.size)
    ours = ln.regularizer_flow(problem, start, times, lambda x: x @ pull)
    plain = ln.regularizer_flow(ln.Loss(problem.loss), start, times, lambda x: x @ pull)
    assert float(abs(plain - x).max()) > 1e-2
    np.testing.assert_allclose(ours, plain, atol=1e-8)


def test_where_dependent_examples_become_independent_is_named():
    """Where x₂ < 0 the second example is the first; beyond it Γ is a line, and the way there leads off it."""
    problem = ln.LeastSquares(
        lambda x: jnp.array([x[0], x[0] + jnp.maximum(x[1], 0.0) ** 3]), np.array([1.0, 1.0])
    )
    says = r"tau = .*at 2 not all examples are fitted.*gradients of the 2 examples have rank 1 at Φ\(x0\)"
    with pytest.raises(ValueError, match=says), pytest.warns(UserWarning, match="kink"):
        ln.regularizer_flow(problem, jnp.array([1.2, -1.0, 0.0]), jnp.array([0.5, 2.0]), lambda x: -x[1])


def test_a_loss_without_a_finite_minimizer_is_named():
    features = np.random.default_rng(0).standard_normal((8, 3))
    labels = np.sign(features @ np.array([1.0, -2.0, 0.5]))
    separable = ln.Loss(lambda x: jnp.mean(jax.nn.softplus(-labels * (features @ x))))
    for loss in (separable, ln.Loss(lambda x: 1 / (1 + x[0] ** 2))):
        with pytest.raises(ValueError, match=r"x0 = .*from \|x\| = .* no finite minimizer.*weight decay"):
            ln.project(loss, jnp.array([0.1, 0.2, 0.3]))
    with pytest.raises(ValueError, match=r"x0 = .*on its way to infinity.*finite minimizer"):
        ln.project(ln.Loss(lambda x: jnp.exp(-x[0]) + x[1] ** 2), jnp.array([0.1, 0.2]))
    # weight decay gives it one
    end = ln.project(ln.Loss(lambda x: separable.loss(x) + 0.01 * x @ x), jnp.array([0.1, 0.2, 0.3]))
    assert float(abs(separable.gradient(end) + 0.02 * end).max()) < 1e-9


@pytest.mark.parametrize("seed", range(4))
def test_a_flow_that_has_come_to_rest_is_no_failure(seed):
    """Matrix sensing: a matrix of rank one from factors of rank eight ends at the least trace, where J loses rank."""
    d, n, rng = 8, 20, np.random.default_rng(seed)
    A = rng.standard_normal((n, d, d))
    A, u = (A + A.transpose(0, 2, 1)) / 2, rng.standard_normal(d)
    problem = ln.LeastSquares(
        lambda x: jnp.einsum("nij,ik,jk->n", A, x.reshape(d, d), x.reshape(d, d)),
        np.einsum("nij,i,j->n", A, u, u),
    )
    with pytest.warns(
        UserWarning, match=r"t = 1000: the flow was followed to \d+\.?\d* and has come to rest"
    ):
        path = ln.label_noise_flow(
            problem, 0.5 * rng.standard_normal(d * d), jnp.array([3.0, 1000.0, 2000.0]), 0.5, max_steps=4000
        )
    for end in np.asarray(path).reshape(3, d, d)[1:]:
        np.testing.assert_allclose(end @ end.T, np.outer(u, u), atol=1e-5)
