"""Chapter 7: solutions, inputs to try answers on, usual mistakes and hints."""

from functools import cache

import numpy as np

from labnoise.teaching import exercise


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


@exercise(
    "7.2",
    mistakes={
        "The clock is σ²η²k: this is η²k = 10.1 alone.": 10.1 / 0.01**2,
        "Both σ and η enter squared.": 10.1 / 0.01**3,
    },
    hints=(
        "The limit of Σ = σ²I at time t is that of Σ = I at time σ²t.",
        "Solve σ²η²k = 10.1 for k, with σ = η = 0.01.",
    ),
    rtol=0.02,
    after="A thousand million steps. Theirs were 1.2 million: of the isotropic clock they have seen 0.12 per cent.",
)
def steps_for_equal_clock():
    """Steps that spherical noise needs to bring σ²η²k to 10.1."""
    return 10.1 / (0.01**2 * 0.01**2)


def _interpolation(rng):
    """A design and positive weights; n and d on both sides of d = 2n."""
    n, d = [(2, 6), (3, 5), (2, 4)][rng.integers(3)]
    return rng.standard_normal((n, d)), rng.uniform(0.2, 2.0, d)


def _growth(Z, w, push):
    G = Z.T @ np.linalg.solve((Z * w) @ Z.T, Z)
    drift = push(w * np.diag(G))
    return np.sum(drift - w * (G @ drift))


def _moving(rng, sign):
    """A design and weights for which the sum grows, or falls."""
    cases = iter(lambda: _interpolation(rng), None)
    return next(case for case in cases if sign * _growth(*case, lambda g: 1 - 2 * g) > 0.1)


def _other_projection(Z, w):
    G = Z.T @ np.linalg.solve((Z * w) @ Z.T, Z)
    drift = 1 - 2 * w * np.diag(G)
    return np.sum(drift - G @ (w * drift))


@exercise(
    "7.4",
    inputs=(lambda rng: _moving(rng, 1), lambda rng: _moving(rng, -1)),
    mistakes={
        "This is the Itô term alone: the cloud across Γ pushes back, by −2g.": (
            lambda Z, w: _growth(Z, w, lambda g: 1.0 + 0 * g)
        ),
        "This is the push of the cloud alone: Itô's formula for w = v² adds 1 to each entry.": (
            lambda Z, w: _growth(Z, w, lambda g: -2 * g)
        ),
        "The projection is I − WG, and you have I − GW: its range must be the kernel of Z.": _other_projection,
        "The leverage counts twice: 1 − 2g.": lambda Z, w: _growth(Z, w, lambda g: 1 - g),
        "The projection I − WG is missing: this motion would leave Zw = y.": (
            lambda Z, w: len(w) - 2 * float(len(Z))
        ),
    },
    hints=(
        "G = np.linalg.solve((Z * w) @ Z.T, Z) multiplied by Zᵀ from the left; g = w * np.diag(G).",
        "Itô's formula for w = v² pushes each weight, and the cloud across Γ pushes back by its leverage g. What "
        "becomes of their sum if Zw must stay y?",
    ),
    after="With equal leverages, g = n/d, the sign is that of 1 − 2n/d: below n = d/2 the sum tends to grow.",
)
def total_drift(Z, w):
    """The drift of Σ_j w_j under Σ = I, at weights w > 0 (d,) on Γ; Z (n, d)."""
    G = Z.T @ np.linalg.solve((Z * w) @ Z.T, Z)
    u = 1 - 2 * w * np.diag(G)
    return np.sum(u - w * (G @ u))


BETAS, RATE = (0.0, 0.5, 0.75, 0.875), 0.005


@cache
def half_life(beta, runs=64, seed=0):
    """Steps in which the mean unbalance of heavy ball on (uv − 1)², label noise ½, falls from 3.75 to a half."""
    rng, u, v = np.random.default_rng(seed), np.full(runs, 2.0), np.full(runs, 0.5)
    mu, mv, steps = np.zeros(runs), np.zeros(runs), 0
    while np.mean(u**2 - v**2) > 3.75 / 2:
        slope = 2 * (u * v - 1) - rng.choice([-1.0, 1.0], runs)  # 2(uv − 1 ∓ ½)
        mu, mv = beta * mu + slope * v, beta * mv + slope * u
        u, v, steps = u - RATE * mu, v - RATE * mv, steps + 1
    return steps


@exercise(
    "7.6",
    mistakes={
        "That is the power in the limit. Fit the four half-lives, and give two decimals.": 2.0,
        "That is the power of the effective learning rate itself; the slow clock counts its square.": 1.0,
        "The sign: the nearer β is to 1, the fewer steps are needed.": lambda: -power(),
    },
    hints=(
        "np.log(half_lives) against np.log(1 − β), with β from ch07.BETAS: fit a straight line.",
        "np.polyfit(x, y, 1)[0] is the slope.",
    ),
    rtol=0.0025,  # two decimals
    after="Close to 2: η²k has become (η/(1 − β))²k. What is missing is the error of order η/(1 − β) at the last β.",
)
def power():
    """The power p in: half-life proportional to (1 − β)^p."""
    return np.polyfit(np.log1p(-np.array(BETAS)), np.log([half_life(beta) for beta in BETAS]), 1)[0]


# Mutants of the solutions that are right, too, and why (tests/test_solution_mutants.py).
EQUIVALENT = {
    "7.1": {
        "single = single.mean(axis=0) - single": "a covariance keeps its value if all deviations change sign",
        "single = (y - Z @ v ** 2)[:, None] * label": "a covariance keeps its value if all deviations change sign",
    },
    "7.2": {
        "np.abs(_)": "a number of steps is positive",
        "np.maximum(_, 0)": "a number of steps is positive",
        "1 + (_)": "two per cent are allowed",
    },
    "7.4": {
        "return np.sum(u - w * (u @ G))": "G is symmetric",
    },
    "7.6": {
        "mu, mv, steps = (np.zeros(runs), np.zeros(runs), -1)": "one step of hundreds is less than two decimals show",
        "np.abs(_)": "the power is positive",
        "np.maximum(_, 0)": "the power is positive",
    },
}
