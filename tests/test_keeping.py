"""Answers in a notebook: each is kept when it is checked, with its whole cell, and comes back in another session."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from IPython.core.interactiveshell import InteractiveShell

from labnoise.teaching import _cells
from labnoise.teaching._record import answers, attempts
from labnoise.teaching.answers import load_answers

FIRST = "import example_exercises, numpy as np\nfrom labnoise import check"
RIGHT = """
def scaled(A):
    return 4 * A

def covariance(J, delta):
    return scaled(delta**2 * J.T @ J / len(J))

verdict = check("0.1", covariance)
"""


@pytest.fixture
def notebook(tmp_path, monkeypatch):
    """Runs a cell as a notebook does, and returns the verdict on it."""
    monkeypatch.setenv("LABNOISE_ANSWERS", str(tmp_path / "kept" / "answers.jsonl"))
    (tmp_path / "kept").mkdir()
    answers.clear()
    attempts.clear()
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])  # the shell puts its own there
    shell = InteractiveShell.instance()
    shell.history_manager.enabled = False
    shell.reset(new_session=True)

    def run(cell):
        done = shell.run_cell(cell, store_history=True)
        done.raise_error()
        return shell.user_ns.get("verdict")

    run(FIRST)
    yield run
    InteractiveShell.clear_instance()


def test_an_answer_with_a_helper_is_kept_whole(notebook):
    assert notebook(RIGHT).status == "correct"
    assert notebook(RIGHT).message == ""
    answers.clear()
    namespace = {}
    assert load_answers(namespace=namespace)["0.1"].status == "correct"
    assert "scaled" in namespace


def test_what_another_cell_defines_is_named(notebook):
    helper, cell = RIGHT.split("\n\n", 1)
    notebook(helper)
    verdict = notebook(cell)
    assert verdict.status == "correct"
    assert "`scaled` from another cell" in verdict.message


def test_a_lambda_a_jit_and_a_magic_are_kept(notebook):
    answer = "jax.jit(lambda J, d: 4 * d**2 * J.T @ J / len(J))"
    notebook(f'import jax\n%pdb off\nverdict = check("0.1", {answer})')
    assert load_answers(namespace={})["0.1"].status == "correct"


def test_a_folder_that_cannot_be_written_is_said(notebook, tmp_path, monkeypatch):
    monkeypatch.setenv("LABNOISE_ANSWERS", str(tmp_path / "missing" / "answers.jsonl"))
    verdict = notebook(RIGHT)
    assert verdict.status == "correct"
    assert "could not be kept" in verdict.message


def test_a_kernel_that_is_killed_loses_nothing(tmp_path):
    """The answer is in the file before the cell has ended."""
    killed = f"import os\n{RIGHT}if 'KILL' in os.environ: os.kill(os.getpid(), 9)"
    program = f"""
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
shell.run_cell({FIRST!r}, store_history=True)
shell.run_cell({killed!r}, store_history=True)
"""
    settings = {
        "KILL": "1",
        "LABNOISE_ANSWERS": str(tmp_path / "answers.jsonl"),
        "PYTHONPATH": str(Path(__file__).parent),
    }
    done = subprocess.run(
        [sys.executable, "-c", program], env=os.environ | settings, cwd=tmp_path, check=False
    )
    assert done.returncode == -9
    assert load_answers(tmp_path / "answers.jsonl", {})["0.1"].status == "correct"


@pytest.mark.parametrize(
    ("cell", "names"),
    [
        ("def f(x):\n    return np.sum(x) + jnp.sum(x)", []),
        ("def f(x):\n    return helper(x)", ["helper"]),
        ("y = [a for a in data]\nclass C:\n    b = z", ["data", "z"]),
        ("def f():\n    global count\n    count = 1\nprint(count)", []),
        ("for i in range(3):\n    import math\nmath.pi + i", []),
        ("def outer(k):\n    def inner():\n        return k + m\n    return inner", ["m"]),
        ("%timeit f(1)\n!ls\nlabel_noise_flow", []),
    ],
)
def test_the_names_from_elsewhere(cell, names):
    assert _cells.from_elsewhere(cell) == names
