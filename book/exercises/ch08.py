"""Chapter 8: solutions, inputs to try answers on, usual mistakes and hints."""

from functools import cache

import numpy as np
from scipy.linalg import solve_continuous_lyapunov

from labnoise.teaching import exercise

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
    "8.1",
    mistakes={
        "That is the power in the limit. Fit the four half-lives, and give two decimals.": 2.0,
        "That is the power of the effective learning rate itself; the slow clock counts its square.": 1.0,
        "The sign: the nearer β is to 1, the fewer steps are needed.": lambda: -power(),
    },
    hints=(
        "np.log(half_lives) against np.log(1 − β), with β from ch08.BETAS: fit a straight line.",
        "np.polyfit(x, y, 1)[0] is the slope.",
    ),
    rtol=0.0025,  # two decimals
    after="Close to 2: η²k has become (η/(1 − β))²k. What is missing are errors of the order of the rate.",
)
def power():
    """The power p in: half-life proportional to (1 − β)^p."""
    return np.polyfit(np.log1p(-np.array(BETAS)), np.log([half_life(beta) for beta in BETAS]), 1)[0]


def _positive(rng, size):
    """A positive definite matrix with eigenvalues well apart, and its eigenvectors."""
    values = np.cumsum(rng.uniform(0.3, 1.5, size))
    vectors = np.linalg.qr(rng.standard_normal((size, size)))[0]
    return (vectors * values) @ vectors.T


def _bowl(rng):
    """Curvatures H and a covariance Σ that does not commute with them, K > 1 workers, α."""
    root = rng.standard_normal((3, 3))
    return _positive(rng, 3), root @ root.T, int(rng.integers(2, 9)), rng.uniform(0.2, 3)


def _twice(values):
    return 2 * values[:, None] + 0 * values


def _half(values):
    return (values[:, None] + values) / 2


def _averaged(H, cov, workers, alpha, rate=lambda values: values[:, None] + values, share=True, rotate=True):
    """The second moment, with one thing after another done wrongly; `rate` of ψ in each entry."""
    values, Q = np.linalg.eigh(H)
    a = alpha * rate(values)
    psi = (a - 1 + np.exp(-a)) / a
    entries = (Q.T @ cov @ Q if rotate else cov) / (values[:, None] + values)
    moment = entries * (1 / workers + ((1 - 1 / workers) if share else 1) * psi)
    return Q @ moment @ Q.T if rotate else moment


@exercise(
    "8.3",
    inputs=_bowl,
    mistakes={
        "Without the workers' own spread: that is Σ/K, an average after each step.": (
            lambda H, cov, workers, alpha: solve_continuous_lyapunov(H, cov) / workers
        ),
        "That is SGD of one worker; averaging takes a part of it away.": (
            lambda H, cov, workers, alpha: solve_continuous_lyapunov(H, cov)
        ),
        "An entry (i, j) relaxes at the rate λ_i + λ_j, not 2λ_i.": (
            lambda H, cov, workers, alpha: _averaged(H, cov, workers, alpha, rate=_twice)
        ),
        "What ψ adds has the weight 1 − 1/K: the average itself keeps 1/K.": (
            lambda H, cov, workers, alpha: _averaged(H, cov, workers, alpha, share=False)
        ),
        "Σ has to be turned into the eigenvectors of H, and the result back.": (
            lambda H, cov, workers, alpha: _averaged(H, cov, workers, alpha, rotate=False)
        ),
        "A second moment relaxes twice as fast as a displacement: λ_i + λ_j, not half of it.": (
            lambda H, cov, workers, alpha: _averaged(H, cov, workers, alpha, rate=_half)
        ),
    },
    hints=(
        "Turn Σ into the eigenvectors of H. What does the statement say of a single entry there?",
        "Where does each entry tend for α → 0, and where for α → ∞? Try your function on both.",
    ),
    after="For α → ∞ this is the cloud of one worker: nothing is left of the averages but the tangent noise, Σ/K.",
)
def local_moment(H, cov, workers, alpha):
    """The second moment S (D, D) of Local SGD, in units of η; H (D, D) positive definite, cov (D, D)."""
    values, Q = np.linalg.eigh(H)
    rates = values[:, None] + values
    a = alpha * rates
    psi = (a - 1 + np.exp(-a)) / a
    return Q @ ((Q.T @ cov @ Q) / rates * (1 / workers + (1 - 1 / workers) * psi)) @ Q.T


def _settings(rng):
    """Steps k of label noise with η, δ; then β, ρ, σ, D of the others."""
    return (
        int(rng.integers(10_000, 90_000)),
        rng.uniform(0.002, 0.02),
        rng.uniform(0.3, 2),
        rng.uniform(0.3, 0.95),
        rng.uniform(0.01, 0.1),
        rng.uniform(0.01, 0.1),
        int(rng.integers(5, 200)),
    )


def _steps(k, eta, delta, beta, rho, sigma, D, c=2.0, half=0.5, squared=2, free=1, spread=True):
    """The four numbers of steps, with one thing after another done wrongly."""
    strength = c * delta**2 / 4 * eta**2 * k  # what is before tr H in R, times the clock
    probe = rho**2 / D if spread else rho**2
    return np.array(
        [
            (1 - beta) ** squared * k,
            strength / (half * eta * rho**2),
            strength / (half * eta**free * sigma**2),
            strength / (half * eta * probe),
        ]
    )


