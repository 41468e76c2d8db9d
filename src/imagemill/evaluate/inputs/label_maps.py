"""Label maps as networks learn them: class numbers from 0 without gaps, with the spacing of each image."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from imagemill.core.errors import InputError
from imagemill.data.dataset import Dataset

__all__ = ["check_label_maps", "label_map_parts", "label_maps_of", "numbered", "renumbered", "with_label_maps"]

Array = npt.NDArray[Any]
_MOST = 64
"""More values than this are numbers of objects and no classes."""


def numbered(label_maps: Sequence[Array]) -> tuple[list[Array], tuple[str, ...]]:
    """Label maps of several parts with the values they have numbered from 0, and the values as names of the classes.

    The smallest value is the background.

    Raises
    ------
    InputError
        When they are no whole numbers, or more values than classes can have.

    Examples
    --------
    >>> maps, names = numbered([np.array([[[0, 255]]], np.uint8), np.array([[[0, 0]]], np.uint8)])
    >>> maps[0].tolist(), names
    ([[[0, 1]]], ('0', '255'))
    """
    for one in label_maps:
        if one.dtype.kind not in "uib":
            raise InputError(f"expected label maps of whole numbers, got {one.dtype}; round them first")
    values = np.unique(np.concatenate([np.unique(one) for one in label_maps]))
    if len(values) > _MOST:
        raise InputError(
            f"expected label maps of up to {_MOST} classes, got {len(values)} values: are they numbers of objects? "
            "make classes of them, such as 1 where there is one"
        )
    names = tuple(str(value) for value in values.tolist())
    return [renumbered(one, names) for one in label_maps], names


def renumbered(label_maps: Array, names: Sequence[str]) -> Array:
    """Label maps with the number of each value among the names of classes, which are values.

    Raises
    ------
    InputError
        When there is a value that is none of the classes.
    """
    values = np.array([int(name) for name in names], np.int64)
    found = np.unique(label_maps).astype(np.int64)
    if strange := sorted(set(found.tolist()) - set(values.tolist())):
        raise InputError(f"expected label maps of the values {', '.join(names)}, got {strange[:5]} too")
    return np.searchsorted(values, label_maps).astype(np.uint8)


def label_maps_of(name: str, images: Array, label_maps: Array, classes: int) -> tuple[Array, Array]:
    """Images with a channel axis, and their label maps.

    Raises
    ------
    InputError
        When they do not fit each other or the classes.
    """
    if label_maps.dtype.kind not in "uib":
        raise InputError(f"expected {name} label maps of whole numbers, got {label_maps.dtype}")
    if images.shape == label_maps.shape:
        images = images[..., None]
    if images.shape[:-1] != label_maps.shape or not label_maps.size:
        raise InputError(
            f"expected {name} images [n, (z,) y, x] or [n, (z,) y, x, C] and label maps of that size, got "
            f"{images.shape} and {label_maps.shape}"
        )
    low, high = int(label_maps.min()), int(label_maps.max())
    if low < 0 or high >= classes:
        raise InputError(f"expected {name} label maps of numbers from 0 to {classes - 1}, got {low} to {high}")
    return images, label_maps.astype(np.uint8)


def check_label_maps(train: Array, test: Array, classes: Sequence[str]) -> None:
    """Refuse what no network for segmentation can be measured on.

    Raises
    ------
    InputError
    """
    for part, maps in (("training", train), ("test", test)):
        if len(maps) < 2:
            raise InputError(f"expected two {part} images or more, got one; the item of a comparison is an image")
        if missing := [name for number, name in enumerate(classes) if not (maps == number).any()]:
            raise InputError(
                f"expected every class in the label maps of the {part} part, got none of {missing}; "
                "split anew, or leave the class out"
            )


def with_label_maps(opened: Dataset) -> tuple[Array, Array, Array | None]:
    """Images, label maps and spacing of a prepared dataset.

    Raises
    ------
    InputError
        When an image has none.
    """
    if (bare := int(np.count_nonzero(~opened.masked))) > 0:
        raise InputError(
            f"expected a label map for every image, got {bare:,} of {len(opened):,} images without; leave those out, "
            "or prepare the dataset with --masks DIR"
        )
    # Of photos the affine is what was resized, in pixels: only volumes are known to be in millimetres.
    affines = [opened[row].affine for row in range(len(opened))] if opened.masks.ndim == 4 else []
    known = [affine for affine in affines if affine is not None]
    if 0 < len(known) < len(affines):
        raise InputError(
            f"expected the spacing of every image or of none, got {len(known)} of {len(affines)}: distances would be "
            "in two units"
        )
    spacing = np.array([np.linalg.norm(affine[:-1, :-1], axis=0) for affine in known]) if known else None
    return opened.images, opened.masks, spacing


def label_map_parts(
    training: Sequence[Dataset], test: Dataset
) -> tuple[tuple[Array, Array], tuple[Array, Array], tuple[str, ...], tuple[Array | None, Array | None]]:
    """Training and test images with their label maps, names of the classes, and spacings."""
    found = [with_label_maps(part) for part in training]
    tested, truth, test_spacing = with_label_maps(test)
    images, label_maps = (np.concatenate([part[which] for part in found]) for which in (0, 1))
    spacings = [part[2] for part in found]
    if any((one is None) != (test_spacing is None) for one in spacings):
        raise InputError("expected the spacing of every image or of none, got it for some parts alone")
    (maps, true), names = numbered([label_maps, truth])
    spacing = None if test_spacing is None else np.concatenate([one for one in spacings if one is not None])
    return (images, maps), (tested, true), names, (spacing, test_spacing)
