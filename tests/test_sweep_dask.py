"""Sweeps on a real Dask cluster: a scheduler and two workers, each a process, on loopback."""

import json
import os
import subprocess
import sys
from collections import Counter
from contextlib import contextmanager
from pathlib import Path

import dask
import numpy as np
import pytest
from distributed import Client
from example_trials import noisy_product, poison, poisonous, recorded, wait_until

from labnoise import sweep

GRID = {"n": [2, 3, 5], "design": ["gaussian", "boolean"]}
SEEDS = 8
LOOPBACK = ["--host", "127.0.0.1", "--no-dashboard", "--dashboard-address", "127.0.0.1:0"]


@contextmanager
def cluster(folder, allowed_failures=3):
    """An executor on a new cluster, all of whose processes form one group; they end with the block."""
    folder.mkdir()
    address = folder / "scheduler.json"
    path = os.pathsep.join([str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")])
    settings = {
        "PYTHONPATH": path,
        "LABNOISE_PROGRESS": "0",
        "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": str(allowed_failures),
    }
    processes = []

    def start(kind, *options):
        command = [sys.executable, "-W", "error", "-m", f"distributed.cli.dask_{kind}", *LOOPBACK, *options]
        with (folder / f"{len(processes)}.log").open("w") as log:
            processes.append(
                subprocess.Popen(
                    [*command, "--scheduler-file", str(address)],
                    env=os.environ | settings,
                    process_group=processes[0].pid if processes else 0,
                    stdout=log,
                    stderr=log,
                    cwd=folder,
                )
            )

    try:
        start("scheduler", "--port", "0")
        for _ in range(2):
            start("worker", "--nthreads", "1", "--no-nanny", "--local-directory", str(folder))
        wait_until(address.exists)
        # How long a client whose scheduler is gone looks for it before it says so.
        with (
            dask.config.set({"distributed.comm.timeouts.connect": "10s"}),
            Client(scheduler_file=str(address), set_as_default=False) as client,
        ):
            client.wait_for_workers(2, timeout=60)
            yield client.get_executor()
    finally:
        for process in processes:
            process.kill()
            process.wait()
    with pytest.raises(ProcessLookupError):
        os.killpg(processes[0].pid, 0)


def runs(folder):
    return Counter(line for path in folder.glob("*.runs") for line in path.read_text().splitlines())


def recording(folder, kills):
    folder.mkdir()
    return GRID | {"folder": [str(folder)], "kills": [kills]}


@pytest.fixture(scope="module")
def expected():
    return sweep(noisy_product, GRID, SEEDS).values()


def values(found):
    return found.values().reshape(3, 2, SEEDS)


def test_a_killed_worker_costs_the_trial_that_it_was_at_and_nothing_else(tmp_path, expected):
    path, folder = tmp_path / "results.jsonl", tmp_path / "runs"
    grid = recording(folder, "worker")
    with cluster(tmp_path / "cluster") as executor:
        found = sweep(recorded, grid, SEEDS, executor, path)
        assert not found.failed
        assert np.array_equal(values(found), expected)
        assert (folder / "killed").exists()
        assert sum(runs(folder).values()) == expected.size + 1
        assert len(path.read_text().splitlines()) == 1 + expected.size
        assert np.array_equal(values(sweep(recorded, grid, SEEDS, executor, path)), expected)
        assert sum(runs(folder).values()) == expected.size + 1


def test_a_dead_cluster_is_named_and_a_new_one_computes_only_the_rest(tmp_path, expected):
    path, folder = tmp_path / "results.jsonl", tmp_path / "runs"
    grid = recording(folder, "cluster")
    with (
        cluster(tmp_path / "first") as executor,
        pytest.raises(RuntimeError, match=r"executor.*home \d+ of 48 .*results.jsonl"),
    ):
        sweep(recorded, grid, SEEDS, executor, path)
    safe, once = path.read_text(), runs(folder)
    assert 4 <= len(safe.splitlines()) - 1 < expected.size
    with cluster(tmp_path / "second", allowed_failures=0) as executor:
        found = sweep(recorded, grid, SEEDS, executor, path)
        assert np.array_equal(values(found), expected)
        assert path.read_text().startswith(safe)
        again = sum((runs(folder) - once).values())
        assert again == expected.size - (len(safe.splitlines()) - 1)
        no_trial_stops_the_rest(executor, tmp_path / "poisonous.jsonl", expected)


def no_trial_stops_the_rest(executor, path, expected):
    """Dask gives up the trial that killed a worker, and with it at most one that waited at the same worker."""
    with pytest.raises(RuntimeError, match=r"home 4[67] of 48 .*KilledWorker"):
        sweep(poisonous, GRID, SEEDS, executor, path)
    kept = [json.loads(line) for line in path.read_text().splitlines()[1:]]
    assert len(kept) >= expected.size - 2
    assert not any(trial["error"] or poison(trial["seed"], **trial["cell"]) for trial in kept)
