"""Losses with a manifold of minimizers (Li, Wang & Arora 2022, section 3).

`L : R^D -> R` is C³ or smoother, and Γ, its set of minimizers, is a manifold on which ∇²L has constant rank.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax import Array
from jax.tree_util import Partial

from labnoise import _checks
from labnoise._linalg import pseudo_inverse
from labnoise._pytree import Pytree


class Loss(Pytree):
    """Any smooth loss `L(x) = fn(x)`; also what all losses share.

    A loss of your own is a subclass with a method `loss(x)`; arrays and numbers that it keeps as attributes are data
    to JAX, so that another value does not compile anew. The other methods follow from it and can be replaced by
    faster ones.

    Parameters
    ----------
    fn : function (D,) -> ()
        Written in `jax.numpy`, three times differentiable. Give parameters by `jax.tree_util.Partial`, so
        that a new value does not compile anew.

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
        return _hessian(self, x)

    def resolvent(self, x: Array, lengths: Array) -> Callable[[Array], Array]:
        """The map `g -> (I + τA)⁻¹g` for each of the `lengths` τ (k,), from (k, D) to (k, D); A is near ∇²L(x).

        Implicit steps of gradient flow are made of it. The nearer A is to ∇²L on Γ, the longer they can be.
        """
        inverse = jnp.linalg.inv(jnp.eye(x.size) + lengths[:, None, None] * self.hessian(x))
        return lambda gradients: jnp.einsum("kij,kj->ki", inverse, gradients)

    def newton_step(self, x: Array) -> Array:
        """`H†∇L`, shape (D,): near Γ what is left to go to it, up to the square of the distance."""
        return pseudo_inverse(self.hessian(x)) @ self.gradient(x)

    def complaint(self, x: Array) -> str | None:
        """What speaks against a concrete `x` (D,), where gradient flow has come to rest, being a minimizer."""
        curvatures = jnp.linalg.eigvalsh(self.hessian(x))
        if curvatures[0] < -1e-6 * jnp.abs(curvatures).max():
            return "gradient flow from here ends at a saddle or a maximum; move the start a little"
        return None

    def own_sharpness(self, x: Array) -> Array | None:
        """`tr∇²L(x)`, where the loss has a closed form for it; None where it has not."""
        return None

    def own_projection(self, x0: Array) -> Array | None:
        """Φ(x0), where the loss has a better way to it than gradient flow; None where it has not."""
        return None


# Compiled whole: operation by operation each would cost dozens of small compilations, and as many calls every time.
@jax.jit
def _gradient(problem: Loss, x: Array) -> Array:
    return jax.grad(problem.loss)(x)


@jax.jit
def _hessian(problem: Loss, x: Array) -> Array:
    return jax.hessian(problem.loss)(x)
