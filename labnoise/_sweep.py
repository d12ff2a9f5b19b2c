"""Independent trials over a grid, on any executor, with results that survive a crash."""

import itertools
import json
import math
import os
import time
import traceback
import warnings
from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import Executor, Future
from contextlib import closing
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

import numpy as np

from labnoise import _checks
from labnoise._progress import progress_bar
from labnoise._sweep_checks import code_of, refuse_fork

_FORMAT = 1
_PATIENCE = 5.0  # seconds without a result after which the executor is asked whether it is alive

Task = Callable[..., float | Mapping[str, float]]


@dataclass(frozen=True)
class Trial:
    """One run of the task: where on the grid, with which seed, and what came of it.

    Exactly one of `result` and `error` is not None.

    Attributes
    ----------
    cell : dict
        The grid's names with the values of this run.
    seed : int
    result : dict from name to number, or None
    error : str or None
        The traceback, where the task raised.
    seconds : float
    """

    cell: dict[str, Any]
    seed: int
    result: dict[str, float] | None
    error: str | None
    seconds: float


@dataclass(frozen=True)
class Sweep:
    """All trials of a sweep, in the order of the grid (its last axis fastest) and within a cell of the seeds.

    Attributes
    ----------
    grid : dict from name to list of values
    seeds : list of int
    trials : list of Trial
    """

    grid: dict[str, list[Any]]
    seeds: list[int]
    trials: list[Trial]

    @property
    def failed(self) -> list[Trial]:
        """The trials whose task raised."""
        return [trial for trial in self.trials if trial.error is not None]

    def values(self, name: str = "value", failed: float | None = None) -> np.ndarray:
        """The results called `name`, shape (size of each axis of the grid …, number of seeds).

        Raises
        ------
        ValueError
            If a trial failed and no number `failed` was given to stand in for it, or no result has that name.
        """
        if self.failed and failed is None:
            _checks.fail(
                "failed",
                failed,
                f"{len(self.failed)} of {len(self.trials)} trials raised, the first:\n{self.failed[0].error}\n"
                "pass a number, such as np.nan, to stand in for them",
            )
        names = sorted({name for trial in self.trials for name in trial.result or {}})
        if names and name not in names:
            _checks.one_of("name", name, tuple(names))
        numbers = [failed if trial.result is None else trial.result[name] for trial in self.trials]
        shape = (*(len(axis) for axis in self.grid.values()), len(self.seeds))
        return np.array(numbers, float).reshape(shape)


