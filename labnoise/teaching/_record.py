"""What this session has answered: `check` writes it, `save_answers` reads it."""

from typing import Any

from labnoise.teaching._verdict import Verdict

answers: dict[str, tuple[Any, Verdict]] = {}  # per exercise the last answer, and what was said of it
attempts: dict[str, list[str]] = {}  # per exercise the different answers that were "not yet"
