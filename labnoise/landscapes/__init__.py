"""Solvable landscapes: losses on which the limit of SGD is known in closed form."""

from labnoise.landscapes._all import Landscape, circle, four_terms, hyperbola, phase_motor, ring, valley

__all__ = ["Landscape", "circle", "four_terms", "hyperbola", "phase_motor", "ring", "valley"]
