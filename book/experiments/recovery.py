"""Who recovers a sparse vector, from how many examples: one trial of the phase diagrams of chapter 6."""

import jax
import jax.numpy as jnp
import numpy as np

from labnoise import LabelNoise, label_noise_flow, random_sparse_regression, sgd

DELTA = 1.0  # label noise ±δ, so that c = 2δ² = 2
TIMES = (0.5, 1.0, 2.0)  # t = η²·steps at which the limiting flow is looked at
SCALE = 1.0  # u = v = SCALE in every coordinate


def instance(seed, design, n, sparsity, d):
    """The random problem of a trial, and its true weights."""
    key = jax.random.key(seed)
    for number in (n, sparsity, d, len(design)):
        key = jax.random.fold_in(key, number)
    return random_sparse_regression(key, n, d, sparsity, design)


def exact(seed, design, n, sparsity, d):
    """Relative errors |w − w*|/|w*| of gradient descent from a large scale, the limiting flow, basis pursuit."""
    problem, w_star = instance(seed, design, n, sparsity, d)
    flow = label_noise_flow(problem, jnp.full(2 * d, SCALE), jnp.array(TIMES), DELTA)
    found = {"gradient descent": problem.minimum_norm(), "basis pursuit": problem.basis_pursuit()}
    found |= {f"label noise at t = {t:g}": problem.weights(x) for t, x in zip(TIMES, flow, strict=True)}
    truth = np.asarray(w_star)
    return {name: _relative(np.asarray(w), truth) for name, w in found.items()}


def stochastic(seed, design, n, sparsity, d, eta):
    """The same for label-noise SGD itself, after ⌊TIMES[-1]/η²⌋ steps: its last state, projected by nothing."""
    problem, w_star = instance(seed, design, n, sparsity, d)
    noise = LabelNoise(problem, DELTA)
    run = sgd(noise, jnp.full(2 * d, SCALE), eta, int(TIMES[-1] / eta**2), jax.random.key(seed))
    return _relative(np.asarray(problem.weights(run.states[-1])), np.asarray(w_star))


def _relative(w, truth):
    return float(np.linalg.norm(w - truth) / np.linalg.norm(truth))
