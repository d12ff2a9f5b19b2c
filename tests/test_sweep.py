"""Sweeps: the same numbers from any executor, and nothing lost when one dies."""

import json
import multiprocessing
import re
import sys
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from functools import partial

import jax.numpy as jnp
import numpy as np
import pytest
from afterzero.experiments import recovery
from example_trials import (
    deadly_once,
    interrupted,
    leaves,
    noisy_product,
    picky,
    slow_product,
    traced_product,
)

from labnoise import sweep

GRID = {"n": [2, 3, 5], "design": ["gaussian", "boolean"]}


@pytest.fixture(scope="module")
def expected():
    return np.array(
        [[[noisy_product(s, n, d)["value"] for s in range(4)] for d in GRID["design"]] for n in GRID["n"]]
    )


def processes(count=2):
    return ProcessPoolExecutor(count, mp_context=multiprocessing.get_context("spawn"))


def test_values_lie_on_the_grid(expected):
    found = sweep(noisy_product, GRID, 4)
    assert np.array_equal(found.values(), expected)
    assert np.array_equal(found.values("length")[0, :, 0], [8, 7])
    assert found.seeds == [0, 1, 2, 3]
    assert [trial.seed for trial in found.trials[:5]] == [0, 1, 2, 3, 0]


def test_processes_give_the_same_numbers(expected):
    with processes() as pool:
        assert np.array_equal(sweep(noisy_product, GRID, 4, pool).values(), expected)


def test_results_are_read_and_not_computed_again(tmp_path, expected):
    path = tmp_path / "new folder" / "results.jsonl"
    sweep(noisy_product, {"n": [2, 3], "design": ["gaussian"]}, [0, 3], path=path)
    lines = path.read_text()
    calls = []

    def counted(**arguments):
        calls.append(arguments)
        return noisy_product(**arguments)

    counted.__module__, counted.__qualname__ = noisy_product.__module__, noisy_product.__qualname__
    with pytest.warns(UserWarning, match="path = .* 4 of its results .* code of noisy_product was another"):
        assert np.array_equal(sweep(counted, GRID, 4, path=path).values(), expected)
    assert len(calls) == 24 - 4
    assert path.read_text().startswith(lines)
    with pytest.warns(UserWarning, match=" 4 of its results "):
        assert np.array_equal(sweep(counted, GRID, 4, path=path).values(), expected)
    assert len(calls) == 24 - 4


def test_a_line_cut_short_is_computed_again(tmp_path, expected):
    path = tmp_path / "results.jsonl"
    sweep(noisy_product, GRID, 4, path=path)
    whole = path.read_text()
    for size in (len(whole) - 30, len(whole) // 2, 40, 0):
        path.write_text(whole[:size])
        assert np.array_equal(sweep(noisy_product, GRID, 4, path=path).values(), expected)
        assert sorted(map(key, path.read_text().splitlines())) == sorted(map(key, whole.splitlines()))


def key(line):
    return json.dumps({name: value for name, value in json.loads(line).items() if name != "seconds"})


def test_a_failed_trial_is_recorded_does_not_stop_the_rest_and_is_tried_again(tmp_path, expected):
    path = tmp_path / "results.jsonl"
    found = sweep(picky, GRID, 4, path=path)
    assert len(found.failed) == 4
    assert all(trial.cell == {"n": 3, "design": "boolean"} for trial in found.failed)
    assert "n = 3 is unlucky" in found.failed[0].error
    assert "in picky" in found.failed[0].error
    with pytest.raises(ValueError, match="4 of 24 trials raised"):
        found.values()
    values = found.values(failed=np.nan)
    assert np.isnan(values[1, 1]).all()
    assert np.array_equal(np.delete(values.reshape(6, 4), 3, 0), np.delete(expected.reshape(6, 4), 3, 0))

    def mended(**arguments):
        return noisy_product(**arguments)

    mended.__module__, mended.__qualname__ = picky.__module__, picky.__qualname__
    for _ in range(2):
        with pytest.warns(UserWarning, match=" 20 of its results "):
            assert np.array_equal(sweep(mended, GRID, 4, path=path).values(), expected)


def test_a_pool_that_would_fork_under_jax_is_refused_and_its_remedy_works():
    assert float(jnp.ones(3).sum()) == 3  # JAX has started
    with (
        ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("fork")) as pool,
        pytest.raises(ValueError, match=r"executor = .*it forks .*would hang.*spawn") as refused,
    ):
        sweep(traced_product, {"n": [2, 3]}, 1, pool)
    remedy = re.search(r"ProcessPoolExecutor\(.*\)\)", str(refused.value))[0]
    assert remedy in re.sub(r"\s+", " ", sweep.__doc__)
    with eval(remedy) as pool:
        assert sweep(traced_product, {"n": [2, 3]}, 1, pool).values().ravel().tolist() == [1, 3]


