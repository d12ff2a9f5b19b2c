"""The recipe by which an instructor marks a folder of answers, as the page prints it."""

import re
import subprocess
import sys
from pathlib import Path

PAGE = Path(__file__).parents[1] / "book" / "instructors.md"
BEGIN = """
import numpy as np
from afterzero import ch02
from labnoise import check
from labnoise.answers import save_answers
"""
STUDENT = """
def stationary_covariance(H, cov, eta):
    values, Q = np.linalg.eigh(H)
    return {factor} * Q @ (Q.T @ cov @ Q / (values[:, None] + values)) @ Q.T

check("2.2", stationary_covariance)
save_answers("answers/{name}.json")
"""


def test_a_folder_of_answers_is_marked(tmp_path):
    (tmp_path / "answers").mkdir()
    students = [
        STUDENT.format(name=name, factor=factor) for name, factor in [("ada", "eta"), ("bob", "eta / 2")]
    ]
    # From a file, for what is saved is an answer's text.
    (tmp_path / "students.py").write_text(BEGIN + "".join(students), encoding="utf8")
    subprocess.run([sys.executable, "students.py"], cwd=tmp_path, check=True)
    (recipe,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf8"), re.DOTALL)
    marked = subprocess.run(
        [sys.executable, "-c", recipe], cwd=tmp_path, check=True, capture_output=True, text=True
    )
    first, second = marked.stdout.splitlines()
    assert first == "ada {'2.2': 'correct'}"
    assert second.startswith("bob {'2.2': ")
    assert "correct" not in second
