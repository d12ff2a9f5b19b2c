"""The front without a kernel: frames of every declared setting, and the HTML that moves through them."""

from __future__ import annotations

import hashlib
import html
import itertools
import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

from labnoise.teaching.widgets.as_code import setting_as_code
from labnoise.teaching.widgets.definition import Definition
from labnoise.teaching.widgets.markup import controls_markup
from labnoise.teaching.widgets.picture import dark, encode

# Chapters lie in one folder below the top, beside which the book's build copies the frames.
FRAMES = "../_frames"


def publish(definition: Definition, root: Path) -> tuple[str, str]:
    """Draw every frame into `root/<id>` and return the HTML that shows them, and the first sentence.

    The id is a hash of the frames. They are drawn beside their place and moved there at once, so that a
    build that is killed leaves nothing half-made and two builds at once do not meet.
    """
    root.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=".unfinished-", dir=root))
    try:
        frames, sentences = _draw_frames(definition, work)
        frames_id = _hash(work)
        work.chmod(0o755)
        try:
            work.rename(root / frames_id)
        except OSError:  # it is there already, and being named by its content it is the same
            if not (root / frames_id).is_dir():
                raise
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return _page(definition, frames_id, frames, sentences), sentences[_start(definition)]


def _draw_frames(definition: Definition, folder: Path) -> tuple[list[int], list[str]]:
    """Write the files; return, for every setting, the number of its frame and its sentence.

    Settings are counted like digits, the last control fastest. Equal frames are written once.
    """
    picture, controls = definition.picture, definition.controls
    background = picture.background()
    if background:
        (folder / "light.webp").write_bytes(encode(background))
        (folder / "dark.webp").write_bytes(encode(dark(background)))
    known: dict[bytes, int] = {}
    frames, sentences = [], []
    for values in itertools.product(*(control.values for control in controls)):
        setting = {control.name: value for control, value in zip(controls, values, strict=True)}
        image, sentence = picture.frame(setting)
        data = encode(image)
        if data not in known:
            known[data] = len(known)
            (folder / f"{known[data]}.webp").write_bytes(data)
        frames.append(known[data])
        sentences.append(sentence)
    return frames, sentences


def _hash(folder: Path) -> str:
    digest = hashlib.sha256()
    for file in sorted(folder.iterdir()):
        digest.update(file.name.encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()[:16]


def _start(definition: Definition) -> int:
    """The number of the setting that is shown first."""
    setting = 0
    for control in definition.controls:
        setting = setting * len(control.values) + control.index
    return setting


def _page(definition: Definition, frames_id: str, frames: list[int], sentences: list[str]) -> str:
    """One figure, complete without JavaScript, which finds what it needs in the JSON at the end."""
    folder, start = f"{FRAMES}/{frames_id}", _start(definition)
    width, height = definition.picture.size
    layers = [
        _image(f"{folder}/{name}.webp", width, height, f"explore-{name}")
        for name in ("light", "dark")
        if definition.stage
    ]
    layers.append(_image(f"{folder}/{frames[start]}.webp", width, height, "explore-frame", sentences[start]))
    sheet = f'<div class="explore-sheet">{"".join(layers)}</div>'
    kind, style = "" if definition.stage else " explore-whole", f"max-width: {width}px"
    if split := definition.picture.split():
        # On a phone the sheet shows its left half and a second one, under it, the right half.
        sheet += sheet.replace('alt="' + html.escape(sentences[start]), 'alt="')
        kind, style = f"{kind} explore-halves", f"{style}; --split: {split}"
    spec = {
        "folder": folder,
        "frames": frames,
        "sentences": sentences,
        "controls": [{"name": control.name, "labels": control.labels} for control in definition.controls],
        "play": definition.play,
        "pad": _pad(definition),
        "code": setting_as_code(definition),
    }
    copy = _COPY if spec["code"] else "</p>"
    controls = controls_markup(definition.controls, play=bool(definition.play), exact=False)
    return f"""<figure class="explore" data-frames="{frames_id}">
<div class="explore-picture{kind}" style="{style}">{sheet}</div>
<div class="explore-controls">
{controls}</div>
<p class="explore-sentence" aria-live="polite">{html.escape(sentences[start])}</p>
<p class="explore-note">The nearest of {len(frames)} precomputed settings is shown.{copy}
<script type="application/json">{_json(spec)}</script>
</figure>"""


# The script fills in the code and shows it; without the script there is nothing to copy.
_COPY = """
<button type="button" class="explore-copy">Copy this setting as code</button></p>
<pre hidden></pre>"""


def _image(source: str, width: int, height: int, role: str, alt: str = "") -> str:
    # dark-light: the theme then leaves the image alone in dark mode.
    return (
        f'<img class="{role} dark-light" src="{source}" alt="{html.escape(alt)}" '
        f'width="{width}" height="{height}" loading="lazy" draggable="false">'
    )


def _pad(definition: Definition) -> dict[str, Any] | None:
    """Where the pointer may drag, and for both directions a control and the places of its stops."""
    if not any(definition.drag):
        return None
    by_name = {control.name: control for control in definition.controls}
    pad: dict[str, Any] = definition.picture.pad()
    for direction, name, place in zip(
        ("x", "y"), definition.drag, (definition.picture.across, definition.picture.down), strict=True
    ):
        if name:
            stops = [round(place(float(value)), 4) for value in by_name[name].values]
            pad[direction] = {"name": name, "stops": stops}
    return pad


def _json(spec: dict[str, Any]) -> str:
    """JSON that cannot end the script element that it stands in."""
    return json.dumps(spec, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
