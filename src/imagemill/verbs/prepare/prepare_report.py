"""What a run of `prepare` did, as a value and as text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from imagemill.core.short_repr import ShortRepr
from imagemill.jobs.faults import Failure

__all__ = ["PrepareReport"]

_SHOWN = 10


@dataclass(frozen=True, slots=True, repr=False)
class PrepareReport(ShortRepr):
    """What a run of `prepare` did.

    Parameters
    ----------
    out : Path
        The store.
    made : int
        Images prepared now.
    reused : int
        Images of the same content that had been prepared before.
    unchanged : bool
        Whether the store already was what was asked for, so that nothing was written.
    failed : tuple of Failure
        Records that were left out, and what the source could not take in.
    counts : mapping of str to int
        Images in each part.
    shape : tuple of int
        Of one image.
    axes, dtype : str
    classes : tuple of str
    how_split : str
    seconds : float
    notes : tuple of str
    quarantine : Path or None
        Where copies of the failed files are.
    """

    out: Path
    made: int
    reused: int
    unchanged: bool
    failed: tuple[Failure, ...]
    counts: Mapping[str, int]
    shape: tuple[int, ...]
    axes: str
    dtype: str
    classes: tuple[str, ...]
    how_split: str
    seconds: float
    notes: tuple[str, ...] = ()
    quarantine: Path | None = None

    def summary(self) -> str:
        """The report as text."""
        size = " x ".join(map(str, self.shape))
        parts = ", ".join(f"{name} {count}" for name, count in self.counts.items())
        lines = [f"prepared {sum(self.counts.values())} images of {size} ({self.axes}, {self.dtype}) in {self.out}"]
        done = "nothing to do" if self.unchanged else f"in {self.seconds:.1f} s"
        lines.append(f"made {self.made}, {self.reused} already there, {done}")
        lines.append(f"parts: {parts} ({self.how_split})")
        if self.classes:
            shown = ", ".join(self.classes[:10]) + (", ..." if len(self.classes) > 10 else "")
            lines.append(f"classes: {len(self.classes)} ({shown})")
        lines += [f"note: {note}" for note in self.notes[:_SHOWN]]
        if len(self.notes) > _SHOWN:
            lines.append(f"note: and {len(self.notes) - _SHOWN} more")
        if self.failed:
            where = "" if self.quarantine is None else f", copied to {self.quarantine}"
            lines.append(f"left out: {len(self.failed)}{where}")
            lines += [f"  {failure}" for failure in self.failed]
        return "\n".join(lines)

    def plain(self) -> dict[str, Any]:
        """As JSON holds it."""
        return {
            "out": str(self.out),
            "made": self.made,
            "reused": self.reused,
            "unchanged": self.unchanged,
            "failed": [{"key": failure.key, "message": failure.message} for failure in self.failed],
            "counts": dict(self.counts),
            "shape": list(self.shape),
            "axes": self.axes,
            "dtype": self.dtype,
            "classes": list(self.classes),
            "split": self.how_split,
            "seconds": round(self.seconds, 3),
            "notes": list(self.notes),
            "quarantine": None if self.quarantine is None else str(self.quarantine),
        }
