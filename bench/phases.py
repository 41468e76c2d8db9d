"""Where our own time goes: reading what was passed, drawing, planning, and the kernels, for each kind of call."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

from bench import inputs

Call = tuple[str, Any, dict[str, Any], int]
"""Name, pipeline, columns of a batch, number of items."""


def _calls() -> list[Call]:
    import imagemill as im
    from bench.workloads import photo, small

    photos = inputs.photos(photo.N)
    chain = photo._pipeline(0.0)
    pixels = inputs.small_pictures(512)
    flip_turn = [
        im.Rotate((-small.DEGREES, small.DEGREES)),
        im.Shift(fraction=(-small.SHIFT, small.SHIFT)),
        im.Zoom({"y": small.ZOOM, "x": small.ZOOM}),
        im.Flip("x", p=0.5),
        im.Rescale(),
    ]
    volume, labels = inputs.scan(128)
    turn = im.Pipeline([im.Rotate((-15, 15), plane="all"), im.Zoom((0.9, 1.1)), im.Shift(pixels=(-10, 10))], seed=0)
    spatial = im.Pipeline(
        [
            im.Flip("x", p=0.5),
            im.Rotate((-10, 10)),
            im.Zoom((0.9, 1.1)),
            im.Shift(fraction=(-0.1, 0.1)),
            im.RandomResizedCrop((224, 224)),
        ],
        seed=0,
    )
    masks = [p[..., 0] // 32 for p in photos]
    scans = {"image": [im.Image(volume, "zyx")], "mask": [im.Mask(labels, axes="zyx")]}
    return [
        ("photo, batch of 64", chain, {"image": photos}, len(photos)),
        ("photo, one call", chain, {"image": photos[:1]}, 1),
        ("geometry with label map, one call", spatial, {"image": photos[:1], "mask": masks[:1]}, 1),
        ("32x32x3, batch of 128", im.Pipeline(flip_turn, seed=0), {"image": pixels[:128]}, 128),
        ("32x32x3, batch of 512", im.Pipeline(flip_turn, seed=0), {"image": pixels}, 512),
        ("volume 128^3 with labels", turn, scans, 1),
    ]


def _time(work: Callable[[], Any], rounds: int = 30) -> float:
    """Seconds, the median of some rounds after a warm-up."""
    times = []
    for _ in range(rounds + 2):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return statistics.median(times[2:])


def _phases(call: Call) -> tuple[float, ...]:
    """Seconds for reading, drawing, planning, the kernels of rasters, and everything."""
    from imagemill.engine import execute
    from imagemill.pipeline.inputs import Inputs, read_columns

    _, pipe, columns, n = call
    keys = list(range(n))

    def read() -> Any:
        return Inputs(read_columns(columns, None)[0])

    given = read()
    draft = pipe.draw(given.frame, keys)
    plan = pipe.plan(draft)

    def kernels() -> None:
        execute.run(plan, given.columns(), pipe.backend, rules=pipe.boxes, swap=pipe.swap, buffers=pipe.buffers)

    parts = (_time(read), _time(lambda: pipe.draw(given.frame, keys)), _time(lambda: pipe.plan(draft)), _time(kernels))
    return (*parts, _time(lambda: pipe.batch(**columns, keys=keys)))


def section() -> str:
    """A table of shares."""
    lines = [
        "## Where our time goes",
        "",
        "Microseconds per item, each phase by itself and then all at once. What the phases leave of the whole is what",
        "is worked out anew for each plan, results and recipes, and memory that phases alone find in the caches.",
        "",
        "| call | reading | drawing | planning | kernels | all | drawing and planning |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for call in _calls():
        read, draw, plan, kernels, whole = (1e6 * t / call[3] for t in _phases(call))
        share = (draw + plan) / whole
        numbers = " | ".join(f"{t:,.1f}" for t in (read, draw, plan, kernels, whole))
        lines.append(f"| {call[0]} | {numbers} | {share:.0%} |")
    return "\n".join(lines)


if __name__ == "__main__":
    from bench.harness import single_thread

    single_thread()
    print(section())