@exercise(
    "8.6",
    inputs=_settings,
    mistakes={
        "The clock of heavy ball has the square of 1/(1 − β).": lambda *given: _steps(*given, squared=1),
        "Label noise has R = (c/4) tr H with c = 2δ², not δ².": lambda *given: _steps(*given, c=1.0),
        "The others have R = ½ tr H, label noise (c/4) tr H: the factors belong to what is set equal.": (
            lambda *given: _steps(*given, half=0.25 * 2 * given[2] ** 2)
        ),
        "A random direction has in each coordinate only the D-th part of ρ².": (
            lambda *given: _steps(*given, spread=False)
        ),
        "The clock of noise that is taken back is σ²η a step, not σ²η².": (
            lambda *given: _steps(*given, free=2)
        ),
    },
    hints=(
        "Two methods have gone equally far when clock × what stands before tr H in R is equal.",
        "Of the last one only the second moment of the probe is new: of a vector of length ρ in a random direction.",
    ),
    after="The table of this chapter, used as one uses a table. With D = 100 a random direction needs a hundred times "
    "the steps of a sharpness-aware one of the same length: the gradient knows where to look.",
)
def equal_steps(k, eta, delta, beta, rho, sigma, D):
    """Steps (4,) of heavy ball, SAM on one example, noise taken back, random probes that equal k of label noise."""
    slower = (1 - beta) ** 2
    twice_dose = delta**2 * eta**2 * k
    return np.array(
        [
            slower * k,
            twice_dose / (eta * rho**2),
            twice_dose / (eta * sigma**2),
            twice_dose * D / (eta * rho**2),
        ]
    )


def _flat(rng):
    """A Hessian of rank 3 in five dimensions, a power p > 1, the length ρ and η."""
    vectors = np.linalg.qr(rng.standard_normal((5, 5)))[0][:, :3]
    H = (vectors * np.cumsum(rng.uniform(0.4, 1.5, 3))) @ vectors.T
    return H, rng.uniform(1.7, 4), rng.uniform(0.05, 0.5), rng.uniform(0.01, 0.1)


def _probe(H, p, rho, eta, off=1, clock=1, along=0.0):
    """Covariance and rate of the clock, with one thing after another done wrongly; `along` Γ, how much."""
    values, vectors = np.linalg.eigh(H)
    spread = np.where(values > 1e-9, np.abs(values) ** (p - off), along)
    return (vectors * spread) @ vectors.T * rho**2 / spread.sum(), eta**clock * rho**2 / spread.sum()


@exercise(
    "8.7",
    inputs=_flat,
    mistakes={
        "The derivative of R is what the probe has to have: λ^(p − 1), not λ^p.": (
            lambda H, p, rho, eta: _probe(H, p, rho, eta, off=0)
        ),
        "Here the probe's covariance is asked for; you have given that of ρ = 1.": (
            lambda H, p, rho, eta: (_probe(H, p, 1.0, eta)[0], _probe(H, p, rho, eta)[1])
        ),
        "The clock of a probe is η a step, not η².": lambda H, p, rho, eta: _probe(H, p, rho, eta, clock=2),
        "Probes along Γ see no curvature; they use up ρ² for nothing.": (
            lambda H, p, rho, eta: _probe(H, p, rho, eta, along=1.0)
        ),
        "The rate is what stands before H^(p − 1) in the covariance, times η: you have forgotten the trace.": (
            lambda H, p, rho, eta: (_probe(H, p, rho, eta)[0], eta * rho**2)
        ),
    },
    hints=(
        "Which second moment s(H) makes R fall, by the rule of chapter 5? Here R = ½ tr ς(H) with ς = λ^p/p.",
        "The covariance is a multiple of s(H), and its trace is given. What is the multiple, and what is it times η?",
    ),
    after="Your method needs the Hessian to draw its probes. The methods of this chapter get theirs from the dynamics: "
    "that is their art.",
)
def designed_probe(H, p, rho, eta):
    """Covariance (D, D), of trace ρ², of a probe under which tr H^p/(2p) falls, and the clock per step; H singular."""
    values, vectors = np.linalg.eigh(H)
    spread = np.abs(values) ** (p - 1)
    return (vectors * spread) @ vectors.T * rho**2 / spread.sum(), eta * rho**2 / spread.sum()


# Mutants of the solutions that are right, too, and why (tests/test_solution_mutants.py).
EQUIVALENT = {
    "8.1": {
        "mu, mv, steps = (np.zeros(runs), np.zeros(runs), -1)": "one step of hundreds is less than two decimals show",
        "np.abs(_)": "the power is positive",
        "np.maximum(_, 0)": "the power is positive",
    },
    "8.3": {"np.transpose(_)": "a second moment is symmetric"},
    "8.6": {
        "slower = (beta - 1) ** 2": "a square does not ask for the order",
        "np.abs(_)": "numbers of steps are positive",
        "np.maximum(_, 0)": "numbers of steps are positive",
    },
}
