"""What comes out: one sample or a batch, with the recipe that makes it again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol, Self, TypeVar, overload

import numpy as np
import numpy.typing as npt

from imagemill.core.errors import InputError
from imagemill.core.geometry import Floats
from imagemill.core.late_list import LateList
from imagemill.core.looking import Seeable
from imagemill.core.near_words import near_word
from imagemill.core.short_repr import ShortRepr, listed, short
from imagemill.core.targets import Array, Boxes, Image, Keypoints, Label, Map, Mask, Raster, Target


@dataclass(frozen=True, slots=True)
class Applied:
    """One transform as it was applied to one sample: its name and the values that were drawn."""

    name: str
    values: Mapping[str, float]

    def __str__(self) -> str:
        inside = ", ".join(f"{k}={v:.4g}" for k, v in self.values.items())
        return f"{self.name}({inside})" if inside else self.name


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Drawing(ShortRepr):
    """What one transform drew for a batch: who was chosen, ``[n]``, and the values, each ``[n]``."""

    name: str
    where: npt.NDArray[np.bool_]
    values: Mapping[str, Floats]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class DrawLog(ShortRepr):
    """What all transforms drew for a batch; rows are made when they are asked for."""

    drawings: tuple[Drawing, ...]

    def row(self, i: int) -> tuple[Applied, ...]:
        """The transforms applied to sample ``i``, with their values."""
        return tuple(
            Applied(d.name, {name: float(column[i]) for name, column in d.values.items()})
            for d in self.drawings
            if d.where[i]
        )

    def part(self, rows: slice) -> DrawLog:
        """What was drawn for some of the samples."""
        parts = (
            Drawing(d.name, d.where[rows], {name: column[rows] for name, column in d.values.items()})
            for d in self.drawings
        )
        return DrawLog(tuple(parts))

    def __getitem__(self, i: int) -> tuple[Applied, ...]:
        return self.row(i)


@dataclass(frozen=True, slots=True, repr=False)
class Recipe(ShortRepr):
    """The few numbers that make a sample again.

    Parameters
    ----------
    seed, epoch : int
    key : str or int
        The sample's key.
    pipeline : str
        Digest of the pipeline the numbers belong to.
    partners : tuple of str, int or None
        Keys of the samples that it was mixed with, or might have been; None where there was none.
    """

    seed: int
    epoch: int
    key: str | int
    pipeline: str
    partners: tuple[str | int | None, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        found = {"seed": self.seed, "epoch": self.epoch, "key": _plain_key(self.key), "pipeline": self.pipeline}
        return {**found, "partners": [_plain_key(key) for key in self.partners]} if self.partners else found

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Read what :meth:`to_dict` wrote; other keys are an error."""
        if set(values) - {"partners"} != {"seed", "epoch", "key", "pipeline"}:
            raise InputError(f"expected a recipe of seed, epoch, key and pipeline, got {sorted(values)}")
        partners = tuple(values.get("partners", ()))
        return cls(int(values["seed"]), int(values["epoch"]), values["key"], str(values["pipeline"]), partners)


def _plain_key(key: Any) -> Any:
    """A key for JSON, which does not know the numbers of numpy."""
    return key if key is None or isinstance(key, str) else int(key)


