"""Chapter 5: solutions, inputs to try answers on, usual mistakes and hints."""

from functools import cache

import numpy as np

from labnoise.teaching import exercise


def _semidefinite(rng, rank=None):
    """A Hessian, of deficient rank as on Γ unless the rank is given, and a covariance."""
    D = int(rng.integers(3, 6))
    rank = D - int(rng.integers(1, 3)) if rank is None else min(rank, D)
    J, F = rng.standard_normal((rank, D)), rng.standard_normal((D, D))
    return J.T @ J, F @ F.T


def _divided(H, C, divisor, keep):
    """C in the eigenbasis of H, entry by entry divided by a function of two eigenvalues where `keep` allows."""
    eigenvalues, Q = np.linalg.eigh(H)
    a, b = np.meshgrid(eigenvalues, eigenvalues, indexing="ij")
    small = 1e-9 * eigenvalues[-1]
    kept = keep(a > small, b > small)
    divisors = divisor(np.where(kept, a, 1.0), np.where(kept, b, 1.0))
    return Q @ np.where(kept, Q.T @ C @ Q / divisors, 0.0) @ Q.T


def _not_rotated_back(H, C):
    Q = np.linalg.eigh(H)[1]
    return Q.T @ _divided(H, C, lambda a, b: a + b, lambda p, q: p & q) @ Q


@exercise(
    "5.1",
    inputs=(_semidefinite, lambda rng: _semidefinite(rng, rank=1), lambda rng: _semidefinite(rng, rank=5)),
    mistakes={
        "H and C do not commute: HS + SH = C is not 2HS = C, so S is not ½H†C.": (
            lambda H, C: 0.5 * np.linalg.pinv(H, rcond=1e-9) @ C
        ),
        "Symmetrizing ½H†C does not help: it divides by λ_i and by λ_j in turn, not by their sum.": (
            lambda H, C: 0.25 * (np.linalg.pinv(H, rcond=1e-9) @ C + C @ np.linalg.pinv(H, rcond=1e-9))
        ),
        "The entries with one eigenvalue zero have to go: they belong to the mixed term, and S = NSN.": (
            lambda H, C: _divided(H, C, lambda a, b: a + b, lambda p, q: p | q)
        ),
        "Divide by the sum λ_i + λ_j, not by the product.": (
            lambda H, C: _divided(H, C, lambda a, b: a * b, lambda p, q: p & q)
        ),
        "The normal part is right; but symmetrizing ½H†NCN divides by λ_i and by λ_j, not by their sum.": (
            lambda H, C: _divided(H, C, lambda a, b: 4 / (1 / a + 1 / b), lambda p, q: p & q)
        ),
        "Right in the eigenbasis; now rotate back, Q … Qᵀ.": _not_rotated_back,
        "This is L_H itself: multiply turns into divide for the inverse.": (
            lambda H, C: _divided(H, C, lambda a, b: 1 / (a + b), lambda p, q: p & q)
        ),
        "You have divided by the mean of the two eigenvalues; it is their sum.": (
            lambda H, C: _divided(H, C, lambda a, b: (a + b) / 2, lambda p, q: p & q)
        ),
    },
    hints=(
        "np.linalg.eigh(H) gives λ and Q with H = Q diag(λ) Qᵀ; look at QᵀCQ.",
        "There the equation reads (λ_i + λ_j) S_ij = C_ij, for each i and j by itself.",
        "Keep only the entries for which both λ_i and λ_j are positive beyond rounding.",
    ),
    rtol=1e-5,
    after="With C = H it returns N/2, with C = N it returns H†/2: these are the two corollaries below.",
)
def lyapunov_inverse(H, C):
    """The symmetric S = NSN with HS + SH = NCN; H ⪰ 0 has any rank."""
    eigenvalues, Q = np.linalg.eigh(H)
    positive = eigenvalues > 1e-9 * eigenvalues[-1]
    both = positive[:, None] & positive[None, :]
    sums = np.where(both, eigenvalues[:, None] + eigenvalues[None, :], 1.0)
    return Q @ np.where(both, (Q.T @ C @ Q) / sums, 0.0) @ Q.T


