"""The numbered statements of chapter 7, each against something that does not share its derivation; its stored runs.

Gradient flow by SciPy; strengths and signs unequal.
"""

import itertools

import jax.numpy as jnp
import numpy as np
import pytest
from afterzero import ch07
from afterzero.experiments import noise_shapes
from afterzero.experiments.results import RESULTS, read
from scipy.integrate import solve_ivp

from labnoise import (
    LabelNoise,
    MinibatchNoise,
    SparseRegression,
    drift_terms,
    landscapes,
    sharpness,
)

RNG = np.random.default_rng(4)
Z, V = RNG.standard_normal((3, 7)), RNG.uniform(0.5, 1.5, 7)
Y = Z @ RNG.uniform(0.3, 1.5, 7)
PROBLEM = SparseRegression(Z, Y, "square", loss_scale=0.25)


def flow_end(v):
    """Where gradient flow of (1/4n)|Z(v⊙v) − y|² ends, by SciPy's Radau."""

    def slope(_, v):
        return -(Z.T @ (Z @ v**2 - Y)) * v / len(Z)

    return solve_ivp(slope, (0, 400), v, method="Radau", rtol=1e-11, atol=1e-13).y[:, -1]


@pytest.mark.statement("prop-shrink", asked=1e-7)
def test_the_start_shrinks_exactly(measured):
    """Steps with arbitrary a, none of them small; one gradient descent step; and only one point of that form."""
    rng, v, total = np.random.default_rng(7), V.copy(), np.zeros(7)
    for _ in range(6):
        x = 0.1 * Z.T @ rng.standard_normal(3)
        assert x.max() < 1
        v, total = v * (1 - x), total - np.log(1 - x) - x
    assert (total >= 0).all()
    assert total.max() > 0.05
    ends = flow_end(v), flow_end(V * np.exp(-total))
    measured(abs(ends[0] - ends[1]).max())
    assert abs(ends[0] - flow_end(V)).max() > 0.01  # it is not conserved
    measured(abs(flow_end(V * np.exp(Z.T @ np.array([0.1, -0.2, 0.15]))) - flow_end(V)).max())


@pytest.mark.statement("prop-clocks", asked=1e-12)
def test_the_clocks_of_three_algorithms(measured):
    """All outcomes one by one, and the package's covariances; the bound on q − x²/2."""
    eta, delta, n = 0.03, 0.7, len(Z)
    r = Z @ V**2 - Y
    b = Z.T @ r / n
    var = (r[:, None] * Z).var(0)
    pairs = np.mean(
        [
            (eta * (b + delta * (r[i] * Z[i] - r[k] * Z[k]))) ** 2 / 2
            for i, k in itertools.product(range(n), repeat=2)
        ],
        axis=0,
    )
    measured(abs(pairs - eta**2 / 2 * (b**2 + 2 * delta**2 * var)).max())
    signs = np.mean([(eta * (b - delta * s * z)) ** 2 / 2 for z in Z for s in (1, -1)], axis=0)
    rate = eta**2 / 2 * (b**2 + delta**2 * (Z**2).mean(0))
    measured(abs(signs - rate).max())
    for rule, clock in (
        (LabelNoise(PROBLEM, delta, gradient="full"), rate),
        (MinibatchNoise(PROBLEM, kind="pair", strength=delta), pairs),
    ):
        cov = np.asarray(rule.covariance(jnp.asarray(V)))
        gradient = np.asarray(PROBLEM.gradient(jnp.asarray(V)))
        measured(abs(eta**2 / 2 * (np.diag(cov) + gradient**2) / V**2 - clock).max())
    label, pair = ch07.two_covariances(Z, V, Y, delta)
    measured(
        abs(np.asarray(LabelNoise(PROBLEM, delta, gradient="full").covariance(jnp.asarray(V))) - label).max()
    )
    measured(abs(cov - pair).max())
    x = np.linspace(-0.5, 0.5, 101)
    assert (abs(-np.log(1 - x) - x - x**2 / 2) <= 2 / 3 * abs(x) ** 3 + 1e-17).all()


@pytest.mark.statement("prop-isotropic-square", asked=1e-8)
def test_isotropic_noise_on_the_square_model(measured):
    """The drift from drift_terms; the generator's symmetry by quadrature; the law of SGD on an ellipse."""
    x = flow_end(V)
    w = x**2
    terms = drift_terms(PROBLEM, jnp.eye(7), jnp.asarray(x))
    T = np.asarray(terms.tangent_noise)
    drift = 2 * x * np.asarray(terms.total) + np.diag(T)
    G = Z.T @ np.linalg.solve((Z * w) @ Z.T, Z)
    g = w * np.diag(G)
    u = 1 - 2 * g
    measured(abs(drift - (u - w * (G @ u))).max())
    measured(abs(4 * x[:, None] * T * x - 4 * (np.diag(w) - w[:, None] * G * w)).max())
    measured(abs(g.sum() - 3))
    # SGD on w₁ + 3w₂ = 1: by part 2 the law of w₁ has the density (w₁w₂)^−½, the arcsine law, whatever the 3
    rng, v, eta = np.random.default_rng(0), np.tile([0.6, 0.46], (4000, 1)), 0.02
    a = np.array([1.0, 3.0])
    for _ in range(round(3 / eta**2)):
        v = v - eta * ((v**2 @ a - 1)[:, None] * a * v + rng.standard_normal(v.shape))
    share = v[:, 0] ** 2 / (v**2 @ a)
    for power, expected in ((1, 1 / 2), (2, 3 / 8)):
        assert abs(np.mean(share**power) - expected) < 4.5 * np.std(share**power) / 4000**0.5 + eta


