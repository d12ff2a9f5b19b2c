"""Chapter 2: solutions, inputs to try answers on, usual mistakes and hints."""

import numpy as np

from labnoise.teaching import exercise


def _bowl(rng):
    """A positive definite Hessian and a covariance that does not commute with it.

    Of size 3 or more: the eigenvectors of a 2 × 2 matrix can form a symmetric one, where Q and Qᵀ are the same.
    """
    size = int(rng.integers(3, 6))
    directions = np.linalg.qr(rng.standard_normal((size, size)))[0]
    H = directions @ np.diag(rng.uniform(0.3, 4.0, size)) @ directions.T
    factor = rng.standard_normal((size, size))
    return H, factor @ factor.T


def _solve(H, cov, divisor):
    """Divide, in the eigenbasis of H, by divisor(λ_i, λ_j)."""
    values, Q = np.linalg.eigh(H)
    return Q @ ((Q.T @ cov @ Q) / divisor(values[:, None], values)) @ Q.T


def _unrotated(H, cov, eta):
    values, Q = np.linalg.eigh(H)
    return eta * (Q.T @ cov @ Q) / (values[:, None] + values)


def _rows(H, cov, eta):
    values, Q = np.linalg.eigh(H)
    return eta * Q.T @ ((Q @ cov @ Q.T) / (values[:, None] + values)) @ Q


def _not_rotated(H, cov, eta):
    values, Q = np.linalg.eigh(H)
    return Q @ (eta * cov / (values[:, None] + values)) @ Q.T


def _back_with_transpose(H, cov, eta):
    values, Q = np.linalg.eigh(H)
    return Q.T @ (eta * (Q.T @ cov @ Q) / (values[:, None] + values)) @ Q


@exercise(
    "2.2",
    inputs=lambda rng: (*_bowl(rng), rng.uniform(0.01, 0.2)),
    mistakes={
        "Right in the eigenbasis; now rotate back, Q S Qᵀ.": _unrotated,
        "The learning rate is missing: the right side is ηΣ.": (
            lambda H, cov, eta: _solve(H, cov, lambda a, b: a + b)
        ),
        "The eigenvectors are the columns of Q: go to the eigenbasis by QᵀΣQ and back by Q … Qᵀ.": _rows,
        "Σ has to be rotated, too: in the eigenbasis it is QᵀΣQ.": _not_rotated,
        "You go back with the transpose: from the eigenbasis it is Q … Qᵀ.": _back_with_transpose,
        "The right side is ηΣ: η, not η².": lambda H, cov, eta: eta**2 * _solve(H, cov, lambda a, b: a + b),
        "The entries are divided by λ_i + λ_j, not by their product.": (
            lambda H, cov, eta: eta * _solve(H, cov, lambda a, b: a * b)
        ),
        "This is ½ηH⁻¹Σ, which solves the equation only if H and Σ commute (and else is not even symmetric).": (
            lambda H, cov, eta: eta / 2 * np.linalg.solve(H, cov)
        ),
        "Divide by the sum λ_i + λ_j, not by its half.": (
            lambda H, cov, eta: eta * _solve(H, cov, lambda a, b: (a + b) / 2)
        ),
        "This is the discrete law; the equation asked for has no term −ηHSH.": (
            lambda H, cov, eta: eta * _solve(H, cov, lambda a, b: a + b - eta * a * b)
        ),
    },
    hints=(
        "With H = Q diag(λ) Qᵀ the equation for QᵀSQ has the entries (λ_i + λ_j) S_ij = η (QᵀΣQ)_ij.",
        "values[:, None] + values is the matrix of all sums λ_i + λ_j.",
    ),
    after="In the eigenbasis the equation is no system at all: each entry is one division.",
)
def stationary_covariance(H, cov, eta):
    """S (D, D) with HS + SH = ηΣ, from H > 0 (D, D), Σ (D, D) and η."""
    values, Q = np.linalg.eigh(H)
    return Q @ (eta * (Q.T @ cov @ Q) / (values[:, None] + values)) @ Q.T


def _inputs_and_rate(rng):
    """Inputs z, δ, and a learning rate below m₂/m₄."""
    z = rng.uniform(0.3, 2.0, int(rng.integers(3, 6)))
    return z, rng.uniform(0.2, 1.5), rng.uniform(0.1, 0.8) * np.mean(z**2) / np.mean(z**4)


