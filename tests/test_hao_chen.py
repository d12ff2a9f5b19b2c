"""HaoChen et al. (2020), section 3: `labnoise` against a plain NumPy loop written from their text.

Square model, loss ¼(f − y)² averaged, v = 1 at the start, w* = 5 ones, d = 100, n = 40 Gaussian, η = .01.
Their runs are of 300 000 steps and more; here the first 400, in many replicas, compared in distribution.
"""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from afterzero.experiments import noise_shapes
from afterzero.experiments.noise_shapes import W_STAR, D, N, Z

from labnoise import sgd

STEPS, REPLICAS = 400, 200
NOISES = {
    "label": (noise_shapes.label, 1.0),
    "mini-batch": (noise_shapes.pair, 0.2),  # theirs is 1, with which many replicas diverge in the end
    "spherical": (noise_shapes.spherical, 0.5),  # theirs is .01; it would not be seen in so few steps
}


def eta(step):
    """Theirs falls tenfold after each 100 000 steps, ours after each 200."""
    return 0.01 * 0.1 ** (step // 200)


def plain_loop(name, strength):
    """All replicas at once, one step after the other."""
    random, replicas = np.random.default_rng(1), np.arange(REPLICAS)
    v = np.ones((REPLICAS, D))
    for step in range(STEPS):
        residual = (v * v) @ Z.T - Z @ W_STAR
        gradient = residual @ Z * v / N  # of (1/4n) Σ (f_i − y_i)²
        i, j = random.integers(N, size=(2, REPLICAS))
        if name == "label":  # the label of one example is moved by N(0, δ²)
            gradient -= strength * random.standard_normal(REPLICAS)[:, None] * Z[i] * v
        elif name == "mini-batch":
            pairs = residual[replicas, i, None] * Z[i] - residual[replicas, j, None] * Z[j]
            gradient += strength * pairs * v
        else:
            gradient += strength * random.standard_normal(v.shape)
        v = v - eta(step) * gradient
    return v


def in_standard_errors(ours, theirs):
    """The largest differences of means and variances, and that of the error that they report."""
    found = []
    for statistic in (
        lambda v: v,
        lambda v: (v - theirs.mean(0)) ** 2,
        lambda v: ((v * v - W_STAR) ** 2).sum(1),
    ):
        one, other = statistic(ours), statistic(theirs)
        sigma = np.sqrt((one.var(0) + other.var(0)) / REPLICAS)
        found.append((abs(one.mean(0) - other.mean(0)) / sigma).max())
    return found


@pytest.mark.statement("HaoChen et al.: the law of a plain NumPy loop, in standard errors", asked=4.5)
@pytest.mark.parametrize("name", NOISES)
def test_same_law_as_a_plain_loop(measured, name):
    noise, strength = NOISES[name]
    run = sgd(noise(strength), jnp.ones(D), eta, STEPS, jax.random.split(jax.random.key(2), REPLICAS))
    ours = np.asarray(run.states[:, -1])
    measured(max(in_standard_errors(ours, plain_loop(name, strength))))
    stronger = plain_loop(name, 1.5 * strength)
    assert max(in_standard_errors(ours, stronger)) > 6  # it would be seen


@pytest.mark.statement("HaoChen et al.: Σ = (δ²/4n)JᵀJ for label noise, everywhere", asked=1e-13)
def test_covariance_of_label_noise(measured):
    v = 1 + 0.3 * np.sin(np.arange(D))
    J = 2 * Z * v
    covariance = noise_shapes.label(0.7).covariance(jnp.asarray(v))
    measured(abs(covariance - 0.7**2 / (4 * N) * J.T @ J).max())
