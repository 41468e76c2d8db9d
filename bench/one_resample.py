"""One resample says what many would have: drawn pipelines of the whole catalogue, fused beside step by step.

``python -m bench.one_resample [--count 10000] [--seed 0]``. Half of the pipelines are for pictures, half for volumes;
of each half, a quarter is geometry alone, a quarter geometry with constant borders, the rest anything. Of every one:

* **Points** (geometry alone). A grid of keypoints: no frame cuts them, so both roads must end at the same places.
* **Pixels** (geometry with constant borders alone). The image is its own coordinates, which linear and cubic
  interpolation keep exactly: a pixel shows where it came from. Both roads must agree wherever no step touched a border;
  averages over areas may lean towards the pixels that count in whole, by at most what they state.
  Warps bend between the pixels at which steps sample them: they have a line of their own.
* **Values** (anything). A smooth picture in floating point: the mean difference in 8-bit grey levels, at pixels that no
  step took from beyond a border. Filters, noise and statistics have a line of their own: what they read may be a border
  where the pixel itself is none, and noise in front of geometry is smoothed once by one resample, many times by many.
  So have nearest neighbours, of which each of many resamples takes another.
* Label maps hold no label that was not in them or filled in, bounding boxes lie in the frame, nothing that was given
  has changed, and a sample is the same alone, in a batch of 3 and in one of 16, bit for bit.

Failures are listed with the pipeline that shows them, as YAML, and the exit status is 1.
"""

from __future__ import annotations

import argparse
import sys
import time
import warnings
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from scipy import ndimage as ndi

import imagemill as im
from imagemill.engine.plan import Matrices, Windows
from imagemill.engine.sampling import request
from imagemill.testing import label_map, picture, pipelines, strategies
from imagemill.testing.each import APART, COMBINED, Setting
from imagemill.transforms.base import everyone

Array = Any

SHAPES = {2: (36, 44), 3: (12, 16, 14)}
AXES = {2: "yx", 3: "zyx"}
BATCHES = (1, 3, 16)
FILLED = {0, 9}
"""What borders, padding and hidden parts write into label maps."""

MARK = 77.0
"""A channel that is this everywhere is something else wherever a border came in."""

POINTWISE = (
    im.Brightness, im.ChannelGain, im.ChannelShift, im.ColorTemperature, im.GainOffset, im.Gray, im.Hue, im.Invert,
    im.Normalize, im.Saturation, im.Sepia, im.ToDtype, im.ToLayout,
)  # fmt: skip
"""Colours that read no other pixel."""

EXACT = 1e-6
"""Pixels that points may differ by."""

NEAR = 1e-3
"""Pixels that pixels may, beside what :func:`leaning` allows: splines of order 3 feel the edge some pixels away."""


@dataclass
class Found:
    """What the pipelines of one kind showed."""

    points: list[float] = field(default_factory=list)
    pixels: list[float] = field(default_factory=list)
    bent: list[float] = field(default_factory=list)
    values: list[float] = field(default_factory=list)
    read: list[float] = field(default_factory=list)
    nearest: list[float] = field(default_factory=list)
    checked: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    skipped: Counter[str] = field(default_factory=Counter)


def moves(d: int, *, constant: bool) -> Any:
    """Pipelines of geometry for pictures or volumes; with borders that show, or with any."""
    rest = {"longest": 6, "orders": (1, 3), "least": min(SHAPES[d]), **({"borders": ("constant",)} if constant else {})}
    found = pipelines("geometry", ndim=d, channels=d + 1, **rest)
    # What has no choice of borders repeats the edge, which coordinates do not show.
    return found.filter(lambda pipe: all(map(_shows_borders, pipe.transforms))) if constant else found


def _shows_borders(transform: im.Transform) -> bool:
    return hasattr(transform, "border") or not hasattr(transform, "order")


def anything(d: int) -> Any:
    """Pipelines of the whole catalogue."""
    least, channels = min(SHAPES[d]), 1 if d == 3 else 3
    setting = Setting(d, channels, (0, 1, 3), ("nearest", "reflect", "constant", "wrap"), least)
    others = [made for make in {**APART, **COMBINED}.values() if (made := make(setting)) is not None]
    plain = strategies.transforms("mixed", ndim=d, channels=channels, least=least)
    listed = st.lists(st.one_of(plain, plain, st.one_of(*others)), min_size=1, max_size=8)
    seeds = st.integers(0, 2**32 - 1)
    return st.builds(
        lambda some, n: im.Pipeline(strategies.that_fit([_for_all_targets(t) for t in some], least), seed=n),
        listed, seeds,
    )  # fmt: skip


