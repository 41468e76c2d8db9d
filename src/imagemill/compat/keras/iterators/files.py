"""Batches from picture files: reading, label maps beside them, labels in the forms a network takes."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from imagemill.compat.keras.defaults import Array
from imagemill.compat.keras.iterators.arrays import joined
from imagemill.compat.keras.iterators.iterator import Iterator, Rows
from imagemill.compat.keras.iterators.saving import Saving
from imagemill.compat.keras.pictures import crop_box, load_img
from imagemill.core.errors import InputError, ParameterError, SourceError
from imagemill.core.side_threads import side_by_side
from imagemill.data.codecs.base import ReadOptions
from imagemill.data.codecs.registry import is_readable_name
from imagemill.data.records.loading import load_mask

__all__ = ["FileIterator", "Reading", "mask_paths", "read_label_map"]

_CHANNELS = {"rgb": 3, "rgba": 4, "grayscale": 1}


def two(target_size: Any) -> tuple[int, int]:
    """Height and width, as they were given or from one number for both.

    Raises
    ------
    ParameterError
    """
    given = (target_size, target_size) if isinstance(target_size, int) else target_size
    if not isinstance(given, list | tuple) or len(given) != 2:
        raise ParameterError(f"expected target_size as (height, width), got {target_size!r}")
    return (given[0], given[1])


@dataclass(frozen=True, slots=True)
class Reading:
    """How files become pictures of one size.

    Parameters
    ----------
    target_size : pair of int
        Height and width.
    color_mode : {"rgb", "rgba", "grayscale"}
    data_format : {"channels_last", "channels_first"}
    interpolation : str
    keep_aspect_ratio, upright : bool
        As for :func:`load_img`.
    """

    target_size: tuple[int, int]
    color_mode: str
    data_format: str
    interpolation: str
    keep_aspect_ratio: bool
    upright: bool

    def __post_init__(self) -> None:
        if self.color_mode not in _CHANNELS:
            raise ParameterError(f"Invalid color mode: {self.color_mode!r}; expected 'rgb', 'rgba' or 'grayscale'")
        size = self.target_size
        if len(size) != 2 or any(not isinstance(v, int | np.integer) or v < 1 for v in size):
            raise ParameterError(f"expected target_size as height and width in pixels, got {size!r}")

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one picture."""
        channels = (_CHANNELS[self.color_mode],)
        return self.target_size + channels if self.data_format == "channels_last" else channels + self.target_size

    def read(self, path: str) -> Array:
        """One picture, ``(H, W, C)``."""
        image = load_img(
            path,
            color_mode=self.color_mode,
            target_size=self.target_size,
            interpolation=self.interpolation,
            keep_aspect_ratio=self.keep_aspect_ratio,
            upright=self.upright,
        )
        found = np.asarray(image)
        return found if found.ndim == 3 else found[..., None]

    def read_all(self, paths: Sequence[str], dtype: np.dtype[Any], workers: int) -> Array:
        """Many pictures, ``[n, *shape]``."""
        out = np.empty((len(paths), *self.shape), dtype)
        view = out if self.data_format == "channels_last" else np.moveaxis(out, 1, -1)

        def work(i: int) -> None:
            view[i] = self.read(paths[i])

        spread(work, len(paths), workers)
        return out


def spread(work: Any, n: int, workers: int) -> None:
    """Do ``work(i)`` for every i, in threads when there is more than one."""
    side_by_side(work, range(n), workers)


def read_label_map(path: str, reading: Reading) -> Array:
    """A label map brought to the pictures' size: pixels are picked, labels never mixed.

    Source: Pillow's nearest filter, so that labels stay on the pixels of pictures resized with ``"nearest"``.
    """
    labels = load_mask(Path(path), ReadOptions(exif=reading.upright)).array
    if labels.ndim != 2:
        raise InputError(f"expected a flat label map at {path}, got shape {labels.shape}")
    high, wide = labels.shape
    box = (0, 0, wide, high)
    if reading.keep_aspect_ratio:
        box = crop_box((wide, high), reading.target_size[::-1])
    picks = []
    for low, top, length in ((box[1], box[3], reading.target_size[0]), (box[0], box[2], reading.target_size[1])):
        at = low + (np.arange(length) + 0.5) * ((top - low) / length)
        picks.append(np.minimum(at.astype(np.int64), top - 1))
    return labels[np.ix_(*picks)]


