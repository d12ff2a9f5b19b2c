"""What the drawings of chapter 7 compute and say, against the stored tables read line by line and made-up runs."""

import numpy as np
import pytest
from afterzero.figures import ch07 as figures
from matplotlib.figure import Figure


def test_a_band_runs_from_the_least_run_to_the_largest_about_the_median():
    values = np.array([[3.0, 1], [1, 5], [2, 9], [8, 7]])
    low, middle, high = figures.band(values)
    assert low.tolist() == [1, 1]
    assert middle.tolist() == [2.5, 6]
    assert high.tolist() == [8, 9]


def test_of_four_noises_the_medians_up_to_the_nearest_save_are_shown():
    steps, error = np.array([0, 90, 1100, 3000]), np.array([[9.0, 4, 1, 0.5], [9, 6, 3, 0.1], [9, 5, 2, 0.2]])
    runs = steps, 0.01 * steps, error, 10 * error
    artists = figures.stage_noises(Figure(), {"label noise": runs})
    sentence = figures.show_noises(artists, 1000, "label noise", *runs)
    assert sentence == (
        "Label noise, 1100 steps: the clock of the noise stands at 11; the error is 2, between 1 and 3; "
        "the weights sum to 20.0 (the truth: 5)."
    )
    shown = [line.get_xydata().tolist() for line in artists["line"]]
    assert shown == [[[90, 5], [1100, 2]], [[0.9, 5], [11, 2]], [[90, 50], [1100, 20]], [[0.9, 50], [11, 20]]]
    assert [dot.get_xydata().tolist() for dot in artists["dot"]] == [[line[-1]] for line in shown]


@pytest.mark.parametrize(("noise", "letter"), [("label noise", "δ"), ("spherical noise", "σ")])
def test_on_the_grid_only_label_noise_has_a_limit(noise, letter):
    artists = figures.stage_grid(Figure())
    error = np.array([[9.0, 4, 1], [9, 6, 3], [9, 5, 8]])[[0, 1, 2, 0, 1, 2, 1, 1]]
    limit = np.array([10, 100]), np.array([0.1, 2.0]), np.array([7.0, 6.0])
    sentence = figures.show_grid(artists, 0.3, 1.0, noise, (np.array([0, 10, 100]), error), limit, 9.0)
    assert (
        f"{letter} = 0.3 from α = 1: after 100 000 steps the clock stands at 2 and the error at 3."
        in sentence
    )
    assert artists["flow"].get_xydata().tolist() == ([[10, 7], [100, 6]] if letter == "δ" else [])
    assert [run.get_ydata().tolist() for run in artists["runs"]] == error[:, 1:].tolist()


@pytest.mark.parametrize(
    ("eta", "beta", "at", "shown"),
    [(0.0075, 0.5, 4600, 89), (0.0075, 0.9, 200, 4), (0.004, 0.0, 20_000, 101)],
)
def test_heavy_ball_is_read_at_the_first_save_from_t_1_on_or_else_the_last(eta, beta, at, shown):
    """1/rate² is 4444, 178 and 62 500 steps; t = 4 comes after 17 778, 711 and more than 20 000."""
    steps, t = np.arange(0, 20_001, 200), at * (eta / (1 - beta)) ** 2
    lines = figures.stage_heavy(Figure(), np.negative)
    sentence = figures.show_heavy(lines, beta, eta, steps, 1.0 * steps, np.negative)
    assert f"At t = {t:.2f} the unbalance is {at:.2f}; the limit has {-t:.2f}." in sentence
    assert len(lines[0].get_xdata()) == 101
    assert len(lines[1].get_xdata()) == shown
