"""The API reference holds every public name of the package, and none that is gone."""

import importlib
import inspect
import re
from pathlib import Path

import pytest

import labnoise

PAGE = (Path(__file__).parents[1] / "book" / "api.md").read_text(encoding="utf8")
ENTRY = re.compile(r"^\.\. (?:auto(?:function|class)|py:data):: (\S+)(?:\n   :members:(.*))?$", re.M)
ENTRIES = dict(ENTRY.findall(PAGE))

# The submodules that readers import from; of the others only what `labnoise` itself exports is public.
SUBMODULES = ("problems", "landscapes", "compare", "teaching", "teaching.stubs", "answers", "widgets")


def defined_in(name: str) -> list[str]:
    """The public functions and classes of a submodule; where it has an `__all__`, that."""
    module = importlib.import_module(f"labnoise.{name}")
    listed = getattr(module, "__all__", None) or [
        key
        for key, value in vars(module).items()
        if not key.startswith("_")
        and (inspect.isfunction(value) or inspect.isclass(value))
        and value.__module__ == module.__name__
    ]
    return [f"labnoise.{name}.{key}" for key in listed]


def found(entry: str):
    """The object of an entry."""
    path, _, last = entry.rpartition(".")
    return getattr(labnoise if path == "labnoise" else importlib.import_module(path), last)


EXPORTED = [f"labnoise.{name}" for name in labnoise.__all__ if not inspect.ismodule(getattr(labnoise, name))]
PUBLIC = {found(name) if name != "labnoise.widgets.COLORS" else name for name in EXPORTED}
PUBLIC_NAMES = EXPORTED + [
    name
    for submodule in SUBMODULES
    for name in defined_in(submodule)
    if name == "labnoise.widgets.COLORS" or found(name) not in PUBLIC  # else it stands there as labnoise.…
]


@pytest.mark.parametrize("name", PUBLIC_NAMES)
def test_every_public_name_is_on_the_page_and_documented(name):
    assert name in ENTRIES, f"{name} is public: give it an entry in book/api.md, or an underscore"
    assert name == "labnoise.widgets.COLORS" or inspect.getdoc(found(name))


@pytest.mark.parametrize("entry", ENTRIES)
def test_no_entry_is_gone(entry):
    assert entry in PUBLIC_NAMES, (
        f"book/api.md describes {entry}, which is not public, or not under that name"
    )


@pytest.mark.parametrize("name", [name for name in PUBLIC_NAMES if name in ENTRIES])
def test_the_members_of_a_class_are_on_the_page(name):
    """Methods and properties that a class has beyond its parents', and that have a docstring, as all should."""
    value = found(name) if name != "labnoise.widgets.COLORS" else None
    if not inspect.isclass(value):
        return
    inherited = {key for parent in value.__mro__[1:] for key in vars(parent)}
    members = [
        key
        for key, member in vars(value).items()
        if not key.startswith("_")
        and key not in inherited
        and (inspect.isfunction(member) or isinstance(member, property))
    ]
    shown = ENTRIES[name].split(",") if ENTRIES[name].strip() else members if _all_members(name) else []
    for key in members:
        assert key in [one.strip() for one in shown], f"{name}.{key} is not on the page of the API"
        assert inspect.getdoc(getattr(value, key)), f"{name}.{key} has no docstring"


def _all_members(name: str) -> bool:
    return re.search(rf"^\.\. autoclass:: {re.escape(name)}\n   :members:$", PAGE, re.M) is not None


def test_each_function_says_what_it_raises_or_shows_an_example():
    silent = [
        name
        for name in PUBLIC_NAMES
        if inspect.isfunction(found(name) if name in ENTRIES else None)
        and not re.search(
            r"Examples\n\s*-+|Raises\n\s*-+|Parameters\n\s*-+", inspect.getdoc(found(name)) or ""
        )
    ]
    assert silent == ["labnoise.teaching.stubs.main"], (
        "a public function has sections, such as its parameters"
    )
