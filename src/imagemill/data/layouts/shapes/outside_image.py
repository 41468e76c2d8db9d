"""Which annotations lie in their picture at all."""

from __future__ import annotations

from collections.abc import Sequence

from imagemill.core.errors import CodecError
from imagemill.data.layouts.shapes.stored_size import seen_of
from imagemill.data.records.instances import Instance
from imagemill.data.records.record import Pixels

__all__ = ["within"]


def within(
    annotations: Sequence[Instance], size: tuple[int, int] | None, where: Pixels
) -> tuple[tuple[Instance, ...], list[Instance]]:
    """The annotations of which something is in the picture, and those that lie wholly outside of it.

    A box outside of the size that is stated may be inside of the picture as it is, upright or stored; so the picture's
    header is read, but only where something lies outside of what is stated.

    Parameters
    ----------
    annotations : sequence of Instance
    size : tuple of int or None
        Height and width as they are stated.
    where : Path, Blob or Stored
        The picture.

    Examples
    --------
    >>> import numpy as np
    >>> from imagemill.data.records.record import Stored
    >>> picture = Stored("made up", lambda: np.zeros((4, 6), np.uint8), "yx")
    >>> annotations = [Instance("cat", (1.0, 1.0, 2.0, 2.0)), Instance("dog", (9.0, 1.0, 2.0, 2.0))]
    >>> kept, outside = within(annotations, None, picture)
    >>> [annotation.category for annotation in kept], [annotation.category for annotation in outside]
    (['cat'], ['dog'])
    """
    far = [annotation for annotation in annotations if not _touches(annotation, size)]
    if not far:
        return tuple(annotations), []
    try:
        longest = max(seen_of(where).stored)
    except CodecError:
        return tuple(annotations), []
    outside = [annotation for annotation in far if not _touches(annotation, (longest, longest))]
    return tuple(annotation for annotation in annotations if not any(annotation is other for other in outside)), outside


def _touches(annotation: Instance, size: tuple[int, int] | None) -> bool:
    if annotation.box is None:
        return True
    x, y, w, h = annotation.box
    return size is not None and x < size[1] and y < size[0] and x + w > 0 and y + h > 0
