"""Ops that put samples together: several of one batch, or several versions of one.

===========  ==========================================================================================
``Blend``    samples of one group: weighted, side by side, or objects of one on another
``Fan``      several chains of ops on one image, and their weighted sum
===========  ==========================================================================================

The planner cuts a plan at a ``Blend``: everything in front of it is done for all samples of a group first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

import numpy as np

from imagemill.core import geometry as geo
from imagemill.core.errors import InputError
from imagemill.core.geometry import Floats, Frame, Ints
from imagemill.core.image_ops import Bools, Words

if TYPE_CHECKING:
    from imagemill.core.ops import Op

__all__ = ["BLENDS", "LABELS", "Blend", "Fan", "MixedLabels"]

BLENDS: dict[str, str] = {
    "mix": "every value is made of those of several samples",
    "regions": "parts of it are those of other samples",
    "objects": "objects of another sample are put on it",
}
"""The kinds of :class:`Blend`, and why each parts a plan."""

LABELS = ("soft", "pairs")


@dataclass(frozen=True, slots=True)
class MixedLabels:
    """How the labels of mixed samples come out.

    Parameters
    ----------
    form : {"soft", "pairs"}
        ``soft``: a share for each class, float32 ``[classes]``. ``pairs``: ``(label, label of the partner, share of the
        first)``.
    classes : int or tuple of str, optional
        How many classes there are, or their names in the order of their numbers. Not needed for labels that are shares
        of classes, or rows of 0 and 1, already.
    """

    form: str = "soft"
    classes: int | tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Blend:
    """Samples of one group put together, ``k`` parts for each: the sample itself and its partners.

    Parameters
    ----------
    kind : {"mix", "regions", "objects"}
        ``mix``: ``sum(weight * part)``. ``regions``: each part in its region, later ones over earlier ones, ``fill``
        where none is. ``objects``: the second part's objects on the first, each with the chance ``share``.
    rows : array of int, ``[n, k]``
        Rows of the batch, the sample's own first; its own again where a partner is missing.
    weight : array, ``[n, k]``
        The share of each part, in labels and, for ``mix``, in values; for ``objects`` it is taken from what is seen.
    shape : array of int, ``[n, d]``
        Of the result.
    labels : MixedLabels
    regions : array of int, ``[n, k, d, 2]``, optional
        First pixel and the one behind the last, along each axis of the result.
    offset : array of int, ``[n, k, d]``, optional
        Pixel ``p`` of the result shows pixel ``p + offset`` of the part.
    fill, mask_fill
        Where nothing is shown.
    share : array, ``[n]``, optional
    stream : array of uint32, ``[n, 2]``, optional
        Decides about objects by their number.
    steps : tuple of int
        What each part's place in the group is from the sample's own, by exclusive or: 0, then 1, or 1, 2, 3.
    instead : bool
        Takes the place of the blend right before it, where it is chosen: both read the same samples.
    where : bool array, ``[n]``, optional
    """

    kind: str
    rows: Ints
    weight: Floats
    shape: Ints
    labels: MixedLabels = MixedLabels()
    regions: Ints | None = None
    offset: Ints | None = None
    fill: float = 0.0
    mask_fill: int = 0
    share: Floats | None = None
    stream: Words | None = None
    steps: tuple[int, ...] = (0, 1)
    instead: bool = False
    where: Bools | None = None

    def __post_init__(self) -> None:
        if self.kind not in BLENDS:
            raise InputError(f"expected a blend of {sorted(BLENDS)}, got {self.kind!r}")
        n, k = self.rows.shape
        if self.weight.shape != (n, k) or len(self.steps) != k:
            raise InputError(f"expected weights {(n, k)} and {k} steps, got {self.weight.shape} and {self.steps}")
        needed = {"regions": ("regions", self.regions), "objects": ("a stream", self.stream)}.get(self.kind)
        if needed is not None and needed[1] is None:
            raise InputError(f"expected {needed[0]} for a blend of {self.kind!r}, got none")

    def chosen(self, where: Bools, frame: Frame) -> Self:
        """The sample as it is in the rows where ``where`` is False."""
        return replace(
            self,
            shape=np.where(where[:, None], self.shape, frame.shape),
            where=where if self.where is None else self.where & where,
        )

    def active(self, row: int) -> bool:
        """Whether it changes a sample: it is chosen, and has a partner where it would be itself otherwise."""
        if self.where is not None and not self.where[row]:
            return False
        return self.offset is not None or bool((self.rows[row] != row).any())

    def after(self, frame: Frame) -> Frame:
        """The frame behind this op: of the sample itself, moved to where it is shown."""
        if self.offset is None:
            return frame
        moved = geo.translation(self.offset[:, 0].astype(np.float64))
        if self.where is not None:
            moved = np.where(self.where[:, None, None], moved, geo.identity(*frame.shape.shape))
        return frame.moved(moved, self.shape)


@dataclass(frozen=True, slots=True, eq=False)
class Fan:
    """Several chains of ops on one image, and the weighted sum of what they make.

    Parameters
    ----------
    chains : sequence of (ops, frames)
        Ops with the names of their transforms, and the frames between them, as a plan is made of; none changes the
        frame's size or dtype.
    weight : array, ``[n, 1 + k]``
        The share of the image itself, and of what each chain makes of it.
    channels : int
        How many leading channels are summed (an alpha channel is left alone).
    where : bool array, ``[n]``, optional
    """

    chains: Sequence[tuple[Sequence[tuple[str, Op]], Sequence[Frame]]]
    weight: Floats
    channels: int
    where: Bools | None = None

    def chosen(self, where: Bools, frame: Frame) -> Self:
        """The image itself in the rows where ``where`` is False."""
        return replace(self, where=where if self.where is None else self.where & where)

    def after(self, frame: Frame) -> Frame:
        """The frame behind this op: the same."""
        return frame
