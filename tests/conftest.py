"""Shared by all tests: the record of measured errors."""

import json
from pathlib import Path

import jax
import pytest
from hypothesis import HealthCheck, settings

# Most of a test run is compilation: what one run compiled, the next one finds.
jax.config.update("jax_compilation_cache_dir", str(Path(__file__).parents[1] / "_build" / "jax-cache"))
jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.5)

settings.register_profile(
    "labnoise",
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],  # `measured` gathers over all examples
)
settings.load_profile("labnoise")

_RECORDS = pytest.StashKey[list]()


def pytest_configure(config):
    config.stash[_RECORDS] = []


@pytest.fixture
def measured(request):
    """`measured(error)`: compare with the error that the test's `statement` marker allows, and record it.

    The records of one run are written to `_build/statements.json`, from which the book prints its table of
    statement, test, error allowed, error found.
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
        record = {"statement": name, "test": request.node.nodeid, "asked": asked, "measured": worst}
        request.config.stash[_RECORDS].append(record)


def pytest_sessionfinish(session):
    records = session.config.stash[_RECORDS]
    if not records or hasattr(session.config, "workerinput"):
        return
    path = Path(session.config.rootpath) / "_build" / "statements.json"
    path.parent.mkdir(exist_ok=True)
    kept = {}
    if path.exists():  # a run of some tests only must not forget the others
        kept = {record["test"]: record for record in json.loads(path.read_text())}
    kept |= {record["test"]: record for record in records}
    path.write_text(json.dumps(list(kept.values()), indent=1, ensure_ascii=False) + "\n")
