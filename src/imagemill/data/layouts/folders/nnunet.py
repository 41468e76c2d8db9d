"""nnU-Net's raw datasets, and the Decathlon's, from which they come.

Sources: Isensee et al. 2021, "nnU-Net: a self-configuring method for deep learning-based biomedical image
segmentation", with the format of its versions 1 and 2; Antonelli et al. 2022, "The Medical Segmentation Decathlon".
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from imagemill.core.errors import CodecError, SourceError
from imagemill.data.codecs.base import Picture
from imagemill.data.codecs.registry import is_readable_name, write_picture
from imagemill.data.layouts.arrays.containers import not_written, nothing_written, safe_name, what_is_lost
from imagemill.data.layouts.base import Guess, Layout, Look, Problem, ReadSource, Source, WriteTarget, Written
from imagemill.data.layouts.export_files import Export, exporting
from imagemill.data.layouts.folders.case_channels import as_channels
from imagemill.data.layouts.walk import real_path
from imagemill.data.records.loading import load_mask, load_picture
from imagemill.data.records.record import Record, split_suffix

__all__ = ["NnUnet"]

_FOLDERS = (("imagesTr", "labelsTr", "train"), ("imagesTs", "labelsTs", "test"))
_CHANNEL = re.compile(r"(.+)_(\d{4})$")
_LARGEST_JSON = 1 << 26
# What dataset.json says of the whole set, and is written anew.
_FACTS = frozenset(("channel_names", "modality", "labels", "mask_labels", "numTraining", "file_ending"))


class NnUnet(Layout):
    """``dataset.json`` with ``imagesTr``, ``labelsTr``, ``imagesTs`` and perhaps ``labelsTs``.

    ``case_0000.nii.gz``, ``case_0001.nii.gz`` are channels of one case; files without such a number (the Decathlon's)
    are cases by themselves. ``imagesTr`` is the split ``train``, ``imagesTs`` is ``test``. Names of labels and
    channels are in ``info``.
    """

    name = "nnunet"
    title = "nnU-Net raw dataset (dataset.json, imagesTr, labelsTr)"
    holds = frozenset(("image", "uint16", "float", "channels", "volume", "affine", "mask", "split"))
    place = 290
    writes = True
    recognised = (
        "`dataset.json` beside `imagesTr`, of nnU-Net (both versions) and of the Medical Segmentation Decathlon."
    )
    written = (
        "`imagesTr`, `labelsTr`, `imagesTs`, `labelsTs` and `dataset.json`. Knows train and test alone: the rest "
        "becomes train."
    )

    def guess(self, look: Look) -> Guess | None:
        if not look.is_folder or not any(key == "dataset.json" for key, _ in look.ending(".json")):
            return None
        if not any(key.startswith("imagesTr/") for key, _ in look.files):
            return None
        try:
            described = _described(look.path)
        except SourceError:
            return Guess(0.6, "there are a dataset.json and a folder imagesTr")
        said = "labels" in described and ("channel_names" in described or "modality" in described)
        return Guess(0.95 if said else 0.7, "dataset.json names labels and channels, and there is a folder imagesTr")

    def read(self, look: Look, options: ReadSource) -> Source:
        if not look.is_folder:
            msg = "expected a folder with dataset.json and imagesTr"
            raise SourceError(f"{msg}, got the file {look.path}; give the folder")
        described = _described(look.path)
        problems: list[Problem] = []
        notes: list[str] = []
        ending = described.get("file_ending")
        records: list[Record] = []
        for images, labels, split in _FOLDERS:
            files = {key: path for key, path in look.files if key.startswith((f"{images}/", f"{labels}/"))}
            records += _cases(files, images, labels, split, ending if isinstance(ending, str) else None, problems)
        listed = described.get("dataset")
        if isinstance(listed, dict):
            records += _listed(look.path, listed, options, problems)
        if not records:
            what = "; ".join(str(p) for p in problems[:3]) or "no image in imagesTr and imagesTs"
            raise SourceError(f"expected images of cases in {look.path}, got none: {what}; check file_ending")
        counted = described.get("numTraining")
        trained = sum(record.split == "train" for record in records)
        if isinstance(counted, int) and counted != trained:
            notes.append(f"dataset.json counts {counted} training cases, and there are {trained}")
        known = {key for key, _ in look.files if key.partition("/")[0] in {n for f in _FOLDERS for n in f[:2]}}
        others = len(look.files) - len(known) - 1
        notes += [f"{others} other files passed over"] if others > 0 else []
        # Channels of a case are one image, so no record names their files.
        also = (look.path / "dataset.json", *(p for key, p in look.files if key in known and is_readable_name(p)))
        info = {**described, "mask_labels": _label_names(described.get("labels"))}
        for listing in ("training", "test", "dataset"):
            info.pop(listing, None)
        missing = tuple(record.key for record in records if record.mask is None and record.split == "train")
        return Source(
            *(look.path, self.name, tuple(records), missing),
            notes=tuple(notes),
            problems=tuple(problems),
            info=info,
            also_read=also,
        )

    def write(self, source: Source, out: Path, options: WriteTarget) -> Written:
        with exporting(out, self.name, options) as job:
            return self._write(source, job)

    def _write(self, source: Source, job: Export) -> Written:
        out, options = job.out, job.options
        # Plain facts (name, licence...) have their place in dataset.json.
        facts = {k: v for k, v in source.info.items() if k not in _FACTS and isinstance(v, str | int | float)}
        lost = what_is_lost(source, self.holds, "nnU-Net", _FACTS | set(facts))
        problems: list[Problem] = []
        taken: set[str] = set()
        state = _Cases(job, lost)
        count = trained = 0
        for record in source.records:
            case = safe_name(re.sub(r"^images(Tr|Ts)/", "", _without_suffix(record.key)), taken)
            try:
                state.case(case, record)
            except CodecError as error:
                problems.append(not_written(record, error))
                continue
            count += 1
            trained += record.split != "test"
            if options.progress is not None:
                options.progress(count)
        if not count:
            raise nothing_written(problems)
        for count_of, named in (
            (lambda r: r.split == "val", "splits (val)"),
            (lambda r: r.split is None, "images without a split"),
        ):
            if total := sum(map(count_of, source.records)):
                lost.append(f"{total} {named}: nnU-Net has train and test; written as train")
        described = {
            **facts,
            "channel_names": _channel_names(source.info, state.channels),
            "labels": _written_labels(source.info, state.values, lost),
            "numTraining": trained,
            "file_ending": state.ending,
        }
        job.text("dataset.json", json.dumps(described, indent=2) + "\n")
        return Written(out, count, tuple(dict.fromkeys(lost)), tuple(problems))


def _described(root: Path) -> dict[str, Any]:
    """Read dataset.json."""
    file = root / "dataset.json"
    try:
        if file.stat().st_size > _LARGEST_JSON:
            got = f"{file.stat().st_size:,} bytes"
            raise SourceError(f"expected {file} to describe a dataset, got {got}; check the file")
        found = json.loads(file.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError, ValueError, RecursionError) as error:
        if isinstance(error, SourceError):
            raise
        raise SourceError(f"expected {file} to be JSON in UTF-8, got {error}; correct it") from error
    if not isinstance(found, dict):
        raise SourceError(f"expected {file} to hold one JSON object, got {type(found).__name__}; correct it")
    return found


def _label_names(labels: Any) -> dict[str, str]:
    """Number to name, from both forms: ``{"0": "background"}`` (version 1) and ``{"background": 0}`` (version 2)."""
    found: dict[str, str] = {}
    for one, other in labels.items() if isinstance(labels, Mapping) else ():
        if isinstance(other, int):
            found[str(other)] = str(one)
        elif isinstance(other, str):
            found[str(one)] = other
        elif isinstance(other, list):  # a region: the union of several numbers
            found["+".join(str(n) for n in other)] = str(one)
    return found


def _without_suffix(key: str) -> str:
    suffix = split_suffix(key)[1]
    return key.removesuffix(suffix) if is_readable_name(key) else key


def _cases(
    files: Mapping[str, Path], images: str, labels: str, split: str, ending: str | None, problems: list[Problem]
) -> Iterator[Record]:
    """Put channels of a case together, and give it its labels."""
    cases: dict[str, dict[int, Path]] = {}
    masks: dict[str, Path] = {}
    for key, path in files.items():
        name = key.partition("/")[2]
        fits = name.endswith(ending) if ending is not None else is_readable_name(name)
        if not fits or not is_readable_name(name):
            why = f"expected files that end in {ending}" if ending else "expected images"
            problems.append(Problem(key, f"{why}, got {path.name}; correct file_ending or convert it"))
            continue
        stem = name.removesuffix(ending) if ending is not None else _without_suffix(name)
        if key.startswith(f"{labels}/"):
            masks[stem] = path
            continue
        parts = _CHANNEL.match(stem)
        case, channel = (parts[1], int(parts[2])) if parts else (stem, 0)
        if channel in cases.setdefault(case, {}):
            problems.append(Problem(key, f"expected one file for channel {channel} of {case}, got another; remove one"))
        cases[case][channel] = path
    # The Decathlon's own names may end in four digits too: there each file is a case, as its labels say.
    if masks and not set(cases) & set(masks) and any(f"{c}_{n:04d}" in masks for c, chs in cases.items() for n in chs):
        cases = {f"{case}_{n:04d}": {0: path} for case, chs in cases.items() for n, path in chs.items()}
    for case, channels in sorted(cases.items()):
        if sorted(channels) != list(range(len(channels))):
            got = ", ".join(f"{n:04d}" for n in sorted(channels))
            msg = f"expected channels from 0000 without gaps, got {got}; add them"
            problems.append(Problem(f"{images}/{case}", msg, missing=True))
            continue
        try:
            image = as_channels(case, tuple(channels[n] for n in sorted(channels)))
        except CodecError as error:
            problems.append(Problem(f"{images}/{case}", str(error)))
            continue
        yield Record(f"{images}/{case}", image, masks.pop(case, None), split=split)
    for case, path in sorted(masks.items()):
        problems.append(
            Problem(f"{labels}/{path.name}", f"expected an image of case {case}, got labels only; add it", missing=True)
        )


def _listed(root: Path, listed: Mapping[str, Any], options: ReadSource, problems: list[Problem]) -> Iterator[Record]:
    """Cases that version 2 lists with paths of their own."""
    for case, entry in sorted(listed.items()):
        images = entry.get("images") if isinstance(entry, dict) else None
        label = entry.get("label") if isinstance(entry, dict) else None
        if not isinstance(images, list) or not images or not all(isinstance(p, str) for p in images):
            msg = f"expected a list of images for the case, got {repr(entry)[:80]}; correct dataset.json"
            problems.append(Problem(str(case), msg))
            continue
        try:
            paths = tuple(_inside(root, name, outside=options.outside) for name in images)
            mask = _inside(root, label, outside=options.outside) if isinstance(label, str) else None
            yield Record(f"dataset/{case}", as_channels(case, paths), mask, split="train")
        except (CodecError, SourceError) as error:
            problems.append(Problem(str(case), str(error), "where there is nothing" in str(error)))


def _inside(root: Path, name: str, *, outside: bool) -> Path:
    path = root / name
    if not outside and real_path(root) not in real_path(path).parents:
        msg = f"expected a path within {root}, got {name!r}, which leads out"
        raise SourceError(f"{msg}; allow paths outside, or move it")
    if not path.is_file():
        raise SourceError(f"expected a file, got {name!r}, where there is nothing; correct dataset.json")
    return path


class _Cases:
    """What has been learned while writing."""

    def __init__(self, job: Export, lost: list[str]) -> None:
        self.job, self.lost = job, lost
        self.ending = job.options.format or ""
        self.channels = 0
        self.values: set[int] = set()

    def case(self, case: str, record: Record) -> None:
        """Write the files of one case; all pixels are read before any is written."""
        picture = load_picture(record.image)
        mask = None if record.mask is None else load_mask(record.mask, like=picture)
        if mask is not None and mask.array.shape != picture.spatial_shape:
            got = f"a mask of {mask.array.shape} for an image of {picture.spatial_shape}"
            raise CodecError(f"{record.key}: expected a mask of the image's size, got {got}; resample it")
        if not self.ending:
            byte = picture.array.dtype == np.uint8 and picture.channels in (None, 1, 3)
            photo = byte and picture.axes.startswith("y")
            self.ending = ".nii.gz" if picture.axes.startswith("z") else ".png" if photo else ".tif"
        planes = _planes(picture, self.ending)
        if self.channels and len(planes) != self.channels:
            got = f"got {len(planes)} channels; leave it out"
            raise CodecError(f"{record.key}: expected {self.channels} channels like the first case, {got}")
        self.channels = len(planes)
        where = "Ts" if record.split == "test" else "Tr"
        for number, plane in enumerate(planes):
            self.write(f"images{where}/{case}_{number:04d}", plane)
        if mask is not None:
            affine = mask.affine if mask.affine is not None else picture.affine
            self.write(f"labels{where}/{case}", Picture(mask.array, mask.axes, affine, mask.meta))
            self.values |= {int(value) for value in np.unique(mask.array)}

    def write(self, name: str, picture: Picture) -> None:
        """Write one file, and remember it."""
        path = self.job.out / f"{name}{self.ending}"
        self.job.announce(path)
        write_picture(path, picture)


def _planes(picture: Picture, ending: str) -> list[Picture]:
    """One picture per file: colour stays together in PNG, everything else goes apart."""
    if picture.channels is None or (ending == ".png" and picture.channels == 3):
        return [picture]
    axes = picture.axes.removesuffix("c")
    apart = np.moveaxis(picture.array, -1, 0)
    return [Picture(np.ascontiguousarray(plane), axes, picture.affine, picture.meta) for plane in apart]


def _channel_names(info: Mapping[str, Any], count: int) -> dict[str, str]:
    given = info.get("channel_names", info.get("modality"))
    if isinstance(given, Mapping) and len(given) == count:
        return {str(number): str(name) for number, name in given.items()}
    return {str(number): f"channel_{number}" for number in range(count)}


def _written_labels(info: Mapping[str, Any], values: set[int], lost: list[str]) -> dict[str, int]:
    """Name to number, background first; nnU-Net wants them without gaps."""
    known = info.get("mask_labels")
    names = {int(k): str(v) for k, v in known.items() if str(k).isdecimal()} if isinstance(known, Mapping) else {}
    found = sorted(values | set(names) | {0})
    if found != list(range(len(found))):
        lost.append(f"labels without gaps: nnU-Net trains on 0 to {len(found) - 1}, and the masks have {found[:10]}")
    return {names.get(n, "background" if n == 0 else f"label_{n}"): n for n in found}


LAYOUTS: tuple[Layout, ...] = (NnUnet(),)
