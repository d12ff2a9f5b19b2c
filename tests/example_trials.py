"""Tasks for the tests of `sweep`, in a module that other processes can import."""

import os
import signal
from pathlib import Path

import numpy as np


def noisy_product(seed, n, design):
    """A number that depends on its arguments alone."""
    rng = np.random.default_rng([seed, n, len(design)])
    return {"value": n * rng.standard_normal(), "length": float(len(design))}


def picky(seed, n, design):
    """Raises in one cell."""
    if n == 3 and design == "boolean":
        raise ArithmeticError("n = 3 is unlucky")
    return noisy_product(seed, n, design)


def deadly_once(seed, n, design, marker):
    """Kills its own process the first time that it is run at n = 3."""
    if n == 3 and not Path(marker).exists():
        Path(marker).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return noisy_product(seed, n, design)
