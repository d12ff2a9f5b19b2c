"""What the drawings of chapter 1 and of the front page compute and say."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from afterzero.figures import ch01 as figures
from afterzero.figures import plane

from labnoise import landscapes
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


def test_between_values_is_what_lies_between_and_exact_at_them():
    times, values = np.array([0.0, 1.0, 3.0]), np.array([[0.0, 1.0], [1.0, 1.0], [5.0, 0.0]])
    np.testing.assert_allclose(plane.between(times, values, times), values)
    there = plane.between(times, values, 2.0)
    assert 1 < there[0] < 5
    assert 0 < there[1] < 1
    assert plane.between(times, 2 * times, 1.7) == pytest.approx(3.4)


def test_the_front_page_shows_the_clouds_that_were_computed_and_the_curves_up_to_there():
    steps, start = [1, 2, 4, 8], np.array([2.0, 1.0])
    clouds = np.stack([HYPERBOLA.point(np.full(5, q)) for q in (3.0, 2.0, 1.0, 0.0)])
    artists = figures.stage_slide(figure := plt.figure(), start, steps, clouds)
    said = figures.show_slide(artists, 4.0, start, steps, clouds)
    np.testing.assert_allclose(artists["cloud"].get_xydata(), clouds[2], atol=1e-12)
    seen, sharp = artists["sharp"].get_data()
    assert seen[0] == 1
    assert seen[-1] == pytest.approx(4)
    assert sharp[[0, -1]] == pytest.approx(
        [2 * np.sqrt(13) / 10, 2 * np.sqrt(5) / 10]
    )  # 2√(q² + 4) over that of start
    assert said == "After 4 steps the training loss is 0.0% of what it was, and the sharpness 45%."
    assert figures.show_slide(artists, 1.0, start, steps, clouds).startswith("After 1 step the")
    plt.close(figure)


def test_a_run_that_stands_still_is_said_to():
    artists = figures.stage_noise(figure := plt.figure())
    said = figures.show_noise(artists, "no noise", 0.1, np.tile([2.0, 0.5], (101, 1)))
    assert said == "With no noise nothing moves: the point stays at u = 2.00, with sharpness 8.5, at every η."
    path = np.linspace([2.0, 0.5], [1.0, 1.0], 101)  # a state each 100 of the 10 000 steps
    said = figures.show_noise(artists, "label noise", 0.1, path)
    expected = np.mean(2 * np.sum(path[-10:] ** 2, axis=1))
    assert f"from 8.5 to {expected:.1f} (mean" in said
    plt.close(figure)


def test_a_moving_average_weighs_the_past_geometrically():
    values = np.random.default_rng(0).normal(size=40)
    weights = 0.75 ** np.arange(40)[::-1]
    assert figures.moving_average(values, 4)[-1] == pytest.approx(np.average(values, weights=weights))
    np.testing.assert_allclose(figures.moving_average(values, 1), values)
    np.testing.assert_allclose(figures.moving_average(np.ones(40), 7), 1)


def test_the_clocks_say_when_the_sharpness_is_half_way_down():
    def falling(t):
        return 20 - 4 * t

    steps = np.arange(figures.CLOCK_STEPS + 1)
    curves = np.full(len(steps), 0.03), np.maximum(18.0 - 0.01 * steps, 4)
    artists = figures.stage_clocks(figure := plt.figure(), {0.02: curves}, falling)
    said = figures.show_clocks(artists, 0.02, 10, "one run", curves, falling, 0.5)
    assert said == (  # half-way from 20 to 4 is 12
        "At η = 0.02 (one run) the sharpness is half-way down after 601 steps, which is t = 0.24; "
        "the prediction is t = 2.00 at every η. The loss is averaged over 10 steps."
    )
    x, loss = artists["runs"][0].get_data()
    slow, sharp = artists["runs"][3].get_data()
    np.testing.assert_allclose(loss, 0.03)
    np.testing.assert_allclose(slow, x * 0.02**2)
    np.testing.assert_allclose(sharp, curves[1][x])
    times, plateau = artists["plateau"][1].get_data()
    np.testing.assert_allclose(plateau, 0.02 * 0.5**2 / 2 * falling(times))
    plt.close(figure)


def test_the_anneal_says_both_distances_from_the_truth():
    truth, least = np.array([1.0, 0.0, 0.0]), np.array([0.5, 0.5, 0.0])
    dots = figures.stage_anneal(figure := plt.figure(), truth, least)
    said = figures.show_anneal(dots, 0.5, 1.0, 0.7, np.array([1.0, 0.0, 0.3]), truth, least)
    assert said.endswith(
        "label noise of strength δ = 0.7 is at distance 0.3 from the truth; the least-norm solution is at 0.71."
    )
    plt.close(figure)
