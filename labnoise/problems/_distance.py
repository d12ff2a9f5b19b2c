"""How far a point is from the manifold of minimizers, without going there by gradient flow."""

import jax
import jax.numpy as jnp
from jax import Array

from labnoise import _checks
from labnoise.problems._loss import Loss

# After a fall of the gradient by the first, with a last step of at most the second beside the whole way, it has ended.
_FALL, _LAST = 1e-8, 1e-3
_STEPS = 60
_LONGEST = 1e7  # beside the first step: a longer one would carry the gradient's rounding along Γ
_State = tuple[Array, Array, Array, Array, Array]


def distance(problem: Loss, x: Array) -> Array:
    """`|x − Φ(x)|` to first order, from a point x (D,) near Γ, shape (): the error is of the order of its square.

    The way of a few implicit steps `x ← x − (I/τ + A)⁻¹∇L`, in which τ grows as the gradient falls (pseudo-transient
    continuation), for beside Γ the Hessian is nearly singular. A is the Hessian, for a mean over examples Gauss and
    Newton's part of it; the steps are solved by conjugate gradients, with products of A and vectors: nothing is D x D.
    To follow gradient flow itself takes longer: that is `project`. Where the gradient is zero the distance is, too.

    Returns
    -------
    ()
        Under `jit` NaN where it does not converge.

    Raises
    ------
    ValueError
        If `x` is not a finite vector at which the loss and its derivatives are finite, or there is no answer, as far
        from Γ or where the gradients of the examples are dependent.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> from labnoise import distance, landscapes
    >>> hyperbola, x = landscapes.hyperbola(), jnp.array([2.001, 0.501])                # beside uv = 1
    >>> bool(abs(distance(hyperbola, x) - jnp.linalg.norm(x - hyperbola.project(x))) < 1e-6)
    True
    """
    x = _checks.point("x", x, problem)
    length, left = _distance(problem, x)
    if _checks.concrete(problem, x, left) and not left <= 1:
        _checks.smooth(problem, "x", x, problem.gradient(x))
        _checks.fail(
            "x",
            x,
            "no point of Γ was found near it; "
            + (problem.dependence(x) or "it is too far away: measure from project(problem, x)"),
        )
    return length


@jax.jit
def _distance(problem: Loss, x: Array) -> tuple[Array, Array]:
    """The distance, NaN where it was not found, and what is left of the gradient, beside what is allowed."""

    def unfinished(state: _State) -> Array:
        _, _, _, left, number = state
        return (left > 1) & (number < _STEPS)

    def step(state: _State) -> _State:
        moved, gradient, tau, _, number = state
        product = problem.hessian_product(x + moved)

        def implicit(v: Array) -> Array:
            return v / tau + product(v)

        move = jax.scipy.sparse.linalg.cg(implicit, -gradient, tol=1e-8, maxiter=2 * x.size + 50)[0]
        unsolved = jnp.linalg.norm(implicit(move) + gradient) / (jnp.linalg.norm(gradient) + 1e-300)
        there = problem.gradient(x + moved + move)
        fall = jnp.linalg.norm(gradient) / (jnp.linalg.norm(there) + 1e-300)
        # it is no step where its matrix is indefinite, as far from Γ, or where the gradient rises
        good = (unsolved < 0.1) & (fall > 0.5)
        tau = jnp.minimum(tau * jnp.where(good, jnp.minimum(fall, 10.0), 0.1), _LONGEST * first)
        moved, gradient = jnp.where(good, moved + move, moved), jnp.where(good, there, gradient)
        length = jnp.linalg.norm(move)
        left = jnp.maximum(
            jnp.linalg.norm(gradient) / (_FALL * size + 1e-300),
            length
            / (_LAST * jnp.linalg.norm(moved) + 1e-300),  # it is long where there is no minimum to come
        )
        rounded = good & (length <= 1e-14 * jnp.linalg.norm(x))
        return moved, gradient, tau, jnp.where(rounded, 0.0, left), number + 1

    gradient = problem.gradient(x)
    size = jnp.linalg.norm(gradient)
    curvature = jnp.linalg.norm(problem.hessian_product(x)(gradient))
    first = jnp.where(curvature > 0, size / (curvature + 1e-300), 1.0)
    left = jnp.where(size == 0, 0.0, jnp.inf)  # also where it is no number
    begin = (jnp.zeros_like(x), gradient, first, left, jnp.asarray(0))
    moved, _, _, left, _ = jax.lax.while_loop(unfinished, step, begin)
    return jnp.where(left <= 1, jnp.linalg.norm(moved), jnp.nan), left
