"""Which annotations lie in their picture at all."""

from __future__ import annotations

from collections.abc import Sequence

from imagemill.core.errors import CodecError
from imagemill.data.layouts.shapes.stored_size import seen_of
from imagemill.data.records.instances import Instance
from imagemill.data.records.record import Pixels

__all__ = ["within"]


def within(
    things: Sequence[Instance], size: tuple[int, int] | None, where: Pixels
) -> tuple[tuple[Instance, ...], list[Instance]]:
    """The things of which something is in the picture, and those that lie wholly outside of it.

    A box outside of the size that is stated may be inside of the picture as it is, upright or stored; so the picture's
    header is read, but only where something lies outside of what is stated.

    Parameters
    ----------
    things : sequence of Instance
    size : tuple of int or None
        Height and width as they are stated.
    where : Path, Blob or Stored
        The picture.

    Examples
    --------
    >>> import numpy as np
    >>> from imagemill.data.records.record import Stored
    >>> picture = Stored("made up", lambda: np.zeros((4, 6), np.uint8), "yx")
    >>> things = [Instance("cat", (1.0, 1.0, 2.0, 2.0)), Instance("dog", (9.0, 1.0, 2.0, 2.0))]
    >>> kept, outside = within(things, None, picture)
    >>> [thing.category for thing in kept], [thing.category for thing in outside]
    (['cat'], ['dog'])
    """
    far = [thing for thing in things if not _touches(thing, size)]
    if not far:
        return tuple(things), []
    try:
        longest = max(seen_of(where).stored)
    except CodecError:
        return tuple(things), []
    outside = [thing for thing in far if not _touches(thing, (longest, longest))]
    return tuple(thing for thing in things if not any(thing is other for other in outside)), outside


def _touches(thing: Instance, size: tuple[int, int] | None) -> bool:
    if thing.box is None:
        return True
    x, y, w, h = thing.box
    return size is not None and x < size[1] and y < size[0] and x + w > 0 and y + h > 0
