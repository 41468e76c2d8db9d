"""A batch shared out among threads."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

__all__ = ["WORTH", "for_parts"]

WORTH = 1 << 19
"""Values that keep a thread busy for some tenths of a millisecond: what starting one and waiting for it costs."""


def for_parts(n: int, values: int, workers: int, work: Callable[[slice], None]) -> None:
    """Do ``work(slice)`` for shares of ``n`` pictures of some ``values``, in threads where that is worth it.

    Examples
    --------
    >>> parts = []
    >>> for_parts(512, 32 * 32 * 3, 2, parts.append)
    >>> sorted(parts, key=lambda part: part.start)
    [slice(0, 256, None), slice(256, 512, None)]
    >>> for_parts(128, 32 * 32 * 3, 2, print)
    slice(0, 128, None)
    """
    parts = max(1, min(workers, n, n * values // WORTH))
    if parts == 1:
        work(slice(0, n))
        return
    edges = [n * k // parts for k in range(parts + 1)]
    with ThreadPoolExecutor(parts) as pool:
        list(pool.map(work, (slice(a, b) for a, b in itertools.pairwise(edges))))
