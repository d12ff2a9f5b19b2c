"""The set-up on machines that lack the Python it wants: tools/setup.sh among stand-ins for `python3` and `uv`."""

import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
from packaging.specifiers import SpecifierSet

ROOT = Path(__file__).parents[1]
# All that the script may count on: what every Unix has.
TOOLS = ["sh", "cat", "cksum", "dirname", "mkdir", "mktemp", "rm", "sed"]
# Answers as a Python of that version would, and notes each environment it makes and each package it installs.
PYTHON = """#!/bin/sh
if [ "$1" = -c ]; then exit {fits}; fi
if [ "$1" = --version ]; then echo "Python {version}"; exit; fi
if [ "$2" = venv ]; then
    for folder; do :; done
    mkdir -p "$folder/bin"
    cat "$0" > "$folder/bin/python"
    cat {fake}/jupytext-config > "$folder/bin/jupytext-config"
    /bin/chmod +x "$folder"/bin/*
    echo "{version} made $(basename "$folder")" >> {log}
else
    for last; do :; done
    echo "{version} installed $last" >> {log}
    if [ "$last" = uv ]; then {install_uv}; fi
fi
"""
UV = """#!/bin/sh
echo "uv $*" >> {log}
if [ "$2" = find ]; then echo {fetched}; else exit {fails}; fi
"""


class Machine:
    """A copy of the set-up in an empty folder, and a PATH of nothing but what is put there."""

    def __init__(self, top: Path):
        self.project, self.path, self.fake, self.log = (top / name for name in ("book", "bin", "fake", "log"))
        for folder in (self.project / "tools", self.path, self.fake):
            folder.mkdir(parents=True)
        for name in ("setup.sh", "fetch_python.sh"):
            shutil.copy(ROOT / "tools" / name, self.project / "tools")
        for name in ("requirements.txt", "pyproject.toml"):
            shutil.copy(ROOT / name, self.project)
        for name in [*TOOLS, "basename"]:
            (self.path / name).symlink_to(shutil.which(name))
        write(self.fake / "jupytext-config", "#!/bin/sh\n")

    def python(self, where: Path, version: str, fits: bool, install_uv: str = "exit 1") -> None:
        text = PYTHON.format(
            version=version, fits=int(not fits), fake=self.fake, log=self.log, install_uv=install_uv
        )
        write(where, text)

    def uv(self, where: Path, fails: bool = False) -> None:
        write(where, UV.format(log=self.log, fetched=self.fake / "python3.13", fails=int(fails)))

    def set_up(self, **environment: str) -> tuple[int, str, list[str]]:
        """The exit status, what was said, and what was done."""
        ran = subprocess.run(
            ["sh", "tools/setup.sh"],
            cwd=self.project,
            env={"PATH": str(self.path), "TMPDIR": str(self.fake), **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=60,
        )
        return ran.returncode, ran.stdout, self.log.read_text().splitlines() if self.log.exists() else []


def write(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o755)


@pytest.fixture
def machine(tmp_path):
    """One whose only Python is of the day after tomorrow; uv, where there is one, can fetch 3.13."""
    machine = Machine(tmp_path)
    machine.python(machine.path / "python3", "3.15.0", fits=False)
    machine.python(machine.fake / "python3.13", "3.13.9", fits=True)
    return machine


def test_a_fitting_python_is_used_as_it_is(machine):
    machine.python(machine.path / "python3.14", "3.14.2", fits=True)
    machine.uv(machine.path / "uv")
    status, said, done = machine.set_up()
    assert status == 0, said
    assert "Setting up .venv with Python 3.14.2" in said
    assert done[0] == "3.14.2 made .venv"
    assert not any(line.startswith("uv") for line in done)
    assert (machine.project / ".venv" / "installed").exists()
    assert machine.set_up() == (0, "", done), "a second time there is nothing to do"


def test_without_one_uv_fetches_it(machine):
    machine.uv(machine.path / "uv")
    status, said, done = machine.set_up()
    assert status == 0, said
    assert "uv fetches Python 3.13" in said
    assert "Setting up .venv with Python 3.13.9" in said
    assert done[:2] == ["uv python install --quiet 3.13", "uv python find --managed-python --system 3.13"]
    assert done[2] == "3.13.9 made .venv"


def test_without_uv_that_is_installed_first_and_leaves_nothing_behind(machine):
    machine.uv(machine.fake / "uv")
    install = f'cat {machine.fake}/uv > "${{0%python}}uv"; /bin/chmod +x "${{0%python}}uv"'
    machine.python(machine.path / "python3", "3.15.0", fits=False, install_uv=install)
    before = sorted(machine.fake.iterdir())
    status, said, done = machine.set_up()
    assert status == 0, said
    assert done[:3] == ["3.15.0 made venv", "3.15.0 installed uv", "uv python install --quiet 3.13"]
    assert "Setting up .venv with Python 3.13.9" in said
    assert sorted(machine.fake.iterdir()) == before


@pytest.mark.parametrize("uv", ["nowhere", "without a network"])
def test_where_none_can_be_had_it_says_so_and_does_nothing(machine, uv):
    if uv == "without a network":
        machine.uv(machine.path / "uv", fails=True)
    status, said, done = machine.set_up()
    assert status == 1
    assert ("no uv" if uv == "nowhere" else "uv could not fetch it") in said
    assert "needs Python 3.11, 3.12, 3.13 or 3.14, and none was found." in said
    assert "make PYTHON=" in said
    assert not any(line.endswith("made .venv") for line in done)
    assert not (machine.project / ".venv").exists()


def test_a_python_that_somebody_named_is_not_replaced_by_another(machine):
    machine.uv(machine.path / "uv")
    status, said, done = machine.set_up(PYTHON="python3")
    assert status == 1
    assert "none was found (PYTHON=python3)" in said
    assert done == []


def test_the_script_accepts_what_the_package_accepts():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    accepted = SpecifierSet(project["requires-python"])
    minors = [minor for minor in range(30) if accepted.contains(f"3.{minor}.1")]
    script = (ROOT / "tools" / "setup.sh").read_text()
    assert f"(3, {minors[0]}) <= sys.version_info[:2] <= (3, {minors[-1]})" in script
    for minor in minors:
        assert f"python3.{minor} " in script
        for text in (script, (ROOT / "README.md").read_text()):
            assert f"3.{minor}" in text
