"""Handwritten digits and a network with one hidden layer: the data, what is measured, the stored runs of chapter 10.

The digits are those of scikit-learn, 8 × 8 pixels with values from 0 to 1. The network, with 32 units, is
`f = Σ_j v_j tanh(w_j·x + b_j)`; it learns to tell a 3 (−1) from an 8 (+1) from 40 images, by least squares.
`python -m afterzero.experiments digits-flow` (or another of the tables) computes its table anew.
"""

import time
from collections.abc import Callable, Iterable
from functools import cache
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax.tree_util import Partial
from scipy.optimize import minimize
from sklearn.datasets import load_digits

from labnoise import (
    LeastSquares,
    adaptive_flow,
    flatten,
    gradient_flow,
    label_noise_flow,
    project,
    regularizer_flow,
)
from labnoise.limits._local_sgd_drift import relaxed

from . import results
from .results import BATCHES, batch

WIDTH, EXAMPLES, DELTA = 32, 40, 1.0
C = 2 * DELTA**2  # Σ = C∇²L on Γ
TIMES = np.concatenate([[0.0], np.geomspace(0.01, 20.0, 24)])
DRAWS = 3 * BATCHES
RATES, SAVES, RUNS = (0.01, 0.005, 0.0025), (0.05, 0.1, 0.2, 0.5, 1.0), 2 * BATCHES
DESCENT = np.geomspace(0.1, 1000.0, 25)  # times s = ηk at which gradient flow is stopped
DECAY = np.geomspace(1e-4, 1e-1, 13)  # λ of L + λ|x|²/2


class Digits(NamedTuple):
    """A draw of the training set.

    Attributes
    ----------
    problem : LeastSquares
    x0 : (D,), the random start
    unflatten : x (D,) -> a dictionary of hidden (64, 32), bias (32,) and out (32,)
    inputs, labels : (40, 64) and (40,), what is trained on
    unseen, answers : (N, 64) and (N,), all other images of the two digits, and their labels
    """

    problem: LeastSquares
    x0: jax.Array
    unflatten: Callable
    inputs: np.ndarray
    labels: np.ndarray
    unseen: np.ndarray
    answers: np.ndarray


@cache
def images(*classes: int) -> tuple[np.ndarray, np.ndarray]:
    """All images (N, 64) of these digits and which digit each is, (N,)."""
    pixels, digit = load_digits(return_X_y=True)
    kept = np.isin(digit, classes)
    return pixels[kept] / 16, digit[kept]


def network(params, inputs):
    """The outputs (N,) for inputs (N, 64)."""
    return jnp.tanh(inputs @ params["hidden"] + params["bias"]) @ params["out"]


def initial(rng: np.random.Generator, width: int = WIDTH) -> dict[str, np.ndarray]:
    """A start with variances 1/(number of inputs), as libraries have it."""
    hidden, out = rng.standard_normal((64, width)) / 8, rng.standard_normal(width) / width**0.5
    return {"bias": np.zeros(width), "hidden": hidden, "out": out}


def draw(rng: np.random.Generator, classes: tuple[int, int] = (3, 8), examples: int = EXAMPLES) -> Digits:
    """Training images and a start, both drawn with `rng`."""
    pixels, digit = images(*classes)
    order = rng.permutation(len(digit))
    pixels, labels = pixels[order], np.where(digit[order] == classes[0], -1.0, 1.0)
    model, x0, unflatten = flatten(network, initial(rng))
    problem = LeastSquares(Partial(model, inputs=pixels[:examples]), labels[:examples])
    split = (part for array in (pixels, labels) for part in (array[:examples], array[examples:]))
    inputs, unseen, labels, answers = split
    return Digits(problem, x0, unflatten, inputs, labels, unseen, answers)


@jax.jit
def activations(states: jax.Array, inputs: jax.Array) -> tuple[jax.Array, jax.Array]:
    """tanh of every unit on every input, (k, N, 32), and the output weights, (k, 32), of states (k, D)."""
    bias, hidden, out = jnp.split(states, [WIDTH, 65 * WIDTH], axis=1)
    return jnp.tanh(inputs @ hidden.reshape(-1, 64, WIDTH) + bias[:, None, :]), out


