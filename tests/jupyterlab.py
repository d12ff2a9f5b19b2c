"""A real JupyterLab over a reader's copies of the notebooks, and what the tests do in it."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from bookbuild import notebooks
from browser import HTML, ROOT
from playwright.sync_api import Page, expect

sys.path.append(str(ROOT / "tools"))

import work

SETTINGS = {
    # Every cell in the page, also those far from the viewport.
    "@jupyterlab/notebook-extension:tracker": {"windowingMode": "none"},
    "@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False},
}
NOTEBOOK = "const panel = window.jupyterapp.shell.currentWidget, notebook = panel.content;"


@contextlib.contextmanager
def jupyterlab(
    top: Path, python: str = sys.executable, source: Path = HTML / notebooks.FOLDER
) -> Iterator[str]:
    """Its address; `python` is that of the environment to try, whose settings hold, and ours of speed."""
    work.deliver(source, top / "my-work")
    (top / "config" / "labconfig").mkdir(parents=True)
    (top / "config" / "labconfig" / "default_setting_overrides.json").write_text(json.dumps(SETTINGS))
    folders = {
        "JUPYTER_CONFIG_DIR": "config",
        "JUPYTER_DATA_DIR": "data",
        "JUPYTER_RUNTIME_DIR": "runtime",
        "JUPYTERLAB_SETTINGS_DIR": "settings",
        "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
        "IPYTHONDIR": "ipython",
    }
    dropped = ("JUPYTER", "LABNOISE", "PYTHONPATH")
    environment = {k: v for k, v in os.environ.items() if not k.startswith(dropped)}
    environment |= {name: str(top / folder) for name, folder in folders.items()}
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [
        *(python, "-m", "jupyterlab", "--no-browser", "--ServerApp.ip=127.0.0.1"),
        *(f"--ServerApp.port={port}", "--ServerApp.port_retries=0", "--ServerApp.allow_root=True"),
        *("--IdentityProvider.token=", f"--ServerApp.root_dir={top / 'my-work'}"),
        "--LabApp.expose_app_in_browser=True",
    ]
    url = f"http://127.0.0.1:{port}"
    with (top / "log").open("w") as log, subprocess.Popen(command, env=environment, stderr=log) as server:
        try:
            end = time.monotonic() + 60
            while not _answers(f"{url}/api/status"):
                said = (top / "log").read_text()[-2000:]
                assert server.poll() is None, f"JupyterLab ended:\n{said}"
                assert time.monotonic() < end, f"JupyterLab did not start:\n{said}"
                time.sleep(0.1)
            yield url
        finally:
            server.terminate()  # it ends its kernels too


def _answers(url: str) -> bool:
    try:
        return urllib.request.urlopen(url, timeout=1).status == 200
    except OSError:
        return False


def open_chapter(page: Page, lab: str, name: str) -> None:
    # In a workspace of its own, where no other chapter is open.
    page.goto(f"{lab}/lab/workspaces/{Path(name).stem}/tree/{name}")
    page.locator(".jp-Notebook, .jp-FileEditor").first.wait_for(timeout=60_000)


def run_all(page: Page) -> None:
    """Run all cells of the open notebook, until all are done or one has failed."""
    # Without a kernel, JupyterLab would ask which one to run the cells in.
    idle(page)
    page.evaluate("void window.jupyterapp.commands.execute('notebook:run-all-cells')")
    done = """notebook.widgets.every(({model}) => model.type !== "code"
        || (model.executionCount && model.executionState === "idle"))"""
    failed = "document.querySelector('.jp-Notebook [data-mime-type$=error]')"
    # Not asked in every frame, which would make the page draw more of them.
    page.wait_for_function(f"() => {{ {NOTEBOOK} return {done} || {failed}; }}", timeout=300_000, polling=250)


def idle(page: Page) -> None:
    """Wait until the notebook's kernel has nothing to do; a request to one that restarts may have no answer."""
    page.wait_for_function(
        f"() => {{ {NOTEBOOK} return panel.sessionContext.session?.kernel?.status === 'idle'; }}",
        timeout=120_000,
        polling=250,
    )


def run(page: Page, part: str, source: str | None = None):
    """Run the cell whose text contains `part`, with another text if one is given, and return its outputs."""
    idle(page)
    number = page.evaluate(
        f"""async ([part, source]) => {{
            {NOTEBOOK}
            const number = notebook.widgets.findIndex(({{model}}) => model.sharedModel.source.includes(part));
            if (source) notebook.widgets[number].model.sharedModel.setSource(source);
            notebook.activeCellIndex = number;
            const late = new Promise((_, fail) => setTimeout(() => fail(new Error("no end in 120 s")), 120_000));
            await Promise.race([window.jupyterapp.commands.execute("notebook:run-cell"), late]);
            return number;
        }}""",
        [part, source],
    )
    return page.locator(".jp-Notebook-cell").nth(number).locator(".jp-OutputArea")


def add_cell(page: Page, source: str) -> None:
    """A new cell, below the active one, in a notebook that has come to rest."""
    idle(page)
    page.evaluate("window.jupyterapp.commands.execute('notebook:insert-cell-below')")
    page.evaluate(
        f"source => {{ {NOTEBOOK} notebook.activeCell.model.sharedModel.setSource(source); }}", source
    )


def restart(page: Page) -> None:
    page.evaluate(f"() => {{ {NOTEBOOK} void panel.sessionContext.session.kernel.restart(); }}")
    page.wait_for_timeout(1000)  # its state says so only then
    idle(page)


def look(widget) -> tuple[str, str]:
    """What a widget shows: its picture, and its sentence."""
    return (
        widget.locator("canvas.explore-above").evaluate("canvas => canvas.toDataURL()"),
        widget.locator(".explore-sentence").inner_text(),
    )


def changed(widget, before: tuple[str, str]) -> tuple[str, str]:
    """Wait until both picture and sentence are others, and return them."""
    expect(widget.locator(".explore-sentence")).not_to_have_text(before[1], timeout=20_000)
    for _ in range(80):  # a picture that glides may need more than one step to differ
        after = look(widget)
        if after[0] != before[0]:
            return after
        widget.page.wait_for_timeout(250)
    raise AssertionError("the sentence has changed, and the picture has not")


def still(widget, before: tuple[str, str]) -> tuple[str, str]:
    """What a widget shows when it has changed and no other move is on its way."""
    seen, now = None, changed(widget, before)
    while seen != now:
        widget.page.wait_for_timeout(250)
        seen, now = now, look(widget)
    return now


def move_every_widget(page: Page) -> None:
    """Each range by one stop, each choice to another and back."""
    widgets = page.locator(".explore-live")
    assert widgets.count() >= 2
    for widget in widgets.all():
        widget.scroll_into_view_if_needed()
        for handle in widget.locator("input[type=range]").all():
            before = look(widget)
            at_end = handle.input_value() == handle.get_attribute("max")
            handle.press("ArrowLeft" if at_end else "ArrowRight")
            still(widget, before)
        for select in widget.locator("select").all():
            before, chosen = look(widget), select.input_value()
            options = select.locator("option").all_inner_texts()
            select.select_option(next(value for value in options if value != chosen))
            there = still(widget, before)
            select.select_option(chosen)
            assert still(widget, there)[1] == before[1]
        if (throw := widget.locator(".explore-throw")).count():
            before = look(widget)
            throw.press("Enter")
            still(widget, before)
