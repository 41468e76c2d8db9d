"""Which samples of a batch may be mixed with each other: those whose places in the epoch differ in their last bits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from imagemill.core.errors import InputError
from imagemill.core.geometry import Ints
from imagemill.transforms.base import Transform, everyone

__all__ = ["group_of", "grouped", "groups", "mixing", "partner_keys", "read_partners", "refuse_alone"]

Key = str | int


def group_of(transforms: Iterable[Transform]) -> int:
    """How many samples some transforms put together: 1 for none, 2, or 4."""
    return max((one.traits().group for one in everyone(transforms)), default=1)


def mixing(transforms: Iterable[Transform]) -> str:
    """The names of the transforms that put samples together."""
    return " and ".join(dict.fromkeys(type(one).__name__ for one in everyone(transforms) if one.traits().group > 1))


def groups(places: Sequence[int], size: int) -> Ints:
    """For each of some samples the rows of its group, ``[n, size]``: its own, then those at its place xor 1, 2, ...

    Parameters
    ----------
    places : sequence of int
        Of the samples in the epoch.
    size : int
        A power of two.

    Examples
    --------
    >>> groups(range(5), 2).tolist()
    [[0, 1], [1, 0], [2, 3], [3, 2], [4, 4]]
    >>> groups([4, 6, 5], 4).tolist()
    [[0, 2, 1, 0], [1, 1, 0, 2], [2, 0, 2, 1]]
    """
    row_of = {int(place): row for row, place in enumerate(places)}
    steps = range(size)
    found = [[row_of.get(int(place) ^ step, row) for step in steps] for row, place in enumerate(places)]
    return np.array(found, np.int64).reshape(len(places), size)


def grouped(transforms: Sequence[Transform], n: int, places: Sequence[int] | None) -> Ints | None:
    """Which samples of a batch may be mixed, by their places in the epoch or else in the batch; None where nothing is.

    Raises
    ------
    InputError
    """
    size = group_of(transforms)
    if size == 1:
        return None
    if places is None:
        if n == 1:
            refuse_alone(transforms)
        places = range(n)
    if len(places) != n or len(set(map(int, places))) != n:
        raise InputError(f"expected {n} places that differ, one per sample, got {len(places)}")
    return groups(places, size)


def partner_keys(grouped: Ints, keys: Sequence[Key]) -> list[tuple[Key | None, ...]]:
    """For each sample the keys of the others of its group, None for those that are missing."""
    return [
        tuple(None if other == row else keys[other] for other in rows[1:]) for row, rows in enumerate(grouped.tolist())
    ]


def refuse_alone(transforms: Sequence[Transform]) -> None:
    """Refuse a sample without others, where some are to be mixed.

    Raises
    ------
    InputError
    """
    size = group_of(transforms)
    if size > 1:
        several = "a partner" if size == 2 else f"{size - 1} partners"
        one = "partner={'image': other, 'label': 1}" if size == 2 else "partner=[{'image': one}, ...]"
        raise InputError(
            f"expected {several} for {mixing(transforms)}, got a sample alone; call pipe.batch(images, label=labels), "
            f"which pairs its rows, take a Loader or augmented(...) with batches, or say {one}"
        )


def read_partners(
    given: Any, transforms: Sequence[Transform], names: Iterable[str], key: Key
) -> list[tuple[Key, Mapping[str, Any]] | None]:
    """The partners that a caller gave for one sample, with their keys; None for those that are missing.

    Parameters
    ----------
    given : mapping of targets, or a list of them
        With a ``key`` each, if they are known by one. Where the sample is an image alone, images.
    transforms : sequence of Transform
    names : iterable of str
        Of the sample's targets.
    key : str or int
        Of the sample, of which keys are made where partners have none.

    Raises
    ------
    InputError
        When there are too few, too many, or they have other targets.
    """
    size, wanted = group_of(transforms), list(names)
    if size == 1:
        raise InputError("expected no partner for a pipeline that mixes nothing, got one; leave partner out")
    listed = list(given) if isinstance(given, list | tuple) else [given]
    if len(listed) != size - 1:
        raise InputError(
            f"expected {size - 1} partners for {mixing(transforms)}, got {len(listed)}; None stands for none"
        )
    found: list[tuple[Key, Mapping[str, Any]] | None] = []
    for number, one in enumerate(listed, 1):
        if one is None:
            found.append(None)
            continue
        targets = dict(one) if isinstance(one, Mapping) else {"image": one}
        said = targets.pop("key", f"{key} partner {number}")
        if sorted(targets) != sorted(wanted):
            raise InputError(
                f"expected a partner with {', '.join(wanted)}, as the sample has, got {', '.join(targets)}"
            )
        found.append((said, targets))
    return found
