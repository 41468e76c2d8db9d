"""What the caller passed, wrapped, checked and brought into canonical form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from imagemill.core.errors import InputError
from imagemill.core.geometry import Floats, Frame, peak_of
from imagemill.core.targets import Array, Image, Mask, Target, as_target
from imagemill.engine.foreground import Foreground

Columns = dict[str, list[Target]]


def read_columns(columns: Mapping[str, Any], axes: str | None) -> tuple[Columns, int]:
    """Every value wrapped as a target; how many samples there are."""
    wrapped: Columns = {}
    for name, values in columns.items():
        if not isinstance(values, np.ndarray | Sequence) or isinstance(values, str):
            raise InputError(f"expected {name} as a sequence with one value per sample, got {type(values).__name__}")
        wrapped[name] = [as_target(name, v) for v in values]
        if axes is not None:
            wrapped[name] = [
                replace(t, axes=_said(t, axes)) if isinstance(t, Image) and t.axes is None else t for t in wrapped[name]
            ]
    counts = {name: len(values) for name, values in wrapped.items()}
    if not counts or len(set(counts.values())) > 1 or 0 in counts.values():
        raise InputError(f"expected at least one sample, and as many values in every column, got {counts or 'nothing'}")
    return wrapped, next(iter(counts.values()))


def _said(image: Image, axes: str) -> str:
    """The axes word for an image: as said, without its channel where there is none. A wrong word is refused."""
    spatial = axes.replace("c", "", 1)
    return spatial if image.array.ndim == len(spatial) else axes


def _metric(lead: list[Target], world: Floats) -> Floats | None:
    """Voxel sizes where any sample gives them beside a world matrix; None when the world says it all."""
    d = world.shape[-1] - 1
    found = world[:, :d, :d].copy()
    apart = [i for i, t in enumerate(lead) if isinstance(t, Image | Mask) and t.spacing and t.world is not None]
    for i in apart:
        found[i] = np.diag(np.asarray(getattr(lead[i], "spacing", None), dtype=np.float64))
    return found if apart else None


class Inputs:
    """The targets of a batch, in canonical form, and the frame they share."""

    def __init__(self, columns: Columns) -> None:
        self._columns = columns
        self.names = tuple(columns)
        rasters = [name for name in columns if isinstance(columns[name][0], Image | Mask)]
        if not rasters:
            raise InputError("expected an image or a mask among the targets: boxes and points need a frame")
        images = [name for name in rasters if isinstance(columns[name][0], Image)]
        self._lead = images[0] if images else rasters[0]
        lead = columns[self._lead]
        self._axes: dict[str, str] = {}
        self._canonical: dict[str, list[Array]] = {}
        for name in [self._lead, *rasters]:
            self._read(name)
        first = self._canonical[self._lead][0]
        spatial = self._axes[self._lead].replace("c", "")
        canonical_axes = "yx" if len(spatial) == 2 else "zyx"
        shape = np.array([a.shape[:-1] for a in self._canonical[self._lead]], dtype=np.int64)
        for name in rasters:
            self._check(name, shape, first)
        world = np.stack([t.world_matrix(spatial) for t in lead if isinstance(t, Image | Mask)])
        self.frame = Frame(
            canonical_axes, shape, world, first.shape[-1], first.dtype, peak_of(first.dtype), _metric(lead, world)
        )

    def _read(self, name: str) -> None:
        if name in self._canonical:
            return
        given = self._axes.get(self._lead)
        arrays = []
        for target in self._columns[name]:
            if not isinstance(target, Image | Mask):
                raise InputError(f"expected the same kind of target in all of {name!r}, got {target.kind!r}")
            axes = target.named(given)
            if self._axes.setdefault(name, axes) != axes:
                raise InputError(
                    f"expected one order of axes in all of {name!r}, got {self._axes[name]!r} and {axes!r}"
                )
            arrays.append(target.canonical(given))
        self._canonical[name] = arrays

    def _check(self, name: str, shape: Any, first: Array) -> None:
        for i, array in enumerate(self._canonical[name]):
            if array.shape[:-1] != tuple(shape[i]):
                raise InputError(
                    f"expected the {name} of the same size as the {self._lead}, {tuple(shape[i].tolist())}, "
                    f"got {array.shape[:-1]}"
                )
            image = self.kind(name) == Image.kind and self.kind(self._lead) == Image.kind
            if image and name != self._lead and (array.shape[-1] != first.shape[-1] or array.dtype != first.dtype):
                raise InputError(
                    f"expected the image {name!r} with {first.shape[-1]} channels of {first.dtype}, as {self._lead!r} "
                    f"has, got {array.shape[-1]} of {array.dtype}"
                )

    def kind(self, name: str) -> str:
        """The kind of a column's targets."""
        return self._columns[name][0].kind

    def column(self, name: str) -> list[Target]:
        """A column as it was passed, wrapped."""
        return self._columns[name]

    def axes(self, name: str) -> str:
        """The axes a raster column came with."""
        return self._axes[name]

    def canonical(self, name: str) -> list[Array]:
        """A raster column as ``(*shape, C)`` arrays."""
        return self._canonical[name]

    def foreground(self) -> Foreground | None:
        """The masks, when there are any."""
        masks = [self._canonical[name] for name in self._canonical if self.kind(name) == Mask.kind]
        return Foreground(masks) if masks else None
