"""A loss in the coordinates in which a preconditioned step is a plain one.

With `P = FFᵀ` and x = Fy the step `x ← x − ηPg(x)` is SGD on `L(Fy)` with the gradient Fᵀg: everything transfers.
"""

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import Array

from labnoise import _checks
from labnoise.problems._examples import Examples
from labnoise.problems._loss import Loss


class Preconditioned(Loss, static=()):
    """`L(Fy)` as a function of y, F a factor (D,) or (D, D) of the preconditioner."""

    def __init__(self, problem: Loss, factor: Array):
        self.problem, self.factor = problem, factor

    def outward(self, y: Array) -> Array:
        """x = Fy."""
        return self.factor * y if self.factor.ndim == 1 else self.factor @ y

    def inward(self, x: Array) -> Array:
        """y = F⁻¹x."""
        return x / self.factor if self.factor.ndim == 1 else jnp.linalg.solve(self.factor, x)

    def pulled(self, gradient: Array) -> Array:
        """Fᵀg, the gradient in y of one in x."""
        return self.factor * gradient if self.factor.ndim == 1 else gradient @ self.factor

    def loss(self, y: Array) -> Array:
        return self.problem.loss(self.outward(y))


class PreconditionedExamples(Preconditioned, Examples, static=()):
    """The same for a mean over examples, which stays one."""

    problem: Examples

    @property
    def targets(self) -> Array:  # type: ignore[override]
        return self.problem.targets

    @property
    def inputs(self) -> Any:
        return self.problem.inputs

    def outputs(self, y: Array, indices: Array | None = None) -> Array:
        return self.problem.outputs(self.outward(y), indices)

    def slopes(self, outputs: Array, targets: Array) -> Array:
        return self.problem.slopes(outputs, targets)

    def curvatures(self, outputs: Array, targets: Array) -> Array:
        return self.problem.curvatures(outputs, targets)

    def roots(self, outputs: Array, targets: Array) -> Array:
        return self.problem.roots(outputs, targets)

    def misfit(self, y: Array) -> Array:
        return self.problem.misfit(self.outward(y))

    def relabel(self, targets: Array, draw: Any) -> Array:
        return self.problem.relabel(targets, draw)


def precondition(problem: Loss, preconditioner: Any, size: int) -> Preconditioned:
    """The problem in the coordinates y, after checking that P is a positive definite (D,) or (D, D)."""
    P = _checks.real_array("preconditioner", preconditioner, (1, 2))
    if P.shape not in ((size,), (size, size)):
        _checks.fail(
            "the shape of preconditioner", P.shape, f"pass ({size},) or ({size}, {size}), as x has D = {size}"
        )
    remedy = "it must be positive definite"
    if P.ndim == 1:
        if _checks.concrete(P) and not (np.asarray(P) > 0).all():
            _checks.fail("preconditioner", preconditioner, remedy + ": pass positive numbers")
        factor = jnp.sqrt(P)
    else:
        P = _checks.covariance("preconditioner", P, size)
        factor = jnp.linalg.cholesky(P)
        if _checks.concrete(factor) and not np.isfinite(np.asarray(factor)).all():
            _checks.fail("preconditioner", preconditioner, remedy)
    made: Callable = PreconditionedExamples if isinstance(problem, Examples) else Preconditioned
    return made(problem, factor)
