"""Which layout a path has: what was seen, what each layout would take and leave, and the one that leaves least.

Every layout says whether it knows the path (`Layout.guess`). That alone decides nothing: a table that names three of
sixty pictures is a table, but not of this folder. So a layout is asked what it would take, by being read where it
does not say so itself, and each piece of `Evidence` that it leaves unexplained counts against it.

To teach the guess a shape that people use, add a function to `_WITNESSES`.
"""

from __future__ import annotations

import math
import os
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from operator import attrgetter
from pathlib import Path
from typing import Any

from imagemill.core.errors import CodecError, MissingExtra, SourceError
from imagemill.data.layouts.base import Evidence, Guess, Layout, Look, ReadSource, Source
from imagemill.data.layouts.folders.modalities import examinations
from imagemill.data.layouts.guess.folder_structure import folder_of
from imagemill.data.layouts.labelmaps.labelmaps import (
    LabelMaps,
    attached,
    label_maps,
    with_classes,
    without,
)
from imagemill.data.layouts.registry import TAKES_ALL, guesses
from imagemill.data.records.record import split_suffix

__all__ = ["Candidate", "Weighed", "carried", "completed", "images_alone", "read_by", "taken", "weigh"]

_PLAIN = 0.2
"""How sure a folder of images is of itself; evidence no stronger than this speaks for nothing."""
_BARE = 0.3
"""What an annotation file counts that says no more than which pictures there are."""
_LEFT = 0.5
"""What it counts to leave every image."""
_WITH_MASKS = TAKES_ALL | {"list", "csv", "tsv", "json", "jsonl", "parquet", "arrow", "huggingface"}
"""Layouts that say nothing of label maps themselves, or in a column that may be missing."""


@dataclass(slots=True)
class Candidate:
    """A layout that the path may have, and what it would make of it.

    Parameters
    ----------
    layout : Layout
    guess : Guess
    source : Source or None
        What was read, where it had to be read.
    fault : Exception or None
        Why it could not be read.
    takes : frozenset of str or None
        Keys of the files it takes; None where it was not asked.
    left : mapping of str to int
        Images that it would leave, by suffix.
    carries : frozenset of str
    explained : tuple of bool
        For each piece of evidence.
    unexplained : float
        The strength of all that it leaves.
    """

    layout: Layout
    guess: Guess
    source: Source | None = None
    fault: Exception | None = None
    takes: frozenset[str] | None = None
    left: Counter[str] = field(default_factory=Counter)
    carries: frozenset[str] = frozenset()
    explained: tuple[bool, ...] = ()
    unexplained: float = 1.0

    def plain(self) -> dict[str, Any]:
        """Plain values that JSON can hold."""
        return {
            "layout": self.layout.name,
            "sure": self.guess.sure,
            "why": self.guess.why,
            "fault": None if self.fault is None else str(self.fault),
            "takes": None if self.takes is None else len(self.takes),
            "leaves": dict(self.left),
            "carries": sorted(self.carries),
            "unexplained": None if self.takes is None else round(self.unexplained, 3),
        }


@dataclass(slots=True)
class Weighed:
    """The table of evidence.

    Parameters
    ----------
    evidence : tuple of Evidence
        What was seen.
    candidates : list of Candidate
        Layouts, the one that leaves least first; those that were not asked, and that cannot be read, last.
    """

    evidence: tuple[Evidence, ...]
    candidates: list[Candidate]

    def best(self) -> Candidate | None:
        """The layout to take."""
        return self.candidates[0] if self.candidates and self.candidates[0].fault is None else None


