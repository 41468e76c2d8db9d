"""A dataset of someone else with a pipeline put behind it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from imagemill.core.colours import Channels
from imagemill.core.errors import InputError, PlanError
from imagemill.core.extras import require
from imagemill.core.randomness.default_keys import Numbering
from imagemill.core.sample import Sample
from imagemill.core.targets import NAMED, Boxes, Image, Target, plain_annotation
from imagemill.feed.order.turns import Turns, by_epoch
from imagemill.pipeline.groups import mixing
from imagemill.pipeline.named_pipelines import PipelineGiven, as_pipeline
from imagemill.pipeline.pipeline import Pipeline

__all__ = ["Augmented", "augmented"]

_AUGMENTED = tuple(name for name in NAMED if name != "label")

Places = Sequence[str | None]
Targets = dict[str, Any]
Out = Callable[[Any], Any]
Back = Callable[[Mapping[str, Any], Out], Any]

_OF_BOXES = ("labels", "classes", "categories", "category_id", "iscrowd", "area", "scores", "ids")
"""Names under which there is one value for each box."""


class Augmented:
    """What `augmented` makes: items of a dataset, augmented in the epoch of whoever asks for them."""

    def __init__(
        self, dataset: Any, pipeline: Pipeline, names: Places, keys: Any, how: Mapping[str, Any], *, tensors: bool
    ) -> None:
        self.dataset, self.pipeline = dataset, pipeline
        self._names, self._keys, self._how, self._tensors = names, keys, dict(how), tensors
        self._turns = Turns(Numbering())

    def set_epoch(self, epoch: int) -> None:
        """Say which epoch comes next; it reaches workers that are running."""
        self._turns.set_epoch(epoch)

    def __len__(self) -> int:
        return len(self.dataset)

    def __getattr__(self, name: str) -> Any:
        # What the dataset says of itself: classes, targets, ... Not before it is there, as in a copy half made.
        if name.startswith("_") or "dataset" not in self.__dict__:
            raise AttributeError(name)
        return getattr(self.dataset, name)

    def __getitem__(self, place: int) -> Any:
        return self.__getitems__([place])[0]

    def __getitems__(self, places: Sequence[int]) -> list[Any]:
        """Several items, of which the pipeline makes as many as it can in one call."""
        items = getattr(self.dataset, "__getitems__", None)
        found = [self.dataset[place] for place in places] if items is None else items(list(places))
        labelled = self.pipeline.group > 1 or self.pipeline.chooses
        read = [_read(item, self._names, labelled=labelled) for item in found]
        at = [self._place(place) for place in places]
        keys = at if self._keys is None else [self._keys[place] for place in at]

        def make(some: list[int], epoch: int) -> Sequence[Any]:
            return self._made([read[i] for i in some], [keys[i] for i in some], epoch)

        return by_epoch(self._turns.of(at), make)

    def _place(self, place: Any) -> int:
        number = int(place)
        return number + len(self) if number < 0 else number

    def _made(self, read: list[tuple[Targets, Back]], keys: list[Any], epoch: int) -> list[Any]:
        names = list(read[0][0])
        made = None
        if self.pipeline.group > 1:
            return self._mixed(read, keys, epoch)
        if len(read) > 1 and all(list(targets) == names for targets, _ in read):
            columns: dict[str, Any] = {name: [targets[name] for targets, _ in read] for name in names}
            try:
                made = self.pipeline.batch(keys=keys, epoch=epoch, **self._how, **columns)
            except (InputError, PlanError):
                made = None  # of sizes or types that do not go into one array; whatever is really wrong is raised below
        if made is not None:
            rows: list[Any] = [{name: made[name][i] for name in names} for i in range(len(read))]
        else:
            pairs = zip(read, keys, strict=True)
            rows = [self.pipeline(key=key, epoch=epoch, **self._how, **targets) for (targets, _), key in pairs]
        pairs = zip(rows, read, strict=True)
        return [back(row, self._out) for row, (_, back) in pairs]

    def _mixed(self, read: list[tuple[Targets, Back]], keys: list[Any], epoch: int) -> list[Any]:
        """Samples of one batch, which are mixed with each other by their places in it."""
        if len(read) == 1:
            raise InputError(
                f"expected a batch for {mixing(self.pipeline.transforms)}, got one item alone; ask for several: "
                "DataLoader(dataset, batch_size=32, drop_last=True), which calls dataset.__getitems__"
            )
        columns: dict[str, Any] = {name: [targets[name] for targets, _ in read] for name in read[0][0]}
        made = self.pipeline.batch(keys=keys, epoch=epoch, **self._how, **columns)
        return [back({n: made[n][i] for n in columns}, self._out) for i, (_, back) in enumerate(read)]

    def _out(self, value: Any) -> Any:
        value = plain_annotation(value)
        if self._tensors and isinstance(value, np.ndarray):
            return require("torch", extra="torch").from_numpy(value.copy())
        return value


def augmented(
    dataset: Any,
    pipeline: PipelineGiven,
    *,
    names: Sequence[str | None] = ("image", None),
    keys: Sequence[str | int] | None = None,
    axes: str | None = None,
    channels: Channels = "keep",
    tensors: bool = False,
) -> Augmented:
    """A map-style dataset with a pipeline behind it, for a `torch.utils.data.DataLoader` or any other loop.

    A pipeline that mixes (`MixUp`) pairs the items of a batch by their places in it: the same for any even size.
    Item ``i`` has the key ``i``, and its epoch advances by itself: with each iteration of a DataLoader, whatever the
    number of its workers and how they are started, and in any other loop with each time that the item is asked for.

    Parameters
    ----------
    dataset : object with ``__len__`` and ``__getitem__``
        Its items are an image (PIL or array); a tuple that begins with one, such as ``(image, label)``; or a mapping
        with ``image`` and any of ``mask``, ``boxes``, ``rotated_boxes``, ``polygons``, ``lines``, ``instances`` and
        ``keypoints``, or values that say their kind (`Image`, `Mask`, `Map`, `Boxes`, ...). All else in an item is
        handed on as it is, and it comes back in its structure.
    pipeline : Pipeline
    names : sequence of str or None
        What the values of a tuple are, such as ``("image", "mask")``; None is handed on as it is. A pipeline that
        mixes samples needs ``("image", "label")``.
    keys : sequence of str or int, optional
        What the draws of each item belong to, instead of its number.
    axes : str, optional
        Of an image that is no picture, such as ``"zyx"``.
    channels : {"keep", "gray", "rgb", "rgba"}
        What images are turned into first: gray and colour in one dataset need ``"rgb"``.
    tensors : bool
        Arrays as tensors. A DataLoader makes them anyway.

    Returns
    -------
    Augmented
        Its ``set_epoch`` says with which epoch to go on.

    Raises
    ------
    InputError
        When the dataset has no length, or an item has a second picture of which nobody said what it is.

    Examples
    --------
    >>> import imagemill as im
    >>> train = augmented([(np.array([[1, 2]], np.uint8), "cat")], im.Pipeline([im.Flip("x")], seed=1))
    >>> train[0]
    (array([[2, 1]], dtype=uint8), 'cat')
    """
    if not (hasattr(dataset, "__len__") and hasattr(dataset, "__getitem__")) or isinstance(dataset, str | Mapping):
        raise InputError(
            f"expected a dataset with a length and items by number, got {type(dataset).__name__}; call the pipeline "
            "where a stream makes its samples"
        )
    pipeline = as_pipeline(pipeline)
    if keys is not None and len(keys) != len(dataset):
        raise InputError(f"expected {len(dataset)} keys, one per item, got {len(keys)}")
    how = {"axes": axes, "channels": channels}
    return Augmented(dataset, pipeline, tuple(names), keys, how, tensors=tensors)


def _read(item: Any, names: Places, *, labelled: bool = False) -> tuple[Targets, Back]:
    """The targets of an item, and how to put what became of them where they came from.

    ``labelled`` says that the pipeline reads labels as well, so that none may stay beside it.
    """
    if isinstance(item, Mapping):
        return _read_mapping(item, labelled=labelled)
    if isinstance(item, Sample):
        item, names = tuple(item), tuple(item.targets)
    if not isinstance(item, tuple | list):
        return {"image": _plain("image", item)}, lambda made, out: out(made["image"])
    places = {name: place for place, name in enumerate(names[: len(item)]) if name is not None}
    for place, value in enumerate(item):
        if labelled and place not in places.values() and _is_numeric(value):
            raise InputError(
                f"expected to know what is at place {place} of an item, {value!r:.40}, as the pipeline mixes labels or "
                "chooses by them; write names=('image', 'label')"
            )
        if (place >= len(names) or names[place] is None) and _moves(value, item[places.get("image", 0)]):
            raise InputError(
                f"expected nothing but an image to move with it, got {type(value).__name__} at place {place} of an "
                "item; say what the places are: names=('image', 'mask'), or None for what stays as it is; or make "
                "items that are mappings of image, mask, boxes and keypoints"
            )
    if "image" not in places:
        raise InputError(f"expected names with an 'image', got {names}; write names=('image', None)")

    def back(made: Mapping[str, Any], out: Out) -> Any:
        values = list(item)
        for name, place in places.items():
            values[place] = out(made[name])
        return type(item)(*values) if hasattr(item, "_fields") else type(item)(values)

    return {name: _plain(name, item[place]) for name, place in places.items()}, back


def _read_mapping(item: Mapping[str, Any], *, labelled: bool = False) -> tuple[Targets, Back]:
    known = (*_AUGMENTED, "label") if labelled else _AUGMENTED
    found = {name: value for name, value in item.items() if name in known or isinstance(value, Target)}
    if labelled and (beside := [name for name in item if name not in found and _is_numeric(item[name])]):
        raise InputError(
            f"expected to know what {', '.join(map(repr, beside))} of an item is, as the pipeline mixes labels or "
            "chooses by them; call it 'label', or wrap it: Label(...)"
        )
    if "image" not in found:
        raise InputError(f"expected an item with an image, got {', '.join(map(str, item)) or 'nothing'}; name it so")
    if "masks" in item and "masks" not in found:
        raise InputError("expected one label map under 'mask', got 'masks'; put them into one, or wrap them: Mask(...)")

    def back(made: Mapping[str, Any], out: Out) -> Any:
        whole = {**item, **{name: out(made[name]) for name in found}}
        boxes = made["boxes"] if "boxes" in found else None
        if isinstance(boxes, Boxes) and boxes.index is not None:
            # A box of which nothing is left is dropped, and what is said of it as well.
            whole |= {n: _some(item[n], boxes.index) for n in _OF_BOXES if n in item and hasattr(item[n], "__len__")}
        return whole

    return {name: _plain(name, value) for name, value in found.items()}, back


def _some(values: Any, rows: Any) -> Any:
    return [values[row] for row in rows.tolist()] if isinstance(values, list | tuple) else values[rows]


def _moves(value: Any, image: Any) -> bool:
    """Whether something beside an image probably has to move with it: a second picture, boxes of a detector."""
    if isinstance(value, Mapping):
        return any(name in value for name in ("boxes", "masks", "keypoints", "bbox"))
    if isinstance(value, list) and value and isinstance(value[0], Mapping):
        return any(name in value[0] for name in ("bbox", "segmentation", "keypoints"))
    size = _size(image)
    return size is not None and _size(value) == size


def _is_numeric(value: Any) -> bool:
    """Whether something may be a label or what else is to be mixed: numbers, and what holds them."""
    return hasattr(value, "shape") or (isinstance(value, int | float) and not isinstance(value, bool))


def _size(value: Any) -> tuple[int, ...] | None:
    """Height and width of a picture, tensor or label map; None for anything else."""
    said = getattr(value, "size", None)
    if isinstance(said, tuple) and len(said) == 2 and hasattr(value, "mode"):
        return said[1], said[0]
    shape = getattr(value, "shape", None)
    if shape is None or len(shape) < 2:
        return None
    first = len(shape) > 2 and not isinstance(value, np.ndarray)
    return tuple(shape[-2:]) if first else tuple(shape[:2])


def _plain(name: str, value: Any) -> Any:
    """A target as pipelines take it: tensors as arrays, with the axes that tensors of pictures have."""
    if not hasattr(value, "detach"):
        return value
    array = value.detach().cpu().numpy()
    return Image(array, "cyx") if name == "image" and array.ndim == 3 else array
