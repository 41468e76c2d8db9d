"""Lists that are made when somebody looks at them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Generic, TypeVar, overload

__all__ = ["LateList"]

T = TypeVar("T")


class LateList(Sequence[T], Generic[T]):
    """A list whose length is known, and whose items cost more to make than to be without. What is sent is a list.

    Parameters
    ----------
    n : int
    make : callable
        Gives the list; called once, or by threads at the same time more often.

    Examples
    --------
    >>> late = LateList(3, lambda: print("made") or ["a", "b", "c"])
    >>> part = late[1:]
    >>> len(part), part == ["b", "c"], late[0]
    made
    (2, True, 'a')
    """

    __slots__ = ("_items", "_make", "_n")
    __hash__ = None  # type: ignore[assignment]  # as of a list

    def __init__(self, n: int, make: Callable[[], list[T]]) -> None:
        self._n, self._make = n, make
        self._items: list[T] | None = None

    def _all(self) -> list[T]:
        if self._items is None:
            self._items = self._make()
        return self._items

    def __len__(self) -> int:
        return self._n

    @overload
    def __getitem__(self, i: int) -> T: ...
    @overload
    def __getitem__(self, i: slice) -> LateList[T]: ...
    def __getitem__(self, i: int | slice) -> T | LateList[T]:
        if isinstance(i, slice):
            return LateList(len(range(self._n)[i]), lambda: self._all()[i])
        return self._all()[i]

    def __iter__(self) -> Iterator[T]:
        return iter(self._all())

    def __eq__(self, other: object) -> bool:
        return self._all() == list(other) if isinstance(other, Sequence) else NotImplemented

    def __add__(self, other: Any) -> list[Any]:
        return [*self._all(), *other]

    def __radd__(self, other: Any) -> list[Any]:
        return [*other, *self._all()]

    def __repr__(self) -> str:
        return repr(self._all())

    def __reduce__(self) -> tuple[Any, ...]:
        return list, (self._all(),)
