"""Gradient flow by another library: what several tests compare with."""

import jax
import numpy as np
from scipy.integrate import solve_ivp

from labnoise import Loss

_gradient, _hessian = jax.jit(Loss.gradient), jax.jit(Loss.hessian)


def independent_flow(problem, x0, time):
    """Where gradient flow from x0 is after that time, by SciPy's Radau with the exact Jacobian."""
    solution = solve_ivp(
        lambda t, x: -np.asarray(_gradient(problem, x)),
        (0, time),
        np.asarray(x0),
        method="Radau",
        jac=lambda t, x: -np.asarray(_hessian(problem, x)),
        rtol=1e-12,
        atol=1e-13,
    )
    return solution.y[:, -1]
