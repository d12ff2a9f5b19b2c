"""What the drawings of chapter 10 compute and say, on made-up flows."""

import numpy as np
import pytest
from afterzero.experiments import digits as dg
from afterzero.figures import ch10 as figures
from matplotlib.figure import Figure

from labnoise.teaching.widgets.picture import Picture

TIMES = np.array([0.0, 0.1, 1.0, 10.0])
RNG = np.random.default_rng(0)


def made_up():
    """A course of 32 units; the filter of unit k is k + 1 times a pattern of both signs, and grows with time."""
    strengths = np.linspace(1, 0.1, 32) * np.array([[0.9], [0.5], [0.6], [0.7]])
    pattern = np.where(np.arange(64) % 3, 1.0, -0.5)
    filters = pattern[None, :, None] * np.arange(1, 33) * np.array([1.0, 1, 2, 4])[:, None, None]
    found = {"sharpness": np.array([90.0, 40, 10, 2]), "mse": np.array([0.4, 0.2, 0.1, 0.3])}
    return figures.Course(TIMES, filters, strengths, found)


def test_between_the_times_of_a_flow_lies_a_smooth_line_over_the_logarithm():
    values = np.array([7.0, 1, 2, 3])
    assert figures.at(TIMES, values, 1.0) == pytest.approx(2)
    assert figures.at(TIMES, values, 10**0.5) == pytest.approx(
        2.5
    )  # not that of the start, which has no logarithm


def test_squares_stand_where_the_pixels_are():
    sizes = np.linspace(0, 1, 64)
    corners = figures.squares(sizes).vertices.reshape(64, 5, 2)
    np.testing.assert_allclose(np.ptp(corners, axis=1), np.stack([sizes, sizes], axis=1))
    np.testing.assert_allclose(corners[:, :4].mean(axis=1)[[0, 7, 56]], [[0.5, 7.5], [7.5, 7.5], [0.5, 0.5]])


def test_the_units_of_a_course_are_sorted_by_what_they_carry_at_the_end():
    drawn = dg.draw(np.random.default_rng(3))
    path = np.stack([drawn.x0, drawn.x0 + 0.3 * RNG.standard_normal(drawn.x0.size)])
    shown = figures.course(np.array([0.0, 1.0]), path, drawn)
    params = drawn.unflatten(path[1])
    carried = abs(np.tanh(drawn.inputs @ params["hidden"] + params["bias"]) * params["out"]).mean(axis=0)
    order = np.argsort(-carried)
    np.testing.assert_allclose(shown.strengths[1], carried[order])
    np.testing.assert_allclose(shown.filters[1, :, 0], params["hidden"][:, order[0]])


@pytest.mark.parametrize(("unit", "k"), [("the strongest unit", 0), ("the tenth", 9)])
def test_the_network_at_a_time(unit, k):
    shown = made_up()
    artists = figures.stage_network(Figure(), shown)
    sentence = figures.show_network(artists, 1.0, unit, shown)
    strength = shown.strengths[2]
    assert "t = 1: the sharpness is 10, the mean square error on unseen images 0.100." in sentence
    assert f"{strength[0] / strength.sum():.0%} of what is added up" in sentence
    assert f"{unit} has the strength {strength[k]:.3f}" in sentence
    np.testing.assert_allclose(artists["stems"].get_ydata()[1::3], strength)
    sides = [
        np.ptp(artists[name].get_path().vertices.reshape(64, 5, 2)[:, :, 0], axis=1)
        for name in ("plus", "minus")
    ]
    share = shown.filters[2, :, k] / abs(shown.filters[1:, :, k]).max()
    np.testing.assert_allclose(sides[0] ** 2 - sides[1] ** 2, share, atol=1e-12)
    np.testing.assert_allclose([dot.get_ydata()[0] for dot in artists["now"]], [10, 0.1])


def test_a_phone_can_show_the_networks_columns_one_below_the_other():
    assert Picture(
        lambda artists, t: "Fine.", lambda fig: figures.stage_network(fig, made_up()), {"t": 1}
    ).split()


@pytest.mark.parametrize("throw", [1, 4])
def test_a_training_set_beside_the_others(throw):
    """Three sets: a throw beyond them begins anew."""
    sharpness = np.array([[90.0, 40, 10, 2], [80, 30, 9, 3], [70, 20, 8, 4]])
    errors = {"mean square": np.array([[0.2, 0.1, 0.3, 0.4], [0.3, 0.2, 0.1, 0.3], [0.2, 0.15, 0.1, 0.1]])}
    artists = figures.stage_draws(Figure(), TIMES, sharpness, errors)
    sentence = figures.show_draws(artists, 1.0, "mean square", throw, TIMES, sharpness, errors)
    assert sentence == (
        "Training set 2, t = 1: the sharpness fell from 80 to 9; the mean square on unseen images was 0.300 and is "
        "0.100. It is lower than at the start in 67% of 3 training sets."
    )
    assert artists["start"].get_ydata()[0] == 0.3
    np.testing.assert_allclose(artists["lines"][1].get_ydata(), errors["mean square"][1, 1:])
    np.testing.assert_allclose(artists["faint"][2].get_ydata(), errors["mean square"][2, 1:])
