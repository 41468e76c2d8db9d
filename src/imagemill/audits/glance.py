"""What is kept of one image after a single look: small numbers, and a picture of 32x32."""

from __future__ import annotations

import hashlib
import math
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from imagemill.audits.area_resize import made_smaller
from imagemill.audits.file_facts import FileFacts, file_facts
from imagemill.audits.label_map_facts import LabelMapFacts, look_at_label_map
from imagemill.audits.look_kernels import (
    LAPLACIAN,
    SECOND,
    STEPS,
    count_colours,
    count_grays,
    edge_lines,
    gray_lines,
)
from imagemill.audits.scan_facts import ScanFacts, scan_facts
from imagemill.audits.scan_view import scan_view
from imagemill.core.errors import CodecError, DiskError, ImagemillError, InputError, MissingExtra
from imagemill.data.codecs.base import Picture, ReadOptions
from imagemill.data.records.loading import encoded, load_picture, pixels_suffix
from imagemill.data.records.record import Blob, Pixels, Record
from imagemill.verbs.scan import kind_of

__all__ = ["LOOKED", "SMALL", "Glance", "GlanceWork", "to_rgb8"]

Array = npt.NDArray[Any]

SMALL = 32
"""Side of the small picture, pixels; shape is squashed, so that a copy of another aspect is seen as one."""

_FILLED = 4
"""Rows of mid gray that are no chance."""

LOOKED = 256
"""Longer side that measures of quality are taken at: about what a network sees."""


@dataclass(frozen=True, slots=True, eq=False)
class Glance:
    """One image, seen once.

    Parameters
    ----------
    digest : str
        Of the encoded bytes, or of the array where there are none.
    file : FileFacts
        What the file says besides pixels.
    kind : str
        Such as ``"RGB uint8"``.
    shape : tuple of int
        Height and width, or slices, height and width, as the image is seen.
    small : array ``[32, 32, 3]`` uint8
    pixels : int
        A checksum (CRC-32) of the pixels at the scale that measures are taken at.
    brightness : tuple of float, 0 to 1
        Percentiles 1, 5, 50, 95 and 99 of the perceived brightness.
    contrast : float
        Standard deviation of the gray values, as a share of white.
    saturation : float, 0 to 1
        Mean of the largest less the smallest channel.
    warmth : float
        Mean of red less blue, as a share of white.
    sharpness : float
        Share of the contrast that lies between neighbouring pixels.
    detail : float
        How strong the sharpest hundredth of the pixels differ from their neighbours, as a share of the range of values.
    noise : float
        Standard deviation of the noise, as a share of white.
    entropy : float, bits
        Of the gray values.
    black, white : float, 0 to 1
        Shares of values, of all channels, at the ends of the range.
    gray_rows : float, 0 to 1
        Share of rows at the bottom that are one flat mid gray, as decoders fill what is missing.
    even : float, 0 to 1
        Share of pixels whose gray value is that of the next in the row.
    border : float, 0 to 1
        Share of the longer side that lies in borders of one colour.
    not_finite : int
        Values that are NaN or infinite.
    scan : ScanFacts or None
        Of volumes and DICOM files.
    label_map : LabelMapFacts or None
        Where the record has a label map.
    view : array ``[y, x, 3]`` uint8 or None
        Of a volume, what a page shows of it.
    foreground : array ``[32, 32]`` uint8 or None
        Share of each piece of the small picture that the label map says is no background, up to 255; None without a
        label map, and for volumes.
    """

    digest: str
    file: FileFacts
    kind: str
    shape: tuple[int, ...]
    small: Array
    pixels: int
    brightness: tuple[float, float, float, float, float]
    contrast: float
    saturation: float
    warmth: float
    sharpness: float
    detail: float
    noise: float
    entropy: float
    black: float
    white: float
    gray_rows: float
    even: float
    border: float
    not_finite: int
    scan: ScanFacts | None = None
    label_map: LabelMapFacts | None = None
    view: Array | None = None
    foreground: Array | None = None


@dataclass(frozen=True, slots=True)
class GlanceWork:
    """Looks at one record, or says why it could not.

    Parameters
    ----------
    options : ReadOptions
    """

    options: ReadOptions

    def __call__(self, record: Record) -> Iterator[Glance | str]:
        """The one row of a record."""
        try:
            yield _glance(record, self.options)
        except DiskError:  # no fault of this image: the next one would meet it as well
            raise
        except (CodecError, MissingExtra, InputError) as error:
            yield str(error)
        except ImagemillError as error:
            yield f"{type(error).__name__}: {error}"


