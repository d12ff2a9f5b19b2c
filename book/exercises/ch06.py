"""Chapter 6: solutions, inputs to try answers on, usual mistakes and hints."""

from functools import cache

import numpy as np
from afterzero.experiments.results import read
from scipy.optimize import linprog

from labnoise.teaching import exercise, withdraw

withdraw("6.1", "It was transcription. 6.9 asks what the same prices become in other units.")


def _units(rng):
    """A design whose features differ in size and have a mean, and scales on both sides of one."""
    n, d = int(rng.integers(2, 5)), int(rng.integers(5, 8))
    return (rng.standard_normal((n, d)) + 1) * rng.uniform(0.5, 2, d), rng.uniform(0.3, 3, d)


@exercise(
    "6.9",
    inputs=_units,
    mistakes={
        "These are the prices without the change of units: multiplying a feature changes its mean square.": (
            lambda Z, s: np.mean(Z**2, axis=0)
        ),
        "These are the prices of the coefficients in the new units; the answer is asked for those in the old.": (
            lambda Z, s: s**2 * np.mean(Z**2, axis=0)
        ),
        "The units go the other way: the network sees s_j z_ij, not z_ij/s_j.": (
            lambda Z, s: np.mean(Z**2, axis=0) / s
        ),
        "Coefficients go against their features: if a feature is multiplied, its coefficient is divided.": (
            lambda Z, s: s**3 * np.mean(Z**2, axis=0)
        ),
        "m_j is the mean of the squares, not the variance: no mean is subtracted.": (
            lambda Z, s: s * np.var(Z, axis=0)
        ),
        "m_j is a mean over the examples, not a sum.": (lambda Z, s: s * np.sum(Z**2, axis=0)),
    },
    hints=(
        "Which design does the network see, which coefficients w′ does it find, and what are those in w?",
        "Write down the weighted norm that its flattest point minimizes, all of it in the new units; then put w in.",
    ),
    after="Features scaled to mean square one, as is often done, cost the root of m_j; at s = 1/m it is plain ℓ₁.",
)
def prices(Z, s):
    """The prices p (d,) from the design Z (n, d) and the scales s (d,)."""
    return s * np.mean(Z**2, axis=0)


def _certificate(Z, w_star, moments=None, signs=None, factor=None, zero=()):
    """The linear program of the best margin, with what a reader may get wrong left open; 0 at the features `zero`."""
    n, _ = Z.shape
    m = np.mean(Z**2, axis=0) if moments is None else moments
    on = w_star != 0
    on[list(zero)] = True
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


@cache
def _with_small_features(number, count=8):
    """Three examples, seven features, one true; of the others so many are so small that they hold γ* down."""
    rng, found = np.random.default_rng(number), []
    while len(found) < count:
        Z, w = rng.standard_normal((3, 7)), np.eye(7)[0]
        Z[:, 1 : 1 + number] *= rng.uniform(0.3, 0.8, number)
        small = _from_the_smallest(Z, w)
        if number and np.argmin(np.sum(Z**4, axis=0)[1:]) + 1 == small[0]:
            continue  # the fourth powers are to tell another order
        rates = [_certificate(Z, w, zero=small[:k]) for k in range(3)]
        if rates[0] > 1e-3 and np.argmax(rates) == number and rates[number] > 1.02 * rates[number - 1]:
            found.append((Z, w))
    return found


def _turned(number):
    """One of these cases, with its features in another order and of other signs, in other units, and another truth."""

    def case(rng):
        Z, w = _with_small_features(number)[rng.integers(8)]
        places, signs = rng.permutation(7), rng.choice([-1, 1], 7)
        return (rng.uniform(0.5, 2) * signs * Z)[:, places], (rng.uniform(0.5, 2) * signs * w)[places]

    return case


def _from_the_smallest(Z, w_star):
    """The features by their mean squares, those of the truth last."""
    return np.argsort(np.where(w_star != 0, np.inf, np.mean(Z**2, axis=0)))


def _left_out(Z, w_star):
    """The least feature is taken away where it holds γ* down, and with it all that it asks for."""
    rate, least = _certificate(Z, w_star), np.min(np.mean(Z**2, axis=0)[w_star == 0])
    if rate < least - 1e-9:
        return rate
    kept = np.ones(len(w_star), bool)
    kept[_from_the_smallest(Z, w_star)[0]] = False
    return _certificate(Z[:, kept], w_star[kept])


@exercise(
    "6.11",
    inputs=[_turned(number) for number in range(3)],
    mistakes={
        "That is γ*: right where it is below every m_j off S. Where it equals the least, the error falls faster.": (
            lambda Z, w_star: _certificate(Z, w_star)
        ),
        "One small feature is treated rightly; but there may be several.": lambda Z, w_star: max(
            _certificate(Z, w_star, zero=_from_the_smallest(Z, w_star)[:k]) for k in range(2)
        ),
        "The least feature does not always want a value of its own: in some draws γ* itself is the rate.": (
            lambda Z, w_star: _certificate(Z, w_star, zero=_from_the_smallest(Z, w_star)[:1])
        ),
        "A small feature cannot be left out: with no demand on it its coefficient would not stay small.": _left_out,
    },
    hints=(
        "Say w_j(t) falls faster than β_j. What does the sinh then say of (Zᵀλ)_j + θ_j, and that of (Zᵀν)_j?",
        "So a feature has one of two ways to be fast enough: a margin, or another value of (Zᵀν)_j. Which features, "
        "ordered by m_j, take the second way?",
        "Solve one linear program for each number of features that take it, and compare what you get.",
    ),
    raised={
        "NoneType": "Where linprog finds no solution its x is None: Zᵀν can be prescribed at n features at most."
    },
)
def exponent(Z, w_star):
    """γ in the rate 8cγ at which the error falls, from the design Z (n, d) and the truth w* (d,)."""
    small = _from_the_smallest(Z, w_star)
    equations = len(Z) - np.sum(w_star != 0)
    return max(_certificate(Z, w_star, zero=small[:k]) for k in range(equations + 1))


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
        "Solve that for t. Which c, in terms of δ, does label noise of batch size one have?",
    ),
)
def delay(factor, delta):
    """The delay in t when the scale of the start is multiplied by `factor`."""
    return np.log(factor) / (8 * delta**2)


# Mutants of the solutions that are right, too, and why (tests/test_solution_mutants.py).
EQUIVALENT = {
    "6.9": {"np.abs(_)": "prices are positive", "np.maximum(_, 0)": "prices are positive"},
    "6.11": {
        "np.abs(_) in exponent, 4:11": "where w* is recovered the rate is positive",
        "np.maximum(_, 0) in exponent, 4:11": "where w* is recovered the rate is positive",
        "np.maximum(_, 0) in _certificate, 16:11": "where w* is recovered the largest is positive",
        "np.abs(_) in _from_the_smallest, 2:11": "places are not negative",
        "np.maximum(_, 0) in _from_the_smallest, 2:11": "places are not negative",
        "return np.argsort(np.where(w_star != 0, np.inf, np.sum(Z ** 2, axis=0)))": "sums have the order of means",
        "found = linprog(np.append(np.zeros(n), -2.0), A_ub=np.block([[off, np.ones((len(off), 1))], [-off, n": (
            "a multiple of the goal has the same maximizer"
        ),
        "found = linprog(np.append(np.zeros(n), -0.5), A_ub=np.block([[off, np.ones((len(off), 1))], [-off, n": (
            "a multiple of the goal has the same maximizer"
        ),
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
