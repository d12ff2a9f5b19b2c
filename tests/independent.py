"""Gradient flow by another library: what several tests compare with."""

import numpy as np
from scipy.integrate import solve_ivp


def independent_flow(problem, x0, time):
    """Where gradient flow from x0 is after that time, by SciPy's Radau with the exact Jacobian."""
    solution = solve_ivp(
        lambda t, x: -np.asarray(problem.gradient(x)),
        (0, time),
        np.asarray(x0),
        method="Radau",
        jac=lambda t, x: -np.asarray(problem.hessian(x)),
        rtol=1e-12,
        atol=1e-13,
    )
    return solution.y[:, -1]
