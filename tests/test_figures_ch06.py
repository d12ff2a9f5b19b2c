"""What the drawings of chapter 6 compute and say, on made-up diagrams and runs."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from afterzero.figures import ch06 as figures

SIZES = np.array([10.0, 20, 30, 40])


@pytest.mark.parametrize(
    ("share", "expected"),
    [
        ([0.0, 0.25, 0.75, 1.0], 25.0),
        ([0.0, 0.6, 0.4, 1.0], 10 + 10 * 0.5 / 0.6),  # once solved, a later dip does not count
        ([0.0, 0.1, 0.2, 0.3], np.nan),
        ([0.9, 1.0, 1.0, 1.0], np.nan),
    ],
)
def test_half_way_is_where_the_share_crosses_one_half(share, expected):
    np.testing.assert_allclose(figures.half_way(np.array(share), SIZES), expected)


def test_the_fitted_constant_is_that_of_least_squares():
    factor, rng = np.array([5.0, 7.0, 9.0, 2.0]), np.random.default_rng(0)
    half = 3 * factor + rng.standard_normal(4)
    share = np.clip(0.5 + (SIZES - half[:, None]) / 40, 0, 1)
    share[3] = 0  # never solved, and so left out
    expected = np.linalg.lstsq(factor[:3, None], half[:3])[0][0]
    assert figures.fitted_constant(share, SIZES, factor) == pytest.approx(expected)
    share[2] = 0  # two points are no fit
    assert np.isnan(figures.fitted_constant(share, SIZES, factor))


def test_edges_lie_half_way_between_centres():
    assert figures.edges(SIZES).tolist() == [5, 15, 25, 35, 45]


@pytest.mark.parametrize("who", figures.WHO)
def test_of_a_throw_the_sizes_show_what_was_found_and_how_far_it_is_off(who):
    sizes, truth = np.array([10, 20, 30]), np.append(np.zeros(98), [1.0, -1.0])
    faint = {name: np.arange(6.0).reshape(2, 3) for name in figures.WHO}
    errors = {name: number + np.arange(3.0) for number, name in enumerate(figures.WHO, 1)}
    found = np.arange(300.0).reshape(3, 100)
    artists = figures.stage_sizes(figure := plt.figure(), sizes, faint)
    said = figures.show_sizes(artists, who, 20, found, truth, sizes, errors)
    error = errors[who][1]
    assert said == f"From 20 examples {who} finds coefficients with a relative error of {error:.2g}."
    assert artists["w"].get_ydata().tolist() == found[1].tolist()
    assert artists["true"].get_xydata().tolist() == [[98, 1], [99, -1]]
    assert artists["here"].get_xydata().tolist() == [[20, error]]
    assert artists["here"].get_color() == artists["w"].get_color() == artists["errors"][who].get_color()
    assert {name: line.get_ydata().tolist() for name, line in artists["errors"].items()} == {
        name: values.tolist() for name, values in errors.items()
    }
    plt.close(figure)


def test_the_anneal_tells_true_coefficients_from_false_ones():
    truth, w = np.array([1.0, 0, -1, 0]), np.array([0.9, 0.1, -0.8, -0.25])
    path = np.array([[0.5, 0.4, -0.3, 0.2], [0.9, 0.1, -0.8, -0.25], [1.0, 0.0, -1.0, 0.0]])
    artists = figures.stage_anneal(figure := plt.figure(), truth)
    artists["w"].set_xdata(np.arange(4))
    said = figures.show_anneal(artists, 10**-0.5, 0.5, "1/2", w, np.array([0.0, 0.5, 1.0]), path, truth)
    assert said == (
        "At t = 0.50 with δ = 1/2, from the scale α = 0.32, "
        "the largest false coefficient is 0.25 and the least true one 0.8."
    )
    nan = np.nan
    np.testing.assert_array_equal(artists["true"].get_xdata(), 2 * [0, 0.5, 1, nan])
    np.testing.assert_array_equal(artists["true"].get_ydata(), [0.5, 0.9, 1, nan, -0.3, -0.8, -1, nan])
    np.testing.assert_array_equal(artists["false"].get_ydata(), [0.4, 0.1, 0, nan, 0.2, -0.25, 0, nan])
    assert artists["now"].get_xdata() == [0.5, 0.5]
    assert artists["w"].get_ydata().tolist() == w.tolist()
    plt.close(figure)


def test_the_sentence_of_the_phase_diagram_says_where_half_are_solved_or_that_nothing_is():
    kappas = np.array([2.0, 4.0])
    shares = np.array([[0.0, 0.25, 0.75, 1.0], [0.0, 0.0, 0.0, 0.0]])
    artists = figures.stage_phase(figure := plt.figure(), kappas, SIZES)
    laws = [(2.0, kappas), (3.0, kappas**2)]
    said = figures.show_phase(artists, "label noise", 2.4, kappas, SIZES, shares, laws)
    assert said == (
        "Label noise: half of the problems with κ = 2 are solved from about 25 examples. "
        "Dashed: n = 2.00 κ ln d; dotted: 3.00 κ ln(d/κ)."
    )
    assert artists["lines"][1].get_ydata().tolist() == [12, 48]
    laws = [(np.nan, kappas), (np.nan, kappas)]
    said = figures.show_phase(artists, "label noise", 4, kappas, SIZES, shares, laws)
    assert "from more examples than the diagram has. No line fits: nothing is solved." in said
    plt.close(figure)
