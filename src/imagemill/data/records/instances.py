"""One annotation of an image: its box, polygons, mask or keypoints, in one form for every layout."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from imagemill.core.errors import InputError
from imagemill.core.short_repr import ShortRepr

__all__ = ["RLE", "Instance", "Keypoint", "Scalar"]

Scalar = str | int | float | bool
"""What a cell of a table holds."""

Keypoint = tuple[float, float, int]
"""x and y of a keypoint as indices (pixel centres at whole numbers), and 0 not labelled, 1 hidden, 2 visible."""


@dataclass(frozen=True, slots=True, repr=False)
class RLE(ShortRepr):
    """A mask as a run-length encoding (RLE).

    Parameters
    ----------
    height, width : int
        Of the picture, in pixels.
    counts : tuple of int
        Run lengths, background first, down the columns from left to right; their sum is height times width.

    Notes
    -----
    This is the uncompressed form of COCO (Lin et al. 2014, "Microsoft COCO: Common Objects in Context").

    Examples
    --------
    >>> RLE(2, 2, (1, 2, 1)).counts
    (1, 2, 1)
    """

    height: int
    width: int
    counts: tuple[int, ...]

    def __post_init__(self) -> None:
        """Check that the runs fill the picture."""
        if min(self.counts, default=0) < 0 or sum(self.counts) != self.height * self.width:
            msg = f"expected runs that fill {self.height} x {self.width} pixels, got a sum of {sum(self.counts)}"
            raise InputError(f"{msg}; mend that annotation")


@dataclass(frozen=True, slots=True, repr=False)
class Instance(ShortRepr):
    """One annotation.

    Parameters
    ----------
    category : str
        Name of its class.
    box : tuple of float or None
        Left edge, top edge, width and height in pixels, counted from the picture's outer corner (0 is the left
        edge of the first pixel), as COCO counts them.
    polygons : tuple of tuple of float
        Polygons ``(x1, y1, x2, y2, ...)`` in pixels from the outer corner; several where the annotation is in parts.
    rle : RLE or None
        Its mask, where it is one.
    keypoints : tuple of Keypoint
        Keypoints in the order of the source's `keypoint_names`.
    crowd : bool
        Whether it stands for a crowd that was not taken apart.
    attributes : mapping
        Whatever else the layout says of it (``difficult``, ``truncated``, ``area``...).

    Examples
    --------
    >>> Instance("cat", (10.0, 20.0, 30.0, 40.0)).category
    'cat'
    """

    category: str
    box: tuple[float, float, float, float] | None = None
    polygons: tuple[tuple[float, ...], ...] = ()
    rle: RLE | None = None
    keypoints: tuple[Keypoint, ...] = ()
    crowd: bool = False
    attributes: Mapping[str, Scalar] = field(default_factory=dict)
