# ruff: noqa: E402
"""The objects of Li, Wang & Arora (ICLR 2022) as small, tested functions.

Importing this package turns on JAX's float64.
"""

import importlib
from typing import TYPE_CHECKING, Any

import jax

jax.config.update("jax_enable_x64", True)

from labnoise import compare, landscapes
from labnoise._sweep import Sweep, Trial, sweep
from labnoise.dynamics import OU, Trajectory, canonical_sde, ornstein_uhlenbeck, sgd
from labnoise.limits import (
    DriftTerms,
    drift_terms,
    gradient_flow,
    label_noise_flow,
    limiting_diffusion,
    lyapunov_solve,
    project,
    tangent_projection,
)
from labnoise.noises import FiniteNoise, GaussianNoise, LabelNoise, MinibatchNoise, Noise
from labnoise.problems import LeastSquares, Loss, SparseRegression, random_sparse_regression, sharpness
from labnoise.teaching import check, quiz

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
    "Sweep",
    "Trajectory",
    "Trial",
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
