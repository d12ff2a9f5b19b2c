# ruff: noqa: E402
"""The objects of Li, Wang & Arora (ICLR 2022) as small, tested functions.

Importing this package turns on JAX's float64.
"""

import importlib
from typing import TYPE_CHECKING, Any

import jax

jax.config.update("jax_enable_x64", True)

from labnoise import compare, landscapes
from labnoise.check import check
from labnoise.drift import DriftTerms, drift_terms, lyapunov_solve
from labnoise.flow import gradient_flow
from labnoise.limit import label_noise_flow, limiting_diffusion
from labnoise.losses import LeastSquares, Loss, sharpness
from labnoise.noise import FiniteNoise, GaussianNoise, LabelNoise, MinibatchNoise, Noise
from labnoise.ou import OU, ornstein_uhlenbeck
from labnoise.projection import project, tangent_projection
from labnoise.quiz import quiz
from labnoise.sde import canonical_sde
from labnoise.sgd import Trajectory, sgd
from labnoise.sparse import SparseRegression, random_sparse_regression
from labnoise.sweep import sweep

if TYPE_CHECKING:
    from labnoise.widgets import explore

__all__ = [
    "OU",
    "DriftTerms",
    "FiniteNoise",
    "GaussianNoise",
    "LabelNoise",
    "LeastSquares",
    "Loss",
    "MinibatchNoise",
    "Noise",
    "SparseRegression",
    "Trajectory",
    "canonical_sde",
    "check",
    "compare",
    "drift_terms",
    "explore",
    "gradient_flow",
    "label_noise_flow",
    "landscapes",
    "limiting_diffusion",
    "lyapunov_solve",
    "ornstein_uhlenbeck",
    "project",
    "quiz",
    "random_sparse_regression",
    "sgd",
    "sharpness",
    "sweep",
    "tangent_projection",
]


def __getattr__(name: str) -> Any:
    """The widgets once they are asked for: a cluster's workers draw nothing, and Matplotlib is slow to import."""
    if name in ("explore", "widgets"):
        widgets = importlib.import_module("labnoise.widgets")
        return widgets.explore if name == "explore" else widgets
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
