"""Batches from arrays in memory."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from imagemill.compat.keras.defaults import Array, data_format_or_default, dtype_or_default
from imagemill.compat.keras.iterators.iterator import Iterator, Rows
from imagemill.compat.keras.iterators.saving import Saving
from imagemill.core.errors import InputError, ParameterError

__all__ = ["NumpyArrayIterator", "joined"]


class NumpyArrayIterator(Iterator):
    """Batches of transformed pictures from one array.

    Parameters
    ----------
    x : array of rank 4, or (array, more)
        With ``more``, an array or a list of arrays that go with the pictures unchanged.
    y : sequence, optional
        Labels.
    image_data_generator : ImageDataGenerator
    batch_size : int
    shuffle : bool
    sample_weight : sequence, optional
    seed : int, optional
    data_format : {"channels_last", "channels_first"}, optional
    save_to_dir, save_prefix, save_format
        A folder to write the pictures of every batch to, and their names.
    subset : {"training", "validation"}, optional
        The part after, or before, the generator's ``validation_split``.
    ignore_class_split : bool
        Allow the two parts to have different classes.
    dtype : dtype, optional
    workers : int
        Threads; the batches do not depend on it.
    masks : array, ``[n, H, W]``, optional
        Label maps that follow the geometry; batches are then ``(x, masks)``, or ``(x, [y, masks])`` with labels.
    mask_cval : int
        Label beyond the edge where ``fill_mode`` is constant.

    Yields
    ------
    array, or tuple
        ``x``, ``(x, y)`` or ``(x, y, sample_weight)``; ``x`` is a list where more goes with the pictures.

    Raises
    ------
    InputError
        When lengths or ranks do not fit.
    ParameterError
        For an unknown subset.

    Warns
    -----
    UserWarning
        When the number of channels is not 1, 3 or 4.
    """

    def __init__(
        self,
        x: Any,
        y: Any,
        image_data_generator: Any,
        batch_size: int = 32,
        shuffle: bool = False,
        sample_weight: Any = None,
        seed: int | None = None,
        data_format: str | None = None,
        save_to_dir: Any = None,
        save_prefix: str = "",
        save_format: str = "png",
        subset: str | None = None,
        ignore_class_split: bool = False,
        dtype: Any = None,
        *,
        workers: int = 1,
        masks: Any = None,
        mask_cval: int = 0,
    ) -> None:
        self.data_format = data_format_or_default(data_format)
        self.dtype = dtype_or_default(dtype).name
        pictures, more = _apart(x)
        columns = {
            "y": None if y is None else _array("y", y),
            "sample_weight": None if sample_weight is None else _array("sample_weight", sample_weight),
            "masks": None if masks is None else _array("masks", masks),
            **{f"x[1][{i}]": extra for i, extra in enumerate(more)},
        }
        for name, column in columns.items():
            if column is not None and len(column) != len(pictures):
                where = f"{len(pictures)} pictures, and {len(column)} in {name}"
                raise InputError(f"{_lengths(name)} should have the same length: {where}")
        kept = _kept(subset, len(pictures), image_data_generator, columns["y"], ignore_class_split)
        self.x = pictures[kept]
        self.x_misc = [extra[kept] for extra in more]
        taken = {name: None if column is None else column[kept] for name, column in columns.items()}
        self.y, self.sample_weight, self.masks = taken["y"], taken["sample_weight"], taken["masks"]
        self.mask_cval = mask_cval
        self._check()
        self.image_data_generator = image_data_generator
        self.save_to_dir, self.save_prefix, self.save_format = save_to_dir, save_prefix, save_format
        seed = getattr(image_data_generator, "seed", None) if seed is None else seed
        keys = range(len(pictures))[kept]
        super().__init__(len(self.x), batch_size, shuffle, seed, workers=workers, keys=keys)

    def _check(self) -> None:
        if self.x.ndim != 4:
            raise InputError(f"`NumpyArrayIterator` expects pictures that should have rank 4, got shape {self.x.shape}")
        if self.x.dtype.kind not in "buif":
            raise InputError(f"expected pictures as numbers, got dtype {self.x.dtype}")
        axis = 3 if self.data_format == "channels_last" else 1
        channels = self.x.shape[axis]
        if channels not in (1, 3, 4):
            warnings.warn(
                f"expected 1, 3 or 4 channels on axis {axis} ({self.data_format}), got {channels} in pictures of "
                f"shape {self.x.shape}",
                stacklevel=4,
            )
        if self.masks is not None:
            self.masks = self.masks[..., 0] if self.masks.ndim == 4 and self.masks.shape[-1] == 1 else self.masks
            size = self.x.shape[1:3] if axis == 3 else self.x.shape[2:]
            if self.masks.shape[1:] != size or self.masks.dtype.kind not in "bui":
                got = f"{self.masks.shape} of {self.masks.dtype}"
                raise InputError(f"expected label maps of integers and shape (n, {size[0]}, {size[1]}), got {got}")

    def _get_batches_of_transformed_samples(self, index_array: Rows, epoch: int | None = None) -> Any:
        at = self.epoch if epoch is None else epoch
        keys = self.keys_of(index_array)
        masks = None if self.masks is None else self.masks[index_array]
        made, moved = self.image_data_generator.augmented(
            self.x, keys, epoch=at, seed=self.seed, workers=self.threads, masks=masks, mask_cval=self.mask_cval,
            buffers=self._buffers, rows=index_array,
        )  # fmt: skip
        made = made.astype(self.dtype, copy=False)
        if self.save_to_dir:
            saving = Saving(self.save_to_dir, self.save_prefix, self.save_format)
            saving.save(made, index_array.tolist(), keys, self.seed, at, self.data_format)
        x = [made, *(extra[index_array] for extra in self.x_misc)] if self.x_misc else made
        y = None if self.y is None else self.y[index_array]
        weight = None if self.sample_weight is None else self.sample_weight[index_array]
        return joined(x, y, moved, weight)


def joined(x: Any, y: Any, masks: Any, weight: Any) -> Any:
    """A batch as ``model.fit`` takes it."""
    if masks is not None:
        y = masks if y is None else [y, masks]
    if y is None:
        return x
    return (x, y) if weight is None else (x, y, weight)


def _lengths(name: str) -> str:
    """What has to be as long as what, in words that programs written for Keras look for."""
    if name.startswith("x["):
        return "All of the arrays in `x`"
    return "`x` (images tensor) and " + ("`y` (labels)" if name == "y" else f"`{name}`")


def _apart(x: Any) -> tuple[Array, list[Array]]:
    """Pictures, and what goes with them."""
    if not isinstance(x, tuple | list):
        return _array("x", x), []
    if len(x) != 2:
        raise InputError(f"expected x as an array, or a pair of pictures and what goes with them, got {len(x)} parts")
    more = x[1] if isinstance(x[1], list) else [x[1]]
    return _array("x", x[0]), [_array("x[1]", extra) for extra in more]


def _array(name: str, value: Any) -> Array:
    try:
        found = np.asarray(value)
    except ValueError:
        raise InputError(f"expected {name} as one array, got parts of different shapes; resize them first") from None
    if found.ndim == 0:
        raise InputError(f"expected {name} with one value per picture, got {value!r}")
    return found


def _kept(subset: str | None, n: int, generator: Any, y: Array | None, ignore_class_split: bool) -> slice:
    """The rows of a subset; the validation part comes first."""
    if subset is None:
        return slice(0, n)
    if subset not in ("training", "validation"):
        raise ParameterError(f"Invalid subset name: {subset!r}; expected 'training' or 'validation'")
    cut = int(n * generator._validation_split)
    if y is not None and not ignore_class_split and not np.array_equal(np.unique(y[:cut]), np.unique(y[cut:])):
        raise InputError(
            "expected the same classes in both parts, but training and validation subsets have different number of "
            "classes after the split, or other ones; are the samples sorted by class? Mix them first, or pass "
            "ignore_class_split=True"
        )
    return slice(0, cut) if subset == "validation" else slice(cut, n)
