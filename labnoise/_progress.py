"""The progress bar of long runs, of `sgd` and of `sweep`."""

import os

from tqdm.auto import tqdm


def progress_bar(total: int, unit: str, initial: int = 0, silent: bool = False) -> tqdm:
    """A bar that comes after two seconds and goes with its run, unless the environment has LABNOISE_PROGRESS=0."""
    silent = silent or os.environ.get("LABNOISE_PROGRESS") == "0"
    return tqdm(total=total, initial=initial, unit=unit, delay=2, disable=silent, leave=False)