def _for_all_targets(transform: im.Transform) -> im.Transform:
    """Versions that move have no place in common: AugMix takes boxes and label maps where it mixes colours alone."""
    return replace(transform, geometry=False) if isinstance(transform, im.AugMix) else transform


def points(pipe: im.Pipeline, d: int, found: Found) -> None:
    """Where each point goes, by one map and by many."""
    shape = SHAPES[d]
    grid = np.stack(np.meshgrid(*[np.linspace(0, n - 1, 5) for n in shape], indexing="ij"), -1).reshape(-1, d)
    given = {"image": im.Image(np.zeros(shape, np.float32), AXES[d]), "keypoints": im.Keypoints(grid, AXES[d])}
    once, often = (pipe.replace(fuse=fuse)(**given, key=5) for fuse in (True, False))
    if once.image.shape != often.image.shape:
        found.faults.append(f"fused has shape {once.image.shape}, in steps {often.image.shape}\n{pipe.to_yaml()}")
        return
    a, b = once.keypoints.array, often.keypoints.array
    near = np.isfinite(b).all(axis=1) & (np.abs(b) < 1e4).all(axis=1)
    apart = float(np.abs(a - b)[near].max(initial=0))
    found.points.append(apart)
    if apart > EXACT:
        found.faults.append(f"points differ by {apart:.3g} pixels\n{pipe.to_yaml()}")


def pixels(pipe: im.Pipeline, d: int, found: Found) -> None:
    """Where each pixel came from, by one resample and by many."""
    shape = SHAPES[d]
    ramps = np.stack([*np.meshgrid(*map(np.arange, shape), indexing="ij"), np.full(shape, MARK)], -1).astype(np.float64)
    image = im.Image(ramps, AXES[d] + "c")
    given = {"image": image, "keypoints": im.Keypoints(np.zeros((1, d)), AXES[d])}
    sample, stepped = (pipe.replace(fuse=fuse)(**given, key=5) for fuse in (True, False))
    once, often = sample.image, stepped.image
    inside = (np.abs(once[..., -1] - MARK) < 1e-6) & (np.abs(often[..., -1] - MARK) < 1e-6)
    if not inside.any():
        found.skipped["no pixel is inside"] += 1
        return
    apart = np.abs(once - often)[inside].max(axis=0)[:d]
    roads = [one.geometry.maps.resamples for one in (sample, stepped)]
    bends = any(_bends(link) for step in roads[0] for link in step.links)
    (found.bent if bends else found.pixels).append(float(apart.max()))
    if not bends and (apart > NEAR + sum(leaning(road, d) for road in roads)).any():
        found.faults.append(f"positions of pixels differ by {apart.tolist()}\n{pipe.to_yaml()}")


def leaning(steps: Any, d: int) -> Array:
    """Source pixels along each axis by which averages over areas may lie beside their centres, summed over the steps.

    A mean over ``f`` pixels, of which those at its ends count in part, is a mean of whole pixels' centres: with parts
    ``a`` and ``b`` it is off by ``(a (1 - a) - b (1 - b)) / 2 f``, at most ``1 / 8 f``. Later steps are
    magnified by what earlier ones shrank.
    """
    before, lean = np.eye(d), np.zeros(d)
    for step in steps:
        asked = request(step, 0)
        lean += np.abs(before) @ [1 / (8 * f) if f > 1 else 0.0 for f in asked.antialias or (1.0,) * d]
        before = before @ step.matrix[0, :d, :d]
    return lean


def _bends(link: Any) -> bool:
    if isinstance(link, Windows):
        return False
    return not isinstance(link, Matrices) or bool(np.ptp(link.m[:, -1] - np.eye(link.m.shape[-1])[-1]))


