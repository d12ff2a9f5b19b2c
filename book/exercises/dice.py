"""All randomness of the chapters: keys and generators that one setting shifts.

At the shift 0 they are JAX's and NumPy's own. Under any other shift of the environment variable AFTERZERO_SHIFT every
experiment of the book is run with fresh dice, and what its text says must still be so: see `afterzero.claims`.
"""

import os

import jax
import numpy as np


def shift() -> int:
    """The setting, by default 0.

    Raises
    ------
    ValueError
        If it is no whole number ≥ 0.
    """
    given = os.environ.get("AFTERZERO_SHIFT", "0")
    if not given.isdecimal():
        raise ValueError(
            f"AFTERZERO_SHIFT = {given!r}: give a whole number, 0 for the dice of the printed book"
        )
    return int(given)


def key(seed: int, throw: int = 0) -> jax.Array:
    """`jax.random.key(seed)`, folded with the shift and with the throw of a widget, where these are not 0."""
    plain = jax.random.key(seed)
    shifted = jax.random.fold_in(plain, shift()) if shift() else plain
    return jax.random.fold_in(shifted, throw) if throw else shifted


def rng(seed: int, throw: int = 0) -> np.random.Generator:
    """`numpy.random.default_rng(seed)`, of the seed, the shift and the throw of a widget, where these are not 0."""
    if throw:
        return np.random.default_rng((seed, shift(), throw))
    return np.random.default_rng((seed, shift()) if shift() else seed)
