"""The gradient-flow projection Φ onto the manifold Γ (Li, Wang & Arora 2022, definition 4.1).

`Φ(x) = lim φ(x, t)`, t → ∞, where `dφ/dt = −∇L(φ)`, φ(x, 0) = x.
"""

import jax
import jax.numpy as jnp
from jax import Array

from labnoise import _checks
from labnoise.dual import RESIDUAL, dual_projection, explain_no_projection
from labnoise.losses import Loss
from labnoise.sparse import SparseRegression


def project(problem: Loss, x0: Array) -> Array:
    """Φ(x0), the point of Γ that gradient flow from `x0` reaches, shape (D,).

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> from labnoise import SparseRegression, project
    >>> problem = SparseRegression(jnp.array([[1.0, 1.0]]), jnp.array([2.0]), parametrization="square")
    >>> project(problem, jnp.array([0.5, 0.5])).round(6).tolist()
    [1.0, 1.0]
    """
    x0 = _checks.point("x0", x0, problem)
    if isinstance(problem, SparseRegression):
        point, residual = _project_sparse(problem, x0)
    else:
        raise NotImplementedError("gradient flow of a general loss comes with milestone 2")
    if _checks.concrete(residual):
        explain_no_projection(x0, residual)
    return jnp.where(residual < RESIDUAL, point, jnp.nan)


@jax.jit
def _project_sparse(problem: SparseRegression, x0: Array) -> tuple[Array, Array]:
    return dual_projection(problem, x0, jnp.zeros_like(x0))
