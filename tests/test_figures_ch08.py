"""What the drawings of chapter 8 show and say, against made-up runs; and the runs of its first widget."""

import numpy as np
import pytest
from afterzero import methods
from afterzero.figures import ch08 as figures
from matplotlib.figure import Figure

from labnoise.teaching.widgets.picture import Picture


def test_each_method_is_shown_at_its_steps_its_clock_and_its_unbalance():
    names = list(figures.METHOD_COLORS)
    artists = figures.stage_methods(Figure())
    clocks = {name: 1e-5 * (i + 1) for i, name in enumerate(names)}
    steps = {name: 1000.0 + 100 * i for i, name in enumerate(names)}
    runs = {name: (lambda k, i=i: 3 - 1e-5 * (i + 1) * np.asarray(k)) for i, name in enumerate(names)}
    figures.show_methods(artists, 1000, runs, clocks, steps, lambda q: (q, 1 / q))
    for i, (name, (dot, by_step, by_clock, at_step, at_clock)) in enumerate(artists.items()):
        q = 3 - 1e-5 * (i + 1) * steps[name]
        np.testing.assert_allclose(at_step.get_xydata(), [[steps[name], q]])
        np.testing.assert_allclose(at_clock.get_xydata(), [[steps[name] * clocks[name], q]])
        np.testing.assert_allclose(dot.get_xydata(), [[q, 1 / q]])
        np.testing.assert_allclose(by_step.get_ydata(), 3 - clocks[name] * by_step.get_xdata())
        np.testing.assert_allclose(by_clock.get_ydata(), 3 - by_clock.get_xdata())


def test_a_phone_can_show_the_methods_columns_one_below_the_other():
    assert Picture(lambda artists, k: "Fine.", figures.stage_methods, {"k": 1}).split()


def test_the_multiplier_carries_a_dot_for_each_curvature():
    artists = figures.stage_local(Figure(), ([0, 0.8], [1, 0.9]))
    path, average = ([0, 0.8], [1, 0.95]), ([0, 0.8], [1, 0.97])
    figures.show_local(artists, lambda a: a / (1 + a), [1.0, 3.0], path, average)
    np.testing.assert_allclose(artists["dots"].get_xydata(), [[1, 0.5], [3, 0.75]])
    np.testing.assert_allclose(artists["path"].get_xydata(), np.transpose(path))
    np.testing.assert_allclose(artists["average"].get_xydata(), np.transpose(average))


@pytest.mark.parametrize("name", list(methods.METHODS))
def test_a_method_of_the_widget_follows_its_limit(name):
    """Within 0.1 of 3.74 up to 1 on its clock, in two throws, which differ where there are dice."""
    clock = methods.METHODS[name].clock
    throws = [methods.unbalance(name, throw) for throw in (0, 3)]
    for steps, q in throws:
        tau = steps * clock
        error = np.abs(q - methods.limit(name, np.minimum(tau, 20)))[tau <= 1]
        assert error.max() < 0.12
    same = np.array_equal(throws[0][1], throws[1][1])
    assert same == (name in ("sharpness-aware", "normalized"))
    at = throws[0][0][7]
    np.testing.assert_allclose(methods.curve(name)(at), throws[0][1][7])


@pytest.mark.parametrize(
    ("eta", "beta", "at"), [(0.0075, 0.5, 4600), (0.0075, 0.9, 200), (0.004, 0.0, 20_000)]
)
def test_heavy_ball_is_read_at_the_first_save_from_t_1_on_or_else_the_last(eta, beta, at):
    """1/rate² is 4444, 178 and 62 500 steps."""
    steps, t = np.arange(0, 20_001, 200), at * (eta / (1 - beta)) ** 2
    lines = figures.stage_heavy(Figure(), np.negative)
    sentence = figures.show_heavy(lines, beta, eta, steps, 1.0 * steps, np.negative)
    assert f"At t = {t:.2f} the unbalance is {at:.2f}; the limit has {-t:.2f}." in sentence
    assert lines[0].get_xydata().tolist() == np.transpose([steps, steps]).tolist()
    np.testing.assert_allclose(lines[1].get_xdata() / t * at, steps)  # all of them, the axes end at t = 4
