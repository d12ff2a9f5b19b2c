import jax
import jax.numpy as jnp
import numpy as np
import pytest

from labnoise import compare

KEYS = jax.random.split(jax.random.key(3), 200)


def test_energy_distance_is_the_sum_over_pairs():
    a, b = jax.random.normal(KEYS[0], (7, 3)), 0.5 + jax.random.normal(KEYS[1], (5, 3))

    def distances(x, y):
        return np.linalg.norm(np.asarray(x)[:, None] - np.asarray(y)[None], axis=-1)

    expected = 2 * distances(a, b).mean() - distances(a, a).sum() / (7 * 6) - distances(b, b).sum() / (5 * 4)
    value, error = compare.energy_distance(a, b)
    np.testing.assert_allclose(value, expected, rtol=1e-12)
    leave_one_out = [compare.energy_distance(jnp.delete(a, i, axis=0), b).value for i in range(7)]
    others = [compare.energy_distance(a, jnp.delete(b, i, axis=0)).value for i in range(5)]
    jackknife = sum((len(v) - 1) * np.var(v) for v in (leave_one_out, others))
    np.testing.assert_allclose(error, jackknife**0.5, rtol=1e-8)


def test_energy_distance_of_equal_distributions_scatters_about_zero():
    values, errors = jax.vmap(lambda key: compare.energy_distance(*jax.random.exponential(key, (2, 80, 2))))(
        KEYS
    )
    assert abs(float(values.mean())) < 4 * float(values.std()) / len(KEYS) ** 0.5
    assert float((abs(values) > 3 * errors).mean()) < 0.03


def test_energy_distance_covers_the_true_difference():
    # in one dimension 2E|X−Y| − … = 2∫(F − G)²; here for uniform on [0, 1] and on [1/2, 3/2]
    def estimate(key):
        a, b = jax.random.uniform(key, (2, 200, 1))
        return compare.energy_distance(a, b + 0.5)

    values, errors = jax.vmap(estimate)(KEYS)
    truth = 2 * (2 * (0.5**3 / 3) + 0.5 * 0.25)
    assert abs(float(values.mean()) - truth) < 4 * float(values.std()) / len(KEYS) ** 0.5
    assert 0.8 < float(errors.mean() / values.std()) < 1.25


def test_p_values_are_uniform_under_equality_and_small_otherwise():
    def both(key, shift):
        a, b = jax.random.normal(key, (2, 50, 2))
        return compare.sliced_wasserstein(a, b + shift, key, 16, 99).p_value

    p = jnp.array([both(key, 0.0) for key in KEYS[:60]])
    assert 0.35 < float(p.mean()) < 0.65
    assert float(both(KEYS[0], jnp.array([0.0, 1.0]))) <= 0.02


def test_ks_looks_at_every_coordinate():
    a, b = jax.random.normal(KEYS[0], (2, 200, 3))
    assert float(compare.ks(a, b).p_value) > 0.01
    assert float(compare.ks(a, b.at[:, 2].mul(3.0)).p_value) < 1e-4


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: compare.energy_distance(jnp.ones(3), jnp.ones((3, 1))), "the shape of a"),
        (lambda: compare.energy_distance(jnp.ones((3, 2)), jnp.ones((3, 1))), "the shape of b"),
        (lambda: compare.ks(jnp.ones((1, 2)), jnp.ones((3, 2))), "the shape of a"),
        (lambda: compare.sliced_wasserstein(jnp.ones((2, 2)), jnp.ones((3, 2)), KEYS[0]), "the shape of b"),
        (lambda: compare.energy_distance(jnp.full((3, 2), jnp.nan), jnp.ones((3, 2))), "a = .*finite"),
    ],
)
def test_bad_input_is_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()
