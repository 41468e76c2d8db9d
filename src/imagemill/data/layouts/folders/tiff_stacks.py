"""TIFF stacks: a folder of numbered pages as one volume, and a file of many pages as many images.

Source: TIFF 6.0 says nothing about volumes; microscopes and CT benches write one file a slice, numbered.
"""

from __future__ import annotations

import re
import threading
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from imagemill.core.errors import CodecError, SourceError
from imagemill.core.extras import require
from imagemill.data.codecs.base import MAX_PIXELS, Picture, ReadOptions, check_pixels, native, problem
from imagemill.data.codecs.header_size import image_size
from imagemill.data.codecs.registry import decode, write_picture
from imagemill.data.codecs.tiff.tiff import read_page
from imagemill.data.codecs.tiff.tiff_colour import page_axes
from imagemill.data.layouts.arrays.containers import not_written, nothing_written, safe_name, what_is_lost
from imagemill.data.layouts.base import Guess, Layout, Look, Problem, ReadSource, Source, WriteTarget, Written
from imagemill.data.layouts.export_files import Export, exporting
from imagemill.data.records.loading import load_mask, load_picture
from imagemill.data.records.record import Record, Stored

__all__ = ["TiffStack"]

_SUFFIXES = (".tif", ".tiff")
_NUMBERED = re.compile(r"(.*?)(\d+)$")
_SLICES = re.compile(r"(^|[^a-z])(z|slices?|planes?|layers?|pages?)[-_ ]?$", re.IGNORECASE)
_FEWEST = 3
_MASKS, _IMAGES = "masks", "images"


@dataclass(frozen=True, slots=True)
class _Pages:
    """Reads numbered files, one slice each."""

    files: tuple[Path, ...]
    labels: bool = False

    def __call__(self) -> np.ndarray[Any, Any]:
        parts = [decode(path, ReadOptions(labels=self.labels)) for path in self.files]
        first = parts[0]
        for path, part in zip(self.files, parts, strict=True):
            if part.axes.startswith("z"):
                raise problem(path, "one page", f"{len(part.array)}", "give single pages, or the file by itself")
            if (part.axes, part.array.shape, part.array.dtype) != (first.axes, first.array.shape, first.array.dtype):
                got = f"{part.array.dtype} of shape {part.array.shape}"
                expected = f"{first.array.dtype} of shape {first.array.shape} like {self.files[0].name}"
                raise problem(path, expected, got, "check that the files are one stack")
        check_pixels(self.files[0], (len(parts), *first.spatial_shape), MAX_PIXELS)
        return np.stack([part.array for part in parts])


@dataclass(slots=True)
class _Paged:
    """A file of many pages that stays open while its pages are read one by one."""

    path: Path
    _lock: Any = field(default_factory=threading.Lock, repr=False)

    def __reduce__(self) -> tuple[Any, ...]:
        return _Paged, (self.path,)

    def page(self, number: int) -> np.ndarray[Any, Any]:
        with self._lock:
            return read_page(self.path, number)


@dataclass(frozen=True, slots=True)
class _Page:
    file: _Paged
    number: int

    def __call__(self) -> np.ndarray[Any, Any]:
        return native(self.file.page(self.number))


