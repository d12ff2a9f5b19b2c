"""Solvable landscapes: losses on which the limit of SGD is known in closed form.

Each is a `Loss`; those that come with a noise of their own carry it as `.cov`, a function of the point,
ready for `GaussianNoise(landscape, landscape.cov)`. What has a closed form is a method. Throughout t = η²·steps.
"""

from labnoise.landscapes._circle import Circle, circle
from labnoise.landscapes._four_terms import FourTerms, four_terms
from labnoise.landscapes._hyperbola import Hyperbola, hyperbola
from labnoise.landscapes._landscape import Landscape
from labnoise.landscapes._phase_motor import PhaseMotor, phase_motor
from labnoise.landscapes._ring import Ring, ring
from labnoise.landscapes._valley import Valley, valley

__all__ = [
    "Circle",
    "FourTerms",
    "Hyperbola",
    "Landscape",
    "PhaseMotor",
    "Ring",
    "Valley",
    "circle",
    "four_terms",
    "hyperbola",
    "phase_motor",
    "ring",
    "valley",
]
