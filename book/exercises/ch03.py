"""Chapter 3: solutions, inputs to try answers on, usual mistakes and hints."""

import numpy as np

from labnoise.teaching import exercise

S = np.array([1.0, -1.0])


def _phi(x, y):
    q = x[0] ** 2 - x[1] ** 2
    root = np.sqrt(q**2 + 4 * y**2)
    return np.array([np.sqrt((root + q) / 2), np.sqrt((root - q) / 2)])


def _point(rng):
    """A start with u, v > 0 and u ≠ v, on either side of the diagonal."""
    return rng.uniform(0.3, 1.2, 2) + rng.permutation([0.0, 1.5])


def _across_the_axis(rng):
    """A start with v < 0 < u + v, whose end has both weights positive."""
    u = rng.uniform(1.0, 2.0)
    return np.array([u, -rng.uniform(0.2, 0.8) * u])


def _target(rng):
    """Below or above 1, where y and y² differ."""
    return rng.uniform(0.4, 0.9) + rng.integers(0, 2)


@np.errstate(invalid="ignore")
def _scaled(x, y):
    """On Γ only where u and v have one sign."""
    return x * np.sqrt(y / (x[0] * x[1]))


def _nearest(x, y):
    """The point of uv = y with u > 0 that is nearest to x."""
    roots = np.roots([1, -x[0], 0, x[1] * y, -(y**2)])
    u = roots[(np.abs(roots.imag) < 1e-7) & (roots.real > 0)].real
    return min((np.array([a, y / a]) for a in u), key=lambda p: np.sum((p - x) ** 2))


def _balanced_as(x, root):
    """The two weights with u² + v² = root and the unbalance of x."""
    q = x[0] ** 2 - x[1] ** 2
    return np.sqrt(np.maximum([root + q, root - q], 0) / 2)


@exercise(
    "3.1",
    inputs=(
        lambda rng: (_point(rng), _target(rng)),
        lambda rng: (_across_the_axis(rng), _target(rng)),
        lambda rng: (_across_the_axis(rng)[::-1], _target(rng)),
    ),
    mistakes={
        "This is Φ for y = 1: where uv = 1 becomes uv = y, the 4 under the root becomes 4y².": (
            lambda x, y: _phi(x, 1.0)
        ),
        "(u² + v²)² = q² + 4u²v², and u²v² is y², not y.": lambda x, y: _phi(x, np.sqrt(y)),
        "The two weights are the wrong way round: q > 0 means that the first is the larger.": (
            lambda x, y: _phi(x, y)[::-1]
        ),
        "You have scaled the start onto the curve. That keeps u/v; gradient flow keeps u² − v².": _scaled,
        "The signs are those of the start; but where u + v > 0 gradient flow ends with u, v > 0.": (
            lambda x, y: np.sign(x) * _phi(x, y)
        ),
        "This is the point of Γ nearest to x. Gradient flow goes to another one: it keeps u² − v².": _nearest,
        "The 4 before y² is missing: (u² + v²)² = (u² − v²)² + 4u²v².": (
            lambda x, y: _balanced_as(x, np.hypot(x[0] ** 2 - x[1] ** 2, y))
        ),
        "These are u² and v²; take the roots.": lambda x, y: _phi(x, y) ** 2,
    },
    hints=(
        "Two equations for the end (ū, v̄): ūv̄ = y, and ū² − v̄² = q, its value at the start.",
        "(ū² + v̄²)² = (ū² − v̄²)² + 4ū²v̄² = q² + 4y². With the sum and the difference of two squares you have both.",
        "2ū² = √(q² + 4y²) + q.",
    ),
)
def projection(x, y):
    """Φ(x), an array (2,), for the loss (uv − y)² and x = (u, v)."""
    u, v = x
    q = u**2 - v**2
    root = np.sqrt(q**2 + 4 * y**2)
    return np.array([np.sqrt((root + q) / 2), np.sqrt((root - q) / 2)])


