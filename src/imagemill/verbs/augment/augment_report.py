"""What a run of `augment` did, as a value and as text."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from imagemill.core.short_repr import ShortRepr
from imagemill.data.layouts.base import Problem
from imagemill.jobs.faults import Failure

__all__ = ["Annotated", "AugmentReport"]


@dataclass(frozen=True, slots=True, repr=False)
class Annotated(ShortRepr):
    """What was written beside the images.

    Parameters
    ----------
    files : tuple of str
        Below the folder.
    lost : tuple of str
        What the layout cannot hold, in words.
    problems : tuple of Problem
        Images that the layout cannot hold.
    kept, gone : Counter
        How many boxes, polygons, instance masks, keypoints and labels there are, and how many are not: nothing of
        them, or less than the pipeline asks for, is in the frame.
    """

    files: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()
    kept: Counter[str] = field(default_factory=Counter)
    gone: Counter[str] = field(default_factory=Counter)

    def rows(self, layout: str | None) -> list[tuple[str, str]]:
        """What there is to say, as names and texts."""
        rows: list[tuple[str, str]] = []
        if layout is not None:
            shown = ", ".join(self.files[:3]) + (f" and {len(self.files) - 3} more" if len(self.files) > 3 else "")
            rows.append(("layout", f"{layout}: {shown}" if shown else layout))
        for name in sorted({*self.kept, *self.gone}):
            gone = f" in the frame, {self.gone[name]:,} not (outside, or too little left)" if self.gone[name] else ""
            rows.append((name, f"{self.kept[name]:,}{gone}"))
        return rows


@dataclass(frozen=True, slots=True, repr=False)
class AugmentReport(ShortRepr):
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
    layout : str or None
        The layout that was written; None where the images by their names are all there is to say.
    annotated : Annotated
        What stands beside the images, what of it is outside the frame, and what the layout could not hold.
    """

    out: Path
    made: int
    present: int
    failed: tuple[Failure, ...]
    others: int
    seconds: float
    notes: tuple[str, ...] = ()
    quarantine: Path | None = None
    layout: str | None = None
    annotated: Annotated = field(default_factory=Annotated)

    @property
    def lost(self) -> tuple[str, ...]:
        """What the layout could not hold, in words, and which images it could not."""
        return (*self.annotated.lost, *map(str, self.annotated.problems))

    def summary(self) -> str:
        """The report as text."""
        lines = [f"made {self.made} in {self.seconds:.1f} s, {self.present} already there, in {self.out}"]
        lines += [f"read: {note}" for note in self.notes]
        if self.others:
            lines.append(f"left as they are: {self.others} outputs of files that are no longer in the source")
        lines += [f"{name}: {text}" for name, text in self.annotated.rows(self.layout)]
        lines += [f"not written: {text}" for text in self.lost]
        if self.failed:
            where = "" if self.quarantine is None else f", copied to {self.quarantine}"
            lines.append(f"left out: {len(self.failed)} files{where}")
            lines += [f"  {failure}" for failure in self.failed]
        return "\n".join(lines)
