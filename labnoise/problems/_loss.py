"""Losses with a manifold of minimizers (Li, Wang & Arora 2022, section 3).

`L : R^D -> R` is C³ or smoother, and Γ, its set of minimizers, is a manifold on which ∇²L has constant rank.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax import Array
from jax.tree_util import Partial

from labnoise import _checks
from labnoise._pytree import pytree


@pytree(data=("fn",))
class Loss:
    """Any smooth loss `L(x) = fn(x)`.

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
    >>> from labnoise import Loss
    >>> parabola = Loss(lambda x: 0.5 * x[1] ** 2)          # Γ is the x-axis
    >>> float(parabola.loss(jnp.array([3.0, 2.0])))
    2.0
    >>> parabola.gradient(jnp.array([3.0, 2.0])).tolist()
    [0.0, 2.0]
    """

    fn: Partial

    def __init__(self, fn: Callable[[Array], Array]):
        if not callable(fn):
            _checks.fail("fn", fn, "pass a function of the parameter vector (D,)")
        self.fn = fn if isinstance(fn, Partial) else Partial(fn)

    def loss(self, x: Array) -> Array:
        """L(x), shape ()."""
        return self.fn(x)

    def gradient(self, x: Array) -> Array:
        """∇L(x), shape (D,)."""
        return _gradient(self, x)

    def hessian(self, x: Array) -> Array:
        """∇²L(x), shape (D, D)."""
        return _hessian(self, x)


@pytree(data=("predict", "targets", "loss_scale"))
class LeastSquares(Loss):
    """Mean squared error, `L(x) = (loss_scale/n) Σ_i (f_i(x) − y_i)²`.

    Γ = {f(x) = y} wherever the Jacobian J = ∂f has full row rank n; there `∇²L = (2·loss_scale/n) JᵀJ`.

    Parameters
    ----------
    predict : function (D,) -> (n,)
    targets : (n,)
    loss_scale : positive number
        1 for the paper's mean of squares; HaoChen et al. (2020) use 1/4.

    Raises
    ------
    ValueError
        If `targets` is not a vector of finite numbers, or `loss_scale` is not positive.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> from labnoise import LeastSquares
    >>> product = LeastSquares(lambda x: x[:1] * x[1:], targets=jnp.array([1.0]))
    >>> float(product.loss(jnp.array([3.0, 1.0])))
    4.0
    >>> product.jacobian(jnp.array([3.0, 1.0])).tolist()
    [[1.0, 3.0]]
    """

    predict: Callable[[Array], Array]
    targets: Array
    loss_scale: Array | float

    def __init__(self, predict: Callable[[Array], Array], targets: Array, loss_scale: Array | float = 1.0):
        if not callable(predict):
            _checks.fail(
                "predict", predict, "pass a function from the parameters (D,) to the predictions (n,)"
            )
        self.predict = predict if isinstance(predict, Partial) else Partial(predict)
        self.targets = _checks.real_array("targets", targets, 1)
        if self.targets.size == 0:
            _checks.fail("targets", targets, "pass at least one example")
        _checks.positive("loss_scale", loss_scale)
        self.loss_scale = loss_scale

    @property
    def num_examples(self) -> int:
        """The number n of examples."""
        return self.targets.shape[0]

    def residual(self, x: Array) -> Array:
        """f(x) − y, shape (n,)."""
        predictions = self.predict(x)
        if predictions.shape != self.targets.shape:
            _checks.fail(
                "the shape of predict(x)",
                predictions.shape,
                f"it must be that of targets, {self.targets.shape}",
            )
        return predictions - self.targets

    def jacobian(self, x: Array) -> Array:
        """J = ∂f(x), shape (n, D)."""
        return _jacobian(self, x)

    def loss(self, x: Array) -> Array:
        """L(x), shape ()."""
        return self.loss_scale * jnp.mean(self.residual(x) ** 2)

    def examples(self, x: Array, indices: Array | None = None) -> tuple[Array, Callable[[Array], Array]]:
        """Residuals r (B,) of the examples `indices` (B,), by default all, and the map `a -> Jᵀa = Σ_b a_b ∇f_b(x)`.

        The map takes a (B,) to (D,). All gradients of single examples, `∇ℓ_i = 2·loss_scale·r_i ∇f_i`, are made
        of these two.
        """
        residual, pullback = jax.vjp(self.residual, x)
        if indices is None:
            return residual, lambda weights: pullback(weights)[0]
        zeros = jnp.zeros_like(residual)
        return residual[indices], lambda weights: pullback(zeros.at[indices].add(weights))[0]


# Compiled whole: operation by operation each would cost dozens of small compilations, and as many calls every time.
@jax.jit
def _gradient(problem: Loss, x: Array) -> Array:
    return jax.grad(problem.loss)(x)


@jax.jit
def _hessian(problem: Loss, x: Array) -> Array:
    return jax.hessian(problem.loss)(x)


@jax.jit
def _jacobian(problem: LeastSquares, x: Array) -> Array:
    return jax.jacrev(problem.residual)(x)


def sharpness(problem: Loss, x: Array) -> Array:
    """The trace of the Hessian, `tr ∇²L(x)`, at any point x (D,), shape ().

    Label noise of strength c, `Σ = c∇²L`, makes SGD descend this function along Γ:
    `dY/dt = −(c/4) T∇tr∇²L`, t = η²·steps (Li, Wang & Arora 2022, corollary 5.2).

    Raises
    ------
    ValueError
        If `x` is not a finite vector at which the loss is finite.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> from labnoise import Loss, sharpness
    >>> float(sharpness(Loss(lambda x: 0.5 * (1 + x[0] ** 2) * x[1] ** 2), jnp.array([2.0, 0.0])))
    5.0
    """
    x = _checks.point("x", x, problem)
    return _sharpness(problem, x)


@jax.jit
def _sharpness(problem: Loss, x: Array) -> Array:
    def curvature(direction: Array) -> Array:
        return jnp.vdot(direction, jax.jvp(problem.gradient, (x,), (direction,))[1])

    # one Hessian-vector product at a time and none of the D x D matrix kept
    return jax.lax.map(curvature, jnp.eye(x.size, dtype=x.dtype), batch_size=64).sum()
