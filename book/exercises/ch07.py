"""Chapter 7: solutions, inputs to try answers on, usual mistakes and hints."""

from functools import wraps

import jax.numpy as jnp
import numpy as np
from scipy.special import zeta

from labnoise import drift_terms, landscapes
from labnoise.teaching import exercise, withdraw

withdraw("7.2", "It was transcription. 7.8 asks for a schedule that stops the clock.")
withdraw("7.4", "It was transcription. 7.9 has you design the noise.")
withdraw("7.6", "It went to chapter 8 with heavy ball, as 8.1.")
withdraw("7.7", "It went to chapter 8 with heavy ball, as 8.2.")


def _point(rng):
    """A design (n, d), a point v with unequal entries, residuals that are not small, a strength."""
    n, d = (3, 5) if rng.integers(2) else (2, 4)
    Z, v = rng.standard_normal((n, d)), rng.uniform(0.4, 1.6, d)
    return Z, v, Z @ rng.uniform(0, 2, d), rng.uniform(0.3, 1.5)


def _covariances(
    Z, v, y, delta, pairs=2.0, centred=True, inside=True, squared=True, examples=True, sample=False
):
    """Both covariances, with one thing after another done wrongly."""
    n, strength = len(Z), delta**2 if squared else delta
    scale = v if inside else np.ones_like(v)
    one = ((Z @ v**2 - y)[:, None] * Z) * scale  # the gradients of the examples
    if centred:
        one = one - one.mean(axis=0)
    label, over = Z * scale, n if examples else 1
    return np.stack(
        [strength * label.T @ label / over, pairs * strength * one.T @ one / (over - 1 if sample else over)]
    )


@exercise(
    "7.1",
    inputs=_point,
    mistakes={
        "Two independent examples are drawn: the variance of the difference is twice that of one.": (
            lambda Z, v, y, delta: _covariances(Z, v, y, delta, pairs=1.0)
        ),
        "Divide by n, not by n − 1 as np.cov does: the n examples are all there are, not a sample of them.": (
            lambda Z, v, y, delta: _covariances(Z, v, y, delta, sample=True)
        ),
        "A covariance is the second moment minus the square of the mean: subtract the mean gradient.": (
            lambda Z, v, y, delta: _covariances(Z, v, y, delta, centred=False)
        ),
        "The gradient of f_i is 2 z_i ⊙ v: the factor v is missing.": (
            lambda Z, v, y, delta: _covariances(Z, v, y, delta, inside=False)
        ),
        "The noise enters squared: δ², not δ.": lambda Z, v, y, delta: _covariances(
            Z, v, y, delta, squared=False
        ),
        "One example of n is drawn: divide by n.": lambda Z, v, y, delta: _covariances(
            Z, v, y, delta, examples=False
        ),
    },
    hints=(
        "With the loss ¼(f − y)², example i has the gradient r_i z_i ⊙ v, where r = Z(v⊙v) − y.",
        "Label noise: −δε z_i ⊙ v, with i uniform. Its mean is zero; average its outer product over i.",
        "Mini-batch noise: δ(a_i − a_j) with a_i = r_i z_i ⊙ v and independent i, j: 2δ² times the covariance of a_i.",
    ),
    after="Put y = Z(v⊙v): the second matrix vanishes, the first does not. That is the whole difference.",
)
def two_covariances(Z, v, y, delta):
    """Covariances (2, d, d) at v (d,): label noise, then mini-batch noise; Z (n, d), y (n,)."""
    label = Z * v
    single = (Z @ v**2 - y)[:, None] * label
    single = single - single.mean(axis=0)
    n = len(Z)
    return np.stack([delta**2 * label.T @ label / n, 2 * delta**2 * single.T @ single / n])


def _falling(least, most):
    """A first rate and a power between the two."""
    return lambda rng: (rng.uniform(0.05, 0.5), rng.uniform(least, most))


@exercise(
    "7.8",
    inputs=(
        _falling(0.2, 0.5),
        lambda rng: (rng.uniform(0.05, 0.5), 0.5),
        _falling(0.55, 1),
        lambda rng: (rng.uniform(0.05, 0.5), 1.0),
        _falling(1.1, 2),
    ),
    mistakes={
        "The slow clock adds the squares of the rates: twice the power.": (
            lambda eta, p: np.array([eta, eta**2]) * np.where(p > 1, zeta(max(p, 1)), np.inf)
        ),
        "The rate η enters the slow clock squared.": lambda eta, p: _totals(eta, p) / [1, eta],
        "You have squared the sum; the slow clock is the sum of the squares.": (
            lambda eta, p: _totals(eta, p)[0] ** np.array([1, 2])
        ),
        "The other way round: first the fast clock, then the slow one.": lambda eta, p: _totals(eta, p)[::-1],
        "The first rate, at k = 0, is η itself.": lambda eta, p: _totals(eta, p) - [eta, eta**2],
        "zeta continues the sum to powers at which it is infinite.": (
            lambda eta, p: np.array([eta * zeta(p), eta**2 * zeta(2 * p)])
        ),
    },
    hints=(
        "How does a clock that counts η per step add up when η changes, and how one that counts η²?",
        "scipy.special.zeta(a) is the sum of k⁻ᵃ over k = 1, 2, …, where that converges. For which a does it?",
    ),
    after="For ½ < p ≤ 1 the fast clock runs for ever and the slow one stops. These are the schedules with which "
    "stochastic approximation converges (Robbins and Monro), and with them label noise never gets to the sparse point.",
)
def clocks_in_the_end(eta, p):
    """Where the clocks s and t, together an array (2,), end for the rates eta/(k + 1)^p, k = 0, 1, …; or np.inf."""
    return np.array([eta * zeta(p) if p > 1 else np.inf, eta**2 * zeta(2 * p) if p > 1 / 2 else np.inf])


