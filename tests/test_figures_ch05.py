"""What the drawings of chapter 5 compute: the law of an angle, its distance from a sample, and the dial's arrows."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from afterzero.figures import ch05 as figures
from scipy.integrate import quad, solve_ivp
from scipy.stats import ks_1samp, norm, vonmises

from labnoise import landscapes

ANGLES = figures.ANGLES


@pytest.mark.parametrize(("variance", "speed", "t"), [(0.4, -0.3, 1.5), (1.0, 0.7, 0.8)])
def test_with_a_constant_drift_the_law_is_a_wrapped_normal(variance, speed, t):
    law = figures.law_on_circle(variance, lambda s: speed + 0 * s, 0.6, t, ANGLES)
    turns = 2 * np.pi * np.arange(-6, 7)
    wrapped = norm.pdf(ANGLES[:, None] + turns, 0.6 + speed * t, np.sqrt(variance * t)).sum(axis=1)
    np.testing.assert_allclose(law, wrapped, atol=1e-9)


def test_the_law_solves_its_equation():
    """Against finite differences in space and SciPy's integrator in time."""
    variance, first, size = 0.5, 0.4, 1200
    grid, step = 2 * np.pi * np.arange(size) / size, 2 * np.pi / size

    def drift(s):
        return -0.2 + 0.6 * np.sin(s)

    early = figures.law_on_circle(variance, drift, first, 0.4, grid)

    def current(t, density):
        flow = (
            0.5 * variance * (np.roll(density, -1) - np.roll(density, 1)) / (2 * step) - drift(grid) * density
        )
        return (np.roll(flow, -1) - np.roll(flow, 1)) / (2 * step)

    late = solve_ivp(current, (0, 0.5), early, method="LSODA", rtol=1e-9, atol=1e-11).y[:, -1]
    np.testing.assert_allclose(figures.law_on_circle(variance, drift, first, 0.9, grid), late, atol=2e-5)


def test_in_the_end_the_law_of_the_ring_is_von_mises():
    ring = landscapes.ring(1.0)
    law = figures.law_on_circle(1.0, ring.velocity, np.pi / 2, 60.0, ANGLES)
    np.testing.assert_allclose(law, vonmises.pdf(ANGLES, 0.5, loc=np.pi), atol=1e-9)


def test_the_gap_is_that_of_kolmogorov_and_smirnov():
    law, sample = vonmises(0.8), np.random.default_rng(0).vonmises(0, 0.8, 500)
    expected = ks_1samp(sample, lambda s: law.cdf(s)).statistic
    missed = (
        np.histogram(sample, ANGLES)[0].max() / 500
    )  # the most that can lie between two angles of the grid
    assert expected - missed <= figures.law_gap(sample, law.pdf(ANGLES)) <= expected + 1e-4
    assert figures.law_gap(sample, vonmises.pdf(ANGLES, 0.8, loc=1)) > 0.2


@pytest.mark.parametrize(("index", "side"), [(33, -1e-6), (147, 1e-6)])
def test_the_gap_sees_angles_that_come_too_early_and_too_late(index, side):
    """All angles at one place, against the density (1 + ½cosθ)/2π, whose distribution function is elementary."""
    place = ANGLES[index]
    below = (place + np.pi + np.sin(place) / 2) / (2 * np.pi)
    gap = figures.law_gap(np.full(50, place + side), (1 + np.cos(ANGLES) / 2) / (2 * np.pi))
    assert gap == pytest.approx(max(below, 1 - below), abs=2e-5)


def test_the_bars_are_long_where_the_valley_is_wide():
    lengths = [np.linalg.norm(top - bottom) for bottom, top in figures.bars(1.0)]
    assert np.argmin(lengths) == 0  # at the angle 0
    assert np.argmax(lengths) == 12  # half-way round
    assert max(lengths) / min(lengths) == pytest.approx(np.e)  # e^{a cosθ/2} at both


def test_the_view_is_linear_and_keeps_up_up():
    points = np.random.default_rng(1).standard_normal((2, 5, 3))
    one, other = figures.view(points)
    np.testing.assert_allclose(figures.view(2 * points[0] - points[1]), 2 * one - other)
    assert figures.view([0, 0, 1])[0] == 0 < figures.view([0, 0, 1])[1]


def test_the_dial_shows_the_means_and_spreads_of_what_it_is_given():
    artists = figures.stage_dial(figure := plt.figure())
    law = np.exp(-0.5 * ((ANGLES - 0.5) / 0.2) ** 2) / (0.2 * np.sqrt(2 * np.pi))
    said = figures.show_dial(artists, 1.0, 0.4, -0.2, 0.1, np.repeat([0.35, 0.15], 40), law)
    assert "-0.20 (mixed) and +0.10 (normal); inwards 0.20" in said
    assert "SGD +0.25 and 0.10, limit +0.50 and 0.20" in said
    arrow = np.array([artists["mixed"].U, artists["mixed"].V]).ravel()
    np.testing.assert_allclose(arrow, figures.view(-0.32 * figures.tangent(figures.THETA)))
    np.testing.assert_allclose(artists["runs"].get_xdata(), np.repeat([0.15, 0.35], 20))  # in order
    below = [
        quad(lambda x: np.exp(-0.5 * x**2) / np.sqrt(2 * np.pi), -9, (x - 0.5) / 0.2)[0]
        for x in artists["law"].get_xdata()
    ]
    np.testing.assert_allclose(below, figures.SHARES, atol=2e-3)
    plt.close(figure)


def test_a_shared_histogram_is_a_density_that_moves_without_jumps():
    angles = np.random.default_rng(0).uniform(-np.pi, np.pi, 500)
    width = figures.EDGES[1] - figures.EDGES[0]
    counts = figures.shared_histogram(angles)
    assert counts.sum() * width == pytest.approx(1)
    middles = (figures.EDGES[1:] + figures.EDGES[:-1]) / 2
    np.testing.assert_allclose(figures.shared_histogram(middles) * width * middles.size, 1)
    halfway = figures.shared_histogram([figures.EDGES[7]]) * width
    assert np.flatnonzero(halfway > 1e-9).tolist() == [6, 7]
    assert np.abs(figures.shared_histogram(angles + 1e-6) - counts).max() < 1e-5


def test_the_law_between_saved_times_is_mixed():
    artists = figures.stage_law(figure := plt.figure())
    saved = np.stack([np.full(100, 0.1), np.full(100, 0.9), np.full(100, -0.5)], axis=1)  # at 0, 0.2, 0.4
    law = np.full(figures.ANGLES.size, 1 / (2 * np.pi))
    shown = []
    for t in (0.2, 0.3, 0.4):
        figures.show_law(artists, 0.1, t, "ring", saved, law)
        shown.append(artists["bars"].get_data().values)
    np.testing.assert_allclose(shown[1], (shown[0] + shown[2]) / 2)
    np.testing.assert_allclose(shown[2], figures.shared_histogram(saved[:, 2]))
    plt.close(figure)


def test_the_motor_counts_its_turns():
    artists = figures.stage_motor(figure := plt.figure())
    path = np.linspace(np.zeros(14), 3 * np.pi * np.ones(14), 50).T
    said = figures.show_motor(artists, 9.0, "3 phases", path, lambda s: 0.3 + 0 * np.asarray(s))
    assert "+1.50 turns" in said
    assert said.endswith("this motor never rests.")
    assert figures.show_motor(artists, 9.0, "1 phase", path, np.sin).endswith("has points of rest.")
    plt.close(figure)