@pytest.mark.statement("prop-variance", asked=1e-6)
def test_noise_variance_along_the_limit(measured):
    """tr Σ along the label-noise drift, by differences; constant on the motor, which moves; and a climb."""
    hyperbola, x, delta = landscapes.hyperbola(), jnp.array([2.0, 0.5]), 0.7
    rule = LabelNoise(hyperbola, delta)
    drift = np.asarray(drift_terms(hyperbola, rule.covariance(x), x).total)
    h = 1e-5
    on_curve = [jnp.array([2.0 + s * h * drift[0], 1 / (2.0 + s * h * drift[0])]) for s in (-1, 1)]
    variance = [float(jnp.trace(rule.covariance(point))) for point in on_curve]
    tangent = np.array([2.0, -0.5]) / np.hypot(2.0, 0.5)
    slope = (variance[1] - variance[0]) / float(jnp.linalg.norm(on_curve[1] - on_curve[0]))
    speed = float(drift @ tangent)
    measured(abs(abs(speed) - abs(slope) / 4))
    assert slope < 0  # along the motion the variance falls
    assert abs(variance[0] - 2 * delta**2 * float(sharpness(hyperbola, on_curve[0]))) < 1e-9
    motor = landscapes.phase_motor(4)
    for theta in (0.2, 1.9, 5.0):
        x = jnp.concatenate([jnp.array([np.cos(theta), np.sin(theta)]), jnp.zeros(4)])
        measured(abs(float(jnp.trace(motor.cov(x))) - 4))
        total = np.asarray(drift_terms(motor, motor.cov(x), x).total)
        assert -np.sin(theta) * total[0] + np.cos(theta) * total[1] > 0.1
    # exercise 7.5: dθ/dt = ¼ a e^{−a cos θ} sin θ, towards the largest noise
    scene, theta = landscapes.four_terms(0.8, 0.0, 0.0, 0.0, 1.0), 1.1
    x = jnp.array([np.cos(theta), np.sin(theta), 0.0])
    cov = np.diag([0, 0, np.exp(-0.8 * np.cos(theta))])
    total = np.asarray(drift_terms(scene, cov, x).total)
    expected = 0.2 * np.exp(-0.8 * np.cos(theta)) * np.sin(theta)
    measured(abs(-np.sin(theta) * total[0] + np.cos(theta) * total[1] - expected))


@pytest.mark.parametrize("name", ["label", "mini-batch", "spherical", "spherical at equal clock"])
def test_a_stored_run_can_be_made_again(name):
    rows = read("noise-shapes")
    rows = rows[(rows["run"] == name) & (rows["seed"] == 1)]
    done, v = noise_shapes.run(name, 1, 2000)
    shown = np.isin(rows["step"], done)
    same = np.isin(done, rows["step"])
    assert same.sum() == 25  # the start and 24 saves
    np.testing.assert_allclose(noise_shapes.error(v[same]), rows["error"][shown], rtol=5e-3)
    np.testing.assert_allclose(noise_shapes.norm(v[same]), rows["norm"][shown], rtol=5e-3)


def test_what_the_stored_runs_say():
    """Label noise below 10⁻² in all runs; gradient descent and their spherical noise above 10; eight batches."""
    rows = read("noise-shapes")
    last = {
        name: rows[(rows["run"] == name) & (rows["step"] == setting.steps)]["error"]
        for name, setting in noise_shapes.SETTINGS.items()
    }
    assert len(last["label"]) >= 10
    assert last["label"].max() < 1e-2
    assert last["none"].min() > 10
    assert len(last["spherical"]) >= 10
    assert last["spherical"].min() > 10
    assert np.isfinite(last["mini-batch"]).sum() >= 10
    for name in ("label", "mini-batch", "spherical"):
        batches = noise_shapes.stored(name).batches()
        assert len(batches) == 8
        assert sum(len(batch.error) for batch in batches) == np.isfinite(last[name]).sum()
    seeds = {(row["run"], row["seed"]): row["batch"] for row in rows}
    assert all(
        batch == seed // (noise_shapes.SEEDS[name] // 8)
        for (name, seed), batch in seeds.items()
        if name != "none"
    )
    size = sum(path.stat().st_size for path in RESULTS.glob("noise-*.csv"))
    assert size < 2**20
