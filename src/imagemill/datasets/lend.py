"""The functions that give datasets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from imagemill.core.errors import InputError
from imagemill.data.layouts.base import Source
from imagemill.datasets.catalogue import SOURCES, Loan
from imagemill.datasets.download import Progress, files_of
from imagemill.datasets.local import find, read
from imagemill.datasets.shipped import cat_source, digits_source, scan_source

__all__ = ["cat", "cifar10", "digits", "fashion_mnist", "flowers", "lend", "load", "mnist", "sample_scan"]

_SHIPPED: dict[str, Callable[[], Source]] = {"digits": digits_source, "cat": cat_source, "sample_scan": scan_source}


def digits() -> Source:
    """1,797 handwritten digits of 8 x 8 pixels, gray: scikit-learn brings them.

    Values are scaled from the original's 0..16 to 0..255, as uint8. There is no split.

    Raises
    ------
    MissingExtra
        Without scikit-learn (``pip install 'imagemill[demo]'``).

    Notes
    -----
    Source: E. Alpaydin, C. Kaynak, "Optical Recognition of Handwritten Digits", UCI Machine Learning Repository, 1998.

    Examples
    --------
    >>> source = digits()
    >>> len(source), source.records[0].label, source.records[0].image.fetch().shape
    (1797, '0', (8, 8))
    """
    return _about(SOURCES["digits"], digits_source())


def cat() -> Source:
    """One photo of a cat, 300 x 451 RGB: scikit-image brings it.

    Raises
    ------
    MissingExtra
        Without scikit-image (``pip install 'imagemill[demo]'``).

    Examples
    --------
    >>> cat().records[0].image.fetch().shape
    (300, 451, 3)
    """
    return _about(SOURCES["cat"], cat_source())


def sample_scan() -> Source:
    """One head scan, 24 slices of 96 x 128 voxels with two time points, int16: nibabel brings it.

    It is oblique and left-handed, as scans are; slices are 2.2 mm apart, voxels 2 mm wide. Time points are read
    as channels.

    Raises
    ------
    MissingExtra
        Without nibabel (``pip install 'imagemill[medical]'``).
    SourceError
        When nibabel was installed without its samples.

    Examples
    --------
    >>> sample_scan().records[0].key
    'example4d.nii.gz'
    """
    return _about(SOURCES["sample_scan"], scan_source())


def mnist(
    root: Path | str | None = None, *, cache: Path | str | None = None, progress: Progress | None = None
) -> Source:
    """MNIST: 60,000 handwritten digits to train with and 10,000 to test with, 28 x 28 gray.

    Parameters
    ----------
    root : Path, str or None
        A folder that has the four IDX files (``.gz`` or not), or a folder ``mnist`` with them. None looks into the
        folder named by ``IMAGEMILL_DATA``, and downloads 12 MB where they are not there.
    cache : Path, str or None
        Where downloads are kept; None takes the user's cache folder.
    progress : callable or None
        Called with the bytes that are here and the bytes there will be.

    Raises
    ------
    SourceError
        When `root` does not have it.
    CodecError
        When a file cannot be had, or is not the one that was published.

    Notes
    -----
    Source: LeCun, Bottou, Bengio, Haffner, "Gradient-Based Learning Applied to Document Recognition", 1998.

    Examples
    --------
    >>> mnist(root="nowhere")
    Traceback (most recent call last):
    imagemill.core.errors.SourceError: expected root to name a folder, got 'nowhere'; ...
    """
    return load("mnist", root, cache=cache, progress=progress)


def fashion_mnist(
    root: Path | str | None = None, *, cache: Path | str | None = None, progress: Progress | None = None
) -> Source:
    """Fashion-MNIST: pieces of clothing of ten kinds, in the form and number of MNIST.

    The class that the makers call ``T-shirt/top`` is ``T-shirt or top`` here: a slash would make it two levels.

    Parameters
    ----------
    root, cache, progress
        As for `mnist`; 31 MB are downloaded, and the folder is ``fashion-mnist`` or ``FashionMNIST/raw``.

    Raises
    ------
    SourceError, CodecError
        As for `mnist`.

    Notes
    -----
    Source: Xiao, Rasul, Vollgraf, "Fashion-MNIST: a Novel Image Dataset for Benchmarking Machine Learning
    Algorithms", 2017.

    Examples
    --------
    >>> SOURCES["fashion_mnist"].classes[9]
    'Ankle boot'
    """
    return load("fashion_mnist", root, cache=cache, progress=progress)


def cifar10(
    root: Path | str | None = None, *, cache: Path | str | None = None, progress: Progress | None = None
) -> Source:
    """CIFAR-10: photos of ten kinds of objects, 5,000 of each to train with and 1,000 to test with, 32 x 32 RGB.

    Parameters
    ----------
    root : Path, str or None
        A folder that has the binary version, Parquet files or tar files of it (the first of these counts), or a
        folder ``cifar10`` with them. None looks into the folder named by ``IMAGEMILL_DATA``, and downloads the
        binary version (170 MB) where it is not there. The version for Python is never read: it is made of pickles.
    cache, progress
        As for `mnist`.

    Raises
    ------
    SourceError, CodecError
        As for `mnist`.

    Notes
    -----
    Source: A. Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009.

    Examples
    --------
    >>> SOURCES["cifar10"].classes[:3]
    ('airplane', 'automobile', 'bird')
    """
    return load("cifar10", root, cache=cache, progress=progress)


def flowers(
    root: Path | str | None = None, *, cache: Path | str | None = None, progress: Progress | None = None
) -> Source:
    """3,670 photos of daisies, dandelions, roses, sunflowers and tulips, RGB of many sizes; there is no split.

    Every photo has its author, its page and its licence as attributes, where ``LICENSE.txt`` lies beside the folders.

    Parameters
    ----------
    root : Path, str or None
        A folder that has the five class folders, or a folder ``flower_photos`` with them. None looks into the
        folder named by ``IMAGEMILL_DATA``, and downloads 229 MB where they are not there.
    cache, progress
        As for `mnist`.

    Raises
    ------
    SourceError, CodecError
        As for `mnist`.

    Notes
    -----
    Source: The TensorFlow Team, "Flowers", 2019; photos from Flickr under CC BY 2.0.

    Examples
    --------
    >>> SOURCES["flowers"].classes
    ('daisy', 'dandelion', 'roses', 'sunflowers', 'tulips')
    """
    return load("flowers", root, cache=cache, progress=progress)


def load(
    name: str,
    root: Path | str | None = None,
    *,
    cache: Path | str | None = None,
    progress: Progress | None = None,
) -> Source:
    """Give a dataset by its name.

    Parameters
    ----------
    name : str
        One of `SOURCES`.
    root, cache, progress
        As for `mnist`; without meaning where a package brings the set.

    Returns
    -------
    Source
        For `open`, `prepare` and `augment`; ``info`` says licence, citation and where it comes from.

    Raises
    ------
    InputError
        When there is no such set, or `root` is given for one that a package brings.
    SourceError, CodecError, MissingExtra
        When it cannot be had.

    Examples
    --------
    >>> load("digits").info["licence"]
    'CC BY 4.0'
    """
    if name not in SOURCES:
        raise InputError(f"expected one of {', '.join(SOURCES)}, got {name!r}; choose one of these")
    loan = SOURCES[name]
    if loan.name in _SHIPPED:
        if root is not None:
            raise InputError(f"expected no root for {name}, which {loan.package} brings, got {root!r}; leave it out")
        return _about(loan, _SHIPPED[loan.name]())
    return lend(
        loan, None if root is None else Path(root), None if cache is None else Path(cache), progress, private=False
    )


def lend(loan: Loan, root: Path | None, cache: Path | None, progress: Progress | None, *, private: bool) -> Source:
    """Give a set from a folder that has it, or else from the web; `private` lets a local server play the web."""
    found = find(loan, root)
    if found is None:
        found = read(loan, files_of(loan, cache, progress, private=private))
    return _about(loan, found)


def _about(loan: Loan, source: Source) -> Source:
    """Say where a set comes from, and where it is not whole."""
    info = {"title": loan.title, "licence": loan.licence, "citation": loan.citation, "home": loan.home}
    notes = source.notes
    if len(source) != loan.count:
        notes = (*notes, f"the published set has {loan.count:,} images")
    return replace(source, notes=notes, classes=source.classes or loan.classes, info={**source.info, **info})
