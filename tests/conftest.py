"""Shared by all tests: the record of measured errors."""

import contextlib
import json
import runpy
from pathlib import Path

import jax
import numpy as np
import pytest
from hypothesis import HealthCheck, settings

if jax.config.jax_compilation_cache_dir is None:  # as in the Makefile, for tests that are run without it
    jax.config.update("jax_compilation_cache_dir", str(Path(__file__).parents[1] / "_build" / "jax-cache"))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)

STORE = jax.config.jax_compilation_cache_dir
HEAL = Path(__file__).parents[1] / "book" / "_ext" / "bookbuild" / "compiled.py"


def pytest_configure(config):
    """What a killed run has left half-written goes: JAX would warn of it in each run, and a warning is an error."""
    if not hasattr(config, "workerinput") and Path(STORE).is_dir():
        runpy.run_path(str(HEAL))["heal"](Path(STORE))


settings.register_profile(
    "labnoise",
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],  # `measured` gathers over all examples
)
settings.load_profile("labnoise")


@pytest.fixture(autouse=True, scope="module")
def forget_programs():
    """Each compiled program takes memory maps, of which a process has 65 530: one that kept all would crash."""
    yield
    jax.clear_caches()


# Filled as reports come in, from this process or, with several, from each worker.
_records: list[dict] = []


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """A file's tests share what they computed, so one worker takes them all; of a browser's, those of one page."""
    for item in items:
        if item.get_closest_marker("xdist_group") is None:
            item.add_marker(pytest.mark.xdist_group(item.path.stem))
    items.sort(key=lambda item: (item.get_closest_marker("xdist_group").args[0], width(item)))


def width(item):
    """Of the window, in the tests of a built page: that is widened once, not for each test."""
    parameters = item.callspec.params if hasattr(item, "callspec") else {}
    visit = parameters.get("visit")
    return visit[1] if isinstance(visit, tuple) else 0  # without a built book there is no page to visit


@pytest.fixture
def one_seed(monkeypatch):
    """A reader's answer is tried on fresh inputs; here they are those of one seed."""
    fresh = np.random.default_rng
    monkeypatch.setattr(np.random, "default_rng", lambda seed=2022: fresh(seed))


@pytest.fixture
def measured(request):
    """`measured(error)`: compare with the error that the test's `statement` marker allows, and record it.

    The records of a run are written to `_build/statements.json`; `make ledger` keeps them, and the book prints them as
    its table of statement, test, error allowed, error found.
    """
    marker = request.node.get_closest_marker("statement")
    name, asked = marker.args[0], marker.kwargs["asked"]
    worst = -1.0

    def measure(error):
        nonlocal worst
        worst = max(worst, float(error)) if error == error else float("nan")
        assert float(error) <= asked, f"{name}: error {float(error):.3g}, asked {asked:.3g}"

    yield measure
    if worst != -1.0:
        path = request.node.path.relative_to(request.config.rootpath).as_posix()
        test = (
            f"{path}::{request.node.name}"  # not the node's id, to which the name of a group may be appended
        )
        record = {"statement": name, "test": test, "asked": asked, "measured": worst}
        request.node.user_properties.append(
            ("statement", record)
        )  # travels from a worker to where it is written


def pytest_runtest_logreport(report):
    if report.when == "teardown":
        _records.extend(record for name, record in report.user_properties if name == "statement")


def pytest_sessionfinish(session):
    if not _records or hasattr(session.config, "workerinput"):
        return
    path = Path(session.config.rootpath) / "_build" / "statements.json"
    path.parent.mkdir(exist_ok=True)
    kept = {}
    if path.exists():  # a run of some tests only must not forget the others
        with contextlib.suppress(ValueError):  # torn, by a kill or a full disk
            kept = {record["test"]: record for record in json.loads(path.read_text())}
    kept |= {record["test"]: record for record in _records}
    whole = path.with_suffix(".part")
    whole.write_text(json.dumps(list(kept.values()), indent=1, ensure_ascii=False) + "\n")
    whole.replace(path)
