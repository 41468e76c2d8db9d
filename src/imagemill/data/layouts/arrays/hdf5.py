"""HDF5: a group per class, or stacks of images with their labels."""

from __future__ import annotations

from pathlib import Path

from imagemill.core.errors import CodecError, SourceError
from imagemill.data.layouts.arrays.array_records import Gathered, asked_pages
from imagemill.data.layouts.arrays.hdf5_file import open_h5
from imagemill.data.layouts.arrays.hdf5_find import Found
from imagemill.data.layouts.arrays.hdf5_write import SUFFIXES, write_h5
from imagemill.data.layouts.base import Guess, Layout, Look, Problem, ReadSource, Source, WriteTarget, Written

__all__ = ["Hdf5"]

_MAGIC = b"\x89HDF\r\n\x1a\n"


class Hdf5(Layout):
    """HDF5 files, in arrangements that may be mixed.

    A group per class with a dataset per image, or with one stack of images under any name (groups within groups are
    levels of a hierarchy; attributes ``label``, ``class`` or ``name`` name them, whole numbers in ``label_id``,
    ``class_id`` or ``label`` order them); stacks ``images`` and ``labels`` (or ``x``/``y``, ``X_train``,
    ``train_set_x``..., also in a group per split, or in two files); encoded pictures as bytes. What MATLAB 7.3 wrote is
    read from its last axis to its first. Links and storage that lead out of the file are refused.
    ``extra={"pages": "images"}`` says that the first axis counts images, ``"volume"`` that it counts slices.
    """

    name = "hdf5"
    title = "HDF5: a group per class, or stacks of images and labels"
    holds = frozenset(
        (
            *("image", "uint16", "float", "channels", "volume", "affine", "label", "hierarchy", "mask"),
            *("split", "group", "attributes"),
        )
    )
    place = 280
    writes = True
    recognised = (
        "HDF5 files, by their signature, MATLAB 7.3 among them: a group per class (groups within groups are "
        "levels; attributes `name` and `label` name and number it) with a dataset per image or one stack, or "
        "stacks of images and labels under their usual names, also in two files (`x.h5`, `y.h5`). Options as for "
        "`npz`. Links that lead out of the file are refused."
    )
    written = "`images.h5`, or the file that `-o` names; pixels, or with `--embed` the bytes of the pictures."

    def guess(self, look: Look) -> Guess | None:
        files = _files(look)
        pictures = len(look.images) if look.is_folder else 0
        if not files or len(files) < pictures or not _is_h5(files[0][1]):
            return None
        return Guess(0.93, f"{files[0][1].name} is an HDF5 file")

    def read(self, look: Look, options: ReadSource) -> Source:
        files = _files(look)
        if not files:
            raise SourceError(f"expected an HDF5 file, got {look.path}; check the path")
        root = look.path if look.is_folder else look.path.parent
        found = Found(Gathered(options, root), asked_pages(options))
        for key, path in files:
            try:
                with open_h5(path) as file:
                    found.visit_file(key.rpartition(".")[0] if look.is_folder else "", path, file)
            except CodecError as error:
                if not look.is_folder:
                    raise SourceError(str(error)) from error
                found.gathered.problems.append(Problem(key, str(error)))
        found.join_files(None if look.is_folder else look.path)
        gathered = found.gathered
        if not gathered.records:
            what = "; ".join(str(problem) for problem in gathered.problems[:3]) or "nothing that looks like images"
            raise SourceError(f"expected images in {look.path}, got none: {what}; see how HDF5 files may be arranged")
        gathered.also_read += [path for _, path in files if path not in gathered.also_read]
        return found.source(root, self.name)

    def write(self, source: Source, out: Path, options: WriteTarget) -> Written:
        return write_h5(source, out, options, self.holds)


def _files(look: Look) -> list[tuple[str, Path]]:
    if not look.is_folder:
        return list(look.files) if _is_h5(look.path) else []
    named = look.ending(*SUFFIXES, ".mat")
    return [(key, path) for key, path in named if path.suffix.lower() != ".mat" or _is_h5(path)]


def _is_h5(path: Path) -> bool:
    """Whether a file is HDF5; its signature may lie behind a block of the user's own."""
    try:
        with path.open("rb") as file:
            for place in (0, 512, 1024, 2048):
                file.seek(place)
                if file.read(8) == _MAGIC:
                    return True
    except OSError:
        return False
    return False


LAYOUTS: tuple[Layout, ...] = (Hdf5(),)
