"""The four noises of chapter 7 at their full lengths, one seed each, after compilation.

python benchmarks/noises.py [--write]
"""

from __future__ import annotations

import time

import report
from afterzero.experiments import noise_shapes

NAMES = ("label", "mini-batch", "spherical", "none")


def main() -> None:
    rows, total = [], 0.0
    for name in NAMES:
        noise_shapes.runs(name, [0])  # compiles
        begin = time.perf_counter()
        _, states = noise_shapes.runs(name, [1])
        seconds = time.perf_counter() - begin
        total += seconds
        steps = noise_shapes.SETTINGS[name].steps
        error = noise_shapes.error(states[0, -1])
        rows.append(
            [
                f"{name}, {steps:,} steps".replace(",", " "),
                "",
                f"{seconds:.2f} s (final error {error:.3g})",
            ]
        )
    rows.append(["all four, one seed", "≤ 6 s", f"{total:.2f} s"])
    report.publish("noises", ["what", "asked", "measured"], rows)


if __name__ == "__main__":
    main()
