"""What matplotlib draws as a list of numbers: a renderer that records in place of painting.

A picture is a list of operations. Of each the *shape* (how many vertices, which dashes) is kept apart from its
*numbers* (vertices, colours, line widths, the rectangle that clips it): two pictures of the same shapes can be mixed
number by number, and so a page moves from one to the other.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.backend_bases import RendererBase
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.path import Path
from matplotlib.transforms import Affine2D
from PIL import Image

from labnoise.teaching.widgets.picture_files import encode

# Beyond this many pixels nothing is seen, and it still fits into the numbers that the page stores.
_FAR = 1e7
_POINTS = 72.0  # an inch
_COLOURS = 64.0  # a step of a colour that the eye can tell then weighs as much as a pixel


@dataclass
class DisplayList:
    """The operations of one picture, in the order in which they are painted.

    Attributes
    ----------
    shapes : list of dict
        What each operation is, as JSON: its kind, the codes of its path, cap, join, dashes, and whether it is clipped.
    names : list of str
        The artist that each operation is of, for messages.
    numbers : (m,) float
        All operations' numbers one after the other: pixels from the left and from the top, colours from 0 to 64.
    images : dict
        The WebP files that operations name.
    """

    shapes: list[dict[str, Any]] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    numbers: np.ndarray = field(default_factory=lambda: np.empty(0))
    images: dict[str, bytes] = field(default_factory=dict)


def record(
    artists: Sequence[tuple[str, Artist]], width: float, height: float, dpi: float, still: bool = False
) -> DisplayList:
    """Draw some artists, given with their names, on a page of a size in pixels; a still one keeps to whole pixels."""
    recorder = Recorder(width, height, dpi, still)
    for name, artist in artists:
        recorder.name = name
        artist.draw(recorder)
    return recorder.finish()


class Recorder(RendererBase):
    """matplotlib's renderer; see `record`."""

    def __init__(self, width: float, height: float, dpi: float, still: bool) -> None:
        super().__init__()
        self.width, self.height, self.dpi = width, height, dpi
        self.still = still
        self.name = ""
        self._list = DisplayList()
        self._numbers: list[np.ndarray] = []

    def finish(self) -> DisplayList:
        self._list.numbers = np.concatenate(self._numbers) if self._numbers else np.empty(0)
        return self._list

    def get_canvas_width_height(self) -> tuple[float, float]:
        return self.width, self.height

    def points_to_pixels(self, points: Any) -> Any:
        return points * self.dpi / _POINTS

    def get_image_magnification(self) -> float:
        return 2.0  # images are sampled for dense screens

    # What a backend has to draw.

    def draw_path(self, gc: Any, path: Path, transform: Any, rgbFace: Any = None) -> None:
        codes, vertices = self._trace(path, transform)
        if vertices.size:
            snap = self.still and _is_rectilinear(codes, vertices) and gc.get_snap() is not False
            self._add(gc, rgbFace, {"kind": "path", "codes": codes, "snap": snap}, vertices)
        if gc.get_hatch():
            self._hatch(gc, path, transform)

    def draw_markers(
        self,
        gc: Any,
        marker_path: Path,
        marker_trans: Any,
        path: Path,
        trans: Any,
        rgbFace: Any = None,
    ) -> None:
        codes, marker = self._trace(marker_path, marker_trans, upside_down=False)
        ends = (
            path.vertices if path.codes is None else [v[-2:] for v, _ in path.iter_segments(simplify=False)]
        )
        places = self._flipped(trans.transform(np.reshape(ends, (-1, 2))))
        places = places[np.isfinite(places).all(axis=1)]
        if marker.size and places.size:
            shape = {"kind": "marks", "codes": codes, "count": len(places)}
            self._add(gc, rgbFace, shape, marker, places)

    def draw_path_collection(
        self, gc: Any, master_transform: Any, paths: Any, all_transforms: Any, offsets: Any, offset_trans: Any,
        facecolors: Any, edgecolors: Any, linewidths: Any, linestyles: Any, *others: Any, **more: Any,
    ) -> None:  # fmt: skip
        alike = max(map(len, (paths, all_transforms, facecolors, edgecolors, linewidths, linestyles))) <= 1
        if not alike or len(paths) == 0 or len(offsets) < 2 or gc.get_hatch():
            super().draw_path_collection(
                gc, master_transform, paths, all_transforms, offsets, offset_trans,
                facecolors, edgecolors, linewidths, linestyles, *others, **more,
            )  # fmt: skip
            return
        gc0 = self.new_gc()
        gc0.copy_properties(gc)
        lined = len(edgecolors) > 0 and edgecolors[0][3] > 0
        gc0.set_linewidth(linewidths[0] if lined and len(linewidths) else 0.0)
        if lined:
            gc0.set_foreground(edgecolors[0], isRGBA=True)
            gc0.set_dashes(*linestyles[0])
        face = facecolors[0] if len(facecolors) and facecolors[0][3] > 0 else None
        transform = master_transform
        if len(all_transforms):
            transform = Affine2D(all_transforms[0]) + transform
        self.draw_markers(gc0, paths[0], transform, Path(offset_trans.transform(offsets)), Affine2D(), face)

    def draw_quad_mesh(
        self, gc: Any, master_transform: Any, width: int, height: int, coordinates: Any, offsets: Any,
        offset_trans: Any, facecolors: Any, antialiased: Any, edgecolors: Any,
    ) -> None:  # fmt: skip
        cells = width * height
        colours = [facecolors] if len(edgecolors) == 0 else [facecolors, edgecolors]
        unlike = len(offsets) > 1 or any(len(kind) != cells or not np.all(kind[:, 3]) for kind in colours)
        if self.still or unlike or gc.get_hatch() or not np.isfinite(coordinates).all():
            super().draw_quad_mesh(
                gc, master_transform, width, height, coordinates, offsets, offset_trans,
                facecolors, antialiased, edgecolors,
            )  # fmt: skip
            return
        # Cells differ in their corners and colours alone: all are written at once, after the first one's style.
        corners = master_transform.transform(np.reshape(coordinates, (-1, 2))) + offset_trans.transform(
            offsets
        )
        grid = self._flipped(corners).reshape(height + 1, width + 1, 2)
        around = [grid[:-1, :-1], grid[:-1, 1:], grid[1:, 1:], grid[1:, :-1], grid[:-1, :-1]]
        outlines = np.concatenate(around, axis=2).reshape(cells, -1)
        first = self.new_gc()
        first.copy_properties(gc)
        if len(edgecolors):
            first.set_foreground(edgecolors[0], isRGBA=True)
        else:
            first.set_linewidth(0.0)
        codes = list(_run_lengths(_default_codes(5).astype(np.uint8).tobytes()))
        self._add(first, facecolors[0], {"kind": "path", "codes": codes, "snap": False}, outlines[0])
        numbers = np.tile(self._numbers.pop(), (cells, 1))
        for where, kind in zip((slice(5, 9), slice(1, 5)), colours, strict=False):
            numbers[:, where] = _COLOURS * np.array([_face(first, colour) for colour in kind])
        numbers[:, -outlines.shape[1] :] = np.clip(outlines, -_FAR, _FAR)
        self._numbers.append(numbers.ravel())
        self._list.shapes += self._list.shapes[-1:] * (cells - 1)
        self._list.names += self._list.names[-1:] * (cells - 1)

    def draw_image(self, gc: Any, x: float, y: float, im: Any, transform: Any = None) -> None:
        pixels = np.ascontiguousarray(im[::-1])
        scale = self.get_image_magnification()
        height, width = pixels.shape[:2]
        self._image(gc, pixels, x, self.height - y - height / scale, width / scale, height / scale)

    def draw_gouraud_triangles(
        self, gc: Any, triangles_array: Any, colors_array: Any, transform: Any
    ) -> None:
        scale = self.get_image_magnification()  # no path can show it: it is painted, and kept as an image
        agg = RendererAgg(int(scale * self.width), int(scale * self.height), scale * self.dpi)
        agg.draw_gouraud_triangles(
            agg.new_gc(), triangles_array, colors_array, transform + Affine2D().scale(scale)
        )
        self._image(gc, np.array(agg.buffer_rgba()), 0.0, 0.0, agg.width / scale, agg.height / scale)

    def _hatch(self, gc: Any, path: Path, transform: Any) -> None:
        """The hatch's tiles, an inch wide as matplotlib has them, strokes and all, cut out by the path."""
        box = path.get_extents(transform)
        tile = self.dpi
        columns, rows = (
            np.arange(np.floor(low / tile), np.ceil(high / tile)) * tile
            for low, high in ((box.x0, box.x1), (box.y0, box.y1))
        )
        pattern = gc.get_hatch_path()
        tiles = [pattern.transformed(Affine2D().scale(tile).translate(x, y)) for x in columns for y in rows]
        if not tiles:
            return
        lines = self.new_gc()
        lines.copy_properties(gc)
        lines.set_hatch(None)
        lines.set_clip_path(None)
        lines.set_linewidth(gc.get_hatch_linewidth())
        lines.set_foreground(gc.get_hatch_color())
        codes, vertices = self._trace(Path.make_compound_path(*tiles), Affine2D())
        shape = {"kind": "path", "codes": codes, "snap": False}
        self._add(lines, gc.get_hatch_color(), shape, vertices, cut=(path, transform))

    def _image(self, gc: Any, pixels: np.ndarray, *box: float) -> None:
        data = encode(Image.fromarray(pixels))
        name = hashlib.sha256(data).hexdigest()[:12]
        self._list.images[name] = data
        opaque = pixels[..., 3] > 0
        colours = pixels[opaque][:, :3].astype(int)
        grey = bool(np.all(np.ptp(colours, axis=1) < 8)) if len(colours) else False
        self._add(gc, None, {"kind": "image", "image": name, "grey": grey}, np.array(box))

    # From matplotlib's terms to the list's.

    def _add(self, gc: Any, face: Any, shape: dict[str, Any], *numbers: np.ndarray, cut: Any = None) -> None:
        """One operation. Its numbers begin with line width, colours of line and face, and the clip's rectangle."""
        line = self.points_to_pixels(gc.get_linewidth())
        if face is None and not line and shape["kind"] != "image":
            return
        style = [[line], _COLOURS * np.array(gc.get_rgb()), _COLOURS * np.array(_face(gc, face))]
        offset, dashes = gc.get_dashes()
        if dashes is not None and line:
            shape["dashes"] = [round(self.points_to_pixels(float(length)), 4) for length in dashes]
            shape["offset"] = round(self.points_to_pixels(float(offset)), 4)
        shape["cap"] = {"projecting": "square"}.get(str(gc.get_capstyle()), str(gc.get_capstyle()))
        shape["join"] = str(gc.get_joinstyle())
        box = gc.get_clip_rectangle()
        shape["clip"] = box is not None
        if box is not None:
            style.append([box.x0, self.height - box.y1, box.width, box.height])
        path, transform = cut or gc.get_clip_path()
        shape["cut"] = None
        if path is not None:
            shape["cut"], outline = self._trace(path, transform)
            style.append(outline.ravel())
        self._list.shapes.append(shape)
        self._list.names.append(self.name)
        parts = [np.asarray(part, dtype=float).ravel() for part in (*style, *numbers)]
        self._numbers.append(np.clip(np.concatenate(parts), -_FAR, _FAR))

    def _trace(self, path: Path, transform: Any, upside_down: bool = True) -> tuple[list[int], np.ndarray]:
        """A path's codes as [code, how often, code, …], and its vertices in pixels without those of closures."""
        if not np.isfinite(path.vertices).all():
            path = path.cleaned(remove_nans=True, curves=True)
        vertices = np.asarray(transform.transform(path.vertices))
        codes = np.asarray(path.codes) if path.codes is not None else _default_codes(len(vertices))
        vertices, codes = vertices[codes != Path.STOP], codes[codes != Path.STOP]
        vertices = vertices[codes != Path.CLOSEPOLY]
        lengths = list(_run_lengths(codes.astype(np.uint8).tobytes()))
        return lengths, self._flipped(vertices) if upside_down else vertices * [1, -1]

    def _flipped(self, vertices: np.ndarray) -> np.ndarray:
        return vertices * [1, -1] + [0, self.height]


def _face(gc: Any, face: Any) -> tuple[float, ...]:
    """The colour of a face: one without an opacity of its own has the context's."""
    if face is None:
        return (0.0, 0.0, 0.0, 0.0)
    return tuple(face) if len(face) == 4 and not gc.get_forced_alpha() else (*face[:3], gc.get_alpha())


def _default_codes(count: int) -> np.ndarray:
    codes = np.full(count, Path.LINETO)
    codes[:1] = Path.MOVETO
    return codes


@lru_cache(1024)  # most paths of a picture are alike, as the cells of a mesh are
def _run_lengths(codes: bytes) -> tuple[int, ...]:
    return tuple(number for code, run in itertools.groupby(codes) for number in (code, len(list(run))))


def _is_rectilinear(codes: list[int], vertices: np.ndarray) -> bool:
    """Made of a few horizontal and vertical lines: matplotlib then draws it on whole pixels."""
    if len(vertices) > 1024 or set(codes[::2]) - {Path.MOVETO, Path.LINETO, Path.CLOSEPOLY}:
        return False
    return bool(np.all(np.abs(np.diff(vertices, axis=0)).min(axis=1, initial=np.inf) < 1e-4))