def measures(states: np.ndarray, digits: Digits) -> dict[str, np.ndarray]:
    """Of states (k, D): sharpness, test errors, norm, and of what is added up the share of the strongest unit.

    The sharpness is that on Γ, `(2/n) Σ_i |∇f_i|²`, from the formula for this network.
    """
    states = jnp.atleast_2d(jnp.asarray(states))
    hidden, out = activations(states, digits.inputs)
    lengths = 1 + (digits.inputs**2).sum(axis=1)
    squares = hidden**2 + (out[:, None, :] * (1 - hidden**2)) ** 2 * lengths[:, None]
    there, _ = activations(states, digits.unseen)
    outputs = jnp.einsum("kij,kj->ki", there, out)
    parts = jnp.abs(hidden * out[:, None, :]).mean(axis=1)
    found = {
        "sharpness": 2 * squares.sum(axis=2).mean(axis=1),
        "mse": ((outputs - digits.answers) ** 2).mean(axis=1),
        "wrong": jnp.where(outputs * digits.answers > 0, 0.0, 1.0).mean(axis=1),
        "norm": (states**2).sum(axis=1),
        "share": parts.max(axis=1) / parts.sum(axis=1),
    }
    return {name: np.asarray(values) for name, values in found.items()}


def example_gradient(x: jax.Array, pixels: jax.Array, label: jax.Array) -> jax.Array:
    """The gradient of `(f − label)²` for one image, written out."""
    bias, hidden, out = x[:WIDTH], x[WIDTH : 65 * WIDTH].reshape(64, WIDTH), x[65 * WIDTH :]
    unit = jnp.tanh(pixels @ hidden + bias)
    inner = out * (1 - unit**2)
    slope = 2 * (unit @ out - label)
    return slope * jnp.concatenate([inner, jnp.outer(pixels, inner).ravel(), unit])


def _noisy_step(digits: Digits, update: Callable) -> Callable:
    """Step k of a run (x, state, key): the gradient of one image whose label is moved by ±δ, given to `update`."""
    inputs, labels = jnp.asarray(digits.inputs), jnp.asarray(digits.labels)

    def step(k, carry):
        x, state, key = carry
        which, sign = jax.random.split(jax.random.fold_in(key, k))
        i = jax.random.randint(which, (), 0, len(labels))
        label = labels[i] + DELTA * jax.random.rademacher(sign, (), x.dtype)
        x, state = update(example_gradient(x, inputs[i], label), state, x)
        return x, state, key

    return step


def noisy_runs(digits: Digits, start, update: Callable, state, steps: list[int], keys) -> np.ndarray:
    """Plain loops with label noise on one image a step from `start` (D,), (runs, saves, D), without `labnoise`.

    `update(gradient, state, x) -> (x, state)`.
    """
    step = _noisy_step(digits, update)

    @jax.jit
    def stretch(first, last, carry):
        return jax.vmap(lambda carry: jax.lax.fori_loop(first, last, step, carry))(carry)

    carry = (
        *jax.tree.map(lambda leaf: jnp.tile(leaf, (len(keys),) + (1,) * jnp.ndim(leaf)), (start, state)),
        keys,
    )
    saved = []
    for first, last in zip([0, *steps[:-1]], steps, strict=True):
        carry = stretch(first, last, carry)
        saved.append(np.asarray(carry[0]))
    return np.stack(saved, axis=1)


def plain(eta: float) -> Callable:
    """The update of SGD."""
    return lambda gradient, state, x: (x - eta * gradient, state)


def adam(eta: float, rate: float) -> tuple[Callable, Callable]:
    """The update of Adam with `1 − β₂ = rate·η²`, β₁ = .9, and the state with a given second moment."""
    rule = optax.adam(eta, b1=0.9, b2=1 - rate * eta**2, eps=EPS)

    def update(gradient, state, x):
        move, state = rule.update(gradient, state, x)
        return x + move, state

    return update, rule.init


EPS, FOLLOW = 1e-3, 100.0  # of Adam: what is added to √V, and (1 − β₂)/η²
WORKERS, ALPHA = 4, 0.2  # of Local SGD: K, and η·(steps between two averages)