def values(pipe: im.Pipeline, d: int, number: int, found: Found) -> None:
    """What a pixel holds, by one road and the other: floating point, so that nothing is cut off on the way."""
    source = picture(number, SHAPES[d], 3 if d == 2 else None, np.float64)
    given = {
        "image": im.Image(source, AXES[d] + ("c" if d == 2 else "")),
        "mask": im.Mask(np.full(SHAPES[d], 5, np.uint8), AXES[d]),
    }
    try:
        once, often = (pipe.replace(fuse=fuse)(**given, key=5) for fuse in (True, False))
    except im.InputError as error:
        found.skipped[type(error).__name__] += 1
        return
    if once.image.shape != often.image.shape or once.image.dtype != often.image.dtype:
        found.faults.append(f"fused and step by step are of another shape or type\n{pipe.to_yaml()}")
        return
    # The label map shows what was hidden or padded, the geometry what a border repeated.
    inner = [(one.mask == 5) & one.geometry.shows() for one in (once, often)]
    seen = ndi.binary_erosion(inner[0] & inner[1], iterations=3, border_value=0)
    few, whole = np.count_nonzero(seen) < 2, once.image.dtype.kind != "f"
    if few or whole:
        # A difference is told in shares of what is there: one pixel alone has no spread.
        found.skipped["no two pixels are inside" if few else "ends in whole numbers"] += 1
        return
    channels_first = once.image.shape[: seen.ndim] != seen.shape
    a, b = (np.moveaxis(s.image, 0, -1) if channels_first else s.image for s in (once, often))
    spread = max(float(np.ptp(b[seen])), 1e-3 * float(np.abs(b[seen]).max()), 1e-9)
    kept = found.nearest if _nearest(pipe) else found.values if _pointwise(pipe) else found.read
    kept.append(float(np.abs(a - b)[seen].mean()) / spread * 255)


def _nearest(pipe: im.Pipeline) -> bool:
    """Whether anything reads nearest neighbours: of many resamples each is off by up to half a pixel of its own."""
    return any(getattr(one, "order", None) == 0 for one in everyone(pipe.transforms))


def _pointwise(pipe: im.Pipeline) -> bool:
    """Whether nothing but geometry and colours that read no other pixel runs."""
    return all(
        one.children() or type(one).__module__.split(".")[2] in ("geometric", "cropping") or isinstance(one, POINTWISE)
        for one in everyone(pipe.transforms)
    )


def promises(pipe: im.Pipeline, d: int, number: int, found: Found) -> None:
    """Label sets, boxes, inputs, batches."""
    many = [targets(d, number + row) for row in range(BATCHES[-1])]
    before = [{name: target.array.copy() for name, target in one.items()} for one in many]
    try:
        alone = [pipe(**one, key=key) for key, one in enumerate(many)]
    except im.InputError as error:
        found.skipped[type(error).__name__] += 1
        return
    for one, kept in zip(many, before, strict=True):
        for name, target in one.items():
            if not np.array_equal(target.array, kept[name]):
                found.faults.append(f"{name} that was given has changed\n{pipe.to_yaml()}")
    found.checked["samples"] += len(alone)
    for sample, one in zip(alone, many, strict=True):
        annotations(pipe, sample, one, d, found)
    if len({(s.image.shape, s.image.dtype) for s in alone}) > 1:
        found.skipped["images of several sizes are no batch"] += 1
        return
    for size in BATCHES:
        batch = batched(pipe, many[:size])
        found.checked["batches"] += 1
        same = (
            np.array_equal(getattr(batch, name)[row], getattr(alone[row], name), equal_nan=True)
            for row in range(size)
            for name in ("image", "mask")
        )
        if not all(same):
            found.faults.append(f"a sample of a batch of {size} is not what it is alone\n{pipe.to_yaml()}")
            return


def batched(pipe: im.Pipeline, many: list[dict[str, Any]]) -> Any:
    """The samples as one batch, with the keys that they have alone."""
    columns = {name: [one[name] for one in many] for name in many[0]}
    return pipe.batch(columns.pop("image"), **columns, keys=range(len(many)))


def annotations(pipe: im.Pipeline, sample: Any, given: dict[str, Any], d: int, found: Found) -> None:
    """Labels are those that were given or filled in; bounding boxes lie in the frame."""
    new = {*np.unique(sample.mask).tolist()} - {*np.unique(given["mask"].array).tolist()} - FILLED - _fills(pipe)
    if new:
        found.faults.append(f"labels {sorted(new)} were not there\n{pipe.to_yaml()}")
    boxes, sides = sample.boxes.array, np.array(_sides(sample.mask.shape, d))
    found.checked["boxes"] += len(boxes)
    if len(boxes) and ((boxes < -1e-6) | (boxes > np.tile(sides, 2) + 1e-6)).any():
        found.faults.append(f"a box lies outside of {sides.tolist()}: {boxes.tolist()}\n{pipe.to_yaml()}")


