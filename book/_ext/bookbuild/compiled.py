"""JAX's store of compiled programs, as a kill or a full disk leaves it: an entry that is torn goes.

JAX writes an entry in place, warns of a torn one each time that it reads it, and never replaces it; and a warning fails
a chapter, or a test. Nothing here imports JAX: the build looks before a kernel starts.
"""

from __future__ import annotations

import os
import zlib
from pathlib import Path

VARIABLE = "JAX_COMPILATION_CACHE_DIR"
ENTRIES = "*-cache"
ZSTANDARD = b"\x28\xb5\x2f\xfd"
# For an entry that is torn while the build runs: Python's own filter, which the kernel inherits. JAX then compiles.
QUIET = [f"ignore:Error {doing} persistent compilation cache entry" for doing in ("reading", "writing")]


def heal(folder: Path | None = None) -> list[str]:
    """Remove the torn entries of a store, without an argument of that which JAX is told to use; returns their names."""
    if folder is None:
        if not os.environ.get(VARIABLE):
            return []
        folder = Path(os.environ[VARIABLE])
    torn = [path for path in folder.glob(ENTRIES) if not is_whole(path)]
    for path in torn:
        path.unlink(missing_ok=True)
    return [path.name for path in torn]


def keep_quiet() -> None:
    """What is read of the store in a kernel is never a warning of the chapter's."""
    known = [each for each in os.environ.get("PYTHONWARNINGS", "").split(",") if each]
    os.environ["PYTHONWARNINGS"] = ",".join(dict.fromkeys([*known, *QUIET]))


def is_whole(path: Path) -> bool:
    """True if an entry can be unpacked to its end, or is packed in a way that is not known here."""
    try:
        packed = path.read_bytes()
    except OSError:
        return False
    if packed.startswith(ZSTANDARD):
        return _unpacks_as_zstandard(packed)
    try:
        return len(zlib.decompress(packed)) > 4  # the first four bytes are the time that it took to compile
    except zlib.error:
        return False


def _unpacks_as_zstandard(packed: bytes) -> bool:
    try:
        from compression import zstd  # type: ignore[import-not-found]  # Python 3.14 has it
    except ImportError:
        try:
            import zstandard  # type: ignore[import-not-found]
        except ImportError:
            return True  # nothing here wrote or reads it
        try:
            return len(zstandard.ZstdDecompressor().decompress(packed)) > 4
        except zstandard.ZstdError:
            return False
    try:
        return len(zstd.decompress(packed)) > 4
    except zstd.ZstdError:
        return False
