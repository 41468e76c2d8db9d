"""The least that any implementation must do: bytes moved once, operations done once, against the time taken."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from bench import inputs
from bench.harness import Result

# Operations per output value: a blend of two values is a difference, a product and a sum.
_BLEND = 3
_BILINEAR, _TRILINEAR = 3 * _BLEND, 7 * _BLEND


@dataclass(frozen=True)
class Least:
    """Per item: bytes that must be read and written, and operations."""

    read: float
    written: float
    operations: float
    why: str


def bandwidth() -> float:
    """Bytes read plus written per second by a copy that no cache holds, one thread; the best of several."""
    source = np.ones(1 << 25, np.float32)
    target = np.empty_like(source)
    best = float("inf")
    for _ in range(7):
        started = time.perf_counter()
        np.copyto(target, source)
        best = min(best, time.perf_counter() - started)
    return 2 * source.nbytes / best


def _mean_part() -> float:
    """Mean number of pixels that RandomResizedCrop reads, over the photos of the workload."""
    import imagemill as im

    photos = inputs.photos(64)
    made = im.Pipeline([im.RandomResizedCrop((8, 8))], seed=0).batch(photos)
    areas = [made.applied[i][0].values["area"] * p.shape[0] * p.shape[1] for i, p in enumerate(photos)]
    return statistics.fmean(areas)


def _photo() -> Least:
    out = 224 * 224 * 3
    # One bilinear value and a row of a 3x4 matrix for each value that comes out.
    return Least(3 * _mean_part(), 4 * out, out * (_BILINEAR + 6), "the part read once, float32 written once")


def _geometry() -> Least:
    out, part = 224 * 224, _mean_part()
    return Least(4 * part, 4 * out, out * 3 * _BILINEAR, "part of image and label map read, 224x224 written")


def _small() -> Least:
    out = 32 * 32 * 3
    return Least(out, 4 * out, out * (_BILINEAR + 1), "uint8 read, float32 written")


def _volume() -> Least:
    voxels = 128**3
    return Least(5 * voxels, 5 * voxels, voxels * _TRILINEAR, "float32 and labels read and written")


def _elastic() -> Least:
    voxels = 128**3
    # Three displacements, whose cubic splines along z and y are shared by whole rows: four products and sums along x.
    return Least(5 * voxels, 5 * voxels, voxels * (_TRILINEAR + 3 * 8), "the same; the field need not be stored")


def _many() -> Least:
    out = inputs.PHOTO_SHAPE[0] * inputs.PHOTO_SHAPE[1] * 3
    return Least(out, out, out * (_BILINEAR + 6), "uint8 read and written")


LEAST: dict[str, Callable[[], Least]] = {
    "photo": _photo,
    "geometry": _geometry,
    "small128": _small,
    "small512": _small,
    "volume-affine": _volume,
    "volume-elastic": _elastic,
    "many-ops": _many,
}


def section(results: list[Result]) -> str:
    """The part of the report."""
    speed = bandwidth()
    lines = [
        "## Distance from the floor",
        "",
        "What any implementation must do, for each item: read the pixels it needs once, write the result once, and",
        "the operations of one interpolation and one colour matrix. A copy that no cache holds moves "
        f"{speed / 1e9:.1f} GB/s here,",
        "read and written, with one thread; small items stay in the caches and may be faster than that.",
        "",
        "| workload | bytes at least | operations at least | time at that bandwidth | ours | ours / floor | Gop/s | |",
        "|---|---:|---:|---:|---:|---:|---:|---|",
    ]
    for result in results:
        if result.workload.name not in LEAST:
            continue
        least = LEAST[result.workload.name]()
        moved = least.read + least.written
        ours = result.timings[result.workload.champion.name].median
        floor = moved / speed
        lines.append(
            f"| {result.workload.name} | {moved / 1e6:.3g} MB | {least.operations / 1e6:.3g} M | {1e3 * floor:.3g} ms "
            f"| {1e3 * ours:.3g} ms | {ours / floor:.1f} | {least.operations / ours / 1e9:.2f} | {least.why} |"
        )
    return "\n".join(lines)
