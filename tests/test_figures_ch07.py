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


def test_of_four_noises_the_medians_up_to_a_step_are_shown_and_the_nearest_save_in_words():
    steps, error = np.array([0, 90, 1100, 3000]), np.array([[9.0, 4, 1, 0.5], [9, 6, 3, 0.1], [9, 5, 2, 0.2]])
    runs = steps, 0.01 * steps, error, 10 * error
    artists = figures.stage_noises(Figure(), {"label noise": runs})
    sentence = figures.show_noises(artists, 1000, "label noise", *runs)
    assert sentence == (
        "Label noise, saved after 1100 steps: the clock of the noise stands at 11; "
        "the error is 2, between 1 and 3; the weights sum to 20.0 (the truth: 5)."
    )
    left, right = [90, 1100, 3000], [0.9, 11, 30]
    for line, x, y in zip(
        artists["line"], 2 * (left, right), 2 * [[5, 2, 0.2]] + 2 * [[50, 20, 2]], strict=True
    ):
        np.testing.assert_allclose(line.get_xydata(), np.transpose([x, y]))
    for line, now, x in zip(artists["line"], artists["now"], 2 * (1000, 10), strict=True):
        np.testing.assert_allclose(now.get_xdata(), x)
        box, whole = line.get_clip_box(), line.axes.bbox
        place = line.axes.transData.transform((x, 1))[0]
        np.testing.assert_allclose(box.extents, [whole.x0, whole.y0, place, whole.y1])


def test_without_noise_there_is_no_clock_and_nothing_is_clipped_inside_out():
    steps, error = np.array([0, 90, 1100]), np.array([[9.0, 4, 1]])
    artists = figures.stage_noises(Figure(), {})
    figures.show_noises(artists, 1000, "no noise", steps, 0.0 * steps, error, error)
    assert [line.get_clip_box().width > 0 for line in artists["line"]] == [True, False, True, False]
    assert min(line.get_clip_box().width for line in artists["line"]) == 0


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


def test_from_mini_batch_to_label_noise_the_shrinking_and_the_weights_stand_beside_their_limits():
    artists = figures.stage_walk(Figure())
    t = np.linspace(0, 4, 81)
    shrinking = np.array([[0.1], [0.2], [0.6]]) * t
    weights = np.stack([w + shrinking for w in (1, 2, 3)], axis=-1)
    limits = np.stack([w + 0.125 * t for w in (1, 2, 3)], axis=-1)
    sentence = figures.show_walk(artists, 0.5, "0.06", t, shrinking, weights, limits)
    assert sentence == (
        "δ = 0.5, η = 0.06: at t = 4 the start has shrunk by λ = 0.800 (0.4000 to 2.4000 in 40 runs); "
        "the limit has ½δ²t = 0.500. The weights are 1.80, 2.80, 3.80, in the limit 1.50, 2.50, 3.50."
    )
    np.testing.assert_allclose(artists["shrinking"].get_ydata(), 0.2 * t)
    assert list(artists["predicted"].get_ydata()) == [0, 0.5]
    np.testing.assert_allclose(artists["weights"][2].get_ydata(), 3 + 0.2 * t)
    np.testing.assert_allclose(artists["limits"][0].get_ydata(), 1 + 0.125 * t)
    (path,) = artists["band"].get_paths()
    assert path.vertices[:, 1].max() == pytest.approx(2.4)