class Recipes(Sequence[Recipe]):
    """The recipes of a batch, each made when it is asked for.

    Parameters
    ----------
    seed, epoch : int
    keys : sequence of str or int
        The samples' keys.
    pipeline : str
    partners : sequence of tuple of keys, optional
        For each sample, those it was mixed with.

    Examples
    --------
    >>> recipes = Recipes(7, 0, ["a", "b"], "0123456789abcdef")
    >>> recipes[1].key, len(recipes), [recipe.key for recipe in recipes[:1]]
    ('b', 2, ['a'])
    """

    __slots__ = ("_epoch", "_keys", "_partners", "_pipeline", "_seed")

    def __init__(
        self,
        seed: int,
        epoch: int,
        keys: Sequence[str | int],
        pipeline: str,
        partners: Sequence[tuple[str | int | None, ...]] | None = None,
    ) -> None:
        # The caller's list may change later; a recipe may not.
        lasting = isinstance(keys, range | LateList)
        self._keys = keys if lasting else keys.copy() if isinstance(keys, np.ndarray) else tuple(keys)
        self._seed, self._epoch, self._pipeline, self._partners = seed, epoch, pipeline, partners

    def __len__(self) -> int:
        return len(self._keys)

    @overload
    def __getitem__(self, i: int) -> Recipe: ...
    @overload
    def __getitem__(self, i: slice) -> Recipes: ...
    def __getitem__(self, i: int | slice) -> Recipe | Recipes:
        if isinstance(i, slice):
            partners = None if self._partners is None else self._partners[i]
            return Recipes(self._seed, self._epoch, self._keys[i], self._pipeline, partners)
        others = () if self._partners is None else self._partners[i]
        return Recipe(self._seed, self._epoch, self._keys[i], self._pipeline, others)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Recipes | tuple) and tuple(self) == tuple(other)

    def __hash__(self) -> int:
        return hash(tuple(self))

    def __repr__(self) -> str:
        keys = listed(self._keys)
        return (
            f"Recipes({len(self):,}: seed={self._seed}, epoch={self._epoch}, pipeline={self._pipeline!r}, keys {keys})"
        )


class SourceMap(Protocol):
    """The way of one sample from the frame it came out in back to the one it came from."""

    def inverse(
        self,
        targets: Mapping[str, Any],
        like: Mapping[str, Any],
        *,
        axes: str | None,
        order: int,
        fill: float,
        label: int,
    ) -> dict[str, Any]:
        """Predictions about the sample, as predictions about its source; see :meth:`Sample.inverse`."""

    def seen(self) -> Array:
        """Which pixels of the source the sample shows, bool, of the source's spatial shape."""


M = TypeVar("M")

_CALLED = {"labels": "label", "target": "label", "targets": "label", "y": "label", "class": "label", "x": "image",
           "img": "image", "images": "image", "pixels": "image", "masks": "mask", "segmentation": "mask",
           "bboxes": "boxes", "points": "keypoints"}  # fmt: skip
"""What others call a target or a column, and what it is mostly called here."""


def _named(values: Mapping[str, Any]) -> list[str]:
    """Targets or columns by name, each in a few words; of a list how many of what."""
    said = []
    for name, value in values.items():
        shown = plain(value) if isinstance(value, Image | Mask | Map | Label | Frames) else value
        words = short(shown) if not isinstance(shown, np.ndarray) else f"{shown.dtype} {shown.shape}"
        said.append(f"{name}={words}")
    return said


def _way(geometry: M | None) -> M:
    """The maps of a sample or batch, or why there are none."""
    if geometry is None:
        raise InputError(
            "expected what a pipeline made, which knows its way back, got something that came without one; call "
            "inverse on the sample or batch itself, before it is taken apart"
        )
    return geometry


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Frames(ShortRepr):
    """Annotations of a video: those of each frame, in order."""

    each: tuple[Any, ...]

    kind: ClassVar[str] = "frames"


