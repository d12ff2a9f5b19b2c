"""The workflows of GitHub, of which nothing runs here: they parse, and what they name is there."""

import os
import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
import yaml
from bookbuild import launch, notebooks

ROOT = Path(__file__).parents[1]
sys.path.append(str(ROOT / "tools"))

import pdf  # noqa: E402

FILES = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
PUBLISH = yaml.safe_load((ROOT / ".github" / "workflows" / "publish.yml").read_text())
JOBS = PUBLISH["jobs"]


def steps(workflow):
    return [step for job in workflow["jobs"].values() for step in job["steps"]]


def used(job, action):
    """The inputs of each use of an action in a job."""
    return [step["with"] for step in job["steps"] if step.get("uses", "").startswith(f"actions/{action}@")]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_action_is_pinned_and_every_command_is_there(file):
    text = file.read_text()
    uses = re.findall(r"uses: (.*)", text)
    assert uses
    for line in uses:
        assert re.fullmatch(r"actions/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line), line
    assert len({line.split("@")[0] for line in uses}) == len(set(uses)), "one version of each action"
    targets = re.findall(r"^(\w[\w-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    for command in [
        line for step in steps(yaml.safe_load(text)) for line in step.get("run", "").splitlines()
    ]:
        if command.startswith("make "):
            assert command.split()[1] in targets, command
        if command.startswith("bash "):
            assert (ROOT / command.split()[1]).exists(), command


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_only_who_has_to_may_write(file):
    workflow = yaml.safe_load(file.read_text())
    assert workflow["permissions"] in ({}, {"contents": "read"})
    for job in workflow["jobs"].values():
        allowed = job.get("permissions", {})
        if "write" in allowed.values():
            ran = [step for step in job["steps"] if "make" in step.get("run", "")]
            assert not ran, "a job that runs the project's code, and its packages', cannot write"
    # What somebody could choose the name of reaches the shell as a variable.
    assert not [step for step in steps(workflow) if "${{" in step.get("run", "")]


def test_each_job_gets_what_another_left():
    assert JOBS["pages"]["permissions"] == {"pages": "write", "id-token": "write"}
    for name in ("notebooks", "release"):
        assert JOBS[name]["permissions"] == {"contents": "write"}
    left = {each["name"]: each for each in used(JOBS["build"], "upload-artifact")}
    for name in ("notebooks", "release"):
        assert JOBS[name]["needs"] == "build"
        (wanted,) = used(JOBS[name], "download-artifact")
        assert wanted["name"] in left
    assert left["pdf"]["path"] == str(pdf.TARGET.relative_to(ROOT))
    assert f" {pdf.TARGET.name} " in JOBS["release"]["steps"][-1]["run"]
    assert {Path(path).parent.as_posix() for path in left["notebooks"]["path"].split()} == {
        f"_build/html/{notebooks.FOLDER}"
    }
    assert used(JOBS["build"], "upload-pages-artifact") == [{"path": "_build/html"}]


def test_a_push_to_main_publishes_and_a_version_is_released():
    assert PUBLISH[True] == {"push": {"branches": ["main"], "tags": ["v*"]}}  # YAML's `on` is a truth
    assert [name for name, job in JOBS.items() if job.get("if") == "github.ref_type == 'branch'"] == [
        "pages",
        "notebooks",
    ]
    assert JOBS["release"]["if"] == "github.ref_type == 'tag'"
    conditions = {step.get("if") for step in JOBS["build"]["steps"]}
    assert conditions == {None, "github.ref_type == 'branch'", "github.ref_type == 'tag'"}


def test_what_is_built_links_to_what_is_pushed(monkeypatch):
    """To the branch and the file names, of notebooks and of the wheel."""
    for name, value in PUBLISH["env"].items():
        monkeypatch.setenv(name, value.replace("${{ github.repository }}", "someone/book"))
    assert launch.repository(ROOT) == ("https://github.com/someone/book", "main")
    assert "git push --force" in (push := JOBS["notebooks"]["steps"][-1]["run"])
    assert '"$BOOK_REPOSITORY_URL" "$BOOK_NOTEBOOKS_BRANCH"' in push
    for name in notebooks.names(ROOT).values():
        address = launch.in_colab(ROOT, name)
        assert address == f"https://colab.research.google.com/github/someone/book/blob/notebooks/{name}"
    wheel = f"labnoise-{version('labnoise')}-py3-none-any.whl"  # as pip names it
    assert launch.package(ROOT) == f"labnoise @ https://github.com/someone/book/raw/notebooks/{wheel}"


def test_the_branch_of_notebooks_holds_one_edition(tmp_path):
    """The step that pushes, twice, to a repository of the test's own."""
    hub, tools = tmp_path / "hub.git", tmp_path / "bin"
    subprocess.run(["git", "init", "--quiet", "--bare", str(hub)], check=True)
    tools.mkdir()
    (tools / "gh").write_text("#!/bin/sh\n")  # whose part is to give git the token
    (tools / "gh").chmod(0o755)
    environment = {
        **os.environ,
        "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}",
        "BOOK_REPOSITORY_URL": str(hub),
        "BOOK_NOTEBOOKS_BRANCH": PUBLISH["env"]["BOOK_NOTEBOOKS_BRANCH"],
    }

    def git(*words):
        ran = subprocess.run(["git", f"--git-dir={hub}", *words], check=True, capture_output=True, text=True)
        return ran.stdout.split()

    for edition in ("first", "second"):
        folder = tmp_path / edition
        folder.mkdir()
        (folder / f"{edition}.ipynb").touch()
        step = JOBS["notebooks"]["steps"][-1]["run"]
        subprocess.run(
            ["bash", "-e", "-c", step],
            cwd=folder,
            env={**environment, "GITHUB_SHA": edition},
            check=True,
            capture_output=True,
        )
    assert git("ls-tree", "--name-only", "notebooks") == ["README.md", "second.ipynb"]
    assert git("rev-list", "--count", "notebooks") == ["1"]
