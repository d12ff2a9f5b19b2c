"""Chapter 3: solutions, inputs to try answers on, usual mistakes and hints."""

import numpy as np

from labnoise.teaching import exercise, withdraw

withdraw("3.1", "Its answer stands on the page. 3.10 asks for more.")
withdraw("3.3", "Its answer stands on the page. 3.9 asks what noise does there.")


def _scalings(rng, which):
    """Exponents (m, g, p): momentum, batch, noise; `which` are not zero."""
    return tuple(
        np.where(which, (rng.uniform(0.1, 0.45), rng.uniform(0.2, 1.5), rng.uniform(-0.4, 1.2)), 0.0)
    )


@exercise(
    "3.7",
    inputs=(
        lambda rng: _scalings(rng, (1, 0, 0)),
        lambda rng: _scalings(rng, (0, 1, 0)),
        lambda rng: _scalings(rng, (0, 0, 1)),
        lambda rng: _scalings(rng, (1, 1, 1)),
    ),
    mistakes={
        "This is the clock on which the force is of order one; asked for is the one of the noise.": (
            lambda m, g, p: (1 - m, 0.0, (1 - m + g + p) / 2)
        ),
        "Momentum makes a step 1/(1 − β) times as long, so the covariance of a step grows by its square.": (
            lambda m, g, p: _powers(2 - m + g + p, 1 - m, 1 - m + g + p)
        ),
        "A larger batch makes the noise smaller, not larger: its variance is that of one example divided by B.": (
            lambda m, g, p: _powers(2 - 2 * m - g + p, 1 - m, 1 - m - g + p)
        ),
        "With momentum the steps are longer, not shorter: 1/(1 − β) is η^{−m}.": (
            lambda m, g, p: _powers(2 + 2 * m + g + p, 1 + m, 1 + m + g + p)
        ),
        "Right for the clock. The force in a step, too, is 1/(1 − β) times as large with momentum.": (
            lambda m, g, p: _powers(2 - 2 * m + g + p, 1, 1 - m + g + p)
        ),
        "A unit of t holds η^{−a} steps: the force is that of a step times η^{−a}, not times η^{a}.": (
            lambda m, g, p: (2 - 2 * m + g + p, 3 - 3 * m + g + p, (1 - m + g + p) / 2)
        ),
        "The last is the exponent of the square of the distance from Γ.": (
            lambda m, g, p: (2 - 2 * m + g + p, -1 + m - g - p, 1 - m + g + p)
        ),
        "B and the noise are variances; they do not enter squared.": (
            lambda m, g, p: _powers(2 * (1 - m + g + p), 1 - m, 1 - m + 2 * (g + p))
        ),
        "Right for the clock and the force. The distance from Γ depends on the step and the noise, too.": (
            lambda m, g, p: (2 - 2 * m + g + p, -1 + m - g - p, 0.5)
        ),
    },
    hints=(
        "First one step: which power of η is its mean, and which its covariance?",
        "A unit of time on the clock t = η^a k holds η^{−a} steps. Their covariances add up, and so do their means.",
        "For the distance compare the two terms: near Γ a force η^f Hx and a noise of order one make a cloud of the "
        "variance of chapter 2, noise over twice the force.",
    ),
    after="The force times the square of the distance is η⁰: whatever the exponents, the drift along Γ that the cloud "
    "makes is of order one on the clock of the noise.",
)
def which_clock(m, g, p):
    """(a, exponent of η in the force, exponent in the distance)."""
    length = 1 - m
    variance = g + p
    a = 2 * length + variance
    force = length - a
    return a, force, -force / 2


def _powers(covariance, mean, cloud):
    return covariance, mean - covariance, cloud / 2


def _curvatures(rng, flat):
    """Eigenvalues of a Hessian in any order, `flat` of them zero; the smallest that is not is below 1."""
    return rng.permutation(
        np.concatenate([np.zeros(flat), rng.uniform(0.05, 0.9, 1), rng.uniform(1.1, 30, 3)])
    )


def _slowest(curvatures):
    return np.min(curvatures[curvatures > 0])


def _rules(lam, radius, error):
    return np.log(radius / error) / lam, lam * error, lam * error**2 / 2


