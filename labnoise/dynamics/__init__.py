"""What runs step by step: SGD, any optimizer of optax, Local SGD, its canonical SDE, and its linearization."""

from labnoise.dynamics._canonical_sde import canonical_sde
from labnoise.dynamics._local_sgd import local_sgd
from labnoise.dynamics._loop import LearningRate, Trajectory
from labnoise.dynamics._ornstein_uhlenbeck import OU, ornstein_uhlenbeck
from labnoise.dynamics._sgd import sgd
from labnoise.dynamics._train import train

__all__ = [
    "OU",
    "LearningRate",
    "Trajectory",
    "canonical_sde",
    "local_sgd",
    "ornstein_uhlenbeck",
    "sgd",
    "train",
]
