"""The matrix that chapter 10 has found from a few measurements: what is data there, and no matter of dice."""

import jax
import jax.numpy as jnp
import numpy as np

D, N = 8, 16
RNG = np.random.default_rng((1, 2))
HALF = RNG.standard_normal((N, D, D))
A = (HALF + HALF.transpose(0, 2, 1)) / 2  # the measurements, symmetric
SIDE = RNG.standard_normal(D)
TRUTH = np.outer(SIDE, SIDE) / (SIDE @ SIDE)  # of rank one
TARGETS = np.einsum("nij,ij->n", A, TRUTH)


def predict(x: jax.Array) -> jax.Array:
    """⟨A_i, UUᵀ⟩ (N,) of the weights x (D·r,), U row by row."""
    U = x.reshape(D, -1)
    return jnp.einsum("nij,ir,jr->n", A, U, U)
