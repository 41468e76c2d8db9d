"""Which objects of a partner are put on a sample, and the pixels that they take."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from imagemill.core.annotated.annotation_rows import known_rows
from imagemill.core.errors import InputError
from imagemill.core.ops import Blend
from imagemill.core.randomness import pixel_numbers as numbers
from imagemill.core.targets import Boxes, Instances, Mask
from imagemill.engine.execute_columns import Column

__all__ = ["Pasted", "pasted"]

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True, eq=False)
class Pasted:
    """What is put on one sample.

    Parameters
    ----------
    where : bool array ``(*shape)``
        Pixels that show the partner.
    taken : set of int or None
        Numbers of the partner's annotations that came along; None where objects are labels of a map.
    """

    where: npt.NDArray[np.bool_]
    taken: frozenset[int] | None

    def keeps(self, index: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
        """Which annotations with these numbers came along."""
        return np.array([self.taken is not None and i in self.taken for i in index.tolist()], bool)


def pasted(op: Blend, row: int, columns: Mapping[str, Column], shape: tuple[int, ...]) -> Pasted:
    """The objects of a sample's partner that are drawn for it.

    Instance masks are objects each; else boxes are, cut out by what a label map says is no background; else each label
    of a map; else boxes as they are.

    Raises
    ------
    InputError
        When the batch has neither.
    """
    partner = int(op.rows[row, 1])
    kinds: dict[str, Any] = {column.kind: column.values[partner] for column in reversed([*columns.values()])}
    if Instances.kind in kinds:
        things: Instances = kinds[Instances.kind]
        index = known_rows(things)
        taken = _drawn(op, row, int(max(index, default=-1)) + 1)[index]
        where = things.masks[taken].any(axis=0) if len(things) else np.zeros(shape, bool)
        return Pasted(np.asarray(where, bool), frozenset(index[taken].tolist()))
    seen = (kinds[Mask.kind] != 0).any(axis=-1) if Mask.kind in kinds else None
    if Boxes.kind in kinds:
        return _boxes(op, row, kinds[Boxes.kind], shape, seen)
    if seen is None:
        raise InputError(
            "expected instance masks, a label map or boxes to tell what objects are, got none; pass instances=..., "
            "mask=... or boxes=... with the image"
        )
    labels = kinds[Mask.kind]
    there = np.unique(labels[labels != 0])
    chosen = there[_drawn(op, row, len(there))]
    return Pasted(np.asarray(np.isin(labels, chosen).any(axis=-1), bool), None)


def _drawn(op: Blend, row: int, count: int) -> npt.NDArray[np.bool_]:
    """Which of so many objects are chosen, by their number and the sample's stream alone."""
    assert op.stream is not None
    assert op.share is not None
    return np.asarray(numbers.uniform(op.stream[row], numbers.EACH_VALUE, count) < op.share[row])


def _boxes(op: Blend, row: int, boxes: Boxes, shape: tuple[int, ...], seen: Array | None) -> Pasted:
    index = known_rows(boxes)
    chosen = _drawn(op, row, int(max(index, default=-1)) + 1)
    d, where = len(shape), np.zeros(shape, bool)
    for number, edges in zip(index.tolist(), boxes.edges(shape), strict=True):
        if chosen[number]:
            # Pixels whose centres lie in the box.
            first, last = np.ceil(edges[:d]).astype(int), np.ceil(edges[d:]).astype(int)
            where[tuple(slice(max(a, 0), max(b, 0)) for a, b in zip(first, last, strict=True))] = True
    taken = frozenset(number for number in index.tolist() if chosen[number])
    return Pasted(where if seen is None else where & seen, taken)
