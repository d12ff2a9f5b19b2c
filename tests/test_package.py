"""The package as its files stand: who imports whom, how long each is, and what its names hide."""

import ast
import os
import subprocess
import sys
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from labnoise._compiler import compile_small_loops_whole

ROOT = Path(__file__).parents[1]
FILES = sorted((ROOT / "labnoise").rglob("*.py"))


def module_name(file: Path) -> str:
    parts = file.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


TREES = {module_name(file): ast.parse(file.read_text(encoding="utf8")) for file in FILES}
PACKAGES = [module_name(file) for file in FILES if file.name == "__init__.py"]


def imported(tree: ast.Module) -> set[str]:
    """The package's modules that a module names in an import, wherever it stands: in a function and for typing too."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"from {'.' * node.level}{node.module or ''} import: write the whole name"
            # `from labnoise import compare` names a module, `from labnoise import sgd` what the package holds.
            inside = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {name if name in TREES else str(node.module) for name in inside}
    return found & set(TREES)


def test_no_module_imports_itself_by_a_detour():
    try:
        TopologicalSorter({name: imported(tree) for name, tree in TREES.items()}).prepare()
    except CycleError as cycle:
        pytest.fail(" imports ".join(reversed(cycle.args[1])))


@pytest.mark.parametrize("file", FILES, ids=module_name)
def test_no_file_is_long(file):
    assert len(file.read_text(encoding="utf8").splitlines()) <= 350


def public_names(name: str) -> set[str]:
    """What a module defines at its top, and what a package's register brings in from where it is defined."""
    found = set()
    for node in TREES[name].body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.ImportFrom) and name in PACKAGES:
            brought = [alias for alias in node.names if f"{node.module}.{alias.name}" not in TREES]
            found |= {alias.asname or alias.name for alias in brought}
    return {one for one in found if not one.startswith("_")}


@pytest.mark.parametrize("package", PACKAGES)
def test_no_name_shadows_a_module(package):
    inside = {name for name in TREES if name.rpartition(".")[0] == package}
    names = set().union(*(public_names(name) for name in {package} | inside))
    assert not names & {name.rpartition(".")[2] for name in inside}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (None, "{ours}"),
        ("--one", "--one {ours}"),
        ("--xla_backend_extra_options=xla_cpu_small_while_loop_byte_threshold=0", "{before}"),
    ],
)
def test_small_loops_are_compiled_whole_unless_somebody_chose(monkeypatch, before, after):
    monkeypatch.delenv("XLA_FLAGS", raising=False)
    if before is not None:
        monkeypatch.setenv("XLA_FLAGS", before)
    compile_small_loops_whole()
    ours = "--xla_backend_extra_options=xla_cpu_small_while_loop_byte_threshold=1000000"
    assert os.environ["XLA_FLAGS"] == after.format(ours=ours, before=before)


LOOP = """
import labnoise, jax, jax.numpy as jnp
loop = jax.jit(lambda x: jax.lax.fori_loop(0, 9, lambda i, x: jnp.sin(x) @ jnp.ones((30, 30)), x))
print("xla_cpu_small_call" in loop.lower(jnp.ones(30)).compile().as_text())
"""


@pytest.mark.parametrize(("threshold", "whole"), [(None, "True"), (1024, "False")])
def test_the_setting_is_one_that_the_compiler_knows(threshold, whole):
    """A loop over 7 kB is one call where the import has set it, and not at XLA's own kilobyte."""
    chosen = f"--xla_backend_extra_options=xla_cpu_small_while_loop_byte_threshold={threshold}"
    settings = {"JAX_PLATFORMS": "cpu", "XLA_FLAGS": chosen if threshold else ""}
    command = [sys.executable, "-c", LOOP]
    said = subprocess.run(command, check=True, capture_output=True, text=True, env=os.environ | settings)
    assert said.stdout.split() == [whole]
