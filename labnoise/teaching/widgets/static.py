"""The front without a kernel: pictures of the computed settings, and the HTML that moves between them."""

from __future__ import annotations

import base64
import hashlib
import html
import itertools
import json
import shutil
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from labnoise.teaching.widgets.as_code import setting_as_code
from labnoise.teaching.widgets.assets import DISPLAY
from labnoise.teaching.widgets.controls import Control, Value
from labnoise.teaching.widgets.definition import THROW, Definition
from labnoise.teaching.widgets.grid import Combination, Grid, Places, refine
from labnoise.teaching.widgets.markup import controls_markup
from labnoise.teaching.widgets.packing import Frame, pack
from labnoise.teaching.widgets.picture_files import encode

# Chapters lie in one folder below the top, beside which the book's build copies the pictures and the scripts.
FRAMES = "../_frames"
DRAWING = f"../_static/{DISPLAY.name}?v={hashlib.sha256(DISPLAY.read_bytes()).hexdigest()[:8]}"
REPORT = "report.json"  # beside the pictures: which ranges are continuous, and why others are not

MOST_A_PACK, MOST_IN_ALL = 400_000, 2_000_000  # bytes
MOST_PICTURES = 5_000


def publish(definition: Definition, root: Path) -> tuple[str, str]:
    """Record the pictures into `root/<id>` and return the HTML that shows them, and the first sentence.

    The id is a hash of the pictures. They are written beside their place and moved there at once, so that a
    build that is killed leaves nothing half-made and two builds at once do not meet.
    """
    root.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=".unfinished-", dir=root))
    try:
        grid, sentence = _write(definition, work)
        frames_id = _hash(work)
        work.chmod(0o755)
        try:
            work.rename(root / frames_id)
        except OSError:  # it is there already, and being named by its content it is the same
            if not (root / frames_id).is_dir():
                raise
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return _page(definition, frames_id, grid, sentence), sentence


def setting(definition: Definition, places: Places, combination: Combination) -> dict[str, Value]:
    """The arguments of `draw` at some places of the ranges, with the numbers of the choice and of the throw."""
    at = iter(places)
    values = {
        control.name: control.at(next(at)) if control.is_range else control.values[combination[0]]
        for control in definition.controls
    }
    return {**values, THROW: combination[1]} if definition.dice else values


def combinations(definition: Definition) -> list[Combination]:
    """Every choice with every throw."""
    choices = len(definition.choice.values) if definition.choice else 1
    return list(itertools.product(range(choices), range(definition.dice or 1)))


def _write(definition: Definition, folder: Path) -> tuple[Grid, str]:
    """Write the files; return the grid, and the sentence of the start."""
    picture = definition.picture
    _check_repeatable(definition)

    @cache
    def frame(places: Places, combination: Combination) -> Frame:
        return Frame.of(*picture.frame(setting(definition, places, combination)))

    pairs = combinations(definition)
    grid = refine(frame, definition.ranges, pairs, picture.size)
    nodes = list(grid.places())
    if len(nodes) * len(pairs) > MOST_PICTURES:
        sizes = " × ".join(str(len(places)) for places in grid.nodes)
        raise ValueError(
            f"{_name(definition)} would have to draw {sizes} settings of its ranges for {len(pairs)} choices and "
            "throws: let its pictures change less from stop to stop, or give fewer ranges, choices or throws"
        )
    for places, pair in itertools.product(
        nodes, pairs
    ):  # the throws of a setting together: `draw` may remember them
        frame(places, pair)
    packs = {str(i): pack([frame(places, pair) for places in nodes]) for i, pair in enumerate(pairs)}
    packs["stage"] = pack([Frame.of(picture.background(), "")])
    total = 0
    for name, data in packs.items():
        script = f'exploreData(document.currentScript, "{base64.b64encode(data).decode()}");\n'
        (folder / f"{name}.js").write_text(script)
        total += len(script)
        _check_size(definition, len(script), MOST_A_PACK, "for one choice and throw")
    _check_size(definition, total, MOST_IN_ALL, "in all")
    for name, image in zip(("light", "dark"), picture.poster(definition.start), strict=True):
        (folder / f"{name}.webp").write_bytes(encode(image))
    ranges = {control.name: why for control, why in zip(definition.ranges, grid.why_stepped, strict=True)}
    report = {
        "draw": _name(definition),
        "stepped because": ranges,
        "off by at most": round(grid.off, 3),
        "nodes": [len(nodes) for nodes in grid.nodes],
        "packs": len(pairs),
        "bytes": total,
    }
    (folder / REPORT).write_text(json.dumps(report, ensure_ascii=False) + "\n")
    return grid, picture.frame(definition.start)[1]


def _check_repeatable(definition: Definition) -> None:
    """The same values twice, with others between them, have to give the same picture and sentence."""
    last = combinations(definition)[-1]
    ends = tuple(float(len(control.values) - 1) for control in definition.ranges)
    picture = definition.picture
    shown = []
    for values in (definition.start, setting(definition, ends, last), definition.start):
        shown.append(Frame.of(*picture.frame(values)))
    one, _, other = shown
    if one.shapes != other.shapes or one.sentence != other.sentence or np.any(one.numbers != other.numbers):
        raise ValueError(
            f"{_name(definition)} gave two different pictures at {definition.start}: what it draws may depend on its "
            "values only; take random numbers from a fixed key, or use `dice` and make the key from `throw`"
        )


