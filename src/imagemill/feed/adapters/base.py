"""The ways out of a loader: numpy here, every framework in a leaf of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Literal, cast

import numpy as np

from imagemill.core.errors import InputError
from imagemill.core.looking import Said
from imagemill.core.targets import plain_annotation
from imagemill.feed.batch import LoadedBatch
from imagemill.feed.making.carried_annotations import with_names
from imagemill.feed.replaying import REPLAYED
from imagemill.feed.taken_otherwise import TakenOtherwise

__all__ = ["Adapters", "View", "check_alone", "columns_of", "plain_column"]

Names = Sequence[str] | None
Convert = Callable[[LoadedBatch], Any]


class View(TakenOtherwise):
    """A loader whose batches are turned into something on their way out.

    Parameters
    ----------
    loader : Loader
    convert : callable
        Takes a batch.

    Examples
    --------
    >>> import numpy as np
    >>> from imagemill.feed import Loader
    >>> loader = Loader((np.zeros((4, 8, 8), np.uint8), np.arange(4)), batch_size=4, workers=0)
    >>> [sorted(batch) for batch in loader.numpy()]
    [['image', 'label']]
    """

    def __init__(self, loader: Any, convert: Convert) -> None:
        self.loader, self._convert = loader, convert

    def __len__(self) -> int:
        return len(self.loader)

    def __iter__(self) -> Iterator[Any]:
        return map(self._convert, self.loader)

    def replayed(self, batches: int = REPLAYED) -> Iterator[Any]:
        """As for the loader."""
        return map(self._convert, self.loader.replayed(batches))

    def explain(self, step: Callable[[Any], object] | None = None, *, seconds: float = 2.0) -> Said:
        """As for the loader; ``step`` gets what comes out here."""
        given = None if step is None else lambda batch: step(self._convert(batch))
        return cast(Said, self.loader.explain(given, seconds=seconds))

    def set_epoch(self, epoch: int) -> None:
        """As for the loader."""
        self.loader.set_epoch(epoch)

    def state_dict(self) -> dict[str, Any]:
        """As for the loader."""
        return cast(dict[str, Any], self.loader.state_dict())

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """As for the loader."""
        self.loader.load_state_dict(state)


def columns_of(
    batch: Mapping[str, Any] | LoadedBatch,
    columns: Names,
    convert: Callable[[Any], Any],
    labels: Callable[[Any], Any] | None = None,
) -> Any:
    """A batch as a dict of converted columns, or as a tuple of those named.

    Boxes come with their classes under ``box_label``, points with ``keypoint_name``, each a list with one entry per
    picture; where pictures have no label, ``label`` names the classes of the boxes. ``labels`` is what an array of
    labels goes through first.

    Raises
    ------
    InputError
        When there is no column of a name.
    """
    present = with_names(batch.columns, batch.categories) if isinstance(batch, LoadedBatch) else dict(batch)
    if columns is not None and "label" in columns and "label" not in present and "box_label" in present:
        present["label"] = present["box_label"]
    if labels is not None and isinstance(present.get("label"), np.ndarray):
        present["label"] = labels(present["label"])
    if columns is None:
        return {name: convert(present[name]) for name in present}
    missing = [name for name in columns if name not in present]
    if missing:
        raise InputError(f"expected columns of {', '.join(present)}, got {', '.join(missing)}; choose among them")
    return tuple(convert(present[name]) for name in columns)


def check_alone(loader: Any, processes: int, rank: str) -> None:
    """Refuse a loader of all rows in one of several processes that train together.

    Raises
    ------
    InputError
    """
    if processes > 1 and loader.shares.world_size == 1:
        raise InputError(
            f"expected a loader for one of {processes} processes, got one of all rows, which each of them would train "
            f"on; write Loader(..., rank={rank}, world_size={processes}, seed=0)"
        )


def plain_column(column: Any) -> Any:
    """Annotations of each sample, or of each frame of a video, as arrays, polygons as flat lists, all else as it is."""
    if isinstance(column, list):
        return [plain_column(value) if isinstance(value, list) else plain_annotation(value) for value in column]
    return column


class Adapters:
    """What a loader can be turned into."""

    def numpy(self, columns: Names = None) -> View:
        """Dicts of arrays, or tuples of the columns named; boxes and points as lists of arrays."""
        return View(self, partial(columns_of, columns=columns, convert=plain_column))

    def torch(
        self,
        columns: Names = None,
        *,
        masks: str | None = None,
        channel: bool = False,
        pin: bool = False,
        device: Any = None,
    ) -> View:
        """Dicts (or tuples) of tensors that share the batch's memory.

        Parameters
        ----------
        columns : sequence of str, optional
            Which, as a tuple in that order.
        masks : str, optional
            Type of label maps, such as ``"int64"``, which losses over classes ask for, or ``"float32"``; as they are
            (mostly bytes, an eighth of the memory) when left out.
        channel : bool
            Give images without channels, such as scans, an axis of one channel behind that of the batch.
        pin : bool
            Copy into page-locked memory, from which a GPU fetches quicker.
        device : torch.device or str, optional
            Send them there.
        """
        from imagemill.feed.adapters import torch

        return View(self, torch.converter(columns, pin=pin, device=device, masks=masks, channel=channel))

    def torch_dataset(self) -> Any:
        """A map-style dataset for a `torch.utils.data.DataLoader` of your own: item ``i`` is place ``i`` of the epoch.

        Each iteration of the DataLoader is the next epoch, from that of this loader on; the method ``set_epoch`` says
        another. The places are shuffled already, and those of other ranks left out, so neither ``shuffle=True`` nor a
        `DistributedSampler` is needed. ``collate_fn=dataset.collate`` saves taking batches apart and together again,
        and is needed for boxes and points.
        """
        from imagemill.feed.adapters import torch

        return torch.map_dataset(self)

    def detection(self, *, first: int = 1, masks: bool = True) -> View:
        """Pictures and targets as the detectors of torchvision take them: ``(list of tensors, list of dicts)``.

        A dict has ``boxes`` (float32 ``[n, 4]``, left, top, right, bottom edges, 0 to width and height), ``labels``
        (int64), ``image_id`` (the source's number of the picture, or the row's), ``iscrowd`` (int64), ``area`` (as the
        source has it for its box, scaled with the box), ``masks`` (uint8 ``[n, h, w]``) where annotations have polygons
        or masks, and ``keypoints`` (float32 ``[n, k, 3]``: x, y, 1 if it is seen, zeros if not) where they have any.
        All are of the boxes that are left, in one order; boxes without extent are left out.

        Parameters
        ----------
        first : int
            Number of the first of `categories`; those detectors call the background 0.
        masks : bool
            Masks cost as much as pictures do; leave them out where boxes are all that is learned.
        """
        from imagemill.feed.adapters import detection

        self.carry_annotations()  # type: ignore[attr-defined]  # of the loader
        return View(self, detection.converter(first, masks=masks))

    def keras(self, columns: Names | Literal["auto"] = "auto") -> Any:
        """A `keras.utils.PyDataset` for ``model.fit``, on any backend.

        Its columns are image and label when left out, and weight where samples have weights.
        """
        from imagemill.feed.adapters import keras

        if columns == "auto":
            columns = ("image", "label", "weight") if self.is_weighted else ("image", "label")  # type: ignore[attr-defined]
        return keras.py_dataset(self, columns)

    def jax(self, columns: Names = None, *, device: Any = None, sharding: Any = None) -> View:
        """Dicts (or tuples) of JAX arrays, on a device or spread by a sharding.

        Columns that are lists (boxes, points) become lists of arrays on the default device.
        """
        from imagemill.feed.adapters import jax

        jax.check(self)
        return View(self, jax.converter(columns, device=device, sharding=sharding))

    def tf(self, columns: Names = ("image", "label")) -> Any:
        """A `tf.data.Dataset` of one epoch after the other; columns must be arrays."""
        from imagemill.feed.adapters import tf

        return tf.dataset(self, columns)

    def ray(self, columns: Names = None, *, actors: int = 2) -> Any:
        """Batches made on a Ray cluster, through Ray Data, in the same order and with the same pixels.

        In Ray Train each worker makes a loader of its own with ``rank`` and ``world_size``, and reads its part alone.

        Parameters
        ----------
        columns : sequence of str, optional
            Columns that are arrays, such as ``("image", "label")``.
        actors : int
            That make batches.

        Returns
        -------
        RayBatches
            Dicts of arrays when it is looped over; ``iter_torch_batches()``, and ``dataset(epoch)`` for Ray's own.
        """
        from imagemill.feed.adapters.ray_data import RayBatches

        return RayBatches(self, columns, actors)

    def grain(self, columns: Names = ("image", "label")) -> Any:
        """A random-access source for Grain: item ``i`` is batch ``i`` of the epoch."""
        from imagemill.feed.adapters import grain

        return grain.BatchSource(self, columns)

    def lightning(self, *, val: Any = None, test: Any = None, columns: Names = ("image", "label")) -> Any:
        """A `LightningDataModule` that trains on this loader and validates on others."""
        from imagemill.feed.adapters import lightning

        return lightning.data_module(self, val, test, columns)
