"""Cross-entropy with soft targets: a classifier's loss, which then has a manifold of minimizers."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.tree_util import Partial

from labnoise import _checks
from labnoise.problems._examples import Examples, checked_inputs


class CrossEntropy(Examples, static=()):
    """Cross-entropy of q classes, a mean over examples: `L(x) = −(1/n) Σ_i Σ_a y_ia ln p_ia(x)`, p_i = softmax f_i(x).

    The targets are *soft*, each class has a positive chance. Then L has minimizers, Γ = {p = y} wherever the
    gradients of the logits, up to a shift of those of one example, are independent. There L is the mean entropy of the
    targets, not zero, and `∇²L = (1/n) Σ_i J_iᵀ(diag y_i − y_i y_iᵀ)J_i`, J_i = ∂f_i, of rank n(q−1): a common shift of
    an example's logits changes nothing.

    Parameters
    ----------
    logits : function (D,) -> (n, q); with `inputs` a function of x (D,) and them
        f. Compiled as `predict` of a `LeastSquares`; a binary classifier with one logit f has the logits (f, 0).
    targets : (n, q), y: positive rows that sum to 1
        Rounding in their sum is taken out. Hard labels are smoothed first, `(1 − ε)·labels + ε/q`.
    inputs : array with n rows, or any tree of such, optional
        As in `LeastSquares`.

    Raises
    ------
    ValueError
        If `targets` is not an array of positive numbers (n, q) with n ≥ 1, q ≥ 2, a row does not sum to 1, or `inputs`
        have not n rows.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> from labnoise import CrossEntropy
    >>> problem = CrossEntropy(lambda x: jnp.array([[x[0] * x[1], 0.0]]), targets=jnp.array([[0.8, 0.2]]))
    >>> x = jnp.array([2.0, jnp.log(4.0) / 2])                                # on Γ: uv = ln(.8/.2)
    >>> float(abs(problem.gradient(x)).max()) < 1e-15
    True
    >>> print(problem.hessian(x).round(4))                                    # .8·.2 (v, u)ᵀ(v, u)
    [[0.0769 0.2218]
     [0.2218 0.64  ]]
    """

    def __init__(self, logits: Callable[..., Array], targets: Array, inputs: Any = None):
        if not callable(logits):
            _checks.fail("logits", logits, "pass a function from the parameters (D,) to the logits (n, q)")
        self.predict = logits if isinstance(logits, Partial) else Partial(logits)
        targets = _checks.real_array("targets", targets, 2)
        if targets.shape[0] == 0 or targets.shape[1] < 2:
            _checks.fail("the shape of targets", targets.shape, "pass at least one example and two classes")
        sums = targets.sum(axis=1, keepdims=True)
        if _checks.concrete(targets):
            if not (np.asarray(targets) > 0).all():
                _checks.fail(
                    "targets",
                    targets,
                    "each class needs a positive chance, or L has no minimizer; smooth the labels: "
                    "(1 − ε)·labels + ε/q",
                )
            if abs(np.asarray(sums) - 1).max() > 1e-5:
                _checks.fail("the sums of the rows of targets", sums[:, 0], "each row must sum to 1")
        self.targets = targets / sums
        self.inputs = checked_inputs(inputs, targets.shape[0])

    def loss(self, x: Array) -> Array:
        """L(x), shape ()."""
        return -jnp.sum(self.targets * jax.nn.log_softmax(self.outputs(x))) / self.num_examples

    def slopes(self, outputs: Array, targets: Array) -> Array:
        """`∂ℓ/∂f = p − y` of examples with these logits and targets (B, q), in their shape."""
        return jax.nn.softmax(outputs) - targets

    def curvatures(self, outputs: Array, targets: Array) -> Array:
        """`∂²ℓ/∂f² = diag p − ppᵀ` of B examples, shape (B, q, q)."""
        p = jax.nn.softmax(outputs)
        return jax.vmap(jnp.diag)(p) - p[:, :, None] * p[:, None, :]

    def roots(self, outputs: Array, targets: Array) -> Array:
        """R (B, q−1, q) with `RᵀR = diag p − ppᵀ`: `R = Bᵀ diag √p`, the columns of B orthonormal and normal to √p."""
        root = jnp.exp(0.5 * jax.nn.log_softmax(outputs))
        mirror = root.at[:, -1].add(1.0)  # Householder's reflection takes √p to −e_q, and B to the other axes
        scaled = 2 * mirror / jnp.sum(mirror**2, axis=1, keepdims=True)
        basis = jnp.eye(root.shape[1], dtype=root.dtype)[:-1] - mirror[:, :-1, None] * scaled[:, None, :]
        return basis * root[:, None, :]

    def misfit(self, x: Array) -> Array:
        """`f(x) − ln y`, less its mean over the classes, shape (n, q)."""
        excess = self.outputs(x) - jnp.log(self.targets)
        return excess - excess.mean(axis=1, keepdims=True)

    def relabel(self, targets: Array, draw: Any) -> Array:
        """Hard labels (B, q), one class each, drawn from these targets with uniform numbers `draw` (B,)."""
        passed = draw[:, None] >= jnp.cumsum(targets, axis=1)[:, :-1]
        return jax.nn.one_hot(passed.sum(axis=1), targets.shape[1], dtype=targets.dtype)
