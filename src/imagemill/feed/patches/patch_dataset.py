"""A dataset whose items are patches of volumes, new ones in each epoch."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from imagemill.core.errors import InputError
from imagemill.core.geometry import Floats
from imagemill.core.randomness.default_keys import Lineage
from imagemill.core.targets import Image, Mask
from imagemill.data.sliced_volumes import SlicedVolume, open_volume
from imagemill.feed.patches.patch_sampler import LabelCounts, PatchSampler, WeightSums

__all__ = ["PatchDataset"]


class PatchDataset:
    """Patches of volumes by number: of each volume so many, drawn anew in every epoch.

    It has a length and items by number, so it goes into a `Loader`, into `torch.utils.data.DataLoader`, and through
    `augmented`. Items are mappings with ``image`` and, with masks, ``mask``; both know where they lie in the world. The
    draws belong to the volume's key and the epoch: the same for any number of workers, and for any order.

    Parameters
    ----------
    images : sequence of paths, arrays or SlicedVolume
        Opened when their first patch is asked for, and kept open: mapped, where the format allows (see `open_volume`).
    masks : sequence, optional
        Their label maps, on the same grids.
    sampler : PatchSampler
    per_volume : int
        Patches of each volume in an epoch.
    weights : sequence, optional
        Maps of how often voxels are to be in the middle, instead of what the sampler says of labels.
    keys : sequence of str or int, optional
        Of the volumes; their numbers if left out.
    fill : float
        What stands beyond a volume that is smaller than a patch; label maps have 0 there.

    Raises
    ------
    InputError
        When there are not as many masks, weights and keys as images, or a mask has another shape.

    Examples
    --------
    >>> volumes = [np.random.default_rng(i).normal(size=(10, 20, 20)).astype(np.float32) for i in range(3)]
    >>> masks = [(volume > 2).astype(np.uint8) for volume in volumes]
    >>> data = PatchDataset(volumes, masks, sampler=PatchSampler((4, 8, 8), positive=1.0, seed=7), per_volume=5)
    >>> item = data[7]  # the third patch of the second volume
    >>> len(data), item["image"].array.shape, bool(item["mask"].array.any())
    (15, (4, 8, 8), True)
    """

    def __init__(
        self,
        images: Sequence[Any],
        masks: Sequence[Any] | None = None,
        *,
        sampler: PatchSampler,
        per_volume: int = 1,
        weights: Sequence[Any] | None = None,
        keys: Sequence[str | int] | None = None,
        fill: float = 0,
    ) -> None:
        for name, some in (("masks", masks), ("weights", weights), ("keys", keys)):
            if some is not None and len(some) != len(images):
                raise InputError(f"expected as many {name} as images, {len(images)}, got {len(some)}")
        if not isinstance(per_volume, int | np.integer) or isinstance(per_volume, bool) or per_volume < 1:
            raise InputError(f"expected per_volume as a whole number of at least 1, got {per_volume!r}")
        self.images, self.masks, self.weights = images, masks, weights
        self.sampler, self.per_volume, self.fill = sampler, int(per_volume), fill
        self.keys = range(len(images)) if keys is None else keys
        self._lineage = Lineage()
        self._forget()

    def _forget(self) -> None:
        self._open: dict[tuple[str, int], Any] = {}
        self._lock = threading.Lock()

    def __getstate__(self) -> dict[str, Any]:
        # Open files stay where they are; the other process opens its own.
        return {name: value for name, value in self.__dict__.items() if name not in ("_open", "_lock")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._forget()

    def __len__(self) -> int:
        return len(self.images) * self.per_volume

    def set_epoch(self, epoch: int) -> None:
        """Say which epoch comes next, where neither a Loader nor a DataLoader says it."""
        self._lineage.set_epoch(epoch)

    def __getitem__(self, i: int) -> Mapping[str, Any]:
        if not -len(self) <= i < len(self):
            raise IndexError(f"expected a number below {len(self)}, got {i}")
        _, epoch = self._lineage.complete((int(i) % len(self),), None, 1)
        return self.item_at(int(i) % len(self), epoch)

    def item_at(self, i: int, epoch: int) -> dict[str, Any]:
        """Patch ``i`` as it is in an epoch."""
        which, number = divmod(i, self.per_volume)
        image = self._opened("images", which)
        asked: dict[str, Any] = {}
        if self.weights is not None:
            asked["weights"] = self._known("sums", which, lambda: WeightSums.of(self._opened("weights", which)))
        elif self.masks is not None and (self.sampler.positive is not None or self.sampler.labels is not None):
            asked["labels"] = self._known("counts", which, lambda: LabelCounts.of(self._opened("masks", which)))
        key, shape = self.keys[which], image.spatial_shape
        (start,) = self.sampler.starts(shape, 1, key=key, epoch=epoch, first=number, **asked)
        place, size = start.tolist(), self.sampler.size
        found = {"image": Image(image.read(place, size, self.fill), image.axes, affine=_moved(image.affine, place))}
        if self.masks is not None:
            mask = self._opened("masks", which)
            if mask.spatial_shape != shape:
                raise InputError(
                    f"expected the mask of volume {key} on the grid of its image, {shape}, got {mask.spatial_shape}; "
                    "prepare the dataset, which brings them onto one"
                )
            # The grid is one: the image's matrix holds for both.
            affine = found["image"].affine
            return {**found, "mask": Mask(mask.read(place, size), mask.axes, affine=affine)}
        return dict(found)

    def _opened(self, what: str, which: int) -> SlicedVolume:
        def opened() -> SlicedVolume:
            given = getattr(self, what)[which]
            return given if isinstance(given, SlicedVolume) else open_volume(given)

        found: SlicedVolume = self._known(what, which, opened)
        return found

    def _known(self, what: str, which: int, make: Any) -> Any:
        if (what, which) not in self._open:
            made = make()
            with self._lock:
                self._open.setdefault((what, which), made)
        return self._open[what, which]


def _moved(affine: Floats | None, start: Sequence[int]) -> Floats | None:
    """The affine of a part that begins at an index."""
    if affine is None:
        return None
    found = affine.copy()
    found[:-1, -1] += affine[:-1, :-1] @ np.array(start, dtype=np.float64)
    return found
