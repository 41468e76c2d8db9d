"""How an epoch is cut into batches, and who gets which part of one."""

from __future__ import annotations

from dataclasses import dataclass

from imagemill.core.errors import InputError

__all__ = ["Share", "Shares"]


@dataclass(frozen=True, slots=True)
class Share:
    """The places of an epoch that one rank gets in one batch.

    Parameters
    ----------
    places : range
    repeated : bool
        Whether there was nothing left for this rank, and it repeats the first place of the batch.
    """

    places: range
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class Shares:
    """Global batches of ``batch_size * world_size`` places that follow each other, cut among the ranks.

    The last one may be short: it is shared as evenly as possible, and a rank that would get nothing repeats its first
    place, so that all ranks have the same number of batches.

    Parameters
    ----------
    n : int
        Places of an epoch.
    batch_size : int
        Places of a rank.
    rank, world_size : int
    drop_last : bool
        Leave a short last one out.

    Examples
    --------
    >>> shares = Shares(10, 2, rank=1, world_size=2)
    >>> len(shares), [list(shares.of(batch).places) for batch in range(3)]
    (3, [[2, 3], [6, 7], [9]])
    >>> Shares(9, 2, rank=1, world_size=2).of(2)
    Share(places=range(8, 9), repeated=True)
    """

    n: int
    batch_size: int
    rank: int = 0
    world_size: int = 1
    drop_last: bool = False

    def __post_init__(self) -> None:
        for name in ("batch_size", "world_size"):
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or value < 1:
                raise InputError(f"expected {name} as a number from 1, got {value!r}")
        if not isinstance(self.rank, int) or not 0 <= self.rank < self.world_size:
            raise InputError(f"expected a rank from 0 to {self.world_size - 1} for this world size, got {self.rank!r}")
        if not len(self):
            raise InputError(
                f"expected at least one whole batch of {self.together}, got {self.n} rows; take a smaller batch_size, "
                "or leave drop_last out"
            )

    @property
    def together(self) -> int:
        """Places of all ranks in one batch."""
        return self.batch_size * self.world_size

    def __len__(self) -> int:
        return self.n // self.together if self.drop_last else -(-self.n // self.together)

    @property
    def places(self) -> int:
        """Places of this rank in an epoch; one that it only repeats counts as well."""
        last = len(self) - 1
        return last * self.batch_size + len(self.of(last).places)

    def place(self, number: int) -> int:
        """The place of the epoch that is this rank's ``number``-th.

        Examples
        --------
        >>> shares = Shares(10, 2, rank=1, world_size=2)
        >>> [shares.place(number) for number in range(shares.places)]
        [2, 3, 6, 7, 9]
        """
        if not 0 <= number < self.places:
            raise IndexError(f"expected a place from 0 to {self.places - 1}, got {number}")
        batch, within = divmod(number, self.batch_size)
        return self.of(batch).places[within]

    def of(self, batch: int) -> Share:
        """The share of this rank in a batch."""
        if not 0 <= batch < len(self):
            raise IndexError(f"expected a batch from 0 to {len(self) - 1}, got {batch}")
        first = batch * self.together
        left = min(self.together, self.n - first)
        if left == self.together:
            begin = first + self.rank * self.batch_size
            return Share(range(begin, begin + self.batch_size))
        each, more = divmod(left, self.world_size)
        begin = first + self.rank * each + min(self.rank, more)
        count = each + (self.rank < more)
        return Share(range(begin, begin + count)) if count else Share(range(first, first + 1), repeated=True)
