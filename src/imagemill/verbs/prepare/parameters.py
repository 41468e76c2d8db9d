"""The arguments of `prepare` that decide what is in the store, checked."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any, Literal, get_args

import numpy as np

from imagemill.core.errors import InputError
from imagemill.data.codecs.base import Channels, ReadOptions
from imagemill.verbs.prepare.common_frame import check_fit
from imagemill.verbs.prepare.statistics import check_standardize

__all__ = ["Parameters"]


@dataclass(frozen=True, slots=True)
class Parameters:
    """The arguments of `prepare` that decide what is in the store; see there."""

    size: int | tuple[int, ...] | None
    fit: str
    channels: Channels
    axes: str | None
    dtype: str | None
    normalize: str
    standardize: str
    split: Any
    val: float | None
    stratify: bool
    group: str | None
    labels: str | None
    unlabeled: str
    shuffle: bool
    seed: int
    exif: bool = True
    icc: Literal["ignore", "srgb"] = "ignore"
    background: tuple[float, ...] | None = None
    file_rows: int | None = None

    def __post_init__(self) -> None:
        lengths = () if self.size is None else (self.size,) if isinstance(self.size, int) else tuple(self.size)
        if any(isinstance(n, bool) or not isinstance(n, int | np.integer) or n < 1 for n in lengths) or (
            self.size is not None and len(lengths) not in (1, 2, 3)
        ):
            do = "write 224, or (224, 320) for height and width"
            raise InputError(f"expected size as 1 to 3 whole numbers of at least 1, got {self.size!r}; {do}")
        if lengths:
            object.__setattr__(self, "size", lengths[0] if isinstance(self.size, int) else tuple(map(int, lengths)))
        check_fit(self.fit)
        check_standardize(self.standardize)
        if self.channels not in get_args(Channels):
            known = ", ".join(get_args(Channels))
            raise InputError(f"expected channels to be one of {known}, got {self.channels!r}; choose one")
        if self.icc not in ("ignore", "srgb"):
            raise InputError(f"expected icc to be one of ignore, srgb, got {self.icc!r}; choose one")
        if not isinstance(self.exif, bool):
            raise InputError(f"expected exif to be True or False, got {self.exif!r}; choose one")
        if self.background is not None:
            object.__setattr__(self, "background", _colour(self.background, self.channels))
        if isinstance(self.seed, bool) or not isinstance(self.seed, int) or self.seed < 0:
            raise InputError(f"expected a seed of at least 0, got {self.seed!r}; write 7")
        rows = self.file_rows
        if rows is not None and (isinstance(rows, bool) or not isinstance(rows, int) or rows < 1):
            raise InputError(f"expected file_rows as a whole number of at least 1, got {rows!r}; write 1000")

    def plain(self) -> dict[str, Any]:
        """As JSON holds it."""
        found: dict[str, Any] = json.loads(json.dumps(dataclasses.asdict(self)))
        if self.file_rows is None:  # stores from before it was asked are the same
            del found["file_rows"]
        return found

    @property
    def read(self) -> ReadOptions:
        """How pictures are read."""
        return ReadOptions(self.channels, self.axes, background=self.background, exif=self.exif, icc=self.icc)


def _colour(background: Any, channels: str) -> tuple[float, ...]:
    """What lies under transparent pixels, as one or three finite numbers."""
    values = tuple(background) if isinstance(background, Sequence) else (background,)
    numbers = all(isinstance(v, Real) and math.isfinite(v) for v in values)
    if not numbers or len(values) not in (1, 3) or channels not in ("gray", "rgb"):
        raise InputError(
            f"expected a background of 1 or 3 numbers and channels='gray' or 'rgb', got {background!r} and "
            f"channels={channels!r}; write background=(255, 255, 255), channels='rgb'"
        )
    return tuple(map(float, values))
