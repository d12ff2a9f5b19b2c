"""What the drawings of chapter 2 compute and say."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from afterzero.figures import ch02 as figures

TURN = np.array([[0.8, -0.6], [0.6, 0.8]])


def test_level_lines_are_four_level_sets_of_the_bowl():
    lines = figures.level_lines(TURN, 3.0)
    assert lines.shape == (2, 404)
    across, along = TURN.T @ lines
    heights = (across**2 + 3 * along**2).reshape(4, 101)
    assert np.isnan(heights[:, -1]).all()  # the gaps between the lines
    np.testing.assert_allclose(heights[:, :-1], np.array([[0.25], [0.5], [0.75], [1.0]]) ** 2 * np.ones(100))


def test_deviations_are_the_largest_and_the_least_over_all_directions():
    cov = np.array([[0.5, 0.2], [0.2, 0.1]])
    angles = np.linspace(0, np.pi, 10_001)
    variances = np.einsum(
        "ia,ij,ja->a", [np.cos(angles), np.sin(angles)], cov, [np.cos(angles), np.sin(angles)]
    )
    assert figures.deviations(cov) == pytest.approx(
        [variances.max() ** 0.5, variances.min() ** 0.5], abs=1e-6
    )


def test_running_squares_add_up_the_increments_that_are_seen():
    W = np.array([0.0, 3.0, 1.0, 2.0, 5.0])
    assert figures.running_squares(W, 4).tolist() == [0, 9, 13, 14, 23]
    assert figures.running_squares(W, 2).tolist() == [0, 1, 17]


def test_the_cloud_tells_of_what_was_found_and_of_what_was_predicted():
    artists = figures.stage_cloud(figure := plt.figure())
    x = np.array([[0.3, 0.0], [-0.3, 0.0], [0.0, 0.1], [0.0, -0.1]])
    said = figures.show_cloud(artists, "label noise", 0.02, 2.0, TURN, x, np.diag([0.04, 0.01]))
    assert "are 0.245 and 0.082; predicted 0.200 and 0.100." in said  # √(2·.09/3), √(2·.01/3)
    ellipse = artists["ellipse"].get_xydata()
    np.testing.assert_allclose(np.abs(ellipse).max(axis=0), [0.4, 0.2], atol=1e-3)
    plt.close(figure)


def test_the_horizon_is_read_off_the_error():
    times, states = np.linspace(0, 1.5, 31), np.zeros((5, 2))
    start, velocity = np.array([2.0, 0.5]), np.array([-0.4, 0.1])
    artists = figures.stage_horizon(
        figure := plt.figure(), start, velocity, [(times, times**2)], times, 0 * times
    )
    local = start + 0.5 * velocity
    said = figures.show_horizon(
        artists, 0.01, 0.5, times, states, times**2, local, local + np.array([0.15, -0.2]), start
    )
    assert said == (
        "At η = 0.01 and t = 0.50 (5000 steps) the runs have moved by 0.16 on average, and the local prediction is off "
        "by 0.250; the horizon of 1585 steps lies at t = 0.16."
    )
    assert artists["now"].get_xydata().tolist() == [[0.5, pytest.approx(0.25)]]
    (t,), (error,) = artists["horizon"].get_data()
    assert error == pytest.approx(t**2, abs=1e-3)
    plt.close(figure)
