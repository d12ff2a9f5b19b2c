"""The adaptive flow of the sparse model where its entries come to their ends."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import solve_ivp

from labnoise import SparseRegression, adaptive_flow, project, random_sparse_regression
from labnoise.limits._adaptive_sparse import own_time, size_at

SMALL, _ = random_sparse_regression(jax.random.key(3), 2, 4, 1, loss_scale=0.7)
START = jnp.linspace(0.4, 1.2, 8)


def without_eps(problem, x, times):
    """The settled flow at ε = 0 by SciPy: entries are stopped one after the other where their squares reach zero."""
    signed = np.concatenate([np.asarray(problem.design), -np.asarray(problem.design)], axis=1)
    x, now, states = np.array(x), 0.0, []
    kappa = np.sqrt(16 * 0.7**2 * 0.8**2 * np.mean(signed**2, axis=0))
    for end in times:
        while now < end:
            alive = np.flatnonzero(x)
            Z, k = signed[:, alive], kappa[alive]

            def slope(_, u, Z=Z, k=k):
                mu = np.linalg.solve(2 * Z * (u / k) @ Z.T, Z.sum(1))
                return -1 / (2 * u) + Z.T @ mu / k

            def least(_, u):
                return u.min() - 1e-5

            least.terminal = True
            run = solve_ivp(
                slope, (now, end), x[alive], method="DOP853", rtol=1e-10, atol=1e-12, events=least
            )
            x[alive], now = run.y[:, -1], run.t[-1]
            x[x <= 1.001e-5] = 0.0
        states.append(x.copy())
    return np.array(states)


def test_entries_reach_zero_in_finite_time_and_the_flow_goes_on():
    start, times = np.asarray(project(SMALL, START)), np.array([0.1, 0.3, 0.6, 1.0, 1.5])
    expected = without_eps(SMALL, start, times)
    assert [int((x == 0).sum()) for x in expected][::4] == [0, 6]
    for eps, allowed in ((0.0, 1e-6), (1e-8, 1e-6), (1e-3, 4e-3)):
        states, moments = adaptive_flow(SMALL, START, times, 0.8, jnp.inf, eps)
        np.testing.assert_allclose(states, expected, rtol=0, atol=allowed)
        assert (states >= 0).all()
        assert jnp.isfinite(moments).all()
        assert ((states == 0) == (expected == 0)).all() or eps == 1e-3
    behind = [
        abs(adaptive_flow(SMALL, START, times, 0.8, rate, 0.0)[0] - expected).max() for rate in (50, 5000)
    ]
    assert behind[1] < 0.3 * behind[0] < 0.05  # V lags by less as the rate grows


@pytest.mark.parametrize("e", [1e-9, 1e-3, 1.0, 100.0])
def test_the_size_of_an_entry_at_its_own_time(e):
    u, e = jnp.geomspace(1e-3 * e, 1e3, 400), jnp.asarray(e)
    q = own_time(u, e)
    np.testing.assert_allclose(own_time(size_at(q, e), e), q, rtol=1e-13, atol=1e-14 * e**2)
    step = 1e-5 * u
    rise = (own_time(u + step, e) - own_time(u - step, e)) / (2 * step)
    np.testing.assert_allclose(rise, 2 * (u + e) ** 2 / u, rtol=1e-6)  # u' = −u/(2(u + e)²)
    np.testing.assert_allclose(size_at(own_time(u, 0.0), jnp.zeros(())), u, rtol=1e-14)
    assert float(size_at(jnp.array(-3.0), jnp.zeros(()))) == 0.0


def test_a_large_sparse_problem_passes_all_ends():
    problem, w_star = random_sparse_regression(jax.random.key(0), 40, 100, 8)
    for rate in (10.0, np.inf):
        states, _ = adaptive_flow(problem, jnp.ones(200), jnp.array([2.0]), 1.0, rate)
        np.testing.assert_allclose(problem.weights(states[0]), w_star, rtol=0, atol=1e-6)
        assert (states >= 0).all()


def test_entries_that_cannot_move_stay_and_time_zero_is_the_start():
    Z = SMALL.design.at[:, 2].set(0.0)
    problem = SparseRegression(Z, Z @ jnp.ones(4))
    x0 = START.at[5].set(0.0)
    for rate, eps in ((2.0, 0.0), (np.inf, 0.0), (np.inf, 0.1)):
        states, moments = adaptive_flow(problem, x0, jnp.array([0.0, 0.2]), 0.5, rate, eps)
        np.testing.assert_allclose(states[0], project(problem, x0), rtol=0, atol=1e-12)
        np.testing.assert_allclose(
            states[:, [2, 5, 6]], jnp.tile(x0[jnp.array([2, 5, 6])], (2, 1)), atol=1e-12
        )
        assert (moments[:, [2, 5, 6]] == 0).all()
        assert abs(problem.residual(states[1])).max() < 1e-9
