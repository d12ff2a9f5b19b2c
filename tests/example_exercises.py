"""Exercises for the tests: one with a function, one with a number."""

import numpy as np

from labnoise.teaching import exercise


@exercise(
    "0.1",
    inputs=lambda rng: (rng.standard_normal((4, 3)), rng.uniform(0.2, 1.0)),
    mistakes={
        "The noise enters squared: δ², not δ.": lambda jacobian, delta: (
            4 * delta * jacobian.T @ jacobian / len(jacobian)
        ),
        "That is the n × n matrix JJᵀ: transpose.": lambda jacobian, delta: (
            4 * delta**2 * jacobian @ jacobian.T / len(jacobian)
        ),
    },
    hints=("Write down the gradient of one example.", "Its label's noise has variance δ²."),
)
def label_noise_covariance(jacobian, delta):
    """The covariance of the label-noise gradient.

    `jacobian` is (n, D), `delta` the size of the label noise.
    """
    return 4 * delta**2 * jacobian.T @ jacobian / len(jacobian)


@exercise(
    "0.2",
    mistakes={"That is the fast clock, η⁻¹.": -1.0, "The sign: the time grows as η falls.": 2.0},
    hints=("Plot on doubly logarithmic axes.", "Fit a line."),
    rtol=0.05,
)
def slope():
    """The power of η with which the time to reach half the sharpness grows."""
    return np.log(4.0) / np.log(0.5)