def weigh(look: Look, options: ReadSource, *, every: bool = False) -> Weighed:
    """Weigh every layout that may be a path's own.

    Parameters
    ----------
    look : Look
    options : ReadSource
        What layouts are read with.
    every : bool
        Whether all are asked what they would take, also where one that leaves nothing has been found.

    Raises
    ------
    SourceError
        When a file says by its content what it is, cannot be read, and the folder says nothing without it.
    """
    candidates = [Candidate(layout, guess) for layout, guess in guesses(look, options)]
    seen: list[Evidence] = []
    plain, maps = images_alone(look, options)
    if look.is_folder:
        seen = [evidence for witness in _WITNESSES for evidence in witness(_Sight(look, plain, maps))]
        for one in candidates:
            if one.layout.name == "image-masks":
                one.guess = _with_maps(one.guess, look, plain)
        open_ones = sum(one.guess.sure > _PLAIN and one.guess.takes is None for one in candidates)
        for one in candidates:
            # The surest first: where it leaves nothing, nobody else is asked.
            _ask(one, look, plain, options)
            open_ones -= one.guess.sure > _PLAIN and one.guess.takes is None
            _judge(candidates, plain, seen)
            alone = one.guess.takes is None or not open_ones
            if not every and one.fault is None and alone and one.unexplained <= 0:
                break
    evidence = _judge(candidates, plain, seen)
    candidates.sort(key=lambda one: (one.fault is not None, one.unexplained, -one.guess.sure))
    _refuse_silence(candidates)
    return Weighed(evidence, candidates)


def images_alone(look: Look, options: ReadSource) -> tuple[Look, LabelMaps | None]:
    """A look without the label maps that a folder holds, and these."""
    maps = label_maps(look, options)
    if maps is None:
        return look, None
    if "images alone" not in look.memo or maps.asked:
        look.memo["images alone"] = without(look, maps)
    plain: Look = look.memo["images alone"]
    return plain, maps


def _with_maps(guess: Guess, look: Look, plain: Look) -> Guess:
    """What images with label maps carry, which is known without reading them."""
    parts = {"split"} if plain.arrangement.splits() else set[str]()
    groups = {"group"} if plain.arrangement.groups() else set[str]()
    return replace(guess, takes=frozenset(key for key, _ in look.images), carries=frozenset({"mask"} | parts | groups))


def read_by(layout: Layout, look: Look, options: ReadSource) -> Source:
    """Read by a layout, and give the records the label maps that the folder holds besides."""
    maps = None if layout.name == "image-masks" else label_maps(look, options)
    if maps is None:
        return layout.read(look, options)
    if layout.name == "folder" and maps.files and not maps.asked:  # who asks for it has nothing but images
        source = layout.read(look, options)
        note = f"{len(maps.files)} of them look like label maps; leave the layout out to pair them"
        return replace(source, notes=(*source.notes, note))
    source = layout.read(without(look, maps) if layout.name in TAKES_ALL else look, options)
    if any(record.mask is not None for record in source):
        return source
    if maps.asked or layout.name in _WITH_MASKS:
        return attached(source, maps, options)
    if not maps.found:
        return source
    note = f"{len(maps.found)} images have a file like a label map {maps.why}, which {layout.name} says nothing of"
    return replace(source, notes=(*source.notes, f"{note}; --mask-pattern or --masks pairs them"))


def _ask(one: Candidate, look: Look, plain: Look, options: ReadSource) -> None:
    """Find out what a layout would take, by reading it unless it says so."""
    if one.guess.takes is not None:
        one.takes, one.carries = one.guess.takes, one.guess.carries or frozenset()
    else:
        try:
            one.source = completed(look, options, read_by(one.layout, look, options))
        except (SourceError, CodecError, MissingExtra) as error:
            one.fault = error
            return
        one.takes, one.carries = taken(look, one.source), carried(one.source)
    left = [key for key, _ in plain.images if key not in one.takes]
    if one.source is not None and "label" in one.carries:
        left = _of_its_parts(left, one.takes, plain)
    one.left = Counter(split_suffix(key)[1].lower() for key in left)


def _of_its_parts(left: list[str], takes: frozenset[str], plain: Look) -> list[str]:
    """Images left in the parts that a table of labels speaks of: those of a test whose answers are kept are no loss."""
    says = plain.arrangement.says

    def part(key: str) -> str | None:
        return said.split if (said := says.get(folder_of(key))) is not None else None

    spoken_of = {part(key) for key, _ in plain.images if key in takes}
    return left if None in spoken_of else [key for key in left if part(key) in spoken_of]


