"""Tasks for the tests of `sweep`, in a module that other processes can import."""

import asyncio
import os
import signal
import time
from pathlib import Path

import numpy as np


def noisy_product(seed, n, design):
    """A number that depends on its arguments alone."""
    rng = np.random.default_rng([seed, n, len(design)])
    return {"value": n * rng.standard_normal(), "length": float(len(design))}


def slow_product(seed, n, design):
    time.sleep(0.01)
    return noisy_product(seed, n, design)


def picky(seed, n, design):
    """Raises in one cell."""
    if n == 3 and design == "boolean":
        raise ArithmeticError("n = 3 is unlucky")
    return noisy_product(seed, n, design)


def leaves(seed, n, design):
    """Ends its process politely in one cell, another way with every seed."""
    if n == 3 and design == "boolean":
        raise (SystemExit("n = 3 is enough"), GeneratorExit(), asyncio.CancelledError())[seed % 3]
    return noisy_product(seed, n, design)


def interrupted(seed, n, design):
    """As if a person pressed Ctrl-C at n = 3."""
    if n == 3:
        raise KeyboardInterrupt
    return noisy_product(seed, n, design)


def traced_product(seed, n):
    import jax.numpy as jnp

    return float(jnp.arange(n) @ jnp.ones(n)) + seed


def deadly_once(seed, n, design, marker):
    """Kills its own process the first time that it is run at n = 3."""
    if n == 3 and not Path(marker).exists():
        Path(marker).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return noisy_product(seed, n, design)


def recorded(seed, n, design, folder, kills):
    """Leaves one line a run in `folder`; once, after a few runs, kills its Dask worker, or the whole cluster.

    It does so when the worker has nothing left that was finished and not yet brought home, so that whatever
    runs twice afterwards was computed again without need.
    """
    from distributed import get_worker  # here, so that the other tasks travel lightly

    mine = Path(folder) / f"{os.getpid()}.runs"
    with mine.open("a") as file:
        file.write(f"{n} {design} {seed}\n")
    if len(mine.read_text().splitlines()) > 4 and first(Path(folder) / "killed"):
        wait_until(lambda: not get_worker().data)
        if kills == "worker":
            os.kill(os.getpid(), signal.SIGKILL)
        os.killpg(os.getpgid(0), signal.SIGKILL)
    return noisy_product(seed, n, design)


def poisonous(seed, n, design):
    """Kills every process that tries one of the trials."""
    if poison(seed, n, design):
        os.kill(os.getpid(), signal.SIGKILL)
    return noisy_product(seed, n, design)


def poison(seed, n, design):
    return (seed, n, design) == (1, 3, "boolean")


def first(path):
    """Whether nobody made this file before us."""
    try:
        path.touch(exist_ok=False)
    except FileExistsError:
        return False
    return True


def wait_until(holds, seconds=60):
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited for {seconds} s")
        time.sleep(0.005)