def sweep(
    task: Task,
    grid: Mapping[str, Sequence[Any]],
    seeds: int | Sequence[int],
    executor: Executor | None = None,
    path: str | os.PathLike[str] | None = None,
) -> Sweep:
    """Run `task(seed=s, **cell)` for every cell of a grid and every seed s.

    Parameters
    ----------
    task : function of the grid's names and of `seed` that returns a number, or a dict of numbers
        Its result must depend on its arguments alone. An executor with processes needs a function that can
        be imported by name.
    grid : name → values, each a number, a string or a truth value; the cells are all combinations
    seeds : how many (0, 1, …), or the seeds themselves
    executor : any `concurrent.futures.Executor`, by default this process
        `ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn"))` uses two cores,
        `dask.distributed.Client(…).get_executor()` a cluster. A pool that forks this process, as Python's own does
        on Linux before 3.14, hangs once JAX has started its threads here, and is refused then.
    path : file of results, one line of JSON a trial, written as they come
        If it is there already its trials are not run again, except those that failed. If the code of `task` is no
        longer what it was then, a warning says so; the functions that it calls are not watched.

    Returns
    -------
    Sweep
        A trial whose task raised, or called `sys.exit`, is recorded with its traceback and does not stop the others.
        `KeyboardInterrupt` ends the sweep; what was finished is in `path`.

    Raises
    ------
    ValueError
        If the grid or the seeds are empty, a value cannot be written to a file, `path` holds the results
        of another task, another grid or another version of labnoise, or the executor would fork after JAX has started.
    RuntimeError
        If the executor died or lost a trial. What came home is in `path`: run the sweep again with a new
        executor, and only the rest is computed.

    Examples
    --------
    >>> from labnoise import sweep
    >>> found = sweep(lambda seed, x, y: 10 * x + y + seed, {"x": [1, 2], "y": [3, 4, 5]}, seeds=2)
    >>> found.values().shape, found.values()[1, 2].tolist()
    ((2, 3, 2), [25.0, 26.0])
    """
    axes, numbers = _check(task, grid, seeds)
    refuse_fork(executor)
    cells = [dict(zip(axes, values, strict=True)) for values in itertools.product(*axes.values())]
    wanted = {_name(cell, seed): (cell, seed) for cell in cells for seed in numbers}
    code = code_of(task)
    finished, codes = ({}, {}) if path is None else _open(Path(path), task, list(axes))
    done = {name: finished[name] for name in wanted if name in finished and finished[name].error is None}
    stale = sum(codes[name] not in (None, code) for name in done)
    if code is not None and stale:
        warnings.warn(
            f"path = {str(path)!r}: {stale} of its results were computed when the code of {task.__qualname__} was "
            "another, and are not computed again; delete the file, or give another path, if the edit changes results",
            stacklevel=2,
        )
    todo = [pair for name, pair in wanted.items() if name not in done]
    bar = progress_bar(len(wanted), "trial", initial=len(done))
    failure = None
    with closing(_run(task, todo, executor)) as running, bar:
        for outcome in running:
            if isinstance(outcome, Exception):
                failure = failure or outcome
                continue
            done[_name(outcome.cell, outcome.seed)] = outcome
            if path is not None:
                _append(Path(path), outcome, code)
            bar.update()
    if failure is not None:
        kept = "nothing was kept; give a `path`" if path is None else f"what was finished is in {path}"
        missing = next(name for name in wanted if name not in done)
        raise RuntimeError(
            f"executor = {executor!r}: it brought home {len(done)} of {len(wanted)} trials, the first that is "
            f"missing is {missing} ({failure!r}); {kept}. Run the sweep again with a new executor"
        ) from failure
    return Sweep(axes, numbers, [done[name] for name in wanted])


def _run(
    task: Task, todo: list[tuple[dict[str, Any], int]], executor: Executor | None
) -> Generator[Trial | Exception, None, None]:
    """The trials as they come home, and for each that the executor lost the reason that it gives."""
    if executor is None:
        for cell, seed in todo:
            yield _attempt(task, cell, seed)
        return
    pending: set[Future[Trial]] = set()
    home: SimpleQueue[Future[Trial]] = SimpleQueue()
    try:
        try:
            for cell, seed in todo:
                future = executor.submit(_attempt, task, cell, seed)
                pending.add(future)
                future.add_done_callback(home.put)
        except Exception as reason:
            yield reason
        while pending:
            try:
                future = home.get(timeout=_PATIENCE)
            except Empty:
                # An executor can die without a word: Dask forgets a result that was on its way from a scheduler that
                # was killed. But one that is dead takes no more work.
                try:
                    executor.submit(int)
                except Exception as reason:
                    yield reason
                    return
                continue
            outcome = _outcome(future)
            # As long as somebody holds its future, Dask computes a result again when the worker that has it dies.
            pending.remove(future)
            del future
            yield outcome
    finally:
        for future in pending:
            future.cancel()


def _outcome(future: Future[Trial]) -> Trial | Exception:
    try:
        return future.result()
    except Exception as reason:  # the task's own errors are caught where it runs: this is the executor's
        return reason


def _attempt(task: Task, cell: dict[str, Any], seed: int) -> Trial:
    """Run one trial where the executor wants it, and bring home what it returned or raised."""
    begin = time.perf_counter()
    result, error = None, None
    try:
        returned = task(seed=seed, **cell)
        named = returned if isinstance(returned, Mapping) else {"value": returned}
        result = {str(name): float(number) for name, number in named.items()}
    except KeyboardInterrupt:
        raise
    except BaseException:  # `sys.exit` too: a task ends its own trial, never the sweep
        error = traceback.format_exc()
    return Trial(cell, seed, result, error, time.perf_counter() - begin)


