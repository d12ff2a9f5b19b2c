"""Handwritten digits and a network with one hidden layer: the data, and what chapter 10 measures.

The digits are those of scikit-learn, 8 × 8 pixels with values from 0 to 1. The network, with 32 units, is
`f = Σ_j v_j tanh(w_j·x + b_j)`; it learns to tell a 3 (−1) from an 8 (+1) from 40 images, by least squares.
"""

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from sklearn.datasets import load_digits

from labnoise import LeastSquares, flatten

WIDTH, EXAMPLES = 32, 40


class Digits(NamedTuple):
    """A draw of the training set.

    Attributes
    ----------
    problem : LeastSquares
    x0 : (D,), the random start
    unflatten : x (D,) -> a dictionary of hidden (64, 32), bias (32,) and out (32,)
    inputs, labels : (40, 64) and (40,), what is trained on
    unseen, answers : (N, 64) and (N,), all other images of the two digits, and their labels
    """

    problem: LeastSquares
    x0: jax.Array
    unflatten: Callable
    inputs: np.ndarray
    labels: np.ndarray
    unseen: np.ndarray
    answers: np.ndarray


@cache
def images(*classes: int) -> tuple[np.ndarray, np.ndarray]:
    """All images (N, 64) of these digits and which digit each is, (N,)."""
    pixels, digit = load_digits(return_X_y=True)
    kept = np.isin(digit, classes)
    return pixels[kept] / 16, digit[kept]


def network(params, inputs):
    """The outputs (N,) for inputs (N, 64)."""
    return jnp.tanh(inputs @ params["hidden"] + params["bias"]) @ params["out"]


def initial(rng: np.random.Generator, width: int = WIDTH) -> dict[str, np.ndarray]:
    """A start with variances 1/(number of inputs), as libraries have it."""
    hidden, out = rng.standard_normal((64, width)) / 8, rng.standard_normal(width) / width**0.5
    return {"bias": np.zeros(width), "hidden": hidden, "out": out}


def draw(rng: np.random.Generator, classes: tuple[int, int] = (3, 8), examples: int = EXAMPLES) -> Digits:
    """Training images and a start, both drawn with `rng`."""
    pixels, digit = images(*classes)
    order = rng.permutation(len(digit))
    pixels, labels = pixels[order], np.where(digit[order] == classes[0], -1.0, 1.0)
    model, x0, unflatten = flatten(network, initial(rng))
    problem = LeastSquares(model, labels[:examples], inputs=pixels[:examples])
    split = (part for array in (pixels, labels) for part in (array[:examples], array[examples:]))
    inputs, unseen, labels, answers = split
    return Digits(problem, x0, unflatten, inputs, labels, unseen, answers)


@jax.jit
def activations(states: jax.Array, inputs: jax.Array) -> tuple[jax.Array, jax.Array]:
    """tanh of every unit on every input, (k, N, 32), and the output weights, (k, 32), of states (k, D)."""
    bias, hidden, out = jnp.split(states, [WIDTH, 65 * WIDTH], axis=1)
    return jnp.tanh(inputs @ hidden.reshape(-1, 64, WIDTH) + bias[:, None, :]), out


def measures(states: np.ndarray, digits: Digits) -> dict[str, np.ndarray]:
    """Of states (k, D): sharpness, test errors, norm, and of what is added up the share of the strongest unit.

    The sharpness is that on Γ, `(2/n) Σ_i |∇f_i|²`, from the formula for this network.
    """
    states = jnp.atleast_2d(jnp.asarray(states))
    hidden, out = activations(states, digits.inputs)
    lengths = 1 + (digits.inputs**2).sum(axis=1)
    squares = hidden**2 + (out[:, None, :] * (1 - hidden**2)) ** 2 * lengths[:, None]
    there, _ = activations(states, digits.unseen)
    outputs = jnp.einsum("kij,kj->ki", there, out)
    parts = jnp.abs(hidden * out[:, None, :]).mean(axis=1)
    found = {
        "sharpness": 2 * squares.sum(axis=2).mean(axis=1),
        "mse": ((outputs - digits.answers) ** 2).mean(axis=1),
        "wrong": jnp.where(outputs * digits.answers > 0, 0.0, 1.0).mean(axis=1),
        "norm": (states**2).sum(axis=1),
        "share": parts.max(axis=1) / parts.sum(axis=1),
    }
    return {name: np.asarray(values) for name, values in found.items()}


def least_sharpness(digits: Digits) -> float:
    """The bound below which no hidden layer of tanh comes that fits the labels: `(2/n) Σ_i χ(|y_i||(z_i, 1)|)`."""
    s = np.abs(digits.labels) * np.sqrt(1 + (digits.inputs**2).sum(axis=1))
    return float(2 * np.mean(2 * s / (s + np.sqrt(1 + s**2))))