def mask_paths(folder: Any, filenames: Sequence[str]) -> list[str]:
    """The label map of each picture: under the same name, whatever the ending.

    Raises
    ------
    SourceError
        Naming pictures without a label map, or with several.
    """
    root = Path(folder)
    if not root.is_dir():
        raise SourceError(f"expected mask_directory to be a folder, got {str(folder)!r}")
    found: dict[str, list[str]] = {}
    for here, _, names in os.walk(root):
        for name in names:
            if is_readable_name(name):
                path = os.path.join(here, name)
                stem = os.path.splitext(os.path.relpath(path, root))[0]
                found.setdefault(stem, []).append(path)
    paths, missing = [], []
    for name in filenames:
        stem = os.path.splitext(name)[0]
        # Without a folder per class, too, as label maps are often kept.
        near = found.get(stem) or found.get(os.path.basename(stem), [])
        if len(near) > 1:
            raise SourceError(f"expected one label map for {name}, got {', '.join(sorted(near))}; keep one")
        if near:
            paths.append(near[0])
        else:
            missing.append(name)
    if missing:
        shown = ", ".join(missing[:3]) + (", ..." if len(missing) > 3 else "")
        raise SourceError(f"expected a label map for every picture, got none for {len(missing)} of them: {shown}")
    return paths


class FileIterator(Iterator, ABC):
    """What iterators over files share; see :class:`DirectoryIterator` and :class:`DataFrameIterator`."""

    image_data_generator: Any
    reading: Reading
    dtype: str
    class_mode: str | None
    saving: Saving
    mask_cval: int
    filenames: list[str]
    _filepaths: list[str]
    _mask_paths: list[str] | None
    class_indices: dict[Any, int]

    def _set(
        self,
        generator: Any,
        reading: Reading,
        dtype: str,
        saving: Saving,
        subset: str | None,
        mask_cval: int,
    ) -> None:
        self.image_data_generator, self.reading, self.dtype, self.saving = generator, reading, dtype, saving
        self.target_size, self.color_mode, self.data_format = (
            reading.target_size,
            reading.color_mode,
            reading.data_format,
        )
        self.interpolation, self.keep_aspect_ratio = reading.interpolation, reading.keep_aspect_ratio
        self.image_shape = reading.shape
        self.save_to_dir, self.save_prefix, self.save_format = saving.folder, saving.prefix, saving.file_format
        self.subset, self.mask_cval = subset, mask_cval
        self.split = _split(subset, generator)

    @property
    def filepaths(self) -> list[str]:
        """Where each picture is."""
        return self._filepaths

    @property
    @abstractmethod
    def labels(self) -> Any:
        """The label of each picture."""

    @property
    def sample_weight(self) -> Array | None:
        """The weight of each picture, if any."""
        return None

    def _get_batches_of_transformed_samples(self, index_array: Rows, epoch: int | None = None) -> Any:
        at = self.epoch if epoch is None else epoch
        rows = index_array.tolist()
        dtype = np.dtype(self.dtype)
        work = dtype if dtype.itemsize >= 4 else np.dtype(np.float32)
        pictures = self.reading.read_all([self._filepaths[i] for i in rows], work, self.threads)
        masks = self._masks(rows)
        keys = self.keys_of(index_array)
        if self.image_data_generator is not None:
            pictures, masks = self.image_data_generator.augmented(
                pictures,
                keys,
                epoch=at,
                seed=self.seed,
                workers=self.threads,
                masks=masks,
                mask_cval=self.mask_cval,
                buffers=self._buffers,
                names=[self.filenames[i] for i in rows],
            )
        x = pictures.astype(dtype, copy=False)
        self.saving.save(x, rows, keys, self.seed, at, self.data_format)
        weight = self.sample_weight
        return joined(x, self._targets_of(x, index_array), masks, None if weight is None else weight[index_array])

    def _masks(self, rows: list[int]) -> Array | None:
        if self._mask_paths is None:
            return None
        maps: list[Array] = [np.empty(0)] * len(rows)

        def work(i: int) -> None:
            maps[i] = read_label_map((self._mask_paths or [])[rows[i]], self.reading)

        spread(work, len(rows), self.threads)
        return np.stack(maps) if maps else np.empty((0, *self.target_size), np.uint8)

    def _targets_of(self, x: Array, rows: Rows) -> Any:
        """What the network is to say about these pictures."""
        mode = self.class_mode
        if mode == "input":
            return x.copy()
        if mode in ("binary", "sparse"):
            return np.array([self.labels[i] for i in rows], dtype=self.dtype)
        if mode == "categorical":
            hot = np.zeros((len(rows), len(self.class_indices)), dtype=self.dtype)
            for i, row in enumerate(rows):
                hot[i, self.labels[row]] = 1
            return hot
        if mode == "multi_output":
            return [column[rows] for column in self.labels]
        return self.labels[rows] if mode == "raw" else None


def _split(subset: str | None, generator: Any) -> tuple[float, float] | None:
    """Which share of the files belongs to a subset; the validation part comes first."""
    if subset is None:
        return None
    if subset not in ("training", "validation"):
        raise ParameterError(f"Invalid subset name: {subset!r}; expected 'training' or 'validation'")
    if generator is None:
        raise ParameterError("expected a generator with a validation_split to take a subset, got none")
    cut = generator._validation_split
    return (0.0, cut) if subset == "validation" else (cut, 1.0)
