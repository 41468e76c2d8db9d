"""The unit of a run: a shard of items in, outcomes out, with no order and no shared state.

A verb says in one function what it makes of one item, and yields rows and notes of it. `ShardWork` makes of that
function one that takes a shard: whatever can call it, and keep what it gives, can run the verb. Threads and processes
here do; `ShardWork` is pickled whole, so an engine on many machines can.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Generic, Protocol, TypeVar, runtime_checkable

__all__ = ["Note", "Outcome", "Shard", "ShardWork", "Together", "Work", "cut"]

Item = TypeVar("Item")
Row = TypeVar("Row")
ItemIn = TypeVar("ItemIn", contravariant=True)
RowOut = TypeVar("RowOut", covariant=True)


@dataclass(frozen=True, slots=True)
class Note:
    """What there is to know about the way an item was read; the same text of many items is one line of a report."""

    text: str


class Work(Protocol[ItemIn, RowOut]):
    """What a verb makes of one item: rows, one after the other, and notes.

    It depends on nothing but the item and on what it was made with, and changes neither. What it raises ends this item
    and no other; rows that it gave before count.
    """

    def __call__(self, item: ItemIn, /) -> Iterable[RowOut | Note]:
        """Rows and notes of one item."""
        ...


@dataclass(frozen=True, slots=True)
class Shard(Generic[Item]):
    """Some items that are worked on together.

    Parameters
    ----------
    number : int
        Of the shard, counted from 0 in the order of the items.
    first : int
        Place of its first item among all items.
    items : tuple
    """

    number: int
    first: int
    items: tuple[Item, ...]


@dataclass(slots=True, eq=False)
class Outcome(Generic[Row]):
    """What became of one item.

    Parameters
    ----------
    place : int
        Of the item among all items.
    rows : list
        Those it gave before it ended, well or not.
    notes : list of str
    error : BaseException or None
        What ended it early.
    """

    place: int
    rows: list[Row] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    error: BaseException | None = None


@runtime_checkable
class Together(Protocol[ItemIn, RowOut]):
    """Work that goes better when it is known which items come together; each is still made by itself."""

    def together(self, items: Sequence[ItemIn], /) -> Work[ItemIn, RowOut]:
        """The work on some items, which are then given one by one, in their order. It raises nothing by itself."""
        ...


def _never() -> bool:
    return False


@dataclass(frozen=True, slots=True)
class ShardWork(Generic[Item, Row]):
    """The function of a shard: errors come back as values, and nothing is raised.

    Parameters
    ----------
    work : Work

    Examples
    --------
    >>> def halves(item):
    ...     yield 12 // item
    >>> found = ShardWork(halves)(Shard(0, 0, (3, 0, 4)))
    >>> [(one.place, one.rows, type(one.error).__name__) for one in found]
    [(0, [4], 'NoneType'), (1, [], 'ZeroDivisionError'), (2, [3], 'NoneType')]
    """

    work: Work[Item, Row]

    def __call__(self, shard: Shard[Item], is_stopped: Callable[[], bool] = _never) -> list[Outcome[Row]]:
        """Work on the items in order; where it is stopped, between two rows, what was made so far comes back."""
        work = self.work.together(shard.items) if isinstance(self.work, Together) else self.work
        found: list[Outcome[Row]] = []
        for place, item in enumerate(shard.items, shard.first):
            if is_stopped():
                break
            outcome: Outcome[Row] = Outcome(place)
            found.append(outcome)
            try:
                for row in work(item):
                    if isinstance(row, Note):
                        outcome.notes.append(row.text)
                    else:
                        outcome.rows.append(row)
                    if is_stopped():
                        break
            except BaseException as error:  # a bad file must not end the run by surprise: the caller decides
                outcome.error = error
                if not isinstance(error, Exception):  # Ctrl-C: what was made before it is kept all the same
                    break
        return found


def cut(items: Iterable[Item], size: int) -> Iterator[Shard[Item]]:
    """Cut items into shards of so many, as they are asked for.

    Examples
    --------
    >>> [shard.items for shard in cut("abcde", 2)]
    [('a', 'b'), ('c', 'd'), ('e',)]
    """
    given, number = iter(items), 0
    while some := tuple(islice(given, size)):
        yield Shard(number, number * size, some)
        number += 1
