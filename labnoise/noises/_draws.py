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

    A normal number's tail ends at 6.2, in float32 at 5.2, for it is made of 32 or 23 bits.
    """
    indices, low = _halves(key, shape, number)
    if distribution == "sign":
        return indices, jnp.where(low >> 31 == 0, 1.0, -1.0).astype(dtype)
    return indices, 2**0.5 * jax.scipy.special.erfinv(2 * _uniform(low, dtype) - 1)


def indices_and_uniforms(key: Array, size: int, number: int, dtype: Any) -> tuple[Array, Array]:
    """`size` indices below `number` and as many numbers that are uniform between 0 and 1."""
    indices, low = _halves(key, (size,), number)
    return indices, _uniform(low, dtype)


def _halves(key: Array, shape: tuple[int, ...], number: int) -> tuple[Array, Array]:
    """Indices below `number`, and 32 bits each beside them.

    Both halves of one 64-bit word serve: to draw the two apart, from split keys, takes twice as long, and drawing
    is a third of a step.
    """
    _checks.double_precision()  # or the upper half of each word would be zero, and so would every index
    words = jax.random.bits(key, shape, jnp.uint64)
    of_examples = words.reshape(shape[0], -1)[:, 0]
    return ((of_examples >> 32).astype(jnp.uint32) % number).astype(jnp.int32), words.astype(jnp.uint32)


def _uniform(bits: Array, dtype: Any) -> Array:
    digits = min(32, jnp.finfo(dtype).nmant)
    return ((bits >> (32 - digits)).astype(dtype) + 0.5) * 2.0**-digits  # exact, neither 0 nor 1
