"""Videos: every frame of a clip gets the same draw.

A clip is run as a batch of its frames that share one key. Geometry and colour are therefore the same on all of them,
and what belongs to a clip as a whole is taken of the whole: the foreground that crops follow, the statistics that
colour reads. Noise is new on each frame, as in a camera.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from imagemill.core.errors import InputError
from imagemill.core.sample import Batch, Frames, Recipe, Recipes, Sample, SourceMap, plain
from imagemill.core.targets import Array, Image, Label, Mask, Raster, Target, as_target
from imagemill.engine import execute
from imagemill.pipeline.groups import mixing
from imagemill.pipeline.inputs import read_columns

if TYPE_CHECKING:
    from imagemill.pipeline.pipeline import Pipeline

__all__ = ["clip_batch", "clip_sample", "has_time", "have_time", "one_frame", "refuse_mixing"]

_RASTERS = {"image": Image, "mask": Mask}


def has_time(targets: Mapping[str, Any], axes: str | None) -> bool:
    """Whether some targets are those of a clip: their axes name time, ``t``."""
    if axes is not None and "t" in axes:
        return True
    return any(isinstance(v, Raster) and v.axes is not None and "t" in v.axes for v in targets.values())


def have_time(columns: Mapping[str, Any], axes: str | None) -> bool:
    """The same for columns with a value per sample, by the first of each list; arrays say no axes."""
    return has_time({name: column[0] for name, column in columns.items() if isinstance(column, list) and column}, axes)


def one_frame(shape: tuple[int, ...], axes: str | None) -> tuple[tuple[int, ...], str | None]:
    """Shape and axes of a frame of a clip of such a shape; those of anything else as they are."""
    if axes is None or "t" not in axes or len(axes) != len(shape):
        return shape, axes
    at = axes.index("t")
    return shape[:at] + shape[at + 1 :], axes.replace("t", "", 1)


@dataclass(frozen=True, slots=True, eq=False)
class _Clip:
    """One clip taken apart.

    Parameters
    ----------
    columns : dict of str to list
        A value for each frame.
    words : dict of str to str
        The axes in which rasters came, with time.
    whole : dict of str to object
        What belongs to the clip and not to its frames: labels.
    names : tuple of str
        Of all targets, in the order in which they were passed.
    """

    columns: dict[str, list[Any]]
    words: dict[str, str]
    whole: dict[str, Any]
    names: tuple[str, ...]

    @property
    def count(self) -> int:
        """Number of frames."""
        return len(next(iter(self.columns.values())))


def _apart(targets: Mapping[str, Any], axes: str | None) -> _Clip:
    """A clip as a value for each frame.

    Raises
    ------
    InputError
        When the targets do not have as many frames each.
    """
    lead = axes
    if lead is None:
        lead = next(v.axes for v in targets.values() if isinstance(v, Raster) and v.axes is not None and "t" in v.axes)
    columns: dict[str, list[Any]] = {}
    words: dict[str, str] = {}
    whole: dict[str, Any] = {}
    for name, value in targets.items():
        if name == "label" or isinstance(value, Label):
            whole[name] = value
        elif isinstance(value, list | tuple):
            columns[name] = list(value)
            if name in _RASTERS or (value and isinstance(value[0], Raster)):
                words[name] = ""
        elif isinstance(value, Raster) or name in _RASTERS:
            raster = value if isinstance(value, Raster) else _RASTERS[name](np.asarray(value))
            words[name] = _word(name, raster, lead)
            at, rest = words[name].index("t"), words[name].replace("t", "", 1)
            columns[name] = [replace(raster, array=one, axes=rest) for one in np.moveaxis(raster.array, at, 0)]
        elif isinstance(value, Target) or not hasattr(value, "__len__"):
            got = type(value).__name__
            raise InputError(f"expected {name} of a video as a list with one value for each frame, got one {got}")
        else:
            columns[name] = list(value)
    counts = {name: len(column) for name, column in columns.items()}
    if not counts or len(set(counts.values())) > 1 or 0 in counts.values():
        raise InputError(f"expected targets of a video with as many frames each, at least one, got {counts or 'none'}")
    for name, word in words.items():
        if not word:
            columns[name] = [as_target(name, one) for one in columns[name]]
            words[name] = _listed(columns[name][0], lead)
    return _Clip(columns, words, whole, tuple(targets))


def _word(name: str, raster: Raster, lead: str) -> str:
    """The axes of a raster of a clip: its own, or those of the images with or without channels, as many as it has."""
    if raster.axes is not None:
        if "t" not in raster.axes:
            raise InputError(f"expected the {name} of a video with an axis of time, such as 't{raster.axes}', got one")
        return raster.axes
    still = lead.replace("c", "", 1)
    for word in (lead, still, still + "c"):
        if len(word) == raster.array.ndim:
            return word
    raise InputError(
        f"expected the {name} of a video with the axes {lead!r}, got shape {raster.array.shape}; say its axes: "
        f"{type(raster).__name__}(array, axes=...), with t for time"
    )


def _listed(first: Any, lead: str) -> str:
    """The axes of a list of frames: time, then those of a frame."""
    word = first.axes or lead.replace("t", "", 1)
    still = word.replace("c", "", 1)
    return "t" + next((w for w in (word, still, still + "c") if len(w) == first.array.ndim), word)


def _frame_axes(axes: str | None) -> str | None:
    return None if axes is None else axes.replace("t", "", 1)


def clip_sample(
    pipeline: Pipeline, targets: Mapping[str, Any], recipe: Recipe, axes: str | None, channels: Any
) -> Sample:
    """One clip through a pipeline: rasters come back with their axis of time, annotations as one value a frame."""
    refuse_mixing(pipeline)
    clip = _apart(targets, axes)
    rows, _ = read_columns(clip.columns, _frame_axes(axes), channels)
    inputs, log, plan, own = pipeline.planned(
        rows, (recipe.key,) * clip.count, recipe.epoch, together=clip.count, labels=_labels([clip], clip.count)
    )
    columns = inputs.columns(own, together=clip.count)
    made = execute.run(plan, columns, pipeline.backend, rules=pipeline.boxes, swap=pipeline.swap)
    out: dict[str, Any] = {}
    for name in clip.names:
        if name in clip.whole:
            out[name] = as_target(name, clip.whole[name])
        elif name in clip.words:
            order = execute.axes_out(own.get(name, plan), inputs.kind(name), inputs.axes(name))
            array, word = _timed(made[name], order, inputs.axes(name), clip.words[name], 0)
            first = rows[name][0]
            assert isinstance(first, Raster)
            out[name] = replace(first, array=array, axes=word, spacing=None, affine=plan.affine[0])
        else:
            out[name] = Frames(tuple(made[name]))
    way = _ClipMap(pipeline.way_back(inputs, plan))
    return Sample(out, recipe, log.row(0), plan.affine[0], geometry=way)


def clip_batch(
    pipeline: Pipeline,
    columns: Mapping[str, Any],
    keys: Any,
    epoch: int | None,
    axes: str | None,
    channels: Any,
    workers: int,
) -> Batch:
    """Several clips of as many frames each into one batch."""
    refuse_mixing(pipeline)
    n = len(next(iter(columns.values())))
    if any(not hasattr(column, "__len__") or len(column) != n for column in columns.values()):
        raise InputError("expected as many clips in every column; give a list with one value per clip")
    clips = [_apart({name: column[i] for name, column in columns.items()}, axes) for i in range(n)]
    keys, epoch = pipeline.complete(keys, epoch, n)
    counts = {clip.count for clip in clips}
    if len(counts) != 1 or len(keys) != n:
        raise InputError(
            f"expected clips with as many frames each and a key for each of them, got {sorted(counts)} frames and "
            f"{len(keys)} keys for {n}; cut them to one length first"
        )
    (count,) = counts
    first = clips[0]
    flat = {name: [one for clip in clips for one in clip.columns[name]] for name in first.columns}
    rows, _ = read_columns(flat, _frame_axes(axes), channels)
    of_frames: Any = keys.repeat(count) if isinstance(keys, np.ndarray) else [key for key in keys for _ in range(count)]
    inputs, log, plan, own = pipeline.planned(rows, of_frames, epoch, together=count, labels=_labels(clips, count))
    how: dict[str, Any] = {"rules": pipeline.boxes, "swap": pipeline.swap, "workers": workers}
    made = execute.run(plan, inputs.columns(own, together=count), pipeline.backend, **how)
    out: dict[str, Any] = {}
    for name in first.names:
        if name in first.whole:
            out[name] = [plain(as_target(name, clip.whole[name])) for clip in clips]
        elif name in first.words:
            order = execute.axes_out(own.get(name, plan), inputs.kind(name), inputs.axes(name))
            values = made[name].reshape(n, count, *made[name].shape[1:])
            out[name] = _timed(values, order, inputs.axes(name), first.words[name], 1)[0]
        else:
            out[name] = [made[name][k * count : (k + 1) * count] for k in range(n)]
    ways = pipeline.way_back(inputs, plan)
    geometry = tuple(_ClipMap(ways[k * count : (k + 1) * count]) for k in range(n))
    recipes = Recipes(pipeline.seed, epoch, keys, pipeline.digest)
    return Batch(out, recipes, log.part(slice(None, None, count)), plan.affine[::count], geometry=geometry)


def _labels(clips: Sequence[_Clip], count: int) -> list[Any] | None:
    """The labels of clips, each for all of its frames; None without."""
    named = list(clips[0].whole)
    if not named:
        return None
    name = "label" if "label" in named else named[0]
    values = [clip.whole[name] for clip in clips]
    return [value.value if isinstance(value, Label) else value for value in values for _ in range(count)]


def refuse_mixing(pipeline: Pipeline) -> None:
    """Refuse videos for a pipeline that mixes.

    Raises
    ------
    InputError
    """
    if pipeline.group > 1:
        raise InputError(
            f"expected images for {mixing(pipeline.transforms)}, got videos; mix the frames that a model gets as images"
        )


def _timed(made: Array, order: str, given: str, word: str, time: int) -> tuple[Array, str]:
    """Frames with time where it was, or in front where another layout was asked for."""
    if order != given:
        return made, "t" + order
    return np.moveaxis(made, time, time + word.index("t")), word


@dataclass(frozen=True, slots=True, eq=False)
class _ClipMap:
    """The way back of a clip: that of each of its frames."""

    frames: Sequence[SourceMap]

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
        """Predictions about the clip, time first or a list of frames, as predictions about its source."""
        found: dict[str, Any] = {}
        for name, value in targets.items():
            if isinstance(value, Raster) or not hasattr(value, "__len__") or len(value) != len(self.frames):
                got = f"{len(value)} values" if hasattr(value, "__len__") else type(value).__name__
                raise InputError(f"expected {name} of each of the {len(self.frames)} frames, time first, got {got}")
            back = []
            for i, one in enumerate(self.frames):
                how: dict[str, Any] = {"order": order, "fill": fill, "label": label}
                back.append(one.inverse({name: value[i]}, _at(like, i), axes=_frame_axes(axes), **how)[name])
            found[name] = np.stack(back) if all(isinstance(one, np.ndarray) for one in back) else back
        return found

    def seen(self) -> Array:
        """Which pixels of each frame of the source the clip shows, time first."""
        return np.stack([one.seen() for one in self.frames])


def _at(like: Mapping[str, Any], frame: int) -> dict[str, Any]:
    """The annotations of one frame."""
    lists = {name: value.each if isinstance(value, Frames) else value for name, value in like.items()}
    return {name: value[frame] for name, value in lists.items() if isinstance(value, list | tuple)}
