"""Dense linear algebra on symmetric positive semidefinite matrices that may be singular.

A Hessian on Γ is singular by nature. Its eigenvalues below `RANK` times the largest count as zero;
derivatives are those along matrices of the same rank, written without the eigenvectors, whose own
derivative does not exist where eigenvalues coincide.
"""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Bool, Float

from labnoise import _checks
from labnoise._shapes import shaped

RANK = 1e-8


@shaped
def spectrum(
    matrix: Float[Array, "D D"],
) -> tuple[Float[Array, " D"], Bool[Array, " D"], Float[Array, "D D"]]:
    """Eigenvalues, which of them are not zero, eigenvectors in columns."""
    eigenvalues, vectors = jnp.linalg.eigh(matrix)
    return eigenvalues, jnp.abs(eigenvalues) > RANK * jnp.abs(eigenvalues).max(), vectors


def hessian_matrix(value: Any) -> Array:
    """The argument `hessian` (D, D) in float64, refused where its rounding leaves its rank in doubt."""
    matrix = _checks.covariance("hessian", value)
    rounding = _checks.coarseness(value, matrix.shape[0])
    if rounding:
        advice = "compute it in float64, from a point of Γ in float64, for its rank decides the answer"
        if not _checks.concrete(matrix):
            _checks.fail("the dtype of hessian", _dtype(value), advice)
        sizes = np.abs(np.linalg.eigvalsh(matrix))
        # a spectrum with exact zeros, as of a diagonal matrix, is clear in any precision
        if ((sizes > RANK / 100 * sizes.max()) & (sizes < rounding * sizes.max())).any():
            _checks.fail("hessian", value, f"its rank is not clear in {_dtype(value)}; {advice}")
    return matrix


def _dtype(value: Any) -> str:
    return str(_checks.numbers("hessian", value).dtype)


@jax.custom_jvp
def pseudo_inverse(matrix: Array) -> Array:
    """H† of a symmetric matrix H (D, D)."""
    eigenvalues, nonzero, Q = spectrum(matrix)
    return (Q * jnp.where(nonzero, 1 / jnp.where(nonzero, eigenvalues, 1.0), 0.0)) @ Q.T


@pseudo_inverse.defjvp
def _pseudo_inverse_jvp(primals: tuple[Array], tangents: tuple[Array]) -> tuple[Array, Array]:
    (H,), (dH,) = primals, tangents
    P = pseudo_inverse(H)
    tilt = P @ P @ dH @ kernel_projection(H, P)
    return P, -P @ dH @ P + tilt + tilt.T


@shaped
def kernel_projection(H: Float[Array, "D D"], P: Float[Array, "D D"]) -> Float[Array, "D D"]:
    """The projection on ker H, from H and its pseudo-inverse P."""
    product = H @ P
    return jnp.eye(H.shape[0], dtype=H.dtype) - 0.5 * (product + product.T)


@jax.custom_jvp
def lyapunov(H: Array, C: Array) -> Array:
    """S with `HS + SH = NCN`, S = NSN, N the projection on range(H); H semidefinite, C symmetric."""
    eigenvalues, nonzero, Q = spectrum(H)
    both = nonzero[:, None] & nonzero[None, :]
    sums = jnp.where(both, eigenvalues[:, None] + eigenvalues[None, :], 1.0)
    return Q @ jnp.where(both, (Q.T @ C @ Q) / sums, 0.0) @ Q.T


@lyapunov.defjvp
def _lyapunov_jvp(primals: tuple[Array, Array], tangents: tuple[Array, Array]) -> tuple[Array, Array]:
    (H, C), (dH, dC) = primals, tangents
    S = lyapunov(H, C)
    P = pseudo_inverse(H)
    tilt = P @ dH @ kernel_projection(H, P)  # dN = tilt + tiltᵀ
    # within range(H): the equation differentiated; out of it: the range itself turns with dN
    within = lyapunov(H, dC + tilt @ C + C @ tilt.T - dH @ S - S @ dH)
    return S, within + tilt.T @ S + S @ tilt


@shaped
def semidefinite_factor(matrix: Float[Array, "D D"]) -> Float[Array, "D D"]:
    """F, lower triangular, with `FFᵀ = matrix`, for a positive semidefinite matrix of any rank.

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
