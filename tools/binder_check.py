"""Make the environment of .binder/ in an empty folder, as Binder's build would, and work through every chapter in it.

`make binder-check`: needs this project's own environment too, for the browser that plays the reader.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.append(str(ROOT / "tools"))

import chromium  # noqa: E402


def run(*command: str | Path, **options) -> None:
    print("$", *command, flush=True)
    subprocess.run([str(part) for part in command], check=True, **options)


def interpreter() -> str:
    """The Python of .binder/runtime.txt, or this one where that is not installed."""
    wanted = (ROOT / ".binder" / "runtime.txt").read_text().strip().replace("-", "")
    found = shutil.which(wanted)
    works = found and subprocess.run([found, "--version"], capture_output=True).returncode == 0
    if not works:
        print(f"{wanted} is not installed here: trying with Python {sys.version.split()[0]}")
    return found if works else sys.executable


def main() -> None:
    if chromium.find() is None:
        raise SystemExit("error: no Chromium found: run `make browser` first")
    with tempfile.TemporaryDirectory() as folder:
        sources, environment = Path(folder) / "sources", Path(folder) / "environment"
        # What a public repository would hold: the committed files and nothing else.
        run("git", "clone", "--quiet", "--depth", "1", ROOT.as_uri(), sources)
        run(interpreter(), "-m", "venv", environment)
        path = f"{environment / 'bin'}{os.pathsep}{os.environ['PATH']}"
        inside = {
            name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")
        }
        inside |= {"PATH": path, "PIP_NO_CACHE_DIR": "1"}
        pip = [environment / "bin" / "python", "-m", "pip", "install", "--quiet"]
        run(*pip, "-r", ".binder/requirements.txt", cwd=sources, env=inside)
        run("bash", ".binder/postBuild", cwd=sources, env=inside)
        reader = os.environ | {
            "BINDER_PYTHON": str(environment / "bin" / "python"),
            "BINDER_NOTEBOOKS": str(sources / "my-work"),
        }
        run(sys.executable, "-m", "pytest", "-v", "tests/test_binder.py", cwd=ROOT, env=reader)


if __name__ == "__main__":
    main()
