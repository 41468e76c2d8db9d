"""DICOM: folders of files that belong to series, and DICOMDIR.

Sources: DICOM PS3.3 (C.7.3.1 series, C.7.6.2 image plane), PS3.10 (DICOMDIR).
"""

from __future__ import annotations

import hashlib
import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PureWindowsPath
from typing import Any

import numpy as np

from imagemill.core.errors import CodecError, SourceError
from imagemill.data.codecs.base import MAX_PIXELS, ReadOptions, native, problem
from imagemill.data.codecs.volumes.dicom import is_dicom, load_dataset, no_pixels, read_frames
from imagemill.data.codecs.volumes.dicom_geometry import Plane, plane_of, stack_planes
from imagemill.data.codecs.volumes.dicom_pixels import frame_count
from imagemill.data.layouts.base import Guess, Layout, Look, Problem, ReadSource, Source, WriteTarget, Written
from imagemill.data.layouts.walk import real_path
from imagemill.data.records.instances import Scalar
from imagemill.data.records.record import Record, Stored

__all__ = ["Dicom"]

_SUFFIXES = (".dcm", ".dicom", ".ima")
_DIRECTORY = "1.2.840.10008.1.3.10"
_STACKED = ("CT", "MR", "PT")
_TURN = 4  # digits of direction cosines that make two slices parallel
_ATTRIBUTES = {
    "modality": "Modality",
    "patient": "PatientID",
    "study": "StudyInstanceUID",
    "series": "SeriesInstanceUID",
    "description": "SeriesDescription",
    "body_part": "BodyPartExamined",
    "laterality": "ImageLaterality",
    "view": "ViewPosition",
    "manufacturer": "Manufacturer",
    "scanner": "ManufacturerModelName",
    "sequence": "ScanningSequence",
    "kernel": "ConvolutionKernel",
}


@dataclass(frozen=True, slots=True)
class _Slice:
    """What the header of one file says."""

    key: str
    path: Path
    series: str
    shape: tuple[int, int]
    frames: int
    colour: bool
    number: int | None
    order: tuple[float, ...]
    plane: Plane | None
    facts: Mapping[str, Scalar]

    @property
    def family(self) -> tuple[Any, ...]:
        """Slices of one family may stack."""
        turn: tuple[float, ...] = ()
        if self.plane is not None:
            both = np.concatenate([self.plane.right, self.plane.down])
            turn = (*(float(v) for v in np.round(both, _TURN) + 0.0), *self.plane.spacing)
        return (self.series, self.shape, self.colour, turn)


@dataclass(frozen=True, slots=True)
class _Volume:
    """Reads the files of a series in order."""

    files: tuple[Path, ...]

    def __call__(self) -> np.ndarray[Any, Any]:
        parts = [read_frames(path, ReadOptions(), [])[0] for path in self.files]
        shape = parts[0].shape
        for path, part in zip(self.files, parts, strict=True):
            if part.shape != shape:
                got = f"{part.shape}"
                raise problem(path, f"a slice of shape {shape} like the first", got, "check the series")
        # A scale of each slice's own may need a float where another slice needs none.
        kind = np.result_type(*(part.dtype for part in parts))
        return native(np.stack([part.astype(kind) for part in parts]))