def _sides(shape: tuple[int, ...], d: int) -> tuple[int, ...]:
    return shape[::-1] if d == 2 else shape


def _fills(pipe: im.Pipeline) -> set[int]:
    """What the transforms say that they write into label maps."""
    fills: set[int] = set()
    waiting = list(pipe.transforms)
    while waiting:
        one = waiting.pop()
        waiting += one.children()
        value = getattr(one, "mask_fill", None)
        fills |= {int(value)} if isinstance(value, int | float) else set()
    return fills


def targets(d: int, number: int) -> dict[str, Any]:
    """An image with all that can belong to it."""
    shape = SHAPES[d]
    rng = np.random.default_rng(number)
    low = rng.uniform(0, np.array(shape) - 8, (4, d))
    corners = np.concatenate([low, low + rng.uniform(3, 8, (4, d))], axis=1)
    axes = AXES[d]
    if d == 2:
        corners, axes = corners[:, [1, 0, 3, 2]], "xy"
    return {
        "image": im.Image(picture(number, shape, 3 if d == 2 else None), AXES[d] + ("c" if d == 2 else "")),
        "mask": im.Mask(label_map(number, shape), AXES[d]),
        "boxes": im.Boxes(corners, "xyxy" if d == 2 else "zyxzyx", labels=list("abcd")),
        "keypoints": im.Keypoints(low[:, ::-1] if d == 2 else low, axes),
    }


def line(what: str, figures: list[float], unit: str) -> str:
    """A row of the table: how many, and how far apart."""
    if not figures:
        return f"| {what} | 0 | | | | |"
    cells = (f"{np.quantile(figures, q):.2g}" for q in (0.5, 0.95, 0.99, 1.0))
    return f"| {what}, {unit} | {len(figures):,} | {' | '.join(cells)} |"


def run(d: int, count: int, number: int) -> Found:
    """So many pipelines for pictures (2) or volumes (3)."""
    found = Found()

    def each(strategy: Any, work: Any, times: int) -> None:
        @seed(number)
        @settings(
            max_examples=times, database=None, deadline=None, phases=[Phase.generate], suppress_health_check=HealthCheck
        )
        @given(strategy, st.integers(0, 2**31))
        def many(pipe: im.Pipeline, other: int) -> None:
            found.checked["pipelines"] += 1
            try:
                work(pipe, other)
            except im.InputError as error:  # such as a crop that is larger than what a spacing left
                found.skipped[f"refused: {type(error).__name__}"] += 1

        many()

    def whole(pipe: im.Pipeline, other: int) -> None:
        values(pipe, d, other, found)
        promises(pipe, d, other, found)

    each(moves(d, constant=False), lambda pipe, _: points(pipe, d, found), count // 4)
    each(moves(d, constant=True), lambda pipe, _: pixels(pipe, d, found), count // 4)
    each(anything(d), whole, count - 2 * (count // 4))
    return found


def main() -> int:
    """Print the page."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--count", type=int, default=10_000)
    asked.add_argument("--seed", type=int, default=0)
    options = asked.parse_args()
    warnings.filterwarnings("ignore", message=".* takes .* for white in images")
    print("| fused against step by step | pipelines | median | 95 % | 99 % | most |")
    print("|---|---|---|---|---|---|")
    ends, faults = list[str](), list[str]()
    for d, what in ((2, "pictures"), (3, "volumes")):
        began = time.process_time()
        found = run(d, options.count // 2, options.seed)
        print(line(f"{what}: points", found.points, "pixels"))
        print(line(f"{what}: where pixels came from, straight maps", found.pixels, "pixels"))
        print(line(f"{what}: the same, maps that bend", found.bent, "pixels"))
        print(line(f"{what}: values, geometry and colours alone", found.values, "grey levels of 255"))
        print(
            line(f"{what}: values, filters, noise or statistics as well", found.read, "grey levels of 255"), flush=True
        )
        faults += found.faults
        checked = ", ".join(f"{n:,} {name}" for name, n in found.checked.items())
        left = ", ".join(f"{n:,} {name}" for name, n in found.skipped.most_common()) or "nothing"
        ends.append(
            f"{what}: {checked}; not compared: {left}; {len(found.faults)} faults; "
            f"{time.process_time() - began:.0f} CPU s"
        )
    print("", *ends, sep="\n")
    for fault in faults[:20]:
        print(f"\nfault: {fault}")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
