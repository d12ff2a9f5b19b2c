# ruff: noqa: E402
"""The objects of Li, Wang & Arora (ICLR 2022) as small, tested functions.

Importing this package turns on JAX's float64.
"""

import jax

jax.config.update("jax_enable_x64", True)

from labnoise import landscapes
from labnoise.check import check
from labnoise.limit import label_noise_flow
from labnoise.losses import LeastSquares, Loss, sharpness
from labnoise.noise import FiniteNoise, GaussianNoise, LabelNoise, MinibatchNoise, Noise
from labnoise.projection import project
from labnoise.quiz import quiz
from labnoise.sgd import Trajectory, sgd
from labnoise.sparse import SparseRegression, random_sparse_regression
from labnoise.widgets import explore

__all__ = [
    "FiniteNoise",
    "GaussianNoise",
    "LabelNoise",
    "LeastSquares",
    "Loss",
    "MinibatchNoise",
    "Noise",
    "SparseRegression",
    "Trajectory",
    "check",
    "explore",
    "label_noise_flow",
    "landscapes",
    "project",
    "quiz",
    "random_sparse_regression",
    "sgd",
    "sharpness",
]