@exercise(
    "3.8",
    inputs=(
        lambda rng: (_curvatures(rng, 2), rng.uniform(1.5, 4.0), 10 ** rng.uniform(-3, -0.5)),
        lambda rng: (_curvatures(rng, 0), rng.uniform(0.4, 0.9), 10 ** rng.uniform(-3, -0.5)),
        lambda rng: (8 * _curvatures(rng, 1), rng.uniform(1.5, 4.0), 10 ** rng.uniform(-3, -0.5)),
    ),
    mistakes={
        "That serves for the steepest direction; the flattest one that is not flat is the last to be done.": (
            lambda h, radius, error: _rules(np.max(h), radius, error)
        ),
        "The mean curvature decides nothing: the start may lie in the flattest direction that is not flat.": (
            lambda h, radius, error: _rules(np.mean(h[h > 0]), radius, error)
        ),
        "The ½ of L = ½xᵀHx is missing in the threshold for the loss.": (
            lambda h, radius, error: (*_rules(_slowest(h), radius, error)[:2], _slowest(h) * error**2)
        ),
        "At the distance ε the loss is of order ε², not ε.": (
            lambda h, radius, error: (*_rules(_slowest(h), radius, error)[:2], _slowest(h) * error / 2)
        ),
        "Upside down: where the curvature is small the gradient is small far from Γ, and has to be smaller.": (
            lambda h, radius, error: (
                np.log(radius / error) / _slowest(h),
                error / _slowest(h),
                _slowest(h) * error**2 / 2,
            )
        ),
        "For the gradient that is the natural guess, and wrong: |∇L| = ε leaves the distance ε/λ.": (
            lambda h, radius, error: (np.log(radius / error) / _slowest(h), error, _slowest(h) * error**2 / 2)
        ),
        "The time has to do with the start, too: the distance ϱ has to fall to ε.": (
            lambda h, radius, error: (-np.log(error) / _slowest(h), *_rules(_slowest(h), radius, error)[1:])
        ),
        "The distance falls like e^{−λs}. You have the time in which its square falls by the factor ε/ϱ.": (
            lambda h, radius, error: (
                np.log(radius / error) / (2 * _slowest(h)),
                *_rules(_slowest(h), radius, error)[1:],
            )
        ),
    },
    hints=(
        "In the eigenbasis of H each coordinate of x falls by itself; those with h = 0 stay, and are Φ.",
        "The worst start has one coordinate only. Which? Write down its distance, gradient and loss.",
    ),
    after="Multiply L by a thousand: the thresholds for gradient and loss change, Γ and Φ do not. The Newton step does "
    "not change either, and it needs no curvature to be known.",
)
def when_to_stop(curvatures, radius, error):
    """(time, bound on |∇L|, bound on L); radius is ϱ, error is ε."""
    lam = np.min(curvatures[curvatures > 0])
    return np.log(radius / error) / lam, lam * error, lam * error**2 / 2


def _covariance(rng):
    root = rng.standard_normal((2, 2))
    return root @ root.T


def _rates(x, cov, normal, factor=4.0, drift=1.0):
    a = np.array(normal)
    return drift * (cov[0, 0] - cov[1, 1]), factor * a @ cov @ a


@exercise(
    "3.9",
    inputs=(
        lambda rng: (rng.uniform(0.4, 2.0, 2), _covariance(rng)),
        lambda rng: (rng.uniform(0.4, 2.0, 2) * [1, -1], _covariance(rng)),
        lambda rng: (rng.uniform(0.4, 2.0, 2), rng.uniform(0.2, 1.0) * np.eye(2)),
    ),
    mistakes={
        "The drift is ½ times the second derivatives of q, ±2, times the variances: the ½ and the 2 cancel.": (
            lambda x, cov: _rates(x, cov, (x[0], -x[1]), drift=0.5)
        ),
        "The ½ of Itô's formula is missing in the drift.": lambda x, cov: _rates(
            x, cov, (x[0], -x[1]), drift=2.0
        ),
        "The drift has the wrong sign.": lambda x, cov: _rates(x, cov, (x[0], -x[1]), drift=-1.0),
        "The second derivative of q by v is −2: the drift is a difference of variances, not their sum.": (
            lambda x, cov: (np.trace(cov), _rates(x, cov, (x[0], -x[1]))[1])
        ),
        "The gradient of q is (2u, −2v); you have (2u, 2v).": lambda x, cov: _rates(x, cov, (x[0], x[1])),
        "The gradient of q is (2u, −2v), and its 2 enters the variance squared.": (
            lambda x, cov: _rates(x, cov, (x[0], -x[1]), factor=2.0)
        ),
        "The 2 of the gradient (2u, −2v) is missing in the variance.": (
            lambda x, cov: _rates(x, cov, (x[0], -x[1]), factor=1.0)
        ),
        "The two components of the noise are correlated: the variance has a term with the covariance of u and v.": (
            lambda x, cov: _rates(x, np.diag(np.diag(cov)), (x[0], -x[1]))
        ),
        "That is the standard deviation; asked for is the variance per unit of time.": (
            lambda x, cov: (cov[0, 0] - cov[1, 1], np.sqrt(_rates(x, cov, (x[0], -x[1]))[1]))
        ),
        "The drift of q along the gradient is zero, but Itô's formula has a second term.": (
            lambda x, cov: (0.0, _rates(x, cov, (x[0], -x[1]))[1])
        ),
    },
    hints=(
        "dq = ∇q·dX + ½ tr(∇²q Σ) dt. What does ∇q·∇L give?",
        "Only the noise is left in ∇q·dX, and a·σdB has the variance a·Σa per unit of time.",
    ),
    after="For round noise, Σ = τ²I, q has no drift, and on Γ its variance grows at the rate 4τ²√(q² + 4), faster "
    "the further out: the thick curve of the widget wanders, and goes nowhere in the mean of q.",
)
def unbalance(x, cov):
    """(drift, variance per unit of time) of q at x; cov is Σ (2, 2)."""
    u, v = x
    drift = cov[0, 0] - cov[1, 1]
    return drift, 4 * (u**2 * cov[0, 0] - 2 * u * v * cov[0, 1] + v**2 * cov[1, 1])