@pytest.mark.parametrize("where", ["here", "threads", "processes"])
def test_a_task_that_exits_ends_its_own_trial_only(tmp_path, expected, where):
    pool = {"here": lambda: None, "threads": lambda: ThreadPoolExecutor(2), "processes": processes}[where]()
    found = sweep(leaves, GRID, 4, pool, tmp_path / "results.jsonl")
    if pool is not None:
        pool.shutdown()
    assert len(found.failed) == 4
    assert "SystemExit: n = 3 is enough" in found.failed[0].error
    values = found.values(failed=0.0)
    assert np.array_equal(np.delete(values.reshape(6, 4), 3, 0), np.delete(expected.reshape(6, 4), 3, 0))


@pytest.mark.parametrize("where", ["here", "threads"])
def test_an_interrupt_ends_the_sweep_and_keeps_what_was_finished(tmp_path, expected, where):
    pool = None if where == "here" else ThreadPoolExecutor(1)
    path = tmp_path / "results.jsonl"
    with pytest.raises(KeyboardInterrupt):
        sweep(interrupted, GRID, 4, pool, path)
    if pool is not None:
        pool.shutdown()
    assert len(path.read_text().splitlines()) == 1 + 8


def test_an_executor_that_dies_says_so_and_a_new_one_goes_on(tmp_path, expected):
    path, grid = tmp_path / "results.jsonl", GRID | {"marker": [str(tmp_path / "marker")]}
    with processes() as pool, pytest.raises(RuntimeError, match=r"executor.*home \d+ of 24 .*results.jsonl"):
        sweep(deadly_once, grid, 4, pool, path)
    safe = path.read_text()
    with processes() as pool:
        found = sweep(deadly_once, grid, 4, pool, path)
    assert np.array_equal(found.values()[:, :, 0], expected)
    assert path.read_text().startswith(safe)


class Mute(Executor):
    """Runs five tasks, then answers no more; and once it was given 24 it takes none."""

    def __init__(self):
        self.taken = 0

    def submit(self, fn, /, *args, **kwargs):
        self.taken += 1
        if self.taken > 24:
            raise ConnectionError("nobody is there")
        future = Future()
        if self.taken <= 5:
            future.set_result(fn(*args, **kwargs))
        return future


def test_an_executor_that_dies_without_a_word_does_not_keep_us_waiting(tmp_path, monkeypatch):
    monkeypatch.setattr(sys.modules["labnoise._sweep"], "_PATIENCE", 0.05)
    with pytest.raises(RuntimeError, match=r"home 5 of 24 .*nobody is there.*results.jsonl"):
        sweep(noisy_product, GRID, 4, Mute(), tmp_path / "results.jsonl")


def test_an_executor_may_be_slow(monkeypatch, expected):
    monkeypatch.setattr(sys.modules["labnoise._sweep"], "_PATIENCE", 0.001)
    with ThreadPoolExecutor(2) as pool:
        assert np.array_equal(sweep(slow_product, GRID, 4, pool).values(), expected)