A, B, D = 0.4, 0.25, 0.4  # the noise on the circle: variance a along it, d across it, covariance b
ETAS = (0.08, 0.06, 0.04, 0.03)


@cache
def circle_angles(eta, runs=10_000, seed=1):
    """Mean angle of SGD on the circle at t = 1, its standard error, and the variance of the angle.

    A point of the plane is a complex number, and one step of SGD multiplies it by
    `1 − η((|x|² − 1)/2 + (g_r + i g_t)/|x|)`; the angle is the sum of the arguments of these factors. The
    sum of the kicks −ηg_t has mean zero, and taking it off the angle takes off nearly all of its scatter.
    """
    rng = np.random.default_rng(seed)
    root = np.linalg.cholesky([[A, B], [B, D]])
    x, angle, kicks = np.ones(runs, complex), np.zeros(runs), np.zeros(runs)
    for _ in range(round(1 / eta**2)):
        tangent, radial = root @ rng.standard_normal((2, runs))
        size = np.abs(x)
        factor = 1 - eta * ((size**2 - 1) / 2 + (radial + 1j * tangent) / size)
        x *= factor
        angle += np.angle(factor)
        kicks -= eta * tangent
    quiet = angle - kicks
    return quiet.mean(), quiet.std() / runs**0.5, angle.var()


def _ratios():
    return [circle_angles(eta)[0] / -B for eta in ETAS]


def _fit():
    return np.polyfit(ETAS, _ratios(), 1)


@exercise(
    "5.3",
    mistakes={
        "That is the coefficient on the poster; the computer does not confirm it.": 0.5,
        "That is the drift itself at η = 0, −b times the coefficient. Divide by −b.": -B,
        "That is the limit itself. Give the value at η = 0 of the line through the four ratios.": 1.0,
        "The size is right. The drift is minus the coefficient times b, so the coefficient is positive.": (
            lambda: -coefficient()
        ),
        "That is the slope of the line; np.polyfit returns the intercept last.": lambda: _fit()[0],
        "You have fitted η against the ratios; it is the other way round.": (
            lambda: np.polyfit(_ratios(), ETAS, 1)[1]
        ),
        "That is the ratio at the smallest η. Follow the line to η = 0.": lambda: _ratios()[-1],
    },
    hints=(
        "Divide each mean by −b: four numbers that tend to the coefficient as η → 0.",
        "They lie nearly on a straight line in η: np.polyfit(etas, ratios, 1) returns slope and intercept.",
    ),
    rtol=0.001,  # closer to the intercept than the slope is, and than 1
    after="The coefficient is 1. The value at the smallest η alone would still have been off by some 3 %.",
)
def coefficient():
    """The coefficient of the mixed term, extrapolated to η = 0 from the mean angles above."""
    return np.polyfit(ETAS, [circle_angles(eta)[0] / -B for eta in ETAS], 1)[1]


@exercise(
    "5.4",
    inputs=lambda rng: (lambda n, D: (rng.standard_normal((n, D)), rng.standard_normal((n, D))))(
        *[(2, 4), (2, 3), (3, 5)][rng.integers(3)]
    ),
    mistakes={
        "The 2 is missing: JᵀJ contains J twice.": lambda J, dJ: np.trace(np.linalg.pinv(J) @ dJ),
        "This is the slope of the trace, 2 tr(Jᵀ dJ), which label noise follows; ln|·|₊ weighs by H†.": (
            lambda J, dJ: 2 * np.trace(J.T @ dJ)
        ),
        "This is the slope of ln tr JᵀJ; ln|·|₊ adds up the logarithms of the eigenvalues.": (
            lambda J, dJ: 2 * np.trace(J.T @ dJ) / np.trace(J.T @ J)
        ),
        "Multiply by H†, not by H.": lambda J, dJ: np.trace(J.T @ J @ (dJ.T @ J + J.T @ dJ)),
        "The sign: the logarithm of a determinant grows with the matrix.": (
            lambda J, dJ: -2 * np.trace(np.linalg.pinv(J) @ dJ)
        ),
    },
    hints=(
        "Which invertible matrix has the same positive eigenvalues as JᵀJ?",
        "For an invertible matrix, Jacobi's formula gives the slope of the logarithm of its determinant.",
    ),
    after="This is a way to compute the isotropic drift that never meets a singular matrix: −¼ of it.",
)
def log_pseudodeterminant_slope(J, dJ):
    """The slope of ln|JᵀJ|₊ when J (n, D), of rank n < D, moves along dJ."""
    return 2 * np.trace(np.linalg.solve(J @ J.T, dJ @ J.T))


