"""The four questions of chapter 8: each finds its right option by computing it."""

import jax.numpy as jnp
import numpy as np

from labnoise import SparseRegression, largest_curvature, local_sgd_drift, quiz, regularizer_flow, sharpness
from labnoise.landscapes import valley


def heavy_ball():
    return quiz(
        "Heavy ball with $\\beta=0.9$ needs 10 000 steps to reach some point of the slow motion. "
        "About how many does plain SGD need at the same $\\eta$?",
        options=[
            (
                100_000,
                "The effective learning rate is ten times as large, and the slow clock counts its square.",
            ),
            (1_000_000, "$(1/(1-\\beta))^2=100$ times as many."),
            (10_000, "Momentum does change the clock: each gradient is used $1/(1-\\beta)$ times in all."),
        ],
        answer=round(10_000 / (1 - 0.9) ** 2),
    )


def longer_rounds():
    scene, x = valley(), jnp.array([1.0, 0.0])
    pulls = [
        local_sgd_drift(scene, jnp.diag(jnp.array([0.0, 1.0])), x, 8, alpha).total[0] for alpha in (0.0, 1e6)
    ]
    return quiz(
        "Eight workers step alone for ever longer between two averages. By what factor does the "
        "normal drift grow in the end, compared with an average after each step?",
        options=[
            (1, "That would be so for the noise along $\\Gamma$, which stays at $\\Sigma/8$."),
            (
                8,
                "From that of $\\Sigma/8$ to that of $\\Sigma$, the drift of one worker: $\\psi$ goes from 0 to 1.",
            ),
            (
                64,
                "The cloud of a worker is eight times that of the mean, and the drift is linear in the cloud.",
            ),
        ],
        answer=round(float(pulls[1] / pulls[0])),
    )


def smaller_radius():
    def steps(eta, rho):
        return 1 / (eta * rho**2)

    return quiz(
        "In sharpness-aware steps the radius $\\rho$ and the learning rate $\\eta$ are both halved. How many times "
        "as many steps does the same way along $\\Gamma$ take?",
        options=[
            (2, "That is the learning rate's part alone."),
            (4, "That is the radius's part alone."),
            (8, "The clock gains $\\eta\\rho^2$ per step."),
            (16, "The learning rate enters once: the step is made once, and the probe does not have it."),
        ],
        answer=round(steps(0.005, 0.05) / steps(0.01, 0.1)),
    )


def which_sharpness():
    Z = jnp.array([[1.0, 0.5, -0.7], [0.3, -1.0, 0.8]])
    start, tau = jnp.array([1.1, 0.7, 0.9]), jnp.array([0.3])
    problem = SparseRegression(Z, Z @ start**2, "square")
    flows = {
        "one example a step": lambda x: 0.5 * sharpness(problem, x),
        "all examples": lambda x: 0.5 * largest_curvature(problem, x),
    }
    ends = {name: regularizer_flow(problem, start, tau, flow)[0] for name, flow in flows.items()}
    lowest = min(ends, key=lambda name: float(np.asarray(largest_curvature(problem, ends[name]))))
    return quiz(
        "On the square model of this chapter two methods have run to $\\tau=0.3$. Which of them stands where the "
        "largest eigenvalue is smaller?",
        options=[
            (
                "one example a step",
                "It has gone further along the same curve: the smaller eigenvalue falls too, so a trace pulls harder.",
            ),
            (
                "all examples",
                "That is what it descends. But on a curve there are two directions only, and at an equal clock the "
                "other one is ahead.",
            ),
            ("neither", "The two ends are different points, and so are the eigenvalues."),
        ],
        answer=lowest,
    )