class Dicom(Layout):
    """Folders of DICOM files, with and without suffix; one record a volume or picture.

    Files of one series, size and orientation are a volume, sorted by position (by InstanceNumber where there is none);
    a place that is taken several times (phases, echoes) makes several volumes. Files with frames of their own, and
    slices alone, are read by themselves. The patient is the group.
    """

    name = "dicom"
    title = "DICOM series (read only)"
    holds: frozenset[str] = frozenset(("image", "uint16", "float", "volume", "affine", "group", "attributes"))
    place = 300
    recognised = (
        "Files that begin like DICOM, or a `DICOMDIR`. Slices of a series are sorted by position into volumes; the "
        "patient is the group."
    )

    def guess(self, look: Look) -> Guess | None:
        if not look.is_folder:
            if not _begins(look.path):
                return None
            named = look.path.name.upper() == "DICOMDIR"
            return Guess(0.95, "it is the index of a DICOM medium" if named else "it is a DICOM file")
        if any(key == "DICOMDIR" and _begins(path) for key, path in look.files):
            return Guess(0.95, "there is a DICOMDIR, the index of a DICOM medium")
        odd = {suffix for suffix in look.suffixes if suffix in _SUFFIXES or not suffix[1:].isalpha()}
        likely = [path for _, path in look.ending(*sorted(odd))]
        if not likely or 2 * len(likely) < len(look.files):
            return None
        some = likely[:: max(1, len(likely) // 8)][:8]
        found = sum(_begins(path) for path in some)
        if 2 * found <= len(some):
            return None
        return Guess(0.9, f"{found} of {len(some)} files looked at begin like DICOM")

    def read(self, look: Look, options: ReadSource) -> Source:
        problems: list[Problem] = []
        notes: list[str] = []
        root = look.path if look.is_folder else look.path.parent
        files = _listed(look, problems, notes)
        slices = list(_headers(files, problems, notes))
        families: dict[tuple[Any, ...], list[_Slice]] = defaultdict(list)
        for one in slices:
            # A file with frames of its own is whole by itself, and so is one that names no series.
            alone = one.frames > 1 or not one.series
            families[(one.key,) if alone else one.family].append(one)
        records: list[Record] = []
        taken: set[str] = set()
        for family in families.values():
            records += _records(family, [s.key for s in slices], taken, problems, notes)
        if not records:
            what = "; ".join(str(p) for p in problems[:3]) or "no DICOM file"
            raise SourceError(f"expected DICOM images in {look.path}, got none: {what}; check the folder")
        records.sort(key=lambda record: record.key)
        return Source(root, self.name, tuple(records), notes=tuple(dict.fromkeys(notes)), problems=tuple(problems))

    def write(self, source: Source, out: Path, options: WriteTarget) -> Written:
        msg = "expected a layout that can be written, got dicom, which is read only"
        raise SourceError(f"{msg}; volumes go into image-masks (.nii.gz), nnunet, hdf5 or tiff-stack")


def _begins(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            start = file.read(132)
    except OSError:
        return False
    return is_dicom(start, bare=path.suffix.lower() in _SUFFIXES)


def _listed(look: Look, problems: list[Problem], notes: list[str]) -> list[tuple[str, Path]]:
    """The files to look at: those a DICOMDIR names, or all that begin like DICOM."""
    if not look.is_folder and look.path.name.upper() != "DICOMDIR":
        return list(look.files)
    index = look.path if not look.is_folder else dict(look.files).get("DICOMDIR")
    if index is not None:
        found = _directory(index, problems)
        if look.is_folder:
            known = {real_path(path) for _, path in found}
            others = sum(real_path(path) not in known and path != index and _begins(path) for _, path in look.files)
            notes += [f"{others} DICOM files that the DICOMDIR does not name passed over"] if others else []
        return found
    files = [(key, path) for key, path in look.files if _begins(path)]
    others = len(look.files) - len(files)
    notes += [f"{others} other files passed over"] if others else []
    return files


def _directory(index: Path, problems: list[Problem]) -> list[tuple[str, Path]]:
    """Files that a DICOMDIR names, as far as they lie in its folder."""
    try:
        dataset = load_dataset(index)
        entries = list(dataset.get("DirectoryRecordSequence") or ())
        named = [entry.get("ReferencedFileID") for entry in entries]
    except CodecError as error:
        raise SourceError(str(error)) from error
    except Exception as error:  # damaged sequences fail anywhere inside the parser
        raise SourceError(
            f"{index}: expected a whole DICOMDIR, got {error}; give the folder's files instead"
        ) from error
    root, found = index.parent, {}
    for parts in named:
        if not parts:
            continue
        steps = [parts] if isinstance(parts, str) else [str(part) for part in parts]
        path = root.joinpath(*steps)
        odd = any(PureWindowsPath(step).anchor or step in ("", ".", "..") or set(step) & set("/\\") for step in steps)
        shown = "/".join(steps)
        if odd or root.resolve() not in real_path(path).parents:
            problems.append(
                Problem(shown, "expected a file in the DICOMDIR's folder, got a path that leads out; move it")
            )
        elif not path.is_file():
            msg = "expected a file that the DICOMDIR names, got nothing there; get it again"
            problems.append(Problem(shown, msg, missing=True))
        else:
            found[path.relative_to(root).as_posix()] = path
    return sorted(found.items())


def _headers(files: Iterable[tuple[str, Path]], problems: list[Problem], notes: list[str]) -> Iterator[_Slice]:
    """Read the headers; what is no image is named."""
    for key, path in files:
        try:
            dataset = load_dataset(path, pixels=False)
            if str(dataset.file_meta.get("MediaStorageSOPClassUID", "")) == _DIRECTORY:
                notes.append(f"{key} is an index; its files are read as they lie")
                continue
            one = _header(key, path, dataset)
        except CodecError as error:
            problems.append(Problem(key, str(error)))
            continue
        except Exception as error:  # values of the wrong kind fail anywhere inside the parser
            got = f"expected a readable DICOM header, got {type(error).__name__}: {error}; get the file again"
            problems.append(Problem(key, got))
            continue
        size = one.shape[0] * one.shape[1] * one.frames
        if not size:
            what = no_pixels(dataset)
            problems.append(Problem(key, f"expected an image, got {what}; it is left out"))
        elif size > MAX_PIXELS:
            problems.append(Problem(key, f"expected at most {MAX_PIXELS:,} pixels, got {size:,}; check the file"))
        else:
            yield one


def _header(key: str, path: Path, dataset: Any) -> _Slice:
    def whole(name: str) -> int | None:
        value = dataset.get(name)
        return None if value in (None, "") else int(value)

    order = tuple(float(whole(n) or 0) for n in ("EchoNumbers", "TemporalPositionIdentifier", "AcquisitionNumber"))
    facts = {name: _text(v) for name, word in _ATTRIBUTES.items() if (v := dataset.get(word)) not in (None, "")}
    return _Slice(
        key,
        path,
        str(dataset.get("SeriesInstanceUID") or ""),
        (whole("Rows") or 0, whole("Columns") or 0),
        frame_count(dataset),
        (whole("SamplesPerPixel") or 1) > 1 or str(dataset.get("PhotometricInterpretation")) == "PALETTE COLOR",
        whole("InstanceNumber"),
        order,
        plane_of(dataset),
        facts,
    )


def _text(value: Any) -> str:
    """A value as text; of several, joined as DICOM writes them."""
    return str(value) if isinstance(value, str) or not hasattr(value, "__iter__") else "\\".join(map(str, value))


def _records(
    family: list[_Slice], keys: list[str], taken: set[str], problems: list[Problem], notes: list[str]
) -> Iterator[Record]:
    """Make records of the files of one series, size and orientation."""
    first = family[0]
    if len(family) == 1:
        yield _record(first.key, first, first.path, taken)
        return
    if any(one.plane is None for one in family):
        numbers = {one.number for one in family}
        stacks = first.facts.get("modality") in _STACKED and None not in numbers and len(numbers) == len(family)
        if not stacks:
            for one in family:
                yield _record(one.key, one, one.path, taken)
            return
        notes.append(f"{_key(family, keys)}: no positions; slices in the order of their InstanceNumber")
        ordered = sorted(family, key=lambda one: one.number or 0)
        yield _record(_key(family, keys), first, _stored(_key(family, keys), ordered, None), taken)
        return
    volumes = _phases(family)
    for number, volume in enumerate(volumes):
        key = _key(family, keys) + (f"/volume-{number + 1:02d}" if len(volumes) > 1 else "")
        if len(volume) == 1:
            yield _record(volume[0].key, volume[0], volume[0].path, taken)
            continue
        stack = stack_planes([one.plane for one in volume if one.plane is not None])
        ordered = [volume[n] for n in stack.order]
        if stack.fault:
            problems.append(Problem(key, f"expected slices at even distances, got {stack.fault}; look for lost files"))
        if stack.missing >= len(volume):  # more gap than volume: to count on it would put every voxel wrong
            notes.append(f"{key}: {len(volume)} slices too far apart for a volume are images of their own")
            for one in volume:
                yield _record(one.key, one, one.path, taken)
            continue
        yield _record(key, first, _stored(key, ordered, stack.affine, stack.fault), taken)


def _phases(family: list[_Slice]) -> list[list[_Slice]]:
    """Part slices that lie at one place: the first of each place is one volume, the second another."""
    places: dict[float, list[_Slice]] = defaultdict(list)
    for one in family:
        if one.plane is not None and family[0].plane is not None:
            # Measured along one normal for all: rounded cosines would move slices far from the origin.
            places[round(float(one.plane.position @ family[0].plane.normal), 3)].append(one)
    for slices in places.values():
        slices.sort(key=lambda one: (one.order, one.number if one.number is not None else 0, one.key))
    most = max(len(slices) for slices in places.values())
    return [[slices[n] for _, slices in sorted(places.items()) if n < len(slices)] for n in range(most)]


def _stored(key: str, slices: list[_Slice], affine: Any, fault: str = "") -> Stored:
    meta = {"format": "dicom", "dicom": {"modality": slices[0].facts.get("modality", "")}}
    if fault:
        meta["fault"] = fault
    axes = "zyxc" if slices[0].colour else "zyx"
    return Stored(f"{key} ({len(slices)} slices)", _Volume(tuple(one.path for one in slices)), axes, affine, meta)


def _record(key: str, one: _Slice, image: Any, taken: set[str]) -> Record:
    if key in taken:
        key = f"{key}#{len(taken)}"
    taken.add(key)
    facts = dict(one.facts)
    return Record(key, image, group=str(facts["patient"]) if facts.get("patient") else None, attributes=facts)


def _key(family: list[_Slice], keys: list[str]) -> str:
    """The folder of a series where it has one to itself; else the folder and a name made of the series' number."""
    folder = os.path.commonpath([os.path.dirname(one.key) for one in family]).replace(os.sep, "/")
    inside = sum(key.startswith(f"{folder}/") if folder else True for key in keys)
    if folder and inside == len(family):
        return folder
    mark = hashlib.blake2b(repr(family[0].family).encode(), digest_size=4).hexdigest()
    return f"{folder}/series-{mark}".lstrip("/")


LAYOUTS: tuple[Layout, ...] = (Dicom(),)