def _check(task: Any, grid: Any, seeds: Any) -> tuple[dict[str, list[Any]], list[int]]:
    if not callable(task):
        _checks.fail("task", task, "pass a function of the grid's names and of `seed`")
    if not isinstance(grid, Mapping) or not grid:
        _checks.fail("grid", grid, 'pass names and values, such as {"n": [10, 20], "design": ["boolean"]}')
    axes = {}
    for name, values in grid.items():
        axes[str(name)] = axis = [
            value.item() if isinstance(value, np.generic) else value for value in values
        ]
        if not axis:
            _checks.fail(f"grid[{name!r}]", values, "it has no values, so the grid has no cells")
        if name == "seed":
            _checks.fail("grid", list(grid), "`seed` is not an axis; pass `seeds`")
        for value in axis:
            if (
                not isinstance(value, (bool, int, float, str))
                or value != value
                or value in (math.inf, -math.inf)
            ):
                _checks.fail(
                    f"grid[{name!r}]", value, "a value must be a finite number, a string or a truth value"
                )
        if len(set(map(repr, axis))) < len(axis):
            _checks.fail(f"grid[{name!r}]", values, "a value stands there twice")
    if isinstance(seeds, (int, np.integer)) and not isinstance(seeds, bool):
        numbers = list(range(int(seeds)))
    else:
        numbers = [_checks.count("seeds", seed, least=0) for seed in seeds]
    if not numbers or len(set(numbers)) < len(numbers):
        _checks.fail("seeds", seeds, "pass how many (≥ 1), or a list of different whole numbers")
    return axes, numbers


def _name(cell: Mapping[str, Any], seed: int) -> str:
    """What tells one trial from another, however the grid was cut."""
    return json.dumps([sorted(cell.items()), seed])


def _open(path: Path, task: Task, names: list[str]) -> tuple[dict[str, Trial], dict[str, str | None]]:
    """Read an earlier sweep's trials and the code that made each, or begin a file. A line cut short is dropped."""
    if not hasattr(task, "__qualname__"):
        _checks.fail(
            "task", task, "results in a file need a function with a name; make constants axes of one value"
        )
    header = {
        "sweep": _FORMAT,
        "task": f"{task.__module__}.{task.__qualname__}",
        "names": sorted(names),
        "labnoise": version("labnoise"),
    }
    text = path.read_text(encoding="utf8") if path.exists() else ""
    whole = text[: text.rfind("\n") + 1]
    if not whole:
        if text and not json.dumps(header).startswith(text):
            _checks.fail(
                "path", str(path), "this file does not hold the results of a sweep; give another path"
            )
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(header) + "\n", encoding="utf8")
        return {}, {}
    lines = whole.splitlines()
    try:
        found = json.loads(lines[0])
        rows = [json.loads(line) for line in lines[1:]]
        codes = [row.pop("code", None) for row in rows]
        trials = [Trial(**row) for row in rows]
    except (ValueError, TypeError, AttributeError) as reason:
        raise ValueError(
            f"path = {str(path)!r}: this file does not hold the results of a sweep, or is damaged "
            f"({reason}); give another path"
        ) from reason
    for name, ours in header.items():
        theirs = found.get(name) if isinstance(found, dict) else found
        if theirs != ours:
            _checks.fail(
                "path",
                str(path),
                f"its results have {name} = {theirs!r}, this sweep {ours!r}; give another path",
            )
    if whole != text:
        path.write_text(whole, encoding="utf8")
    found_at = [_name(trial.cell, trial.seed) for trial in trials]
    return dict(zip(found_at, trials, strict=True)), dict(zip(found_at, codes, strict=True))


def _append(path: Path, trial: Trial, code: str | None) -> None:
    with path.open("a", encoding="utf8") as file:
        file.write(json.dumps(vars(trial) | ({} if code is None else {"code": code})) + "\n")
