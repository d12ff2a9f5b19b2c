"""The limit of SGD at times t = η²·steps: a diffusion on Γ (Li, Wang & Arora 2022, theorem 4.6)."""

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from labnoise import _checks
from labnoise._linalg import kernel_projection, pseudo_inverse
from labnoise.dynamics import Trajectory
from labnoise.limits._drift import terms_at
from labnoise.limits._factored_drift import factored_terms
from labnoise.limits._projection import on_manifold, project
from labnoise.noises._noise import Noise, require_factor, require_noise, require_unbiased
from labnoise.problems import Examples, Loss

# Newton steps to the point of Γ on the normal plane of the step's start; each squares the distance.
_RETRACTIONS = 3
_Parts = tuple[Array, Array, Callable[[Array], Array]]


def limiting_diffusion(noise: Noise, x0: Array, t: Array | float, num_steps: int, key: Array) -> Trajectory:
    """Paths of the limit Y, `dY = Σ_∥^{1/2} dW + ½∂²Φ[Σ] dt`, from Φ(x0) to the time t.

    Li, Wang & Arora (2022), theorem 4.6; the drift is that of `drift_terms`. Euler–Maruyama with `num_steps` steps
    of length t/num_steps, each followed by a return to Γ along its normals at the step's start. Weak error
    O(t/num_steps).

    Parameters
    ----------
    noise : Noise
    x0 : (D,), anywhere in the basin of Γ
    t : final time, in units of η²·steps of SGD
    num_steps : int ≥ 1
    key : a JAX key, or (R,) keys for R replicas

    Returns
    -------
    Trajectory
        All states; `steps[i]` stands for the time t·i/num_steps.

    Raises
    ------
    ValueError
        If an argument or the noise's factor is bad, `x0` has no projection, or every replica leaves the basin of Γ.

    Examples
    --------
    >>> import jax, jax.numpy as jnp
    >>> from labnoise import GaussianNoise, landscapes, limiting_diffusion
    >>> valley = landscapes.valley(c=1.0)
    >>> noise, x0 = GaussianNoise(valley, valley.cov), jnp.array([1.0, 0.0])
    >>> run = limiting_diffusion(noise, x0, 2.0, 100, jax.random.key(0))
    >>> bool(abs(run.states[-1, 0] - jnp.exp(-1.0)) < 0.01)                      # x(t) = e^{−t/2}
    True
    """
    require_noise(noise)
    require_unbiased(noise)
    _checks.nonnegative("t", t)
    num_steps = _checks.count("num_steps", num_steps)
    _checks.keys(key)
    start = project(noise.problem, x0)
    on_manifold(noise.problem, start)
    noise.check_at(start)
    require_factor(noise, start)
    states, diverged_at = _diffuse(noise, start, jnp.asarray(t, start.dtype), num_steps, key)
    if _checks.concrete(diverged_at) and (diverged_at >= 0).all():
        _checks.fail("num_steps", num_steps, "every replica left the basin of Γ; take more and shorter steps")
    return Trajectory(jnp.arange(num_steps + 1), states, diverged_at)


@partial(jax.jit, static_argnames="num_steps")
def _diffuse(noise: Noise, start: Array, t: Array, num_steps: int, key: Array) -> tuple[Array, Array]:
    dt = t / num_steps
    problem = noise.problem
    few = isinstance(problem, Examples) and problem.codimension < start.size
    parts: Callable[[Any, Array, Array], _Parts] = _of_examples if few else _of_loss

    def step(x: Array, increment: Array) -> tuple[Array, Array]:
        drift, tangent_factor, newton = parts(problem, noise.factor(x), x)
        moved = x + drift * dt + jnp.sqrt(dt) * (tangent_factor @ increment)
        moved = jax.lax.fori_loop(0, _RETRACTIONS, lambda _, y: newton(y), moved)
        return moved, moved

    def replica(key: Array) -> tuple[Array, Array]:
        width = jax.eval_shape(noise.factor, start).shape[1]
        increments = jax.random.normal(key, (num_steps, width), start.dtype)
        states = jnp.concatenate([start[None], jax.lax.scan(step, start, increments)[1]])
        broken = ~jnp.isfinite(states).all(-1)
        return states, jnp.where(broken.any(), jnp.argmax(broken), -1)

    return (jax.vmap(replica) if key.ndim else replica)(key)


def _of_loss(problem: Loss, factor: Array, x: Array) -> _Parts:
    """The drift, TF, and a Newton step to Γ within the normal plane at x, by the whole Hessian."""
    terms = terms_at(problem, factor @ factor.T, x)
    H = problem.hessian(x)
    T = kernel_projection(H, pseudo_inverse(H))
    N = jnp.eye(x.size, dtype=x.dtype) - T

    def newton(y: Array) -> Array:
        return y - jnp.linalg.solve(N @ problem.hessian(y) @ N + T, N @ problem.gradient(y))

    return terms.total, T @ factor, newton


def _of_examples(problem: Examples, factor: Array, x: Array) -> _Parts:
    """The same by the conditions that fit the examples, with solves as large as they are many."""
    terms = factored_terms(problem, factor, x)
    K, _ = problem.conditions(x)
    G = K @ K.T
    idle = jnp.trace(G) * kernel_projection(
        G, pseudo_inverse(G)
    )  # dependent examples ask for nothing of their own

    def newton(y: Array) -> Array:
        there, misfit = problem.conditions(y)
        return y - jnp.linalg.solve(there @ K.T + idle, misfit) @ K

    return terms.total, terms.tangent_factor, newton