def _check_size(definition: Definition, size: int, most: int, what: str) -> None:
    if size > most:
        raise ValueError(
            f"the pictures of {_name(definition)} take {size / 1000:.0f} kB {what}, and at most "
            f"{most / 1000:.0f} kB are allowed: draw lines with fewer points, or give fewer values, choices or throws"
        )


def _name(definition: Definition) -> str:
    return getattr(definition.draw, "__name__", repr(definition.draw))


def _hash(folder: Path) -> str:
    digest = hashlib.sha256()
    for file in sorted(folder.iterdir()):
        digest.update(file.name.encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()[:16]


def _page(definition: Definition, frames_id: str, grid: Grid, sentence: str) -> str:
    """One figure, complete without JavaScript, which finds what it needs in the JSON at the end."""
    folder = f"{FRAMES}/{frames_id}"
    width, height = definition.picture.size
    posters = "".join(
        _poster(f"{folder}/{name}.webp", width, height, name, sentence) for name in ("light", "dark")
    )
    sheet = f'<div class="explore-sheet">{posters}</div>'
    kind, style = "", f"max-width: {width}px"
    if split := definition.picture.split():
        # On a phone the sheet shows its left half and a second one, under it, the right half.
        sheet += sheet.replace(f'alt="{html.escape(sentence)}"', 'alt=""')
        kind, style = " explore-halves", f"{style}; --split: {split}"
    ranges = iter(zip(grid.nodes, grid.why_stepped, strict=True))
    spec = {
        "folder": folder,
        "drawing": DRAWING,
        "size": [width, height],
        "controls": [
            _described(control, *(next(ranges) if control.is_range else ()))
            for control in definition.controls
        ],
        "dice": definition.dice,
        "play": definition.play,
        "pad": _pad(definition),
        "code": setting_as_code(definition),
    }
    continuous = {
        control.name for control, why in zip(definition.ranges, grid.why_stepped, strict=True) if why is None
    }
    copy = _COPY if spec["code"] else "</p>"
    controls = controls_markup(definition, continuous, typed=False)
    return f"""<figure class="explore" data-frames="{frames_id}">
<div class="explore-picture{kind}" style="{style}">{sheet}</div>
<div class="explore-controls">
{controls}</div>
<p class="explore-sentence" aria-live="polite">{html.escape(sentence)}</p>
<p class="explore-note">{html.escape(" ".join(_note(definition, continuous)))}{copy}
<script type="application/json">{_json(spec)}</script>
</figure>"""


def _described(
    control: Control, nodes: list[float] | None = None, why_stepped: str | None = None
) -> dict[str, Any]:
    """What the script has to know of a control."""
    described = {"name": control.name, "label": control.label, "labels": control.labels}
    if nodes is None:
        return described
    return {
        **described,
        "kind": control.spacing if why_stepped is None else "irregular",
        "stops": [float(value) for value in control.values],
        "format": control.format,
        "nodes": [round(node, 6) for node in nodes],
    }


def _note(definition: Definition, continuous: set[str]) -> Iterator[str]:
    """Which controls move continuously, and between how many pictures the others choose."""
    smooth = [control.label.removesuffix(" =") for control in definition.ranges if control.name in continuous]
    if smooth:
        yield f"Continuous, within 1 pixel of the computed picture: {', '.join(smooth)}."
    for control in definition.ranges:
        if control.name not in continuous:
            yield f"Shown is the nearest of {len(control.values)}: {control.label.removesuffix(' =')}."
    if definition.dice:
        yield f"Thrown {definition.dice} times."


# The script fills in the code and shows it; without the script there is nothing to copy.
_COPY = """
<button type="button" class="explore-copy">Copy this setting as code</button></p>
<pre hidden></pre>"""


def _poster(source: str, width: int, height: int, theme: str, alt: str) -> str:
    # dark-light: the theme then leaves the image alone in dark mode.
    return (
        f'<img class="explore-poster explore-{theme} dark-light" src="{source}" alt="{html.escape(alt)}" '
        f'width="{width}" height="{height}" loading="lazy" draggable="false">'
    )


def _pad(definition: Definition) -> dict[str, Any] | None:
    """Where the pointer may drag, and for both directions a control with places on its slider and on the picture."""
    if not any(definition.drag):
        return None
    by_name = {control.name: control for control in definition.controls}
    pad: dict[str, Any] = definition.picture.pad()
    for direction, name, place in zip(
        ("x", "y"), definition.drag, (definition.picture.across, definition.picture.down), strict=True
    ):
        if name:
            control = by_name[name]
            finer = 8 if control.spacing in ("linear", "log") else 1
            places = np.linspace(0, len(control.values) - 1, finer * (len(control.values) - 1) + 1)
            stops = [round(place(float(control.at(here))), 5) for here in places]
            pad[direction] = {"name": name, "finer": finer, "stops": stops}
    return pad


def _json(spec: dict[str, Any]) -> str:
    """JSON that cannot end the script element that it stands in."""
    return json.dumps(spec, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
