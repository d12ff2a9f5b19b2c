"""The recipe by which an instructor marks a folder of answers, as the page prints it."""

import re
import subprocess
import sys
from pathlib import Path

PAGE = Path(__file__).parents[1] / "book" / "instructors.md"
STUDENT = """
import numpy as np
from afterzero import ch02
from labnoise import check
from labnoise.answers import save_answers

def stationary_covariance(H, cov, eta):
    values, Q = np.linalg.eigh(H)
    return {factor} * Q @ (Q.T @ cov @ Q / (values[:, None] + values)) @ Q.T

check("2.2", stationary_covariance)
save_answers("answers/{name}.json")
"""


def test_a_folder_of_answers_is_marked(tmp_path):
    (tmp_path / "answers").mkdir()
    for name, factor in [("ada", "eta"), ("bob", "eta / 2")]:
        student = tmp_path / f"{name}.py"
        student.write_text(STUDENT.format(name=name, factor=factor), encoding="utf8")
        subprocess.run([sys.executable, student], cwd=tmp_path, check=True)
    (recipe,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf8"), re.DOTALL)
    marked = subprocess.run(
        [sys.executable, "-c", recipe], cwd=tmp_path, check=True, capture_output=True, text=True
    )
    first, second = marked.stdout.splitlines()
    assert first == "ada {'2.2': 'correct'}"
    assert second.startswith("bob {'2.2': ")
    assert "correct" not in second
