"""Batches from a folder with one folder per class."""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Iterator as Iterated
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from imagemill.compat.keras.defaults import (
    FORMATS,
    MissingFolderError,
    data_format_or_default,
    dtype_or_default,
)
from imagemill.compat.keras.iterators.files import FileIterator, Reading, mask_paths, two
from imagemill.compat.keras.iterators.saving import Saving
from imagemill.core.errors import ParameterError

__all__ = ["DirectoryIterator"]

_log = logging.getLogger("imagemill.compat.keras")


class DirectoryIterator(FileIterator):
    """Batches of transformed pictures from a folder with one folder per class.

    Parameters
    ----------
    directory : str or Path
    image_data_generator : ImageDataGenerator or None
    target_size : pair of int
        Height and width that pictures are resized to.
    color_mode : {"rgb", "rgba", "grayscale"}
    classes : sequence of str, optional
        Folders to take, in the order of their numbers; all of them by name when left out.
    class_mode : {"categorical", "binary", "sparse", "input", None}
        One-hot rows, numbers, the picture itself, or no label.
    batch_size : int
    shuffle : bool
    seed : int, optional
    data_format : {"channels_last", "channels_first"}, optional
    save_to_dir, save_prefix, save_format
        A folder to write the pictures of every batch to, and their names.
    follow_links : bool
        Walk into folders that are links.
    subset : {"training", "validation"}, optional
        The part of each class after, or before, the generator's ``validation_split``.
    interpolation : str
        For resizing, see :func:`load_img`.
    keep_aspect_ratio : bool
        Cut the middle out to the target's proportions before resizing.
    dtype : dtype, optional
    workers : int
        Threads that read and transform; the batches do not depend on it.
    mask_directory : str or Path, optional
        Label maps under the names of the pictures: they follow the geometry, labels are never mixed. Batches are
        then ``(x, [y, masks])``, and ``(x, masks)`` without labels.
    mask_cval : int
        Label beyond the edge where ``fill_mode`` is constant.
    upright : bool
        Turn pictures as their EXIF orientation says.
    key_by : {"position", "name"}
        What a picture's draws belong to. By position, two generators with one seed over two folders agree, however
        their files are called. By name, a file more or less changes nothing for the others.

    Raises
    ------
    MissingFolderError
        When the folder is not there; also a ``FileNotFoundError``.
    ParameterError
        For a mode that is unknown.

    Warns
    -----
    UserWarning
        For TIFF files with the ending ``.tiff``, and for classes that have no folder.
    """

    allowed_class_modes: ClassVar[set[str | None]] = {"categorical", "binary", "sparse", "input", None}

    def __init__(
        self,
        directory: Any,
        image_data_generator: Any,
        target_size: Sequence[int] = (256, 256),
        color_mode: str = "rgb",
        classes: Sequence[str] | None = None,
        class_mode: str | None = "categorical",
        batch_size: int = 32,
        shuffle: bool = True,
        seed: int | None = None,
        data_format: str | None = None,
        save_to_dir: Any = None,
        save_prefix: str = "",
        save_format: str = "png",
        follow_links: bool = False,
        subset: str | None = None,
        interpolation: str = "nearest",
        keep_aspect_ratio: bool = False,
        dtype: Any = None,
        *,
        workers: int = 1,
        mask_directory: Any = None,
        mask_cval: int = 0,
        upright: bool = False,
        key_by: str = "position",
    ) -> None:
        order = data_format_or_default(data_format)
        reading = Reading(two(target_size), color_mode, order, interpolation, keep_aspect_ratio, upright)
        saving = Saving(save_to_dir, save_prefix, save_format)
        self._set(image_data_generator, reading, dtype_or_default(dtype).name, saving, subset, mask_cval)
        if class_mode not in self.allowed_class_modes:
            known = ", ".join(sorted(map(repr, self.allowed_class_modes)))
            raise ParameterError(f"Invalid class_mode: {class_mode!r}; expected one of: {known}")
        if key_by not in ("position", "name"):
            raise ParameterError(f"expected key_by 'position' or 'name', got {key_by!r}")
        self.directory, self.class_mode = directory, class_mode
        if not os.path.isdir(directory):
            raise MissingFolderError(f"expected a folder with a folder per class at {directory}, got none")
        names = list(classes) if classes else _folders(directory)
        self.class_indices = {name: i for i, name in enumerate(names)}
        self.num_classes = len(names)
        found = [_files(directory, name, self.split, follow_links) for name in names]
        self.filenames = [name for files in found for name in files]
        self.classes = np.repeat(np.arange(len(names), dtype=np.int32), [len(files) for files in found])
        self.samples = len(self.filenames)
        self._filepaths = [os.path.join(directory, name) for name in self.filenames]
        self._mask_paths = None if mask_directory is None else mask_paths(mask_directory, self.filenames)
        _log.info("found %d pictures of %d classes in %s", self.samples, self.num_classes, directory)
        seed = getattr(image_data_generator, "seed", None) if seed is None else seed
        keys = self.filenames if key_by == "name" else None
        super().__init__(self.samples, batch_size, shuffle, seed, workers=workers, keys=keys)

    @property
    def labels(self) -> Any:
        """The class number of each picture."""
        return self.classes


def _folders(directory: Any) -> list[str]:
    return sorted(entry.name for entry in os.scandir(directory) if entry.is_dir())


def _files(directory: Any, name: str, split: tuple[float, float] | None, follow_links: bool) -> list[str]:
    """A class's pictures, relative to the folder of all classes."""
    folder = os.path.join(directory, name)
    if not os.path.isdir(folder):
        warnings.warn(f"expected a folder for the class {name!r} in {directory}, got none: no pictures", stacklevel=4)
        return []
    found = [os.path.join(name, os.path.relpath(path, folder)) for path in _walk(folder, follow_links)]
    if split is None:
        return found
    return found[int(split[0] * len(found)) : int(split[1] * len(found))]


def _walk(folder: str, follow_links: bool) -> Iterated[str]:
    """All pictures in a folder and those within, folders and files by name."""
    told = False
    seen: set[str] = set()
    walked = []
    for root, folders, files in os.walk(folder, followlinks=follow_links):
        if follow_links:
            # A link to a folder above would be walked for ever.
            real = os.path.realpath(root)
            if real in seen:
                folders.clear()
                continue
            seen.add(real)
        walked.append((root, sorted(files)))
    for root, files in sorted(walked):
        for file in files:
            if file.lower().endswith(".tiff") and not told:
                told = True
                warnings.warn(
                    f"{os.path.join(root, file)}: TIFF files with several bands are read as Pillow reads them, which "
                    "may not be what they hold; look at a batch",
                    stacklevel=5,
                )
            if file.lower().endswith(FORMATS):
                yield os.path.join(root, file)
