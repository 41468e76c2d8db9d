"""Dividing records into training, validation and test parts: pure functions over keys, labels and groups.

Nothing is drawn in order: every record (or group) gets a number from its key and the seed, so that the result
depends neither on the order of the records nor on the machine.
"""

from __future__ import annotations

import hashlib
import re
from array import array
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from imagemill.core.errors import InputError

__all__ = ["PARTS", "Shares", "assign", "ordered_by_hash", "read_shares"]

PARTS = ("train", "val", "test")
_DEFAULT_VAL = 0.1
Labels = Sequence[str | tuple[str, ...] | None]


@dataclass(frozen=True, slots=True)
class Shares:
    """How large each part is to be: fractions of the whole that sum to 1, or exact counts.

    Parameters
    ----------
    train, val, test : float
        Fractions from 0 to 1, or counts where `exact` is set.
    exact : bool
        Whether the numbers are counts of records.
    """

    train: float
    val: float
    test: float
    exact: bool = False

    def counts(self, total: int) -> tuple[int, int, int]:
        """Whole numbers of records per part, in the order of `PARTS`.

        Raises
        ------
        InputError
            When exact counts do not sum to `total`.
        """
        asked = (self.train, self.val, self.test)
        if self.exact:
            if sum(asked) != total:
                raise InputError(
                    f"expected counts that sum to {total} records, got {asked}; mend them or use fractions"
                )
            return int(asked[0]), int(asked[1]), int(asked[2])
        first, second, third = largest_remainder([share * total for share in asked], total)
        return first, second, third


def read_shares(asked: Any, val: float | None, total: int) -> Shares:
    """Say how large the parts of `total` records are to be.

    Parameters
    ----------
    asked : "auto", number, or pair or triple of numbers
        ``"auto"``: a test part of 20 % below 1,000 records, 10 % below 10,000, 5 % above. A number: the test
        part as a fraction below 1, or as a count. A pair is train and test, a triple train, val and test.
    val : float or None
        The validation part as a share of the training part, 0 to below 1; 0.1 when left out. Not used with a triple.
    total : int

    Returns
    -------
    Shares

    Raises
    ------
    InputError
        For numbers that are negative, do not sum up, or leave no training part.

    Examples
    --------
    >>> read_shares("auto", 0.1, 500)
    Shares(train=0.72, val=0.08, test=0.2, exact=False)
    >>> read_shares((0.7, 0.1, 0.2), None, 500).counts(500)
    (350, 50, 100)
    """
    share = _DEFAULT_VAL if val is None else val
    if isinstance(share, bool) or not isinstance(share, int | float) or not 0 <= share < 1:
        raise InputError(f"expected val as a share of the training part from 0 to below 1, got {val!r}; write 0.1")
    if isinstance(asked, str):
        if asked != "auto":
            found = re.fullmatch(r"\s*([\d.]+)\s*[,/: ]\s*([\d.]+)(?:\s*[,/: ]\s*([\d.]+))?\s*", asked)
            do = f"write ({', '.join(n for n in found.groups() if n)})" if found else "write auto, 0.2 or 0.7,0.1,0.2"
            raise InputError(f"expected a split of auto, keep or numbers, got {asked!r}; {do}")
        asked = 0.2 if total < 1_000 else 0.1 if total < 10_000 else 0.05
    numbers = tuple(asked) if isinstance(asked, list | tuple) else (asked,)
    real = all(isinstance(n, int | float) and not isinstance(n, bool) and 0 <= n < np.inf for n in numbers)
    if not real or len(numbers) not in (1, 2, 3):
        named = isinstance(asked, Mapping) and [asked[part] for part in PARTS if part in asked]
        do = f"write the numbers alone, {', '.join(PARTS)}: {tuple(named)}" if named else "write 0.2 or (0.7, 0.1, 0.2)"
        raise InputError(f"expected one to three numbers of at least 0 for the split, got {asked!r}; {do}")
    return _from_numbers(numbers, share, total)


def _uneven(numbers: tuple[float, ...], whole: float, *, exact: bool) -> str:
    """What to write where parts do not sum to the whole: were percentages meant, and what are they as shares."""
    given, total = ",".join(f"{n:g}" for n in numbers), sum(numbers)
    if not total:
        return f"expected parts that sum to {whole:g}, got {given}; write 0.7,0.15,0.15"
    shares = ",".join(f"{n / total:.4g}" for n in numbers)
    if exact and total == 100:
        meant = f"which sum to 100 as percentages do; shares or counts? As shares write {shares}"
        return f"expected shares that sum to 1, or counts of all {whole:,.0f} images, got {given}, {meant}"
    kind = f"counts that sum to all {whole:,.0f} images" if exact else "shares that sum to 1"
    return f"expected {kind}, got {given}, which sum to {total:g}; as shares write {shares}"


