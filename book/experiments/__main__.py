"""Run the stored experiments: `make experiments`. A run that was interrupted goes on where it stopped."""

import argparse
import multiprocessing
import os
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

from labnoise import Trial, sweep

from . import adam, recovery, results

WORK = Path("_build") / "experiments"  # one line a trial while it runs; what is stored is shorter

TRIALS = 3 * results.BATCHES  # of a cell of the diagrams: three for each batch
PHASE = {"sparsity": list(range(2, 41, 2)), "n": list(range(8, 161, 8)), "d": [200]}
SGD = {"sparsity": [4, 10, 20], "n": [40, 72, 104, 136], "d": [200], "eta": [2e-3, 1e-3]}
SCALING = {  # n for each d, around where κ = 5 begins to be recovered
    50: range(12, 33, 5),
    100: range(10, 36, 5),
    200: range(18, 44, 5),
    400: range(21, 52, 5),
    800: range(24, 66, 5),
}


ADAM = {"sparsity": list(range(1, 16)), "n": list(range(2, 31, 2)), "d": [30]}
REGIMES = {"eta": adam.ETAS, "forgetting": adam.FORGETTING}
MATRICES = {"rank": [1, 2], "n": list(range(8, 29, 4))}


def store(name: str, about: str, columns: list[str], trials: list[Trial], module: str = "recovery") -> None:
    """Write the trials as a small table, three digits a number, below lines that say where they come from."""
    failed = [trial for trial in trials if trial.error]
    if failed:
        raise SystemExit(f"{len(failed)} trials failed, the first:\n{failed[0].error}")
    names = list(trials[0].result or {})
    rows = [",".join(["batch", *columns, "trial", *names])]
    for trial in trials:
        numbers = [f"{number:.2e}" for number in (trial.result or {}).values()]
        cell = [str(trial.cell[column]) for column in columns]
        rows.append(",".join([str(results.batch(trial.seed)), *cell, str(trial.seed), *numbers]))
    command = (
        f"Command: python -m afterzero.experiments {name}. Trial s of a cell has the key that "
        f"experiments/{module}.py makes of s and the cell; it belongs to the batch s mod 8."
    )
    seconds = sum(trial.seconds for trial in trials)
    results.write(name, [about, command, f"{len(trials)} trials, {seconds:.0f} s in all."], rows)


def phase_diagram(executor: ProcessPoolExecutor, design: str) -> None:
    name = f"recovery-{design}"
    found = sweep(recovery.exact, {"design": [design], **PHASE}, TRIALS, executor, WORK / f"{name}.jsonl")
    about = f"Relative errors |w - w*|/|w*| of sparse recovery, d = 200, {design} design, start u = v = 1, delta = 1."
    store(name, about, ["sparsity", "n"], found.trials)


def scaling(executor: ProcessPoolExecutor) -> None:
    trials = []
    for d, sizes in SCALING.items():
        grid = {"design": ["gaussian"], "n": list(sizes), "sparsity": [5], "d": [d]}
        trials += sweep(recovery.exact, grid, TRIALS, executor, WORK / "recovery-scaling.jsonl").trials
    about = (
        "Relative errors |w - w*|/|w*|, 5 nonzero coefficients, Gaussian design, start u = v = 1, delta = 1."
    )
    store("recovery-scaling", about, ["d", "n"], trials)


def itself(executor: ProcessPoolExecutor) -> None:
    found = sweep(recovery.stochastic, SGD, results.BATCHES, executor, WORK / "recovery-sgd.jsonl")
    about = (
        "Label-noise SGD from t = 0.25 to t = 1, d = 200, Boolean design, delta = 1: relative error |w - w*|/|w*|, "
        "that of the limit, width of the cloud."
    )
    store("recovery-sgd", about, ["sparsity", "n", "eta"], found.trials)


def adam_diagram(executor: ProcessPoolExecutor, setting: str) -> None:
    name = f"adam-{setting}"
    found = sweep(adam.sparse, {"setting": [setting], **ADAM}, TRIALS, executor, WORK / f"{name}.jsonl")
    about = (
        f"Relative errors |w - w*|/|w*| of sparse recovery where SGD and Adam end, d = 30, setting {setting}, "
        f"delta = 1, Adam's limit at t = {adam.END:g} with V settled."
    )
    store(name, about, ["sparsity", "n"], found.trials, "adam")


def matrices(executor: ProcessPoolExecutor) -> None:
    found = sweep(adam.matrix, MATRICES, results.BATCHES, executor, WORK / "adam-matrices.jsonl")
    about = (
        f"Relative errors |UV' - M|/|M| of matrices {adam.SIDE} x {adam.SIDE} from n Gaussian measurements: SGD and "
        f"Adam with label noise, {adam.STEPS} steps at eta = {adam.RATE:g}, some more at a tenth and a hundredth of it."
    )
    store("adam-matrices", about, ["rank", "n"], found.trials, "adam")


def regimes(executor: ProcessPoolExecutor) -> None:
    found = sweep(adam.regime, REGIMES, results.BATCHES, executor, WORK / "adam-regimes.jsonl")
    about = (
        "RMSProp with label noise on w1 + 2 w2 = 1, beta2 = 1 - forgetting: by how much x1 moves in 1/eta^2 steps, "
        f"in the mean over {adam.REPLICAS} runs a trial."
    )
    store("adam-regimes", about, ["eta", "forgetting"], found.trials, "adam")


def noise_shapes(executor: ProcessPoolExecutor) -> None:
    from . import noise_shapes as shapes  # it uses JAX on import, before `main` could set how

    shapes.main()


def digits(executor: ProcessPoolExecutor, name: str) -> None:
    from . import digits_runs

    digits_runs.store(name)


EXPERIMENTS: dict[str, Callable[[ProcessPoolExecutor], None]] = {
    "recovery-gaussian": lambda executor: phase_diagram(executor, "gaussian"),
    "recovery-boolean": lambda executor: phase_diagram(executor, "boolean"),
    "recovery-scaling": scaling,
    "recovery-sgd": itself,
    "noise-shapes": noise_shapes,
    "adam-equal": lambda executor: adam_diagram(executor, "equal"),
    "adam-sizes": lambda executor: adam_diagram(executor, "sizes"),
    "adam-units": lambda executor: adam_diagram(executor, "units"),
    "adam-matrices": matrices,
    "adam-regimes": regimes,
    "digits-flow": partial(digits, name="digits-flow"),
    "digits-rivals": partial(digits, name="digits-rivals"),
    "digits-methods": partial(digits, name="digits-methods"),
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m afterzero.experiments", description=__doc__)
    parser.add_argument("names", nargs="*", help=f"of {', '.join(EXPERIMENTS)}; by default all")
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    chosen = parser.parse_args()
    if unknown := set(chosen.names) - set(EXPERIMENTS):
        parser.error(f"no experiment is called {', '.join(sorted(unknown))}")
    # Many small problems: one thread for each process is faster than several that wait for each other; and what
    # one process has compiled the others need not compile again.
    os.environ |= {"XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false", "OMP_NUM_THREADS": "1"}
    os.environ |= {"JAX_COMPILATION_CACHE_DIR": str((WORK / "jax-cache").resolve())}
    os.environ |= {"JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0.2"}
    with ProcessPoolExecutor(chosen.processes, mp_context=multiprocessing.get_context("spawn")) as executor:
        for name in chosen.names or EXPERIMENTS:
            EXPERIMENTS[name](executor)


if __name__ == "__main__":
    main()
