"""Netpbm's plain pictures: PBM, PGM, PPM, PAM and the floating-point PFM.

Read by hand, though Pillow and OpenCV know some of them: Pillow brings 16-bit colour down to 8 bits and has no PAM,
OpenCV takes no heed of the value that a file calls white. What is left is a header of text and numbers in a row.

Sources: the manual pages pbm(5), pgm(5), ppm(5) and pam(5) of Netpbm; P. Debevec's description of PFM.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from imagemill.data.codecs.base import Array, Picture, ReadOptions, check_pixels, problem
from imagemill.data.codecs.error_guard import guarded
from imagemill.data.codecs.limits import check_inflation

__all__ = ["NetpbmHeader", "netpbm_header", "read_netpbm"]

_AGAIN = "get the file again from where it came from"
_SPACE = b" \t\n\x0b\x0c\r"
_TOKEN = re.compile(rb"(?:[ \t\n\x0b\x0c\r]|#[^\r\n]*(?=[\r\n]))+([^ \t\n\x0b\x0c\r#]+)")
_PAM_WORDS = {b"WIDTH": "width", b"HEIGHT": "height", b"DEPTH": "depth", b"MAXVAL": "white"}
_DIGITS = 20  # no number of a header is longer
_PLAIN = (b"P1", b"P2", b"P3")
_FLOAT = (b"PF", b"Pf")
_DEPTHS = {b"P3": 3, b"P6": 3, b"PF": 3}


@dataclass(frozen=True, slots=True)
class NetpbmHeader:
    """What stands before the pixels.

    Parameters
    ----------
    kind : bytes
        ``b"P1"`` to ``b"P7"``, ``b"PF"`` or ``b"Pf"``.
    height, width, depth : int
        In pixels, and samples of each.
    white : int
        The largest value a sample may have.
    scale : float
        Of PFM: negative where the least significant byte comes first.
    start : int
        Where the pixels begin.
    """

    kind: bytes
    height: int
    width: int
    depth: int
    white: int
    scale: float
    start: int


def netpbm_header(data: bytes) -> NetpbmHeader:
    """Read the header of a Netpbm file.

    Raises
    ------
    ValueError
        When it is none.

    Examples
    --------
    >>> found = netpbm_header(b"P5 6 4 255 ")
    >>> found.height, found.width, found.white, found.start
    (4, 6, 255, 11)
    """
    kind = data[:2]
    if kind == b"P7":
        return _pam(data)
    numbers: list[bytes] = []
    at = 2
    wanted = 2 if kind in (b"P1", b"P4") else 3
    while len(numbers) < wanted:
        found = _TOKEN.match(data, at)
        if found is None:
            raise ValueError(f"a header cut off after {len(numbers)} of {wanted} numbers")
        numbers.append(found[1])
        at = found.end()
    if data[at : at + 1] not in (*(bytes([n]) for n in _SPACE), b"#"):
        raise ValueError("no space behind the header")
    if data[at : at + 1] == b"#":  # a comment right behind the last number ends with its line
        at = data.index(b"\n", at)
    height, width = _whole(numbers[1], "height"), _whole(numbers[0], "width")
    if kind in _FLOAT:
        return NetpbmHeader(kind, height, width, _DEPTHS.get(kind, 1), 1, float(numbers[2]), at + 1)
    white = 1 if wanted == 2 else _whole(numbers[2], "white")
    return NetpbmHeader(kind, height, width, _DEPTHS.get(kind, 1), _checked(white), 0.0, at + 1)


def _pam(data: bytes) -> NetpbmHeader:
    """The header of PAM: a word and its value on each line."""
    end = re.search(rb"\nENDHDR[ \t\r]*\n", data)
    if end is None:
        raise ValueError("a header without ENDHDR")
    found: dict[str, int] = {}
    for line in data[2 : end.start()].splitlines():
        word, _, value = line.strip().partition(b" ")
        if word in _PAM_WORDS:
            found[_PAM_WORDS[word]] = _whole(value.strip(), _PAM_WORDS[word])
    if missing := {"width", "height", "depth", "white"} - found.keys():
        raise ValueError(f"a header without {' and '.join(sorted(missing)).upper().replace('WHITE', 'MAXVAL')}")
    white = _checked(found["white"])
    return NetpbmHeader(b"P7", found["height"], found["width"], found["depth"], white, 0.0, end.end())


def _whole(text: bytes, name: str) -> int:
    if len(text) > _DIGITS or not text.isdigit() or int(text) < 1:
        raise ValueError(f"{text[:_DIGITS]!r} as its {name}")
    return int(text)


def _checked(white: int) -> int:
    if white > 65_535:
        raise ValueError(f"{white} as the value of white, which may be 65535 at most")
    return white


@guarded("a whole, undamaged Netpbm file")
def read_netpbm(path: Path, data: bytes, options: ReadOptions) -> Picture:
    """Decode a Netpbm file; of several pictures in one file the first.

    Values are spread so that the file's white is that of the type, 255 or 65535. Label maps keep their counts; a PBM as
    label map says 1 for white and 0 for black, as it is shown.

    Raises
    ------
    CodecError
        When the file is cut off, damaged or too large.
    """
    header = netpbm_header(data)
    shape = (header.height, header.width, header.depth)
    check_pixels(path, shape if header.depth > 4 else shape[:2], options.max_pixels)
    if header.kind in _FLOAT:
        array, end = _floats(path, data, header)
    elif header.kind in _PLAIN:
        array, end = _written_out(path, data, header), len(data)
    else:
        array, end = _packed(path, data, header)
    note = "first of several pictures" if data[end : end + 1] == b"P" else ""
    if header.kind not in _FLOAT and not options.labels:
        array, said = _spread(array, header)
        note = "; ".join(filter(None, (note, said)))
    array = np.ascontiguousarray(array[..., 0] if header.depth == 1 else array)
    bits = 32 if header.kind in _FLOAT else header.white.bit_length()
    meta = {"format": "netpbm", "mode": header.kind.decode(), "bit_depth": bits}
    return Picture(array, "yx" if array.ndim == 2 else "yxc", None, meta, note)


def _spread(array: Array, header: NetpbmHeader) -> tuple[Array, str]:
    """Values as shares of the type's white instead of the file's."""
    top = int(np.iinfo(array.dtype).max)
    if header.white == top:
        return array, ""
    spread = ((array.astype(np.uint64) * top + header.white // 2) // header.white).astype(array.dtype)
    return spread, "" if header.white == 1 else f"values of 0 to {header.white} spread over 0 to {top}"


def _exactly(path: Path, data: bytes, header: NetpbmHeader, count: int) -> bytes:
    """As many bytes of pixels as the header promises."""
    found = data[header.start : header.start + count]
    if len(found) < count:
        got = f"{len(found):,}: the file is cut off"
        raise problem(path, f"{count:,} bytes for {header.width} x {header.height} pixels", got, _AGAIN)
    return found


def _packed(path: Path, data: bytes, header: NetpbmHeader) -> tuple[Array, int]:
    height, width, depth = header.height, header.width, header.depth
    if header.kind == b"P4":
        row = (width + 7) // 8
        raw = _exactly(path, data, header, row * height)
        bits = np.unpackbits(np.frombuffer(raw, np.uint8).reshape(height, row), axis=1)[:, :width]
        return (1 - bits)[..., None], header.start + len(raw)  # one stands for black
    size = 1 if header.white < 256 else 2
    raw = _exactly(path, data, header, height * width * depth * size)
    stored = np.frombuffer(raw, ">u2" if size == 2 else np.uint8).reshape(height, width, depth)
    return _below_white(path, stored.astype(stored.dtype.newbyteorder("=")), header), header.start + len(raw)


def _below_white(path: Path, array: Array, header: NetpbmHeader) -> Array:
    if header.white not in (255, 65_535) and array.size and array.max() > header.white:
        got = f"{int(array.max())}: the file is damaged, or its header says too little"
        raise problem(path, f"samples of 0 to {header.white}, as the header says", got, "write it again")
    return array


def _written_out(path: Path, data: bytes, header: NetpbmHeader) -> Array:
    """Samples in digits; those of PBM may stand without a space between them."""
    count = header.height * header.width * header.depth
    body = data[header.start :]
    least = count if header.kind == b"P1" else 2 * count - 1
    check_inflation(path, least, len(body), 1, 0)
    if b"#" in body:
        body = re.sub(rb"#[^\r\n]*", b"", body)
    if header.kind == b"P1":
        digits = np.frombuffer(body.translate(None, _SPACE)[:count], np.uint8)
        values = digits - np.uint8(ord("0"))
    else:
        words = body.split(None, count)[:count]
        if any(len(word) > 5 for word in words):
            raise ValueError("a sample of more than five digits")
        values = np.array([int(word) for word in words], np.int64)
    if len(values) < count:
        got = f"{len(values):,}: the file is cut off"
        raise problem(path, f"{count:,} samples", got, _AGAIN)
    if values.size and (values.min() < 0 or values.max() > header.white):
        got = f"others: {values[(values < 0) | (values > header.white)][0]}"
        raise problem(path, f"samples of 0 to {header.white}, as the header says", got, _AGAIN)
    values = values.astype(np.uint8 if header.white < 256 else np.uint16)
    if header.kind == b"P1":
        values = np.uint8(1) - values
    return values.reshape(header.height, header.width, header.depth)


def _floats(path: Path, data: bytes, header: NetpbmHeader) -> tuple[Array, int]:
    """PFM: rows from the bottom to the top."""
    if not np.isfinite(header.scale) or header.scale == 0:
        raise ValueError(f"{header.scale} as its scale")
    shape = (header.height, header.width, header.depth)
    raw = _exactly(path, data, header, 4 * shape[0] * shape[1] * shape[2])
    stored = np.frombuffer(raw, "<f4" if header.scale < 0 else ">f4").reshape(shape)
    return np.ascontiguousarray(stored[::-1], np.float32), header.start + len(raw)
