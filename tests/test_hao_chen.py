"""HaoChen et al. (2020), section 3: `labnoise` against a plain NumPy loop written from their text.

Square model, loss ¼(f − y)² averaged, v = 1 at the start, w* = 5 ones, d = 100, n = 40 Gaussian, η = .01.
Their runs are of 300 000 steps and more; here the first 400, in many replicas, compared in distribution.
"""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from labnoise import GaussianNoise, LabelNoise, MinibatchNoise, SparseRegression, sgd

D, N, STEPS, REPLICAS, DELTA = 100, 40, 400, 200, 1.0
PAIR = 0.2  # theirs is 1, with which many replicas diverge in the end
Z = np.random.default_rng(0).standard_normal((N, D))
W_STAR = np.repeat([1.0, 0.0], [5, 95])
PROBLEM = SparseRegression(Z, Z @ W_STAR, "square", loss_scale=0.25)
NOISES = {
    "label": LabelNoise(PROBLEM, DELTA, distribution="normal", gradient="full"),
    "mini-batch": MinibatchNoise(PROBLEM, kind="pair", strength=PAIR),
    "spherical": GaussianNoise(PROBLEM, 0.5**2),  # theirs is .01²; it would not be seen in so few steps
}


def eta(step):
    """Theirs falls tenfold after each 100 000 steps, ours after each 200."""
    return 0.01 * 0.1 ** (step // 200)


def plain_loop(name):
    """All replicas at once, one step after the other."""
    random, replicas = np.random.default_rng(1), np.arange(REPLICAS)
    v = np.ones((REPLICAS, D))
    for step in range(STEPS):
        residual = (v * v) @ Z.T - Z @ W_STAR
        gradient = residual @ Z * v / N  # of (1/4n) Σ (f_i − y_i)²
        i, j = random.integers(N, size=(2, REPLICAS))
        if name == "label":  # the label of one example is moved by N(0, δ²)
            gradient -= DELTA * random.standard_normal(REPLICAS)[:, None] * Z[i] * v
        elif name == "mini-batch":
            gradient += PAIR * (residual[replicas, i, None] * Z[i] - residual[replicas, j, None] * Z[j]) * v
        else:
            gradient += 0.5 * random.standard_normal(v.shape)
        v = v - eta(step) * gradient
    return v


@pytest.mark.statement("HaoChen et al.: the law of a plain NumPy loop, in standard errors", asked=4.5)
@pytest.mark.parametrize("name", NOISES)
def test_same_law_as_a_plain_loop(measured, name):
    run = sgd(NOISES[name], jnp.ones(D), eta, STEPS, jax.random.split(jax.random.key(2), REPLICAS))
    ours, theirs = np.asarray(run.states[:, -1]), plain_loop(name)
    for statistic in (
        lambda v: v,
        lambda v: (v - theirs.mean(0)) ** 2,
        lambda v: ((v * v - W_STAR) ** 2).sum(1),  # the error that they report
    ):
        one, other = statistic(ours), statistic(theirs)
        sigma = np.sqrt((one.var(0) + other.var(0)) / REPLICAS)
        measured((abs(one.mean(0) - other.mean(0)) / sigma).max())


@pytest.mark.statement("HaoChen et al.: Σ = (δ²/4n)JᵀJ for label noise, everywhere", asked=1e-13)
def test_covariance_of_label_noise(measured):
    v = 1 + 0.3 * np.sin(np.arange(D))
    J = 2 * Z * v
    measured(abs(NOISES["label"].covariance(jnp.asarray(v)) - DELTA**2 / (4 * N) * J.T @ J).max())
