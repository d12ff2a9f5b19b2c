"""The three questions of chapter 5: each finds its right option by computing it."""

import jax.numpy as jnp
import numpy as np
from jax.tree_util import Partial

from labnoise import Loss, drift_terms, landscapes, quiz


def mean_angle():
    at = jnp.array([1.0, 0.0])
    circle = landscapes.circle(0.4, 0.3, 0.4)
    return quiz(
        "On the circle with $\\tau_\\parallel=0.4$, $b=0.3$, $\\tau_r=0.4$, what is the mean "
        "angle of the limit at $t=2$, from $\\theta=0$?",
        options=[
            (
                -0.3,
                "That would be the coefficient $\\frac12$. The two mixed blocks of $\\Sigma$ together "
                "make it 1.",
            ),
            (-0.6, "The drift is the mixed term, $-b$ per unit of time."),
            (0.0, "The noise along the circle has mean zero, but it is correlated with the noise across it."),
        ],
        answer=2 * float(drift_terms(circle, circle.cov(at), at).mixed[1]),
    )


def same_noise_another_loss(three_weights, cov3):
    losses = [Loss(Partial(three_weights, a=a)) for a in (0.0, 1.0)]
    one, other = (drift_terms(loss, cov3, jnp.array([2.0, 1.0, 0.5]))._asdict() for loss in losses)
    differing = [name for name in list(one)[1:] if abs(one[name] - other[name]).max() > 1e-9]
    return quiz(
        "Two losses have the same $\\Gamma$, and the same $\\Sigma$ on it. Which drifts can differ?",
        options=[
            (
                "compensation, mixed, normal",
                "Compensation and mixed term are the bending of $\\Gamma$ in disguise.",
            ),
            (
                "mixed, normal",
                "$H^\\dagger$ and $\\partial^2(\\nabla L)$ both depend on the loss, but in the mixed "
                "term their product does not.",
            ),
            ("normal", "Only the cloud across $\\Gamma$ feels how steep the valley is."),
        ],
        answer=", ".join(differing),
    )


def which_motor(motors):
    gathers = {k: bool(motors[k].velocity(np.linspace(0, 2 * np.pi, 4001)).min() <= 0) for k in (2, 4)}
    return quiz(
        "For which of these motors is there a function on the circle that decreases along the "
        "limit, wherever that moves?",
        options=[
            (
                "k = 2 and k = 4",
                "With four phases the velocity is positive everywhere, and a function cannot fall all "
                "the way round.",
            ),
            ("k = 2", "Two phases have points of rest; with four the velocity never vanishes."),
            (
                "neither",
                "With two phases the velocity takes both signs, and exercise 5.7 constructs such a "
                "function. "
                "(With the ordinary length of the circle it is not the gradient descent of one; lengths "
                "have to be chosen.)",
            ),
        ],
        answer=" and ".join(f"k = {k}" for k, rests in gathers.items() if rests),
    )
