"""JAX's float64, which importing the package turns on, for the whole program: there is no switch for a part of it.

The rank of a Hessian, and with it T and H†, is not seen in float32. A program that has computed before is another from
then on: a new array is in float64, and the same key gives other random numbers.
"""

import warnings

import jax
import jax.numpy as jnp
from jax._src import xla_bridge  # JAX has no public way to ask without starting its devices


def turn_on_float64() -> None:
    """Turn it on; warn where the program has arrays in float32 already."""
    if jax.config.read("jax_enable_x64"):
        return
    jax.config.update("jax_enable_x64", True)
    if not xla_bridge.backends_are_initialized():
        return
    before = sum(array.dtype == jnp.float32 for array in jax.live_arrays())
    if before:
        warnings.warn(
            f"importing labnoise turned on JAX's float64 for the whole program, in which there are {before} arrays in "
            "float32 already: new arrays are in float64 from here on, and the same keys give other random numbers. "
            'Import labnoise first, or call jax.config.update("jax_enable_x64", True) before any computation; for a '
            "part in float32 name the dtype, as sgd keeps that of x0",
            stacklevel=3,
        )
