"""Raw random numbers, drawn as cheaply as their distribution allows."""

from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from labnoise import _checks


def uniform_indices(key: Array, size: int, number: int) -> Array:
    """`size` independent indices below `number`; no chance is off by more than `number`/2³²."""
    return (jax.random.bits(key, (size,), jnp.uint32) % number).astype(jnp.int32)


def indices_and_perturbations(
    key: Array, shape: tuple[int, ...], number: int, distribution: str, dtype: Any
) -> tuple[Array, Array]:
    """Indices below `number`, as many as `shape` begins with, and signs or normal numbers of that shape.

    Both halves of one 64-bit word serve: to draw the two apart, from split keys, takes twice as long, and drawing
    is a third of a step. 32 bits make a normal number whose tail ends at 6.2 (float32, 23 bits: at 5.2).
    """
    _checks.double_precision()  # or the upper half of each word would be zero, and so would every index
    words = jax.random.bits(key, shape, jnp.uint64)
    of_examples = words.reshape(shape[0], -1)[:, 0]
    indices = ((of_examples >> 32).astype(jnp.uint32) % number).astype(jnp.int32)
    low = words.astype(jnp.uint32)
    if distribution == "sign":
        return indices, jnp.where(low >> 31 == 0, 1.0, -1.0).astype(dtype)
    digits = min(32, jnp.finfo(dtype).nmant)
    uniform = ((low >> (32 - digits)).astype(dtype) + 0.5) * 2.0**-digits  # exact, neither 0 nor 1
    return indices, 2**0.5 * jax.scipy.special.erfinv(2 * uniform - 1)
