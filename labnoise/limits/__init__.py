"""The manifold Γ, the projection on it, and the limit of SGD along it."""

from labnoise.limits._drift import DriftTerms, drift_terms, lyapunov_solve
from labnoise.limits._gradient_flow import gradient_flow
from labnoise.limits._label_noise_flow import label_noise_flow
from labnoise.limits._limiting_diffusion import limiting_diffusion
from labnoise.limits._projection import project, tangent_projection

__all__ = [
    "DriftTerms",
    "drift_terms",
    "gradient_flow",
    "label_noise_flow",
    "limiting_diffusion",
    "lyapunov_solve",
    "project",
    "tangent_projection",
]
