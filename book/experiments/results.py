"""The tables of stored experiments: written by the long runs, read by the chapters that plot them."""

import platform
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path

import numpy as np

RESULTS = Path(__file__).parent / "results"


def read(name: str) -> np.ndarray:
    """A stored table as an array with named columns: `table["error"]`, or some rows: `table[table["seed"] == 1]`."""
    lines = (RESULTS / f"{name}.csv").read_text(encoding="utf8").splitlines()
    rows = [line for line in lines if not line.startswith("#")]
    # Headings are kept as they stand: NumPy would make names of Python of them.
    return np.genfromtxt(
        rows, delimiter=",", names=True, dtype=None, encoding="utf8", deletechars="", replace_space=" "
    )


def write(name: str, about: Iterable[str], rows: Iterable[str]) -> None:
    """Store rows, their heading first, below lines that say where they come from: `about`, and the versions used."""
    packages = ", ".join(f"{package} {version(package)}" for package in ("labnoise", "jax", "numpy", "scipy"))
    head = [f"# {line}" for line in (*about, f"{packages}, Python {platform.python_version()}.")]
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.csv").write_text("\n".join([*head, *rows]) + "\n", encoding="utf8")
