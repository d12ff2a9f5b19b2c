"""The three questions of chapter 2: each finds its right option by computing it."""

import jax.numpy as jnp
import numpy as np

from labnoise import lyapunov_solve, quiz


def height_of_the_plateau():
    stiff = np.diag([1.0, 9.0])
    return quiz(
        "Gaussian noise with covariance $I$, curvatures 1 and 9, $\\eta=0.01$. How high is the "
        "plateau, in the continuous model?",
        options=[
            (0.005, "$\\frac\\eta4\\operatorname{tr}\\Sigma=0.0025\\cdot2$: the curvatures do not enter."),
            (
                0.025,
                "That is $\\frac\\eta4\\operatorname{tr}H$, the plateau of label noise with $c=1$. Here "
                "$\\Sigma=I$.",
            ),
            (
                0.0055,
                "That is nearly $\\operatorname{tr}S$, the mean square distance; the loss weights each "
                "direction by its curvature.",
            ),
        ],
        answer=0.5 * np.trace(stiff @ (0.01 * np.array(lyapunov_solve(jnp.array(stiff), jnp.eye(2))))),
    )


def width_of_the_cloud():
    return quiz(
        "Under label noise $\\eta$ is divided by four. By which factor does the cloud become "
        "narrower, its width being the typical distance from $\\Gamma$?",
        options=[
            (4, "The mean square of the distance is $\\eta cM/2$."),
            (2, "The mean square distance is proportional to $\\eta$, the distance to $\\sqrt\\eta$."),
            (16, "That is the factor in the number of steps of the slow clock."),
        ],
        answer=np.sqrt(0.04 / 0.01),
    )


def reach_of_the_local_analysis():
    return quiz(
        "At $\\eta=10^{-5}$, the local analysis covers about $\\eta^{-1.6}=10^8$ steps. Which "
        "$t=\\eta^2k$ is that?",
        options=[
            (
                0.01,
                "$\\eta^{0.4}=0.01$: a hundredth of the time that the motion along $\\Gamma$ needs to be "
                "seen.",
            ),
            (1, "That takes $\\eta^{-2}=10^{10}$ steps, a hundred times as many."),
            (0.1, "Multiply: $10^{-10}\\cdot10^{8}$."),
        ],
        answer=1e-5**2 * 1e8,
    )
