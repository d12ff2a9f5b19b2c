"""Stochastic gradients: what SGD sees in place of ∇L."""

from labnoise.noises._noise import FiniteNoise, GaussianNoise, LabelNoise, MinibatchNoise, Noise

__all__ = ["FiniteNoise", "GaussianNoise", "LabelNoise", "MinibatchNoise", "Noise"]
