"""The runs on digits that chapter 10 plots: the limit over draws of the training set, its rivals, other methods.

`python -m afterzero.experiments digits-flow` (or another of the tables) computes its table anew.
"""

import time
from collections.abc import Callable, Iterable

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax.tree_util import Partial
from scipy.optimize import minimize

from labnoise import LeastSquares, adaptive_flow, gradient_flow, label_noise_flow, project, regularizer_flow
from labnoise.limits._local_sgd_drift import relaxed

from . import results
from .digits import EXAMPLES, WIDTH, Digits, activations, draw, measures
from .results import BATCHES, batch

DELTA = 1.0
C = 2 * DELTA**2  # Σ = C∇²L on Γ
TIMES = np.concatenate([[0.0], np.geomspace(0.01, 20.0, 25)])
DRAWS = 2 * BATCHES
RATES, SAVES, RUNS = (0.01, 0.005, 0.0025), (0.05, 0.1, 0.2, 0.5, 1.0), 2 * BATCHES
DESCENT = np.geomspace(0.3, 300.0, 19)  # times s = ηk at which gradient flow is stopped
DECAY = np.geomspace(1e-3, 1.0, 7)  # λ of L + λ|x|²/2


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


def residuals_of_linearization(J: np.ndarray, eta: float, saves: Iterable[int]) -> np.ndarray:
    """The mean square residual after so many steps from a point of Γ where ∂f is J (n, D), were the model linear.

    One step is `r ← r − 2ηG e_i(r_i − δε)`, G = JJᵀ, with a fresh i and sign ε, so that with `C = E rrᵀ`, from zero,
    `C ← C − (2η/n)(GC + CG) + (4η²/n) G diag(C_ii + δ²) G`.
    """
    G = np.asarray(J) @ np.asarray(J).T
    C, found, saves = np.zeros_like(G), {0: 0.0}, list(saves)
    for step in range(1, max(saves) + 1):
        drift, kicks = G @ C, (G * (np.diag(C) + DELTA**2)) @ G
        C = C + (4 * eta**2 * kicks - 2 * eta * (drift + drift.T)) / len(G)
        found[step] = np.trace(C) / len(G)
    return np.array([found[step] for step in saves])


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
        J = jax.jacrev(problem.outputs)(x)
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

    options = {"maxiter": 2000, "gtol": 1e-7, "ftol": 1e-13}
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
        J = jax.jacrev(digits.problem.outputs)(x)
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
