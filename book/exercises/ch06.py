"""Chapter 6: solutions, inputs to try answers on, usual mistakes and hints."""

from functools import cache

import numpy as np
from afterzero.experiments.results import read
from scipy.optimize import linprog

from labnoise.teaching import exercise


@exercise(
    "6.1",
    inputs=lambda rng: (
        lambda n, d: (rng.standard_normal((n, d)), rng.standard_normal(d), rng.standard_normal(d))
    )(int(rng.integers(2, 5)), int(rng.integers(5, 8))),
    mistakes={
        "This is half of it: the loss carries a 2, and the Jacobian of u² another, squared.": (
            lambda Z, u, v: 4 * np.mean(Z**2, axis=0) @ (u**2 + v**2)
        ),
        "The factor is 8, not 2: a second derivative of u² gives (2u)², and the loss carries a 2.": (
            lambda Z, u, v: 2 * np.mean(Z**2, axis=0) @ (u**2 + v**2)
        ),
        "This is the ℓ₁ norm of w, weighted; the sharpness knows u and v, not only u² − v².": (
            lambda Z, u, v: 8 * np.mean(Z**2, axis=0) @ np.abs(u**2 - v**2)
        ),
        "The mean over the examples is missing: m_j is a mean, not a sum.": (
            lambda Z, u, v: 8 * np.sum(Z**2, axis=0) @ (u**2 + v**2)
        ),
        "The weights enter as u² + v²: the second derivative in v is as large as in u, and both add up.": (
            lambda Z, u, v: 8 * np.mean(Z**2, axis=0) @ (u**2 - v**2)
        ),
        "The m_j are missing: this is right for inputs ±1 only.": (lambda Z, u, v: 8 * np.sum(u**2 + v**2)),
    },
    hints=(
        "First m_j: the mean over the rows of the squares of column j.",
        "Differentiate the loss twice in u_j alone: on Γ the residuals vanish. Then in v_j, and add up over j.",
    ),
)
def olm_sharpness(Z, u, v):
    """tr ∇²L from the design Z (n, d) and the weights u, v (d,)."""
    return 8 * np.mean(Z**2, axis=0) @ (u**2 + v**2)


def _certificate(Z, w_star, moments=None, signs=None, factor=None):
    """The linear program of the best margin, with what a reader may get wrong left open."""
    n, _ = Z.shape
    m = np.mean(Z**2, axis=0) if moments is None else moments
    on = w_star != 0
    signs = np.sign(w_star[on]) if signs is None else signs(w_star[on])
    off = Z[:, ~on].T
    found = linprog(
        np.append(np.zeros(n), -1.0),
        A_ub=np.block([[off, np.ones((len(off), 1))], [-off, np.ones((len(off), 1))]]),
        b_ub=np.tile(m[~on], 2),
        A_eq=np.column_stack([Z[:, on].T, np.zeros(on.sum())]),
        b_eq=(m if factor is None else factor)[on] * signs,
        bounds=(None, None),
    )
    return found.x[-1]


def _sparse(rng):
    """A Gaussian design of 12 examples and 20 features, and a truth with three coefficients of either sign."""
    w = np.zeros(20)
    w[rng.permutation(20)[:3]] = (1.5, -0.7, 2.0)
    return rng.standard_normal((12, 20)), w


def _recoverable(rng):
    return next(case for case in iter(lambda: _sparse(rng), None) if _certificate(*case) > 0.05)


def _unrecoverable(rng):
    """So few examples that the best margin is negative."""
    cases = ((Z[:7], w) for Z, w in iter(lambda: _sparse(rng), None))
    return next(case for case in cases if _certificate(*case) < -0.05)


@exercise(
    "6.3",
    inputs=(_sparse, _recoverable, _unrecoverable),
    mistakes={
        "This is right for inputs ±1, where every m_j is one; in general the bounds are the m_j.": (
            lambda Z, w_star: _certificate(Z, w_star, moments=np.ones(Z.shape[1]))
        ),
        "On the support the certificate takes the value m_j times the *sign* of w*_j, not w*_j itself.": (
            lambda Z, w_star: _certificate(Z, w_star, signs=lambda w: w)
        ),
        "On the support the sign of w*_j is missing.": (
            lambda Z, w_star: _certificate(Z, w_star, signs=np.ones_like)
        ),
        "On the support the value is m_j sign w*_j: the m_j is missing.": (
            lambda Z, w_star: _certificate(Z, w_star, factor=np.ones(Z.shape[1]))
        ),
        "The margin may be negative, and then says that w* is not recovered: do not cut it off at 0.": (
            lambda Z, w_star: max(_certificate(Z, w_star), 0.0)
        ),
        "That is the margin with its sign reversed: linprog minimizes, so give it minus the margin.": (
            lambda Z, w_star: -_certificate(Z, w_star)
        ),
        "This certificate of least length is not the best one: maximize the margin over all ν.": (
            lambda Z, w_star: _least_length(Z, w_star)
        ),
    },
    hints=(
        "Collect the unknowns in one vector (ν, γ) of length n + 1, and let linprog minimize −γ.",
        "Off the support there are two inequalities a feature: ±(Zᵀν)_j + γ ≤ m_j.",
        "On the support one equation a feature: (Zᵀν)_j = m_j sign w*_j. Give bounds=(None, None).",
    ),
    raised={
        "NoneType": "Where linprog finds no solution its x and fun are None; print its message. The ν and the "
        "margin may be negative: do the bounds allow it?"
    },
)
def best_margin(Z, w_star):
    """γ* from the design Z (n, d) and the truth w* (d,)."""
    return _certificate(Z, w_star)


