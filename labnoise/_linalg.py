"""Dense linear algebra on symmetric positive semidefinite matrices that may be singular."""

import jax
import jax.numpy as jnp
from jax import Array


def semidefinite_factor(matrix: Array) -> Array:
    """F (D, D), lower triangular, with `FFᵀ = matrix`, for a positive semidefinite matrix of any rank.

    Cholesky by rank-one updates. Where a pivot vanishes the rest of its column does too (the matrix is
    semidefinite), and the column is set to zero instead of dividing 0 by 0. For drawing noise any factor
    serves; this one runs over thousands of small matrices at once, which an eigendecomposition does not.
    """
    size = matrix.shape[0]
    smallest = 1e-13 * jnp.max(jnp.diagonal(matrix), initial=0.0)
    rows = jnp.arange(size)

    def eliminate(k: Array | int, state: tuple[Array, Array]) -> tuple[Array, Array]:
        remainder, factor = state
        pivot = remainder[k, k]
        used = pivot > smallest
        scale = jnp.where(used, 1 / jnp.sqrt(jnp.where(used, pivot, 1.0)), 0.0)
        column = jnp.where(rows >= k, remainder[:, k] * scale, 0.0)
        return remainder - column[:, None] * column[None, :], factor.at[:, k].set(column)

    state = (matrix, jnp.zeros_like(matrix))
    if size <= 8:  # unrolled, the compiler fuses it and vectorizes over replicas
        for k in range(size):
            state = eliminate(k, state)
        return state[1]
    return jax.lax.fori_loop(0, size, eliminate, state)[1]
