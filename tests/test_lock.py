"""requirements.txt is one lock: pyproject.toml, Binder and this environment all follow it."""

import re
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]


def locked() -> dict[str, list[Requirement]]:
    pins: dict[str, list[Requirement]] = {}
    for line in (ROOT / "requirements.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            pin = Requirement(line)
            pins.setdefault(name(pin.name), []).append(pin)
    return pins


def name(text: str) -> str:
    return re.sub(r"[-_.]+", "-", text).lower()


def declared() -> list[Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    groups = [project["dependencies"], *project["optional-dependencies"].values()]
    return [Requirement(line) for group in groups for line in group]


def version(pin: Requirement) -> str:
    (spec,) = pin.specifier
    assert spec.operator == "==", f"{pin} is not pinned exactly"
    return spec.version


@pytest.mark.parametrize("wanted", declared(), ids=str)
def test_every_declared_dependency_is_pinned_within_its_range(wanted):
    pins = locked().get(name(wanted.name))
    assert pins, f"{wanted} is declared in pyproject.toml and not in requirements.txt: run `make lock`"
    for pin in pins:
        assert wanted.specifier.contains(version(pin)), f"{pin} is outside {wanted}: run `make lock`"


@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13", "3.14"])
def test_the_lock_names_one_version_for_each_python(python):
    environment = {"python_version": python, "python_full_version": f"{python}.9"}
    for package, pins in locked().items():
        fitting = [pin for pin in pins if pin.marker is None or pin.marker.evaluate(environment)]
        assert len(fitting) <= 1, f"{package} has several versions for Python {python}: {fitting}"


def test_this_environment_holds_what_the_lock_says():
    wrong = []
    for pins in locked().values():
        for pin in pins:
            if pin.marker is None or pin.marker.evaluate():
                installed = metadata.version(pin.name)
                if installed != version(pin):
                    wrong.append(f"{pin} but {installed} is installed")
    assert not wrong, "\n".join(wrong)


def test_binder_builds_from_the_same_lock():
    lines = (ROOT / ".binder" / "requirements.txt").read_text().splitlines()
    assert [line for line in lines if not line.startswith("#")] == ["-r ../requirements.txt"]
