"""Run the stored experiments: `make experiments`. A run that was interrupted goes on where it stopped."""

import argparse
import multiprocessing
import os
import platform
import time
from concurrent.futures import ProcessPoolExecutor
from importlib.metadata import version
from pathlib import Path

from labnoise import sweep

from . import recovery

RESULTS = Path(__file__).parent / "results"
WORK = Path("_build") / "experiments"  # one line a trial while it runs; what is stored is shorter

RECOVERY = {"n": list(range(8, 161, 8)), "sparsity": list(range(2, 41, 2)), "d": [200]}
TRIALS = 20


def phase_diagram(design: str, executor: ProcessPoolExecutor, command: str) -> None:
    begin = time.perf_counter()
    grid = {"design": [design], **RECOVERY}
    found = sweep(recovery.exact, grid, TRIALS, executor, WORK / f"recovery-{design}.jsonl")
    if found.failed:
        raise SystemExit(f"{len(found.failed)} trials failed, the first:\n{found.failed[0].error}")
    names = list(found.trials[0].result or {})
    seconds = sum(trial.seconds for trial in found.trials)
    packages = ", ".join(f"{name} {version(name)}" for name in ("labnoise", "jax", "numpy", "scipy"))
    lines = [
        f"# Relative errors |w - w*|/|w*| of sparse recovery, d = 200, {design} design, start u = v = 1, delta = 1.",
        f"# Command: {command}. Trial s of a cell has the key that experiments/recovery.py makes of s and the cell.",
        f"# {packages}, Python {platform.python_version()}.",
        f"# {len(found.trials)} trials, {seconds:.0f} s of trials, {time.perf_counter() - begin:.0f} s on the clock.",
        ",".join(["sparsity", "n", "trial", *names]),
    ]
    rows = sorted((t.cell["sparsity"], t.cell["n"], t.seed, t.result) for t in found.trials if t.result)
    lines += [
        ",".join([f"{k},{n},{s}", *(f"{result[name]:.3e}" for name in names)]) for k, n, s, result in rows
    ]
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"recovery-{design}.csv").write_text("\n".join(lines) + "\n", encoding="utf8")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m afterzero.experiments", description=__doc__)
    parser.add_argument("--design", choices=["gaussian", "boolean"], help="one design only")
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    chosen = parser.parse_args()
    # Many small problems: one thread for each process is faster than several that wait for each other.
    os.environ |= {"XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false", "OMP_NUM_THREADS": "1"}
    with ProcessPoolExecutor(chosen.processes, mp_context=multiprocessing.get_context("spawn")) as executor:
        for design in [chosen.design] if chosen.design else ["gaussian", "boolean"]:
            phase_diagram(design, executor, f"python -m afterzero.experiments --design {design}")


if __name__ == "__main__":
    main()
