"""The four terms for a mean over examples, from a factor of the noise: matrices M x M and M x D, none D x D.

With h = Rf, R the roots of the curvatures at x held fixed, K = ∂h (M, D) and G = KKᵀ the Hessian on Γ is KᵀK/n, and

    N = KᵀG†K,    H† = nKᵀ(G†)²K,    L_H^{-1}(NFFᵀN) = nKᵀXK,  GX + XG = AAᵀ,  A = G†KF.

There `∂²(∇L)` is made of the ∇²h_b, for all else in it is normal, or vanishes between two tangents. With W = TF

    compensation = −½ KᵀG† Σ_k ∇²h[w_k, w_k],    mixed = −T Σ_b ∇²h_b (AWᵀ)_b,    normal = −T Σ_b ∇²h_b (GXK)_b.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

from labnoise import _checks
from labnoise._linalg import lyapunov, pseudo_inverse
from labnoise._shapes import shaped
from labnoise.problems import Examples

# Examples that are done together: more need more memory and are no faster. Where each of them costs what all cost, for
# the model has no `inputs`, already two of them leave the nearest cache.
_AT_ONCE = 16


class FactoredDriftTerms(NamedTuple):
    """The four terms at a point of Γ, as in `DriftTerms`, with Σ_∥ by a factor.

    Attributes
    ----------
    tangent_factor : (D, q)
        TF, where the noise has Σ = FFᵀ.
    compensation, mixed, normal : (D,)
    """

    tangent_factor: Array
    compensation: Array
    mixed: Array
    normal: Array

    @property
    def tangent_noise(self) -> Array:
        """Σ_∥ = TF(TF)ᵀ, shape (D, D)."""
        _checks.room("tangent_noise", self.tangent_factor.shape[0], 1, "take its factor, tangent_factor")
        return self.tangent_factor @ self.tangent_factor.T

    @property
    def total(self) -> Array:
        """The sum of the three drifts, `½∂²Φ[Σ]`, shape (D,)."""
        return self.compensation + self.mixed + self.normal


@shaped
def factored_terms(
    problem: Examples, factor: Float[Array, "D q"], x: Float[Array, " D"]
) -> FactoredDriftTerms:
    """The four terms of the noise with Σ = FFᵀ, F = `factor`, without checks."""
    K, _ = problem.conditions(x)
    roots = problem.roots(problem.outputs(x), problem.targets)
    G = K @ K.T
    inverse = pseudo_inverse(G)

    def tangent(v: Array) -> Array:
        return v - K.T @ (inverse @ (K @ v))

    across = inverse @ (K @ factor)
    along = tangent(factor)
    spread = lyapunov(G, across @ across.T)
    return FactoredDriftTerms(
        along,
        -0.5 * (inverse @ bend(problem, roots, x, along.T)) @ K,
        -tangent(turn(problem, roots, x, across @ along.T)),
        -tangent(turn(problem, roots, x, G @ spread @ K)),
    )


@shaped
def turn(
    problem: Examples, roots: Float[Array, "n r p"], x: Float[Array, " D"], vectors: Float[Array, "M D"]
) -> Float[Array, " D"]:
    """`Σ_b ∇²h_b v_b` with a vector for each of the M = nr conditions: a gradient of slopes of single examples."""
    number = len(roots)
    size = 1 if problem.inputs is None else min(_AT_ONCE, number)
    missing = -number % size

    def parts(array: Array) -> Array:  # filled up with zeros, of the first example
        array = jnp.pad(array, [(0, missing)] + [(0, 0)] * (array.ndim - 1))
        return array.reshape(-1, size, *array.shape[1:])

    def slope(x: Array, i: Array, root: Array, vector: Array) -> Array:
        def condition(x: Array) -> Array:
            return root @ jnp.atleast_1d(problem.outputs(x, i[None])[0])

        return jax.jvp(condition, (x,), (vector,))[1]

    def slopes(x: Array, indices: Array, roots: Array, vectors: Array) -> Array:
        of_example = jax.vmap(slope, in_axes=(None, None, 0, 0))
        return jax.vmap(of_example, in_axes=(None, 0, 0, 0))(x, indices, roots, vectors).sum()

    def add(total: Array, part: tuple[Array, Array, Array]) -> tuple[Array, None]:
        return total + jax.grad(slopes)(x, *part), None

    vectors = vectors.reshape(*roots.shape[:2], x.size)
    return jax.lax.scan(add, jnp.zeros_like(x), (parts(jnp.arange(number)), parts(roots), parts(vectors)))[0]


@shaped
def bend(
    problem: Examples, roots: Float[Array, "n r p"], x: Float[Array, " D"], directions: Float[Array, "q D"]
) -> Float[Array, " M"]:
    """`Σ_k ∇²h[w_k, w_k]` of the M = nr conditions."""

    def along(w: Array) -> Array:
        def slope(x: Array) -> Array:
            return jax.jvp(problem.outputs, (x,), (w,))[1]

        return jax.jvp(slope, (x,), (w,))[1]

    outputs = jax.lax.map(along, directions, batch_size=_AT_ONCE).sum(0)
    return (roots @ outputs.reshape(roots.shape[0], roots.shape[2], 1)).reshape(-1)
