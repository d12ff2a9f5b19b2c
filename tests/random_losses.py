"""Losses made up at random, with a known manifold of minimizers, for tests that assert identities."""

import jax.numpy as jnp
import numpy as np
from jax.tree_util import Partial

from labnoise import Loss


def _constraint(x, linear, curved):
    return (linear + curved @ x) @ x


def _loss(x, linear, curved, slopes, spread):
    return 0.5 * jnp.sum(spread * jnp.exp(slopes @ x) * _constraint(x, linear, curved) ** 2)


def random_loss(seed, dimension, codimension, condition=10.0):
    """A loss, a point near Γ, the function g with Γ = {g = 0}, and another loss with the same Γ.

    `L = ½ Σ_i λ_i(x) g_i(x)²`, g linear plus a small quadratic, λ_i positive, spread over `condition`. All
    numbers are data to the compiler: losses of equal dimensions share their compiled code. They are drawn by
    NumPy, which compiles nothing.
    """
    draw = np.random.default_rng(seed).standard_normal
    linear = np.linalg.qr(draw((dimension, codimension)))[0].T
    curved = 0.3 * draw((codimension, dimension, dimension)) / dimension
    one, two = draw((2, codimension, dimension)) / dimension**0.5
    spread = np.logspace(0, -np.log10(condition), codimension)
    start = draw(dimension)
    x = 0.5 * (start - linear.T @ (linear @ start)) + 0.15 * draw(dimension)
    linear, curved, one, two, spread, x = map(jnp.asarray, (linear, curved, one, two, spread, x))
    return (
        Loss(Partial(_loss, linear=linear, curved=curved, slopes=one, spread=spread)),
        x,
        Partial(_constraint, linear=linear, curved=curved),
        Loss(Partial(_loss, linear=linear, curved=curved, slopes=two, spread=1 + spread[::-1])),
    )


def random_covariance(seed, dimension, rank=None):
    factor = np.random.default_rng(seed + 1000).standard_normal((dimension, rank or dimension))
    return jnp.asarray(factor @ factor.T)