@exercise(
    "3.3",
    inputs=(
        lambda rng: (lambda x: (x, _phi(x, rng.uniform(0.4, 2.0))))(_point(rng)),
        lambda rng: (lambda x: (x, _phi(x, rng.uniform(0.4, 2.0))))(_across_the_axis(rng)),
    ),
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
        "The signs are missing: q = u² − v² has the gradient (2u, −2v), and the tangent is (ū, −v̄).": (
            lambda x, end: np.outer(end, x) / (end @ end)
        ),
        "A sign is missing in the tangent at the end, which is (ū, −v̄).": (
            lambda x, end: np.outer(end, S * x) / (end @ end)
        ),
        "A sign is missing in the gradient of q = u² − v², which is (2u, −2v).": (
            lambda x, end: np.outer(S * end, x) / (end @ end)
        ),
        "A factor 2 too large: dq = 2(u du − v dv) on the left meets 2(ū dū − v̄ dv̄) on the right.": (
            lambda x, end: 2 * np.outer(S * end, S * x) / (end @ end)
        ),
        "This is T at the start; the range of ∂Φ is the tangent at the end.": (
            lambda x, end: np.outer(S * x, S * x) / (x @ x)
        ),
    },
    hints=(
        "The end moves along Γ, so (dū, dv̄) is a multiple κ of the tangent (ū, −v̄).",
        "Find κ from the unbalance: 2ū dū − 2v̄ dv̄ = dq = 2u du − 2v dv.",
        "κ = (u du − v dv)/(ū² + v̄²).",
    ),
    after="Its range is the tangent at the end, its kernel is spanned by (v, u), the direction of the gradient.",
)
def slope(x, end):
    """∂Φ(x), an array (2, 2), from x = (u, v) and end = Φ(x) = (ū, v̄)."""
    u, v = x
    return np.outer([end[0], -end[1]], [u, -v]) / (end[0] ** 2 + end[1] ** 2)


@exercise(
    "3.4",
    inputs=lambda rng: (
        *rng.uniform(0.5, 2.0, 2),
        *(int(k) for k in rng.permutation([1, 2, 3, 4, 5])[:2]),
    ),
    mistakes={
        "That is u² − v², conserved only for m = l.": lambda u, v, m, l: u**2 - v**2,
        "The exponents are the wrong way round: u ← e^{α/m} u and v ← e^{−α/l} v leave u^m v^l alone.": (
            lambda u, v, m, l: u**2 - l / m * v**2
        ),
        "The ratio enters once, not squared: a and b are squared nowhere in Q = a u² + b v².": (
            lambda u, v, m, l: u**2 - (m / l) ** 2 * v**2
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
        "Which scaling u ← e^{aα}u, v ← e^{bα}v leaves u^m v^l unchanged? One equation for a and b.",
        "am + bl = 0, and Q = a u² + b v².",
    ),
)
def conserved(u, v, m, l):
    """The conserved Q(u, v) = u² + … of gradient flow on (u^m v^l − 1)²."""
    return u**2 - m / l * v**2


def _step(p):
    """From the end p to the oblique point: κ(v̄, −ū) with κ = 4/(ū² − v̄²)."""
    return 4 / (p[0] ** 2 - p[1] ** 2) * np.array([p[1], -p[0]])


@exercise(
    "3.5",
    inputs=lambda rng: (rng.uniform(1.2, 3.0) ** rng.permutation([-1.0, 1.0]),),
    mistakes={
        "The line has the direction (v̄, −ū), and the unbalance must come back to q; look at your sign.": (
            lambda p: p - _step(p)
        ),
        "The term linear in κ is 2·(ūv̄ + v̄ū) = 4ūv̄ = 4, not 2.": (lambda p: p + _step(p) / 2),
        "That is Φ(x) itself, which lies on Γ. There is one more point.": lambda p: p,
        "This is the mirror image of the point: u + v < 0, and gradient flow from here ends at −p, not at p.": (
            lambda p: -p - _step(p)
        ),
    },
    hints=(
        "x·Φ = |Φ|² says that x = Φ + κ(v̄, −ū) for some number κ.",
        "Put this into u² − v² = q. The equation for κ is quadratic, and κ = 0 is one solution.",
    ),
    after="The second point always lies beside the curve, with u and v of different signs, and ∂Φ is oblique there: "
    "idempotent, but not symmetric.",
)
def oblique_point(p):
    """The point x ≠ p with Φ(x) = p at which (∂Φ)² = ∂Φ, an array (2,)."""
    kappa = 4 / (p[0] ** 2 - p[1] ** 2)
    return np.array([p[0] + kappa * p[1], p[1] - kappa * p[0]])


# Mutants of the solutions that are right, too, and why (tests/test_solution_mutants.py).
EQUIVALENT = {
    "3.1": {
        "np.abs(_)": "both weights are positive at the end",
        "np.maximum(_, 0)": "both weights are positive at the end",
    },
}
