"""The closed forms of the landscapes against flows, drifts and laws that are computed without them."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from independent import independent_flow
from scipy.integrate import quad, solve_ivp

from labnoise import drift_terms, label_noise_flow, landscapes

STARTS = [(2.0, 0.5), (1.3, -0.4), (-0.9, 1.4), (-1.1, -0.7), (0.3, 0.2)]


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("name", ["circle", "ring", "valley", "hyperbola"])
def test_the_projection_is_where_gradient_flow_ends(name, start):
    landscape = getattr(landscapes, name)()
    end = independent_flow(landscape, start, 400.0)
    np.testing.assert_allclose(landscape.project(jnp.array(start)), end, atol=1e-8)


def test_a_projection_takes_many_points_at_once():
    points = jnp.array(STARTS)
    for name in ("circle", "ring", "valley", "hyperbola"):
        landscape = getattr(landscapes, name)()
        together = landscape.project(points)
        np.testing.assert_allclose(together, [landscape.project(x) for x in points], atol=1e-15)


def test_between_the_branches_the_hyperbola_has_no_projection():
    assert jnp.isnan(landscapes.hyperbola().project(jnp.array([1.5, -1.5]))).all()


@pytest.mark.parametrize("start", [(2.0, 0.5), (-0.5, -2.0)])
def test_the_limit_on_the_hyperbola_is_the_flow_of_label_noise(start):
    hyperbola, t = landscapes.hyperbola(), jnp.array([0.0, 0.3, 1.0])
    flow = label_noise_flow(hyperbola, jnp.array(start), t, delta=0.7)
    np.testing.assert_allclose(hyperbola.limit(start, t, delta=0.7), flow, atol=1e-8)


def test_the_limit_in_the_valley_moves_with_the_drift_and_starts_at_the_projection():
    valley, start = landscapes.valley(c=0.8), jnp.array([1.5, 0.4])
    velocity = jax.jvp(lambda t: valley.limit(start, t), (jnp.array(0.6),), (jnp.array(1.0),))[1]
    here = valley.limit(start, jnp.array(0.6))
    np.testing.assert_allclose(velocity, drift_terms(valley, valley.cov(here), here).total, atol=1e-9)
    np.testing.assert_allclose(valley.limit(start, jnp.array(0.0)), valley.project(start), atol=1e-15)


def test_the_fluctuation_in_the_valley_solves_its_equation():
    """The displacement decays at the rate c/2, and the fluctuations of the cloud y² kick it.

    A step moves x by −ηxy². In the cloud y² has the variance 2(ηc/2)² and forgets itself at the rate 2η(1 + x²) a step,
    so that its kicks add up to the variance ηc²x²/(2(1 + x²)) per unit of t.
    """
    c, x0 = 0.8, 1.5
    valley = landscapes.valley(c)

    def variance(t, v):
        x = x0 * np.exp(-c * t / 2)
        return -c * v + c**2 * x**2 / (2 * (1 + x**2))

    solved = solve_ivp(variance, (0, 1.2), [0.0], rtol=1e-10, atol=1e-12).y[0, -1]
    np.testing.assert_allclose(valley.fluctuation((x0, 0.0), jnp.array(1.2)), solved, rtol=1e-8)


def along(landscape, angle):
    """The drift of the angle by the main theorem at the point of the unit circle at that angle."""
    x = jnp.zeros(2 + getattr(landscape, "k", 0) + isinstance(landscape, landscapes.FourTerms))
    x = x.at[0].set(jnp.cos(angle)).at[1].set(jnp.sin(angle))
    total = drift_terms(landscape, landscape.cov(x), x).total
    return float(-jnp.sin(angle) * total[0] + jnp.cos(angle) * total[1])


@pytest.mark.parametrize("angle", [-2.5, -0.4, 0.9, 2.0])
@pytest.mark.parametrize(
    "landscape",
    [landscapes.ring(1.4), landscapes.four_terms(), landscapes.phase_motor(3), landscapes.phase_motor(1)],
    ids=["ring", "four terms", "motor", "one phase"],
)
def test_the_velocity_is_the_drift_of_the_main_theorem(landscape, angle):
    assert float(landscape.velocity(angle)) == pytest.approx(along(landscape, angle), abs=1e-9)


def test_the_angle_on_the_circle_has_the_drift_and_the_noise_of_the_main_theorem():
    circle, angle = landscapes.circle(0.4, 0.3, 0.6), 0.7
    x = jnp.array([jnp.cos(angle), jnp.sin(angle)])
    tangent = jnp.array([-jnp.sin(angle), jnp.cos(angle)])
    terms = drift_terms(circle, circle.cov(x), x)
    mean, variance = circle.angle(angle, 2.0)
    assert float(mean) == pytest.approx(angle + 2 * float(tangent @ terms.total), abs=1e-9)
    assert float(variance) == pytest.approx(2 * float(tangent @ terms.tangent_noise @ tangent), abs=1e-9)


@pytest.mark.parametrize("a", [-1.0, 2.0])
def test_the_law_on_the_ring_is_a_density_without_a_current(a):
    """Its current, velocity times density less half the density's slope, is zero."""
    ring, angles = landscapes.ring(a), jnp.linspace(-3.0, 3.0, 7)
    assert quad(lambda s: float(ring.density(s)), -np.pi, np.pi)[0] == pytest.approx(1, abs=1e-9)
    slopes = jax.vmap(jax.grad(ring.density))(angles)
    np.testing.assert_allclose(0.5 * slopes, ring.velocity(angles) * ring.density(angles), atol=1e-12)


@pytest.mark.parametrize("k", [1, 2, 3, 5])
def test_the_angle_of_the_motor_follows_its_velocity(k):
    """Written out once more, by another integrator."""
    phases = 2 * np.pi * np.arange(k) / k

    def velocity(t, y):
        s = y - phases
        return [np.sum((1 + np.sin(s)) * np.sin(s) / (2 + np.cos(s))) / 4]

    t = np.array([0.0, 1.0, 10.0, 40.0])
    for start in (-7.0, 0.4):
        path = solve_ivp(velocity, (0, 40), [start], t_eval=t, rtol=1e-11, atol=1e-12).y[0]
        np.testing.assert_allclose(landscapes.phase_motor(k).angle(start, t), path, atol=1e-8)


def test_a_landscape_can_be_traced_in_its_parameters():
    slope = jax.grad(lambda a: landscapes.Ring.velocity(_traced_ring(a), 1.0))(2.0)
    assert float(slope) == pytest.approx(0.25 * np.sin(1.0))


def _traced_ring(a):
    leaves, structure = jax.tree.flatten(landscapes.ring(1.0))
    assert len(leaves) == 1
    return jax.tree.unflatten(structure, [a])
