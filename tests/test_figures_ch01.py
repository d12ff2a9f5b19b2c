"""What the drawings of chapter 1 and of the front page compute and say."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from afterzero.figures import ch01 as figures
from afterzero.figures import plane

from labnoise import Trajectory, landscapes
from labnoise import sharpness as trace_of_hessian

HYPERBOLA = landscapes.hyperbola()
POINTS = np.random.default_rng(0).uniform(0.3, 2, (4, 3, 2))


def test_loss_and_sharpness_are_those_of_the_hyperbola():
    flat = POINTS.reshape(-1, 2)
    np.testing.assert_allclose(figures.loss(flat), [HYPERBOLA.loss(x) for x in flat])
    np.testing.assert_allclose(figures.sharpness(flat), [trace_of_hessian(HYPERBOLA, x) for x in flat])
    assert trace_of_hessian(HYPERBOLA, np.ones(2)) == figures.FLATTEST


def test_mean_curves_average_over_runs():
    loss, sharp = figures.mean_curves(POINTS)
    for save in range(3):
        assert loss[save] == pytest.approx(np.mean([HYPERBOLA.loss(x) for x in POINTS[:, save]]))
        assert sharp[save] == pytest.approx(np.mean([2 * (u**2 + v**2) for u, v in POINTS[:, save]]))


@pytest.mark.parametrize("cov", [[[2.0, 0.6], [0.6, 0.5]], [[1.0, 1.0], [1.0, 1.0]]])
def test_an_ellipse_is_one_standard_deviation_in_every_direction(cov):
    """The points of √Σ times the unit circle reach as far in a direction as a deviate does on average (squared)."""
    line = plane.ellipse(np.array(cov), 721)
    for angle in (0.0, 0.7, 2.0):
        direction = np.array([np.cos(angle), np.sin(angle)])
        assert (direction @ line).max() == pytest.approx(np.sqrt(direction @ cov @ direction), abs=1e-4)
    np.testing.assert_allclose(np.linalg.norm(plane.circle(50), axis=0), 1)


def test_a_falling_curve_crosses_a_level_where_a_straight_line_would():
    assert figures.when_below(3.0, np.array([0.0, 1.0, 2.0]), np.array([5.0, 4.0, 2.0])) == pytest.approx(1.5)


def test_the_front_page_shows_the_arrival_and_then_equal_times():
    steps = np.arange(0, 7501, 10)
    shown = figures.moments(steps)
    assert shown[:3].tolist() == [0, 10, 30]
    assert shown[-1] == 7500
    assert np.ptp(np.diff(shown[3:])) <= 10  # equal up to the distance of two saves


def test_a_run_that_stands_still_is_said_to():
    artists = figures.stage_noise(figure := plt.figure())
    still = Trajectory(np.arange(100), np.tile([2.0, 0.5], (100, 1)), -1)
    said = figures.show_noise(artists, "no noise", 0.1, still)
    assert said == "With no noise nothing moves: the point stays at u = 2.00, with sharpness 8.5, at every η."
    path = np.linspace([2.0, 0.5], [1.0, 1.0], 100)
    said = figures.show_noise(artists, "label noise", 0.1, Trajectory(np.arange(100), path, -1))
    expected = np.mean(2 * np.sum(path[-40:] ** 2, axis=1))
    assert f"from 8.5 to {expected:.1f} (mean" in said
    plt.close(figure)


def test_the_clocks_say_when_the_sharpness_is_half_way_down():
    times = np.linspace(0, 1, 11)
    limit = HYPERBOLA.point(np.linspace(3, 0, 11))  # an unbalance that falls evenly
    states = np.asarray(HYPERBOLA.point(np.linspace(3, 0, 6)))[None]
    artists = figures.stage_clocks(figure := plt.figure(), {}, times, np.asarray(limit))
    said = figures.show_clocks(
        artists, 0.1, "one run", np.arange(0, 120, 20), states, times, np.asarray(limit)
    )
    level = (2 * np.sqrt(13) + 4) / 2  # of 2√(q² + 4), half-way from q = 3 to 0
    q = np.sqrt((level / 2) ** 2 - 4)
    assert said.startswith(
        "At η = 0.1 (one run) the sharpness is half-way down after 40 steps, which is t = 0.40;"
    )
    assert float(said.split("the prediction is t = ")[1][:4]) == pytest.approx(1 - q / 3, abs=0.02)
    plt.close(figure)


def test_the_anneal_says_both_distances_from_the_truth():
    truth, least = np.array([1.0, 0.0, 0.0]), np.array([0.5, 0.5, 0.0])
    artists = figures.stage_anneal(figure := plt.figure(), truth, least)
    said = figures.show_anneal(artists, 0.5, 1.0, np.array([1.0, 0.0, 0.3]), truth, least)
    assert said.endswith("label noise is at distance 0.3 from the truth; the least-norm solution is at 0.71.")
    plt.close(figure)