def test_a_pool_that_was_shut_down_says_so():
    pool = ThreadPoolExecutor(1)
    pool.shutdown()
    with pytest.raises(
        RuntimeError, match=r"home 0 of 24 .* after shutdown.*nothing was kept; give a `path`"
    ):
        sweep(noisy_product, GRID, 4, pool)


def test_an_impossible_cell_fails_alone_and_says_why():
    found = sweep(recovery.instance, {"design": ["boolean"], "n": [0, 6], "sparsity": [11], "d": [10]}, 1)
    assert len(found.failed) == 2
    assert "n = 0: pass at least 1" in found.failed[0].error
    assert "sparsity = 11: at most d = 10" in found.failed[1].error


def test_a_task_that_cannot_travel_is_named():
    with processes(1) as pool, pytest.raises(RuntimeError, match="pickle"):
        sweep(lambda seed, n: n, {"n": [1]}, 1, pool)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"task": 3}, "task = 3"),
        ({"grid": {}}, "grid = {}"),
        ({"grid": {"n": []}}, "no cells"),
        ({"grid": {"n": [1, 1], "design": ["boolean"]}}, "twice"),
        ({"grid": {"n": [float("nan")], "design": ["boolean"]}}, "finite"),
        ({"grid": {"n": [[1]], "design": ["boolean"]}}, "number, a string"),
        ({"grid": {"seed": [1]}}, "`seed` is not an axis"),
        ({"seeds": 0}, "seeds = 0"),
        ({"seeds": -2}, "seeds = -2"),
        ({"seeds": [1, 1]}, "different"),
        ({"seeds": [-1]}, "seeds = -1"),
    ],
)
def test_bad_arguments_are_named(arguments, says):
    good = {"task": noisy_product, "grid": GRID, "seeds": 2}
    with pytest.raises(ValueError, match=says):
        sweep(**(good | arguments))


def test_a_file_of_something_else_is_left_alone(tmp_path):
    path = tmp_path / "results.jsonl"
    for text, says in [
        ("my diary\n", "does not hold the results"),
        ("my diary", "does not hold the results"),
        ("[1, 2]\n", "sweep = "),
    ]:
        path.write_text(text)
        with pytest.raises(ValueError, match=says):
            sweep(noisy_product, GRID, 1, path=path)
        assert path.read_text() == text
    path.unlink()
    sweep(noisy_product, GRID, 1, path=path)
    header, one, *rest = path.read_text().splitlines()
    for damaged in (one[:-9], "{}", one.replace("seconds", "minutes")):
        text = "\n".join([header, damaged, *rest]) + "\n"
        path.write_text(text)
        with pytest.raises(ValueError, match="or is damaged"):
            sweep(noisy_product, GRID, 1, path=path)
        assert path.read_text() == text
    path.unlink()
    sweep(noisy_product, GRID, 1, path=path)
    with pytest.raises(ValueError, match=r"task = 'example_trials\.noisy_product'"):
        sweep(picky, GRID, 1, path=path)
    with pytest.raises(ValueError, match="names = "):
        sweep(noisy_product, {"n": [1]}, 1, path=path)
    with pytest.raises(ValueError, match="a function with a name"):
        sweep(partial(noisy_product, design="boolean"), {"n": [1]}, 1, path=path)
    header, *rest = path.read_text().splitlines()
    older = json.dumps(json.loads(header) | {"labnoise": "0.0.1"})
    path.write_text("\n".join([older, *rest]) + "\n")
    with pytest.raises(ValueError, match=r"labnoise = '0.0.1'"):
        sweep(noisy_product, GRID, 1, path=path)


def test_a_wrong_name_is_named():
    with pytest.raises(ValueError, match="'length', 'value'"):
        sweep(noisy_product, GRID, 1).values("lenght")
