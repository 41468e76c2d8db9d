"""NRRD (``.nrrd``, and ``.nhdr`` with its voxels in another file), read and written.

Source: G. Kindlmann, "Definition of NRRD File Format" (teem.sourceforge.net/nrrd/format.html).
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

from imagemill.data.codecs.base import Codec, Picture, ReadOptions, problem
from imagemill.data.codecs.error_guard import guarded
from imagemill.data.codecs.sniff import kind_of
from imagemill.data.codecs.volumes.text_header import (
    VoxelHeader,
    affine_of,
    header_text,
    named_files,
    ras,
    read_voxels,
    stored_form,
)

__all__ = ["NrrdCodec", "nrrd_header"]

Floats = npt.NDArray[np.float64]
_TYPES = {
    **dict.fromkeys(("signed char", "int8", "int8_t"), "i1"),
    **dict.fromkeys(("uchar", "unsigned char", "uint8", "uint8_t"), "u1"),
    **dict.fromkeys(("short", "short int", "signed short", "signed short int", "int16", "int16_t"), "i2"),
    **dict.fromkeys(("ushort", "unsigned short", "unsigned short int", "uint16", "uint16_t"), "u2"),
    **dict.fromkeys(("int", "signed int", "int32", "int32_t"), "i4"),
    **dict.fromkeys(("uint", "unsigned int", "uint32", "uint32_t"), "u4"),
    **dict.fromkeys(("longlong", "long long", "long long int", "signed long long", "signed long long int"), "i8"),
    **dict.fromkeys(("int64", "int64_t"), "i8"),
    **dict.fromkeys(("ulonglong", "unsigned long long", "unsigned long long int", "uint64", "uint64_t"), "u8"),
    **{"float": "f4", "double": "f8"},
}
_WRITTEN = {
    **{"int8": "int8", "uint8": "uint8", "int16": "int16", "uint16": "uint16", "int32": "int32", "uint32": "uint32"},
    **{"int64": "int64", "uint64": "uint64", "float32": "float", "float64": "double"},
}
_ENCODINGS = {
    **{"raw": "raw", "gz": "deflate", "gzip": "deflate", "bz2": "bzip2", "bzip2": "bzip2"},
    **{"txt": "text", "text": "text", "ascii": "text", "hex": "hex"},
}
_TOWARDS = {"right": 1.0, "left": -1.0, "anterior": 1.0, "posterior": -1.0, "superior": 1.0, "inferior": -1.0}
_SHORT = {"r": "right", "l": "left", "a": "anterior", "p": "posterior", "s": "superior", "i": "inferior"}
_MILLIMETRES = {"m": 1e3, "cm": 10.0, "mm": 1.0, "um": 1e-3, "µm": 1e-3, "micron": 1e-3, "microns": 1e-3, "nm": 1e-6}
_VECTOR = re.compile(r"\(([^()]*)\)|([^\s()]+)")
_PLACES = ("domain", "space")
_LEVEL = 3
_MOST = 16


class NrrdCodec(Codec):
    """Reads ``.nrrd`` and ``.nhdr``, writes ``.nrrd``.

    Axes without a direction in space (components, time, lists) become channels. A file that says no directions has
    voxel sizes at most, and no place.
    """

    name = "nrrd"
    suffixes: tuple[str, ...] = (".nrrd", ".nhdr")
    writes: tuple[str, ...] = (".nrrd",)
    remarks: Mapping[str, str] = {
        ".nrrd": "volumes and pictures with their place",
        ".nhdr": "a header with its voxels in another file",
    }

    def read(self, path: Path, options: ReadOptions, data: bytes | None = None) -> Picture:
        return read_voxels(path, nrrd_header(path, header_text(path, data)), options, data)

    def recognises(self, start: bytes) -> bool:
        return kind_of(start) == self.name

    def header(self, path: Path, data: bytes | None = None) -> tuple[tuple[int, int], int]:
        shape = nrrd_header(path, header_text(path, data)).shape
        return (shape[-2], shape[-1]), 1

    def can_write(self, picture: Picture, suffix: str) -> str | None:
        if suffix not in self.writes:
            return f"{suffix} is read only; choose .nrrd"
        return stored_form(picture, _WRITTEN, "NRRD")

    def encode(self, picture: Picture, suffix: str) -> bytes:
        array = np.ascontiguousarray(picture.array)
        steps, origin = affine_of(picture)
        list_first = picture.channels is not None
        sizes = (*((picture.channels,) if list_first else ()), *picture.spatial_shape[::-1])
        kinds = ["list"] * list_first + ["domain"] * len(steps)
        lines = [
            "NRRD0004",
            f"type: {_WRITTEN[array.dtype.name]}",
            f"dimension: {len(sizes)}",
            f"sizes: {' '.join(str(n) for n in sizes)}",
            f"kinds: {' '.join(kinds)}",
            "endian: little",
            "encoding: gzip",
        ]
        none = ["none"] * list_first
        if picture.affine is None or picture.meta.get("placed") is False:
            nan = ["nan"] * list_first
            lengths = np.linalg.norm(steps, axis=1)
            lines += [f"spacings: {' '.join([*nan, *(format(n, '.17g') for n in lengths)])}"]
        else:
            space = "left-posterior-superior" if len(steps) == 3 else None
            lines[3:3] = [f"space: {space}" if space else f"space dimension: {len(steps)}"]
            lines += [f"space directions: {' '.join([*none, *(_vector(step) for step in steps)])}"]
            lines += [f"space origin: {_vector(origin)}"]
        raw = array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes()
        return ("\n".join(lines) + "\n\n").encode() + gzip.compress(raw, _LEVEL, mtime=0)


def _vector(values: Floats) -> str:
    return "(" + ",".join(format(float(value), ".17g") for value in values) + ")"


@guarded("a whole, readable NRRD file")
def nrrd_header(path: Path, start: bytes) -> VoxelHeader:
    """Read the header of an NRRD file.

    Parameters
    ----------
    path : Path
    start : bytes
        The file, or its first megabyte.

    Raises
    ------
    CodecError
    """
    words, lines, end = _words(start)
    count = int(words["dimension"])
    sizes = tuple(int(n) for n in words["sizes"].split())
    if not 2 <= count <= _MOST or len(sizes) != count or min(sizes) < 1:
        raise ValueError(f"sizes of {words['sizes'][:80]!r} for dimension {words['dimension']}")
    code = _TYPES.get(words["type"].lower())
    if code is None:
        raise problem(path, "a type of numbers", repr(words["type"][:40]), "convert it to short or float")
    encoding = _ENCODINGS.get(words["encoding"].lower())
    if encoding is None:
        raise problem(path, f"an encoding of {' '.join(_ENCODINGS)}", repr(words["encoding"][:40]), "write it as gzip")
    order, notes = _order(words, code, encoding)
    steps = _steps(words, count)
    roles, said = _roles(path, words, sizes, steps)
    affine, placed, told = _affine(words, roles, steps)
    attached = "data file" not in words
    return VoxelHeader(
        sizes,
        roles,
        np.dtype(order + code),
        affine,
        placed,
        encoding,
        "nrrd",
        () if attached else named_files(words["data file"], lines),
        start=end if attached else 0,
        skip=int(words.get("byte skip", "0")),
        lines=int(words.get("line skip", "0")),
        note="; ".join(filter(None, (*notes, said, told))),
    )


def _words(start: bytes) -> tuple[dict[str, str], list[str], int]:
    """The fields of a header, the lines behind the name of its data file, and where it ends.

    Raises
    ------
    ValueError
    """
    if not start.startswith(b"NRRD"):
        raise ValueError(f"bytes {start[:8]!r} instead of NRRD")
    found: dict[str, str] = {}
    listed: list[str] = []
    at = start.index(b"\n") + 1
    while at < len(start):
        end = start.find(b"\n", at)
        end = len(start) if end < 0 else end
        line = start[at:end].rstrip(b"\r").decode("utf-8", "replace")
        at = end + 1
        if found.get("data file", "").split()[:1] == ["LIST"]:
            listed.append(line)
        elif not line:
            break
        elif ":=" not in line.partition(": ")[0] and not line.startswith("#"):
            word, _, value = line.partition(":")
            name = word.strip().lower()
            found[_OTHER_NAMES.get(name, name)] = value.strip()
    if missing := {"dimension", "sizes", "type", "encoding"} - found.keys():
        raise ValueError(f"a header without {' and '.join(sorted(missing))}")
    return found, listed, at


_OTHER_NAMES = {
    **{"datafile": "data file", "lineskip": "line skip", "byteskip": "byte skip", "spaceunits": "space units"},
    **{"spacedirections": "space directions", "spaceorigin": "space origin", "spacedimension": "space dimension"},
}


def _order(words: dict[str, str], code: str, encoding: str) -> tuple[str, tuple[str, ...]]:
    said = words.get("endian", "").lower()
    if said not in ("", "little", "big"):
        raise ValueError(f"{said[:20]!r} as its endian")
    if not said and code[1] != "1" and encoding != "text":
        return "<", ("the file says no byte order; little endian is taken",)
    return ">" if said == "big" else "<", ()


def _steps(words: dict[str, str], count: int) -> list[Floats | None] | None:
    """The direction of each axis, None for those that have none; None where the file says no directions."""
    if "space directions" not in words:
        return None
    found: list[Floats | None] = []
    for vector, other in _VECTOR.findall(words["space directions"]):
        numbers = np.array([float(n) for n in vector.split(",")]) if vector else None
        if other.lower() not in ("", "none"):
            raise ValueError(f"{other[:20]!r} among the space directions")
        found.append(None if numbers is None or not np.any(np.isfinite(numbers)) else numbers)
    if len(found) != count:
        raise ValueError(f"{len(found)} space directions for {count} axes")
    return found


def _roles(
    path: Path, words: dict[str, str], sizes: tuple[int, ...], steps: list[Floats | None] | None
) -> tuple[str, str]:
    """Which axes are places, as letters."""
    count, kinds = len(sizes), words.get("kinds", "").lower().split()
    if steps is not None:
        places = [step is not None for step in steps]
    elif len(kinds) == count and any(kind not in (*_PLACES, "???", "none") for kind in kinds):
        places = [kind in (*_PLACES, "???", "none") for kind in kinds]
    else:
        places = [n < 3 for n in range(count)]
    if places == [True] * 4:  # time, as ITK writes it
        places[3] = False
    others = [size for size, place in zip(sizes, places, strict=True) if not place]
    if sum(places) not in (2, 3) or len([size for size in others if size > 1]) > 1:
        got = f"sizes {' '.join(map(str, sizes))} with {sum(places)} axes in space"
        raise problem(path, "2 or 3 axes in space, and one besides", got, "split it into volumes")
    letters = iter("xyz")
    roles = "".join(next(letters) if place else "c" for place in places)
    late = len(others) == 1 and not places[-1] and others[0] > 1
    return roles, f"{others[0]} volumes along the last axis read as channels" if late else ""


def _affine(words: dict[str, str], roles: str, steps: list[Floats | None] | None) -> tuple[Floats | None, bool, str]:
    side = len(roles.replace("c", ""))
    if steps is None:
        found = [float(n) for n in words["spacings"].split()] if "spacings" in words else [1.0] * len(roles)
        if len(found) != len(roles):
            raise ValueError(f"{len(found)} spacings for {len(roles)} axes")
        spacing = np.array([size for size, role in zip(found, roles, strict=True) if role != "c"])
        spacing = np.where(np.isfinite(spacing) & (spacing != 0), np.abs(spacing), 1.0)
        return _placeless(spacing, "the file says no place")
    directions = np.array([step for step, role in zip(steps, roles, strict=True) if step is not None and role != "c"])
    if directions.ndim == 2 and directions.shape[1] == 4:  # time is the fourth coordinate
        directions = directions[:, :3]
    if directions.ndim != 2 or directions.shape[1] < side:
        raise ValueError("space directions of different lengths")
    if directions.shape[1] > side:  # a slice somewhere in a volume: its voxel sizes are kept
        spacing = np.linalg.norm(directions, axis=1)
        return _placeless(spacing, "one slice of a volume, without its place")
    text = words.get("space origin")
    origin = np.zeros(side) if text is None else np.array([float(n) for n in text.strip("() ").split(",")])
    if len(origin) < side:
        raise ValueError(f"{text!r} as its space origin")
    signs, swaps, note = _space(words.get("space", ""))
    unit, said = _unit(words.get("space units", ""))
    directions, origin = directions[:, :side] * unit, origin[:side] * unit
    if side == 3:
        directions, origin = directions[:, swaps], origin[list(swaps)]
    note = "; ".join(filter(None, (note, said)))
    return ras(signs, directions, origin), True, note


def _placeless(spacing: Floats, note: str) -> tuple[Floats, bool, str]:
    return ras((-1.0, -1.0, 1.0), np.diag(spacing), np.zeros(len(spacing))), False, note


def _space(name: str) -> tuple[tuple[float, float, float], list[int], str]:
    """Signs that bring a space to RAS, and which of its coordinates is which; in words where it names no body."""
    words = name.lower().removesuffix("-time").split("-")
    if len(words) == 1 and len(words[0]) in (3, 4) and set(words[0][:3]) <= set(_SHORT):
        words = [_SHORT[letter] for letter in words[0][:3]]
    axes = [next((n for n, pair in enumerate(("rl", "ap", "si")) if word[:1] in pair), -1) for word in words]
    if len(words) != 3 or sorted(axes) != [0, 1, 2] or not all(word in _TOWARDS for word in words):
        called = f"space {name!r}" if name else "a space without a name"
        return (-1.0, -1.0, 1.0), [0, 1, 2], f"{called} is taken as left-posterior-superior"
    swaps = [axes.index(n) for n in range(3)]
    signs = tuple(_TOWARDS[words[place]] for place in swaps)
    return (signs[0], signs[1], signs[2]), swaps, ""


def _unit(text: str) -> tuple[float, str]:
    names = re.findall(r'"([^"]*)"', text)
    known = {_MILLIMETRES[name.lower()] for name in names if name.lower() in _MILLIMETRES}
    if len(known) != 1 or known == {1.0}:
        return 1.0, ""
    return known.pop(), f"stored in {names[0]}, given in millimetres"
