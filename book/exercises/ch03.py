"""Chapter 3: solutions, inputs to try answers on, usual mistakes and hints."""

import numpy as np

from labnoise.check import exercise

S = np.array([1.0, -1.0])


def _phi(x, p):
    q = x[0] ** 2 - x[1] ** 2
    root = np.sqrt(q**2 + 4 * p**2)
    return np.array([np.sqrt((root + q) / 2), np.sqrt((root - q) / 2)])


def _point(rng):
    """A start with u, v > 0 and u ≠ v, on either side of the diagonal."""
    return rng.uniform(0.3, 1.2, 2) + rng.permutation([0.0, 1.5])


def _balanced_as(x, root):
    """The two weights with u² + v² = root and the unbalance of x."""
    q = x[0] ** 2 - x[1] ** 2
    return np.sqrt(np.maximum([root + q, root - q], 0) / 2)


@exercise(
    "3.1",
    inputs=lambda rng: (_point(rng), rng.uniform(0.4, 0.9) + rng.integers(0, 2)),
    mistakes={
        "This is Φ for p = 1: where uv = 1 becomes uv = p, the 4 under the root becomes 4p².": (
            lambda x, p: _phi(x, 1.0)
        ),
        "(u² + v²)² = q² + 4u²v², and u²v² is p², not p.": lambda x, p: _phi(x, np.sqrt(p)),
        "The two weights are the wrong way round: q > 0 means that the first is the larger.": (
            lambda x, p: _phi(x, p)[::-1]
        ),
        "You have scaled the start onto the curve. That keeps u/v; gradient flow keeps u² − v².": (
            lambda x, p: x * np.sqrt(p / (x[0] * x[1]))
        ),
        "The 4 before p² is missing: (u² + v²)² = (u² − v²)² + 4u²v².": (
            lambda x, p: _balanced_as(x, np.hypot(x[0] ** 2 - x[1] ** 2, p))
        ),
        "These are u² and v²; take the roots.": lambda x, p: _phi(x, p) ** 2,
    },
    hints=(
        "Two equations for the end (U, V): UV = p, and U² − V² = q, its value at the start.",
        "(U² + V²)² = (U² − V²)² + 4U²V² = q² + 4p². With the sum and the difference of two squares you have both.",
        "2U² = √(q² + 4p²) + q.",
    ),
)
def projection(x, p):
    """Φ(x), an array (2,), for the loss (uv − p)², from x = (u, v) with u + v > 0."""
    u, v = x
    q = u**2 - v**2
    root = np.sqrt(q**2 + 4 * p**2)
    return np.array([np.sqrt((root + q) / 2), np.sqrt((root - q) / 2)])


@exercise(
    "3.3",
    inputs=lambda rng: (lambda x: (x, _phi(x, rng.uniform(0.4, 2.0))))(_point(rng)),
    mistakes={
        "This is T at the end, the orthogonal projection on the tangent. It is ∂Φ only if the start lies on Γ.": (
            lambda x, end: np.outer(S * end, S * end) / (end @ end)
        ),
        "This is the transpose: the rows of ∂Φ belong to the components of Φ, its range is the tangent at the end.": (
            lambda x, end: np.outer(S * x, S * end) / (end @ end)
        ),
        "Divide by |Φ|², not by |x|²: the speed along the tangent is dq/(2|Φ|).": (
            lambda x, end: np.outer(S * end, S * x) / (x @ x)
        ),
        "The signs are missing: q = u² − v² has the gradient (2u, −2v), and the tangent is (U, −V).": (
            lambda x, end: np.outer(end, x) / (end @ end)
        ),
        "A factor 2 too large: dq = 2(u du − v dv) on the left meets 2(U dU − V dV) on the right.": (
            lambda x, end: 2 * np.outer(S * end, S * x) / (end @ end)
        ),
        "This is T at the start; the range of ∂Φ is the tangent at the end.": (
            lambda x, end: np.outer(S * x, S * x) / (x @ x)
        ),
    },
    hints=(
        "The end moves along Γ, so (dU, dV) is a multiple κ of the tangent (U, −V).",
        "Find κ from the unbalance: 2U dU − 2V dV = dq = 2u du − 2v dv.",
        "κ = (u du − v dv)/(U² + V²).",
    ),
    after="Its range is the tangent at the end, its kernel is spanned by (v, u), the direction of the gradient.",
)
def slope(x, end):
    """∂Φ(x), an array (2, 2), from x = (u, v) and end = Φ(x) = (U, V)."""
    u, v = x
    U, V = end
    return np.outer([U, -V], [u, -v]) / (U**2 + V**2)


