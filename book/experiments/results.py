"""The tables of stored experiments: written by the long runs, read by the chapters that plot them.

Every table has a first column `batch`, from 0 to 7: the eight batches share no seed, and what a chapter says of an
experiment has to hold on each of them.
"""

import platform
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path

import numpy as np

RESULTS = Path(__file__).parent / "results"
BATCHES = 8


def read(name: str) -> np.ndarray:
    """A stored table as an array with named columns: `table["error"]`, or some rows: `table[table["seed"] == 1]`."""
    lines = (RESULTS / f"{name}.csv").read_text(encoding="utf8").splitlines()
    rows = [line for line in lines if not line.startswith("#")]
    # Headings are kept as they stand: NumPy would make names of Python of them.
    return np.genfromtxt(
        rows, delimiter=",", names=True, dtype=None, encoding="utf8", deletechars="", replace_space=" "
    )


def batch(seed: int) -> int:
    """The batch of a run, by its seed: each takes every eighth."""
    return seed % BATCHES


def batches(table: np.ndarray) -> list[np.ndarray]:
    """The rows of each batch, in the order of the table."""
    return [table[table["batch"] == number] for number in range(BATCHES)]


def write(name: str, about: Iterable[str], rows: Iterable[str]) -> None:
    """Store rows, their heading first, below lines that say where they come from: `about`, and the versions used."""
    packages = ", ".join(f"{package} {version(package)}" for package in ("labnoise", "jax", "numpy", "scipy"))
    head = [f"# {line}" for line in (*about, f"{packages}, Python {platform.python_version()}.")]
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.csv").write_text("\n".join([*head, *rows]) + "\n", encoding="utf8")