def _glance(record: Record, options: ReadOptions) -> Glance:
    data = encoded(record.image)
    # Decoded from the bytes that were hashed: a file is read once.
    where: Pixels = record.image
    if data is not None:
        name = str(where) if isinstance(where, Path) else where.name
        where = Blob(name, pixels_suffix(record.image), lambda: data)
    picture = load_picture(where, replace(options, at_least=LOOKED))
    digest = _digest(picture.array) if data is None else hashlib.sha256(data).hexdigest()
    full = picture.meta.get("full_size", picture.spatial_shape)
    scan = scan_facts(picture)
    rgb, not_finite = to_rgb8(picture, None if scan is None else scan.clearest)
    label_map, labels = None, None
    if record.mask is not None:
        whole = load_picture(record.image, options) if "full_size" in picture.meta else picture
        label_map, labels = look_at_label_map(record, whole, options)
    return Glance(
        digest,
        file_facts(data, pixels_suffix(record.image), picture.meta),
        kind_of(picture),
        tuple(int(n) for n in full),
        **_measured(rgb),
        not_finite=not_finite if scan is None else scan.not_finite,
        scan=scan,
        label_map=label_map,
        view=scan_view(picture, labels, scan.clearest) if scan is not None and picture.axes.startswith("z") else None,
        foreground=None if labels is None or labels.ndim != 2 else _foreground(labels),
    )


def _foreground(labels: Array) -> Array:
    shown = (labels > 0).astype(np.uint8) * 255
    return np.asarray(cv2.resize(shown, (SMALL, SMALL), interpolation=cv2.INTER_AREA))


def _digest(array: Array) -> str:
    array = np.ascontiguousarray(array)
    return hashlib.sha256(f"{array.dtype.str}{array.shape}".encode() + array.tobytes()).hexdigest()


