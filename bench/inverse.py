"""How exactly predictions come back: drawn pipelines of all geometry, undone, and compared with what went in.

``python -m bench.inverse [--count 200]``. Of each pipeline: the Dice of a label map that went through and came back, as
labels and as interpolated scores, over the pixels that the sample shows; and the largest error of points, in pixels.

What is lost is told apart. *Nearest*: the label of a source pixel is that of the sample's pixel next to where it went,
and that one's is the label of the source pixel next to where it came from. Where each went and came from is worked out
from keypoints alone; the share of pixels whose label is another than that is a fault, or a second resample. *By scale*:
the least Dice of pipelines whose samples have as many pixels for a length of the source as it had, and of the others.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import ndimage as ndi

import imagemill as im

Array = Any
_SAME = 0.98
"""Pixels of the sample for a pixel of the source, from which on nothing is made smaller."""


def shared(rng: Any) -> list[im.Transform]:
    """Transforms of pictures and volumes."""
    turn = float(rng.uniform(5, 45))
    return [
        im.Flip("x"),
        im.Flip("y"),
        im.CropAndPad((-0.15, 0.15)),
        im.QuarterTurn(int(rng.integers(1, 4))),
        im.Rotate((-turn, turn)),
        im.Rotate((-turn, turn), frame="fit"),
        im.Shear((-15, 15)),
        im.Zoom((0.7, 1.4)),
        im.Zoom({"y": (0.8, 1.2), "x": (0.8, 1.2)}),
        im.Shift(fraction=(-0.1, 0.1)),
        im.Affine((-turn, turn), (0.8, 1.2), (-0.1, 0.1)),
        im.Elastic((0.1, float(rng.uniform(0.1, 0.4))), cells=int(rng.integers(2, 7))),
        im.Pad((4, 7)),
        im.Pad(multiple_of=16, at="random"),
        im.RandomResizedCrop((90, 100), area=(0.5, 1)),
        im.SquareCrop(5),
    ]


FLAT = (
    im.Perspective((0, 0.25)),
    im.Resize((150, 170)),
    im.Resize((128, 128), fit="pad"),
    im.Resize((128, 128), fit="crop"),
    im.Crop((100, 110), at="random"),
)
DEEP = (
    im.Flip("z"),
    im.QuarterTurn(1, plane="zx"),
    im.Rotate((-20, 20), plane="all"),
    im.Resample((40, 56, 52)),
    im.Crop((30, 36, 36), at="random"),
    im.Pad((1, 2, 3)),
)


def blobs(rng: Any, shape: tuple[int, ...], labels: int = 3) -> Array:
    """A label map of smooth regions, 0 around them."""
    fields = [ndi.gaussian_filter(rng.normal(size=shape), min(shape) / 9) for _ in range(labels + 1)]
    return np.argmax(fields, axis=0).astype(np.uint8)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came back of one pipeline."""

    labels: float
    scores: float
    points: float
    seen: float
    seconds: float
    unexplained: float
    scale: float
    names: str


def dice(found: Array, wanted: Array) -> float:
    """Mean Dice of the labels above 0 that either has."""
    values = []
    for label in range(1, int(max(found.max(), wanted.max())) + 1):
        a, b = found == label, wanted == label
        if a.any() or b.any():
            values.append(2 * (a & b).sum() / (a.sum() + b.sum()))
    return float(np.mean(values)) if values else 1.0


