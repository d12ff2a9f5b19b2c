"""Descent along Γ of a function: the limit of every method whose spread about Γ is a function of the Hessian alone."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array
from jax.tree_util import Partial

from labnoise import _checks
from labnoise._linalg import pseudo_inverse
from labnoise.limits._follow import checked_times, follow, require_fit
from labnoise.limits._projection import project
from labnoise.limits._runge_kutta import checked_limits
from labnoise.problems import Examples, Loss


def regularizer_flow(
    problem: Loss,
    x0: Array,
    tau: Array,
    regularizer: Callable[[Array], Array],
    tolerance: float = 1e-10,
    max_steps: int = 10_000,
) -> Array:
    """The flow of a regularizer R along Γ, `dY/dτ = −T∇R(Y)`, Y(0) = Φ(x0), at the times `tau`.

    T is the projection on the tangent space of Γ. Where a method's points spread about Γ with a second moment
    `s(∇²L)`, they move along Γ by this flow with `R = ½ tr ς(∇²L)`, ς' = s, each on its own clock τ:

        label noise, `Σ = c∇²L`                  η²·steps           (c/4) tr∇²L
        heavy ball with momentum β               (η/(1−β))²·steps   (c/4) tr∇²L
        `PerturbedGradient`                      σ²η·steps          ½ tr∇²L
        `SharpnessAware`, one example a step     ηρ²·steps          ½ tr∇²L, scalar outputs
        `SharpnessAware`, all examples           ηρ²·steps          ½ λ_max(∇²L)
        normalized gradient descent              η²·steps           ¼ ln λ_max(∇²L)
        weight decay `x ← (1 − λΔτ)x` beside it  of that method     + (λ/2)|x|²

    Sources: Li, Wang & Arora (2022) for label noise, Wen, Ma & Li (2023) for sharpness-aware steps. Dormand and
    Prince's method of order 5 with a return to Γ after each step, and n x n solves for a problem with n < D examples.

    Parameters
    ----------
    problem : Loss
    x0 : (D,)
    tau : (k,), finite times ≥ 0, increasing, in the clock of the method
    regularizer : R, a function (D,) -> (), differentiable on Γ
        Such as `lambda x: 0.5 * sharpness(problem, x)` or `lambda x: 0.5 * largest_curvature(problem, x)`. A new
        function compiles anew, for seconds, with the globals that it uses then; one that is kept, or a
        `jax.tree_util.Partial` of one and data, does not.
        The gradient of `sharpness` takes D products with the Hessian. For a mean over n examples, with fewer outputs
        than parameters, the trace is on Γ also `(K**2).sum() / n` with `K, _ = problem.conditions(x)`, whose gradient
        is another along the normals only: the flow is the same, at D = 1000 in a twentieth of the time and less.
    tolerance, max_steps : number > 0, int ≥ 1
        The local error, relative to Y, and the most steps from one time to the next.

    Returns
    -------
    (k, D), differentiable as that of `label_noise_flow`
        Under `jit` NaN where there is no solution.

    Raises
    ------
    ValueError
        If an argument is bad, R is not a finite number with a finite gradient at Φ(x0), or the flow can be followed
        only for a while, as where two largest eigenvalues meet.

    Examples
    --------
    The valley widens towards its middle, `∇²L = diag(0, 1 + x²)`, so that `dx/dτ = −x`:

    >>> import jax.numpy as jnp
    >>> from labnoise import landscapes, regularizer_flow, sharpness
    >>> valley, tau = landscapes.valley(), jnp.array([0.0, 1.0])
    >>> print(regularizer_flow(valley, jnp.array([1.0, 0.0]), tau, lambda x: 0.5 * sharpness(valley, x)).round(6))
    [[1.       0.      ]
     [0.367879 0.      ]]
    """
    x0 = _checks.point("x0", x0, problem)
    tau = checked_times("tau", tau)
    limits = checked_limits(tolerance, max_steps)
    if not callable(regularizer):
        _checks.fail("regularizer", regularizer, "pass a function from a point (D,) to a number ()")
    regularizer = regularizer if isinstance(regularizer, Partial) else Partial(regularizer)
    _check_shape(regularizer, x0)
    start = project(problem, x0)
    chosen = problem.independent(start) if isinstance(problem, Examples) else None
    data = (problem, regularizer, chosen)
    slope = _finite_at(data, start)
    if _checks.concrete(slope) and not jnp.isfinite(slope).all():
        _checks.fail("regularizer", regularizer, "it and its gradient must be finite at Φ(x0)")
    path = follow("tau", problem, _field, data, start, tau, limits)
    if isinstance(problem, Examples):
        require_fit("tau", tau, problem, path, chosen)
    return path


def _check_shape(regularizer: Any, x0: Array) -> None:
    try:
        value = jax.eval_shape(regularizer, x0.astype(float))
    except (TypeError, ValueError, IndexError) as reason:
        raise ValueError(
            f"regularizer = {regularizer.func!r}: it cannot be evaluated at x0; {reason}"
        ) from reason
    number = isinstance(value, jax.ShapeDtypeStruct) and value.shape == ()
    if not number or not jnp.issubdtype(value.dtype, jnp.floating):
        _checks.fail("regularizer(x)", value, "a regularizer maps a point (D,) to one real number ()")


def regularizer_field(
    problem: Loss, regularizer: Callable[[Array], Array], x: Array, chosen: Array | None = None
) -> tuple[Array, Array]:
    """`−T∇R` at `x` on Γ, and the move from `x` back to Γ along the normals; `chosen` as in `flow_field`."""
    gradient = jax.grad(regularizer)(x)
    if isinstance(problem, Examples) and (problem.codimension < x.size or chosen is not None):
        K, misfit = problem.conditions(x)
        if chosen is not None:
            K, misfit = chosen @ K, chosen @ misfit
        normal, back = jnp.linalg.solve(K @ K.T, jnp.stack([K @ gradient, misfit], axis=1)).T @ K
    else:
        H = problem.hessian(x)
        normal, back = H @ (pseudo_inverse(H) @ gradient), problem.newton_step(x)
    return normal - gradient, -back


_Data = tuple[Loss, Callable[[Array], Array], Array | None]


def _field(data: _Data) -> Callable[[Array], tuple[Array, Array]]:
    problem, regularizer, chosen = data
    return lambda y: regularizer_field(problem, regularizer, y, chosen)


@jax.jit
def _finite_at(data: _Data, start: Array) -> Array:
    """The velocity at the start, not finite where R is not."""
    return _field(data)(start)[0] + 0.0 * data[1](start)
