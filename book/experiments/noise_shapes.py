"""The toy experiment of HaoChen et al. (2020, section 3), with their settings: what chapter 7 plots.

Square model w = v⊙v, loss ¼(f − y)² averaged, d = 100, n = 40 Gaussian examples, w* = 5 ones, start v = 1, η = .01.
`python -m afterzero.experiments.noise_shapes` computes everything anew, `run(name, seed)` any one run.
"""

import time
from collections.abc import Iterable
from functools import cache
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from labnoise import GaussianNoise, LabelNoise, MinibatchNoise, Noise, SparseRegression, sgd
from labnoise.dynamics import LearningRate

from . import results
from .results import BATCHES

D, N, KAPPA, ETA = 100, 40, 5, 0.01
Z = np.random.default_rng(0).standard_normal((N, D))
W_STAR = np.repeat([1.0, 0.0], [KAPPA, D - KAPPA])
PROBLEM = SparseRegression(Z, Z @ W_STAR, "square", loss_scale=0.25)
MOMENTS = np.mean(Z**2, axis=0)
KERNEL = np.eye(D) - np.linalg.pinv(Z) @ Z  # projection on the kernel of Z


def label(delta: float = 1.0) -> LabelNoise:
    """The full gradient, and the label of one example moved by N(0, δ²): c = δ²/2."""
    return LabelNoise(PROBLEM, delta, distribution="normal", gradient="full")


def pair(delta: float = 1.0) -> MinibatchNoise:
    """The full gradient plus δ times the difference of the gradients of two random examples."""
    return MinibatchNoise(PROBLEM, kind="pair", strength=delta)


def spherical(sigma: float = 0.01) -> GaussianNoise:
    """The full gradient plus N(0, σ²I)."""
    return GaussianNoise(PROBLEM, sigma**2)


