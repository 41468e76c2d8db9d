"""The doors from a generator to its iterators."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

from imagemill.compat.keras.iterators.arrays import NumpyArrayIterator
from imagemill.compat.keras.iterators.dataframe import DataFrameIterator
from imagemill.compat.keras.iterators.directory import DirectoryIterator
from imagemill.compat.keras.translate import as_pipeline
from imagemill.core.errors import ParameterError
from imagemill.core.near_words import takes
from imagemill.pipeline.pipeline import Pipeline

__all__ = ["Flows"]

_GONE = {
    "has_ext": "names in the table are those of the files, endings included",
    "sort": "rows come in the order of the table with shuffle=False",
    "drop_duplicates": "drop them from the table itself",
}


class Flows:
    """What :class:`ImageDataGenerator` gives batches by."""

    data_format: str
    dtype: str

    def to_pipeline(self, seed: int | None = None) -> Pipeline:
        """The same ranges as a pipeline of this library; see :func:`as_pipeline` for what differs."""
        return as_pipeline(self, seed)

    @takes
    def flow(
        self,
        x: Any,
        y: Any = None,
        batch_size: int = 32,
        shuffle: bool = True,
        sample_weight: Any = None,
        seed: int | None = None,
        save_to_dir: Any = None,
        save_prefix: str = "",
        save_format: str = "png",
        ignore_class_split: bool = False,
        subset: str | None = None,
        *,
        workers: int = 1,
        masks: Any = None,
        mask_cval: int = 0,
    ) -> NumpyArrayIterator:
        """Batches from arrays in memory; see :class:`NumpyArrayIterator`."""
        return NumpyArrayIterator(
            x,
            y,
            self,
            batch_size=batch_size,
            shuffle=shuffle,
            sample_weight=sample_weight,
            seed=seed,
            data_format=self.data_format,
            save_to_dir=save_to_dir,
            save_prefix=save_prefix,
            save_format=save_format,
            subset=subset,
            ignore_class_split=ignore_class_split,
            dtype=self.dtype,
            workers=workers,
            masks=masks,
            mask_cval=mask_cval,
        )

    @takes
    def flow_from_directory(
        self,
        directory: Any,
        target_size: Sequence[int] = (256, 256),
        color_mode: str = "rgb",
        classes: Sequence[str] | None = None,
        class_mode: str | None = "categorical",
        batch_size: int = 32,
        shuffle: bool = True,
        seed: int | None = None,
        save_to_dir: Any = None,
        save_prefix: str = "",
        save_format: str = "png",
        follow_links: bool = False,
        subset: str | None = None,
        interpolation: str = "nearest",
        keep_aspect_ratio: bool = False,
        **more: Any,
    ) -> DirectoryIterator:
        """Batches from a folder with a folder per class; see :class:`DirectoryIterator`.

        ``more`` may hold ``workers``, ``mask_directory``, ``mask_cval``, ``upright`` and ``key_by``.
        """
        return DirectoryIterator(
            directory,
            self,
            target_size=target_size,
            color_mode=color_mode,
            classes=classes,
            class_mode=class_mode,
            batch_size=batch_size,
            shuffle=shuffle,
            seed=seed,
            data_format=self.data_format,
            save_to_dir=save_to_dir,
            save_prefix=save_prefix,
            save_format=save_format,
            follow_links=follow_links,
            subset=subset,
            interpolation=interpolation,
            keep_aspect_ratio=keep_aspect_ratio,
            dtype=self.dtype,
            **more,
        )

    @takes
    def flow_from_dataframe(
        self,
        dataframe: Any,
        directory: Any = None,
        x_col: str = "filename",
        y_col: Any = "class",
        weight_col: str | None = None,
        target_size: Sequence[int] = (256, 256),
        color_mode: str = "rgb",
        classes: Sequence[str] | None = None,
        class_mode: str | None = "categorical",
        batch_size: int = 32,
        shuffle: bool = True,
        seed: int | None = None,
        save_to_dir: Any = None,
        save_prefix: str = "",
        save_format: str = "png",
        subset: str | None = None,
        interpolation: str = "nearest",
        validate_filenames: bool = True,
        **more: Any,
    ) -> DataFrameIterator:
        """Batches from a table of file names; see :class:`DataFrameIterator`.

        ``more`` may hold ``keep_aspect_ratio``, ``workers``, ``mask_directory``, ``mask_cval``, ``upright`` and
        ``key_by``.

        Warns
        -----
        DeprecationWarning
            For ``has_ext``, ``sort``, ``drop_duplicates`` and ``class_mode="other"``, of long ago.
        """
        for name in [name for name in _GONE if name in more]:
            del more[name]
            warnings.warn(f"{name} has no effect any more: {_GONE[name]}", DeprecationWarning, stacklevel=2)
        if class_mode == "other":
            warnings.warn("class_mode='other' is called 'raw' now", DeprecationWarning, stacklevel=2)
            class_mode = "raw"
        known = {"keep_aspect_ratio", "workers", "mask_directory", "mask_cval", "upright", "key_by"}
        if set(more) - known:
            raise ParameterError(f"expected further arguments of {sorted(known)}, got {sorted(set(more) - known)}")
        return DataFrameIterator(
            dataframe,
            directory,
            self,
            x_col=x_col,
            y_col=y_col,
            weight_col=weight_col,
            target_size=target_size,
            color_mode=color_mode,
            classes=classes,
            class_mode=class_mode,
            batch_size=batch_size,
            shuffle=shuffle,
            seed=seed,
            data_format=self.data_format,
            save_to_dir=save_to_dir,
            save_prefix=save_prefix,
            save_format=save_format,
            subset=subset,
            interpolation=interpolation,
            dtype=self.dtype,
            validate_filenames=validate_filenames,
            **more,
        )
