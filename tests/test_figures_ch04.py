"""What the drawings of chapter 4 compute, against gradients by JAX, SciPy, and brute force."""

import jax
import matplotlib.pyplot as plt
import numpy as np
import pytest
from afterzero.figures import ch04 as figures
from scipy import stats


@pytest.mark.parametrize("gain", [1.0, 0.1, np.linspace(0, 2, 6)])
def test_two_weights_take_the_steps_of_the_shaken_loss(gain):
    """The slope of gain·(uv − 1)² plus what the shake of the label adds to the slope of (uv − 1 − δs)²."""
    shakes, eta, delta = np.random.default_rng(0).standard_normal((6, 3)), 0.03, 0.7
    path = figures.two_weights(shakes, eta, (1.3, 0.4), gain, delta)
    assert path.shape == (7, 3, 2)

    def loss(x, label):
        return (x[0] * x[1] - label) ** 2

    slope = jax.grad(loss)
    for k, run in np.ndindex(6, 3):
        x, quiet = path[k, run], slope(path[k, run], 1.0)
        shaken = slope(x, 1.0 + delta * shakes[k, run]) - quiet
        np.testing.assert_allclose(
            path[k + 1, run], x - eta * (np.broadcast_to(gain, 6)[k] * quiet + shaken), rtol=1e-12
        )


def test_broken_lines_hold_every_path_and_a_gap_after_each():
    t, paths = np.array([0.0, 1.0]), np.array([[1.0, 2.0], [3.0, 4.0]])
    across, up = figures.broken_lines(t, paths)
    np.testing.assert_array_equal(across, [0, 1, np.nan, 0, 1, np.nan])
    np.testing.assert_array_equal(up, [1, 2, np.nan, 3, 4, np.nan])


def test_the_gap_of_the_laws_is_seen_on_both_sides_of_a_jump():
    """Against both functions on a fine grid."""
    law, sd = stats.binom(20, 0.3), 2.0
    atoms = np.arange(21) - 6.0
    found = figures.normal_gap(law.cdf(atoms + 6), stats.norm.cdf(atoms / sd))
    fine = np.linspace(-8, 16, 240_001)
    expected = np.abs(law.cdf(np.floor(fine + 6 + 1e-9)) - stats.norm.cdf(fine / sd)).max()
    assert found == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("level", [0.1, 0.5, 0.9])
def test_the_smooth_quantile_is_that_of_harrell_and_davis(level):
    x = np.random.default_rng(1).standard_normal((40, 3))
    expected = stats.mstats.hdquantiles(x, [level], axis=0)[0]
    np.testing.assert_allclose(figures.smooth_quantile(x, level), expected, rtol=1e-10)


def test_paths_are_calmed_beyond_the_panel_only():
    t, x = np.array([0.0, 0.5, 1.0, 1.5, 9.0]), np.array([[1.0, 2.0, 3.0, 4.0, 500.0]])
    calm = figures.calmed(t, x)
    np.testing.assert_array_equal(calm[:, :3], x[:, :3])
    assert 1 < calm[0, 3] < 4
    assert abs(calm[0, 4] - 1) < 0.1


def test_the_collapse_shows_runs_at_steps_that_are_saved_and_reach_to_t_1():
    assert np.all(figures.EARLY % 4 == 0)
    assert np.all(figures.LATE % 20 == 0)
    assert figures.EARLY[-1] < figures.LATE[0]
    assert figures.LATE[-1] * 0.01**2 == pytest.approx(1)


def test_the_collapse_tells_of_a_band_or_of_a_line():
    t, times = np.linspace(0, 1, 3), np.linspace(0, 1, 5)
    paths = np.linspace(1, 2, 11)[:, None] * np.ones(3)
    line, band = np.tile(1.5 * np.ones(5), (3, 1)), np.array([[1.0], [1.5], [2.0]]) * np.ones(5)
    artists = figures.stage_collapse(figure := plt.figure())
    said = figures.show_collapse(
        artists, 0.1, {"hyperbola": (t, paths, line), "some noise": (t, paths, band)}, times
    )
    low, high = stats.mstats.hdquantiles(paths[:, -1], [0.1, 0.9])
    assert said == (
        f"At η = 0.1, 100 steps make t = 1. There the middle 80% of the runs have q from {low:.2f} to {high:.2f} "
        f"(limit: 1.50), and on the circle, with some noise, θ from {low:.2f} to {high:.2f} (limit: 1.00 to 2.00)."
    )
    plt.close(figure)


def test_the_walk_says_how_far_its_jumps_go_and_how_near_its_law_is():
    artists = figures.stage_walk(figure := plt.figure())
    counts = np.arange(101)
    atoms, below = 0.1 * np.sqrt(2) * (counts - 50), stats.binom.cdf(counts, 100, 0.5)
    said = figures.show_walk(
        artists, 0.1, 2, np.linspace(0, 1, 5), np.zeros(3), np.zeros((3, 2)), atoms, below
    )
    assert said.startswith("η = 0.1, Ξ = 2: jumps of length 0.100;")
    assert said.endswith("at most 0.040 apart.")  # half of the largest of the 101 probabilities, .0796
    plt.close(figure)
