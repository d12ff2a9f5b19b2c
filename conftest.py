"""Before pytest imports single files of the package for their examples: `labnoise.sgd` is to mean the function."""

import afterzero  # noqa: F401  (whose flags for XLA make the tests compile faster too)

import labnoise  # noqa: F401
