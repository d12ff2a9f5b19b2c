"""Losses made up at random, with a known manifold of minimizers, for tests that assert identities."""

import jax
import jax.numpy as jnp

from labnoise import Loss


def random_loss(seed, dimension, codimension, condition=10.0):
    """`L = ½ Σ_i λ_i(x) g_i(x)²`, Γ = {g = 0}, and a point near Γ. Returns also `g` and another loss with the same Γ.

    g is linear plus a small quadratic, the λ_i positive functions spread over `condition`.
    """
    keys = jax.random.split(jax.random.key(seed), 6)
    linear = jnp.linalg.qr(jax.random.normal(keys[0], (dimension, codimension)))[0].T
    curved = 0.3 * jax.random.normal(keys[1], (codimension, dimension, dimension)) / dimension
    slopes = jax.random.normal(keys[2], (2, codimension, dimension)) / dimension**0.5
    spread = jnp.logspace(0, -jnp.log10(condition), codimension)

    def g(x):
        return linear @ x + jnp.einsum("mij,i,j->m", curved, x, x)

    def loss_with(which, spread):
        return Loss(lambda x: 0.5 * jnp.sum(spread * jnp.exp(jnp.sin(slopes[which] @ x)) * g(x) ** 2))

    tangent = jax.random.normal(keys[3], (dimension,))
    x = 0.5 * (tangent - linear.T @ (linear @ tangent)) + 0.15 * jax.random.normal(keys[4], (dimension,))
    return loss_with(0, spread), x, g, loss_with(1, 1.0 + spread[::-1])


def random_covariance(seed, dimension, rank=None):
    factor = jax.random.normal(jax.random.key(seed + 1000), (dimension, rank or dimension))
    return factor @ factor.T
