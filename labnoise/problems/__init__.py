"""Losses with a manifold of minimizers."""

from labnoise.problems._loss import LeastSquares, Loss, sharpness
from labnoise.problems._sparse import SparseRegression, random_sparse_regression

__all__ = ["LeastSquares", "Loss", "SparseRegression", "random_sparse_regression", "sharpness"]
