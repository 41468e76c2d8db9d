"""A source of arrays in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from imagemill.core.errors import InputError, SourceError
from imagemill.core.interop.foreign_images import is_pil, read_given
from imagemill.data.codecs.base import native
from imagemill.data.layouts.arrays.array_names import Shape
from imagemill.data.layouts.arrays.array_roles import find_parts
from imagemill.data.layouts.arrays.containers import item_axes, number_order, split_name
from imagemill.data.layouts.arrays.label_columns import Labels, read_labels
from imagemill.data.layouts.base import ARRAYS, MEMORY, Source
from imagemill.data.records.record import Record, Stored

__all__ = ["arrays_in", "from_arrays"]

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True)
class _Row:
    arrays: Any
    number: int

    def __call__(self) -> Array:
        return native(np.array(self.arrays[self.number]))


def from_arrays(
    images: Any,
    labels: Any = None,
    *,
    masks: Any = None,
    split: Any = None,
    classes: Sequence[str] | None = None,
    keys: Sequence[str] | None = None,
    axes: str | None = None,
) -> Source:
    """Make a source of arrays in memory.

    Parameters
    ----------
    images : array ``(n, ...)``, sequence of arrays, or mapping
        One image after another; a sequence may hold different sizes. A mapping of split to images, or to
        ``(images, labels)``, says the splits: ``{"train": (x, y), "test": (x, y)}``; so do usual names:
        ``{"x_train": x, "y_train": y}``, also as `numpy.load` gives them. Tensors of PyTorch do as arrays, images of
        PIL in a list as well.
    labels : array or sequence, optional
        One for each image: whole numbers (-1 for none), names, lists of names, one-hot rows (zeros and a single one),
        or rows of zeros and ones that stand for several labels. Columns of data frames and tensors do as well.
    masks : array or sequence, optional
        A label map for each image, or None for those without.
    split : str or sequence of str, optional
        ``"train"``, ``"val"`` or ``"test"``: one for all, or one for each.
    classes : sequence of str, optional
        Names in the order of the numbers.
    keys : sequence of str, optional
        Names of the images, each once; without, they count: ``row-000017``.
    axes : str, optional
        Axes of one image, such as ``"cyx"``; without, the rank decides.

    Raises
    ------
    InputError
        When lengths differ or a value makes no sense.

    Notes
    -----
    The arrays are not copied before they are read; do not change them while the source is in use.

    Examples
    --------
    >>> source = from_arrays(np.zeros((3, 8, 8), np.uint8), [0, 1, 1], classes=["cat", "dog"])
    >>> [(record.key, record.label) for record in source]
    [('row-0', 'cat'), ('row-1', 'dog'), ('row-2', 'dog')]
    """
    if isinstance(images, Mapping):
        return _from_splits(_by_split(images), labels, masks, split, classes, keys, axes)
    images, masks = _plain(images), _plain(masks)
    count = len(images)
    if labels is not None and len(labels) != count:
        raise InputError(f"expected {count} labels for {count} images, got {len(labels)}; give one for each")
    if masks is not None and len(masks) != count:
        raise InputError(f"expected {count} masks for {count} images, got {len(masks)}; give one for each, or None")
    splits = [split] * count if split is None or isinstance(split, str) else list(split)
    if len(splits) != count or set(splits) - {"train", "val", "test", None}:
        msg = 'expected split to be "train", "val" or "test", or one of them for each image'
        raise InputError(f"{msg}, got {split!r}; correct it")
    digits = len(str(max(count - 1, 1)))
    named = [f"row-{n:0{digits}d}" for n in range(count)] if keys is None else [str(key) for key in keys]
    if len(named) != count or len(set(named)) != count:
        msg = f"expected {count} different keys"
        raise InputError(f"{msg}, got {len(named)}, {len(set(named))} of them different; name every image once")
    try:
        records, notes, order = _rows(images, labels, masks, splits, tuple(classes or ()), named, axes)
    except SourceError as error:
        raise InputError(str(error)) from error
    return Source(MEMORY, ARRAYS, records, notes=notes, classes=order)


def _rows(
    images: Any, labels: Any, masks: Any, splits: list[Any], classes: tuple[str, ...], keys: list[str], axes: str | None
) -> tuple[tuple[Record, ...], tuple[str, ...], tuple[str, ...]]:
    notes: list[str] = []
    read = Labels([None] * len(keys), [None] * len(keys)) if labels is None else read_labels(labels, classes)
    notes += read.notes
    records = []
    for number, key in enumerate(keys):
        shape = tuple(np.shape(images[number]))
        letters, note = item_axes(shape, axes)
        if note and note not in notes:
            notes.append(note)
        mask = None
        if masks is not None and masks[number] is not None:
            place = tuple(n for n, letter in zip(shape, letters, strict=True) if letter != "c")
            if tuple(np.shape(masks[number])) not in (place, (*place, 1)):
                got = f"a mask of shape {np.shape(masks[number])}"
                raise SourceError(f"{key}: expected a mask of shape {place} like the image, got {got}; correct it")
            spatial = letters.replace("c", "")
            mask = Stored(f"{key} (mask)", _Row(masks, number), spatial + "c" * (np.ndim(masks[number]) > len(place)))
        image = Stored(key, _Row(images, number), letters)
        records.append(Record(key, image, mask, read.one[number], read.several[number], split=splits[number]))
    return tuple(records), tuple(notes), classes or read.classes or number_order(read.one)


def _plain(values: Any) -> Any:
    """A tensor of PyTorch as an array, a list with images of PIL as one of arrays, anything else as it is."""
    if isinstance(values, list | tuple) and any(map(is_pil, values)):
        return [read_given(one, "image").array if is_pil(one) else one for one in values]
    return values.detach().cpu().numpy() if hasattr(values, "detach") else values


def _is_stack(values: Any) -> bool:
    return len(getattr(values, "shape", ())) > 2


def _is_image(one: Any) -> bool:
    """Whether something may be one image: an array or tensor with two axes or more, or an image of PIL."""
    return is_pil(one) or (hasattr(one, "dtype") and len(getattr(one, "shape", ())) > 1)


def _are_images(values: Any) -> bool:
    """Whether something may be several images: a stack of them, or a list."""
    return _is_stack(values) or (isinstance(values, list | tuple) and len(values) > 0 and all(map(_is_image, values)))


def _labelled(what: Sequence[Any]) -> tuple[list[Any], list[Any]] | None:
    """Images and labels of a list of pairs of one image and one label, as items of a dataset are."""
    if all(isinstance(one, tuple | list) and len(one) == 2 and _is_image(one[0]) for one in what):
        images, labels = ([one[k] for one in what] for k in (0, 1))
        if all(isinstance(label, str | int | np.integer) or getattr(label, "ndim", 1) == 0 for label in labels):
            return images, [getattr(label, "item", lambda label=label: label)() for label in labels]
    return None


def _is_column(values: Any, count: int) -> bool:
    """Whether something may be the labels of so many images."""
    if isinstance(values, str | bytes | Mapping) or not hasattr(values, "__len__") or len(values) != count:
        return False
    return len(getattr(values, "shape", (0,))) < 3 and not any(_is_stack(one) for one in list(values)[:1])


def arrays_in(what: Any) -> tuple[Any, ...] | None:
    """The arguments of `from_arrays` that something stands for; None where it stands for no arrays.

    Examples
    --------
    >>> x, y = np.zeros((2, 4, 4)), [0, 1]
    >>> len(arrays_in((x, y))), list(arrays_in(((x, y), (x, y)))[0]), arrays_in(["a.jpg"]) is None
    (2, ['train', 'test'], True)
    """
    if isinstance(what, Mapping):
        return (what,) if len(what) else None
    if hasattr(what, "shape") and hasattr(what, "dtype"):
        return (what,)
    if not isinstance(what, Sequence) or isinstance(what, str | bytes) or not len(what):
        return None
    if (found := _labelled(what)) is not None:
        return found
    if isinstance(what, tuple) and len(what) in (2, 3) and _are_images(what[0]):
        images, labels, *masks = what
        if _is_column(labels, len(images)) and all(len(one) == len(images) for one in masks):
            return (images, labels) if not masks else ({None: what},)
        # A list of numbers beside images can be nothing but their labels.
        if len(getattr(labels, "shape", (len(labels),))) == 1 and len(labels) != len(images) and not _is_stack(labels):
            raise InputError(
                f"expected as many labels as images, got {len(images):,} images and {len(labels):,} labels; "
                "do both come from the same files?"
            )
    pairs = [isinstance(one, tuple | list) and len(one) == 2 and arrays_in(tuple(one)) for one in what]
    if len(what) in (2, 3) and all(isinstance(one, tuple) and len(one) == 2 for one in pairs):
        parts = ("train", "test") if len(what) == 2 else ("train", "val", "test")
        return (dict(zip(parts, (tuple(one) for one in what), strict=True)),)
    return (
        (what,) if all(isinstance(one, np.ndarray) or hasattr(one, "detach") or is_pil(one) for one in what) else None
    )


def _by_split(arrays: Mapping[Any, Any]) -> Mapping[Any, Any]:
    """A mapping of usual names as one of splits; one of splits as it is."""
    if not all(isinstance(name, str) and hasattr(values, "__len__") for name, values in arrays.items()):
        return arrays
    if all(split_name(name) for name in arrays):
        return {split_name(name): values for name, values in arrays.items()}
    held = {name: np.asarray(_plain(values)) for name, values in arrays.items() if not isinstance(values, tuple)}
    found = find_parts({name: Shape(array.shape, array.dtype.kind) for name, array in held.items()})
    splits = [part.split for part in found.parts]
    if len(held) < len(arrays) or not found.parts or len(set(splits)) < len(splits):
        names = ", ".join(map(str, arrays))[:80]
        msg = f"expected arrays called like x_train and y_train, or splits as in {{'train': (x, y)}}, got {names}"
        raise InputError(f"{msg}; rename them")
    wrong = next((part.wrong for part in found.parts if part.wrong), "")
    if wrong or found.rest:
        raise InputError(wrong or f"expected a usual name for every array, got {found.rest[0]!r}; rename it")
    return {
        part.split: tuple(None if name is None else held[name] for name in (part.images, part.labels, part.masks))
        for part in found.parts
    }


def _from_splits(
    images: Mapping[Any, Any], labels: Any, masks: Any, split: Any, classes: Any, keys: Any, axes: str | None
) -> Source:
    if not (labels is None and masks is None and split is None and keys is None):
        msg = "expected labels beside the images of each split, as {'train': (x, y)}"
        raise InputError(f"{msg}, got labels, masks, split or keys as well; put them into the mapping")
    parts = []
    for name, given in images.items():
        pair = given if isinstance(given, tuple) else (given,)
        if len(pair) > 3:
            raise InputError(f"expected (images, labels, masks) for {name!r}, got {len(pair)} values; give at most 3")
        x, y, m = (*pair, None, None)[:3]
        count = len(str(max(len(x) - 1, 1)))
        named = [f"{name}/{n:0{count}d}" if name else f"row-{n:0{count}d}" for n in range(len(x))]
        parts.append(from_arrays(x, y, masks=m, split=name, classes=classes, keys=named, axes=axes))
    records = tuple(record for part in parts for record in part.records)
    notes = tuple(dict.fromkeys(note for part in parts for note in part.notes))
    order = tuple(classes or ()) or number_order([record.label for record in records])
    # Columns of zeros and ones say how many classes there are.
    order = order or max((part.classes for part in parts), key=len, default=())
    return Source(MEMORY, ARRAYS, records, notes=notes, classes=order)
