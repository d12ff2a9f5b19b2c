"""Losses with a manifold of minimizers (Li, Wang & Arora 2022, section 3).

`L : R^D -> R` is C³ or smoother, and Γ, its set of minimizers, is a manifold on which ∇²L has constant rank.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax import Array
from jax.tree_util import Partial

from labnoise import _checks
from labnoise._linalg import RANK, pseudo_inverse
from labnoise._pytree import Pytree

# What to do where a matrix D x D is too large.
_INSTEAD = (
    "a LeastSquares or CrossEntropy problem with fewer outputs than parameters has no such matrix in project, "
    "label_noise_flow, sharpness, limiting_diffusion, nor in drift_terms if the noise is passed in place of its "
    "covariance; of any loss largest_curvature and distance have none, and hessian_product(x) is the map v -> Hv"
)


class Loss(Pytree):
    """Any smooth loss `L(x) = fn(x)`; also what all losses share.

    A loss of your own is a subclass with a method `loss(x)`; arrays and numbers that it keeps as attributes are data
    to JAX, so that another value does not compile anew. The other methods follow from it and can be replaced by
    faster ones.

    Parameters
    ----------
    fn : function (D,) -> ()
        Written in `jax.numpy`, three times differentiable. Give parameters by `jax.tree_util.Partial`, so
        that a new value does not compile anew. Everything but `loss` itself is compiled at its first call, with the
        globals that `fn` used then: one that changes later is seen by `loss` and not by `gradient`.

    Raises
    ------
    ValueError
        If `fn` cannot be called.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> from labnoise import Loss, project
    >>> parabola = Loss(lambda x: 0.5 * x[1] ** 2)          # Γ is the x-axis
    >>> float(parabola.loss(jnp.array([3.0, 2.0])))
    2.0
    >>> parabola.gradient(jnp.array([3.0, 2.0])).tolist()
    [0.0, 2.0]

    A parameter that may change, and one that may not:

    >>> from jax.tree_util import Partial
    >>> bowl = lambda stiffness, x: 0.5 * stiffness * x @ x
    >>> [float(Loss(Partial(bowl, s)).gradient(jnp.ones(1))[0]) for s in (1.0, 3.0)]      # compiled once
    [1.0, 3.0]
    >>> s = 1.0
    >>> frozen = Loss(lambda x: 0.5 * s * x @ x)
    >>> before, s = frozen.gradient(jnp.ones(1)), 3.0
    >>> float(frozen.loss(jnp.ones(1))), float(frozen.gradient(jnp.ones(1))[0])           # disagree
    (1.5, 1.0)

    A loss of your own:

    >>> class Channel(Loss):
    ...     def __init__(self, stiffness):
    ...         self.stiffness = stiffness
    ...     def loss(self, x):
    ...         return 0.5 * self.stiffness * (x[1] - 1 - x[0] ** 2) ** 2
    >>> print(project(Channel(4.0), jnp.array([0.0, 2.0])).round(6))
    [0. 1.]
    """

    def __init__(self, fn: Callable[[Array], Array]):
        if not callable(fn):
            _checks.fail("fn", fn, "pass a function of the parameter vector (D,)")
        self.fn = fn if isinstance(fn, Partial) else Partial(fn)

    def loss(self, x: Array) -> Array:
        """L(x), shape ()."""
        if not hasattr(self, "fn"):
            _checks.missing(self, "loss(x)", "the loss (), a number, at x (D,)")
        return self.fn(x)

    def gradient(self, x: Array) -> Array:
        """∇L(x), shape (D,)."""
        return _gradient(self, x)

    def hessian(self, x: Array) -> Array:
        """∇²L(x), shape (D, D)."""
        _checks.room("the Hessian", x.size, 1, _INSTEAD)
        return _hessian(self, x)

    def resolvent(self, x: Array, lengths: Array) -> Callable[[Array], Array]:
        """The map `g -> (I + τA)⁻¹g` for each of the `lengths` τ (k,), from (k, D) to (k, D); A is near ∇²L(x).

        Implicit steps of gradient flow are made of it. The nearer A is to ∇²L on Γ, the longer they can be.
        """
        _checks.room(
            "implicit steps of gradient flow on a loss of this kind", x.size, 2 * len(lengths), _INSTEAD
        )
        inverse = jnp.linalg.inv(jnp.eye(x.size) + lengths[:, None, None] * self.hessian(x))
        return lambda gradients: jnp.einsum("kij,kj->ki", inverse, gradients)

    def hessian_product(self, x: Array) -> Callable[[Array], Array]:
        """The map `v -> Av`, (D,) to (D,), for an A that is ∇²L(x), or near it and on Γ the same."""
        return jax.linearize(self.gradient, x)[1]

    def newton_step(self, x: Array) -> Array:
        """`H†∇L`, shape (D,): near Γ what is left to go to it, up to the square of the distance."""
        return pseudo_inverse(self.hessian(x)) @ self.gradient(x)

    def complaint(self, x: Array) -> str | None:
        """What speaks against a concrete `x` (D,), where gradient flow has come to rest, being a minimizer."""
        curvatures, axes = jnp.linalg.eigh(self.hessian(x))
        largest = jnp.abs(curvatures).max()
        if curvatures[0] < -1e-6 * largest:
            return "gradient flow from here ends at a saddle or a maximum; move the start a little"
        # where the curvature vanishes the loss itself tells: along Γ it stays, from a degenerate saddle it falls
        flat = axes[:, jnp.abs(curvatures) <= RANK * largest]
        if flat.shape[1]:
            drop, rounding = _drop(self, x, flat), 1e-13 * (jnp.abs(self.loss(x)) + largest * (x @ x))
            if drop > rounding:
                return (
                    "gradient flow from here ends at a degenerate saddle or maximum, or on its way to infinity: the "
                    f"Hessian vanishes along a direction in which the loss falls by {float(drop):.1e} within 0.01; "
                    "move the start a little, or see that the loss has a finite minimizer"
                )
        return None

    def dependence(self, x: Array) -> str | None:
        """What makes solves over the examples singular at a concrete `x` (D,); None where nothing does."""
        return None

    def own_sharpness(self, x: Array) -> Array | None:
        """`tr∇²L(x)`, where the loss has a closed form for it; None where it has not."""
        return None

    def own_projection(self, x0: Array) -> Array | None:
        """Φ(x0), where the loss has a better way to it than gradient flow; None where it has not."""
        return None


def _drop(problem: Loss, x: Array, flat: Array) -> Array:
    """By how much the loss falls at most within .01 of `x`, along each column of `flat` (D, m) and a few mixtures."""
    mixtures = jax.random.normal(jax.random.key(0), (flat.shape[1], 8), x.dtype)
    directions = jnp.concatenate([flat, flat @ (mixtures / jnp.linalg.norm(mixtures, axis=0))], axis=1).T
    return _largest_drop(problem, x, jnp.concatenate([directions, -directions]))


@jax.jit
def _largest_drop(problem: Loss, x: Array, directions: Array) -> Array:
    def at(direction: Array) -> Array:
        return jnp.minimum(problem.loss(x + 1e-2 * direction), problem.loss(x + 1e-3 * direction))

    return problem.loss(x) - jax.lax.map(at, directions, batch_size=32).min()


# Compiled whole: operation by operation each would cost dozens of small compilations, and as many calls every time.
@jax.jit
def _gradient(problem: Loss, x: Array) -> Array:
    return jax.grad(problem.loss)(x)


@jax.jit
def _hessian(problem: Loss, x: Array) -> Array:
    return jax.hessian(problem.loss)(x)
