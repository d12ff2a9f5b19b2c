"""The four noises of chapter 7 at their full lengths, one seed each, after compilation; the least of three.

python benchmarks/noises.py [--write]

In one thread, as `make experiments` computes them: the vectors are so short that two threads mostly wait.
"""

import os
import time

os.environ |= {"LABNOISE_PROGRESS": "0", "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false"}

import jax
import jax.numpy as jnp
import report
from afterzero.experiments import noise_shapes

from labnoise import sgd

NAMES = ("label", "mini-batch", "spherical", "none")


def main() -> None:
    rows, total = [], 0.0
    for name in NAMES:
        noise, rate, steps = noise_shapes.SETTINGS[name]
        start = jnp.ones(noise_shapes.D, jnp.float32)
        sgd(noise, start, rate, steps, jax.random.key(0))  # compiles
        times = []
        for _ in range(3):
            begin = time.perf_counter()
            path = sgd(noise, start, rate, steps, jax.random.key(1))
            times.append(time.perf_counter() - begin)
        total += min(times)
        error = noise_shapes.error(path.states[-1])
        rows.append(
            [
                f"{name}, " + f"{steps:,} steps".replace(",", " "),
                "",
                f"{min(times):.2f} s (final error {error:.3g})",
            ]
        )
    rows.append(["all four, one seed", "≤ 6 s", f"{total:.2f} s"])
    report.publish("noises", ["what", "asked", "measured"], rows)


if __name__ == "__main__":
    main()
