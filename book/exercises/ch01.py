"""Chapter 1: solutions, inputs to try answers on, usual mistakes and hints."""

from functools import cache

import jax
import jax.numpy as jnp
import numpy as np

from labnoise import LabelNoise, LeastSquares, sgd
from labnoise.teaching import exercise


def _jacobian(rng):
    """A Jacobian of a few examples in more parameters; with 2 or 4 examples some mistakes would look alike."""
    n = int(rng.choice([3, 5]))
    return rng.standard_normal((n, n + int(rng.integers(1, 4))))


def _one_sign(J, delta, batch_size):
    mean = J.mean(axis=0)
    second = J.T @ J / len(J)
    return 4 * delta**2 * (second / batch_size + (1 - 1 / batch_size) * np.outer(mean, mean))


@exercise(
    "1.2",
    inputs=lambda rng: (_jacobian(rng), rng.uniform(0.2, 0.9), int(rng.integers(6, 10))),
    mistakes={
        "This is twice too small: the gradient of a square carries a 2, and the covariance its square, 4.": (
            lambda J, delta, batch_size: 2 * delta**2 / (batch_size * len(J)) * J.T @ J
        ),
        "This is four times too small: the 2 in the gradient of a square is missing.": (
            lambda J, delta, batch_size: delta**2 / (batch_size * len(J)) * J.T @ J
        ),
        "The Hessian on Γ is (2/n) JᵀJ; the 2/n is missing.": (
            lambda J, delta, batch_size: 2 * delta**2 / batch_size * J.T @ J
        ),
        "The batch size is missing: the mean over B independent perturbations has 1/B of the covariance.": (
            lambda J, delta, batch_size: 4 * delta**2 / len(J) * J.T @ J
        ),
        "The mean over the examples is missing: E ∇f_b ∇f_bᵀ is JᵀJ/n.": (
            lambda J, delta, batch_size: 4 * delta**2 / batch_size * J.T @ J
        ),
        "The batch enters as 1/B, not 1/B²: the B terms of the double sum with k = l remain.": (
            lambda J, delta, batch_size: 4 * delta**2 / (batch_size**2 * len(J)) * J.T @ J
        ),
        "You have divided by the number D of parameters; the mean is over the n examples.": (
            lambda J, delta, batch_size: 4 * delta**2 / (batch_size * J.shape[1]) * J.T @ J
        ),
        "You have divided by n twice: E ∇f_b ∇f_bᵀ is JᵀJ/n.": (
            lambda J, delta, batch_size: 4 * delta**2 / (batch_size * len(J) ** 2) * J.T @ J
        ),
        "This is the covariance with one sign for the whole batch; here each example has its own.": _one_sign,
        "The noise enters squared: δ², not δ.": (
            lambda J, delta, batch_size: 4 * delta / (batch_size * len(J)) * J.T @ J
        ),
        "This is J Jᵀ, which is n × n; a covariance of the parameters is D × D.": (
            lambda J, delta, batch_size: 4 * delta**2 / (batch_size * len(J)) * J @ J.T
        ),
    },
    hints=(
        "On Γ the residuals are zero, and what is left of one example's gradient is −2δε∇f_b.",
        "Multiply out E g gᵀ for g = −(2δ/B) Σ ε_k ∇f_k: the terms with k ≠ l have mean zero.",
        "B equal terms remain, each (4δ²/B²) E ∇f_b ∇f_bᵀ, and E ∇f_b ∇f_bᵀ = JᵀJ/n.",
    ),
)
def label_noise_covariance(J, delta, batch_size):
    """The covariance (D, D) on Γ, from the Jacobian J (n, D), δ and B."""
    return 4 * delta**2 / (batch_size * len(J)) * J.T @ J


@exercise(
    "1.3",
    inputs=lambda rng: (lambda J: (rng.standard_normal(len(J)), J))(_jacobian(rng)),
    mistakes={
        "The mean is not subtracted: this is E g gᵀ, and the covariance is E g gᵀ − ∇L ∇Lᵀ.": (
            lambda r, J: (2 * r[:, None] * J).T @ (2 * r[:, None] * J) / len(r)
        ),
        "The 2 of the gradient of a square is missing.": lambda r, J: np.cov((r[:, None] * J).T, bias=True),
        "The 2 of the gradient of a square enters squared: the covariance has a 4.": (
            lambda r, J: 2 * np.cov((r[:, None] * J).T, bias=True)
        ),
        "Divide by n, not n − 1: the n examples are all there are, not a sample of them.": (
            lambda r, J: np.cov((2 * r[:, None] * J).T)
        ),
        "You have divided by n twice.": lambda r, J: np.cov((2 * r[:, None] * J).T, bias=True) / len(r),
        "The mean over the examples is missing.": (
            lambda r, J: len(r) * np.cov((2 * r[:, None] * J).T, bias=True)
        ),
    },
    hints=(
        "Row i of the n × D array of the examples' gradients is 2 r_i ∇f_i.",
        "Subtract the mean row, multiply the transpose by the array, and divide by n.",
    ),
    after="Now minibatch_covariance(np.zeros(3), np.ones((3, 5))): every entry is zero. That is the proposition.",
)
def minibatch_covariance(r, J):
    """The covariance (D, D) for B = 1, from residuals r (n,) and Jacobian J (n, D)."""
    gradients = 2 * r[:, None] * J
    centred = gradients - gradients.mean(axis=0)
    return centred.T @ centred / len(r)


