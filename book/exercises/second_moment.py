"""RMSProp on two weights, w₁ + 2w₂ = 1: what chapter 9's widgets draw, written out in NumPy.

The square model w = x⊙x with one example z = (1, 2) and the target 1; label noise ½, so that Σ = ½∇²L on Γ.
"""

from functools import cache

import numpy as np
from scipy.integrate import solve_ivp

FEATURES, DELTA = np.array([1.0, 2.0]), 0.5
C = 2 * DELTA**2  # Σ = c∇²L on Γ
START = np.sqrt([0.36, 0.32])


def diagonal(x):
    """The diagonal of ∇²L on Γ, of which c times is that of Σ."""
    return 8 * FEATURES**2 * np.asarray(x) ** 2


def pull(x, p):
    """−(c/4) P∇tr(P∇²L), with P = diag(p) held fixed: where label noise would go if Γ let it."""
    return -4 * C * p**2 * FEATURES**2 * x


def velocity(x, p):
    """−(c/4) T_P P∇tr(P∇²L): the pull, projected on the tangent of Γ along PJᵀ."""
    J = 2 * FEATURES * x
    free = pull(x, p)
    return free - p * J * (J @ free) / (J @ (p * J))


def crossing(x, p):
    """λ = tr(P∇²L), the rate on the clock ηk at which the distance from Γ falls."""
    return p @ diagonal(x)


@cache
def predicted(rate, speed=0.0, t=1.0):
    """x₁ at the time t of RMSProp with 1 − β₂ = rate·η² = speed·η, from START with V settled.

    With the speed 0 this is the limit; with others, V follows the crossing of Γ in part and the drift is less by the
    factor λ/(λ + speed).
    """

    def slope(_, state):
        x, V = np.split(state, 2)
        p = 1 / np.sqrt(V)
        share = crossing(x, p) / (crossing(x, p) + speed)
        return np.concatenate([share * velocity(x, p), rate * (C * diagonal(x) - V)])

    start = np.concatenate([START, C * diagonal(START)])
    return solve_ivp(slope, (0, t), start, "LSODA", rtol=1e-8, atol=1e-10).y[0, -1]
