"""What a file of pictures holds, read without the package's own code."""

import base64
import json
import re
import zlib
from pathlib import Path

import numpy as np

STYLE = 9  # numbers of a shape's style, which come first; those after it are pairs


def unpack(file: Path) -> tuple[dict, list[np.ndarray]]:
    """Its header, and its numbers in pixels, one array a picture."""
    (text,) = re.findall(r'exploreData\(document.currentScript, "(.*)"\)', file.read_text())
    data = zlib.decompress(base64.b64decode(text))
    length = int.from_bytes(data[:4], "little")
    header = json.loads(data[4 : 4 + length])
    planes = np.frombuffer(data[4 + length :], np.uint8).reshape(4, -1).T.copy()
    folded = planes.view("<u4").ravel().astype(np.int64)
    steps = np.where(folded % 2, -(folded + 1) // 2, folded // 2)
    rows, at = [np.empty(0)] * len(header["which"]), 0
    for kind, shapes in enumerate(header["shapes"]):
        size = sum(map(count, shapes))
        row = None
        for frame in np.flatnonzero(np.array(header["which"]) == kind):
            step, at = steps[at : at + size], at + size
            if row is None:
                row = np.zeros(size)
                row[::2], row[1::2] = np.cumsum(step[::2]), np.cumsum(step[1::2])
            else:
                row = row + step
            rows[frame] = row / 16
    return header, rows


def count(shape: dict) -> int:
    """How many numbers a shape has: line width and two colours, the clip's rectangle and path, and the vertices."""
    own = 4 if shape["kind"] == "image" else 2 * (_vertices(shape["codes"]) + shape.get("count", 0))
    return STYLE + 4 * shape["clip"] + 2 * _vertices(shape["cut"] or []) + own


def _vertices(codes: list[int]) -> int:
    return sum(count for code, count in zip(codes[::2], codes[1::2], strict=True) if code != 79)
