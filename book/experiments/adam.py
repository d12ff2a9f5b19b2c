"""Who recovers more, SGD with label noise or Adam: the trials of the phase diagrams of chapter 9.

Both are taken at their limits, but for the factors of a matrix, where they are run themselves.
"""

import jax
import jax.numpy as jnp
import numpy as np
import optax
from afterzero import second_moment
from jax.tree_util import Partial

from labnoise import (
    LabelNoise,
    LeastSquares,
    SparseRegression,
    adaptive_flow,
    random_sparse_regression,
    train,
)

from . import results
from .recovery import relative

SETTINGS = ("equal", "sizes", "units")  # coefficients ±1; ± the size of a normal number; ±1 in unequal units
SPAN = 10.0  # the largest unit over the smallest
STARTS, END = (1.0, 0.01), 4.0  # u = v = start; the time t = η²·steps by which all has come to its end
DELTA = 1.0

SIDE = 6  # of the matrices
RATE, STEPS, COOLING = 0.005, 240_000, 40_000  # steps at η, and so many at η/10 and at η/100
FACTORS = 0.3  # standard deviation of the entries of both factors at the start


def _key(seed, *numbers):
    key = jax.random.key(seed)
    for number in numbers:
        key = jax.random.fold_in(key, number)
    return key


def instance(seed, setting, n, sparsity, d):
    """The random problem of a trial, Gaussian features in their units, and its true weights."""
    key = _key(seed, n, sparsity, d, SETTINGS.index(setting))
    plain, signs = random_sparse_regression(key, n, d, sparsity)
    units, sizes = jnp.ones(d), jnp.ones(d)
    if setting == "units":
        units = SPAN ** jax.random.uniform(jax.random.fold_in(key, 1), (d,), minval=-0.5, maxval=0.5)
    if setting == "sizes":
        sizes = jnp.abs(jax.random.normal(jax.random.fold_in(key, 2), (d,)))
    w_star, design = signs * sizes, plain.design * units
    return SparseRegression(design, design @ w_star), np.asarray(w_star)


def sparse(seed, setting, n, sparsity, d):
    """Relative errors |w − w*|/|w*| where SGD ends, where it would in standard units, and where Adam does.

    SGD with label noise ends at the least Σ m_j|w_j|, Adam's limit at t = END with V settled always.
    """
    problem, w_star = instance(seed, setting, n, sparsity, d)
    prices = problem.second_moments
    found = {
        "SGD": problem.basis_pursuit(prices),
        "SGD standardized": problem.basis_pursuit(jnp.sqrt(prices)),
    }
    for start in STARTS:
        x, _ = adaptive_flow(problem, jnp.full(2 * d, start), jnp.array([END]), DELTA, jnp.inf)
        found[f"Adam from {start:g}"] = problem.weights(x[0])
    return {name: relative(np.asarray(w), w_star) for name, w in found.items()}


def _measured(sensors, x):
    left, right = x.reshape(2, SIDE, SIDE)
    return jnp.einsum("nij,ik,jk->n", sensors, left, right)


def matrix(seed, n, rank):
    """Relative errors of UVᵀ from n Gaussian measurements of a random matrix, SGD and Adam with label noise."""
    key = _key(seed, n, rank)
    sensors = jax.random.normal(key, (n, SIDE, SIDE))
    left, right = jax.random.normal(jax.random.fold_in(key, 1), (2, SIDE, rank))
    truth = left @ right.T
    truth *= rank**0.5 / jnp.linalg.norm(truth)
    problem = LeastSquares(Partial(_measured, sensors), jnp.einsum("nij,ij->n", sensors, truth))
    x0 = FACTORS * jax.random.normal(jax.random.fold_in(key, 2), (2 * SIDE**2,))

    def rate(step):
        return RATE * 0.1 ** (jnp.maximum(step - STEPS + COOLING, 0) // COOLING)

    methods, ends = {"SGD": optax.sgd(rate), "Adam": optax.adam(rate, b2=1 - 10 * RATE**2)}, {}
    for name, optimizer in methods.items():
        run = train(
            LabelNoise(problem, DELTA), x0, optimizer, STEPS + 2 * COOLING, jax.random.fold_in(key, 3)
        )
        ends[name] = run.states[-1]
    return {
        name: relative(np.einsum("ik,jk->ij", *np.asarray(x).reshape(2, SIDE, SIDE)), np.asarray(truth))
        for name, x in ends.items()
    }


LINE = SparseRegression(second_moment.FEATURES[None], jnp.ones(1), "square")
ETAS = [0.04, 0.02, 0.01, 0.005]
FORGETTING = [round(10 ** (k / 2 - 4), 6) for k in range(8)]  # 1 − β₂
REPLICAS = 125  # of RMSProp in a trial


def regime(seed, eta, forgetting):
    """By how much x₁ moves in 1/η² steps of RMSProp, β₂ = 1 − forgetting, from V settled, in the mean over replicas."""
    moments = second_moment.C * second_moment.diagonal(second_moment.START)
    rule = optax.rmsprop(eta, decay=1 - forgetting, initial_scale=moments, eps_in_sqrt=False)
    keys = jax.random.split(_key(seed, round(1 / eta), round(1e6 * forgetting)), REPLICAS)
    noise = LabelNoise(LINE, second_moment.DELTA)
    run = train(noise, jnp.asarray(second_moment.START), rule, round(1 / eta**2), keys)
    return {"moved": float(run.states[:, -1, 0].mean() - second_moment.START[0])}


METHODS = ("SGD", "SGD standardized", *(f"Adam from {start:g}" for start in STARTS))
SOLVED = 0.1  # a problem is, if the relative error is less


def solved(setting):
    """Which of the stored problems each method solves, method → (κ, n, trial); κ and n."""
    table = results.read(f"adam-{setting}")
    kappas, sizes = np.unique(table["sparsity"]), np.unique(table["n"])
    shape = (len(kappas), len(sizes), -1)
    return {name: (table[name] < SOLVED).reshape(shape) for name in METHODS}, kappas, sizes


def lead(found, method, other="SGD"):
    """Of problems (…, trial), the share that `method` solves less that of `other`, one number a batch."""
    ahead = found[method].astype(float) - found[other]
    return np.array([ahead[..., number :: results.BATCHES].mean() for number in range(results.BATCHES)])


def moved():
    """How far RMSProp moved x₁ in the stored runs, (η, 1 − β₂, batch)."""
    return results.read("adam-regimes")["moved"].reshape(len(ETAS), len(FORGETTING), results.BATCHES)


def factors():
    """Which of the stored matrices each method finds, method → (rank, n, trial); ranks and n."""
    table = results.read("adam-matrices")
    ranks, sizes = np.unique(table["rank"]), np.unique(table["n"])
    return (
        {name: (table[name] < SOLVED).reshape(len(ranks), len(sizes), -1) for name in ("SGD", "Adam")},
        ranks,
        sizes,
    )