def annealed(step: jax.Array) -> jax.Array:
    """Their schedule: η is divided by ten at 100 000 and at 200 000 steps."""
    return ETA * 0.1 ** (step // 100_000)


class Setting(NamedTuple):
    noise: Noise
    rate: LearningRate
    steps: int


SETTINGS = {
    "label": Setting(label(), annealed, 300_000),
    "label at constant rate": Setting(label(), ETA, 300_000),
    "mini-batch": Setting(pair(), ETA, 300_000),
    "spherical": Setting(spherical(), ETA, 1_200_000),
    "none": Setting(label(0.0), ETA, 300_000),
    "spherical at equal clock": Setting(spherical(0.3), ETA, 1_200_000),
}
SAVES = 24  # a stretch
SEEDS = {name: 4 * BATCHES for name in SETTINGS} | {"mini-batch": 8 * BATCHES, "none": 1}
GRID = {"label": label, "spherical": spherical}
STRENGTHS = (0.01, 0.03, 0.1, 0.3, 1.0)  # δ or σ
ALPHAS, GRID_STEPS = (0.1, 0.25, 0.5, 1.0, 2.0), 100_000  # each batch of the grid is one run


def elapsed(rate: LearningRate, steps: np.ndarray) -> np.ndarray:
    """The slow time Σ η² of the first so many steps."""
    if not callable(rate):
        return rate**2 * steps
    squares = np.asarray(jax.vmap(rate)(jnp.arange(steps.max()))) ** 2
    return np.append(0.0, np.cumsum(squares))[steps]


def error(v: np.ndarray) -> np.ndarray:
    """‖v⊙v − w*‖², the error that they report."""
    return ((v**2 - W_STAR) ** 2).sum(-1)


def norm(v: np.ndarray) -> np.ndarray:
    """‖v‖², which is the sum of the weights w."""
    return (v**2).sum(-1)


def shrinking(v: np.ndarray, alpha: float = 1.0) -> np.ndarray:
    """How far v has shrunk from α, in units of m, as seen on the kernel of Z, where gradient flow changes nothing."""
    with np.errstate(divide="ignore"):
        shrunk = np.log(alpha) - np.log(np.abs(v))
    return shrunk @ (KERNEL @ MOMENTS) / (MOMENTS @ KERNEL @ MOMENTS)


def run(name: str, seed: int, steps: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """One stored run again, or its beginning: steps (saves,) and v (saves, D)."""
    done, states = runs(name, [seed], steps)
    return done, states[0]


def runs(name: str, seeds: Iterable[int], steps: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Replicas of a setting, one a seed: steps (saves,) and v (R, saves, D), in float32 as they were stored."""
    noise, rate, length = SETTINGS[name]
    keys = jnp.stack([jax.random.key(seed) for seed in seeds])
    return _saved(noise, jnp.ones(D, jnp.float32), rate, (2000, length // 10, length), keys, SAVES, steps)


def _saved(noise, start, rate, lengths, keys, saves, stop=None):
    """Run each length from the start again and save so often; the dice of a step are the same in each."""
    done, states = np.zeros(0, int), np.zeros((keys.size, 0, D))
    for length in lengths:
        total = length if stop is None else min(length, stop)
        if done.size and total <= done[-1]:
            break
        path = sgd(noise, start, rate, total, keys, save_every=-(-length // saves))
        keep = np.asarray(path.steps) > (done[-1] if done.size else -1)
        done = np.append(done, np.asarray(path.steps)[keep])
        states = np.append(states, np.asarray(path.states, float)[:, keep], axis=1)
    return done, states


class Runs(NamedTuple):
    """The stored runs of one setting.

    Attributes
    ----------
    steps, time : (saves,), after how many steps was saved, and η² summed over them
    error, norm, shrinking : (runs, saves), as in the functions of these names
    batch : (runs,), from 0 to 7
    """

    steps: np.ndarray
    time: np.ndarray
    error: np.ndarray
    norm: np.ndarray
    shrinking: np.ndarray
    batch: np.ndarray

    def batches(self) -> "list[Runs]":
        """The same for each of the eight disjoint batches of seeds."""
        return [
            Runs(
                self.steps,
                self.time,
                self.error[here],
                self.norm[here],
                self.shrinking[here],
                self.batch[here],
            )
            for here in (self.batch == batch for batch in range(BATCHES))
        ]


_table = cache(results.read)


@cache
def stored(name):
    """The `Runs` of one of `SETTINGS`, without those that were lost."""
    table = _table("noise-shapes")
    steps, columns = _by_run(table[table["run"] == name], ("error", "norm", "shrinking", "batch"))
    kept = np.isfinite(columns["error"][:, -1])
    values = (columns[column][kept] for column in ("error", "norm", "shrinking"))
    return Runs(steps, elapsed(SETTINGS[name].rate, steps), *values, columns["batch"][kept, 0])


@cache
def stored_grid(noise, strength, alpha):
    """Steps (saves,) and error (batch, saves) of one of `GRID` at δ or σ = strength, from α."""
    table = _table("noise-grid")
    here = (table["noise"] == noise) & (table["strength"] == strength) & (table["alpha"] == alpha)
    steps, columns = _by_run(table[here], ("error",))
    return steps, columns["error"]


def _by_run(rows, names):
    """Columns of a table that has one run after the other, as arrays (runs, saves)."""
    steps = np.unique(rows["step"])
    return steps, {name: rows[name].reshape(-1, len(steps)) for name in names}


def four_noises() -> Iterable[str]:
    """The lines of noise-shapes.csv."""
    yield "run,batch,seed,step,error,norm,shrinking"
    for name, count in SEEDS.items():
        done, states = runs(name, range(count))
        for seed, path in enumerate(states):
            batch = seed // max(1, count // BATCHES)
            columns = zip(done, error(path), norm(path), shrinking(path), strict=True)
            yield from (f"{name},{batch},{seed},{k},{e:.4g},{s:.4g},{q:.4g}" for k, e, s, q in columns)


def grid() -> Iterable[str]:
    """The lines of noise-grid.csv."""
    yield "noise,strength,alpha,batch,step,error"
    keys = jax.random.split(jax.random.key(1), BATCHES)
    for name, noise in GRID.items():
        for strength in STRENGTHS:
            for alpha in ALPHAS:
                start = jnp.full(D, alpha, jnp.float32)
                lengths = (GRID_STEPS // 100, GRID_STEPS // 10, GRID_STEPS)
                done, states = _saved(noise(strength), start, ETA, lengths, keys, 12)
                for batch, path in enumerate(states):
                    columns = zip(done, error(path), strict=True)
                    yield from (f"{name},{strength:g},{alpha:g},{batch},{k},{e:.4g}" for k, e in columns)


def _store(name: str, about: str, rows: Iterable[str]) -> None:
    begin = time.process_time()
    rows = list(rows)
    command = (
        "Command: python -m afterzero.experiments.noise_shapes. Seed s: jax.random.key(s), noise-grid:"
        f" key(1) split in {BATCHES}. Data: numpy default_rng(0)."
    )
    results.write(name, [about, command, f"{time.process_time() - begin:.0f} s of CPU."], rows)


def main() -> None:
    """Compute both tables anew."""
    _store(
        "noise-shapes",
        f"HaoChen et al.'s toy experiment: d = {D}, n = {N}, {KAPPA} ones, v = 1 at the start.",
        four_noises(),
    )
    _store(
        "noise-grid",
        f"The same at constant rate .01, {GRID_STEPS} steps, from v = alpha, strength delta or sigma.",
        grid(),
    )


if __name__ == "__main__":
    main()