def _judge(candidates: list[Candidate], plain: Look, seen: list[Evidence]) -> tuple[Evidence, ...]:
    """Count what every layout leaves of all that was seen, files that speak for themselves included."""
    content = [
        (one, piece) for one in candidates if (piece := _of_content(one, exported=_is_exported(plain))) is not None
    ]
    evidence = (*seen, *(piece for _, piece in content))
    pictures = {key for key, _ in plain.images}
    for one in candidates:
        if one.takes is not None:
            # Two layouts that read the same file explain it both.
            tables = [(other.takes or frozenset()) - pictures for other, _ in content]
            same = [bool(own) and own <= one.takes for own in tables]
            one.explained = tuple(
                _explains(one, piece) or (n >= len(seen) and same[n - len(seen)]) for n, piece in enumerate(evidence)
            )
            gap = sum(one.left.values()) / len(plain.images) if plain.images else 0.0
            # What a table says of a part of the images, it does not say of the rest.
            partly = gap if one.guess.takes is None else 0.0
            one.unexplained = _LEFT * gap + sum(
                piece.strength * (partly * bool(piece.carries) if told else 1.0)
                for piece, told in zip(evidence, one.explained, strict=True)
            )
    return evidence


def _explains(one: Candidate, piece: Evidence) -> bool:
    if one.layout.name in piece.layouts or piece.carries in one.carries:
        return True
    return piece.carries == "label" and "objects" in one.carries  # what is in the pictures says more than their folder


def _of_content(one: Candidate, *, exported: bool) -> Evidence | None:
    """What it counts that a file says by its content what it is."""
    if one.guess.takes is not None or one.fault is not None:
        return None
    strength = max(0.0, one.guess.sure - _PLAIN)
    if one.takes is not None and one.source is not None:
        records = len(one.source)
        # A file that speaks of a quarter of the images is worth half of one that speaks of all.
        strength *= math.sqrt(records / (records + sum(one.left.values()))) if records else 0
        if not one.carries and not exported:
            strength *= _BARE
    return Evidence(one.guess.why, strength, layouts=(one.layout.name,))


def _is_exported(look: Look) -> bool:
    """Whether `export` wrote what is there: then the file that it wrote says all that there was."""
    return any(key.startswith(".imagemill") for key in look.skipped)


def _refuse_silence(candidates: list[Candidate]) -> None:
    """Do not fall back to a plain folder of images where a file was there to say what they are."""
    readable = [one for one in candidates if one.fault is None]
    if any(one.takes is None or one.carries for one in readable):
        return
    broken = max((one for one in candidates if one.fault is not None), key=lambda one: one.guess.sure, default=None)
    if broken is not None and broken.fault is not None and broken.guess.sure > 0.5:
        raise broken.fault


def carried(source: Source) -> frozenset[str]:
    """What the records of a source have of ``label``, ``split``, ``mask``, ``objects`` and ``group``."""
    found = {"label"} if any(r.label is not None or r.labels is not None for r in source.records) else set()
    for name in ("split", "mask", "objects", "group"):
        of = attrgetter(name)
        if any(of(record) is not None for record in source.records):
            found.add(name)
    return frozenset(found)


def taken(look: Look, source: Source) -> frozenset[str]:
    """Keys of the files below a folder that a source was made of."""
    records = source.records
    if len(records) == len(look.files) and all(
        r.image is path for r, (_, path) in zip(records, look.files, strict=True)
    ):
        return frozenset(key for key, _ in look.files)  # every file is an image, as in most large folders
    inner = any(not isinstance(record.image, Path) for record in source.records)
    if inner and not source.also_read:  # pixels are in files that the layout did not name: no more can be said
        return frozenset(key for key, _ in look.files)
    # Most layouts hand on the paths that they were shown: no need to compare their texts.
    shown = {id(path): key for key, path in look.files}
    paths = [where for record in source.records for where in (record.image, record.mask) if isinstance(where, Path)]
    paths += source.also_read
    used = {shown[id(path)] for path in paths if id(path) in shown}
    named = {str(path) for path in paths if id(path) not in shown}
    if not named:
        return frozenset(used)
    known = {str(path): key for key, path in look.files}
    used |= {known[path] for path in named if path in known}
    other = [path for path in named if path not in known]
    if other:
        plain = {os.path.normpath(path): key for path, key in known.items()}
        used |= {plain[path] for path in map(os.path.normpath, other) if path in plain}
        other = [path for path in other if os.path.normpath(path) not in plain]
    if other:  # through links, or by another name of the same folder
        real = {os.path.realpath(path): key for path, key in known.items()}
        used |= {real[path] for path in map(os.path.realpath, other) if path in real}
    return frozenset(used)