def undone(rng: Any, d: int) -> Outcome | None:
    """One drawn pipeline, there and back; None where it shows less than a twentieth of the source."""
    shape, axes = ((160, 200), "yx") if d == 2 else ((44, 56, 50), "zyx")
    choice = [*shared(rng), *(FLAT if d == 2 else DEEP)]
    if d == 3:  # what speaks of the plane's size in pixels
        choice = [t for t in choice if not isinstance(t, im.RandomResizedCrop)]
    picked = [choice[i] for i in rng.choice(len(choice), int(rng.integers(1, 5)), replace=False)]
    source, points = blobs(rng, shape), rng.uniform(0, np.array(shape) - 1, (50, d))
    given = im.Keypoints(points[:, ::-1] if d == 2 else points, "xy" if d == 2 else "zyx")
    pipe = im.Pipeline(picked, seed=int(rng.integers(1 << 30)))
    try:
        sample = pipe(image=im.Image(source, axes), mask=im.Mask(source, axes), keypoints=given, key=0)
    except im.InputError:
        return None  # a crop that is larger than what came before it
    scores = np.stack([sample.mask == k for k in range(4)], axis=-1).astype(np.float32)
    started = time.perf_counter()
    back = sample.inverse(mask=sample.mask, scores=scores, keypoints=sample.keypoints, axes=axes + "c")
    seconds = time.perf_counter() - started
    seen = sample.seen()
    if seen.mean() < 0.05:
        return None
    inside = sample.keypoints.inside
    error = np.linalg.norm(back["keypoints"].array - given.array, axis=1)[inside].max(initial=0)
    wanted = np.where(seen, source, 0)
    unexplained, scale = by_points(pipe, sample, source, seen, back["mask"], axes)
    scored = np.where(seen, back["scores"].argmax(-1), 0)
    return Outcome(
        dice(back["mask"], wanted),
        dice(scored, wanted),
        float(error),
        float(seen.mean()),
        seconds,
        unexplained,
        scale,
        " ".join(type(t).__name__ for t in picked),
    )


def by_points(
    pipe: im.Pipeline, sample: Any, source: Array, seen: Array, found: Array, axes: str
) -> tuple[float, float]:
    """Share of seen pixels whose label is not that of nearest neighbours there and back; least pixels for a pixel."""
    rng = np.random.default_rng(0)
    every = np.argwhere(seen)
    places = every[rng.choice(len(every), min(len(every), 3000), replace=False)].astype(np.float64)
    went = _moved(pipe, source, places, axes)
    near = np.floor(went + 0.5)
    inside = ((near >= 0) & (near < np.array(sample.mask.shape))).all(axis=1)
    # A pixel half-way between two is either's.
    even = np.abs(np.abs(went - near) - 0.5).min(axis=1) < 1e-3
    back = sample.inverse(keypoints=im.Keypoints(near, axes))["keypoints"].array
    came = np.floor(back + 0.5)
    even |= np.abs(np.abs(back - came) - 0.5).min(axis=1) < 1e-3
    inside &= ((came >= 0) & (came < np.array(source.shape))).all(axis=1) & ~even
    at = places[inside].astype(int)
    same = found[tuple(at.T)] == source[tuple(came[inside].astype(int).T)]
    step = [
        np.linalg.norm(_moved(pipe, source, places + np.eye(len(axes))[a], axes) - went, axis=1)
        for a in range(len(axes))
    ]
    return float(1 - same.mean()) if len(same) else 0.0, float(np.median(np.min(step, axis=0)))


def _moved(pipe: im.Pipeline, source: Array, places: Array, axes: str) -> Array:
    return pipe(
        image=im.Image(source, axes), mask=im.Mask(source, axes), keypoints=im.Keypoints(places, axes), key=0
    ).keypoints.array


def main() -> None:
    """Print a line for pictures and one for volumes."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--count", type=int, default=200)
    count = asked.parse_args().count
    print(
        "| | pipelines | Dice of labels: median, least | Dice of scores | largest point error, pixels | ms "
        "| least Dice, no smaller | and smaller | labels not by nearest, most |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    worst = []
    for d, what in ((2, "pictures 160x200"), (3, "volumes 44x56x50")):
        rng, made, drawn = np.random.default_rng(d), list[Outcome](), 0
        while len(made) < count // 2:
            drawn += 1
            one = undone(rng, d)
            made += [one] if one is not None else []
        labels, scores = [o.labels for o in made], [o.scores for o in made]
        print(
            f"| {what} | {len(made)} of {drawn} | {np.median(labels):.4f}, {min(labels):.4f} | "
            f"{np.median(scores):.4f}, {min(scores):.4f} | {max(o.points for o in made):.2g} | "
            f"{1e3 * float(np.median([o.seconds for o in made])):.0f} | "
            f"{min([o.labels for o in made if o.scale > _SAME], default=1):.4f} | "
            f"{min([o.labels for o in made if o.scale <= _SAME], default=1):.4f} | "
            f"{max(o.unexplained for o in made):.2g} |",
            flush=True,
        )
        worst += [
            f"{what}: {o.labels:.4f} at {o.scale:.2f}: {o.names}" for o in sorted(made, key=lambda o: o.labels)[:4]
        ]
    print("", *worst, sep="\n")


if __name__ == "__main__":
    main()
