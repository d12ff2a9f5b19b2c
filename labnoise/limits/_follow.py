"""Flows on Γ followed in time, and what is said where one cannot be followed, crosses a kink, or has come to rest."""

import warnings
from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import Array

from labnoise import _checks
from labnoise.limits._runge_kutta import Field, Limits, solve
from labnoise.problems import Examples, Loss
from labnoise.problems._kinks import kink_at, kink_between

# A flow that cannot be followed is at rest if in the second half of its time it moved by less than this, of |Y| and of
# all its way: one that is given up at its first steps has moved by little, too, but half of that in the second half.
_STILL, _SLOWED = 1e-6, 1e-3


def follow(
    name: str,
    problem: Loss,
    make: Callable[[Any], Field],
    data: Any,
    start: Array,
    t: Array,
    limits: Limits,
) -> Array:
    """The states (k, D) of the flow with the field `make(data)` at the times t = `name`, NaN where there are none."""
    path, solid, reached, *_ = solve(make, data, start, t, limits)
    if _checks.concrete(problem, start, t, path, solid, reached) and not solid.all():
        first = int(solid.argmin())
        done = reached[first]
        half = solve(make, data, start, done[None] / 2, limits)
        moved, size, way = (
            float(jnp.linalg.norm(part))
            for part in (path[first] - half.states[0], path[first], path[first] - start)
        )
        if half.solid[0] and done > 0 and moved <= min(_STILL * size, _SLOWED * way):
            warnings.warn(
                f"{name} = {float(t[first]):.6g}: the flow was followed to {float(done):.6g} and has come to "
                f"rest, for in the second half of that it moved by {moved / size:.1e}·|Y|; this one is its state "
                "from there on",
                stacklevel=3,
            )
            path, solid = path.at[first:].set(path[first]), jnp.ones_like(solid)
    explain_unreached(name, t, path, solid, reached, problem)
    warn_of_kinks(name, t, problem, start, path)
    return jnp.where(solid[:, None], path, jnp.nan)


def checked_times(name: str, t: Any) -> Array:
    """Finite times (k,) ≥ 0, increasing."""
    times = _checks.times(name, t)
    if _checks.concrete(times):
        steps = np.diff(np.asarray(times), prepend=0.0)
        if not np.isfinite(np.asarray(times)).all() or (steps < 0).any():
            _checks.fail(name, t, "pass increasing finite times, zero or positive")
    return times


def explain_unreached(
    name: str,
    t: Array,
    path: Array,
    solid: Array,
    reached: Array,
    problem: Loss,
    stiff: str = "it is stiff there: end earlier, or allow more steps (max_steps) or larger errors (tolerance)",
) -> None:
    """Raise ValueError where a flow was given up before one of the concrete times t (k,), and say how far it came."""
    if _checks.concrete(problem, path, reached, solid) and not solid.all():
        first = int(solid.argmin())
        _checks.fail(
            name,
            t,
            f"the flow was followed to {name} = {float(reached[first]):.6g}, not to {float(t[first]):.6g}; "
            + (kink_at(problem, path[first]) or problem.dependence(path[first]) or stiff),
        )


def require_fit(name: str, t: Array, problem: Examples, path: Array, chosen: Array | None) -> None:
    """Raise ValueError where a flow along `chosen` conditions has left the others, at concrete states (k, D)."""
    if chosen is None or not _checks.concrete(problem, t, path, chosen):
        return
    for time, state in zip(np.asarray(t), path, strict=True):
        if problem.complaint(state):
            _checks.fail(
                name,
                t,
                f"at {time:.6g} not all examples are fitted any more: the gradients of the {problem.codimension} "
                f"examples have rank {len(chosen)} at Φ(x0), and another beside it; start where the rank is constant",
            )


def warn_of_kinks(name: str, t: Array, problem: Loss, start: Array, path: Array) -> None:
    """Warn where a flow came from its concrete start to its last state by a kink."""
    if _checks.concrete(problem, start, path) and len(path):
        before = start
        for time, state in zip(np.asarray(t), path, strict=True):
            if kink := kink_between(problem, before, state):
                warnings.warn(f"{name} = {time:.6g}: up to here {kink}", stacklevel=4)
                return
            before = state
