"""What this session has answered: `check` writes it, `save_answers` and `load_answers` read it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from labnoise.teaching._journal import Entry

answers: dict[str, Entry] = {}  # per exercise the answer that counts
attempts: dict[str, list[str]] = {}  # per exercise the different answers that were "not yet"
caught: dict[str, Any] | None = None  # while a kept cell runs again: what it gives to `check`


@contextmanager
def catching() -> Iterator[dict[str, Any]]:
    """Within the block `check` marks nothing, and its answers lie in the dict."""
    global caught
    before, caught = caught, {}
    try:
        yield caught
    finally:
        caught = before
