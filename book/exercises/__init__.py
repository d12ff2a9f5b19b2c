"""What the chapters of the book import beside `labnoise`: the exercises, and in `experiments` the long runs."""

import os
import pkgutil
import re
from importlib import import_module
from importlib.metadata import version

# A chapter compiles hundreds of small functions, each once. XLA's older emitters and LLVM's second level of
# optimization do that in half the time of the defaults, and what they compile runs about as fast. JAX reads the flags
# when it first computes; XLA ends the process over a flag that it does not know, hence the version.
_FLAGS = ("--xla_cpu_use_fusion_emitters=false", "--xla_backend_optimization_level=2")
if version("jax").startswith("0.10."):
    given = os.environ.get("XLA_FLAGS", "")
    chosen = [flag for flag in _FLAGS if flag.split("=")[0] not in given]
    os.environ["XLA_FLAGS"] = " ".join([given, *chosen]).strip()


def load_exercises() -> None:
    """Import the exercises of all chapters."""
    for module in pkgutil.iter_modules(__path__):
        if re.fullmatch(r"ch\d\d", module.name):
            import_module(f"{__name__}.{module.name}")
