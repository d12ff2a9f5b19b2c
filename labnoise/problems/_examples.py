"""Losses that are a mean over examples: what an example's loss asks of the model's output.

`L(x) = (1/n) Σ_i ℓ(f_i(x), y_i)`, where an output f_i is a number or a vector of q numbers. All that is known of ℓ is
its slope `∂ℓ/∂f` and its curvature `∂²ℓ/∂f²` in the output, and what a fresh label is; all that is known of the model
is f and its derivatives. Stochastic gradients are made of slopes, the Hessian on Γ of curvatures (Gauss–Newton).
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from labnoise import _checks
from labnoise.problems._loss import Loss

# Of the largest singular value: smaller ones count as zero, and are it beyond doubt.
_RANK, _ROUNDING = 1e-7, 1e-11
_RIDGE = 1e-15  # of the trace


class Examples(Loss):
    """A mean over n examples, `L(x) = (1/n) Σ_i ℓ(f_i(x), y_i)`, with ℓ at rest where the example is fitted.

    A subclass has `targets`, (n,) or (n, q) if an output is a vector, and the methods `loss(x)`, `predict(x)`,
    `slopes`, `curvatures` and, if its labels can be drawn afresh, `relabel`. Where it has `inputs`, arrays with n rows
    in any tree, it has `predict(x, inputs)` instead, for any number of rows. On Γ `∇²L = (1/n) Jᵀ C J`, J = ∂f and C
    the curvatures, block by block.
    """

    predict: Callable[..., Array]
    targets: Array
    inputs: Any = None

    def slopes(self, outputs: Array, targets: Array) -> Array:
        """`∂ℓ/∂f` of B examples with these outputs and targets, both (B,) or (B, q), in the same shape."""
        _checks.missing(self, "slopes(outputs, targets)", "∂ℓ/∂f of each example")

    def curvatures(self, outputs: Array, targets: Array) -> Array:
        """`∂²ℓ/∂f²` of B examples, shape (B,) or (B, q, q); positive (definite) where they are fitted."""
        _checks.missing(self, "curvatures(outputs, targets)", "∂²ℓ/∂f² of each example")

    def roots(self, outputs: Array, targets: Array) -> Array:
        """R with `RᵀR = ∂²ℓ/∂f²`, shape (B, r, q), r the rank of a curvature; for outputs that are numbers r = q = 1.

        By default Cholesky's, for r = q: a loss whose curvature is singular has another.
        """
        curvatures = self.curvatures(outputs, targets)
        if curvatures.ndim == 1:
            return jnp.sqrt(curvatures)[:, None, None]
        return jnp.linalg.cholesky(curvatures).transpose(0, 2, 1)

    def relabel(self, targets: Array, draw: Any) -> Array:
        """Fresh labels for examples with these targets, in their shape, made of a noise's random numbers."""
        _checks.missing(self, "relabel(targets, draw)", "the labels drawn afresh")

    @property
    def num_examples(self) -> int:
        """The number n of examples."""
        return self.targets.shape[0]

    @property
    def codimension(self) -> int:
        """The number M = nr of conditions that fit all examples, and so the rank of ∇²L where they are independent."""
        return self.num_examples * jax.eval_shape(self.roots, self.targets, self.targets).shape[1]

    def outputs(self, x: Array, indices: Array | None = None) -> Array:
        """f(x), in the shape of the targets; of the B examples `indices` (B,) alone, (B,) or (B, q).

        Without `inputs` the model gives all outputs or none, and a few of them cost as much as all.
        """
        rows = self.num_examples if indices is None or self.inputs is None else indices.size
        if self.inputs is None:
            outputs = self.predict(x)
        elif indices is None:
            outputs = self.predict(x, self.inputs)
        else:
            outputs = self.predict(x, jax.tree.map(lambda leaf: leaf[indices], self.inputs))
        expected = (rows, *self.targets.shape[1:])
        if outputs.shape != expected:
            call, like = (
                ("predict(x)", "that of targets, ")
                if self.inputs is None
                else (f"predict(x, inputs) for {rows} rows", "")
            )
            _checks.fail(f"the shape of {call}", outputs.shape, f"it must be {like}{expected}")
        return outputs if indices is None or self.inputs is not None else outputs[indices]

    def jacobian(self, x: Array) -> Array:
        """J = ∂f(x), shape (n, D) or (nq, D), a row for each output, example by example."""
        return _jacobian(self, x)

    def conditions(self, x: Array) -> tuple[Array, Array]:
        """K (M, D) and m (M,): to first order Γ is where `K(x′ − x) = −m`, and on it `∇²L = KᵀK/n`.

        They are `K = RJ` and `m = R·misfit`, block by block.
        """
        R = self.roots(self.outputs(x), self.targets)
        J = self.jacobian(x).reshape(R.shape[0], R.shape[2], x.size)
        misfit = self.misfit(x).reshape(R.shape[0], R.shape[2], 1)
        return (R @ J).reshape(-1, x.size), (R @ misfit).reshape(-1)

    def examples(
        self, x: Array, indices: Array | None = None
    ) -> tuple[Array, Array, Callable[[Array], Array]]:
        """Outputs and targets of the B examples `indices` (B,), by default all, and `a -> Jᵀa = Σ_b a_b ∇f_b(x)`.

        The map takes an array in the shape of the outputs, (B,) or (B, q), to (D,). Gradients of single examples are
        made of these, `∇ℓ_b = slope_b ∇f_b`.
        """
        targets = self.targets if indices is None else self.targets[indices]
        outputs, pullback = jax.vjp(lambda x: self.outputs(x, indices), x)
        return outputs, targets, lambda weights: pullback(weights)[0]

    def example_gradients(self, x: Array) -> Array:
        """∇ℓ_i(x) of every example, shape (n, D); their mean is ∇L(x)."""
        slopes = self.slopes(self.outputs(x), self.targets).reshape(self.num_examples, -1)
        return jnp.einsum("iq,iqj->ij", slopes, self.jacobian(x).reshape(*slopes.shape, x.size))

    def misfit(self, x: Array) -> Array:
        """How far each output is from the one that its target asks for, to first order, in the shape of the targets."""
        outputs = self.outputs(x)
        slopes, curvatures = self.slopes(outputs, self.targets), self.curvatures(outputs, self.targets)
        if curvatures.ndim == 1:
            return slopes / curvatures
        return jnp.linalg.solve(curvatures, slopes[:, :, None])[:, :, 0]

    # Where there are fewer conditions than parameters all solves below are M x M: with the Gauss–Newton matrix in
    # place of ∇²L, which it equals on Γ.

    def resolvent(self, x: Array, lengths: Array) -> Callable[[Array], Array]:
        if self.codimension >= x.size:
            return super().resolvent(x, lengths)
        K, _ = self.conditions(x)
        scales = (lengths / self.num_examples)[:, None, None]
        inner = scales * jnp.linalg.inv(jnp.eye(K.shape[0], dtype=x.dtype) + scales * (K @ K.T))
        return lambda gradients: gradients - jnp.einsum("kij,kj->ki", inner, gradients @ K.T) @ K

    def hessian_product(self, x: Array) -> Callable[[Array], Array]:
        outputs, forward = jax.linearize(self.outputs, x)
        backward = jax.linear_transpose(forward, x)
        R = self.roots(outputs, self.targets)

        def product(v: Array) -> Array:
            images = R @ forward(v).reshape(R.shape[0], R.shape[2], 1)
            weighed = R.transpose(0, 2, 1) @ images
            return backward(weighed.reshape(outputs.shape))[0] / self.num_examples

        return product

    def newton_step(self, x: Array) -> Array:
        if self.codimension >= x.size:
            return super().newton_step(x)
        K, m = self.conditions(x)
        G = K @ K.T
        # dependent conditions make G singular, and what is added is rounding: it meets no vector in the range of K
        return jnp.linalg.solve(G + _RIDGE * jnp.trace(G) * jnp.eye(len(G)), m) @ K

    def independent(self, x: Array) -> Array | None:
        """Combinations (r, M) of the M conditions with orthonormal coefficients, of which none depends on the others.

        r is the rank of their gradients at a concrete `x`. None where that is M or not clear, or x is not concrete.
        """
        if not _checks.concrete(self, x):
            return None
        coefficients, sizes, _ = jnp.linalg.svd(self.conditions(x)[0], full_matrices=False)
        rank = _rank(sizes)
        if rank == self.codimension or (sizes[rank:] > _ROUNDING * sizes.max()).any():
            return None
        return coefficients[:, :rank].T

    def dependence(self, x: Array) -> str | None:
        number = self.codimension
        if number > x.size:
            return None  # solved with the Hessian, which may be singular
        rank = _rank(jnp.linalg.svd(self.conditions(x)[0], compute_uv=False))
        if rank == number:
            return None
        what = "examples" if self.targets.ndim == 1 else "outputs"
        return (
            f"the gradients of the {number} {what} have rank {rank} only: take repeated or dependent {what} out "
            "(with a weight, or fewer targets), or start where the Jacobian has full rank"
        )

    def complaint(self, x: Array) -> str | None:
        worst = float(jnp.abs(self.misfit(x)).max() / (1 + jnp.abs(self.targets).max()))
        if worst > 1e-7:
            return f"gradient flow from here ends with a residual of {worst:.1e}; start elsewhere"
        return None


def _rank(sizes: Array) -> int:
    return int((sizes > _RANK * sizes.max()).sum())


@jax.jit
def _jacobian(problem: Examples, x: Array) -> Array:
    if problem.inputs is None:
        return jax.jacrev(problem.outputs)(x).reshape(-1, x.size)

    def of_example(i: Array) -> Array:
        return jax.jacrev(lambda x: problem.outputs(x, i[None])[0])(x)

    return jax.vmap(of_example)(jnp.arange(problem.num_examples)).reshape(-1, x.size)


def checked_inputs(inputs: Any, number: int) -> Any:
    """The argument `inputs`, arrays with `number` rows each in any tree, or None."""
    arrays = jax.tree.map(lambda leaf: _checks.numbers("inputs", leaf), inputs)
    for array in jax.tree.leaves(arrays):
        if array.ndim == 0 or array.shape[0] != number:
            _checks.fail(
                "the shape of inputs", array.shape, f"it must begin with n = {number}, a row for each target"
            )
    return arrays
