"""The one object users hold: transforms in order, a seed, and what they do to samples."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from imagemill.core.annotated.box_rules import BoxRules
from imagemill.core.colours import Channels
from imagemill.core.errors import InputError, ParameterError
from imagemill.core.geometry import Frame, Ints
from imagemill.core.keypoint_names import read_swap
from imagemill.core.randomness import rng
from imagemill.core.randomness.default_keys import Lineage, Turn, key_of, keys_of
from imagemill.core.randomness.known_runs import Run
from imagemill.core.sample import Batch, DrawLog, Recipe, Recipes, Sample
from imagemill.core.targets import Array
from imagemill.engine import execute
from imagemill.engine.annotations.in_view import Sources
from imagemill.engine.backends import Backend, as_given, get_backend
from imagemill.engine.buffers import Buffers
from imagemill.engine.plan import Plan
from imagemill.engine.planner import make_plan
from imagemill.pipeline import describe as words
from imagemill.pipeline.ahead import Ahead
from imagemill.pipeline.clips import clip_batch, clip_sample, has_time, have_time
from imagemill.pipeline.column_plans import others, results
from imagemill.pipeline.drawing import Draft, Walk, places_of
from imagemill.pipeline.explained import Explained
from imagemill.pipeline.groups import group_of, grouped, groups, partner_keys
from imagemill.pipeline.inputs import Columns, Inputs, White, in_place, plain, read_columns
from imagemill.pipeline.listed_transforms import read_transforms
from imagemill.pipeline.mixed_samples import mixed_again, mixed_call
from imagemill.pipeline.other_shapes import OtherShapes
from imagemill.pipeline.seen import Previewed
from imagemill.pipeline.source_maps import SourceMaps
from imagemill.pipeline.written import Written
from imagemill.transforms.base import Transform, everyone

Key = str | int
_FEW = 1024
"""Samples of a batch up to which drawing ahead pays: what a large one draws is shared by its own samples."""


class Pipeline(Explained, Previewed, Written):
    """Transforms in order, with a seed.

    Parameters
    ----------
    transforms : sequence of Transform, or another Pipeline
    seed : int, optional
        0 to 2**64 - 1. Made once and shown in the repr when left out.
    fuse : bool
        False runs every transform as a step of its own, rounding in between, for comparison.
    backend : {"cpu", "reference"}, another name, or a Backend
        ``"reference"`` computes in float64 by the definition: slow, and what others are tested against.
    without : sequence of str
        Passes of the planner to switch off.
    boxes : BoxRules
        How much of a box has to be left for it to stay, and whether it ends at the frame.
    swap : "auto", or pairs of names
        Keypoints that change sides where a map mirrors; see :class:`Keypoints`. ``()`` switches it off.
    notes : sequence of str
        Shown by `explain`: what whoever made it has to say, such as what differs from the pipeline it was translated
        from. They change nothing, and files do not hold them.

    Examples
    --------
    >>> import imagemill as im
    >>> pipe = im.Pipeline([im.Flip("x"), im.Brightness(2)], seed=7)
    >>> pipe(np.array([[1, 2, 3]], np.uint8))
    array([[6, 4, 2]], dtype=uint8)
    """

    def __init__(
        self,
        transforms: Sequence[Transform] | Pipeline,
        *others: Any,
        seed: int | None = None,
        fuse: bool = True,
        backend: str | Backend = "cpu",
        without: Sequence[str] = (),
        boxes: BoxRules = BoxRules(),  # noqa: B008  # frozen
        swap: Any = "auto",
        notes: Sequence[str] = (),
    ) -> None:
        self.transforms, boxes, swap = read_transforms(transforms, others, boxes, swap)
        # Whether somebody chose it, so that other processes may have the same one.
        self.seed_given = seed is not None
        if not isinstance(boxes, BoxRules):
            raise ParameterError(f"expected boxes as rules, got {boxes!r}; write boxes=BoxRules(min_area=16)")
        self.seed = rng.read_seed(seed)
        self.boxes = boxes
        self.swap = read_swap(swap)
        self.fuse = fuse
        self.without = tuple(without)
        self.notes = tuple(notes)
        self.backend = get_backend(backend)
        self._lineage = Lineage()
        self.buffers = Buffers()
        """Where the arrays of batches get their memory; whoever knows where it has to be puts in another."""
        self.group = group_of(self.transforms)
        """How many samples it puts together: 1 where each stays by itself."""
        self.chooses = any(one.traits().chooses for one in everyone(self.transforms))
        """Whether it chooses transforms by the samples' labels."""
        self._white = White(self.transforms)
        # By place: transforms are walked in the order in which they are counted.
        self._places = tuple(places_of(self.transforms))
        self._selective = tuple(t for t in everyone(self.transforms) if t.images is not None)
        self._blocks: list[int] = []
        self._ahead = Ahead(self.draw, self.plan, self._others)
        self.reads = frozenset(t.reads() for t in everyone(self.transforms)) - {""}  # "masks", "boxes", "pixels"
        self.by_kind = self.group == 1 and not (self._selective or self.reads or self.chooses)
        """Whether all that an image's draws go by is its kind."""

    # ------------------------------------------------------------------------------------------- drawing

    def draw(  # noqa: PLR0913  # all by name but two
        self,
        frame: Frame,
        keys: Sequence[Key],
        *,
        epoch: int = 0,
        sources: Sources | None = None,
        image: str = "image",
        together: int = 1,
        group: Ints | None = None,
        labels: Sequence[Any] | None = None,
        watched: bool = False,
    ) -> Draft:
        """Turn the declarations into ops for a batch.

        Parameters
        ----------
        frame : Frame
            Of the ``n`` inputs.
        keys : sequence of str or int
            One per sample.
        epoch : int
        sources : Sources, optional
            The targets, for transforms that go by what is in them.
        image : str
            Which image it is for, where transforms say ``images=``.
        together : int
            Samples that are the frames of one video.
        group : array of int, ``[n, g]``, optional
            Which samples may be mixed, see `groups`; left out, by their place in the batch.
        labels : sequence, optional
            The samples' labels, for transforms that choose by them. Left out, with sources, nobody gave any; without,
            the samples are of each class in turn.
        watched : bool
            Note who drew what, and whether it went by the frame.
        """
        if self.group > 1:
            frame = replace(frame, group=groups(range(frame.n), self.group) if group is None else group)
        # Here, so that pipelines can be read and written without loading a compiler.
        from imagemill.engine.philox import philox4x32

        generator = rng.Generator(self.seed, epoch, rng.hash_keys(keys), self._blocks, philox4x32)
        state = Walk(generator, sources, frame, self._places, image, together, labels, watched=watched)
        for transform in self.transforms:
            state.draw(transform, state.everything)
        # Remembered for speed only: next time one call computes all that is needed.
        self._blocks = [generator.used.get(place, 0) for place in range(state.places)]
        return state.drafted()

    def plan(self, draft: Draft) -> Plan:
        """The plan of a draft."""
        return make_plan(draft.ops, draft.frames, fuse=self.fuse, without=self.without)

    def _others(self, draft: Draft, plan: Plan) -> OtherShapes | None:
        return OtherShapes.of(draft, plan, self._places, fuse=self.fuse, without=self.without)

    # ------------------------------------------------------------------------------------------- running

    def __call__(
        self,
        image: Any = None,
        /,
        *unnamed: Any,
        key: Key | None = None,
        epoch: int | None = None,
        axes: str | None = None,
        channels: Channels = "keep",
        partner: Any = None,
        **targets: Any,
    ) -> Any:
        """One sample: an array in and an array out, or named targets in and a Sample out.

        Parameters
        ----------
        image : array, PIL image, Picture, tensor or Image
            Alone and unnamed, it comes back as an array.
        *unnamed
            Nothing: whatever goes with the image is said by its name.
        key : str or int, optional
            What the draws belong to. Left out, no two calls draw alike, in whichever process.
        epoch : int, optional
            Left out, with a key, that of the `torch.utils.data.DataLoader` that calls; else what `set_epoch` said.
        axes : str, optional
            Axes of a plain image array, such as ``"zyx"``. With a ``t`` it is a video, ``"tyxc"``: all frames get the
            same draw, and noise is new on each. Then masks and maps have an axis of time too, boxes, points and
            polygons are lists with one value for each frame, and a label is the clip's.
        channels : {"keep", "gray", "rgb", "rgba"}
            What images are turned into first; gray becomes RGB exactly.
        partner : mapping of targets, or list of them
            Whom the sample is mixed with, where the pipeline mixes, with the same targets and their ``key``. A batch
            has partners within.
        **targets
            ``image``, ``mask``, ``boxes``, ``keypoints``, ``label``, or any name with an Image, Mask, Map,
            Boxes, Keypoints or Label as its value.

        Returns
        -------
        array or Sample
        """
        if unnamed:
            raise InputError(in_place(unnamed))
        if image is not None:
            if "image" in targets:
                raise InputError("expected one image, got one by position and one by name; drop one of them")
            if self.by_kind and type(image) is np.ndarray and key is partner is None and channels == "keep":
                made = None if targets else self._alone(image, epoch, axes)
                if made is not None:
                    return made
            targets = {"image": image, **targets}
        how = "alone" if image is not None and len(targets) == 1 else "together"
        if self.group > 1 or partner is not None:
            sample = mixed_call(self, targets, partner, key, epoch, axes, channels)
            return sample.image if how == "alone" else sample
        return self._sample(targets, *self._lineage.one(key, epoch), axes, channels, how)

    def replay(
        self, recipe: Recipe | Mapping[str, Any], image: Any = None, /, *, partner: Any = None, **targets: Any
    ) -> Sample:
        """Make a sample again from its recipe, with the same or another input.

        Where it was mixed, ``partner`` gives those that ``recipe.partners`` names, in their order, as for a call.

        Raises
        ------
        InputError
            When the recipe belongs to another pipeline.
        """
        if isinstance(recipe, Mapping):
            recipe = Recipe.from_dict(recipe)
        if recipe.pipeline != self.digest:
            raise InputError(
                f"expected a recipe of this pipeline ({self.digest}), got one of {recipe.pipeline}; "
                "load the pipeline file that was saved with it"
            )
        if image is not None:
            targets = {"image": image, **targets}
        axes, channels = targets.pop("axes", None), targets.pop("channels", "keep")
        source = self if recipe.seed == self.seed else self.with_seed(recipe.seed)
        if recipe.partners or partner is not None:
            return mixed_again(source, targets, partner, recipe, axes, channels)
        sample: Sample = source._sample(targets, recipe.key, recipe.epoch, axes, channels, "together")
        return sample

    def batch(
        self,
        images: Any = None,
        /,
        *unnamed: Any,
        keys: Sequence[Key] | None = None,
        epoch: int | None = None,
        axes: str | None = None,
        channels: Channels = "keep",
        workers: int = 1,
        places: Sequence[int] | None = None,
        choose_by: Sequence[Any] | None = None,
        **columns: Any,
    ) -> Batch:
        """Many samples of any sizes into one batch.

        Parameters
        ----------
        images : sequence of arrays or Image, or one array ``[n, ...]``
        *unnamed
            Nothing: whatever goes with the images is said by its name.
        keys : sequence of str or int, optional
        epoch : int, optional
            As for a single call, with one key per sample.
        axes : str, optional
            Axes of each plain image array.
        channels : {"keep", "gray", "rgb", "rgba"}
            What images are turned into first, so that gray and colour go into one batch.
        workers : int
            Threads; the result does not depend on it.
        places : sequence of int, optional
            Of the samples in the epoch, by which those that are mixed are paired: 0 with 1, 2 with 3. Left out, their
            places in the batch, which are as good where batches are even. One whose partner is not in the batch stays
            itself, and its recipe says so.
        choose_by : sequence, optional
            What `PerClass` chooses by, one value per sample; the labels when left out.
        **columns
            ``mask``, ``boxes``, ... : one value per sample.

        Returns
        -------
        Batch
            With one contiguous array per raster column.
        """
        if unnamed:
            raise InputError(in_place(unnamed))
        if images is not None:
            columns = {"image": images, **columns}
        if have_time(columns, axes):
            return clip_batch(self, columns, keys, epoch, axes, channels, workers)
        rows, n = read_columns(columns, axes, channels)
        run, group, first = keys if isinstance(keys, Run) else None, None, 0
        known = keys is None or (run is not None and len(run) == n)
        keys = keys if run is None else run.own  # type: ignore[assignment]  # arrays of integers are keys as well
        if known and self.by_kind and choose_by is None and n <= _FEW:
            inputs, log, plan, own, first, keys, epoch = self._few(rows, n, epoch, run)
        else:
            keys, epoch = self.complete(keys, epoch, n)
            if len(keys) != n:
                raise InputError(f"expected {n} keys, one per sample, got {len(keys)}")
            if choose_by is not None and len(choose_by) != n:
                raise InputError(f"expected {n} values to choose by, one per sample, got {len(choose_by)}")
            group = grouped(self.transforms, n, places)
            inputs, log, plan, own = self.planned(rows, keys, epoch, group=group, labels=choose_by)
        how: dict[str, Any] = {"rules": self.boxes, "swap": self.swap, "workers": workers, "buffers": self.buffers}
        made = execute.run(plan, inputs.columns(own), self.backend, first=first, **how)
        partners = None if group is None else partner_keys(group, keys)
        recipes, ways = Recipes(self.seed, epoch, keys, self.digest, partners), self.way_back(inputs, plan)
        if plan.n == n:
            return Batch(made, recipes, log, plan.affine, geometry=ways)
        here = slice(first, first + n)
        return Batch(made, recipes, log.part(here), plan.affine[here], geometry=ways[here])

    def complete(self, keys: Sequence[Key] | None, epoch: int | None, n: int) -> tuple[Sequence[Key], int]:
        """Keys and epoch where the caller did not say them."""
        return self._lineage.complete(keys, epoch, n)

    def _few(
        self, rows: Columns, n: int, epoch: int | None, run: Run | None
    ) -> tuple[Inputs, DrawLog, Plan, Mapping[str, Plan], int, Sequence[Key], int]:
        """As `planned` for a small batch to which nobody gave keys, or those of a run: they share what is drawn ahead.

        Returns
        -------
        The inputs, what was drawn, the plan and those of columns, its row of the first sample, keys, and the epoch.
        """
        inputs, epoch = self._taken(rows), self._lineage.numbering.said if epoch is None else epoch
        turn = self._lineage.turns(n) if run is None else run
        keys: Any = turn.own if isinstance(turn, Run) else keys_of(turn, n)
        if (kind := inputs.only_kind) is not None and not isinstance(turn, list):
            plan, log, first = self._ahead.planned(kind, turn, epoch, count=n)
            return inputs, log, plan, {}, first, keys, epoch
        return inputs, *self._planned(inputs, keys, epoch), 0, keys, epoch

    def _taken(self, rows: Columns) -> Inputs:
        return self.checked(Inputs(rows))

    def checked(self, inputs: Inputs) -> Inputs:
        """The same inputs; said, once, is when their values do not fit the white that a transform goes by."""
        return self._white.checked(inputs, self._lineage.numbering.first)

    def way_back(self, inputs: Inputs, plan: Plan) -> SourceMaps:
        """How predictions about what a plan makes of some inputs come back to their frames."""
        return SourceMaps.of(plan, inputs.lead_axes, inputs.affine, self.backend, self.swap)

    def set_epoch(self, epoch: int) -> None:
        """Say which epoch comes next, in workers that are running as well; iterations of a DataLoader count on."""
        self._lineage.set_epoch(epoch)

    def planned(
        self,
        rows: Columns,
        keys: Sequence[Key],
        epoch: int,
        *,
        together: int = 1,
        group: Ints | None = None,
        labels: Sequence[Any] | None = None,
    ) -> tuple[Inputs, DrawLog, Plan, Mapping[str, Plan]]:
        """Any number of samples, one included: read, drawn and planned, with the plans that columns have of their own.

        Parameters
        ----------
        rows : mapping of str to sequence of target
            As `read_columns` gives them.
        keys : sequence of str or int
        epoch : int
        together : int
            Samples that are the frames of one video.
        group, labels
            As for `draw`.
        """
        inputs = self._taken(rows)
        return inputs, *self._planned(inputs, keys, epoch, together=together, group=group, labels=labels)

    def _planned(
        self, inputs: Inputs, keys: Sequence[Key], epoch: int, **more: Any
    ) -> tuple[DrawLog, Plan, Mapping[str, Plan]]:
        how: dict[str, Any] = {"epoch": epoch, "sources": inputs.sources(), **more}
        if self.chooses and how.get("labels") is None:
            how["labels"] = inputs.labels()

        def drawn(frame: Frame, image: str) -> Draft:
            return self.draw(frame, keys, image=image, **how)

        draft = drawn(inputs.frame, inputs.lead)
        own, log = others(inputs, draft, drawn, self.plan, self._selective)
        return log, self.plan(draft), own

    def _alone(self, image: Array, epoch: int | None, axes: str | None) -> Array | None:
        """A plain array that comes alone and without a key; None where there is more to know than its kind."""
        found = plain(image.shape, image.dtype, axes)
        if found is None:
            return None
        kind, named = found
        pixels = image if "c" in named else image[..., None]
        if self._white.asks:
            self._white.look(pixels, self._lineage.numbering.first)
        turn = self._lineage.turn()
        epoch = self._lineage.numbering.said if epoch is None else epoch
        plan, _, row = self._ahead.planned(kind, turn, epoch)
        return execute.alone(plan, row, pixels, named, self.backend)

    def _sample(
        self, targets: Mapping[str, Any], key: Key | Turn, epoch: int, axes: str | None, channels: Channels, how: str
    ) -> Any:
        """One sample, or its image where it is ``alone``."""
        if has_time(targets, axes):
            recipe = Recipe(self.seed, epoch, key_of(key), self.digest)
            sample = clip_sample(self, targets, recipe, axes, channels)
            return sample.image if how == "alone" else sample
        rows, _ = read_columns({name: [value] for name, value in targets.items()}, axes, channels)
        inputs, row = self._taken(rows), 0
        own: Mapping[str, Plan] = {}
        if isinstance(key, Turn) and self.by_kind and (kind := inputs.only_kind) is not None:
            plan, log, row = self._ahead.planned(kind, key, epoch, logged=True)
        else:
            log, plan, own = self._planned(inputs, (key_of(key),), epoch)
        made = execute.run(plan, inputs.columns(own), self.backend, rules=self.boxes, swap=self.swap, first=row)
        if how == "alone":
            return made["image"][0]
        out, way = results(inputs, made, plan, own, plan.affine[row]), self.way_back(inputs, plan)[row]
        recipe = Recipe(self.seed, epoch, key_of(key), self.digest)
        return Sample(out, recipe, log.row(row), plan.affine[row], geometry=way)

    @property
    def variants(self) -> float:
        """How many different images one image can become; ``inf`` when a parameter is continuous."""
        return math.prod((transform.variants() for transform in self.transforms), start=1.0)

    def replace(self, **changes: Any) -> Pipeline:
        """The same pipeline but for some of its arguments: ``pipe.replace(seed=3, boxes=BoxRules(min_area=16))``."""
        return Pipeline(**{**self.arguments(), **changes})

    def with_seed(self, seed: int) -> Pipeline:
        """The same pipeline with another seed."""
        return self.replace(seed=seed)

    def arguments(self) -> dict[str, Any]:
        """All that makes it."""
        how = {"fuse": self.fuse, "backend": as_given(self.backend), "without": self.without}
        asked = {"boxes": self.boxes, "swap": self.swap, "notes": self.notes}
        return {"transforms": self.transforms, "seed": self.seed, **how, **asked}

    def _asked(self) -> dict[str, Any]:
        """What it asks of targets beside moving them, where that is not the usual."""
        asked: dict[str, Any] = {"boxes": self.boxes.to_dict()} if self.boxes != BoxRules() else {}
        return asked if self.swap == "auto" else {**asked, "swap": [list(pair) for pair in self.swap]}

    def __repr__(self) -> str:
        return words.constructed(self)

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuilt, (self.arguments(),), {"seed_given": self.seed_given, "_lineage": self._lineage}


def _rebuilt(arguments: dict[str, Any]) -> Pipeline:
    return Pipeline(**arguments)
