"""Stochastic gradients: what SGD sees in place of ∇L."""

from labnoise.noises._finite import FiniteNoise
from labnoise.noises._gaussian import GaussianNoise
from labnoise.noises._label import LabelNoise
from labnoise.noises._minibatch import MinibatchNoise
from labnoise.noises._noise import Noise
from labnoise.noises._perturbed import PerturbedGradient
from labnoise.noises._sampled_labels import SampledLabels
from labnoise.noises._sharpness_aware import SharpnessAware

__all__ = [
    "FiniteNoise",
    "GaussianNoise",
    "LabelNoise",
    "MinibatchNoise",
    "Noise",
    "PerturbedGradient",
    "SampledLabels",
    "SharpnessAware",
]
