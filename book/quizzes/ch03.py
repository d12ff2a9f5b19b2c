"""The three questions of chapter 3: each finds its right option by computing it."""

import jax.numpy as jnp
import numpy as np

from labnoise import quiz


def push_along_the_flow(problem, slope_of_end):
    point = jnp.array([3.0, 1.0])
    push = problem.gradient(point)
    moved_by_push = float(jnp.linalg.norm(slope_of_end(point) @ push))
    return quiz(
        "At $(3,1)$, off the curve $uv=1$, the weights get a small push of length $\\varepsilon$ "
        "in the direction of $\\nabla L$. By how much, to first order in $\\varepsilon$, does "
        "$\\Phi$ move?",
        options=[
            (
                "ε",
                "Only a push that $\\partial\\Phi$ leaves alone would arrive in full. This one is along "
                "the flow, and is forgotten.",
            ),
            (
                "not at all",
                "$\\partial\\Phi\\,\\nabla L=0$ on all of $U$: a push along the flow only changes when "
                "one arrives, not where.",
            ),
            (
                "ε times |x|/|Φ(x)|",
                "That is the norm of $\\partial\\Phi$, reached by a push across the flow. The gradient "
                "is in its kernel.",
            ),
        ],
        answer="not at all" if moved_by_push < 1e-9 else "ε",
    )


def round_noise_off_the_curve(problem):
    far = np.array([3.0, 2.0])
    factor = round(float(np.linalg.norm(far) / np.linalg.norm(problem.project(far))), 2)
    return quiz(
        "At $(3,2)$ the noise is round, $\\Sigma=\\tau^2I$. To first order, the noise that "
        "arrives on the curve at $\\Phi(3,2)$ has, in units of $\\tau$, the standard deviation …",
        options=[
            (
                1.0,
                "That would be right if $\\partial\\Phi$ were the tangent projection. It is, on "
                "$\\Gamma$; $(3,2)$ is far off it.",
            ),
            (factor, "the factor is $|x|/|\\Phi(x)|=3.61/2.32$: more than one, so no orthogonal projection."),
            (round(1 / factor, 2), "The fraction is upside down: outside the curve pushes arrive enlarged."),
        ],
        answer=factor,
    )


def two_clocks():
    steps_fast, steps_slow = 1 / 0.02, 1 / 0.02**2
    return quiz(
        "Halve $\\eta$. How many times as many steps of SGD are needed from the same start to "
        "halve the distance from $\\Gamma$, and how many times as many to travel along "
        "$\\Gamma$ as far as before?",
        options=[
            (
                "2 and 2",
                "Right for the descent, $s=\\eta k$. The motion along $\\Gamma$ has the clock $t=\\eta^2k$.",
            ),
            ("2 and 4", "The fast clock is $s=\\eta k$, the slow one $t=\\eta^2k$."),
            ("4 and 4", "The descent to $\\Gamma$ is gradient flow, whose clock is $s=\\eta k$."),
        ],
        answer=f"{(1 / 0.01) / steps_fast:.0f} and {(1 / 0.01**2) / steps_slow:.0f}",
    )