def _variance(z, delta, eta, fourth, factor=1.0):
    """The variance if `fourth` stands for m₄, times a factor, and the bound on η that goes with it."""
    m2 = np.mean(z**2)
    return factor * eta * delta**2 * m2 / (m2 - eta * fourth), m2 / fourth


@exercise(
    "2.3",
    inputs=_inputs_and_rate,
    mistakes={
        "This is the discrete law with constant noise: the example that is drawn changes the factor before x, too.": (
            lambda z, delta, eta: _variance(z, delta, eta, np.mean(z**2) ** 2)
        ),
        "The variance is right. It exists while E(1 − 2ηz²)² < 1, which fails before the mean is lost.": (
            lambda z, delta, eta: (_variance(z, delta, eta, np.mean(z**4))[0], 1 / np.mean(z**2))
        ),
        "The two parts are right, but in the wrong order: first the variance, then the learning rate.": (
            lambda z, delta, eta: _variance(z, delta, eta, np.mean(z**4))[::-1]
        ),
        "The variance is right. It need not shrink for every example: only the mean of (1 − 2ηz²)² must be below 1.": (
            lambda z, delta, eta: (_variance(z, delta, eta, np.mean(z**4))[0], 1 / np.max(z**2))
        ),
        "This is the continuous law, the limit of small η.": (
            lambda z, delta, eta: (eta * delta**2, np.mean(z**2) / np.mean(z**4))
        ),
        "The mean of (1 − 2ηz²)² is 1 − 4ηm₂ + 4η²m₄: the 4 before m₄ is missing.": (
            lambda z, delta, eta: _variance(z, delta, eta, np.mean(z**4) / 4)
        ),
        "The perturbation enters squared: δ², not δ.": (
            lambda z, delta, eta: _variance(z, delta, eta, np.mean(z**4), 1 / delta)
        ),
        "You have the standard deviation; the variance is asked for.": (
            lambda z, delta, eta: (
                np.sqrt(_variance(z, delta, eta, np.mean(z**4))[0]),
                np.mean(z**2) / np.mean(z**4),
            )
        ),
        "The noise is 2ηδzε: its variance is 4η²δ²m₂, and you have lost a factor 2 or 4.": (
            lambda z, delta, eta: _variance(z, delta, eta, np.mean(z**4), 0.5)
        ),
        "Here m₄ has the power of z that m₂ should have, or the other way round.": (
            lambda z, delta, eta: (
                eta * delta**2 * np.mean(z**4) / (np.mean(z**4) - eta * np.mean(z**2)),
                np.mean(z**4) / np.mean(z**2),
            )
        ),
    },
    hints=(
        "Write the step as x' = (1 − 2ηz²) x + 2ηδzε and square it; ε has mean zero.",
        "In the stationary state E x'² = E x² = S, and z is independent of x: S = E(1 − 2ηz²)² S + 4η²δ²m₂.",
        "E(1 − 2ηz²)² = 1 − 4ηm₂ + 4η²m₄.",
    ),
    after="It exists for η < m₂/m₄, which is at most 1/m₂ = 2/H: the variance is lost before the mean is. To "
    "first order in η the correction is ηm₄/m₂ in place of ηm₂, so the dependence on the state matters as much "
    "as discreteness does.",
)
def stationary_variance(z, delta, eta):
    """The exact stationary variance of x, and the η up to which it exists; inputs z (n,), δ and η."""
    m2, m4 = np.mean(z**2), np.mean(z**4)
    return eta * delta**2 * m2 / (m2 - eta * m4), m2 / m4


