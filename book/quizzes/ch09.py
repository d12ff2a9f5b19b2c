"""The four questions of chapter 9: each finds its right option by computing it."""

import jax.numpy as jnp
import numpy as np
from afterzero import second_moment

from labnoise import SparseRegression, adaptive_flow, quiz


def noise_strength():
    idle = SparseRegression(jnp.array([[1.0, 2.0]]), jnp.array([0.0]))
    half = [
        adaptive_flow(idle, jnp.ones(4), jnp.array([0.5]), size, jnp.inf, 0.0)[0][0, 0] for size in (1.0, 2.0)
    ]
    times = [0.5 / (1 - float(u) ** 2) for u in half]  # until u² = 0
    return quiz(
        "With $V$ settled, the label perturbation $\\delta$ is doubled. A weight that nothing holds reaches zero …",
        options=[
            (
                "at the same time",
                "$P$ is divided by two, and enters squared: it cancels the strength of the noise.",
            ),
            (
                "four times as early",
                "That is the clock of SGD, $\\delta^2\\eta^2k$, under which a weight never reaches zero.",
            ),
            ("twice as early", "$P$ stands twice in the velocity, inside the trace and in front of it."),
        ],
        answer={1: "at the same time", 2: "twice as early", 4: "four times as early"}[
            round(times[0] / times[1])
        ],
    )


def units():
    factor = 100.0
    price = (factor**2) * (1 / factor)  # of m and of |w|
    return quiz(
        "A feature is given in centimetres instead of metres: its inputs become a hundred times as large, and its true "
        "coefficient a hundred times as small. By what factor does its term in the regularizer of Adam grow, "
        "with respect to what it was?",
        options=[
            ("100", "That is the factor of $m_j|w_j|$, for SGD."),
            ("10", "$(m_j|w_j|)^{1/2}$: the factor is $\\sqrt{10^4\\cdot10^{-2}}$."),
            ("1", "Neither method knows what a unit is; only standardizing the features removes it."),
        ],
        answer=f"{np.sqrt(price):g}",
    )


def half_speed():
    x = second_moment.START
    p = 1 / np.sqrt(second_moment.C * second_moment.diagonal(x))
    rate = second_moment.crossing(x, p)
    speeds = {"b = 1": 1.0, "b = λ": rate, "b = 2λ": 2 * rate}
    return quiz(
        "With one example, $1-\\beta_2=b\\eta$ and $\\lambda=\\operatorname{tr}(PH)$. At which $b$ is the motion along "
        "$\\Gamma$ half as fast as at $b=0$?",
        options=[
            (
                "b = 1",
                "There $V$ remembers $1/\\eta$ steps; what counts is how many of them a crossing takes.",
            ),
            ("b = λ", "$\\lambda/(\\lambda+b)=\\frac12$: $V$ forgets as fast as $\\Gamma$ is crossed."),
            ("b = 2λ", "There it is a third."),
        ],
        answer=min(speeds, key=lambda name: abs(rate / (rate + speeds[name]) - 0.5)),
    )


def honest(ahead):
    """`ahead` is by how much Adam from 1 leads SGD in the three settings, equal, sizes, units."""
    names = ("coefficients of equal size", "coefficients of unequal size", "features in unequal units")
    return quiz(
        "In which of the three settings of the experiment is Adam, from the large start, clearly ahead of SGD?",
        options=[
            (names[0], "There the two are about equal, once the chance in the $m_j$ is taken out."),
            (names[1], "There small coefficients die early, and SGD is ahead."),
            (names[2], "SGD pays $m_j|w_j|$, Adam only its root."),
        ],
        answer=names[int(np.argmax(ahead))],
    )