def local_regularizer(problem: LeastSquares, workers: int, alpha: float) -> Callable:
    """`(c/4)[tr H/K + (1 − 1/K) tr F_α(H)]`, F_α' = ψ(2αλ): the regularizer of Local SGD in chapter 8's table."""

    def antiderivative(eigenvalue):
        # F(λ) = ∫ψ(2αs) ds by Gauss and Legendre's rule
        nodes, weights = np.polynomial.legendre.leggauss(24)
        places = 0.5 * eigenvalue[:, None] * (jnp.asarray(nodes) + 1)
        return 0.5 * eigenvalue * (relaxed(2 * alpha * places) @ jnp.asarray(weights))

    def regularizer(x):
        J = jax.jacrev(problem.predict)(x)
        values = jnp.linalg.eigvalsh(2 / problem.num_examples * J @ J.T)
        return C / 4 * (values.sum() / workers + (1 - 1 / workers) * antiderivative(values).sum())

    return Partial(regularizer)


def along_the_flow() -> Iterable[str]:
    """The lines of digits-flow.csv: the limit of label noise for each draw."""
    yield "batch,draw,t,sharpness,mse,wrong,norm,share"
    for seed in range(DRAWS):
        digits = draw(np.random.default_rng(seed))
        path = label_noise_flow(digits.problem, digits.x0, jnp.asarray(TIMES), DELTA)
        found = measures(path, digits)
        for t, *numbers in zip(TIMES, *found.values(), strict=True):
            yield f"{batch(seed)},{seed},{t:.4g}," + ",".join(f"{number:.5g}" for number in numbers)


@jax.jit
def _penalized(problem: LeastSquares, x: jax.Array, lam: jax.Array) -> tuple[jax.Array, jax.Array]:
    return jax.value_and_grad(lambda x: problem.loss(x) + lam / 2 * x @ x)(x)


def decayed(problem: LeastSquares, x0: jax.Array, lam: float) -> np.ndarray:
    """A minimizer of `L + λ|x|²/2`, by L-BFGS from x0."""

    def value(x):
        return tuple(map(np.asarray, _penalized(problem, x, lam)))

    options = {"maxiter": 5000, "gtol": 1e-7, "ftol": 1e-13}
    return minimize(value, np.asarray(x0), method="L-BFGS-B", jac=True, options=options).x


def rivals() -> Iterable[str]:
    """The lines of digits-rivals.csv: gradient flow that is stopped, and weight decay."""
    yield "batch,draw,method,setting,mse,wrong"
    for seed in range(DRAWS):
        digits = draw(np.random.default_rng(seed))
        stopped = gradient_flow(digits.problem, digits.x0, jnp.asarray(DESCENT))
        shrunk = np.stack([decayed(digits.problem, digits.x0, lam) for lam in DECAY])
        for method, settings, states in (("stopped", DESCENT, stopped), ("decay", DECAY, shrunk)):
            found = measures(states, digits)
            for setting, mse, wrong in zip(settings, found["mse"], found["wrong"], strict=True):
                yield f"{batch(seed)},{seed},{method},{setting:.4g},{mse:.5g},{wrong:.5g}"


def root_trace(states: np.ndarray, digits: Digits) -> np.ndarray:
    """`Σ_i √H_ii` of states (k, D) on Γ, which Adam with a settled second moment lowers in place of the sharpness."""

    def at(x):
        J = jax.jacrev(digits.problem.predict)(x)
        return jnp.sqrt(2 / len(digits.labels) * (J**2).sum(axis=0)).sum()

    return np.asarray(jax.lax.map(at, jnp.asarray(states)))


def _steps(times: Iterable[float], eta: float) -> list[int]:
    return [round(t / eta**2) for t in times]


def _keys(runs: int) -> jax.Array:
    return jnp.stack([jax.random.key(seed) for seed in range(runs)])


def shown(states: np.ndarray, digits: Digits) -> dict[str, np.ndarray]:
    """Sharpness, test error, `Σ_i √H_ii`, and the outputs on three images that were not trained on."""
    hidden, out = activations(jnp.asarray(states), digits.unseen[:3])
    outputs = np.asarray(jnp.einsum("kij,kj->ki", hidden, out))
    found = measures(states, digits)
    return {
        "sharpness": found["sharpness"],
        "mse": found["mse"],
        "root": root_trace(states, digits),
        **{f"f{i}": outputs[:, i] for i in range(3)},
    }


METHODS = {  # rates and times; η = 0 is the limit
    "sgd": ((0.0, *RATES), SAVES),
    "local": ((0.0, 0.01, 0.005), SAVES),
    "adam": ((0.0, 0.001, 0.0005), (0.001, 0.002, 0.005, 0.01, 0.02)),
}


