"""Reference images, and the short summaries of them that transforms keep: by content, so that a file replays anywhere.

A summary is text: a word for its kind, then arrays, compressed and written in letters.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import importlib
import json
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from imagemill.core.errors import InputError, ParameterError
from imagemill.core.geometry import Floats, Frame, peak_of
from imagemill.core.randomness.rng import Draws
from imagemill.core.ranges import Read
from imagemill.core.targets import Image
from imagemill.transforms.base import option
from imagemill.transforms.colour._channels import colours

__all__ = [
    "References",
    "Summary",
    "arrays_of",
    "drawn_summaries",
    "in_shares_of_white",
    "per_colour",
    "references_option",
]

Array = npt.NDArray[Any]
Arrays = Mapping[str, Array]
References: TypeAlias = "Read[Any, tuple[Summary, ...]]"
"""Images, files, a folder of them, or summaries; kept as summaries."""

OWN_UNITS = 0.0
"""What stands for the white of floating-point references with values beyond 0 to 1."""
_HOLDS = {"histogram": ("levels", "counts"), "moments": ("plain",), "spectrum": ("amplitudes",)}
"""The arrays of each kind of summary."""
MOST = 256
"""Images that one transform keeps summaries of."""
_LARGEST = 1 << 22
"""Bytes of a summary's arrays: more than any has, so that a file cannot fill the memory."""


class Summary(str):
    """The text of a summary, which shows itself in a few words."""

    __slots__ = ()

    def __repr__(self) -> str:
        kind = self.partition(":")[0]
        return f"<{kind} {hashlib.blake2b(self.encode(), digest_size=4).hexdigest()}>"


def references_option(kind: str, summarise: Callable[[Floats], Arrays]) -> Any:
    """The ``references`` setting.

    Parameters
    ----------
    kind : str
        The word that summaries begin with.
    summarise : callable
        From an image ``(*shape, C)`` in shares of white to named arrays.
    """

    def check(name: str, value: Any) -> tuple[Summary, ...]:
        single = isinstance(value, str | Path) or not isinstance(value, Iterable) or hasattr(value, "shape")
        found: list[Summary] = []
        for one in [value] if single else value:
            found += _summaries(name, one, kind, summarise)
        if not 1 <= len(found) <= MOST:
            raise ParameterError(f"expected 1 to {MOST} images for {name}, got {len(found)}; give some of them")
        return tuple(found)

    return option(check=check)


def _summaries(name: str, value: Any, kind: str, summarise: Callable[[Floats], Arrays]) -> Iterator[Summary]:
    """Those of one image, one file, or a folder; a summary as it is."""
    if isinstance(value, str) and value.startswith(f"{kind}:"):
        summary = Summary(value)
        arrays_of(summary, name)
        yield summary
        return
    for picture in _opened(name, value) if isinstance(value, str | Path) else [value]:
        try:
            image = Image(picture)
            white = peak_of(image.array.dtype)
            values = image.canonical().astype(np.float64) / white
        except InputError as error:
            raise ParameterError(f"expected images, files, a folder or summaries for {name}: {error}") from None
        if not np.isfinite(values).all():
            raise ParameterError(f"expected images of finite values for {name}, got one with others; mend it first")
        scale = OWN_UNITS if white == 1 and not 0 <= values.min() <= values.max() <= 1 else white
        yield Summary(f"{kind}:{_packed({**summarise(values), 'white': np.array([scale])})}")


def _opened(name: str, where: str | Path) -> list[Any]:
    """The images of a file or a folder."""
    path = Path(where)
    try:
        there = path.exists()
    except (OSError, ValueError):  # no name that a file could have, such as the summary of another transform
        there = False
    if not there:
        raise ParameterError(
            f"expected a file or a folder of reference images for {name}, got {str(where)[:60]!r}, which is not there; "
            "a summary is good for the transform that made it"
        )
    # What reads files lies above the transforms: it is asked for by name, and only where a path was given.
    data = importlib.import_module("imagemill.data")
    if path.is_file():
        return [data.read_picture(path)]
    loading = importlib.import_module("imagemill.data.records.loading")
    records = list(data.open_source(path).records)
    if not records or len(records) > MOST:
        raise ParameterError(f"expected a folder of 1 to {MOST} images for {name}, got {len(records)} in {path}")
    return [loading.load_picture(record.image) for record in records]


def _packed(arrays: Arrays) -> str:
    head = json.dumps({key: [array.dtype.str, *array.shape] for key, array in arrays.items()}, separators=(",", ":"))
    body = b"".join(np.ascontiguousarray(array).tobytes() for array in arrays.values())
    # Deterministic: a file of the same references is the same file.
    return base64.b85encode(zlib.compress(head.encode() + b"\0" + body, 9)).decode()


@lru_cache(64)
def arrays_of(summary: Summary, name: str = "a summary") -> Arrays:
    """The arrays of a summary.

    Raises
    ------
    ParameterError
        For text that is none.
    """
    try:
        tool = zlib.decompressobj()
        kind, _, text = summary.partition(":")
        data = tool.decompress(base64.b85decode(text), _LARGEST)
        head, _, body = data.partition(b"\0")
        found, at = {}, 0
        for key, (dtype, *shape) in json.loads(head).items():
            form = np.dtype(dtype)
            if form.kind not in "fiu":
                raise ValueError(form)
            size = int(np.prod(shape)) * form.itemsize
            found[key] = np.frombuffer(body[at : at + size], form).reshape(shape)
            at += size
        if not tool.eof or at != len(body) or not {"white", *_HOLDS[kind]} <= set(found):
            raise ValueError(at)
    except (ValueError, TypeError, AttributeError, zlib.error, binascii.Error):
        raise ParameterError(
            f"expected {name} as images or the summary that a pipeline file holds, got text of {len(summary)} letters "
            "that was cut or changed; write the file again from the reference images"
        ) from None
    return found


def in_shares_of_white(references: tuple[Summary, ...]) -> bool:
    """Whether any of them is told from black to white, and not in units of its own as scans are."""
    return any(arrays_of(one)["white"][0] != OWN_UNITS for one in references)


def drawn_summaries(references: tuple[Summary, ...], draws: Draws, frame: Frame, owner: str) -> list[Arrays]:
    """One for each sample, each as often; which one is shown in the recipe.

    Raises
    ------
    InputError
        For references in units of their own beside images of whole numbers, which have a white.
    """
    if frame.peak != 1 and any(arrays_of(one)["white"][0] == OWN_UNITS for one in references):
        raise InputError(
            f"expected reference images of {frame.dtype} for {owner}, or floating-point ones of 0 to 1, got others; "
            "give references of the type that the images have"
        )
    which = np.floor(draws.uniform() * len(references)).astype(np.int64)
    draws.note("reference", which)
    return [arrays_of(references[i]) for i in which.tolist()]


def per_colour(array: Array, frame: Frame, owner: str) -> Floats:
    """Rows of a summary, ``(C, ...)``, one for each colour channel of the images; one row serves all.

    Raises
    ------
    InputError
        When the references have another number of channels.
    """
    count, alpha = colours(frame), len(array) in (2, 4)
    rows = array[:-1] if alpha and len(array) == count + 1 else array
    if len(rows) not in (1, count):
        raise InputError(
            f"expected reference images of {count} colour channels for {owner}, got {len(rows)}; "
            "give them as the images are: im.Image(array).with_channels('rgb') or 'gray'"
        )
    return np.repeat(rows, count, axis=0).astype(np.float64) if len(rows) == 1 else rows.astype(np.float64)
