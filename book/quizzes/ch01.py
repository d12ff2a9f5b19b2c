"""The three questions of chapter 1: each finds its right option by computing it."""

import jax.numpy as jnp
import numpy as np

from labnoise import LabelNoise, quiz


def steps_at_another_rate():
    return quiz(
        "Label noise halves the unbalance in 4000 steps at $\\eta=0.02$. About how many does it "
        "need at $\\eta=0.005$?",
        options=[
            (
                16_000,
                "That is $\\eta$ for $\\eta^2$: the clock ticks in $\\eta^2$, and $\\eta$ is four times "
                "smaller.",
            ),
            (64_000, "Four times smaller $\\eta$, sixteen times more steps."),
            (4_000, "A smaller $\\eta$ slows the motion down. What stays the same is $t=\\eta^2k$, not $k$."),
        ],
        answer=4_000 * (0.02 / 0.005) ** 2,
    )


def variance_along_the_curve(problem):
    on_curve = jnp.array([2.0, 0.5])
    return quiz(
        "At the point $(2,\\frac12)$ of the curve $uv=1$, what is the variance of label noise "
        "($\\delta=\\frac12$, $B=1$) along the curve?",
        options=[
            (
                0,
                "$\\Sigma=c\\nabla^2L$, and the Hessian is zero along $\\Gamma$: nothing pushes the "
                "weights that way.",
            ),
            (4.25, "That is the trace of $\\Sigma$, all of which lies across the curve."),
            (
                0.5,
                "That is $c=2\\delta^2/B$, the factor before the Hessian; the Hessian itself is zero "
                "along $\\Gamma$.",
            ),
        ],
        answer=float(
            jnp.array([2.0, -0.5]) @ LabelNoise(problem, 0.5).covariance(on_curve) @ jnp.array([2.0, -0.5])
        ),
    )


def which_target():
    smallest_jacobian = {y: 2 * np.sqrt(y) for y in (1, 0)}  # on u² + v² = y, where J = 2(u, v)
    return quiz(
        "The model $f(u,v)=u^2+v^2$ is to fit one target $y$. For which has the Jacobian full "
        "rank on all of $\\Gamma$?",
        options=[
            ("y = 1 and y = 0", "At $y=0$ zero loss is the origin alone, where $J=2(u,v)$ vanishes."),
            ("y = 1", "Zero loss is the unit circle, and $|J|=2$ on all of it."),
            ("y = 0", "Zero loss is then the origin alone, and $J$ vanishes there; at $y=1$ it does not."),
        ],
        answer=" and ".join(f"y = {y}" for y, size in smallest_jacobian.items() if size > 0),
    )
