"""The three questions of chapter 7: each finds its right option by computing it."""

import numpy as np
from afterzero.experiments import noise_shapes

from labnoise import quiz


def equal_clocks():
    return quiz(
        "Spherical noise at $\\sigma=0.3$ and label noise at $\\delta=1$ run at the same "
        "$\\eta$. How many times more steps does the spherical noise need for an equal clock?",
        options=[
            (3.3, "The clock counts the variance: square the ratio of the strengths."),
            (
                11.1,
                "$(1/0.3)^2$: the limit for $\\delta^2\\Sigma$ at time $t$ is that for $\\Sigma$ at time $\\delta^2t$.",
            ),
            (123.5, "That is the fourth power. The clock counts the square of the strength."),
        ],
        answer=round((1.0 / 0.3) ** 2, 1),
    )


def annealed_rate():
    dose = noise_shapes.elapsed(noise_shapes.annealed, np.array([100_000, 200_000]))
    return quiz(
        "HaoChen et al. divide $\\eta$ by ten after 100 000 steps. What share of the clock of "
        "the first 100 000 steps do the second 100 000 add?",
        options=[
            ("10 %", "That is the ratio of the learning rates; the clock adds $\\eta^2$ per step."),
            ("1 %", "$(1/10)^2$; what falls tenfold is the floor of the error."),
            ("100 %", "That would be a clock that counts steps."),
        ],
        answer=f"{(dose[1] - dose[0]) / dose[0]:.0%}".replace("%", " %"),
    )


def doubled_rate(slope):
    return quiz(
        "A small learning rate is doubled. How many times as far does mini-batch noise then "
        "shrink the start before it dies?",
        options=[
            (1, "That would be label noise at a fixed time $t$."),
            (
                2,
                "Each step shrinks by $\\eta^2$, and the residual lives for $1/\\eta$ steps: of order $\\eta$ in all.",
            ),
            (4, "That is what one step does; but there are half as many before the residual is gone."),
        ],
        answer=round(slope * (2 * 0.001) / (slope * 0.001)),
    )