def _from_numbers(numbers: tuple[float, ...], val: float, total: int) -> Shares:
    exact = any(n > 1 for n in numbers) or all(isinstance(n, int) for n in numbers)
    whole = total if exact else 1.0
    if exact and any(n != int(n) for n in numbers):
        raise InputError(f"expected fractions up to 1, or whole counts, got {numbers}; write one kind")
    if len(numbers) == 1:
        (tested,) = numbers
        if not exact and 0.5 < tested < 1:
            least = f"{1 - tested:.4g}"
            do = f"for {tested:.0%} of training images write {least}; if meant, both parts: ({least}, {tested:g})"
            raise InputError(f"expected one number as the share of the test part, at most half, got {tested:g}; {do}")
        numbers = (whole - tested, tested)
    off = abs(sum(numbers) - whole)
    if off > 1e-9 * max(1.0, whole) or numbers[0] < 0:
        raise InputError(_uneven(numbers, whole, exact=exact))
    if len(numbers) == 2:
        rest = numbers[0]
        held = round(rest * val) if exact else round(rest * val, 12)
        numbers = (round(rest - held, 12), held, numbers[1])
    if total and numbers[0] <= 0:
        raise InputError(f"expected a training part, got {numbers}; make the other parts smaller")
    return Shares(numbers[0], numbers[1], numbers[2], exact)


def largest_remainder(quotas: Sequence[float], total: int) -> list[int]:
    """Whole numbers that sum to `total`, each below one away from its quota (Hamilton's method).

    Examples
    --------
    >>> largest_remainder([2.5, 0.3, 0.2], 3)
    [3, 0, 0]
    """
    floors = [int(np.floor(quota + 1e-9)) for quota in quotas]
    left = total - sum(floors)
    # By remainder, the first named winning a tie.
    order = sorted(range(len(quotas)), key=lambda i: (-(quotas[i] - floors[i]), i))
    for i in order[: max(left, 0)]:
        floors[i] += 1
    return floors


def assign(
    keys: Sequence[str],
    shares: Shares,
    *,
    labels: Labels | None = None,
    groups: Sequence[str | None] | None = None,
    seed: int = 0,
) -> list[str]:
    """Give every record its part.

    Parameters
    ----------
    keys : sequence of str
        Unique.
    shares : Shares
    labels : sequence of str, tuple of str or None, optional
        Stratifies: every class is divided like the whole. With one label per record and no groups each class is
        below one record away from its share in every part (the parts below two, where both roundings meet).
    groups : sequence of str or None, optional
        Records of one group never part; None stands alone. Groups are placed largest first, each where its
        classes are missed most, so that shares are met as nearly as whole groups allow.
    seed : int

    Returns
    -------
    list of str
        ``"train"``, ``"val"`` or ``"test"``, one per key.

    Notes
    -----
    Without groups, each class is ordered by a hash of seed and key, and the parts are runs of that order. Adding
    a file therefore moves only files at the borders of the runs: the one whose place it takes, and those where a
    count is rounded the other way, most often none to three. Exact shares and files that never move exclude each
    other. Crossing 1,000 or 10,000 records with ``"auto"`` changes the share itself. With groups, or several labels per
    record, the placement of one unit may change that of later ones.

    Source: Hare and Hamilton's largest remainders; the greedy placement follows Sechidis, Tsoumakas and Vlahavas
    (2011), "On the stratification of multi-label data", ECML PKDD.

    Examples
    --------
    >>> parts = assign([f"{i}.png" for i in range(10)], Shares(0.7, 0.1, 0.2), labels=["a", "b"] * 5)
    >>> parts.count("train"), parts.count("val"), parts.count("test")
    (7, 1, 2)
    """
    if _any_twice(keys):
        raise InputError("expected every key once, got some twice; rename those records")
    for name, column in (("labels", labels), ("groups", groups)):
        if column is not None and len(column) != len(keys):
            raise InputError(f"expected one of {name} per key, {len(keys)}, got {len(column)}; give one each")
    several = labels is not None and any(isinstance(label, tuple) for label in labels)
    if several or (groups is not None and any(group is not None for group in groups)):
        return _by_groups(keys, shares, labels, groups, seed)
    strata: dict[Any, array[int]] = defaultdict(partial(array, "q"))
    for row, _ in enumerate(keys):
        strata[None if labels is None else labels[row]].append(row)
    totals = shares.counts(len(keys))
    # Sorted by name, not met in order: the order of the records must not show.
    names = sorted(strata, key=lambda name: (name is not None, name or ""))
    table = _table([len(strata[name]) for name in names], totals)
    parts = ["train"] * len(keys)
    for name, (_, val, test) in zip(names, table, strict=True):
        for place, row in enumerate(ordered_by_hash(seed, strata[name], keys.__getitem__)[: test + val].tolist()):
            parts[row] = "test" if place < test else "val"
    return parts


