"""The rows of a store's manifest, made each time they are asked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from imagemill.data.layouts.base import Source
from imagemill.data.plain_kinds import PlainKind, plain_kind
from imagemill.verbs.prepare.class_numbers import LabelPlan
from imagemill.verbs.prepare.known_records import KnownRecords
from imagemill.verbs.prepare.parts import Places, Split

__all__ = ["ManifestRows"]


class ManifestRows:
    """One row for each record of a source, then one for each thing that it could not take in.

    Parameters
    ----------
    source : Source
    run : KnownRecords
    labels : LabelPlan
    split : Split
    groups : sequence of str or None
        Of every record.
    """

    def __init__(
        self, source: Source, run: KnownRecords, labels: LabelPlan, split: Split, groups: Sequence[str | None]
    ) -> None:
        self._source, self._run, self._labels, self._split, self._groups = source, run, labels, split, groups

    def __len__(self) -> int:
        return len(self._source) + len(self._source.problems)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        where_of = Places(self._source)
        several = self._labels.form == "multi"
        for place, record in enumerate(self._source.records):
            is_usable = self._run.is_usable(place)
            names = self._labels.names(record)
            row = {
                "key": record.key,
                "split": self._split.parts[place] if is_usable else None,
                "label": names[0] if names and not several else None,
                "labels": list(names) if several else None,
                "group": self._groups[place],
                "where": where_of(record.image),
            }
            yield (
                row
                | (self._of_usable(place) if is_usable else self._of_failed(place))
                | {"attributes": dict(record.attributes)}
            )
        for problem in self._source.problems:
            said = _without_root(str(problem), self._source)
            yield {"key": problem.name, "problem": said, "attributes": {}}

    def besides(self) -> dict[str, PlainKind]:
        """Names and kinds of what records have besides, in the order in which they come."""
        records = self._source.records
        names = dict.fromkeys(name for record in records for name in record.attributes)
        return {name: plain_kind(record.attributes.get(name) for record in records) for name in names}

    def _of_usable(self, place: int) -> dict[str, Any]:
        known, size = self._run.known(place), self._run.found(place).row()["size"]
        return {
            "checksum": known.sha256,
            "mask_checksum": known.mask_sha256,
            "entry": known.entry,
            "height": size[-2] if size else None,
            "width": size[-1] if size else None,
            "problem": None,
        }

    def _of_failed(self, place: int) -> dict[str, Any]:
        nothing = dict.fromkeys(("checksum", "mask_checksum", "entry", "height", "width"))
        return {**nothing, "problem": _without_root(self._run.finished.failed[place].message, self._source)}


def _without_root(text: str, source: Source) -> str:
    """A message without the machine's own folders, since it goes into the store."""
    return text.replace(f"{source.root}/", "").replace(str(source.root.resolve()), source.root.name)
