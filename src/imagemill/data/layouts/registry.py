"""All layouts, and finding out which one a path has."""

from __future__ import annotations

import importlib
import os
from functools import cache
from pathlib import Path

from imagemill.core.errors import SourceError
from imagemill.data.layouts.augment_files import without_own
from imagemill.data.layouts.base import Guess, Layout, Look, ReadSource
from imagemill.data.layouts.labelmaps.labelmaps import label_maps, with_classes, without
from imagemill.data.layouts.path_patterns import files_like, is_pattern
from imagemill.data.layouts.walk import walk

__all__ = ["READ_ONLY", "TAKES_ALL", "guesses", "layout_named", "layouts", "look_at"]

TAKES_ALL = frozenset(("folder", "class-folders", "split-folders", "class-tree"))
"""Layouts that take every picture of a folder for an image."""

_PLAIN = ReadSource()

# Module below this package and the class in it. Loaded when a path is looked at, not before.
_LAYOUTS: tuple[tuple[str, str], ...] = (
    ("opening", "FileLayout"),
    ("folders.path_list", "ListLayout"),
    ("folders.image_folders", "Folder"),
    ("folders.image_folders", "ClassFolders"),
    ("folders.image_folders", "SplitFolders"),
    ("folders.image_folders", "ClassTree"),
    ("folders.paired", "ImageMasks"),
    ("coco.coco", "Coco"),
    ("yolo.yolo", "Yolo"),
    ("yolo.yolo", "yolo_polygons"),
    ("yolo.yolo", "yolo_pose"),
    ("folders.voc", "Voc"),
    ("tools.labelme", "Labelme"),
    ("tools.cvat", "Cvat"),
    ("tools.labelstudio", "LabelStudio"),
    ("tools.via", "Via"),
    ("tables.formats.delimited", "Csv"),
    ("tables.formats.delimited", "Tsv"),
    ("tables.formats.json_tables", "Json"),
    ("tables.formats.json_tables", "JsonLinesTable"),
    ("tables.formats.parquet", "Parquet"),
    ("tables.formats.parquet", "Arrow"),
    ("tables.formats.huggingface_folder", "HuggingFaceFolder"),
    ("shards.webdataset", "WebDataset"),
    ("shards.tfrecord", "TfRecord"),
    ("arrays.idx", "Idx"),
    ("arrays.numpy_matlab", "Npz"),
    ("arrays.hdf5", "Hdf5"),
    ("folders.nnunet", "NnUnet"),
    ("folders.dicom_folder", "Dicom"),
    ("folders.tiff_stacks", "TiffStack"),
)


READ_ONLY = frozenset(("labelme", "cvat", "label-studio", "via", "dicom"))
"""Layouts that are read and not written."""


@cache
def layouts() -> tuple[Layout, ...]:
    """Every layout, in the order of the documentation's table."""
    return tuple(
        getattr(importlib.import_module(f"imagemill.data.layouts.{module}"), name)() for module, name in _LAYOUTS
    )


def layout_named(name: str) -> Layout:
    """The layout of a name.

    Raises
    ------
    SourceError
        When there is none; the message lists the names.
    """
    for layout in layouts():
        if layout.name == name:
            return layout
    known = ", ".join(layout.name for layout in layouts())
    raise SourceError(f"expected the name of a layout, got {name!r}; choose one of {known}")


def look_at(path: Path | str) -> Look:
    """Take a first look at a path: list the files of a folder; what `augment` keeps there for itself is no part of it.

    A pattern (``train-{0000..0009}.tar``, ``train-*.tar``) is a folder that holds the files it stands for.

    Raises
    ------
    SourceError
        When there is nothing at the path.
    """
    path = Path(path)
    if path.is_dir():
        found = walk(path)
        return Look(path, without_own(path, found.files), found.skipped, found.empty)
    if not path.is_file() and is_pattern(path):
        files = files_like(path)
        root = Path(os.path.commonpath([file.absolute().parent for file in files]))
        return Look(root, tuple((file.absolute().relative_to(root).as_posix(), file.absolute()) for file in files))
    if not path.is_file():
        raise SourceError(f"expected a file or a folder, got {str(path)!r}, where there is nothing; check the path")
    return Look(path, ((path.name, path),))


def guesses(look: Look, options: ReadSource = _PLAIN) -> list[tuple[Layout, Guess]]:
    """Every layout that the path may have, the surest first.

    Layouts that take every picture for an image are shown those that are no label maps.
    """
    maps = label_maps(look, options)
    plain = look if maps is None else without(look, maps)
    found = []
    for layout in layouts():
        guess = layout.guess(plain if layout.name in TAKES_ALL else look)
        if guess is not None and maps is not None and maps.found and layout.name in TAKES_ALL - {"folder"}:
            # Who takes the images has their label maps as well.
            why = f"{guess.why}; {len(maps.found)} have a label map {maps.why}"
            takes = None if guess.takes is None else guess.takes | maps.files
            told = (guess.carries or frozenset()) - ({"label"} if not with_classes(maps) else set())
            guess = Guess(guess.sure, why, takes, told | {"mask"})
        if guess is not None:
            found.append((layout, guess))
    return sorted(found, key=lambda pair: -pair[1].sure)