def _layers(rng, p):
    """A start, examples and ζ, small enough for the curve to exist up to there."""
    v, Z = rng.uniform(0.5, 1.5, 4), rng.standard_normal((2, 4))
    zeta = rng.standard_normal(2)
    room = np.min(v ** (2.0 - p)) / (abs(p - 2) + 1)
    return v, Z, zeta * rng.uniform(0.3, 0.7) * room / np.max(np.abs(Z.T @ zeta)), p


def _root(base, p):
    return base ** (1.0 / (2 - p))


@exercise(
    "3.10",
    inputs=tuple(lambda rng, p=p: _layers(rng, p) for p in (1, 2, 3, 4, 5)),
    mistakes={
        "That is p = 2, where v' is a multiple of v. For another p the factor is v^{p−1}.": (
            lambda v, Z, zeta, p: v * np.exp(Z.T @ zeta)
        ),
        "That is p = 1, a straight line. For another p the factor v^{p−1} changes on the way.": (
            lambda v, Z, zeta, p: v + Z.T @ zeta
        ),
        "That is a tangent: right to first order in ζ. The factor v^{p−1} changes on the way.": (
            lambda v, Z, zeta, p: v + v ** (p - 1.0) * (Z.T @ zeta)
        ),
        "The sign: with p > 2 the power v^{2−p} falls where v grows.": (
            lambda v, Z, zeta, p: (
                v * np.exp(Z.T @ zeta) if p == 2 else _root(v ** (2.0 - p) + (p - 2) * (Z.T @ zeta), p)
            )
        ),
        "The derivative of v^{2−p} has the factor 2 − p.": (
            lambda v, Z, zeta, p: v * np.exp(Z.T @ zeta) if p == 2 else _root(v ** (2.0 - p) - Z.T @ zeta, p)
        ),
    },
    hints=(
        "Write down the flow of v_j. With ζ's it says that ∂v_j/∂ζ_i is Z_ij times a power of v_j. Which?",
        "Which function g(v_j) has a derivative by ζ_i that does not contain v_j? It is then linear in ζ.",
        "For p = 2 the function g is a logarithm, as in the proposition; for any other p it is a power.",
    ),
    raised={"Integers to negative": "Write 2.0 - p: NumPy takes no negative whole power of whole numbers."},
    after="All of Φ hangs on n numbers: Φ(v) is the point of this family at which Zv^p = y. Which point of Γ that is "
    "depends on p, and chapter 6 asks which p likes sparse ones.",
)
def family(v, Z, zeta, p):
    """The point v(ζ), an array (d,), with v(0) = v; Z is (n, d)."""
    along = Z.T @ zeta
    if p == 2:
        return v * np.exp(along)
    return (v ** (2.0 - p) - (p - 2) * along) ** (1 / (2.0 - p))


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
        "This is the negative of the point: u + v < 0, and gradient flow from here ends at −p, not at p.": (
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
    "3.10": {
        "np.abs(_) in family, 4:15": "the weights are positive and stay so",
        "np.abs(_) in family, 5:11": "the weights are positive and stay so",
        "np.maximum(_, 0) in family, 4:15": "the weights are positive and stay so",
        "np.maximum(_, 0) in family, 5:11": "the weights are positive and stay so",
    },
}
