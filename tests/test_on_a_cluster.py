"""The code on the page `On a cluster` runs as it stands there."""

import json
import os
import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from labnoise import Trial

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "book" / "on-a-cluster.md").read_text(encoding="utf8")
WHOLE, *ENDINGS = re.findall(r"^```python\n(.*?)^```", PAGE, re.M | re.S)
BEGIN = WHOLE[: WHOLE.index("if __name__")]

# What only a cluster has, played by something that every machine has.
STAND_INS = {
    "dask_jobqueue": """
from dask.distributed import LocalCluster

class SLURMCluster(LocalCluster):
    def __init__(self, queue, cores, processes, memory, walltime, job_script_prologue):
        assert cores == processes
        super().__init__(n_workers=0, threads_per_worker=1, dashboard_address="127.0.0.1:0")

    def scale(self, n=0, jobs=0):  # LocalCluster itself scales to 0 when it closes
        super().scale(1 if jobs else n)
""",
    "mpi4py/futures": "from concurrent.futures import ThreadPoolExecutor as MPIPoolExecutor",
}


@pytest.mark.parametrize("script", [WHOLE, *(BEGIN + ending for ending in ENDINGS)], ids=range(4))
def test_a_snippet_runs(script, tmp_path):
    for name, text in STAND_INS.items():
        (tmp_path / name).with_suffix(".py").parent.mkdir(exist_ok=True)
        (tmp_path / name).with_suffix(".py").write_text(text)
    # Fewer trials, and one worker.
    short = script.replace("[40, 80, 120]", "[40, 120]").replace("GRID, 10", "GRID, 2")
    short = short.replace('"n_workers": 2', '"n_workers": 1').replace("Executor(2,", "Executor(1,")
    assert short != script
    (tmp_path / "diagram.py").write_text(short)
    cache = {"JAX_COMPILATION_CACHE_DIR": str(ROOT / "_build" / "jax-cache"), "LABNOISE_PROGRESS": "0"}
    ran = subprocess.run(
        [sys.executable, "diagram.py"], cwd=tmp_path, env=os.environ | cache, capture_output=True, text=True
    )
    assert ran.returncode == 0, ran.stderr
    assert "Warning" not in ran.stderr
    numbers = [float(number) for number in re.findall(r"[\d.]+", ran.stdout)]
    assert len(numbers) == 4
    assert numbers[2] == 1  # many examples, few weights
    lines = (tmp_path / "diagram.jsonl").read_text().splitlines()
    assert len(lines) == 1 + 2 * 2 * 2


def test_the_line_on_the_page_is_a_trial():
    (line,) = re.findall(r"^```json\n(.*?)^```", PAGE, re.M | re.S)
    assert list(json.loads(line)) == [field.name for field in fields(Trial)]


def test_a_process_that_draws_nothing_loads_nothing_to_draw_with():
    code = """if True:
        import sys, labnoise
        from afterzero.experiments import recovery
        assert not {"matplotlib", "ipywidgets"} & set(sys.modules)
        assert "explore" in dir(labnoise)
        assert labnoise.widgets.explore is labnoise.explore  # loaded now
        assert {"matplotlib", "ipywidgets"} <= set(sys.modules)
    """
    subprocess.run([sys.executable, "-c", code], check=True)
