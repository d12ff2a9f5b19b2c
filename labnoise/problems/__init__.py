"""Losses with a manifold of minimizers."""

from labnoise.problems._cross_entropy import CrossEntropy
from labnoise.problems._diagnosis import Diagnosis, diagnose
from labnoise.problems._distance import distance
from labnoise.problems._examples import Examples
from labnoise.problems._flatten import flatten
from labnoise.problems._largest_curvature import largest_curvature
from labnoise.problems._least_squares import LeastSquares
from labnoise.problems._loss import Loss
from labnoise.problems._sharpness import sharpness
from labnoise.problems._sparse import SparseRegression, random_sparse_regression

__all__ = [
    "CrossEntropy",
    "Diagnosis",
    "Examples",
    "LeastSquares",
    "Loss",
    "SparseRegression",
    "diagnose",
    "distance",
    "flatten",
    "largest_curvature",
    "random_sparse_regression",
    "sharpness",
]
