"""What a run of `augment` did, as a value and as text."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

__all__ = ["AugmentReport", "Failure"]


@dataclass(frozen=True, slots=True)
class Failure:
    """A file that could not be augmented, and why.

    Parameters
    ----------
    key : str
        The record's key.
    message : str
    """

    key: str
    message: str

    def __str__(self) -> str:
        return self.message if self.key in self.message else f"{self.key}: {self.message}"


@dataclass(frozen=True, slots=True)
class AugmentReport:
    """What a run of `augment` did.

    Parameters
    ----------
    out : Path
        The folder the outputs are in.
    made : int
        Outputs written now.
    present : int
        Outputs of the same source that an earlier run had written.
    failed : tuple of Failure
        Files that were left out.
    others : int
        Recorded outputs of files that are no longer in the source; they were left as they are.
    seconds : float
    notes : tuple of str
        How the files' axes were read, with how often.
    quarantine : Path or None
        Where copies of the failed files are.
    """

    out: Path
    made: int
    present: int
    failed: tuple[Failure, ...]
    others: int
    seconds: float
    notes: tuple[str, ...] = ()
    quarantine: Path | None = None

    def summary(self) -> str:
        """The report as text."""
        lines = [f"made {self.made} in {self.seconds:.1f} s, {self.present} already there, in {self.out}"]
        lines += [f"read: {note}" for note in self.notes]
        if self.others:
            lines.append(f"left as they are: {self.others} outputs of files that are no longer in the source")
        if self.failed:
            where = "" if self.quarantine is None else f", copied to {self.quarantine}"
            lines.append(f"left out: {len(self.failed)} files{where}")
            lines += [f"  {failure}" for failure in self.failed]
        return "\n".join(lines)
