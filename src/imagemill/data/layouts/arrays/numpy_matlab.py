"""Arrays of images and labels as NumPy and MATLAB keep them."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from imagemill.core.errors import CodecError, SourceError
from imagemill.data.atomic import atomic_path
from imagemill.data.layouts.arrays.array_files import (
    MOST_NPY,
    is_mat,
    is_pickle,
    mat_variables,
    npy_array,
    npy_pool,
    npy_stacks,
    npz_members,
)
from imagemill.data.layouts.arrays.array_names import role_of
from imagemill.data.layouts.arrays.array_records import Gathered, Held, asked_pages
from imagemill.data.layouts.arrays.array_roles import Part, Parts, find_parts
from imagemill.data.layouts.arrays.containers import (
    class_numbers,
    not_written,
    nothing_written,
    stack_records,
    what_is_lost,
    writing_file,
)
from imagemill.data.layouts.base import Guess, Layout, Look, Problem, ReadSource, Source, WriteTarget, Written
from imagemill.data.layouts.tables.table_files import split_of_name
from imagemill.data.records.loading import load_mask, load_picture
from imagemill.data.records.record import Record

__all__ = ["Npz"]

Array = np.ndarray[Any, Any]
_DTYPES = tuple(
    np.dtype(name)
    for name in (
        *("bool", "uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64"),
        *("float16", "float32", "float64"),
    )
)
_PICKLED = (
    "pickles can run any code and are never loaded; if you trust them, load them yourself and save them with "
    "numpy.savez(file, images=..., labels=...), or get CIFAR-10 with imagemill datasets"
)


class Npz(Layout):
    """Arrays under the names that people give them: ``x_train, y_train``, ``images/labels``, ``arr_0/arr_1``...

    They are members of ``.npz`` archives, ``.npy`` files side by side (also in a folder per split), or variables of
    MATLAB files. Further arrays ``masks``, ``keys``, ``groups`` and ``classes`` are understood. Objects (pickles) are
    never loaded. A folder of archives is read file by file; an archive with ``image`` and ``label`` of one size is one
    image with its mask. ``extra={"pages": "images"}`` says that the first axis counts images, ``"volume"`` that it
    counts slices.
    """

    name = "npz"
    title = "arrays of images and labels (NumPy .npz and .npy, MATLAB .mat)"
    holds = frozenset(
        (
            *("image", "uint16", "float", "channels", "volume", "label", "hierarchy", "labels", "mask", "split"),
            "group",
        )
    )
    place = 270
    writes = True
    recognised = (
        "NumPy archives, `.npy` files side by side, and MATLAB files: `x_train`, `y_train`..., `images` and "
        "`labels`, or one image with its mask. Columns as long as the images are kept. `--option pages=images` "
        "says that the first axis counts images, `pages=volume` that it counts slices, `axes=cyx` names the axes "
        "of one image, `classes=FILE` the classes. Pickles are never loaded."
    )
    written = "`images.npz`, or the file that `-o` names. One size and type."

    def guess(self, look: Look) -> Guess | None:
        if not look.is_folder:
            return _guess_file(look.path)
        archives = [path for _, path in look.ending(".npz", ".mat") if path.suffix.lower() == ".npz" or is_mat(path)]
        arrays = [path for _, path in look.ending(".npy")]
        pictures = len(look.images) - len(arrays)
        if archives and len(archives) >= pictures and (is_mat(archives[0]) or zipfile.is_zipfile(archives[0])):
            return Guess(0.92, f"{archives[0].name} is an archive of arrays")
        if arrays and (found := npy_stacks(look)) is not None:
            return found
        pickles = [path for _, path in look.files[:MOST_NPY] if is_pickle(path)] if not pictures else []
        if pickles and 2 * len(pickles) >= len(look.files):
            return Guess(0.4, f"{pickles[0].name} is a pickle")
        return None

    def read(self, look: Look, options: ReadSource) -> Source:
        root = look.path if look.is_folder else look.path.parent
        found = Gathered(options, root)
        pool: dict[str, Held] = {}
        read: list[Path] = []
        pickles: list[Path] = []
        for key, path in look.files:
            try:
                if path.suffix.lower() == ".npy":
                    _read_npy(key, path, pool, found)
                elif path.suffix.lower() == ".npz" or is_mat(path) or (not look.is_folder and not is_pickle(path)):
                    _read_archive(key if look.is_folder else "", path, found)
                elif is_pickle(path):
                    pickles.append(path)
                    continue
                else:
                    continue
                read.append(path)
            except (CodecError, SourceError) as error:
                if not look.is_folder:
                    raise SourceError(str(error)) from error
                found.problems.append(Problem(key, str(error)))
        if pool:
            read += _read_arrays(look, pool, found)
        if pickles:
            shown = ", ".join(path.name for path in pickles[:3]) + (", ..." if len(pickles) > 3 else "")
            msg = f"expected arrays, got {len(pickles)} pickle{'s' * (len(pickles) > 1)} ({shown}); {_PICKLED}"
            found.problems.append(Problem(pickles[0].name, msg))
        if not found.records:
            if found.problems:
                what = "; ".join(str(p) for p in found.problems[:3])
                raise SourceError(f"expected images in {look.path}, got none: {what}")
            raise SourceError(f"expected images in {look.path}, got no .npz, .npy or .mat file; check the path")
        return Source(
            root,
            self.name,
            tuple(found.records),
            notes=found.all_notes(),
            classes=found.all_classes(),
            problems=tuple(found.problems),
            also_read=tuple(dict.fromkeys((*found.also_read, *read))),
        )

    def write(self, source: Source, out: Path, options: WriteTarget) -> Written:
        with writing_file(out, "images.npz", (".npz",), self.name, options) as file:
            return self._write(source, out, file, options)

    def _write(self, source: Source, out: Path, path: Path, options: WriteTarget) -> Written:
        numbers = class_numbers(source)
        lost = what_is_lost(source, self.holds, "npz")
        problems: list[Problem] = []
        arrays: dict[str, Array] = {"classes": np.array(list(numbers))} if numbers else {}
        count = 0
        for split in sorted({record.split or "" for record in source.records}):
            part = [record for record in source.records if (record.split or "") == split]
            pixels, kept, first = stack_records(part, problems, _DTYPES, "npz")
            if pixels is None or first is None:
                continue
            if first.affine is not None:
                lost.append("places in the world: npz holds none")
            end = f"_{split}" if split else ""
            arrays.setdefault("axes", np.array(first.axes))
            if str(arrays["axes"]) != first.axes:
                said = f"{arrays['axes']} and {first.axes}"
                raise SourceError(
                    f"expected images of the same axes in all splits, got {said}; write one kind at a time"
                )
            arrays |= {f"{name}{end}": array for name, array in _columns(kept, pixels, numbers, problems, lost)}
            count += len(kept)
            if options.progress is not None:
                options.progress(count)
        if not count:
            raise nothing_written(problems)
        with atomic_path(path) as file, file.open("wb") as stream:
            np.savez_compressed(stream, allow_pickle=False, **arrays)
        return Written(out, count, tuple(dict.fromkeys(lost)), tuple(problems))


def _columns(
    records: list[Record], pixels: Array, numbers: Mapping[str, int], problems: list[Problem], lost: list[str]
) -> Iterator[tuple[str, Array]]:
    """Give the arrays of one split under their names."""
    yield "x", pixels
    yield "keys", np.array([record.key for record in records])
    several = sum(record.labels is not None for record in records)
    if several and not any(record.label is not None for record in records):
        flags = [[name in (record.labels or ()) for name in numbers] for record in records]
        yield "y", np.array(flags, np.uint8)
    elif numbers:
        if several:
            lost.append(f"{several} lists of several labels: npz keeps the one class of an image instead")
        values = [-1 if record.label is None else numbers[record.label] for record in records]
        yield "y", np.array(values, np.min_scalar_type(max(values)) if min(values) >= 0 else np.int64)
    if any(record.group is not None for record in records):
        yield "groups", np.array([record.group or "" for record in records])
    if not any(record.mask is not None for record in records):
        return
    if not all(record.mask is not None for record in records):
        lost.append("masks: some images have none, and npz holds one for each or none at all")
        return
    maps = []
    for record in records:
        try:
            maps.append(None if record.mask is None else load_mask(record.mask, like=load_picture(record.image)).array)
        except CodecError as error:
            problems.append(not_written(record, error))
    if len(maps) == len(records) and len({m.shape for m in maps if m is not None}) == 1:
        yield "masks", np.stack([m for m in maps if m is not None])
    else:
        lost.append("masks: they differ in size or cannot be read, and npz holds one size")


def _guess_file(path: Path) -> Guess | None:
    """Whether one file holds arrays."""
    suffix = path.suffix.lower()
    if suffix == ".npz" and zipfile.is_zipfile(path):
        return Guess(0.92, f"{path.name} is an archive of NumPy arrays")
    if is_mat(path):
        return Guess(0.92, f"{path.name} is a MATLAB file")
    if suffix != ".npy":
        return Guess(0.4, f"{path.name} is a pickle") if is_pickle(path) else None
    mine, arrays = _beside(path)
    if mine is None:
        return None
    part = next((part for part in find_parts(_shapes(arrays)).parts if part.images == mine), None)
    if part is None or part.single or part.wrong:
        part = next(iter(find_parts({mine: arrays[mine].shape}).parts), None)
    shape = " x ".join(map(str, arrays[mine].shape.lengths))
    if part is not None and part.labels is not None:
        return Guess(0.9, f"{path.name} holds images and {part.labels}.npy their labels")
    named = part is not None and not part.single and role_of(mine) == "images"
    if named or arrays[mine].shape.is_colour_stack:
        return Guess(0.65, f"{path.name} of {shape} looks like many pictures in one array")
    # It says how to read it otherwise, beneath the guess that it is one volume.
    return Guess(0.2, f"the first axis of {shape} may count images") if len(arrays[mine].shape.lengths) > 2 else None


def _shapes(arrays: Mapping[str, Held]) -> dict[str, Any]:
    return {name: held.shape for name, held in arrays.items()}


def _beside(path: Path) -> tuple[str | None, dict[str, Held]]:
    """The name of a .npy file among the arrays of its folder, and those."""
    files = sorted(p for p in path.parent.iterdir() if p.suffix.lower() == ".npy" and p.is_file())
    near = files if len(files) <= MOST_NPY else [path]
    pool = npy_pool((p.name, p) for p in near)
    name = path.name.removesuffix(path.suffix)
    return (name if name in pool else None), pool


def _read_arrays(look: Look, pool: dict[str, Held], found: Gathered) -> list[Path]:
    """Take in .npy files, which together are like one archive; of one file, with what belongs to it beside it."""
    pages, mine = asked_pages(found.options), None
    if not look.is_folder:
        mine, pool = _beside(look.path)
        pages = pages or ("images" if len(pool[mine or ""].shape.lengths) > 2 else None)
    parts = find_parts(found.shapes(pool), pages=pages)
    if mine is not None:
        kept = [part for part in parts.parts if part.images == mine]
        for part in (
            part for part in kept if part.wrong
        ):  # of a file that is given alone, what lies beside it may not be
            found.say(f"what lies beside {mine}.npy does not fit and was left out: {part.wrong}")
        if not kept or kept[0].wrong:
            kept = [Part(mine, split=split_of_name(mine))]
        lone = kept[0].is_half and "pages" not in found.options.extra
        parts = Parts(kept, parts.classes, [], parts.notes, [mine] if lone else [])
        beside = [name for name in kept[0].names() if name != mine]
        found.say(f"{', '.join(f'{name}.npy' for name in beside)} lies beside it and belongs to it" if beside else "")
    _take_all(parts, pool, found, "", several=len(parts.parts) > 1)
    names = {name for part in parts.parts for name in part.names()} | ({parts.classes} if parts.classes else set())
    return [look.path.parent / f"{name}.npy" for name in sorted(n for n in names if n)] if mine is not None else []


def _read_npy(key: str, path: Path, pool: dict[str, Held], found: Gathered) -> None:
    """Take in a lone array, by its name."""
    array = npy_array(path, key)
    if array is None:
        found.problems.append(Problem(key, "expected an array of numbers or text, got none; save it anew"))
    else:
        pool[key.removesuffix(path.suffix)] = array


def _read_archive(prefix: str, path: Path, found: Gathered) -> None:
    """Take in an archive."""
    arrays = mat_variables(path, found.problems) if is_mat(path) else npz_members(path, found.problems)
    # This library writes the axes of one image; without them the shape decides.
    said = arrays.pop("axes", None)
    if said is not None and said.shape.kind == "U" and said.shape.lengths == ():
        own = {"axes": str(said.values())}
        arrays = {name: _with(held, own) if name.split("_")[0] == "x" else held for name, held in arrays.items()}
    parts = find_parts(found.shapes(arrays), pages=asked_pages(found.options))
    # A lone array of images needs no name that we know.
    if not parts.parts and len(images := [n for n, held in arrays.items() if held.shape.is_pixels]) == 1:
        lengths = arrays[images[0]].shape.lengths
        # MATLAB keeps many bands of one picture in such an array rather than many pictures.
        lone = Part(images[0], single=len(lengths) == 2 or (is_mat(path) and len(lengths) == 3))
        counted = [] if lone.single or "pages" in found.options.extra else images
        parts = Parts([lone], parts.classes, [n for n in parts.rest if n != images[0]], parts.notes, counted)
    split = split_of_name(path.name.removesuffix(path.suffix))
    if path.name.endswith("_32x32.mat"):  # of Street View House Numbers
        found.say(f"{path.name} is named like the Street View House Numbers, where class 10 is the digit 0")
    _take_all(parts, arrays, found, prefix, several=len(parts.parts) > 1, split=split, suffix=path.suffix)


def _with(held: Held, own: Mapping[str, Any]) -> Held:
    return Held(held.called, held.shape, held.values, held.fetch, own, held.turned)


def _take_all(
    parts: Parts,
    arrays: Mapping[str, Held],
    found: Gathered,
    prefix: str,
    *,
    several: bool,
    split: str | None = None,
    suffix: str = ".npy",
) -> None:
    """Take in parts; what no part takes becomes a problem."""
    found.hear(parts, arrays)
    taken = {part.split for part in parts.parts}
    for part in parts.parts:
        # Two parts of one split keep the names of their arrays.
        alone = len(taken) == len(parts.parts)
        begin = "/".join(w for w in (prefix, (part.split if alone else None) or (part.images if several else "")) if w)
        key = prefix.removesuffix(suffix) or part.images
        found.take(part, arrays, begin=begin, key=key, split=split)
    for name in parts.rest:
        shape = " x ".join(map(str, arrays[name].shape.lengths)) or "one value"
        if parts.parts and len(arrays[name].shape.column) < 3:  # numbers beside images are no images that are lost
            found.say(f"{arrays[name].called} ({shape}) is not used")
            continue
        msg = f"expected a name such as images, labels, x_train or y_test, got {name!r} ({shape}); rename it"
        found.problems.append(Problem(arrays[name].called, msg))


LAYOUTS: tuple[Layout, ...] = (Npz(),)