@exercise(
    "2.5",
    inputs=lambda rng: (lambda lam: (lam, rng.uniform(0.1, 1.8) / lam.max()))(rng.uniform(0.2, 5.0, 4)),
    mistakes={
        "This is the ratio of the two; the excess is the ratio less 1.": (
            lambda curvatures, eta: 1 + _excess(curvatures, eta)
        ),
        "This is the first order only, ηλ/2 averaged; the exact answer has 2 − ηλ below.": (
            lambda curvatures, eta: eta / 2 * np.sum(curvatures**2) / np.sum(curvatures)
        ),
        "The loss weights each direction by its curvature: this is the excess of the mean square distance.": (
            lambda curvatures, eta: np.mean(eta * curvatures / (2 - eta * curvatures))
        ),
        "Divide by the continuous plateau, not by that of the recursion.": (
            lambda curvatures, eta: 1 - 1 / (1 + _excess(curvatures, eta))
        ),
        "Compare with ηc/4 tr H, not with ηc/2 tr H.": (
            lambda curvatures, eta: (1 + _excess(curvatures, eta)) / 2 - 1
        ),
        "The first order only, and with equal weights: the loss weights each direction by its curvature.": (
            lambda curvatures, eta: eta / 2 * np.mean(curvatures)
        ),
        "The mean curvature does not decide: sum λ/(2 − ηλ) over the directions.": (
            lambda curvatures, eta: _excess(np.atleast_1d(np.mean(curvatures)), eta)
        ),
        "This is the excess in the stiffest direction alone; the others have their share.": (
            lambda curvatures, eta: _excess(np.atleast_1d(np.max(curvatures)), eta)
        ),
        "Sum over the directions first and divide then; this is a sum of ratios.": (
            lambda curvatures, eta: np.sum(eta * curvatures / (2 - eta * curvatures))
        ),
    },
    hints=(
        "The plateau of the recursion is (ηc/2) Σ λ/(2 − ηλ); c cancels in the ratio.",
        "Sum over the directions in each plateau first, and compare the sums; which is larger?",
    ),
    after="For small η this is (η/2) Σλ²/Σλ: it is the stiffest directions that SGD holds least well.",
)
def plateau_excess(curvatures, eta):
    """Plateau of the recursion over the continuous one, less 1."""
    return np.sum(2 * curvatures / (2 - eta * curvatures)) / np.sum(curvatures) - 1


def _excess(curvatures, eta):
    return np.sum(2 * curvatures / (2 - eta * curvatures)) / np.sum(curvatures) - 1


def _valley(rng, sign):
    """A curvature, its slope of the given sign, the noise's τ², and η."""
    return rng.uniform(0.5, 3.0), sign * rng.uniform(0.5, 3.0), rng.uniform(0.2, 2.0), rng.uniform(0.05, 0.3)


@exercise(
    "2.6",
    inputs=(lambda rng: _valley(rng, 1), lambda rng: _valley(rng, -1)),
    mistakes={
        "One ½ is missing: there is one in Taylor's formula and one in the variance ητ²/(2λ) of y.": (
            lambda lam, slope, tau2, eta: -(eta**2) * tau2 * slope / (2 * lam)
        ),
        "Both ½ are missing: the one in the loss ½λy² and the one in the variance ητ²/(2λ).": (
            lambda lam, slope, tau2, eta: -(eta**2) * tau2 * slope / lam
        ),
        "The step multiplies the gradient by η once more: per step it is η², not η.": (
            lambda lam, slope, tau2, eta: -eta * tau2 * slope / (4 * lam)
        ),
        "The sign: a step goes against the gradient, towards smaller λ.": (
            lambda lam, slope, tau2, eta: eta**2 * tau2 * slope / (4 * lam)
        ),
        "τ² is the variance of the noise; the cloud has E y² = ητ²/(2λ).": (
            lambda lam, slope, tau2, eta: -eta * tau2 * slope / 2
        ),
        "Divide by the curvature: y has the variance ητ²/(2λ), a stiff valley holds it tighter.": (
            lambda lam, slope, tau2, eta: -(eta**2) * tau2 * slope / 4
        ),
        "This has the variance of the recursion, ητ²/(λ(2 − ηλ)); to leading order in η it is ητ²/(2λ).": (
            lambda lam, slope, tau2, eta: -(eta**2) * tau2 * slope / (2 * lam * (2 - eta * lam))
        ),
        "That is the velocity per unit of t; per step it is η² times as much.": (
            lambda lam, slope, tau2, eta: -tau2 * slope / (4 * lam)
        ),
    },
    hints=(
        "The derivative of L with respect to x is ½λ'(x)y². What is its mean over the cloud?",
        "Across the valley H = λ, so that 2λ·E y² = ητ².",
    ),
    after="With τ² = cλ, that is label noise, Σ = cH, the curvature cancels and −η²c λ'/4 is left. In general the "
    "velocity is −(η²τ²/4)(ln λ)': with constant τ² the regularizer is the logarithm of the curvature.",
)
def tangent_velocity(lam, slope, tau2, eta):
    """Mean velocity of x per step; slope is λ', tau2 the noise's τ²."""
    return -(eta**2) * tau2 * slope / (4 * lam)


# Mutants of the solutions that are right, too, and why (tests/test_solution_mutants.py).
EQUIVALENT = {
    "2.2": {
        "np.transpose(_)": "a covariance is symmetric",
    },
    "2.5": {
        "np.abs(_)": "the result is never negative",
        "np.maximum(_, 0)": "the result is never negative",
    },
}