def _any_twice(keys: Sequence[str]) -> bool:
    """Whether a key comes twice; a set of all of them would be the largest thing in memory."""
    hashes = np.sort(np.fromiter(map(hash, keys), np.int64, len(keys)))
    return bool((hashes[1:] == hashes[:-1]).any()) and len(set(keys)) != len(keys)


def ordered_by_hash(
    seed: int, rows: Sequence[int] | npt.NDArray[np.int64], key_of: Callable[[int], str]
) -> npt.NDArray[np.int64]:
    """Rows in the order of a hash of seed and key; two numbers of each are kept meanwhile.

    Examples
    --------
    >>> order = ordered_by_hash(0, range(3), "abc".__getitem__)
    >>> [2 - row for row in order] == ordered_by_hash(0, range(3), "cba".__getitem__).tolist()
    True
    """
    hashes = bytearray()
    for row in rows:
        hashes += _digest(seed, key_of(row))
    numbers = np.frombuffer(hashes, ">u8").reshape(-1, 2)
    found: npt.NDArray[np.int64] = np.asarray(rows, np.int64)[np.lexsort((numbers[:, 1], numbers[:, 0]))]
    return found


def _table(sizes: list[int], totals: tuple[int, int, int]) -> list[tuple[int, int, int]]:
    """How many of each class go into each part: first those of the test part, then those of validation."""
    whole = max(sum(sizes), 1)
    tests = largest_remainder([size * totals[2] / whole for size in sizes], totals[2])
    tests = [min(test, size) for test, size in zip(tests, sizes, strict=True)]
    rest = [size - test for size, test in zip(sizes, tests, strict=True)]
    vals = largest_remainder([left * totals[1] / max(sum(rest), 1) for left in rest], totals[1])
    return [(r - v, v, t) for r, v, t in zip(rest, vals, tests, strict=True)]


def _number(seed: int, name: str) -> tuple[bytes, str]:
    """Sixteen bytes that stand for a name, and the name itself, which decides if two digests are equal."""
    return _digest(seed, name), name


def _digest(seed: int, name: str) -> bytes:
    return hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=16, key=str(seed).encode()).digest()


def _by_groups(
    keys: Sequence[str],
    shares: Shares,
    labels: Labels | None,
    groups: Sequence[str | None] | None,
    seed: int,
) -> list[str]:
    """Place whole groups, the largest first, each where its classes are missed most."""
    members: dict[tuple[int, str], list[int]] = defaultdict(list)
    for row, key in enumerate(keys):
        group = None if groups is None else groups[row]
        # A record without a group may be called like a group, and is not one of it.
        members[(0, key) if group is None else (1, group)].append(row)
    counted = _class_counts(members, labels)
    fractions = np.array(shares.counts(len(keys)), dtype=np.float64) / max(len(keys), 1)
    wanted = np.outer(fractions, np.sum(list(counted.values()), axis=0))
    have = np.zeros_like(wanted)
    order = sorted(members, key=lambda unit: (-len(members[unit]), _number(seed, unit[1]), unit[0]))
    chosen: dict[tuple[int, str], int] = {}
    for unit in order:
        size = counted[unit]
        # How much the squared distance to what is wanted grows by putting the group there.
        growth = (size * (size + 2 * (have - wanted))).sum(axis=1)
        growth[fractions == 0] = np.inf
        chosen[unit] = int(np.argmin(growth))
        have[chosen[unit]] += size
    _fill_empty(chosen, members, fractions, order)
    parts = ["train"] * len(keys)
    for unit, rows in members.items():
        for row in rows:
            parts[row] = PARTS[chosen[unit]]
    return parts


def _class_counts(members: dict[tuple[int, str], list[int]], labels: Labels | None) -> dict[tuple[int, str], Any]:
    """Per group: how many records, and how many of each class."""

    def names(row: int) -> tuple[str, ...]:
        label = None if labels is None else labels[row]
        return () if label is None else label if isinstance(label, tuple) else (label,)

    known = sorted({name for rows in members.values() for row in rows for name in names(row)})
    column = {name: 1 + number for number, name in enumerate(known)}
    counted = {}
    for unit, rows in members.items():
        counts = np.zeros(1 + len(known))
        counts[0] = len(rows)
        for name, times in Counter(name for row in rows for name in names(row)).items():
            counts[column[name]] = times
        counted[unit] = counts
    return counted


def _fill_empty(
    chosen: dict[tuple[int, str], int],
    members: dict[tuple[int, str], list[int]],
    fractions: Any,
    order: list[tuple[int, str]],
) -> None:
    """Give a part that was asked for and got nothing the smallest group of the part with most groups."""
    for part in np.flatnonzero(fractions):
        held = Counter(chosen.values())
        if held[int(part)] or not held:
            continue
        donor = max(held, key=lambda p: (held[p], -p))
        if held[donor] > 1:
            smallest = min((u for u in order if chosen[u] == donor), key=lambda u: (len(members[u]), order.index(u)))
            chosen[smallest] = int(part)
