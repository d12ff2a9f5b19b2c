"""What the chapters of the book import beside `labnoise`: the exercises, and in `experiments` the long runs."""

import os
from importlib.metadata import version

# A chapter compiles hundreds of small functions, each once. XLA's older emitters do that in two thirds of the time, and
# what they compile runs as fast. JAX reads the flag when it first computes; XLA ends the process over a flag that it
# does not know, hence the version.
_FLAG = "--xla_cpu_use_fusion_emitters"
if version("jax").startswith("0.10.") and _FLAG not in os.environ.get("XLA_FLAGS", ""):
    os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} {_FLAG}=false".strip()