def plain(target: Target | Frames) -> Any:
    """The value a user reads: the array of a raster, the label's value, boxes and points as they are."""
    if isinstance(target, Frames):
        return list(target.each)
    if isinstance(target, Raster):
        return target.array
    return target.value if isinstance(target, Label) else target


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Sample(Seeable):
    """One augmented sample.

    Its targets are read as attributes under the names they were passed by: ``sample.image`` and
    ``sample.mask`` are arrays, ``sample.boxes`` and ``sample.keypoints`` keep their format and labels.
    Taken apart (``image, label = sample``) it gives its values in their order.

    Parameters
    ----------
    targets : dict of str to target
    recipe : Recipe
    applied : tuple of Applied
        The transforms this sample was chosen for, with their values.
    affine : array, ``(d+1, d+1)``
        Output index to world coordinates.
    geometry : SourceMap, optional
        The way back, see :meth:`inverse`.
    """

    targets: Mapping[str, Target | Frames]
    recipe: Recipe
    applied: tuple[Applied, ...] = ()
    affine: Floats = field(default_factory=lambda: np.eye(3))
    geometry: SourceMap | None = field(default=None, repr=False, kw_only=True)

    def __repr__(self) -> str:
        made = [f"key={self.recipe.key!r}", f"epoch={self.recipe.epoch}", f"seed={self.recipe.seed}"]
        applied = [f"applied=[{', '.join(map(str, self.applied))}]"] if self.applied else []
        return f"Sample({', '.join(_named(self.targets) + made + applied)})"

    def inverse(
        self, *, axes: str | None = None, order: int = 1, fill: float = 0.0, label: int = 0, **predictions: Any
    ) -> dict[str, Any]:
        """Bring predictions about this sample to the frame of the picture or volume that went in, in one resample.

        Parameters
        ----------
        axes : str, optional
            Of plain arrays of ``scores`` and ``mask``, such as ``"cyx"``. Left out, they are told by the shape.
        order : {0, 1, 3, 5}
            Spline order for ``scores``.
        fill, label
            What scores and label maps say where this sample shows nothing of the source: beyond a crop, and where
            padding stands in its place. :meth:`seen` tells where that is.
        **predictions
            ``scores`` (float, one or a channel per class: interpolated), ``mask`` (labels: nearest neighbour),
            ``boxes``, ``keypoints``, or any name with an Image, Mask, Boxes, Keypoints or Polygons. Arrays and
            tensors; tensors come back as tensors, on their device. Plain boxes and points are read in the format
            of those of the sample, if it has any, and points with their names.

        Returns
        -------
        dict of str to value
            By the names given. Rasters have their axes in the order in which they came. Boxes are the upright ones
            around what is brought back, so they grow where the sample was turned; of those that lie outside the
            source nothing is left, and their ``index`` says which are there. Points stay all, ``inside`` says which
            lie in the source; left and right are exchanged again where the sample was mirrored.

        Raises
        ------
        InputError
            When a raster is not as large as the sample, or the sample was not made by a pipeline.

        Examples
        --------
        >>> import imagemill as im
        >>> sample = im.Pipeline([im.Flip("x"), im.Crop((2, 3))], seed=1)(image=np.zeros((2, 5)))
        >>> sample.inverse(mask=np.array([[1, 2, 3], [4, 5, 6]]), label=-1)["mask"].tolist()
        [[-1, 3, 2, 1, -1], [-1, 6, 5, 4, -1]]
        """
        return _way(self.geometry).inverse(predictions, self.targets, axes=axes, order=order, fill=fill, label=label)

    def seen(self) -> Array:
        """Which pixels of the source this sample shows: a bool array of the source's spatial shape."""
        return _way(self.geometry).seen()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name == "targets":
            raise AttributeError(name)
        if name in self.targets:
            return plain(self.targets[name])
        near = near_word(name, self.targets, _CALLED)
        raise AttributeError(f"expected one of this sample's targets ({', '.join(self.targets)}), got {name!r}{near}")

    def __getitem__(self, name: str | int) -> Any:
        if isinstance(name, int | np.integer):  # by place, as in the tuple that it can be taken apart into
            return tuple(self)[name]
        if name not in self.targets:
            raise KeyError(f"expected one of {list(self.targets)}, got {name!r}")
        return plain(self.targets[name])

    def __len__(self) -> int:
        return len(self.targets)

    def __contains__(self, name: object) -> bool:
        return name in self.targets

    def __iter__(self) -> Iterator[Any]:
        """The values in their order, so that ``image, label = sample``; ``targets`` has their names."""
        return (plain(target) for target in self.targets.values())

    def __array__(self, *_: Any, **__: Any) -> Array:
        raise InputError(f"expected an array, got a Sample of {', '.join(self.targets)}; sample.image is one")


