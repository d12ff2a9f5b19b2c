import importlib
import importlib.metadata
import os

import afterzero
import pytest


@pytest.mark.parametrize(
    ("version", "before", "after"),
    [
        ("0.10.2", None, "--xla_cpu_use_fusion_emitters=false"),
        ("0.10.2", "--one", "--one --xla_cpu_use_fusion_emitters=false"),
        ("0.10.2", "--xla_cpu_use_fusion_emitters=true", "--xla_cpu_use_fusion_emitters=true"),
        ("0.11.0", "--one", "--one"),
    ],
)
def test_a_choice_of_emitters_is_made_where_xla_knows_it_and_nobody_else_chose(
    monkeypatch, version, before, after
):
    monkeypatch.setattr(importlib.metadata, "version", lambda name: version)
    monkeypatch.delenv("XLA_FLAGS", raising=False)
    if before is not None:
        monkeypatch.setenv("XLA_FLAGS", before)
    importlib.reload(afterzero)
    assert os.environ["XLA_FLAGS"] == after
