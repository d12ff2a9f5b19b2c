import importlib
import importlib.metadata
import os

import afterzero
import pytest

EMITTERS, LEVEL = "--xla_cpu_use_fusion_emitters=false", "--xla_backend_optimization_level=2"


@pytest.mark.parametrize(
    ("version", "before", "after"),
    [
        ("0.10.2", None, f"{EMITTERS} {LEVEL}"),
        ("0.10.2", "--one", f"--one {EMITTERS} {LEVEL}"),
        ("0.10.2", "--xla_cpu_use_fusion_emitters=true", f"--xla_cpu_use_fusion_emitters=true {LEVEL}"),
        ("0.11.0", "--one", "--one"),
    ],
)
def test_how_to_compile_is_chosen_where_xla_knows_the_flags_and_nobody_else_chose(
    monkeypatch, version, before, after
):
    monkeypatch.setattr(importlib.metadata, "version", lambda name: version)
    monkeypatch.delenv("XLA_FLAGS", raising=False)
    if before is not None:
        monkeypatch.setenv("XLA_FLAGS", before)
    importlib.reload(afterzero)
    assert os.environ["XLA_FLAGS"] == after
