"""The theme's buttons for a page's notebook: download it or all of them, open it in Binder or Colab."""

from __future__ import annotations

import re
from pathlib import Path

from . import launch
from .notebooks import ALL, CONTENTS, FOLDER, names

READERS = "my-work"  # where .binder/postBuild leaves the copies


def offer_notebook(app, pagename, templatename, context, doctree) -> None:
    """The theme offers an .ipynb only where a hub is configured, and an executed one: replace it by ours."""
    name = names(Path(app.srcdir)).get(pagename)
    for group in context.get("header_buttons", []):
        if group.get("label") != "download-buttons":
            continue
        group["buttons"] = [b for b in group["buttons"] if b["label"] != "download-notebook-button"]
        if name and name != CONTENTS:
            tooltip = "Download this chapter as a notebook that runs on its own"
            group["buttons"].insert(0, _link(context, name, ".ipynb", tooltip, "download-notebook-button"))
        if name:
            tooltip = "Download all notebooks, with the package that they import"
            group["buttons"].insert(1, _link(context, ALL, "all notebooks", tooltip, "download-all-button"))


def open_notebook(app, pagename, templatename, context, doctree) -> None:
    """In Binder a page's button opens the reader's copy of its notebook, or of the contents; in Colab the built one."""
    root = Path(app.srcdir)
    name = names(root).get(pagename, CONTENTS)
    for group in context.get("header_buttons", []):
        if group.get("label") != "launch-buttons":
            continue
        for button in group["buttons"]:
            if button["url"].startswith(launch.COLAB):
                button["url"] = launch.in_colab(root, name)
            else:
                button["url"] = re.sub(r"(urlpath=lab/tree/).*", rf"\g<1>{READERS}/{name}", button["url"])


def _link(context: dict, name: str, text: str, tooltip: str, label: str) -> dict:
    url = context["pathto"](f"{FOLDER}/{name}", 1)
    icon = "fas fa-code"
    return {"type": "link", "url": url, "text": text, "icon": icon, "tooltip": tooltip, "label": label}
