"""One kind of target of all samples of a batch, as it goes through a plan."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from imagemill.core.targets import Target
from imagemill.engine.backends.protocol import Array, Rasters
from imagemill.engine.plan import Plan

__all__ = ["Column"]


@dataclass(frozen=True, slots=True, eq=False)
class Column:
    """One kind of target of all samples of a batch.

    Parameters
    ----------
    kind : str
    axes : str
        Of rasters, as they came and as they are to come out; empty for others.
    values : sequence of target, or of arrays ``(*shape, C)``, or one array ``[n, *shape, C]``
    fetch : callable, optional
        Gives the array of a row right before it is run, in memory that nobody else writes to. Then only the channels
        and the dtype of ``values`` are read.
    plan : Plan, optional
        Its own, where that of the batch is not for it: another image's colours, or a map of numbers.
    together : int
        Values that are the frames of one video, one behind the other: statistics of images are those of all of them.
    """

    kind: str
    axes: str
    values: Rasters | Sequence[Target]
    fetch: Callable[[int], Array] | None = None
    plan: Plan | None = None
    together: int = 1
