"""Who recovers a sparse vector, from how many examples: the trials of the phase diagrams of chapter 6."""

import jax
import jax.numpy as jnp
import numpy as np

from labnoise import LabelNoise, label_noise_flow, random_sparse_regression, sgd

DELTA = 1.0  # label noise ±δ, so that c = 2δ² = 2
TIMES = (0.5, 1.0, 2.0)  # t = η²·steps at which the limiting flow is looked at
SCALE = 1.0  # u = v = SCALE in every coordinate
JOIN, END = 0.25, 1.0  # SGD itself is run between these times


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
    return {name: relative(np.asarray(w), truth) for name, w in found.items()}


def stochastic(seed, n, sparsity, d, eta):
    """Label-noise SGD itself on a Boolean design from t = JOIN to t = END: its error, its limit's, its cloud's.

    By the closed form the limit from u = v = SCALE is at t = JOIN where it would be at t = 0 from a start that is
    smaller by e^{−4c JOIN}, all m_j being one. SGD starts there: the sharpness at u = v = SCALE would ask for a
    smaller learning rate, hence for many more steps. The cloud is √(E|w − w_limit|²)/|w*| for the covariance
    (ηc/2)N across Γ.
    """
    problem, w_star = instance(seed, "boolean", n, sparsity, d)
    start, truth = jnp.full(2 * d, SCALE * np.exp(-8 * DELTA**2 * JOIN)), np.asarray(w_star)
    limit = label_noise_flow(problem, start, jnp.array([END - JOIN]), DELTA)[0]
    J = np.asarray(problem.jacobian(limit))
    slope = 2 * np.asarray(limit).reshape(2, d) * np.array([[1.0], [-1.0]])  # ∂w_j/∂u_j and ∂w_j/∂v_j
    normal = np.linalg.qr(J.T)[0].reshape(2, d, n)
    across = (slope[:, :, None] * normal).sum(0)
    cloud = np.sqrt(eta * DELTA**2 * np.sum(across**2)) / np.linalg.norm(truth)
    run = sgd(
        LabelNoise(problem, DELTA), start, eta, round((END - JOIN) / eta**2), jax.random.key(10_000 + seed)
    )
    return {
        "SGD": relative(np.asarray(problem.weights(run.states[-1])), truth),
        "limit": relative(np.asarray(problem.weights(limit)), truth),
        "cloud": cloud,
    }


def relative(w, truth):
    return float(np.linalg.norm(w - truth) / np.linalg.norm(truth))
