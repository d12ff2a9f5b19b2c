import jax
import jax.numpy as jnp
import numpy as np
import pytest

from labnoise._linalg import lyapunov, pseudo_inverse, semidefinite_factor


def family(s):
    """Symmetric matrices of rank 3 that turn with s; at s = 0 two eigenvalues coincide."""
    turn = jax.scipy.linalg.expm(
        s * jnp.triu(jnp.arange(25.0).reshape(5, 5) / 20, 1) * jnp.ones((5, 5)) * 0.3
    )
    Q = jnp.linalg.qr(turn)[0]
    return Q @ jnp.diag(jnp.array([2.0, 2.0 + s, 5.0 - s, 0.0, 0.0])) @ Q.T


C = jnp.array(np.random.default_rng(0).normal(size=(5, 5)))
C = C @ C.T


@pytest.mark.parametrize("function", [pseudo_inverse, lambda H: lyapunov(H, C)])
def test_derivatives_exist_where_eigenvalues_coincide(function):
    def along(s):
        return function(family(s))

    # the formula is along the family's own tangent, which keeps the rank; central differences are independent
    slope, curvature = jax.jit(jax.jacfwd(along)), jax.jit(jax.jacfwd(jax.jacfwd(along)))
    for f, derivative in ((jax.jit(along), slope), (slope, curvature)):
        h = 1e-5
        expected = (f(h) - f(-h)) / (2 * h)
        np.testing.assert_allclose(derivative(0.0), expected, atol=1e-8)
    weights = jnp.arange(25.0).reshape(5, 5)
    backwards = jax.jit(jax.grad(lambda s: (weights * along(s)).sum()))
    np.testing.assert_allclose(backwards(0.0), (weights * slope(0.0)).sum(), rtol=1e-10)


def test_factor_of_a_semidefinite_matrix():
    for rank, size in ((0, 3), (1, 4), (3, 5), (7, 12)):
        half = np.random.default_rng(rank).normal(size=(size, rank))
        matrix = jnp.asarray(half @ half.T).reshape(size, size)
        F = semidefinite_factor(matrix)
        np.testing.assert_allclose(F @ F.T, matrix, atol=1e-9)
