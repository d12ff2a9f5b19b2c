"""Recorded pictures as bytes for the browser: `display.js` is the other end.

A pack is deflated. In it come the length of a header (4 bytes), the header in JSON, and the numbers: whole sixteenths
of a pixel, in four planes of bytes. A row is told by its difference from the row before it of the same shapes, and the
first such row by the difference of each number from the one two before it, which for a vertex is the one before it.
"""

from __future__ import annotations

import base64
import json
import zlib
from dataclasses import dataclass

import numpy as np

from labnoise.teaching.widgets.recording import DisplayList

FINENESS = 16  # of a pixel


@dataclass(frozen=True)
class Frame:
    """A display list whose numbers are whole sixteenths of a pixel and whose shapes are JSON, and its sentence."""

    shapes: str
    names: tuple[str, ...]
    numbers: np.ndarray
    images: dict[str, bytes]
    sentence: str

    @classmethod
    def of(cls, listed: DisplayList, sentence: str) -> Frame:
        shapes = json.dumps(listed.shapes, separators=(",", ":"))
        numbers = np.round(FINENESS * listed.numbers).astype(np.int32)
        return cls(shapes, tuple(listed.names), numbers, listed.images, sentence)


def pack(frames: list[Frame]) -> bytes:
    """The frames of one choice and one throw, in the order of their settings."""
    shapes = list(dict.fromkeys(frame.shapes for frame in frames))
    images: dict[str, str] = {}
    for frame in frames:
        for name, data in frame.images.items():
            images.setdefault(name, base64.b64encode(data).decode())
    header = {
        "shapes": [json.loads(shape) for shape in shapes],
        "which": [shapes.index(frame.shapes) for frame in frames],
        "sentences": [frame.sentence for frame in frames],
        "images": images,
    }
    rows = []
    for shape in shapes:
        numbers = np.stack([frame.numbers for frame in frames if frame.shapes == shape])
        first = numbers[0] - np.concatenate([[0, 0], numbers[0]])[: numbers.shape[1]]
        rows.append(np.concatenate([first, np.diff(numbers, axis=0).ravel()]).astype(np.int32))
    steps = np.concatenate(rows)
    folded = ((steps << 1) ^ (steps >> 31)).astype("<u4")  # 0, −1, 1, −2 … to 0, 1, 2, 3 …
    planes = folded.view(np.uint8).reshape(-1, 4).T.tobytes()
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    whole = len(text).to_bytes(4, "little") + text + planes
    return zlib.compress(whole, 9)
