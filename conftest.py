"""Before pytest imports single files of the package for their examples: `labnoise.sgd` is to mean the function."""

import labnoise  # noqa: F401
