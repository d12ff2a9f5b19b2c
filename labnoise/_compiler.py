"""A setting of JAX's compiler for CPUs, which importing the package makes: loops of few numbers become one kernel.

By itself XLA starts each operation of a loop anew if a turn of it touches more than a kilobyte. Up to a megabyte the
loop is compiled as a whole instead, and one chain of SGD on a small problem runs 1.5 to 3 times as fast
(`benchmarks/core.py loops`). Sums are added in another order: last digits differ.
"""

import os

_SETTING = "--xla_backend_extra_options=xla_cpu_small_while_loop_byte_threshold=1000000"


def compile_small_loops_whole() -> None:
    """Add the setting to XLA_FLAGS, which XLA reads before its first computation; one that is there stays."""
    flags = os.environ.get("XLA_FLAGS", "")
    if "xla_backend_extra_options" not in flags:
        os.environ["XLA_FLAGS"] = f"{flags} {_SETTING}".strip()