@exercise(
    "3.4",
    inputs=lambda rng: (
        *rng.uniform(0.5, 2.0, 2),
        *(int(k) for k in rng.permutation([1, 2, 3, 4, 5])[:2]),
    ),
    mistakes={
        "That is u² − v², conserved only for m = l.": lambda u, v, m, l: u**2 - v**2,
        "The exponents are the wrong way round: u ← e^{s/m} u and v ← e^{−s/l} v leave u^m v^l alone.": (
            lambda u, v, m, l: u**2 - l / m * v**2
        ),
        "The sign is wrong: what one factor gains, the other must lose.": lambda u, v, m, l: (
            u**2 + m / l * v**2
        ),
        "Right up to a factor: the exercise asks for the multiple in which u² has the factor 1.": (
            lambda u, v, m, l: u**2 / m - v**2 / l
        ),
        "Right up to a factor; multiply so that u² has the factor 1.": lambda u, v, m, l: l * u**2 - m * v**2,
        "This is the invariant of the symmetry, u^m v^l; gradient flow changes it, since the loss depends on it.": (
            lambda u, v, m, l: u**m * v**l
        ),
    },
    hints=(
        "Which scaling u ← e^{as}u, v ← e^{bs}v leaves u^m v^l unchanged? One equation for a and b.",
        "am + bl = 0, and Q = a u² + b v².",
    ),
)
def conserved(u, v, m, l):
    """The conserved Q = u² + … of gradient flow on (u^m v^l − 1)²; u, v numbers, m, l whole numbers."""
    return u**2 - m / l * v**2


@exercise(
    "3.5",
    inputs=lambda rng: (lambda r: (r, 1 / r))(rng.uniform(1.2, 3.0) ** rng.choice([-1.0, 1.0])),
    mistakes={
        "The line has the direction (V, −U), and the unbalance must come back to q; look at your sign.": (
            lambda U, V: np.array([U, V]) - 4 / (U**2 - V**2) * np.array([V, -U])
        ),
        "The term linear in κ is 2·(UV + VU) = 4UV = 4, not 2.": (
            lambda U, V: np.array([U, V]) + 2 / (U**2 - V**2) * np.array([V, -U])
        ),
        "That is Φ(x) itself, which lies on Γ. There is one more point.": lambda U, V: np.array([U, V]),
        "Here the unbalance is q again, but x·Φ is −|Φ|²: ∂Φ changes a sign, it is no projection.": (
            lambda U, V: -np.array([U, V]) - 4 / (U**2 - V**2) * np.array([V, -U])
        ),
    },
    hints=(
        "x·Φ = |Φ|² says that x = Φ + κ(V, −U) for some number κ.",
        "Put this into u² − v² = q. The equation for κ is quadratic, and κ = 0 is one solution.",
    ),
    after="The second point always lies beside the curve, with u and v of different signs, and ∂Φ is oblique there: "
    "idempotent, but not symmetric.",
)
def oblique_point(U, V):
    """The point x ≠ (U, V) with Φ(x) = (U, V) at which (∂Φ)² = ∂Φ, an array (2,); UV = 1, U ≠ V."""
    kappa = 4 / (U**2 - V**2)
    return np.array([U + kappa * V, V - kappa * U])
