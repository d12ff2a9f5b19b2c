"""Measure what a sweep costs: a trial of the phase diagram at several sizes, and two workers against one.

    python benchmarks/sweep.py [PART ...] [--write]

Every process computes in one thread. One worker and two take turns over the same trials, after each has compiled
what it needs.
"""

import multiprocessing
import os
import re
import time
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager

os.environ |= {
    "LABNOISE_PROGRESS": "0",
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false",
    "OMP_NUM_THREADS": "1",
}

import numpy as np
from afterzero.experiments import adam, recovery
from afterzero.experiments.__main__ import ADAM
from afterzero.experiments.results import RESULTS
from distributed import Client, LocalCluster
from report import run_parts

from labnoise import sweep

LARGEST = 40  # κ of the diagram's last column
CELLS = [(0.1, 0.5), (0.3, 0.9), (0.5, 0.3), (0.7, 0.7), (0.9, 0.1)]  # of the largest κ, of the largest n
SIZES = [1000, 2000, 4000]
TARGET = 10_000
TRIALS = 20**3
# Spread over the diagram.
GRID = {
    "design": ["gaussian"],
    "n": [20, 100, 180],
    "sparsity": [4, 20, 36],
    "d": [200],
}
SEEDS = 15
ROUNDS = 6


def report(what, asked, measured):
    print(f"{what:<68} | {asked:<18} | {measured}", flush=True)


def timed(function, *arguments):
    start = time.perf_counter()
    function(*arguments)
    return time.perf_counter() - start


def largest_n(d):
    """Twice as many examples as the sharp count 2κ ln(d/κ) asks for at small κ/d, and no more than d."""
    return min(d, round(2 * LARGEST * np.log(np.e * d / LARGEST)))


def trial(d):
    """Mean seconds of a trial over five cells of the diagram: the first of its size in a process, a later one."""
    times = []
    for part_of_kappa, part_of_n in CELLS:
        n, sparsity = round(part_of_n * largest_n(d)), round(part_of_kappa * LARGEST)
        times.append([timed(recovery.exact, seed, "gaussian", n, sparsity, d) for seed in range(2)])
    return np.mean(times, 0)


def duration(seconds):
    for limit, size, unit in [(1, 1e-3, "ms"), (120, 1, "s"), (7200, 60, "min"), (np.inf, 3600, "h")]:
        if seconds < limit:
            return f"{seconds / size:.3g} {unit}"


def cost():
    later = {}
    for d in [200, *SIZES]:
        first, later[d] = trial(d)
        report(
            f"a trial, d = {d}, n up to {largest_n(d)}, κ up to {LARGEST} (first of its size)",
            "",
            f"{duration(later[d])} ({duration(first)})",
        )
    times = [later[d] for d in SIZES]
    power = np.polyfit(np.log(SIZES), np.log(times), 1)[0]
    then = times[-1] * (TARGET / SIZES[-1]) ** power
    report(f"cost of a trial, d = {SIZES[0]} to {SIZES[-1]}: power of d", "", f"{power:.2f}")
    report(f"a trial at d = {TARGET}, n up to {largest_n(TARGET)}, extrapolated", "", duration(then))
    for d, seconds in [(200, later[200]), (TARGET, then)]:
        hours = seconds * TRIALS / 3600
        report(f"20 × 20 × 20 diagram, d = {d}, from its trials", "", f"{float(f'{hours:.2g}'):g} core-hours")


def one_and_two(what, asked, one, two):
    rounds = np.array([(timed(one), timed(two)) for _ in range(ROUNDS)])
    ratio = np.median(rounds[:, 0] / rounds[:, 1])
    report(what, asked, f"{ratio:.2f}× ({duration(rounds[:, 0].min())}, {duration(rounds[:, 1].min())})")


def dask():
    with (
        LocalCluster(
            n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address="127.0.0.1:0"
        ) as cluster,
        Client(cluster) as client,
    ):
        workers = list(client.scheduler_info()["workers"])
        alone = [client.get_executor(workers=[worker], pure=False) for worker in workers]
        for executor in alone:
            sweep(recovery.exact, GRID, 1, executor)
        together = client.get_executor(pure=False)
        one_and_two(
            "two Dask workers, in speed of one, same trials",
            "≥ 1.7×",
            lambda: sweep(recovery.exact, GRID, SEEDS, alone[0]),
            lambda: sweep(recovery.exact, GRID, SEEDS, together),
        )


def compiled(barrier):
    sweep(recovery.exact, GRID, 1)
    barrier.wait()


@contextmanager
def processes(count):
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(count + 1)
    with ProcessPoolExecutor(count, mp_context=context, initializer=compiled, initargs=[barrier]) as executor:
        for _ in range(count):  # each starts a process
            executor.submit(os.getpid)
        barrier.wait()
        yield executor


def pools():
    with processes(1) as one, processes(2) as two:
        one_and_two(
            "two processes, in speed of one, same trials",
            "",
            lambda: sweep(recovery.exact, GRID, SEEDS, one),
            lambda: sweep(recovery.exact, GRID, SEEDS, two),
        )


def diagram():
    """Chapter 9's, whole, by processes that have compiled nothing."""
    grid = {"setting": ["equal"], **ADAM}
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as executor:
        seconds = timed(sweep, adam.sparse, grid, 20, executor)
    report("SGD against Adam, 15 × 15 × 20 trials, d = 30, two processes", "≤ 10 min", duration(seconds))


def stored():
    for path in sorted(RESULTS.glob("recovery-*.csv")):
        header = path.read_text(encoding="utf8")[:2000]
        found = re.search(r"^# (\d+) trials, .* (\d+) s on the clock", header, re.M)
        if found:
            report(
                f"`make experiments`, {path.stem.removeprefix('recovery-')} design, d = 200, {found[1]} trials",
                "≤ 8 min",
                duration(float(found[2])),
            )


PARTS = {"cost": cost, "dask": dask, "pools": pools, "diagram": diagram, "stored": stored}


if __name__ == "__main__":
    run_parts("sweep", PARTS)