def to_rgb8(picture: Picture, number: int | None = None) -> tuple[Array, int]:
    """The image as a screen would show it, ``[y, x, 3]`` uint8, and how many of its values are not finite.

    A volume is shown by the slice of this number, or by its middle one. Values of other types than uint8 are spread
    from their smallest to their largest, of 16 bits from 0 to 65,535 where they use most of that; alpha is left out; of
    other numbers of channels the first three are taken.

    Examples
    --------
    >>> to_rgb8(Picture(np.array([[0.0, 1.0]]), "yx"))[0][..., 0].tolist()
    [[0, 255]]
    """
    array = picture.array
    if picture.axes.startswith("z"):
        array = array[array.shape[0] // 2 if number is None else number]
    if picture.channels is None:
        array = array[..., None]
    array = array[..., :3] if array.shape[-1] >= 3 else array[..., :1]
    lost = 0
    if array.dtype != np.uint8:
        values = array.astype(np.float32)
        finite = np.isfinite(values)
        lost = int(values.size - finite.sum())
        low, high = (float(f(values, initial=0.0, where=finite)) for f in (np.min, np.max))
        if array.dtype == np.uint16 and high > 0.5 * 65535:
            low, high = 0.0, 65535.0
        spread = high - low or 1.0
        array = np.where(finite, (values - low) * (255 / spread) + 0.5, 0).clip(0, 255).astype(np.uint8)
    return (np.repeat(array, 3, axis=-1) if array.shape[-1] == 1 else np.ascontiguousarray(array)), lost


def _measured(rgb: Array) -> dict[str, Any]:
    """Measures of an image at the scale that a network sees."""
    height, width = rgb.shape[:2]
    shrink = LOOKED / max(height, width)
    seen = rgb
    if shrink < 1:
        seen = made_smaller(rgb, (max(1, round(height * shrink)), max(1, round(width * shrink))))
    # Enlarging with INTER_AREA repeats pixels; what is smaller than the small picture is interpolated.
    fewer = cv2.INTER_AREA if min(seen.shape[:2]) >= SMALL else cv2.INTER_LINEAR
    small = cv2.resize(seen, (SMALL, SMALL), interpolation=fewer)
    gray = cv2.cvtColor(seen, cv2.COLOR_RGB2GRAY)
    return {
        "small": small,
        "pixels": zlib.crc32(np.ascontiguousarray(seen).data),
        **_of_colours(seen),
        **_of_grays(gray),
    }


def _of_colours(seen: Array) -> dict[str, Any]:
    bright, sums = np.zeros(STEPS, np.int64), np.zeros(6, np.int64)
    rows = np.empty((len(seen), 3), np.int64)
    reds, greens, blues = cv2.split(seen)
    count_colours(reds, greens, blues, bright, sums, rows)
    red, blue, highest, lowest = (sums[:4] / (seen.size // 3 * 255)).tolist()
    black, white = (sums[4:] / seen.size).tolist()
    return {
        "brightness": _percentiles(bright),
        "saturation": highest - lowest,
        "warmth": red - blue,
        "black": black,
        "white": white,
        "gray_rows": _gray_rows(rows, 3 * seen.shape[1]),
    }


def _of_grays(gray: Array) -> dict[str, Any]:
    height, width = gray.shape
    counts, laplacian = np.zeros(256, np.int64), np.zeros(2 * LAPLACIAN + 1, np.int64)
    second = np.zeros(SECOND + 1, np.int64)
    rows, columns = np.empty((height, 2), np.uint8), np.empty((2, width), np.uint8)
    even = count_grays(gray, counts, laplacian, second, rows, columns)
    deviation = _deviation(counts)
    return {
        "contrast": deviation / 255,
        "sharpness": _sharpness(laplacian, deviation),
        "detail": _detail(laplacian, counts),
        "noise": _noise(second),
        "entropy": _entropy(counts),
        "even": even / (height * (width - 1)) if width > 1 else 1.0,
        "border": max(edge_lines(lines, 4) / len(lines) for lines in (rows, columns.T)),
    }


def _deviation(counts: Array) -> float:
    """Standard deviation of what was counted, in whole numbers until the root is taken."""
    values = np.arange(len(counts))
    total, first, square = int(counts.sum()), int(counts @ values), int(counts @ (values * values))
    return math.sqrt(total * square - first * first) / total


def _percentiles(bright: Array) -> tuple[float, float, float, float, float]:
    """Percentiles of perceived brightness."""
    counts = np.cumsum(bright)
    places = np.searchsorted(counts, np.array([0.01, 0.05, 0.5, 0.95, 0.99]) * (counts[-1] - 1), side="right")
    a, b, c, d, e = (place / (STEPS - 1) for place in places.tolist())
    return a, b, c, d, e


def _sharpness(laplacian: Array, deviation: float) -> float:
    """Deviation of the Laplacian over what white noise of the image's contrast would give: 0 is smooth, 1 is noise.

    Source: Pech-Pacheco et al. (2000), "Diatom autofocusing in brightfield microscopy", ICPR, for the variance of the
    Laplacian; divided by the contrast, so that a dim image is no less sharp.
    """
    return 0.0 if deviation < 1e-6 else _deviation(laplacian) / (deviation * math.sqrt(20))


def _detail(laplacian: Array, counts: Array) -> float:
    """The 99th percentile of the absolute Laplacian over the range of gray values (percentiles 1 to 99).

    A photo whose subject is sharp before a soft background has a sharp hundredth; one out of focus has none.
    """
    size = counts.sum()
    low, high = np.searchsorted(np.cumsum(counts), (0.01 * size, 0.99 * size))
    found = laplacian[LAPLACIAN:].copy()
    found[1:] += laplacian[LAPLACIAN - 1 :: -1]
    # What is beyond a byte counts as white.
    sharpest = min(int(np.searchsorted(np.cumsum(found), 0.99 * size)), 255)
    return sharpest / max(float(high - low), 4.0)


def _noise(second: Array) -> float:
    """Standard deviation of the noise by its median absolute second difference, 0 to 1.

    Source: Immerkaer (1996), "Fast noise variance estimation", Computer Vision and Image Understanding 64, for the
    mask, which leaves edges out; the median in place of the mean leaves out textures as far as they are not everywhere.
    """
    counts = np.cumsum(second)
    size = int(counts[-1])
    low, high = np.searchsorted(counts, ((size - 1) // 2, size // 2), side="right")
    return float(low + high) / 2 / (0.6745 * 6 * 255)


def _entropy(counts: Array) -> float:
    shares = counts[counts > 0] / counts.sum()
    return float(-(shares * np.log2(shares)).sum())


def _gray_rows(rows: Array, values: int) -> float:
    """Share of rows at the bottom that are flat mid gray: what libjpeg fills a file with that was cut off."""
    found = int(gray_lines(rows, values, 128, 2, 3))
    # A floor or a frame can be as gray for a row or two.
    return found / len(rows) if found >= _FILLED else 0.0
