"""Experiments too long for a page: `make experiments` runs them, the chapters plot what they left."""

from importlib import resources

import numpy as np


def read(name: str) -> dict[str, np.ndarray]:
    """A stored table, by columns: heading → numbers, one for each trial."""
    text = resources.files(__name__).joinpath(f"results/{name}.csv").read_text(encoding="utf8")
    heading, *rows = [line.split(",") for line in text.splitlines() if not line.startswith("#")]
    return dict(zip(heading, np.array(rows, float).T, strict=True))
