# ruff: noqa: E402
"""The objects of Li, Wang & Arora (ICLR 2022) as small, tested functions.

Importing this package turns on JAX's float64 for the whole program, and has its compiler make one kernel of a loop of
few numbers: import it first. What to open for what; a folder's `__init__` names what it holds, its modules are
private:

    problems/     losses with a manifold of minimizers: any loss, least squares, cross-entropy, the sparse model
    landscapes/   losses on which the limit is known in closed form, which is theirs as methods
    noises/       stochastic gradients: label noise, mini-batches, Gaussian, finitely many outcomes; a reader's own
    dynamics/     what runs step by step: SGD, Local SGD, any optimizer of optax, the canonical SDE, the linearization
    limits/       Γ and the limit: gradient flow, Φ, the four terms, the limiting diffusion, the flow of label noise
    compare.py    samples against samples
    _sweep.py     trials over a grid, on any executor
    teaching/     exercises, quizzes, answers that last, stubs, and widgets/: pictures that a reader moves
    answers.py, widgets.py    the names by which chapters import the last two

Below them: `_precision` (float64), `_compiler` (small loops), `_checks` (what a person typed), `_linalg` (matrices
that may be singular), `_pytree` (classes that JAX looks into), `_shapes` (signatures), `_progress` (bars). An arrow of
imports points from limits to dynamics to noises to problems; teaching and mathematics know nothing of each other.
"""

import importlib
from typing import TYPE_CHECKING, Any

from labnoise._compiler import compile_small_loops_whole
from labnoise._precision import turn_on_float64

turn_on_float64()
compile_small_loops_whole()

from labnoise import compare, landscapes
from labnoise._sweep import Sweep, Trial, sweep
from labnoise.dynamics import OU, Trajectory, canonical_sde, local_sgd, ornstein_uhlenbeck, sgd, train
from labnoise.limits import (
    DriftTerms,
    adaptive_flow,
    drift_terms,
    gradient_flow,
    label_noise_flow,
    limiting_diffusion,
    local_sgd_drift,
    lyapunov_solve,
    project,
    regularizer_flow,
    tangent_projection,
)
from labnoise.noises import (
    FiniteNoise,
    GaussianNoise,
    LabelNoise,
    MinibatchNoise,
    Noise,
    PerturbedGradient,
    SampledLabels,
    SharpnessAware,
)
from labnoise.problems import (
    CrossEntropy,
    Diagnosis,
    LeastSquares,
    Loss,
    SparseRegression,
    diagnose,
    distance,
    flatten,
    largest_curvature,
    random_sparse_regression,
    sharpness,
)
from labnoise.teaching import check, quiz

if TYPE_CHECKING:
    from labnoise.widgets import explore

__all__ = [
    "OU",
    "CrossEntropy",
    "Diagnosis",
    "DriftTerms",
    "FiniteNoise",
    "GaussianNoise",
    "LabelNoise",
    "LeastSquares",
    "Loss",
    "MinibatchNoise",
    "Noise",
    "PerturbedGradient",
    "SampledLabels",
    "SharpnessAware",
    "SparseRegression",
    "Sweep",
    "Trajectory",
    "Trial",
    "adaptive_flow",
    "canonical_sde",
    "check",
    "compare",
    "diagnose",
    "distance",
    "drift_terms",
    "explore",
    "flatten",
    "gradient_flow",
    "label_noise_flow",
    "landscapes",
    "largest_curvature",
    "limiting_diffusion",
    "local_sgd",
    "local_sgd_drift",
    "lyapunov_solve",
    "ornstein_uhlenbeck",
    "project",
    "quiz",
    "random_sparse_regression",
    "regularizer_flow",
    "sgd",
    "sharpness",
    "sweep",
    "tangent_projection",
    "train",
]


def __getattr__(name: str) -> Any:
    """The widgets once they are asked for: a cluster's workers draw nothing, and Matplotlib is slow to import."""
    if name in ("explore", "widgets"):
        widgets = importlib.import_module("labnoise.widgets")
        return widgets.explore if name == "explore" else widgets
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
