"""Plant errors, one at a time, and expect the tests to notice: a net that catches nothing is no net.

Each mutant changes one formula in a copy of the sources; the test named beside it must then fail, and it must pass in
the copy without it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]


class Mutant(NamedTuple):
    what: str
    file: str
    old: str
    new: str
    test: str


MUTANTS = [
    Mutant(
        "½ becomes 1 in the normal regularization",
        "labnoise/limits/_drift.py",
        "-0.5 * T @ by_normal)",
        "-1.0 * T @ by_normal)",
        "tests/test_drift.py::test_four_terms_each_alone",
    ),
    Mutant(
        "1 becomes ½ in the mixed regularization",
        "labnoise/limits/_drift.py",
        "-T @ by_crossed,",
        "-0.5 * T @ by_crossed,",
        "tests/test_drift.py::test_four_terms_each_alone",
    ),
    Mutant(
        "η stands for η² in the covariance of the Ornstein–Uhlenbeck process",
        "labnoise/dynamics/_ornstein_uhlenbeck.py",
        "self.learning_rate**2 * noise * grown",
        "self.learning_rate * noise * grown",
        "tests/test_ou.py::test_mean_and_covariance_solve_their_equations",
    ),
    Mutant(
        "δ stands for δ² in label noise",
        "labnoise/problems/_least_squares.py",
        "self.curvature * delta**2 / batch_size",
        "self.curvature * delta / batch_size",
        "tests/test_limit.py::test_exact_flow_against_a_fine_ode",
    ),
]


def passes(folder: Path, test: str) -> bool:
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", test]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True).returncode == 0


def main() -> int:
    with tempfile.TemporaryDirectory() as temporary:
        copy = Path(temporary) / "sources"
        shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(".git", ".venv", "_build", ".*_cache"))
        survivors = 0
        for test in sorted({mutant.test for mutant in MUTANTS}):
            if not passes(copy, test):
                print(f"error: {test} fails before any error is planted")
                return 1
        for mutant in MUTANTS:
            path = copy / mutant.file
            sound = path.read_text(encoding="utf8")
            if sound.count(mutant.old) != 1:
                print(
                    f"error: {mutant.file} no longer holds `{mutant.old}` once: bring tools/mutants.py up to date"
                )
                return 1
            path.write_text(sound.replace(mutant.old, mutant.new), encoding="utf8")
            caught = not passes(copy, mutant.test)
            path.write_text(sound, encoding="utf8")
            survivors += not caught
            print(f"{'caught ' if caught else 'MISSED '} {mutant.what}  ({mutant.file})")
    print(f"{len(MUTANTS) - survivors} passed, {survivors} failed")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())
