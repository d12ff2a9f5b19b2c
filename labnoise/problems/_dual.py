"""Exact gradient-flow projection of the sparse model, by an n-dimensional convex problem in place of an ODE.

Gradient flow of `L = (loss_scale/n)|Zw − y|²` moves each coordinate by a factor: with the rows of A being
the z_ij of a feature, `+Zᵀ` for u and `−Zᵀ` for v, it reaches `x ⊙ e^{As}`, where s minimizes the convex dual

    f(s) = ½ Σ_i x_i² e^{2(As)_i} − ⟨y, s⟩,        ∇f = Aᵀ(x² ⊙ e^{2As}) − y = Zw − y.
"""

import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

from labnoise import _checks
from labnoise._shapes import shaped

_MAX_ITERATIONS = 200
# Above this the dual counts as not solved. Rounding alone leaves about 1e-14 where e^{−100} is the scale.
RESIDUAL = 1e-9


def explain_no_projection(x0: Array, residual: Array | float) -> None:
    """Raise ValueError where the dual was not solved: gradient flow from `x0` has no limit on Γ."""
    if not residual < RESIDUAL:
        _checks.fail(
            "x0",
            x0,
            f"Newton on the dual stopped at a relative residual of {float(residual):.1e}; a coordinate "
            "that starts at zero never moves: start with all coordinates away from zero",
        )


@shaped
def dual_projection(
    Z: Float[Array, "n d"],
    y: Float[Array, " n"],
    square: bool,
    x: Float[Array, " D"],
    log_scale: Float[Array, " D"],
    start: Float[Array, " n"] | None = None,
) -> tuple[Float[Array, " D"], Float[Array, ""], Float[Array, " n"]]:
    """Φ(x ⊙ e^{log_scale}), the residual `max|Zw − y|`, relative to the terms that cancel in it, and s.

    Z is the design, y the targets; D = d if `square`, else 2d. The scale
    is kept as a logarithm, since it becomes as small as e^{−100} late in the anneal. Differentiable to third order:
    the iterations, from s = `start` or 0, only find s, then two Newton steps from there carry the derivatives.
    """

    def moved(Z: Array, log_scale: Array, s: Array) -> Array:
        a = s @ Z
        return log_scale + (a if square else jnp.concatenate([a, -a]))

    def newton(Z: Array, y: Array, x: Array, log_scale: Array, s: Array) -> tuple[Array, Array, Array]:
        squares = (x * jnp.exp(moved(Z, log_scale, s))).reshape(-1, Z.shape[1]) ** 2
        weights = squares[0] if square else squares[0] - squares[1]
        sizes = squares.sum(0)  # u² + v²: both halves of A have the same rows
        mismatch = Z @ weights - y
        hessian = 2 * (Z * sizes) @ Z.T
        # late in the anneal the Hessian is singular to working precision in directions that no longer matter
        ridge = 1e-15 * jnp.trace(hessian)
        factor = jax.scipy.linalg.cho_factor(hessian + ridge * jnp.eye(y.size, dtype=y.dtype))
        move = -jax.scipy.linalg.cho_solve(factor, mismatch)
        rounding = jnp.abs(mismatch) / (jnp.abs(Z) @ sizes + jnp.abs(y))
        return move, 2 * jnp.abs(move @ Z).max(), rounding.max()

    # of a sum of d products; late in the anneal the steps get no shorter, since s drifts where it does not matter
    rounding_level = max(1e-15, Z.shape[1] * float(jnp.finfo(x.dtype).eps))

    def unfinished(state: tuple[Array, Array, Array, Array]) -> Array:
        _, length, residual, iteration = state
        return (length > 1e-8) & (residual > rounding_level) & (iteration < _MAX_ITERATIONS)

    frozen = jax.lax.stop_gradient((Z, y, x, log_scale))

    def damped(state: tuple[Array, Array, Array, Array]) -> tuple[Array, Array, Array, Array]:
        s, _, _, iteration = state
        move, length, residual = newton(*frozen, s)
        # f‴ ≤ length · f″ along the step, and so this damping descends from any start: far away it moves the
        # logarithms by ln(length) at a time, where plain Newton overflows
        damping = jnp.where(length > 0, jnp.log1p(length) / length, 1.0)  # the start may be the solution
        return s + damping * move, length, residual, iteration + 1

    infinity = jnp.asarray(jnp.inf, x.dtype)
    s = jnp.zeros_like(y) if start is None else jax.lax.stop_gradient(start)
    s = jax.lax.while_loop(unfinished, damped, (s, infinity, infinity, jnp.asarray(0)))[0]
    for _ in range(2):
        s = s + newton(Z, y, x, log_scale, s)[0]
    residual = newton(Z, y, x, log_scale, s)[2]
    return x * jnp.exp(moved(Z, log_scale, s)), residual, s
