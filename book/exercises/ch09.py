"""Chapter 9: solutions, inputs to try answers on, usual mistakes and hints."""

import numpy as np

from labnoise.teaching import exercise


def _jacobian(rng):
    n, D = (2, 5) if rng.integers(2) else (1, 3)
    return rng.standard_normal((n, D)), rng.uniform(0.2, 3.0, D)


@exercise(
    "9.1",
    inputs=_jacobian,
    mistakes={
        "That is the orthogonal projection: it would be right for P = I.": (
            lambda J, p: np.eye(p.size) - J.T @ np.linalg.solve(J @ J.T, J)
        ),
        "Transposed: P stands to the left of Jᵀ, so that the result is tangent.": lambda J, p: (
            oblique(J, p).T
        ),
        "That is the part which is taken away, I − T_P.": lambda J, p: np.eye(p.size) - oblique(J, p),
        "With the inverse of P: the fast motion goes along PJᵀ, not along P⁻¹Jᵀ.": lambda J, p: oblique(
            J, 1 / p
        ),
        "P is missing inside the inverse; without it T_P is no projection.": (
            lambda J, p: np.eye(p.size) - (p * J).T @ np.linalg.solve(J @ J.T, J)
        ),
        "P is missing in front of Jᵀ; without it T_P is no projection.": (
            lambda J, p: np.eye(p.size) - J.T @ np.linalg.solve((J * p) @ J.T, J)
        ),
        "With the root of P: that is the projection in the coordinates y, turned back by half.": (
            lambda J, p: oblique(J, np.sqrt(p))
        ),
    },
    hints=(
        "What does the fast motion −P∇L look like near Γ? Its directions are those that T_P has to annihilate.",
        "J * p multiplies the columns of J by p, which is J @ np.diag(p). Check: T @ T is T, and J @ T is 0.",
    ),
    after="Its trace is D − n for every p: a projection onto the tangent space, whatever the metric.",
)
def oblique(J, p):
    """The projection T_P (D, D) from the Jacobian J (n, D) and the diagonal p (D,) of P."""
    across = p[:, None] * J.T
    return np.eye(p.size) - across @ np.linalg.solve(J @ across, J)


def _example(rng):
    """Inputs and coefficients of which the largest is not that of the least or greatest input or price."""
    while True:
        z, w = rng.uniform(0.3, 3.0, 5), rng.uniform(0.1, 1.0, 5)
        winners = {int(np.argmin(z)), int(np.argmax(z)), int(np.argmax(z * w)), int(np.argmax(z * z * w))}
        if int(np.argmax(w)) not in winners and len(winners) == 4:
            return z, w


def _alone(z, w, j):
    return np.where(np.arange(z.size) == j, z @ w / z, 0.0)


@exercise(
    "9.4",
    inputs=_example,
    mistakes={
        "That is where SGD ends, at the least price. It is Adam's lowest valley too, but Adam does not find it.": (
            lambda z, w: _alone(z, w, np.argmin(z))
        ),
        "The right one is left, but alone it has to fit the example: z_j w_j = y.": (
            lambda z, w: np.where(w == w.max(), w, 0.0)
        ),
        "You let the largest input win. Which entries keep their order in the equation?": (
            lambda z, w: _alone(z, w, np.argmax(z))
        ),
        "You let the largest contribution z_j w_j win. Which entries keep their order in the equation?": (
            lambda z, w: _alone(z, w, np.argmax(z * w))
        ),
        "You let the largest m_j w_j win; in the equation of a settled V the prices drop out.": (
            lambda z, w: _alone(z, w, np.argmax(z * z * w))
        ),
        "That is the smallest, which dies first.": lambda z, w: _alone(z, w, np.argmin(w)),
    },
    hints=(
        "Write down the equation of one entry x_j. Which of its terms knows j?",
        "With n = 1, √m_j is z_j. So the order of the x_j never changes; in the end one is left, and it fits y.",
    ),
    after="SGD ends at the same point from everywhere; Adam has as many ends as there are features.",
)
def last_one(z, w):
    """The final coefficients (d,) from the inputs z (d,) and the coefficients w (d,) of the start, on Γ."""
    end = np.zeros(z.size)
    j = np.argmax(w)
    end[j] = z @ w / z[j]
    return end


def _sizes(rng):
    u = rng.uniform(0.5, 2.0)
    return u, u * rng.uniform(0.05, 0.6), rng.uniform(0.2, 1.0)


@exercise(
    "9.5",
    inputs=_sizes,
    mistakes={
        "That is for e = 0.": lambda u, v, e: u**2 - v**2,
        "The square of u + e has a term in the middle, 2ue.": lambda u, v, e: (
            u**2 - v**2 + 2 * e**2 * np.log(u / v)
        ),
        "You have integrated 2(u + e): the equation has u in the numerator and (u + e)² below.": (
            lambda u, v, e: (u + e) ** 2 - (v + e) ** 2
        ),
        "Half of it: the equation has a 2 in the denominator.": lambda u, v, e: lifetime(u, v, e) / 2,
        "The time is negative: the weight falls from u to v.": lambda u, v, e: -lifetime(u, v, e),
        "The logarithm is of the ratio u/v, with the factor 2e².": (
            lambda u, v, e: u**2 - v**2 + 4 * e * (u - v) + e**2 * np.log(u / v)
        ),
    },
    hints=(
        "Separate the variables: dt is a function of u times du.",
        "Expand (u + e)²/u into three terms, and integrate each from v to u.",
    ),
    after="As e → 0 the time to zero is u². With e > 0 zero is never reached, but the last part is quick: each factor "
    "of ten below e takes only 2e² ln 10.",
)
def lifetime(u, v, e):
    """The time t in which a weight falls from u to v, where e > 0 is ε in units of √(8cm)."""
    return u**2 - v**2 + 4 * e * (u - v) + 2 * e**2 * np.log(u / v)


# Mutants of the solutions that are right, too, and why (tests/test_solution_mutants.py).
EQUIVALENT = {
    "9.4": {
        "end[j] = w @ z / z[j]": "a scalar product does not ask for an order",
        "np.abs(_)": "the coefficients are positive",
        "np.maximum(_, 0)": "the coefficients are positive",
    },
    "9.5": {
        "np.abs(_)": "the time is positive",
        "np.maximum(_, 0)": "the time is positive",
    },
}