_totals = clocks_in_the_end
HYPERBOLA = landscapes.hyperbola()


def _frame(x):
    """Unit tangent, along which u grows, and unit normal of the hyperbola as columns; |x|."""
    u, v = x
    return np.array([[u, v], [-v, u]]) / np.hypot(u, v), np.hypot(u, v)


def _pull(x, mixed=1.0, normal=1.0):
    """The matrix M with the drift tr(MΣ) along the hyperbola, or another after a mistake in one of two terms."""
    frame, length = _frame(x)
    return frame @ np.array([[0, mixed], [mixed, normal * (x[1] ** 2 - x[0] ** 2) / 2]]) @ frame.T / length**3


def _motion(design):
    """What is marked of a noise: trace, asymmetry, negative variance, and the drift along Γ by `drift_terms`."""

    @wraps(design)
    def seen(x, speed):
        cov = design(x, speed)
        if np.shape(cov) != (2, 2) or not np.isrealobj(cov) or not np.isfinite(np.array(cov, float)).all():
            return cov
        cov = np.array(cov, float)
        skew, least = cov[0, 1] - cov[1, 0], min(np.linalg.eigvalsh(cov + cov.T)[0], 0)
        drift = 0.0
        if abs(skew) < 1e-9 and least > -1e-9:
            drift = np.asarray(drift_terms(HYPERBOLA, cov, jnp.asarray(x)).total) @ _frame(x)[0][:, 0]
        return np.array([[np.trace(cov), skew], [least, drift]])

    return seen


def _wanted(*shares):
    """A point of the hyperbola and a speed, as a share of the greatest that trace 1 allows in its direction."""

    def draw(rng):
        u, share = rng.uniform(0.6, 1.7), rng.choice(shares)
        x = np.array([u, 1 / u])
        return x, abs(share) * np.linalg.eigvalsh(_pull(x))[int(share > 0)]

    return draw


def _half_tangent(x, speed):
    """Equal variances along and across; the correlation that remains may be more than 1."""
    frame, length = _frame(x)
    b = (speed * length**3 + (x[0] ** 2 - x[1] ** 2) / 4) / 2
    return frame @ np.array([[0.5, b], [b, 0.5]]) @ frame.T


def _mixture(pull, speed):
    values, vectors = np.linalg.eigh(pull)
    share = (speed - values[0]) / (values[1] - values[0])
    return (vectors * [1 - share, share]) @ vectors.T


@exercise(
    "7.9",
    inputs=(_wanted(0.97, -0.97), _wanted(0.0), _wanted(0.9, -0.9), _wanted(0.2, -0.3)),
    seen=_motion,
    mistakes={
        "The drift has the right size, but the wrong direction: u grows for a positive speed.": (
            lambda x, speed: _mixture(-_pull(x), speed)
        ),
        "The drift is twice what is wanted.": lambda x, speed: _mixture(_pull(x), 2 * speed),
        "The drift is half of what is wanted.": lambda x, speed: _mixture(_pull(x), speed / 2),
        "The mixed term has the factor 1, not ½.": lambda x, speed: _mixture(_pull(x, mixed=0.5), speed),
        "The normal term is missing: it descends, whatever else you do.": (
            lambda x, speed: _mixture(_pull(x, normal=0.0), speed)
        ),
        "A covariance of tangent and normal noise has to be turned into the coordinates u, v.": (
            lambda x, speed: _frame(x)[0].T @ _mixture(_pull(x), speed) @ _frame(x)[0]
        ),
        "With equal variances along and across Γ this is at some points no covariance: the correlation is above 1.": (
            _half_tangent
        ),
    },
    hints=(
        "Turn Σ into the directions along and across Γ. Which of the terms of the main theorem move Y along Γ, which "
        "entries of Σ do they read, and what does drift_terms say when one entry is changed?",
        "Along Γ the drift is linear in Σ. Which two noises of trace 1 drift fastest, one each way? What lies between?",
    ),
    rtol=1e-6,
    after="Noise can climb: the mixed term, which knows nothing of the loss but the curve Γ, against the normal term. "
    "Try Σ on SGD, and look at what else tangent noise does.",
)
def designed_noise(x, speed):
    """Σ (2, 2) of trace 1 at x = (u, v) on Γ with that drift along Γ; positive: u grows."""
    u, v = x
    length = np.hypot(u, v)
    frame = np.array([[u, v], [-v, u]]) / length
    pull = np.array([[0, 1], [1, (v**2 - u**2) / 2]]) / length**3
    values, vectors = np.linalg.eigh(frame @ pull @ frame.T)
    share = (speed - values[0]) / (values[1] - values[0])
    return (vectors * [1 - share, share]) @ vectors.T


# Mutants of the solutions that are right, too, and why (tests/test_solution_mutants.py).
EQUIVALENT = {
    "7.1": {
        "single = single.mean(axis=0) - single": "a covariance keeps its value if all deviations change sign",
        "single = (y - Z @ v ** 2)[:, None] * label": "a covariance keeps its value if all deviations change sign",
    },
    "7.8": {
        "np.abs(_)": "a clock does not run backwards",
        "np.maximum(_, 0)": "a clock does not run backwards",
    },
    "7.9": {
        "length = np.hypot(v, u)": "the length does not ask for an order",
        "np.transpose(_)": "a covariance is symmetric",
    },
}
