"""The images of an experiment: from a folder in any form, prepared where they are not, or downloaded when asked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from imagemill.core.errors import InputError, SourceError
from imagemill.data.dataset import Dataset
from imagemill.data.dataset import open as open_dataset
from imagemill.data.layouts.base import Source
from imagemill.datasets import SOURCES, load
from imagemill.datasets.download import files_of, is_downloaded
from imagemill.datasets.local import VARIABLE, find, read
from imagemill.evaluate.exchange.training_subsets import subset
from imagemill.evaluate.experiments.experiment_file import Experiment
from imagemill.evaluate.inputs.experiment_data import Data, read_data
from imagemill.verbs.prepare import prepare

__all__ = ["fewer", "images_of"]

Progress = Callable[[int, int], None]


def images_of(
    experiment: Experiment,
    folder: Path | None,
    store: Path,
    *,
    download: bool = False,
    cache: Path | None = None,
    progress: Progress | None = None,
    private: bool = False,
) -> Data:
    """Training and test images of an experiment.

    Parameters
    ----------
    experiment : Experiment
    folder : Path or None
        Where the images are, prepared or in any form that `imagemill.open` reads. None takes those that a package
        brings, that are in the folder of ``IMAGEMILL_DATA``, or that were downloaded before.
    store : Path
        Where they are prepared to, unless they are.
    download : bool
        Get them from where their makers offer them when they are nowhere.
    cache : Path or None
        Where downloads are kept; None takes the user's cache folder.
    progress : callable, optional
        Called with what is done and what there is to do, of preparing and downloading.
    private : bool
        Whether addresses of the local network may be asked.

    Raises
    ------
    InputError
        When there are none, or they are of another size.
    """
    opened = _opened(experiment, folder, download=download, cache=cache, progress=progress, private=private)
    if not (isinstance(opened, Dataset) and opened.is_prepared):
        source = opened.to_source() if isinstance(opened, Dataset) else opened
        _check_classes(experiment, source.classes)  # before thousands of images are prepared for nothing
        divided = any(record.split for record in source.records)
        split = "keep" if divided else (1 - experiment.test, 0.0, experiment.test)
        prepare(source, store, size=experiment.size or None, split=split, progress=progress)
        opened = open_dataset(store)
    found = read_data(opened)
    shown = found.train[0].shape[1:3]
    if experiment.size and shown != (experiment.size, experiment.size):
        raise InputError(
            f"expected images of {experiment.size}x{experiment.size} for {experiment.name}, got "
            f"{shown[0]}x{shown[1]}; give the images as they were before they were prepared"
        )
    _check_classes(experiment, found.classes)
    return found


def _check_classes(experiment: Experiment, classes: Sequence[str]) -> None:
    if experiment.data and not set(classes) <= set(SOURCES[experiment.data].classes):
        raise InputError(
            f"expected {SOURCES[experiment.data].title} for {experiment.name}, got the classes "
            f"{', '.join(classes[:12])}; give another folder"
        )


def _opened(
    experiment: Experiment,
    folder: Path | None,
    *,
    download: bool,
    cache: Path | None,
    progress: Progress | None,
    private: bool,
) -> Dataset | Source:
    loan = SOURCES[experiment.data] if experiment.data else None
    if folder is not None:
        if loan is not None and loan.downloads and folder.is_dir():
            try:
                found = find(loan, folder)
            except SourceError:
                found = None  # not in the form its makers offer it; it may be in any other
            if found is not None:
                return found
        return open_dataset(folder)
    if loan is None:
        raise InputError(f"expected a folder with the images of {experiment.name}, got none; give data='DIR'")
    if not loan.downloads:
        return load(loan.name)
    found = find(loan, None)
    if found is not None:
        return found
    if download or is_downloaded(loan, cache):
        return read(loan, files_of(loan, cache, progress, private=private))
    raise InputError(
        f"expected {loan.title} in a folder, got none named; give data='DIR' with it in any form, name the "
        f"folder above it in {VARIABLE}, or say download=True ({loan.size / 1e6:,.0f} MB, licence {loan.licence})"
    )


def fewer(data: Data, images: int) -> Data:
    """Some of the training images, drawn once; see `subset`.

    Raises
    ------
    InputError
        When there are not so many, or fewer than two a class would be left.

    Examples
    --------
    >>> import numpy as np
    >>> x, y = np.zeros((90, 4, 4, 1), np.uint8), np.arange(90) % 3
    >>> np.bincount(fewer(Data((x, y), (x, y), ("a", "b", "c")), 30).train[1]).tolist()
    [10, 10, 10]
    """
    pictures, labels = data.train
    if not 2 * len(data.classes) <= images <= len(labels):
        raise InputError(
            f"expected {2 * len(data.classes)} to {len(labels):,} training images, two a class at least, got {images:,}"
        )
    rows = subset(labels, data.groups, images, 0)
    groups = None if data.groups is None else data.groups[rows]
    return replace(data, train=(pictures[rows], labels[rows]), groups=groups)
