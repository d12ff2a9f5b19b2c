"""The recipe by which an instructor marks a folder of answers, as the page prints it."""

import csv
import re
import shlex
import subprocess
import sys
from pathlib import Path

PAGE = Path(__file__).parents[1] / "book" / "instructors.md"
BEGIN = """
import numpy as np
from labnoise import check
from labnoise.answers import save_answers
"""
STUDENT = """
def stationary_covariance(H, cov, eta):
    values, Q = np.linalg.eigh(H)
    return {factor} * Q @ (Q.T @ cov @ Q / (values[:, None] + values)) @ Q.T

check("2.2", stationary_covariance)
save_answers("answers/{name}.jsonl")
"""


def test_a_folder_of_answers_is_marked(tmp_path):
    (tmp_path / "answers").mkdir()
    for name, factor in [("ada", "eta"), ("bob", "eta / 2")]:
        # From a file, for what is saved is an answer's text.
        (tmp_path / "student.py").write_text(
            BEGIN + STUDENT.format(name=name, factor=factor), encoding="utf8"
        )
        subprocess.run([sys.executable, "student.py"], cwd=tmp_path, check=True)
    (recipe,) = re.findall(r"```sh\n(.*?)```", PAGE.read_text(encoding="utf8"), re.DOTALL)
    python, *command = shlex.split(recipe)
    assert python == "python"
    subprocess.run([sys.executable, *command], cwd=tmp_path, check=True, input="y\n", text=True)
    with (tmp_path / "marks.csv").open(encoding="utf8", newline="") as file:
        first, second = csv.DictReader(file)
    assert [first[name] for name in ("file", "exercise", "status")] == ["ada.jsonl", "2.2", "correct"]
    assert [second[name] for name in ("file", "exercise")] == ["bob.jsonl", "2.2"]
    assert second["status"] in ("almost", "not yet")
    assert (tmp_path / "marks.html").exists()