ETAS = (0.004, 0.006, 0.01, 0.016)


@cache
def half_lives(etas):
    """For each learning rate, the number of steps in which the mean unbalance of 64 runs falls to a half.

    The network of the chapter, label noise with δ = ½, started on the curve at (2, ½).
    """
    z = jnp.sqrt(jnp.array([0.5, 1.5]))
    rule = LabelNoise(LeastSquares(lambda x: z * x[0] * x[1], targets=z), delta=0.5)
    keys = jax.random.split(jax.random.key(11), 64)
    found = []
    for eta in etas:
        every = int(0.8 / eta**2) // 400
        run = sgd(rule, jnp.array([2.0, 0.5]), eta, 400 * every, keys, save_every=every)
        q = np.mean(run.states[..., 0] ** 2 - run.states[..., 1] ** 2, axis=0)
        found.append(np.interp(-q[0] / 2, -q, run.steps))  # q falls, −q rises
    return np.array(found)


@exercise(
    "1.5",
    mistakes={
        "That is the power in the limit η → 0. Fit the four half-lives, and give two decimals.": -2.0,
        "That is η for η²: look how much longer the runs become when η is halved.": -1.0,
        "The size is right, but the sign is not: the half-life grows as η falls.": lambda: -exponent(),
        "You have fitted the logarithm of η against that of the half-life; it is the other way round.": (
            lambda: np.polyfit(np.log(half_lives(ETAS)), np.log(ETAS), 1)[0]
        ),
    },
    hints=(
        "np.polyfit(np.log(etas), np.log(half_lives), 1) returns the slope first.",
        "Compare the half-lives at two learning rates, of which one is about twice the other.",
    ),
    rtol=0.0025,  # two decimals
    after="The exponent is −2 in the limit. The fit is a little steeper, since the neglected term 4m₄ρ² speeds up the "
    "runs with the larger η; it goes away as η → 0.",
)
def exponent():
    """The slope of ln(half-life) against ln η."""
    return np.polyfit(np.log(ETAS), np.log(half_lives(ETAS)), 1)[0]


@exercise(
    "1.6",
    inputs=lambda rng: (rng.standard_normal(4), rng.uniform(0.3, 2.0, 4)),
    mistakes={
        "The slope of example i is 2 z_i (z_i p − y_i): the factor z_i is missing.": (
            lambda y, z: np.mean((2 * (z * (z @ y) / (z @ z) - y)) ** 2)
        ),
        "The 2 of the gradient of a square is missing; squared it makes a 4.": (
            lambda y, z: np.mean((z * (z * (z @ y) / (z @ z) - y)) ** 2)
        ),
        "Your p is right for inputs whose squares have mean one; in general it is Σ z_i y_i / Σ z_i².": (
            lambda y, z: np.mean((2 * z * (z * np.mean(z * y) - y)) ** 2)
        ),
        "The targets no longer allow p = 1: find the p that fits them best.": (
            lambda y, z: np.mean((2 * z * (z - y)) ** 2)
        ),
        "Take the mean over the examples, not the sum.": (
            lambda y, z: np.sum((2 * z * (z * (z @ y) / (z @ z) - y)) ** 2)
        ),
        "The best product is Σ z_i y_i / Σ z_i², not the mean of the ratios y_i / z_i.": (
            lambda y, z: np.mean((2 * z * (z * np.mean(y / z) - y)) ** 2)
        ),
        "The mean of z_i² r_i² is not the product of two means: the large z_i may have the large residuals.": (
            lambda y, z: 4 * np.mean(z**2) * np.mean((z * (z @ y) / (z @ z) - y) ** 2)
        ),
        "You have squared the mean slope, which is zero at a minimizer; take the mean of the squares.": (
            lambda y, z: np.mean(2 * z * (z * (z @ y) / (z @ z) - y)) ** 2
        ),
    },
    hints=(
        "First find p: it minimizes the mean of (z_i p − y_i)², a parabola in p.",
        "Example i has the gradient 2 z_i (z_i p − y_i) (v, u); its slope is the number before (v, u).",
    ),
    after="For the three examples of the text p = 1/3 and E s² = 104/27 ≈ 3.85, nearly four times the 4δ² = 1 of the "
    "label noise above: the noise that was dead now moves the weights faster.",
)
def mean_square_slope(y, z):
    """E s² at the minimizers uv = p, from the targets y (n,) and the inputs z (n,)."""
    p = z @ y / (z @ z)
    return np.mean((2 * z * (z * p - y)) ** 2)


# Mutants of the solutions that are right, too, and why (tests/test_solution_mutants.py).
EQUIVALENT = {
    "1.2": {
        "np.transpose(_)": "a covariance is symmetric",
    },
    "1.3": {
        "np.transpose(_)": "a covariance is symmetric",
        "centred = gradients.mean(axis=0) - gradients": "a covariance keeps its value if all deviations change sign",
    },
    "1.5": {
        "np.minimum(_, 0)": "the result is never positive",
        "q = np.sum(run.states[..., 0] ** 2 - run.states[..., 1] ** 2, axis=0)": "a sum has the half-life of the mean",
    },
    "1.6": {
        "np.abs(_)": "the result is never negative",
        "np.maximum(_, 0)": "the result is never negative",
        "p = y @ z / (z @ z)": "a scalar product is symmetric",
        "return np.mean((2 * z * (y - z * p)) ** 2)": "the residual enters squared",
    },
}