def _speed(theta, k, beta, factor=0.25, sign=1.0, divide=True, phase=1.0):
    angles = theta - phase * 2 * np.pi * np.arange(k) / k
    stiffness = 2 + np.cos(angles) if divide else 1.0
    return sign * factor * np.sum((1 + np.sin(angles + beta)) * np.sin(angles) / stiffness)


def _shifted_twice(theta, k, beta):
    angles = theta - 2 * np.pi * np.arange(k) / k
    return 0.25 * np.sum((1 + np.sin(angles + beta)) * np.sin(angles + beta) / (2 + np.cos(angles)))


@exercise(
    "5.6",
    inputs=lambda rng: (rng.uniform(0, 2 * np.pi), int(rng.integers(3, 7)), rng.uniform(-3, 3)),
    mistakes={
        "The sign: the weights go where the stiffness falls, and h_i falls where sin(θ − φ_i) > 0.": (
            lambda theta, k, beta: _speed(theta, k, beta, sign=-1.0)
        ),
        "The ½ of the Lyapunov operator is missing: z_i has the variance ητ_i/(2h_i).": (
            lambda theta, k, beta: _speed(theta, k, beta, factor=0.5)
        ),
        "The variance of z_i is ητ_i/(2h_i): the division by h_i is missing.": (
            lambda theta, k, beta: _speed(theta, k, beta, divide=False)
        ),
        "The phase shift β is missing in the noise.": lambda theta, k, beta: _speed(theta, k, 0.0),
        "The phase shift has the wrong sign: it is added, θ − φ_i + β.": (
            lambda theta, k, beta: _speed(theta, k, -beta)
        ),
        "β shifts the noise alone; the stiffness, and its slope −sin(θ − φ_i), stay where they are.": (
            _shifted_twice
        ),
        "Add the k phases up; this is their mean.": lambda theta, k, beta: _speed(theta, k, beta) / k,
    },
    hints=(
        "Which of the four terms are left? Write down the cloud across Γ: it is diagonal.",
        "Each z_i pushes by itself, with the slope of its own h_i along the circle; add the k pushes up.",
    ),
    after="Try it: at β = π the motor runs backwards; at β = ±π/2 its mean speed over the circle is zero, and it "
    "stops.",
)
def motor_speed(theta, k, beta):
    """dθ/dt of the limit for k phases and noise whose phase is shifted by beta."""
    angles = theta - 2 * np.pi * np.arange(k) / k
    return 0.25 * np.sum((1 + np.sin(angles + beta)) * np.sin(angles) / (2 + np.cos(angles)))


# Mutants of the solutions that are right, too, and why (tests/test_solution_mutants.py).
EQUIVALENT = {
    "5.1": {
        "np.transpose(_)": "a covariance is symmetric",
        "positive = eigenvalues > 1e-09": "any threshold above rounding serves",
        "positive = eigenvalues > 1e-09 / eigenvalues[-1]": "any threshold above rounding serves",
        "positive = eigenvalues > 5e-10 * eigenvalues[-1]": "any threshold above rounding serves",
        "positive = eigenvalues > 2e-09 * eigenvalues[-1]": "any threshold above rounding serves",
        "sums = np.where(both, eigenvalues[:, None] + eigenvalues[None, :], 0.0)": "the quotient is dropped",
        "sums = np.where(both, eigenvalues[:, None] + eigenvalues[None, :], 2.0)": "the quotient is dropped",
        "sums = np.where(both, eigenvalues[:, None] + eigenvalues[None, :], 0.5)": "the quotient is dropped",
    },
    "5.3": {
        "np.abs(_)": "the coefficient is positive",
        "np.maximum(_, 0)": "the coefficient is positive",
    },
    "5.6": {
        "angles = theta + 2 * np.pi * np.arange(k) / k": "the phases −2πi/k are the phases 2πi/k in another order",
    },
}