class TiffStack(Layout):
    """Numbered TIFF files of one folder as the slices of one volume.

    Files belong together when their names differ in the last number only. Of a file with many pages, every page is an
    image when ``extra={"pages": "images"}`` says so; otherwise it is one volume. Folders ``images`` and ``masks`` side
    by side pair by name.
    """

    name = "tiff-stack"
    title = "folders of numbered TIFF slices, one volume each"
    holds = frozenset(("uint16", "float", "channels", "volume", "mask"))
    place = 310
    writes = True
    recognised = (
        "Runs of numbered TIFF files of one size, as slices of a volume. `--option spacing=5,1,1` says millimetres "
        "(z, y, x); `--option pages=images` takes the pages of one file for images."
    )
    written = "A folder of slices per volume, below `images/` and `masks/` where there are label maps."

    def guess(self, look: Look) -> Guess | None:
        if not look.is_folder:
            return None
        tiffs = look.ending(*_SUFFIXES)
        stacks = _stacks(tiffs)
        if not tiffs or 2 * len(tiffs) < len(look.files) or sum(map(len, stacks.values())) < len(tiffs):
            return None
        if any(len(files) < _FEWEST or not _same_size(files) for files in stacks.values()):
            return None
        said = all(_SLICES.search(PurePosixPath(prefix).name) for prefix, _ in stacks)
        some = f"{len(stacks)} runs of numbered TIFF files of one size each"
        # Photos are numbered too: without a word for slices in the name this is a guess among others.
        return Guess(0.85, f"{some}, named like slices") if said else Guess(0.12, some)

    def read(self, look: Look, options: ReadSource) -> Source:
        if not look.is_folder:
            return _one_file(look, options)
        problems: list[Problem] = []
        tiffs = look.ending(*_SUFFIXES)
        notes = [f"{n} other files passed over"] if (n := len(look.files) - len(tiffs)) else []
        volumes: dict[str, Record] = {}
        stacks = _stacks(tiffs)
        loose = {path for _, path in tiffs} - {path for files in stacks.values() for path in files.values()}
        for (prefix, _), files in stacks.items():
            key = _key(prefix, taken=volumes)
            try:
                volumes[key] = Record(key, _volume(key, files, options))
            except (CodecError, SourceError) as error:
                problems.append(Problem(key, str(error)))
                continue
            numbers = sorted(files)
            gaps = numbers[-1] - numbers[0] + 1 - len(numbers)
            if gaps:
                got = f"numbers {numbers[0]} to {numbers[-1]} with {gaps} missing"
                problems.append(Problem(key, f"expected slices without gaps, got {got}; look for lost files"))
        for path in sorted(loose):
            problems.append(Problem(path.name, "expected a number at the end of the name, got none; rename it"))
        records = _paired(volumes)
        if not records:
            what = "; ".join(str(p) for p in problems[:3]) or "none"
            raise SourceError(f"expected numbered TIFF files below {look.path}, got {what}; check the folder")
        return Source(look.path, self.name, tuple(records), notes=tuple(notes), problems=tuple(problems))

    def write(self, source: Source, out: Path, options: WriteTarget) -> Written:
        with exporting(out, self.name, options) as job:
            return self._write(source, job)

    def _write(self, source: Source, job: Export) -> Written:
        out, progress = job.out, job.options.progress
        lost = what_is_lost(source, self.holds, "a stack of TIFF files")
        problems: list[Problem] = []
        taken: set[str] = set()
        masks = any(record.mask is not None for record in source.records)
        count = 0
        for record in source.records:
            try:
                picture = load_picture(record.image)
                mask = None if record.mask is None else load_mask(record.mask, like=picture)
                if not picture.axes.startswith("z"):
                    msg = f"{record.key}: expected a volume, got a picture of axes {picture.axes}"
                    raise CodecError(f"{msg}; choose a layout of folders")
                if mask is not None and mask.spatial_shape != picture.spatial_shape:
                    got = f"{mask.spatial_shape} for a volume of {picture.spatial_shape}"
                    raise CodecError(f"{record.key}: expected a label map of the volume's size, got {got}; resample it")
                name = safe_name(record.key, taken)
                _write_stack(job, out / (f"{_IMAGES}/{name}" if masks else name), picture)
                if mask is not None:
                    _write_stack(job, out / _MASKS / name, mask)
            except CodecError as error:
                problems.append(not_written(record, error))
                continue
            if picture.affine is not None:
                lost.append("places in the world: single TIFF pages hold none")
            count += 1
            if progress is not None:
                progress(count)
        if not count:
            raise nothing_written(problems, "volume")
        return Written(out, count, tuple(dict.fromkeys(lost)), tuple(problems))


def _stacks(tiffs: list[tuple[str, Path]]) -> dict[tuple[str, str], dict[int, Path]]:
    """Runs of files by what their names share: folder and prefix, suffix; then by number."""
    found: dict[tuple[str, str], dict[int, Path]] = defaultdict(dict)
    for key, path in tiffs:
        parts = _NUMBERED.match(key.removesuffix(path.suffix))
        if parts is not None and "/" not in parts[2]:
            found[parts[1], path.suffix].setdefault(int(parts[2]), path)
    return dict(sorted(found.items()))


