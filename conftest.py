"""Before anything of the package is imported: its shapes are checked in the tests."""

import os

os.environ["LABNOISE_CHECK_SHAPES"] = "1"

import afterzero  # noqa: F401  (whose flags for XLA make the tests compile faster too)
