"""What every source can do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

from imagemill.data.record import Record

__all__ = ["FileSource", "Source"]


@runtime_checkable
class Source(Protocol):
    """A finite, ordered set of records; iterating twice gives the same records."""

    @property
    def layout(self) -> str:
        """Name of the layout: ``"file"``, ``"list"``, ``"folder"`` or ``"class folders"``."""
        ...

    @property
    def root(self) -> Path:
        """The folder that keys are relative to."""
        ...

    def __len__(self) -> int:
        """Number of records."""
        ...

    def __iter__(self) -> Iterator[Record]:
        """Records in the order of their keys, or of the list."""
        ...

    def describe(self) -> str:
        """Say in words what was found, and what was left out."""
        ...


@dataclass(frozen=True, slots=True)
class FileSource:
    """Records that are files.

    Parameters
    ----------
    root : Path
        The folder that keys are relative to.
    layout : str
        Name of the layout.
    records : tuple of Record
        The records in order.
    missing_masks : tuple of str
        Keys of records without a mask, where masks were asked for.
    notes : tuple of str
        What else there is to know.

    Examples
    --------
    >>> source = FileSource(Path("d"), "file", (Record("a.png", Path("d/a.png")),))
    >>> len(source), source.describe()
    (1, '1 image (file) in d')
    """

    root: Path
    layout: str
    records: tuple[Record, ...]
    missing_masks: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.records)

    def __iter__(self) -> Iterator[Record]:
        return iter(self.records)

    def describe(self) -> str:
        """Say in words what was found, and what was left out."""
        count = len(self.records)
        parts = [f"{count} image{'' if count == 1 else 's'} ({self.layout}) in {self.root}"]
        labels = Counter(record.label for record in self.records if record.label is not None)
        if labels:
            named = ", ".join(f"{name} {labels[name]}" for name in sorted(labels)[:20])
            more = f", and {len(labels) - 20} more" if len(labels) > 20 else ""
            parts.append(f"{len(labels)} class{'' if len(labels) == 1 else 'es'}: {named}{more}")
        masks = sum(record.mask is not None for record in self.records)
        if masks or self.missing_masks:
            parts.append(f"{masks} with a mask, {len(self.missing_masks)} without")
        return "; ".join([*parts, *self.notes])
