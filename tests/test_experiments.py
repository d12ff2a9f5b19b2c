"""The stored experiments: complete, small, honest about where they come from, and reproducible."""

import csv
import re
import subprocess
import sys

import numpy as np
import pytest
from afterzero.experiments import __main__ as command
from afterzero.experiments import noise_shapes, recovery, results
from afterzero.experiments.results import read

from labnoise import Trial

TABLES = sorted(results.RESULTS.glob("recovery-*.csv"))
RNG = np.random.default_rng(20)


def sample(name):
    """A row of a stored table, drawn with a fixed key."""
    table = read(name)
    return table[int(RNG.integers(len(table)))]


def test_every_table_says_where_it_comes_from():
    recoveries = [name for name in command.EXPERIMENTS if name.startswith("recovery")]
    assert [path.stem for path in TABLES] == sorted(recoveries)
    assert sum(path.stat().st_size for path in TABLES) < 2e6
    for path in TABLES:
        about = "\n".join(line for line in path.read_text().splitlines() if line.startswith("#"))
        assert f"python -m afterzero.experiments {path.stem}" in about
        assert re.search(r"labnoise [\d.]+, jax [\d.]+, numpy [\d.]+, scipy [\d.]+, Python 3", about)
        assert re.search(r"\d+ trials, \d+ s in all", about)
        assert "key" in about


@pytest.mark.parametrize("design", ["gaussian", "boolean"])
def test_the_phase_diagrams_are_complete(design):
    table = read(f"recovery-{design}")
    cells = np.stack([table[name] for name in ("sparsity", "n", "trial")], axis=1)
    assert len(np.unique(cells, axis=0)) == len(cells) == 20 * 20 * 24
    assert all(np.isfinite(table[name]).all() for name in table.dtype.names)
    assert (table["gradient descent"] <= 1.0).all()


@pytest.mark.parametrize("path", TABLES, ids=lambda path: path.stem)
def test_eight_batches_share_no_seed_and_have_all_cells(path):
    table = read(path.stem)
    parts = results.batches(table)
    assert table.dtype.names[0] == "batch"
    assert len(parts) == results.BATCHES == 8
    assert sum(len(part) for part in parts) == len(table)
    seeds = [set(part["trial"].tolist()) for part in parts]
    assert sum(map(len, seeds)) == len(set.union(*seeds))
    assert len({len(part) for part in parts}) == 1
    for part in parts:
        assert (part["batch"] == part["trial"] % 8).all()


def agree(stored, again):
    """Three digits were stored; errors below 1e-6 are rounding and depend on the machine."""
    for name, value in again.items():
        assert stored[name] == pytest.approx(value, rel=0.006, abs=1e-6), name


@pytest.mark.parametrize("design", ["gaussian", "boolean"])
def test_a_sample_of_the_phase_diagrams_comes_out_again(design):
    stored = sample(f"recovery-{design}")
    seed, n, kappa = (int(stored[name]) for name in ("trial", "n", "sparsity"))
    agree(stored, recovery.exact(seed, design, n, kappa, 200))


def test_a_sample_of_the_scaling_comes_out_again():
    stored = sample("recovery-scaling")
    seed, n, d = (int(stored[name]) for name in ("trial", "n", "d"))
    agree(stored, recovery.exact(seed, "gaussian", n, 5, d))


def test_a_sample_of_sgd_comes_out_again():
    table = read("recovery-sgd")
    stored = table[int(RNG.choice(np.flatnonzero(table["eta"] == 0.002)))]
    seed, n, kappa = (int(stored[name]) for name in ("trial", "n", "sparsity"))
    agree(stored, recovery.stochastic(seed, n, kappa, 200, 0.002))


def test_the_limit_of_sgd_is_the_stored_flow():
    """The start of SGD is smaller, and its time shorter; for signs the limit is the same."""
    cells, diagram = read("recovery-sgd"), read("recovery-boolean")
    for row in range(len(cells["n"])):
        same = [diagram[name] == cells[name][row] for name in ("n", "sparsity", "trial")]
        (stored,) = diagram["label noise at t = 1"][np.logical_and.reduce(same)]
        assert stored == pytest.approx(cells["limit"][row], rel=0.01, abs=1e-6)


def test_a_table_is_read_back_as_it_was_stored(tmp_path, monkeypatch):
    monkeypatch.setattr(results, "RESULTS", tmp_path / "results")
    trials = [
        Trial({"n": n, "d": 4}, seed, {"error": 0.1234 * n}, None, 0.5) for n in (1, 2) for seed in (0, 1)
    ]
    command.store("few", "Nothing.", ["n"], trials)
    table = read("few")
    assert {name: table[name].tolist() for name in table.dtype.names} == {
        "batch": [0, 1, 0, 1],
        "n": [1, 1, 2, 2],
        "trial": [0, 1, 0, 1],
        "error": [0.123, 0.123, 0.247, 0.247],
    }


def test_a_failed_trial_is_not_stored(tmp_path, monkeypatch):
    monkeypatch.setattr(results, "RESULTS", tmp_path)
    with pytest.raises(SystemExit, match=r"1 trials failed(.|\n)*it broke"):
        command.store("few", "Nothing.", ["n"], [Trial({"n": 1}, 0, None, "it broke", 0.1)])
    assert not list(tmp_path.iterdir())


def test_an_experiment_that_does_not_exist_is_named():
    run = subprocess.run(
        [sys.executable, "-m", "afterzero.experiments", "recovry"], capture_output=True, text=True
    )
    assert run.returncode == 2
    assert "no experiment is called recovry" in run.stderr


def lines(name):
    """The rows of a stored table, as the csv module reads them."""
    text = (results.RESULTS / f"{name}.csv").read_text(encoding="utf8").splitlines()
    return list(csv.DictReader(line for line in text if not line.startswith("#")))


@pytest.mark.parametrize("name", ["label", "mini-batch", "none"])
def test_stored_runs_are_the_lines_of_the_table_without_the_lost_ones(name):
    runs = noise_shapes.stored(name)
    by_seed = {}
    for line in lines("noise-shapes"):
        if line["run"] == name:
            by_seed.setdefault(line["seed"], []).append(line)
    kept = [path for path in by_seed.values() if np.isfinite(float(path[-1]["error"]))]
    assert len(by_seed) == noise_shapes.SEEDS[name]
    assert (len(kept) < len(by_seed)) == (name == "mini-batch")
    for column in ("error", "norm", "shrinking"):
        expected = [[float(line[column]) for line in path] for path in kept]
        np.testing.assert_array_equal(getattr(runs, column), expected)
    np.testing.assert_array_equal(runs.steps, [int(line["step"]) for line in kept[0]])
    np.testing.assert_array_equal(runs.batch, [int(path[0]["batch"]) for path in kept])
    rate = noise_shapes.SETTINGS[name].rate
    times = [sum((rate(k) if callable(rate) else rate) ** 2 for k in range(end)) for end in runs.steps[:4]]
    np.testing.assert_allclose(runs.time[:4], times, rtol=1e-6)


def test_stored_runs_of_the_grid_are_the_lines_of_the_table():
    steps, error = noise_shapes.stored_grid("spherical", 0.3, 0.25)
    setting = {"noise": "spherical", "strength": "0.3", "alpha": "0.25"}
    expected = {
        (int(line["batch"]), int(line["step"])): float(line["error"])
        for line in lines("noise-grid")
        if setting.items() <= line.items()
    }
    assert len(expected) == error.size
    assert len(error) == noise_shapes.BATCHES
    for (batch, step), value in expected.items():
        assert error[batch, list(steps).index(step)] == value