def paths(method: str, eta: float, digits: Digits) -> np.ndarray:
    """Runs of a method at the rate η from Φ(x0), (runs, saves, D); at η = 0 the one path of its limit."""
    start, times = project(digits.problem, digits.x0), METHODS[method][1]
    t, steps, keys = jnp.array(times), _steps(times, eta) if eta else [], _keys(RUNS)
    if method == "sgd":
        if eta == 0:
            return np.asarray(label_noise_flow(digits.problem, start, t, DELTA))[None]
        return noisy_runs(digits, start, plain(eta), (), steps, keys)
    if method == "local":
        if eta == 0:
            descend = local_regularizer(digits.problem, WORKERS, ALPHA)
            return np.asarray(regularizer_flow(digits.problem, start, t, descend))[None]
        return workers_runs(digits, start, eta, steps, keys)
    if eta == 0:
        return np.asarray(adaptive_flow(digits.problem, start, t, DELTA, FOLLOW, EPS)[0])[None]
    update, init = adam(eta, FOLLOW)
    moments, state = init(start)[0], init(start)
    J = np.asarray(digits.problem.jacobian(start))
    settled = (
        4 * DELTA**2 * (J**2).mean(axis=0)
    )  # diag Σ: V(0), and a large count, so that nothing is corrected
    begun = moments._replace(count=jnp.asarray(10**8, moments.count.dtype), nu=jnp.asarray(settled))
    return noisy_runs(digits, start, update, (begun, *state[1:]), steps, keys)


def workers_runs(digits: Digits, start, eta: float, steps: list[int], keys) -> np.ndarray:
    """Local SGD by plain loops: K workers, who meet after every α/η steps, (runs, saves, D)."""
    local, step = round(ALPHA / eta), _noisy_step(digits, plain(eta))

    def alone(x, key, k):
        return jax.lax.fori_loop(k * local, (k + 1) * local, step, (x, (), key))[0]

    def meet(k, carry):
        x, own = carry
        return jax.vmap(lambda key: alone(x, key, k))(own).mean(axis=0), own

    @jax.jit
    def stretch(first, last, carry):
        return jax.vmap(lambda carry: jax.lax.fori_loop(first, last, meet, carry))(carry)

    own = jax.vmap(lambda key: jax.random.split(key, WORKERS))(keys)
    carry = jnp.tile(start, (len(keys), 1)), own
    rounds, saved = [k // local for k in steps], []
    for first, last in zip([0, *rounds[:-1]], rounds, strict=True):
        carry = stretch(first, last, carry)
        saved.append(np.asarray(carry[0]))
    return np.stack(saved, axis=1)


def methods() -> Iterable[str]:
    """The lines of digits-methods.csv: SGD, Local SGD and Adam on the first draw, and their limits."""
    yield "batch,run,method,eta,t,sharpness,mse,root,f0,f1,f2"
    digits = draw(np.random.default_rng(0))
    for method, (rates, times) in METHODS.items():
        for eta in rates:
            for run, path in enumerate(paths(method, eta, digits)):
                found = shown(path, digits)
                for t, *numbers in zip(times, *found.values(), strict=True):
                    values = ",".join(f"{number:.5g}" for number in numbers)
                    yield f"{batch(run)},{run},{method},{eta:g},{t:g},{values}"


TABLES: dict[str, tuple[str, Callable[[], Iterable[str]]]] = {
    "digits-flow": (
        f"The limit of label noise on scikit-learn's digits, 3 against 8, {EXAMPLES} images, {WIDTH} units, delta = 1: "
        f"{DRAWS} draws of the training set and the start, by numpy default_rng(draw).",
        along_the_flow,
    ),
    "digits-rivals": (
        "The same draws without noise: gradient flow stopped at a time s = eta k, and weight decay lambda.",
        rivals,
    ),
    "digits-methods": (
        f"SGD, Local SGD (K = {WORKERS}, alpha = {ALPHA}) and Adam on the first draw from Phi(x0), label noise on one "
        "image a step; eta = 0 is the limit. Run s: jax.random.key(s).",
        methods,
    ),
}


def store(name: str) -> None:
    """Compute a table anew."""
    begin = time.process_time()
    about, lines = TABLES[name]
    rows = list(lines())
    command = f"Command: python -m afterzero.experiments {name}."
    results.write(name, [about, command, f"{time.process_time() - begin:.0f} s of CPU."], rows)
