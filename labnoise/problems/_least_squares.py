"""Least squares: the loss of Li, Wang & Arora (2022), section 5, and of HaoChen et al. (2020)."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array
from jax.tree_util import Partial

from labnoise import _checks
from labnoise.problems._examples import Examples, checked_inputs


class LeastSquares(Examples, static=()):
    """Squared error, a mean over examples: `L(x) = (loss_scale/n) Σ_i |f_i(x) − y_i|²`.

    An output is a number or a vector of q numbers, whose squares are added. Γ = {f(x) = y} wherever the Jacobian
    J = ∂f, (n, D) or (nq, D), has full row rank; there `∇²L = (2·loss_scale/n) JᵀJ`.

    Parameters
    ----------
    predict : function (D,) -> (n,) or (n, q); with `inputs` a function of x (D,) and them
        Compiled with the globals that it used at its first call, as `fn` of a `Loss`. Data that it needs belongs in
        `jax.tree_util.Partial(predict, data)`: a new closure for each data set compiles anew, for seconds.
    targets : (n,) or (n, q)
    loss_scale : positive number
        1 for the paper's mean of squares; HaoChen et al. (2020) use 1/4.
    inputs : array with n rows, or any tree of such, optional
        Then `predict(x, rows)` is called for a few rows or all, and treats each by itself: a batch of SGD costs what
        its B examples cost and not n, and what needs ∂f row by row, such as `label_noise_flow`, up to n times less.

    Raises
    ------
    ValueError
        If `targets` is not an array of finite numbers (n,) or (n, q), `loss_scale` is not positive, or `inputs` have
        not n rows.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> from labnoise import LeastSquares
    >>> product = LeastSquares(lambda x: x[:1] * x[1:], targets=jnp.array([1.0]))
    >>> float(product.loss(jnp.array([3.0, 1.0])))
    4.0
    >>> product.jacobian(jnp.array([3.0, 1.0])).tolist()
    [[1.0, 3.0]]

    One example with two outputs:

    >>> both = LeastSquares(lambda x: jnp.array([[x[0] * x[1], x[1]]]), targets=jnp.array([[1.0, 0.0]]))
    >>> float(both.loss(jnp.array([3.0, 1.0])))
    5.0

    Two examples, each with an input of its own:

    >>> scaled = LeastSquares(
    ...     lambda x, z: z * x[0] * x[1], targets=jnp.array([1.0, 2.0]), inputs=jnp.array([1.0, 2.0])
    ... )
    >>> scaled.outputs(jnp.array([3.0, 1.0])).tolist(), scaled.outputs(jnp.array([3.0, 1.0]), jnp.array([1])).tolist()
    ([3.0, 6.0], [6.0])
    """

    loss_scale: Array | float

    def __init__(
        self,
        predict: Callable[..., Array],
        targets: Array,
        loss_scale: Array | float = 1.0,
        inputs: Any = None,
    ):
        if not callable(predict):
            _checks.fail(
                "predict",
                predict,
                "pass a function from the parameters (D,), and the inputs if any, to the predictions (n,) or (n, q)",
            )
        self.predict = predict if isinstance(predict, Partial) else Partial(predict)
        self.targets = _checks.real_array("targets", targets, (1, 2))
        if self.targets.size == 0:
            _checks.fail("targets", targets, "pass at least one example")
        _checks.positive("loss_scale", loss_scale)
        self.loss_scale = loss_scale
        self.inputs = checked_inputs(inputs, self.targets.shape[0])

    @property
    def curvature(self) -> Array | float:
        """`∂²ℓ/∂f² = 2·loss_scale`, that of every output."""
        return 2 * self.loss_scale

    def slopes(self, outputs: Array, targets: Array) -> Array:
        """`∂ℓ/∂f = 2·loss_scale·(f − y)` of examples with these outputs and targets, in their shape."""
        return self.curvature * (outputs - targets)

    def curvatures(self, outputs: Array, targets: Array) -> Array:
        """`∂²ℓ/∂f² = 2·loss_scale`, times I (q, q) for vectors, of each of B examples: (B,) or (B, q, q)."""
        ones = jnp.ones_like(outputs)
        return self.curvature * (ones if ones.ndim == 1 else jax.vmap(jnp.diag)(ones))

    def roots(self, outputs: Array, targets: Array) -> Array:
        """`√(2·loss_scale)`, times I (q, q) for vectors, of each of B examples: (B, q, q), q = 1 for numbers."""
        ones = jnp.ones_like(outputs).reshape(outputs.shape[0], -1)
        return jnp.sqrt(self.curvature) * jax.vmap(jnp.diag)(ones)

    def misfit(self, x: Array) -> Array:
        """f(x) − y, in the shape of the targets."""
        return self.residual(x)

    def relabel(self, targets: Array, draw: Array) -> Array:
        """The labels `y + draw`."""
        return targets + draw

    def noise_strength(self, delta: Array | float, batch_size: int = 1) -> Array | float:
        """The c of label noise of size δ, with which `Σ = c∇²L` on Γ: `c = 2·loss_scale·δ²/B`."""
        return self.curvature * delta**2 / batch_size

    def residual(self, x: Array) -> Array:
        """f(x) − y, in the shape of the targets."""
        return self.outputs(x) - self.targets

    def loss(self, x: Array) -> Array:
        """L(x), shape ()."""
        return self.loss_scale * jnp.sum(self.residual(x) ** 2) / self.num_examples

    def label_noise_path(self, x0: Array, t: Array, c: Array | float) -> Array | None:
        """The limit of a noise with `Σ = c∇²L` on Γ at the times t, where it has a closed form; None where not."""
        return None
