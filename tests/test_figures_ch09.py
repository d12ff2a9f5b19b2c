"""What the drawings of chapter 9 compute and say, on made-up tables and against the package."""

import matplotlib
import numpy as np
import pytest
from afterzero import second_moment
from afterzero.experiments import adam
from afterzero.figures import ch09 as figures
from matplotlib.figure import Figure


def test_points_lie_on_gamma_and_weights_have_the_ratio():
    for w1 in (0.1, 0.6):
        x = figures.on_gamma(w1)
        np.testing.assert_allclose([x[0] ** 2, second_moment.FEATURES @ x**2], [w1, 1])
    p = figures.weighted(16.0)
    np.testing.assert_allclose([(p[0] / p[1]) ** 4, p[0] * p[1]], [16**2, 1])  # V = p⁻²


@pytest.mark.parametrize(("ratio", "sign"), [(1.0, 1), (3.9, 1), (4.1, -1), (16.0, -1)])
def test_the_flow_turns_where_the_second_moment_has_the_ratio_four(ratio, sign):
    artists = figures.stage_turn(Figure())
    sentence = figures.show_turn(artists, 0.3, ratio)
    here = figures.speed(0.3, figures.weighted(ratio))
    assert np.sign(here) == sign
    assert f"w₁ moves at {here:+.3f}; under SGD at {figures.speed(0.3, np.ones(2)):+.3f}" in sentence
    assert "changes at V₂/V₁ = 4; a settled V would have 4.67 here" in sentence
    start, end = np.transpose(artists["Adam"].get_data())
    tangent = second_moment.FEATURES * start @ (end - start)
    assert abs(tangent) < 1e-12
    across = np.diff(np.transpose(artists["across"].get_data()), axis=0)[0]
    free = np.diff(np.transpose(artists["pull"].get_data()), axis=0)[0]
    moved = free - (end - start)
    assert abs(np.cross([*across, 0], [*moved, 0])[2]) < 1e-12  # it is brought back along the dotted line
    np.testing.assert_allclose(
        artists["curve"].get_ydata()[::30],
        [figures.speed(w, figures.weighted(ratio)) for w in artists["curve"].get_xdata()[::30]],
    )


def made_up(seed=0):
    rng = np.random.default_rng(seed)
    return {method: rng.integers(2, size=(3, 4, 8)) > 0 for method in adam.METHODS}


def test_a_cut_shows_the_lead_and_four_shares():
    found, kappas, sizes = made_up(), np.array([1, 2, 3]), np.array([2, 4, 6, 8])
    artists = figures.stage_cut(Figure(), kappas, sizes)
    sentence = figures.show_cut(artists, "units", 2.2, found, kappas, sizes)
    lead = found["Adam from 1"].mean(axis=2) - found["SGD"].mean(axis=2)
    np.testing.assert_allclose(artists["mesh"].get_array().reshape(4, 3), -lead.T)
    for method, line in artists["lines"].items():
        np.testing.assert_allclose(line.get_ydata(), found[method][1].mean(axis=1))
    assert sentence.startswith("Units, κ = 2: of a hundred problems")
    assert f"SGD {100 * found['SGD'][1].mean():.0f}" in sentence
    ahead = adam.lead(found, "Adam from 1")
    assert len(ahead) == 8
    np.testing.assert_allclose(ahead.mean(), lead.mean())


def test_the_regimes_are_told_from_curves_and_runs():
    stored, moved = np.array([1e-3, 1e-2]), np.array([[0.05, 0.06], [0.03, 0.05]])
    artists = figures.stage_regimes(Figure())
    sentence = figures.show_regimes(artists, 0.01, 0.002, (np.square, np.negative), moved, stored)
    assert "b = 0.2 and a = 20" in sentence
    assert f"by {np.log(0.002) ** 2:.4f} in the limit, by {-np.log(0.002):.4f} with the factor" in sentence
    assert "at 1 − β₂ = 0.001 moved by 0.0550 ± 0.0050" in sentence
    np.testing.assert_allclose(artists["runs"].get_ydata(), [0.055, 0.04])
    limit, both = figures.regime_curves(0.01)
    at = np.log(figures.FINE[3])
    assert abs(limit(at) + 0.6 - second_moment.predicted(figures.FINE[3] / 1e-4)) < 1e-9
    assert both(at) < limit(at)


def test_still_figures_are_drawn(monkeypatch):
    monkeypatch.setattr(matplotlib.pyplot, "show", lambda: None)
    figures.plot_oblique(np.array([1.0, 0.125]))
    figures.plot_sum(np.arange(3.0), {a: np.arange(3.0) for a in (1.0, 2.0, 3.0)})
    truth = np.array([0.0, 1.0])
    figures.plot_fall(np.arange(3.0), {name: np.ones((3, 2)) for name in ("SGD", "Adam")}, truth)
    shares = {method: each.mean(axis=2) for method, each in made_up().items()}
    figures.plot_diagrams({"one": shares, "two": shares}, np.array([1, 2, 3]), np.array([2, 4, 6, 8]))
    drawn = figures.plot_matrices(
        {name: made_up()["SGD"] for name in ("SGD", "Adam")},
        np.array([1, 2, 3]),
        np.array([2, 4, 6, 8]),
        lambda p, n: p / n,
    )
    assert drawn is None
    matplotlib.pyplot.close("all")
