"""How the transforms of a pipeline become ops for a batch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from imagemill.core.errors import InputError, ParameterError, TargetError, blame_caller
from imagemill.core.geometry import Frame
from imagemill.core.image_ops import Erase, Noise, Words
from imagemill.core.ops import Affine, Blend, Bools, Fan, Op, Warp, shown
from imagemill.core.randomness import rng
from imagemill.core.sample import Drawing, DrawLog
from imagemill.engine.annotations.in_clips import ClipView
from imagemill.engine.annotations.in_view import Sources
from imagemill.engine.planner import Drawn
from imagemill.pipeline.watched_frames import WatchedFrame
from imagemill.transforms.base import Transform, chosen, everyone
from imagemill.transforms.colour._channels import colours

__all__ = ["Draft", "Leaf", "Place", "Walk", "ops_of", "places_of"]


class Leaf(NamedTuple):
    """A transform that drew ops, and what it takes to let it draw again for an image of another shape.

    Parameters
    ----------
    place : int
    transform : Transform
    request : int
        How many numbers of its place were asked for before it drew.
    where : bool array, ``[n]``, or None
        The samples it was chosen for; None for all.
    begin, end : int
        Its ops among those of the draft.
    asked : int
        What it looked at of the frame, see `WatchedFrame`.
    """

    place: int
    transform: Transform
    request: int
    where: Bools | None
    begin: int
    end: int
    asked: int


@dataclass(frozen=True, slots=True, eq=False)
class Draft:
    """What was drawn for a batch: ops in order, the frames between them, and the values to show with their places.

    Where it was watched, also who drew them, and from which numbers.
    """

    ops: tuple[Drawn, ...]
    frames: tuple[Frame, ...]
    log: DrawLog
    places: tuple[int, ...]
    leaves: tuple[Leaf, ...] = ()
    generator: rng.Generator | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """A transform where it stands in a pipeline, with what it may make anew each time it is asked.

    Parameters
    ----------
    transform : Transform
    children : tuple of Transform
    names : mapping
        How its requests are called, by the identity of the distributions.
    """

    transform: Transform
    children: tuple[Transform, ...]
    names: dict[int, str]


def ops_of(transform: Transform, draws: rng.Draws, frame: Frame) -> tuple[Op, ...]:
    """What a transform draws; an error of its code says whose it is."""
    try:
        drawn = transform.draw(draws, frame)
    except (InputError, TargetError):
        raise  # the transform says that it does not fit this sample
    except Exception as error:
        blame_caller(error, f"the transform {type(transform).__name__}")
        raise
    return drawn if isinstance(drawn, tuple) else (drawn,)


def places_of(transforms: Iterable[Transform]) -> Iterator[Place]:
    """The places of some transforms and all that are inside them, depth first, as `Walk` meets them."""
    for transform in transforms:
        place = Place(transform, transform.children(), transform.names())
        yield place
        yield from places_of(place.children)


class Walk:
    """The walk through the transforms of a pipeline, depth first, that collects ops, frames and shown values.

    Parameters
    ----------
    generator : Generator
    sources : Sources or None
        The targets as they came in, for transforms that go by what is in them.
    frame : Frame
        Of the inputs.
    known : sequence of Place
        All places of the pipeline.
    image : str
        Which image is drawn for, where transforms say which they are for; what is for others alone gives no ops.
    together : int
        Samples that are the frames of one video, which lie one behind the other.
    labels : sequence, optional
        The samples' labels, for transforms that choose by them; empty where there are no samples yet.
    watched : bool
        Note who drew what, and whether it went by the frame.
    """

    def __init__(
        self,
        generator: rng.Generator,
        sources: Sources | None,
        frame: Frame,
        known: Sequence[Place],
        image: str,
        together: int = 1,
        labels: Sequence[Any] | None = None,
        *,
        watched: bool = False,
    ) -> None:
        self.generator = generator
        self.leaves: list[Leaf] | None = [] if watched else None
        self.image = image
        self.together = together
        self.known = known
        self.labels = () if labels is None and sources is None else labels
        self.everything = np.ones(frame.n, dtype=bool)
        self.sources = sources
        self.places = 0
        self.ops: list[Drawn] = []
        self.frames: list[Frame] = [frame]
        self.drawings: dict[int, Drawing] = {}

    def _seen(self, transform: Transform, where: Bools) -> Frame:
        """The frame as a transform sees it."""
        frame = self.frames[-1]
        if where is not self.everything:
            frame = replace(frame, chosen=where)
        if self.sources is not None and transform.reads():
            if any(isinstance(op, Blend) for _, op in self.ops):
                raise InputError(
                    f"expected {type(transform).__name__}, which reads what is in the images, in front of what mixes "
                    "samples, got it behind; move it"
                )
            view = self.sources.seen_through(tuple(self.ops), tuple(self.frames[:-1]), frame)
            frame = replace(frame, content=view if self.together == 1 else ClipView(view, self.together))
        return frame

    def _drawn(self, transform: Transform, place: int, draws: rng.Draws, where: Bools) -> tuple[Op, ...]:
        frame = self._seen(transform, where)
        if self.leaves is None:
            return ops_of(transform, draws, frame)
        watched, request, begin = WatchedFrame.watching(frame), draws.request, len(self.ops)
        drawn = ops_of(transform, draws, watched)
        some = None if where is self.everything else where
        self.leaves.append(Leaf(place, transform, request, some, begin, begin + len(drawn), watched.asked))
        return drawn

    def drafted(self) -> Draft:
        """All that was drawn so far."""
        log = DrawLog(tuple(self.drawings.values()))
        drawn = tuple(self.ops), tuple(self.frames), log, tuple(self.drawings)
        return Draft(*drawn) if self.leaves is None else Draft(*drawn, tuple(self.leaves), self.generator)

    def _instead(self, at: int) -> None:
        """Let a blend take the place of the one right before it, of which one at most runs on each sample."""
        if len(self.ops) == at + 1:
            (_, before), (name, op) = self.ops[at - 1 :]
            if isinstance(op, Blend) and isinstance(before, Blend):
                self.ops[at] = name, replace(op, instead=True)

    def _fan(self, transform: Any, place: int, draws: rng.Draws, where: Bools) -> None:
        """Draw the chains of a transform that sums what each of them makes, each from the frame as it is here."""
        weight, ops, frames = transform.shares(draws), self.ops, self.frames
        name, chains = type(transform).__name__, []
        for child, selected in zip(self.known[place].children, transform.select(draws), strict=True):
            self.ops, self.frames = [], [frames[-1]]
            self.draw(child, where & selected)
            chains.append((tuple(self.ops), tuple(self.frames)))
        self.ops, self.frames = ops, frames
        fan = chosen(Fan(tuple(chains), weight, colours(frames[-1])), where, frames[-1])
        self.ops.append((name, fan))
        self.frames.append(frames[-1])
        self.drawings[place] = Drawing(name, where, draws.values)

    def draw(self, transform: Transform, where: Bools, *, shared: bool = True) -> None:
        """Draw one transform, for the samples where ``where`` holds; ``shared`` says that all images get it."""
        place, self.places = self.places, self.places + 1
        children = self.known[place].children
        shared = shared and transform.images is None
        if transform.images is not None and self.image not in transform.images:
            self.places += sum(1 for _ in everyone(children))
            return
        draws = rng.Draws(self.generator, place, self.known[place].names, self.labels)
        runs = transform.runs_on(draws)
        if runs is not None:
            where = where & runs
        if transform.traits().fans:
            self._fan(transform, place, draws, where)
            return
        if children:
            begun, selections = len(self.ops), transform.select(draws)
            if transform.traits().chooses:
                self.drawings[place] = Drawing(type(transform).__name__, where, draws.values)
            for child, selected in zip(children, selections, strict=True):
                before = len(self.ops)
                self.draw(child, where & selected, shared=shared)
                if transform.traits().exclusive and before > begun:
                    self._instead(before)
            return
        for op in self._drawn(transform, place, draws, where):
            if not shared and isinstance(op, Affine | Warp | Blend):
                does = "mixes samples" if isinstance(op, Blend) else "moves pixels"
                raise TargetError(
                    f"expected {type(transform).__name__} to leave geometry as it is where images= is given, but it "
                    f"{does}; leave images= out: all that belongs to a sample has one frame"
                )
            frame = self.frames[-1]
            _check_fill(op, frame, type(transform).__name__)
            if where is not self.everything:
                op = chosen(op, where, frame)
            if self.together > 1:
                op = _for_clips(op, self.together, type(transform).__name__)
            self.ops.append((type(transform).__name__, op))
            self.frames.append(op.after(frame))
        self.drawings[place] = Drawing(type(transform).__name__, where, draws.values)


def _for_clips(op: Op, together: int, name: str) -> Op:
    """An op for videos of so many frames: geometry has to be one for all of them, noise is another on each.

    Raises
    ------
    TargetError
        When a transform moves the frames of one video apart.
    """
    if isinstance(op, Noise | Erase) and op.stream is not None:
        return replace(op, stream=_by_frame(op.stream, together))
    if isinstance(op, Affine | Warp):
        for values in (op.matrix, op.shape) if isinstance(op, Affine) else (op.grid,):
            of_clips = values.reshape(-1, together, *values.shape[1:])
            if (of_clips != of_clips[:, :1]).any():
                raise TargetError(
                    f"expected {name} to move all frames of a video alike, but it goes by what is in each; leave "
                    "it out, or give the frames one by one"
                )
    return op


def _by_frame(stream: Words, together: int) -> Words:
    """A stream of its own for each frame of a video; the first frame's is that of a single image."""
    found = stream.copy()
    found[:, 1] ^= (np.arange(len(stream)) % together).astype(np.uint32)
    return found


def _check_fill(op: Op, frame: Frame, name: str) -> None:
    """Refuse a fill for other channels than the image has.

    Raises
    ------
    ParameterError
    """
    fill = op.sampling.fill if isinstance(op, Affine | Warp) else 0.0
    if isinstance(fill, tuple) and len(fill) not in (1, frame.channels):
        raise ParameterError(
            f"expected {name}(fill=...) as one value or {frame.channels}, one for each channel of the image, got "
            f"{len(fill)}: {shown(fill)}; give as many as the image has channels"
        )
