"""Examinations with one file per modality and a label map, such as ``BraTS_001/BraTS_001_{flair,t1,t2,seg}.nii.gz``."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from imagemill.core.errors import CodecError, SourceError
from imagemill.data.layouts.base import Look, Problem, ReadSource, Source
from imagemill.data.layouts.folders.case_channels import VOLUMES, as_channels
from imagemill.data.layouts.labelmaps.mask_names import mask_cores, plain
from imagemill.data.layouts.labelmaps.pair_by_name import Reader, role_of
from imagemill.data.records.record import Record, split_suffix

__all__ = ["Examinations", "examinations", "read_examinations"]

_WORDS = (
    "t1 t1w t1n t1c t1ce t1gd t1post t1pre t1contrast t2 t2w t2f t2star flair fl pd pdw swi adc dwi dwi0 dwi1 b0 "
    "ktrans perf cbf cbv mtt tmax ttp ct cta ctp ncct cect cbct mr mri mra pet suv suvbw fdg spect us inphase outphase"
)
_LAST = frozenset(suffix[suffix.rfind(".") :] for suffix in VOLUMES)
_MODALITY = re.compile(rf"(?:(.*?)[-_. ]+)?({'|'.join(sorted(_WORDS.split(), key=len, reverse=True))})", re.I)


@dataclass(frozen=True, slots=True)
class Examinations:
    """Files of volumes that belong together.

    Parameters
    ----------
    files : mapping
        From a case (its folder and name) to its files by modality.
    masks : mapping of str to list of str
        From a case to the keys of its label maps.
    modalities : tuple of str
        In the order of the channels.
    others : tuple of str
        Keys of volumes that are neither.
    """

    files: Mapping[str, Mapping[str, str]]
    masks: Mapping[str, list[str]]
    modalities: tuple[str, ...]
    others: tuple[str, ...]

    @property
    def why(self) -> str:
        """In words, for a guess."""
        return f"{len(self.files)} examinations with one file each for {', '.join(self.modalities)}"


def examinations(look: Look) -> Examinations | None:
    """Find files that differ in a word for a modality alone; None where most volumes are named in another way.

    Examples
    --------
    >>> from pathlib import Path
    >>> keys = [f"p1/p1_{word}.nii.gz" for word in ("t1", "flair", "seg")]
    >>> found = examinations(Look(Path("."), tuple((key, Path(key)) for key in keys)))
    >>> dict(found.files), dict(found.masks)
    ({'p1/p1': {'t1': 'p1/p1_t1.nii.gz', 'flair': 'p1/p1_flair.nii.gz'}}, {'p1/p1': ['p1/p1_seg.nii.gz']})
    """
    if "examinations" not in look.memo:
        look.memo["examinations"] = _find(look)
    found: Examinations | None = look.memo["examinations"]
    return found


def _find(look: Look) -> Examinations | None:
    if not set(look.suffixes) & _LAST:
        return None
    volumes = [key for key, _ in look.images if split_suffix(key)[1].lower() in VOLUMES]
    if not volumes or 2 * len(volumes) < len(look.images):
        return None
    files: dict[str, dict[str, str]] = {}
    rest = []
    for key in volumes:
        folder, _, name = key.rpartition("/")
        said = _MODALITY.fullmatch(plain(split_suffix(name)[0]))
        if said is None:
            rest.append(key)
        else:
            files.setdefault(_case(folder, said[1]), {}).setdefault(said[2].lower(), key)
    several = {case: named for case, named in files.items() if len(named) > 1}
    if not several or 2 * len(several) < len(files):
        return None
    masks: dict[str, list[str]] = {}
    others = []
    for key in rest:
        case = _case_of_mask(key, files)
        if case is None:
            others.append(key)
        else:
            masks.setdefault(case, []).append(key)
    if len(others) > len(files):
        return None
    counts = Counter(word for named in files.values() for word in named)
    return Examinations(files, masks, tuple(sorted(counts)), tuple(others))


def _case(folder: str, name: str | None) -> str:
    """What files of one examination have in common: their folder, and their name where that says more."""
    return "/".join(part for part in (folder, name) if part) or "case"


def _case_of_mask(key: str, files: Mapping[str, object]) -> str | None:
    folder, _, name = key.rpartition("/")
    for way in mask_cores(plain(split_suffix(name)[0])):
        in_role = any(role_of(part) == "mask" for part in folder.split("/"))
        if (way.sure or in_role) and (case := _case(folder, way.core)) in files:
            return case
    return None


def read_examinations(look: Look, found: Examinations, options: ReadSource) -> Source:
    """One record an examination, its modalities as channels, its label map, its folder as its group.

    ``extra={"channels": "flair,t1"}`` takes some of the modalities, in that order.

    Raises
    ------
    SourceError
        When no file is of a modality that was asked for.
    """
    asked = options.extra.get("channels")
    wanted = found.modalities if asked is None else tuple(word.strip().lower() for word in str(asked).split(","))
    if unknown := [word for word in wanted if word not in found.modalities]:
        raise SourceError(
            f"expected channels of {', '.join(found.modalities)}, got {', '.join(unknown)}; choose some of these"
        )
    path_of = dict(look.images)
    reader = Reader(list(path_of))
    records: list[Record] = []
    problems: list[Problem] = []
    for case, files in sorted(found.files.items()):
        lacking = [word for word in wanted if word not in files]
        if lacking:
            msg = f"expected a file each for {', '.join(wanted)}, got none for {', '.join(lacking)}"
            problems.append(
                Problem(case, f"{case}: {msg}; add it, or choose modalities by --option channels=NAME,NAME")
            )
            continue
        masks = found.masks.get(case, [])
        if len(masks) > 1:
            msg = f"expected one mask for {case}, got {' and '.join(masks[:2])}; remove or rename all but one"
            problems.append(Problem(case, msg))
        try:
            image = as_channels(case, tuple(path_of[files[word]] for word in wanted))
        except CodecError as error:
            problems.append(Problem(case, str(error)))
            continue
        name = reader.read(files[wanted[0]])
        group = name.bare[-1] if name.bare else case.rpartition("/")[2]
        mask = path_of[masks[0]] if len(masks) == 1 else None
        records.append(Record(case, image, mask, split=name.split, group=group))
    if any(record.split is None for record in records):
        records = [Record(r.key, r.image, r.mask, group=r.group) for r in records]
    return _described(look, found, wanted, records, problems)


def _described(
    look: Look, found: Examinations, wanted: tuple[str, ...], records: list[Record], problems: list[Problem]
) -> Source:
    """The source of these records, with what is to be said of it."""
    missing = tuple(record.key for record in records if record.mask is None) if found.masks else ()
    left = [word for word in found.modalities if word not in wanted]
    notes = [f"channels: {', '.join(wanted)}; --option channels=NAME,NAME takes others or another order"]
    notes += [f"not taken: {', '.join(left)}"] if left else []
    notes += ["group: the examination"]
    if found.others:
        shown = ", ".join(found.others[:3]) + (f" and {len(found.others) - 3} more" if len(found.others) > 3 else "")
        notes.append(f"{len(found.others)} volumes are neither of a modality nor a label map: {shown}")
    cases = {record.key for record in records}
    used = {files[word] for case, files in found.files.items() if case in cases for word in wanted}
    info = {"channel_names": {str(number): word for number, word in enumerate(wanted)}}
    return Source(
        look.path, "image-masks", tuple(records), missing, tuple(notes), problems=tuple(problems), info=info,
        also_read=tuple(path for key, path in look.images if key in used),
    )  # fmt: skip