def completed(look: Look, options: ReadSource, source: Source) -> Source:
    """A source with what folders say and its layout does not: the part of an image, and its class.

    Only where the source has none of its own, and the folders say it of every image.
    """
    if not look.is_folder or source.layout in TAKES_ALL or source.layout == "image-masks":
        return source
    if _is_exported(look):
        return source
    plain, maps = images_alone(look, options)
    found = plain.arrangement
    keys = {str(path): key for key, path in plain.images}
    places = [keys.get(str(r.image)) if isinstance(r.image, Path) else None for r in source.records]
    if not places or None in places:
        return source
    folders = [folder_of(str(key)) for key in places]
    has = carried(source)
    splits = [found.says[folder].split for folder in folders]
    labels = [found.label(folder) for folder in folders]
    said = []
    records = source.records
    if "split" not in has and all(splits):
        records = tuple(replace(record, split=split) for record, split in zip(records, splits, strict=True))
        said.append("parts")
    if (
        _Sight(look, plain, maps).may_have_classes()
        and not has & {"label", "objects"}
        and all(labels)
        and 1 < len(set(labels)) < len(labels)
    ):
        records = tuple(replace(record, label=label) for record, label in zip(records, labels, strict=True))
        said.append("classes")
    if not said:
        return source
    note = f"{' and '.join(said)} are from the folders that images lie in"
    return replace(source, records=records, notes=(*source.notes, note))


@dataclass(frozen=True, slots=True)
class _Sight:
    """What witnesses look at: everything, the images alone, and the label maps among them."""

    look: Look
    plain: Look
    maps: LabelMaps | None

    def may_have_classes(self) -> bool:
        """Whether folders may be classes: those of a patient's scans, or of a city's label maps, are none."""
        return examinations(self.look) is None and (self.maps is None or with_classes(self.maps))


def _parts(sight: _Sight) -> Iterator[Evidence]:
    counts = sight.plain.arrangement.splits()
    if counts:
        named = ", ".join(f"{part} ({count:,})" for part, count in sorted(counts.items()))
        yield Evidence(f"folders of parts: {named}", 0.5 * _share(sum(counts.values()), sight), "split")


def _classes(sight: _Sight) -> Iterator[Evidence]:
    found = sight.plain.arrangement
    counts = found.labelled()
    if counts and sight.may_have_classes() and (sight.maps is None or len(counts) > 1):
        names = sorted(counts)
        shown = ", ".join(f"{name} ({counts[name]:,})" for name in names[:5])
        more = f" and {len(names) - 5} more" if len(names) > 5 else ""
        # One folder among loose images is hardly a class.
        strength = 0.5 if len(names) > 1 or not any(found.bare().values()) else 0.15
        yield Evidence(f"folders of classes: {shown}{more}", strength * _share(sum(counts.values()), sight), "label")


def _levels(sight: _Sight) -> Iterator[Evidence]:
    if sight.plain.arrangement.hierarchical and sight.may_have_classes():
        yield Evidence("class folders within class folders", 0.1, layouts=("class-tree",))


def _groups(sight: _Sight) -> Iterator[Evidence]:
    groups = sight.plain.arrangement.groups()
    if groups:
        yield Evidence(f"{len(groups)} folders of patients, videos or the like", 0.2, "group")


def _maps(sight: _Sight) -> Iterator[Evidence]:
    maps = sight.maps
    if maps is not None and (maps.found or maps.undecided):
        yield Evidence(f"{len(maps.files):,} label maps {maps.why or 'of several kinds'}", 0.6, "mask")


def _examined(sight: _Sight) -> Iterator[Evidence]:
    found = examinations(sight.look)
    if found is not None:
        yield Evidence(found.why, 0.9, layouts=("image-masks", "nnunet"))


_WITNESSES: tuple[Callable[[_Sight], Iterator[Evidence]], ...] = (_parts, _classes, _levels, _groups, _maps, _examined)
"""Each looks for one kind of thing. A new shape is one more function here."""


def _share(count: int, sight: _Sight) -> float:
    return min(1.0, count / max(1, len(sight.plain.images)))
