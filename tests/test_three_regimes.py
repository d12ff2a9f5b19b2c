"""RMSProp's second moment slower than Γ is crossed, as fast, and faster: only in the first is it the adaptive flow."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from labnoise import LabelNoise, SparseRegression, adaptive_flow, train

LINE = SparseRegression(jnp.array([[1.0, 2.0]]), jnp.array([1.0]), "square")
START, DELTA = jnp.sqrt(jnp.array([0.36, 0.32])), 0.5
DIAGONAL = LINE.noise_strength(DELTA) * jnp.diag(LINE.hessian(START))  # of Σ
CROSSING = float(
    (jnp.diag(LINE.hessian(START)) / jnp.sqrt(DIAGONAL)).sum()
)  # λ = tr(PH), the rate at which Γ is crossed


def settled(t):
    return float(adaptive_flow(LINE, START, jnp.array([t]), DELTA, jnp.inf)[0][0, 0])


def runs(beta, eta, replicas):
    """Mean of the first coordinate at t = 1, and its standard error."""
    optimizer = optax.rmsprop(eta, decay=beta, initial_scale=DIAGONAL, eps_in_sqrt=False)
    keys = jax.random.split(jax.random.key(8), replicas)
    first = train(LabelNoise(LINE, DELTA), START, optimizer, round(1 / eta**2), keys).states[:, -1, 0]
    return float(first.mean()), float(first.std() / replicas**0.5)


def test_where_it_is_slow_the_limit_is_that_of_a_settled_second_moment_as_its_rate_grows():
    np.testing.assert_allclose(settled(1.0), 0.6707, rtol=0, atol=5.1e-5)
    ends = [float(adaptive_flow(LINE, START, jnp.ones(1), DELTA, a)[0][0, 0]) for a in (1.0, 5.0, 100.0)]
    assert 0.639 < ends[0] < ends[1] < 0.653 < 0.668 < ends[2] < settled(1.0)


@pytest.mark.parametrize(
    ("beta", "eta", "known", "between", "replicas"),
    [
        (0.995, 0.005, 0.6539, 0.6558, 600),
        (0.99, 0.005, 0.6437, 0.6459, 600),
        (0.99, 0.002, 0.6279, 0.6295, 250),
        (0.9, 0.0025, 0.6022, 0.6054, 250),
    ],
)
def test_where_it_is_as_fast_or_faster_the_drift_is_less_and_less(beta, eta, known, between, replicas):
    b = (1 - beta) / eta
    interpolated = settled(CROSSING / (CROSSING + b))  # the velocity times λ/(λ + b)
    np.testing.assert_allclose(interpolated, between, rtol=0, atol=2e-4)
    mean, deviation = runs(beta, eta, replicas)
    assert abs(mean - known) < 4.5 * deviation * 2**0.5
    assert abs(mean - interpolated) < 4.5 * deviation + 0.004
    assert mean + 4.5 * deviation < settled(1.0)
