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


def test_the_sentence_of_the_anneal_tells_true_coefficients_from_false_ones():
    truth = np.array([1.0, 0, -1, 0])
    path = np.array([[0.5, 0.4, -0.3, 0.2], [0.9, 0.1, -0.8, -0.25]])
    artists = figures.stage_anneal(figure := plt.figure(), truth)
    artists["w"].set_xdata(np.arange(4))
    said = figures.show_anneal(artists, 0.5, 1.0, np.array([0.0, 0.5]), path, truth)
    assert said.endswith("the largest false coefficient is 0.25 and the least true one 0.8.")
    assert artists["curves"][2].get_ydata().tolist() == [-0.3, -0.8]
    assert [curve.get_lw() for curve in artists["curves"]] == [2, 0.6, 2, 0.6]
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
