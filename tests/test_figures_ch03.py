"""What the drawings of chapter 3 compute, against the flow and its derivative, integrated without the closed form."""

import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np
import pytest
from afterzero.figures import ch03 as figures
from afterzero.figures import plane
from independent import independent_flow

from labnoise import landscapes, project

HYPERBOLA = landscapes.hyperbola()
STARTS = [(2.5, 1.8), (0.4, 0.3), (1.8, -1.1), (2.0, 0.5), (0.7, 0.7)]


@jax.jit
def slope(x):
    """∂Φ by the variational equation of the flow."""
    return jax.jacobian(lambda x: project(HYPERBOLA, x))(x)


@pytest.mark.parametrize("start", [(2.5, 1.8), (0.4, 0.3), (0.7, 0.7), (0.3, 2.0)])
def test_gradient_flow_stays_on_the_fibre(start):
    u, v = independent_flow(HYPERBOLA, start, 0.1)
    on_fibre = figures.fibre(start[0] ** 2 - start[1] ** 2, np.array([u + v]))
    np.testing.assert_allclose(on_fibre[:, 0], [u, v], rtol=1e-9)


def test_a_fibre_has_one_unbalance_and_the_sums_asked_for():
    sums = np.geomspace(0.1, 8, 50)
    for q in (-3.0, 0.0, 0.2, 7.0):
        u, v = figures.fibre(q, sums)
        np.testing.assert_allclose(u + v, sums, rtol=1e-12)
        np.testing.assert_allclose(u**2 - v**2, q, atol=1e-11)


@pytest.mark.parametrize("start", [(0.4, 0.4), (3.2, 0.4), (0.9, 3.2)])
def test_the_fibre_of_the_start_is_seen_from_edge_to_edge(start):
    """It passes the start and reaches the axes and the far sides, or comes as near to the corner as 3 pixels."""
    points = figures.fibre(start[0] ** 2 - start[1] ** 2, figures.FIBRE_SUMS)
    assert points.min(axis=0).min() < 0.03
    assert points[:, 0].max() >= 3.6
    on_the_way = np.linspace(points[:, :-1], points[:, 1:], 200, axis=-1)
    apart = on_the_way - np.reshape(start, (2, 1, 1))
    assert np.hypot(*apart).min() < 0.005


@pytest.mark.parametrize("start", STARTS)
def test_the_bar_is_what_the_derivative_makes_of_the_circle(start):
    end = independent_flow(HYPERBOLA, start, 40.0)
    bar = figures.half_bar(np.array(start), end)
    image = slope(jnp.array(start)) @ (figures.RADIUS * plane.circle(61))
    across = bar[0] * image[1] - bar[1] * image[0]
    np.testing.assert_allclose(across, 0.0, atol=1e-8)
    # 61 points of the circle: one is within half a step, 3 degrees, of the direction that is stretched most
    longest = np.linalg.norm(image, axis=0).max()
    assert np.cos(np.radians(3)) <= longest / np.linalg.norm(bar) <= 1 + 1e-8


def test_the_mistake_about_the_derivative_is_its_distance_from_the_tangent_projection():
    ends = np.array([independent_flow(HYPERBOLA, start, 40.0) for start in STARTS])
    tangents = ends * [1, -1] / np.linalg.norm(ends, axis=1, keepdims=True)
    wrong = [J - np.outer(a, a) for J, a in zip(map(slope, jnp.array(STARTS)), tangents, strict=True)]
    expected = np.linalg.norm(wrong, axis=(1, 2))
    np.testing.assert_allclose(figures.mistaken(np.array(STARTS), ends), expected, atol=1e-7)
    assert expected.max() > 0.5


def test_along_the_spiral_the_drawn_arrows_are_tangent_to_it():
    """−∇L/|∇L| of the hat against central differences of the drawn points."""
    r, e = np.linspace(0.5, 0.98, 60), 1e-7
    down = -np.array(jax.vmap(jax.grad(figures.hat))(figures.spiral(r)))
    tangent = figures.spiral(r + e) - figures.spiral(r - e)
    unit = [a / np.linalg.norm(a, axis=1, keepdims=True) for a in (down, tangent)]
    np.testing.assert_allclose(*unit, atol=1e-5)


@pytest.mark.parametrize("u", [0.5, 1.4, 3.0])
def test_at_the_oblique_points_the_derivative_is_a_projection_that_is_not_orthogonal(u):
    end = np.array([u, 1 / u])
    point = figures.oblique_points(end)
    np.testing.assert_allclose(independent_flow(HYPERBOLA, point, 40.0), end, atol=1e-8)
    J = slope(jnp.array(point))
    np.testing.assert_allclose(J @ J, J, atol=1e-7)
    assert np.abs(J - J.T).max() > 0.1


def test_the_jitter_counts_the_distance_from_phi_after_the_descent():
    t, states, ends = np.array([0.0, 0.2, 0.3]), np.array([[9.0, 9], [1, 2], [3, 4]]), np.zeros((3, 2))
    assert figures.jitter(t, states, ends) == pytest.approx(np.sqrt((5 + 25) / 2))


def test_the_jitter_weighs_by_time():
    t, states = np.array([0.2, 0.3, 0.7]), np.array([[1.0, 0], [3, 0], [5, 0]])
    fine = np.linspace(0.2, 0.7, 100_001)
    squares = np.interp(fine, t, [1.0, 9, 25])
    assert figures.jitter(t, states, np.zeros((3, 2))) == pytest.approx(np.sqrt(squares.mean()), rel=1e-4)


def test_the_clocks_have_every_early_step_and_reach_the_end_of_both():
    steps = figures.clock_steps(0.0125)
    early = np.arange(round(figures.S_END / 0.0125) + 1)
    np.testing.assert_array_equal(steps[: len(early)], early)
    assert steps[-1] * 0.0125**2 >= figures.T_END
    for eta in (0.0125, 0.05):  # a gap is at most a hundredth of the panel
        shown = steps[steps * eta**2 <= figures.T_END]
        assert np.diff(shown).max() * eta**2 <= figures.T_END / 100


def test_the_clocks_show_one_path_and_say_what_is_measured_on_it():
    """A path that stands still on Γ but for a push off it, against the numbers that it was made with."""
    steps, flow = figures.clock_steps(0.0125), (np.array([0, figures.S_END]), np.array([2.0, 2.0]))
    ends = np.stack([2 - 0.5 * steps * 0.05**2 / figures.T_END, np.full(len(steps), 0.5)], axis=1)
    states = ends + np.array([0, 0.03])
    artists = figures.stage_clocks(figure := plt.figure(), flow[0], np.full((2, 2), 2.0))
    said = figures.show_clocks(artists, 0.05, "some noise", steps, states, ends, None, flow)
    strays = 0.5 * figures.S_END * 0.05 / figures.T_END
    assert said == (
        f"Some noise, η = 0.05: up to s = 1.5 the path strays {strays:.2f} from gradient flow in u. On the slow "
        "clock it jitters 0.030 (root mean square) about its Φ, which goes from u = 2.00 to 1.50."
    )
    s = artists["fast"].get_xdata()
    assert s.max() >= figures.S_END
    assert len(s) == round(figures.S_END / 0.0125) + 1
    np.testing.assert_allclose(artists["slow"].get_xdata(), 0.05**2 * steps)
    plt.close(figure)
