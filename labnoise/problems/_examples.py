"""Losses that are a mean over examples: what an example's loss asks of the model's output.

`L(x) = (1/n) Σ_i ℓ(f_i(x), y_i)`. All that is known of ℓ is its slope `∂ℓ/∂f` and its curvature `∂²ℓ/∂f²` in the
output, and what a fresh label is; all that is known of the model is f and its derivatives. Stochastic gradients are
made of slopes, the Hessian on Γ of curvatures (Gauss–Newton).
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from labnoise import _checks
from labnoise.problems._loss import Loss


class Examples(Loss):
    """A mean over n examples, `L(x) = (1/n) Σ_i ℓ(f_i(x), y_i)`, with ℓ at rest where the example is fitted.

    A subclass has `targets` (n,) and the methods `loss(x)`, `predict(x)`, `slopes`, `curvatures` and, if its labels
    can be drawn afresh, `relabel`. On Γ `∇²L = (1/n) Jᵀ diag(∂²ℓ/∂f²) J`, J = ∂f.
    """

    predict: Callable[[Array], Array]
    targets: Array

    def slopes(self, outputs: Array, targets: Array) -> Array:
        """`∂ℓ/∂f` of examples with these outputs and targets (B,), shape (B,)."""
        _checks.missing(self, "slopes(outputs, targets)", "∂ℓ/∂f of each example")

    def curvatures(self, outputs: Array, targets: Array) -> Array:
        """`∂²ℓ/∂f²` of examples with these outputs and targets (B,), shape (B,); positive where they are fitted."""
        _checks.missing(self, "curvatures(outputs, targets)", "∂²ℓ/∂f² of each example")

    def relabel(self, targets: Array, draw: Any) -> Array:
        """Fresh labels (B,) for examples with these targets, made of a noise's random numbers."""
        _checks.missing(self, "relabel(targets, draw)", "the labels drawn afresh")

    @property
    def num_examples(self) -> int:
        """The number n of examples."""
        return self.targets.shape[0]

    def outputs(self, x: Array) -> Array:
        """f(x), shape (n,)."""
        outputs = self.predict(x)
        if outputs.shape != self.targets.shape:
            _checks.fail(
                "the shape of predict(x)", outputs.shape, f"it must be that of targets, {self.targets.shape}"
            )
        return outputs

    def jacobian(self, x: Array) -> Array:
        """J = ∂f(x), shape (n, D)."""
        return _jacobian(self, x)

    def examples(
        self, x: Array, indices: Array | None = None
    ) -> tuple[Array, Array, Callable[[Array], Array]]:
        """Outputs and targets (B,) of the examples `indices` (B,), by default all, and `a -> Jᵀa = Σ_b a_b ∇f_b(x)`.

        The map takes a (B,) to (D,). Gradients of single examples are made of these, `∇ℓ_b = slope_b ∇f_b`.
        """
        outputs, pullback = jax.vjp(self.outputs, x)
        if indices is None:
            return outputs, self.targets, lambda weights: pullback(weights)[0]
        zeros = jnp.zeros_like(outputs)
        return (
            outputs[indices],
            self.targets[indices],
            lambda weights: pullback(zeros.at[indices].add(weights))[0],
        )

    def example_gradients(self, x: Array) -> Array:
        """∇ℓ_i(x) of every example, shape (n, D); their mean is ∇L(x)."""
        return self.slopes(self.outputs(x), self.targets)[:, None] * self.jacobian(x)

    def misfit(self, x: Array) -> Array:
        """How far each output is from the one that its target asks for, to first order, shape (n,)."""
        outputs = self.outputs(x)
        return self.slopes(outputs, self.targets) / self.curvatures(outputs, self.targets)

    # Where there are fewer examples than parameters all solves below are n x n: with the Gauss–Newton matrix in
    # place of ∇²L, which it equals on Γ.

    def resolvent(self, x: Array, lengths: Array) -> Callable[[Array], Array]:
        if self.num_examples >= x.size:
            return super().resolvent(x, lengths)
        J = self.jacobian(x)
        factor = self.curvatures(self.outputs(x), self.targets) / self.num_examples * lengths[:, None]
        inner = jnp.eye(J.shape[0], dtype=x.dtype) + factor[:, :, None] * (J @ J.T)
        inner = factor[:, None, :] * jnp.linalg.inv(inner)
        return lambda gradients: gradients - jnp.einsum("kij,kj->ki", inner, gradients @ J.T) @ J

    def newton_step(self, x: Array) -> Array:
        if self.num_examples >= x.size:
            return super().newton_step(x)
        J = self.jacobian(x)
        return jnp.linalg.solve(J @ J.T, self.misfit(x)) @ J

    def dependence(self, x: Array) -> str | None:
        number = self.num_examples
        if number > x.size:
            return None  # solved with the Hessian, which may be singular
        sizes = jnp.linalg.svd(self.jacobian(x), compute_uv=False)
        rank = int((sizes > 1e-7 * sizes.max()).sum())
        if rank == number:
            return None
        return (
            f"the gradients of the {number} examples have rank {rank} only: take repeated or dependent examples out "
            "(with a weight, or fewer targets), or start where the Jacobian has full rank"
        )

    def complaint(self, x: Array) -> str | None:
        worst = float(jnp.abs(self.misfit(x)).max() / (1 + jnp.abs(self.targets).max()))
        if worst > 1e-7:
            return f"gradient flow from here ends with a residual of {worst:.1e}; start elsewhere"
        return None


@jax.jit
def _jacobian(problem: Examples, x: Array) -> Array:
    return jax.jacrev(problem.outputs)(x)