def _same_size(files: Mapping[int, Path]) -> bool:
    numbers = sorted(files)
    try:
        sizes = {image_size(files[n]) for n in {numbers[0], numbers[len(numbers) // 2], numbers[-1]}}
    except CodecError:
        return False
    return len(sizes) == 1


def _key(prefix: str, taken: Mapping[str, Record]) -> str:
    """Folder and prefix without the word for slices and what joins it to the number."""
    folder, _, name = prefix.rpartition("/")
    name = _SLICES.sub("", name).strip("-_ .")
    key = "/".join(part for part in (folder, name) if part) or "stack"
    return key if key not in taken else f"{key}#{len(taken)}"


def _volume(key: str, files: Mapping[int, Path], options: ReadSource) -> Stored:
    ordered = tuple(files[n] for n in sorted(files))
    size = image_size(ordered[0])
    check_pixels(ordered[0], (len(ordered), *size), MAX_PIXELS)
    axes = "zyxc" if _has_colours(ordered[0]) else "zyx"
    return Stored(f"{key} ({len(ordered)} slices)", _Pages(ordered), axes, _spacing(options))


def _has_colours(path: Path) -> bool:
    """Whether the pages have a channel axis, as their header says."""
    tifffile = require("tifffile", extra="tiff")
    try:
        with tifffile.TiffFile(path) as tif:
            page = tif.pages[0]
            return bool(page.samplesperpixel > 1 or page.photometric.name == "PALETTE")
    except Exception as error:  # a damaged file can fail anywhere inside the parser
        raise problem(path, "a readable TIFF header", str(error), "get the file again") from error


def _spacing(options: ReadSource) -> Any:
    """Millimetres between slices, rows and columns, where the user says them: ``extra={"spacing": (z, y, x)}``."""
    given = options.extra.get("spacing")
    if given is None:
        return None
    try:
        values = np.asarray(given.split(",") if isinstance(given, str) else given, np.float64)
    except (TypeError, ValueError):
        values = np.empty(0)
    if values.shape != (3,) or not np.all(np.isfinite(values)) or values.min() <= 0:
        raise SourceError(f"expected spacing as three distances (z, y, x) in millimetres, got {given!r}; correct it")
    affine = np.eye(4)
    affine[:3, :3] = np.diag(values[::-1])[:, ::-1]
    return affine


def _paired(volumes: Mapping[str, Record]) -> list[Record]:
    """Give stacks below ``images`` the stacks below ``masks`` with the same name."""
    masks = {key: record for key, record in volumes.items() if key.startswith(f"{_MASKS}/")}
    images = {key: record for key, record in volumes.items() if key.startswith(f"{_IMAGES}/")}
    if not masks or not images:
        return list(volumes.values())
    records = []
    for key, record in volumes.items():
        mask = masks.get(f"{_MASKS}/{key.removeprefix(f'{_IMAGES}/')}") if key in images else None
        if mask is not None and isinstance(mask.image, Stored) and isinstance(mask.image.fetch, _Pages):
            labels = replace(mask.image.fetch, labels=True)  # a palette stays indices
            records.append(replace(record, mask=replace(mask.image, fetch=labels, axes="zyx")))
        elif key not in masks:
            records.append(record)
    return records


def _one_file(look: Look, options: ReadSource) -> Source:
    path = look.path
    if path.suffix.lower() not in _SUFFIXES:
        raise SourceError(f"expected a TIFF file or a folder of them, got {path}; give one")
    if options.extra.get("pages") != "images":
        return Source(path.parent, TiffStack.name, (Record(path.name, path),))
    tifffile = require("tifffile", extra="tiff")
    try:
        with tifffile.TiffFile(path) as tif:
            axes = [page_axes(page) for page in tif.series[0].pages]
    except Exception as error:  # a damaged file can fail anywhere inside the parser
        raise SourceError(f"{path}: expected a whole TIFF file, got {error}; get the file again") from error
    file, digits = _Paged(path), len(str(max(len(axes) - 1, 1)))
    stem = path.name.removesuffix(path.suffix)
    records = tuple(
        Record(
            f"{stem}/page-{n:0{digits}d}",
            Stored(f"{path.name}, page {n}", _Page(file, n), letters),
            group=stem,
        )
        for n, letters in enumerate(axes)
    )
    return Source(path.parent, TiffStack.name, records, notes=(f"{len(records)} pages of one file, one group",))


def _write_stack(job: Export, folder: Path, picture: Picture) -> None:
    digits = max(4, len(str(len(picture.array) - 1)))
    for number, page in enumerate(picture.array):
        path = folder / f"z{number:0{digits}d}.tif"
        job.announce(path)
        write_picture(path, Picture(np.ascontiguousarray(page), picture.axes[1:]))


LAYOUTS: tuple[Layout, ...] = (TiffStack(),)
