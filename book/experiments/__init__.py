"""Experiments too long for a page: `make experiments` runs them, the chapters plot what they left."""

import numpy as np

from . import results


def read(name: str) -> dict[str, np.ndarray]:
    """A stored table, by columns: heading → numbers, one for each trial."""
    table = results.read(name)
    return {heading: table[heading].astype(float) for heading in table.dtype.names}
