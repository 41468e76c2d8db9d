"""What is kept of one image after a single look: small numbers, and a picture of 32x32."""

from __future__ import annotations

import hashlib
import math
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from imagemill.audits.area_resize import made_smaller
from imagemill.audits.file_facts import FileFacts, file_facts
from imagemill.audits.label_map_facts import LabelMapFacts, look_at_label_map
from imagemill.audits.look_kernels import STEPS, read_colours, read_grays
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
    _reduced: ReadOptions = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_reduced", replace(self.options, at_least=LOOKED))

    def __call__(self, record: Record) -> Iterator[Glance | str]:
        """The one row of a record."""
        try:
            yield _glance(record, self.options, self._reduced)
        except DiskError:  # no fault of this image: the next one would meet it as well
            raise
        except (CodecError, MissingExtra, InputError) as error:
            yield str(error)
        except ImagemillError as error:
            yield f"{type(error).__name__}: {error}"


def _glance(record: Record, options: ReadOptions, reduced: ReadOptions) -> Glance:
    data = encoded(record.image)
    # Decoded from the bytes that were hashed: a file is read once.
    where: Pixels = record.image
    if data is not None:
        name = str(where) if isinstance(where, Path) else where.name
        where = Blob(name, pixels_suffix(record.image), lambda: data)
    picture = load_picture(where, reduced)
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


_SHARES = np.array([0.01, 0.05, 0.5, 0.95, 0.99])
"""Of the pixels, whose brightness is told."""


def _of_colours(seen: Array) -> dict[str, Any]:
    """What `read_colours` counted, as shares of white or of the values."""
    places, sums = np.empty(len(_SHARES), np.int64), np.zeros(6, np.int64)
    gray_rows = int(read_colours(np.ascontiguousarray(seen), _SHARES, places, sums))
    one, five, half, ninety_five, ninety_nine = (place / (STEPS - 1) for place in places.tolist())
    *means, black, white = sums.tolist()
    red, blue, highest, lowest = (total / (seen.size // 3 * 255) for total in means)
    return {
        "brightness": (one, five, half, ninety_five, ninety_nine),
        "saturation": highest - lowest,
        "warmth": red - blue,
        "black": black / seen.size,
        "white": white / seen.size,
        # A floor or a frame can be as gray for a row or two; libjpeg fills more of a file that was cut off.
        "gray_rows": gray_rows / len(seen) if gray_rows >= _FILLED else 0.0,
    }


def _of_grays(gray: Array) -> dict[str, Any]:
    """Measures of gray values by what `read_grays` counted.

    ``sharpness`` is the deviation of the Laplacian over what white noise of the image's contrast would give: 0 is
    smooth, 1 is noise. Source: Pech-Pacheco et al. (2000), "Diatom autofocusing in brightfield microscopy", ICPR, for
    the variance of the Laplacian; divided by the contrast, so that a dim image is no less sharp.

    ``detail`` is the 99th percentile of the absolute Laplacian over the range of gray values (percentiles 1 to 99): a
    photo whose subject is sharp before a soft background has a sharp hundredth; one out of focus has none.

    ``noise`` is its standard deviation by the median absolute second difference. Source: Immerkaer (1996), "Fast noise
    variance estimation", Computer Vision and Image Understanding 64, for the mask, which leaves edges out; the median
    in place of the mean leaves out textures as far as they are not everywhere.
    """
    height, width = gray.shape
    found = np.empty(13, np.int64)
    entropy = float(read_grays(gray, found))
    even, size, total, square, of_laplacian, of_squares, low, high, sharpest, under, over, rows, columns = (
        found.tolist()
    )
    deviation, apart = _deviation(size, total, square), _deviation(size, of_laplacian, of_squares)
    return {
        "contrast": deviation / 255,
        "sharpness": apart / (deviation * math.sqrt(20)) if deviation >= 1e-6 else 0.0,
        # What is beyond a byte counts as white.
        "detail": min(sharpest, 255) / max(float(high - low), 4.0),
        "noise": (under + over) / 2 / (0.6745 * 6 * 255),
        "entropy": entropy,
        "even": even / (height * (width - 1)) if width > 1 else 1.0,
        "border": max(rows / height, columns / width),
    }


def _deviation(size: int, total: int, square: int) -> float:
    """Standard deviation of numbers by their sum and that of their squares: whole numbers until the root is taken."""
    return math.sqrt(size * square - total * total) / size