def _least_length(Z, w_star):
    m, on = np.mean(Z**2, axis=0), w_star != 0
    nu = np.linalg.lstsq(Z[:, on].T, m[on] * np.sign(w_star[on]))[0]
    return np.min((m - np.abs(Z.T @ nu))[~on])


@cache
def half_way(method, sparsity):
    """The first number of examples at which half of the stored Gaussian problems have an error below 0.1."""
    columns = read("recovery-gaussian")
    chosen = columns["sparsity"] == sparsity
    sizes = np.unique(columns["n"])
    share = [np.mean(columns[method][chosen & (columns["n"] == n)] < 0.1) for n in sizes]
    return float(sizes[np.argmax(np.array(share) >= 0.5)])


@exercise(
    "6.4",
    mistakes={
        "That is the number at t = 2, and for basis pursuit, where label noise ends; at t = 1 it needs more.": (
            lambda: half_way("label noise at t = 2", 10)
        ),
        "That is the number for t = 0.5; by t = 1 it needs fewer.": (
            lambda: half_way("label noise at t = 0.5", 10)
        ),
        "That is gradient descent, which needs nearly as many as there are features.": 197.0,
    },
    hints=(
        'The share of successes for each n is np.mean(ERRORS["label noise at t = 1"][i] < 0.1, axis=1), '
        "where KAPPAS[i] is 10.",
        "Look for the first of the numbers N at which the share reaches one half.",
    ),
    rtol=0.1,
)
def needed():
    """The number of examples at which half of the problems are solved."""
    return half_way("label noise at t = 1", 10)


@exercise(
    "6.6",
    inputs=lambda rng: (rng.uniform(2.0, 50.0), rng.uniform(0.3, 1.5)),
    mistakes={
        "c = 2δ², so 4c = 8δ²: a factor of two is missing.": lambda factor, delta: (
            np.log(factor) / (4 * delta**2)
        ),
        "The start shrinks like e^{−4ct}, not e^{−8ct}: the latter is its square.": (
            lambda factor, delta: np.log(factor) / (16 * delta**2)
        ),
        "The natural logarithm: e^{−4ct} undoes the factor.": lambda factor, delta: (
            np.log10(factor) / (8 * delta**2)
        ),
        "The noise enters as its variance δ², not as δ.": lambda factor, delta: np.log(factor) / (8 * delta),
    },
    hints=(
        "Which t makes the factor times e^{−4ct} equal to one?",
        "t = ln(factor)/(4c), with c = 2δ² for batch size one.",
    ),
)
def delay(factor, delta):
    """The delay in t when the scale of the start is multiplied by `factor`."""
    return np.log(factor) / (8 * delta**2)


# Mutants of the solutions that are right, too, and why (tests/test_solution_mutants.py).
EQUIVALENT = {
    "6.1": {
        "np.abs(_)": "the result is never negative",
        "np.maximum(_, 0)": "the result is never negative",
        "return (u ** 2 + v ** 2) @ (8 * np.mean(Z ** 2, axis=0))": "a scalar product is symmetric",
    },
    "6.3": {
        "found = linprog(np.append(np.zeros(n), -2.0), A_ub=np.block([[off, np.ones((len(off), 1))], [-off, n": (
            "a multiple of the goal has the same maximizer"
        ),
        "found = linprog(np.append(np.zeros(n), -0.5), A_ub=np.block([[off, np.ones((len(off), 1))], [-off, n": (
            "a multiple of the goal has the same maximizer"
        ),
        "())]), b_eq=(m if factor is None else factor)[on] / signs, bounds=(None, None))": "a sign is its inverse",
    },
    "6.4": {
        "np.abs(_)": "a number of examples is positive",
        "np.maximum(_, 0)": "a number of examples is positive",
        "1 + (_)": "a tenth is allowed",
    },
    "6.6": {
        "np.abs(_)": "the factor is above 1, so the delay is positive",
        "np.maximum(_, 0)": "the factor is above 1, so the delay is positive",
    },
}
