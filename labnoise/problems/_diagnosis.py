"""What the theory says to look at along a run: how high, how far from Γ, how flat."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from labnoise import _checks
from labnoise.problems._distance import distance
from labnoise.problems._largest_curvature import largest_curvature
from labnoise.problems._loss import Loss
from labnoise.problems._sharpness import on_manifold_only, sharpness


class Diagnosis(NamedTuple):
    """What was found at each of the states (k, D) of a run; see `diagnose`.

    Attributes
    ----------
    loss : (k,)
        L
    sharpness : (k,)
        tr∇²L; of a mean over examples with more than 20 000 parameters NaN off Γ, where `sharpness` refuses it.
    distance : (k,)
        |x − Φ(x)| to first order; NaN where no point of Γ was found near the state.
    largest_curvature : (k,)
        λ_max(∇²L)
    """

    loss: Array
    sharpness: Array
    distance: Array
    largest_curvature: Array

    def plot(self, axes: Any = None) -> Any:
        """Draw the four against the number of the state, and return the axes (4,).

        On four axes of Matplotlib, in an array of any shape, or on new ones; on a logarithmic scale what is positive.
        """
        if axes is None:
            import matplotlib.pyplot as plt  # here, for it is slow to import

            axes = plt.subplots(2, 2, sharex=True, layout="constrained")[1]
        axes = np.ravel(axes)
        if axes.size != 4:
            _checks.fail("the number of axes", axes.size, "pass four, such as plt.subplots(2, 2)[1]")
        names = (
            "loss $L$",
            "sharpness tr $\\nabla^2L$",
            "distance $|x-\\Phi(x)|$",
            "curvature $\\lambda_\\max$",
        )
        for axis, name, values in zip(axes, names, map(np.asarray, self), strict=True):
            axis.plot(np.arange(len(values)), values)
            axis.set(title=name, xlabel="state")
            if (values[~np.isnan(values)] > 0).all():
                axis.set_yscale("log")
        return axes


def diagnose(problem: Loss, states: Array) -> Diagnosis:
    """Loss, sharpness, distance from Γ and largest curvature at each of the `states`.

    With label noise the loss stays at a level of the order of η, for the states keep a distance of the order of √η from
    Γ; sharpness then falls on the slow clock t = η²·steps. Each by its own function, `sharpness`, `distance`,
    `largest_curvature`: products of the Hessian with vectors, nothing is D x D. The sharpness takes D of them a state,
    so that of long runs a few dozen states are enough.

    Parameters
    ----------
    problem : Loss
    states : (k, D)
        Such as `run.states` of one run of `sgd`, or `run.states[r]` of one of several.

    Returns
    -------
    Diagnosis

    Raises
    ------
    ValueError
        If `states` is not a finite array (k, D) with k ≥ 1, or the loss or its derivatives are not finite at one of
        them, or its largest curvature was not found. Under `jit` that is NaN.

    Examples
    --------
    >>> import jax, jax.numpy as jnp
    >>> from labnoise import LabelNoise, diagnose, landscapes, sgd
    >>> hyperbola = landscapes.hyperbola()
    >>> run = sgd(LabelNoise(hyperbola, 0.5), jnp.array([2.0, 1.0]), 0.01, 20_000, jax.random.key(0), save_every=1000)
    >>> found = diagnose(hyperbola, run.states)
    >>> bool(found.sharpness[-1] < 0.7 * found.sharpness[0]), bool((found.distance[1:] < 0.2).all())
    (True, True)
    """
    states = _checks.real_array("states", states, 2)
    if states.shape[0] == 0:
        _checks.fail("the shape of states", states.shape, "pass at least one state (D,)")
    _checks.point("states[0]", states[0], problem)
    found = _diagnose(problem, states)
    if _checks.concrete(found):
        needed = [found.loss, found.largest_curvature]
        if not on_manifold_only(problem, states[0]):
            needed.append(found.sharpness)
        known = np.isfinite(np.stack(needed)).all(axis=0)
        if not known.all():
            bad = int(known.argmin())
            name, state = f"states[{bad}]", states[bad]
            if not jnp.isfinite(found.loss[bad]):
                _checks.fail(
                    name, state, "the loss is not a finite number there; leave out what has diverged"
                )
            _checks.smooth(problem, name, state, *(values[bad] for values in needed))
            _checks.fail(
                name, state, "Lanczos' method did not find the largest curvature there; leave it out"
            )
    return found


@jax.jit
def _diagnose(problem: Loss, states: Array) -> Diagnosis:
    def at(x: Array) -> Diagnosis:
        measures = (
            problem.loss(x),
            sharpness(problem, x),
            distance(problem, x),
            largest_curvature(problem, x),
        )
        return Diagnosis(*measures)

    return jax.lax.map(at, states)
