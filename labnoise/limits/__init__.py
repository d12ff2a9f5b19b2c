"""The manifold Γ, the projection on it, and the limit of SGD along it."""

from labnoise.limits._adaptive_flow import adaptive_flow
from labnoise.limits._drift import DriftTerms, drift_terms, lyapunov_solve
from labnoise.limits._gradient_flow import gradient_flow
from labnoise.limits._label_noise_flow import label_noise_flow
from labnoise.limits._limiting_diffusion import limiting_diffusion
from labnoise.limits._local_sgd_drift import local_sgd_drift
from labnoise.limits._projection import project, tangent_projection
from labnoise.limits._regularizer_flow import regularizer_flow

__all__ = [
    "DriftTerms",
    "adaptive_flow",
    "drift_terms",
    "gradient_flow",
    "label_noise_flow",
    "limiting_diffusion",
    "local_sgd_drift",
    "lyapunov_solve",
    "project",
    "regularizer_flow",
    "tangent_projection",
]
