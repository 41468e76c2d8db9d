"""One look at every image of a dataset, and what checks are given of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from imagemill.audits.clusters import Cluster, clusters_of, joined, pairs_of
from imagemill.audits.given import Given
from imagemill.audits.glance import Glance, GlanceWork
from imagemill.audits.image_features import ImageFeatures, image_features
from imagemill.audits.label_check import CheckedLabel, LabelCheck, check_labels, check_told
from imagemill.audits.likeness import Pairs
from imagemill.audits.probes import folds_of
from imagemill.audits.settings import Settings
from imagemill.data.codecs.base import ReadOptions
from imagemill.data.layouts.base import Problem, Source
from imagemill.data.records.record import Record
from imagemill.jobs.runner import Runner
from imagemill.jobs.threads import Progress
from imagemill.jobs.where_to_run import engine_for, seeing

__all__ = ["AGAINST", "SMALLEST_CLASS", "Survey", "survey"]

SMALLEST_CLASS = 10
"""Images of a class that are needed to ask what it is told from."""

_OTHER_CLASS = 0.7
"""Score that two of different classes need: of what 60,000 small images claimed below it, all were look-alikes."""

AGAINST = "against: "
"""What stands before the key of an image of the others, where a finding names images of both."""


@dataclass(frozen=True, eq=False)
class Survey:
    """A dataset that was looked at.

    Parameters
    ----------
    source : Source
    glances : tuple of Glance or None
        One for each record; None for those that could not be read.
    problems : tuple of Problem
        Those that could not be read; what the layout could not take in is in ``source.problems``.
    settings : Settings
    given : Given
        What was given beside the dataset.
    workers : int
        Threads.
    progress : callable, optional
        Called with how many images were described, or learnt from, and how many there are.
    stage : callable, optional
        Called with what goes on, before it takes long.
    """

    source: Source
    glances: tuple[Glance | None, ...]
    problems: tuple[Problem, ...]
    settings: Settings
    given: Given = field(default_factory=Given)
    workers: int = 1
    progress: Progress | None = None
    stage: Callable[[str], object] | None = None

    @property
    def records(self) -> Sequence[Record]:
        """All of them, in the order of the source."""
        return self.source.records

    @cached_property
    def seen(self) -> npt.NDArray[np.int64]:
        """Rows that could be read."""
        return np.array([row for row, glance in enumerate(self.glances) if glance is not None], np.int64)

    @cached_property
    def small(self) -> npt.NDArray[np.uint8]:
        """The small pictures of the rows that could be read, ``[n, 32, 32, 3]``."""
        return np.stack([glance.small for glance in self.glances if glance is not None])

    @cached_property
    def row_of(self) -> Mapping[str, int]:
        """The row of each key."""
        return {record.key: row for row, record in enumerate(self.records)}

    @cached_property
    def pairs(self) -> Pairs:
        """Rows of the same content, two by two; of many equal images each with the first alone."""
        found = pairs_of(self.glances, self.settings.copies, self.workers)
        labels = np.array([label or "" for label in self.labels], object)
        one, other = labels[found.first], labels[found.second]
        # Copies hardly ever lie in another class, look-alikes often do.
        return found.at((one == other) | (one == "") | (other == "") | (found.score >= _OTHER_CLASS))

    def told_pairs(self) -> list[dict[str, Any]]:
        """Pairs of copies as plain values, those that most speaks for first."""
        pairs, splits = self.pairs, [record.split for record in self.records]
        return [
            {
                "images": list(self.keys((pairs.first[k], pairs.second[k]))),
                "parts": [splits[pairs.first[k]], splits[pairs.second[k]]],
                "how": pairs.how[k],
                "score": round(float(pairs.score[k]), 3),
            }
            for k in np.lexsort((pairs.second, pairs.first, -pairs.score)).tolist()
        ]

    @cached_property
    def clusters(self) -> tuple[Cluster, ...]:
        """Images that are there more than once."""
        return clusters_of(self.glances, self.pairs)

    @cached_property
    def labels(self) -> list[str | None]:
        """The one class of each record; None where it has none, or several."""
        return [
            record.label if record.labels is None else (record.labels[0] if len(record.labels) == 1 else None)
            for record in self.records
        ]

    @property
    def has_classes(self) -> bool:
        """Whether there are two classes or more."""
        return len(set(self.labels) - {None}) > 1

    def classes(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], tuple[str, ...]]:
        """Rows of classes with ten images or more, their classes as numbers, and the names of those."""
        given = self.labels
        seen = [row for row in self.seen.tolist() if given[row] is not None]
        names, counts = np.unique([str(given[row]) for row in seen], return_counts=True)
        number = {str(name): n for n, name in enumerate(names[counts >= SMALLEST_CLASS])}
        rows = np.array([row for row in seen if given[row] in number], np.int64)
        return rows, np.array([number[str(given[row])] for row in rows], np.int64), tuple(number)

    def folds(
        self,
        rows: npt.NDArray[np.int64],
        labels: npt.NDArray[np.int64],
        *,
        count: int | None = None,
        seed: int = 0,
    ) -> npt.NDArray[np.int64]:
        """The fold of each row: copies, and what the source says belongs together, stay on one side."""
        firsts: dict[str, int] = {}
        together = [
            (firsts.setdefault(record.group, row), row)
            for row, record in enumerate(self.records)
            if record.group is not None
        ]
        together += [(cluster.rows[0], row) for cluster in self.clusters for row in cluster.rows]
        pairs = np.array(together, np.int64).reshape(-1, 2)
        groups = joined(len(self.records), pairs[:, 0], pairs[:, 1])[rows]
        return folds_of(labels, int(self.settings.folds) if count is None else count, groups, seed=seed)

    @cached_property
    def features(self) -> ImageFeatures:
        """What images look like, in numbers."""
        return image_features(self)

    @cached_property
    def checked(self) -> tuple[npt.NDArray[np.int64], tuple[str, ...], LabelCheck]:
        """Rows whose labels were checked, names of their classes, and what is known of the labels."""
        rows, labels, names = self.classes()
        level, network = self.settings.level, self.given.network
        if network is not None:
            told = network.told(self, rows, labels)
            return rows, names, check_told(lambda *_: told, labels, level=level)
        here = np.isin(rows, self.features.rows)
        rows, labels = rows[here], labels[here]
        return rows, names, check_labels(self.features.of(rows), labels, self.folds(rows, labels), level=level)

    @property
    def checked_labels(self) -> tuple[CheckedLabel, ...]:
        """The labels that were checked, the most probably wrong first."""
        rows, names, found = self.checked
        return tuple(
            CheckedLabel(
                self.records[int(rows[n])].key,
                names[int(found.given[n])],
                names[int(found.suggested[n])],
                float(found.own[n]),
                float(found.wrong[n]),
            )
            for n in found.order.tolist()
        )

    def numbers(self, of: Callable[[Glance], Any]) -> npt.NDArray[np.float64]:
        """A number of each record; NaN for those that could not be read."""
        return np.array([np.nan if glance is None else float(of(glance)) for glance in self.glances])

    def keys(self, rows: Sequence[int] | npt.NDArray[Any]) -> tuple[str, ...]:
        """The keys of rows."""
        return tuple(self.records[int(row)].key for row in rows)

    def against_keys(self, rows: Sequence[int] | npt.NDArray[Any]) -> tuple[str, ...]:
        """The keys of rows, in findings about another dataset that these images are compared with."""
        return tuple(AGAINST + key for key in self.keys(rows))

    def found(self, place: str) -> tuple[Survey, int] | None:
        """Where an image is that a finding names: in this survey or in the other, and its row there."""
        if place in self.row_of:
            return self, self.row_of[place]
        other = self.given.against
        if other is not None and place.startswith(AGAINST) and (key := place.removeprefix(AGAINST)) in other.row_of:
            return other, other.row_of[key]
        return None


def survey(
    source: Source,
    settings: Settings | None = None,
    *,
    given: Given | None = None,
    options: ReadOptions | None = None,
    workers: int = 2,
    on: str | None = None,
    progress: Progress | None = None,
) -> Survey:
    """Look at every image once.

    Parameters
    ----------
    source : Source
    settings : Settings, optional
    given : Given, optional
    options : ReadOptions, optional
    workers : int
        How many decode.
    on : str, optional
        What they are; see `audit`.
    progress : callable, optional
        Called with how many images were looked at, and how many there are.

    Returns
    -------
    Survey
    """
    engine = seeing(engine_for(on), source)
    found: dict[int, Glance | str] = {}

    def note(rows: Sequence[tuple[int, Glance | str]]) -> None:
        found.update(rows)

    runner: Runner[Record, Glance | str] = Runner(
        work=GlanceWork(options or ReadOptions()),
        note=note,
        record=lambda record: record,
        doing="looking at",
        progress=progress,
        workers=max(1, workers),
        size=8,
        engine=engine,
    )
    remarks = runner.run(source.records, len(source)).remarks
    source = replace(source, notes=(*source.notes, *remarks))
    failed = [Problem(source.records[row].key, one) for row, one in sorted(found.items()) if isinstance(one, str)]
    glances = tuple(one if isinstance(one := found[row], Glance) else None for row in range(len(source)))
    return Survey(source, glances, tuple(failed), settings or Settings(), given or Given(), max(1, workers), progress)


def counted(labels: Sequence[str | None]) -> Mapping[str, int]:
    """How often each label is there, the commonest first."""
    names, counts = np.unique([label for label in labels if label is not None], return_counts=True)
    order = np.argsort(-counts, kind="stable")
    return {str(names[row]): int(counts[row]) for row in order}