# To what puts samples together (a DataLoader's collate) it is what a Dataset of PyTorch gives: values in their order.
Sequence.register(Sample)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Batch(Seeable):
    """Many augmented samples.

    ``batch.image`` and ``batch.mask`` are single contiguous arrays ``[n, ...]``, ``batch.boxes`` and
    ``batch.keypoints`` lists with one entry per sample, ``batch.label`` a list. Taken apart
    (``images, labels = batch``) it gives its columns in their order.

    Parameters
    ----------
    columns : dict of str to array or list
    recipe : sequence of Recipe
    applied : DrawLog
        ``batch.applied[i]`` lists what was applied to sample ``i``.
    affine : array, ``[n, d+1, d+1]``
    geometry : sequence of SourceMap, optional
        Each sample's way back, see :meth:`inverse`.
    """

    columns: Mapping[str, Array | list[Boxes] | list[Keypoints] | list[Any]]
    recipe: Sequence[Recipe]
    applied: DrawLog
    affine: Floats
    geometry: Sequence[SourceMap] | None = field(default=None, repr=False, kw_only=True)

    def __repr__(self) -> str:
        made = [f"seed={one.seed}, epoch={one.epoch}" for one in self.recipe[:1]]
        keys = f"keys {listed([recipe.key for recipe in self.recipe])}"
        return f"{type(self).__name__}({len(self):,}: {', '.join([*_named(self.columns), *made, keys])})"

    def inverse(
        self, *, axes: str | None = None, order: int = 1, fill: float = 0.0, label: int = 0, **predictions: Any
    ) -> dict[str, list[Any]]:
        """Bring predictions about each sample to the frame of what went in, as :meth:`Sample.inverse` does for one.

        Parameters
        ----------
        axes, order, fill, label
            As there; ``axes`` are those of one sample.
        **predictions
            One value per sample each: a list, or an array or tensor ``[n, ...]``.

        Returns
        -------
        dict of str to list
            A list with one value per sample, for sources have sizes of their own.

        Examples
        --------
        >>> import imagemill as im
        >>> photos = [np.zeros((6, 8), np.uint8), np.zeros((4, 4), np.uint8)]
        >>> batch = im.Pipeline([im.Flip("x"), im.Resize((2, 2))], seed=1).batch(photos)
        >>> back = batch.inverse(scores=np.array([[[0, 1], [0, 1]], [[1, 0], [1, 0]]], np.float32))
        >>> [scores.shape for scores in back["scores"]], back["scores"][1][0].tolist()
        ([(6, 8), (4, 4)], [0.0, 0.25, 0.75, 1.0])
        """
        way = _way(self.geometry)
        back: dict[str, list[Any]] = {name: [] for name in predictions}
        for name, values in predictions.items():
            if not hasattr(values, "__len__") or len(values) != len(way):
                got = f"{len(values)}" if hasattr(values, "__len__") else type(values).__name__
                raise InputError(f"expected {len(way)} {name}, one per sample of the batch, got {got}")
        for i, one in enumerate(way):
            like = {name: column[i] for name, column in self.columns.items()}
            here = {name: values[i] for name, values in predictions.items()}
            for name, value in one.inverse(here, like, axes=axes, order=order, fill=fill, label=label).items():
                back[name].append(value)
        return back

    def seen(self) -> list[Array]:
        """Which pixels of its source each sample shows: bool arrays of the sources' spatial shapes."""
        return [one.seen() for one in _way(self.geometry)]

    def __len__(self) -> int:
        return len(self.recipe)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name == "columns":
            raise AttributeError(name)
        if name in self.columns:
            return self.columns[name]
        near = near_word(name, self.columns, _CALLED)
        if name in ("shape", "dtype", "size") and "image" in self.columns:
            near = f"; write batch.image.{name}"
        raise AttributeError(f"expected one of this batch's columns ({', '.join(self.columns)}), got {name!r}{near}")

    def __getitem__(self, name: str) -> Any:
        if name not in self.columns:
            first = next(iter(self.columns), "image")
            do = "" if isinstance(name, str) else f"; a column is an array or a list: batch[{first!r}][{name!r}]"
            raise KeyError(f"expected one of {list(self.columns)}, got {name!r}{do}")
        return self.columns[name]

    def __contains__(self, name: object) -> bool:
        return name in self.columns

    def __iter__(self) -> Iterator[Any]:
        """The columns in their order, so that ``for images, labels in loader``; ``columns`` has their names."""
        return iter(self.columns.values())

    def __array__(self, *_: Any, **__: Any) -> Array:
        raise InputError(f"expected an array, got a batch of {', '.join(self.columns)}; batch.image is one")
