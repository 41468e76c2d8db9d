"""`imagemill bench`: how many images a second a dataset feeds on this machine, and what bounds it."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.status import Status
from rich.table import Table
from rich.text import Text

import imagemill as im
from imagemill.app.cli.advice import option_names, said_as_options
from imagemill.app.cli.console import err, facts, out
from imagemill.app.cli.named_functions import named_function
from imagemill.app.cli.pipelines import HELP, SIZE_HELP, read_pipeline
from imagemill.app.cli.source_options import OPTIONS_HELP, MaskPattern, source_options

__all__ = ["bench"]

WORKERS_HELP = "Threads to try, such as 0,1,2 (0: the caller's own); process or process:4 are processes."
STEP_HELP = (
    "What is done with each batch: a wait, as for a step on a GPU, or a function of yours, train.py:step or "
    "package.module:step. Shows the most that any loader would give."
)


def bench(
    src: Annotated[Path, typer.Argument(metavar="SRC", help="A dataset in any layout, or a prepared one.")],
    pipeline: Annotated[str | None, typer.Option("--pipeline", "-p", metavar="FILE|PRESET", help=HELP)] = None,
    size: Annotated[str | None, typer.Option("--size", metavar="SIDE|Y,X|Z,Y,X", help=SIZE_HELP)] = None,
    workers: Annotated[str, typer.Option("--workers", "-w", metavar="N[,N...]", help=WORKERS_HELP)] = "0,1,2",
    batch: Annotated[int, typer.Option("--batch", "-b", min=1, help="Images of a batch.")] = 32,
    seconds: Annotated[float, typer.Option("--seconds", min=0.05, help="How long each is read.")] = 3.0,
    step: Annotated[str | None, typer.Option("--step", metavar="SECONDS|FILE:NAME", help=STEP_HELP)] = None,
    subset: Annotated[str | None, typer.Option("--subset", metavar="PART", help="Only train, val or test.")] = None,
    channels: Annotated[str, typer.Option("--channels", help="keep, gray, rgb or rgba, for files.")] = "keep",
    decode: Annotated[str, typer.Option("--decode", help="exact, or fast: JPEG a few levels off.")] = "exact",
    seed: Annotated[int | None, typer.Option("--seed", min=0, help="Of order and draws.")] = None,
    layout: Annotated[str | None, typer.Option("--layout", metavar="NAME", help="Of the source.")] = None,
    mask_pattern: MaskPattern = None,
    option: Annotated[list[str] | None, typer.Option("--option", metavar="NAME=VALUE", help=OPTIONS_HELP)] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Time how fast batches come with several numbers of workers, say what bounds them, and compare their samples."""
    asked = read_pipeline(pipeline, size, seed)
    options = source_options(option, mask_pattern) | ({} if layout is None else {"layout": layout})
    dataset = im.open(src, **options)
    dataset = dataset if subset is None else dataset.subset(subset)
    counts, consumer = _counts(workers), None if step is None else _consumer(step)
    with Status("reading", console=err) as status:

        def told(timing: im.FeedTiming) -> None:
            status.update(f"workers {timing.workers}: {timing.images_per_second:,.0f} images/s")

        found = im.time_feed(
            dataset, asked.pipeline, workers=counts, batch_size=batch, seconds=seconds, on_timing=told,
            channels=channels, decode=decode, consumer=consumer,
        )  # fmt: skip
    alike = len({timing.digest for timing in found}) == 1
    if as_json:
        typer.echo(json.dumps({"same_samples": alike, "timings": [asdict(timing) for timing in found]}, indent=2))
    else:
        read = f"{src}, {len(dataset):,} images, {batch} a batch"
        out.print(facts(("dataset", read), ("pipeline", str(asked))))
        out.print()
        out.print(_table(found))
        out.print()
        out.print(_verdict(found, alike), soft_wrap=True)
        tried = found if step is None else found[:-1]
        best = max(tried, key=lambda timing: timing.images_per_second)
        advice = said_as_options(f"quickest: workers {best.workers}; {best.advice}", option_names(bench))
        out.print(Text(advice), soft_wrap=True)
        if step is not None:
            out.print(Text(_most(best, found[-1], batch)), soft_wrap=True)
    if not alike:
        raise typer.Exit(1)


def _counts(text: str) -> list[int | str]:
    """``"0,2,process:4"`` as a list.

    Raises
    ------
    InputError
    """
    parts = [part.strip() for part in text.split(",")]
    if not all(parts):
        raise im.InputError(f"expected numbers of workers such as 0,1,2 or process:2, got {text!r}")
    # What is neither a number nor processes, the loader refuses in its own words.
    return [int(part) if part.isascii() and part.isdecimal() else part for part in parts]


def _consumer(text: str) -> Callable[[im.LoadedBatch], object]:
    """``"0.05"`` as a wait of so many seconds, ``"train.py:step"`` as a function.

    Raises
    ------
    InputError
    """
    if ":" in text:
        return named_function(text)
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < math.inf:
        raise im.InputError(f"expected --step as seconds from 0, or a function as train.py:step, got {text!r}")
    return lambda _: time.sleep(seconds)


def _table(found: list[im.FeedTiming]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    # A column for what comes once is worth its place only where it came.
    parts = ["reading", "augmenting", "compiling", "idle"]
    if all(timing.shares["compiling"] < 0.005 for timing in found):
        parts.remove("compiling")
    for name in ("workers", "images/s", "first batch", *parts):
        table.add_column(name, justify="right")
    table.add_column("bound by", no_wrap=True)
    fastest = max(timing.images_per_second for timing in found)
    for timing in found:
        style = "green" if timing.images_per_second == fastest else ""
        shares = [f"{timing.shares[name]:.0%}" for name in parts]
        rate, first = f"{timing.images_per_second:,.0f}", f"{timing.first_batch:.2f} s"
        table.add_row(str(timing.workers), rate, first, *shares, timing.bound, style=style)
    return table


def _most(best: im.FeedTiming, replayed: im.FeedTiming, batch: int) -> str:
    """What a faster loader would be worth."""
    from imagemill.feed import worth

    now, most = (timing.images_per_second for timing in (best, replayed))
    return f"{now / batch:,.1f} steps/s; {worth(now, most)}"


def _verdict(found: list[im.FeedTiming], alike: bool) -> Text:
    samples = f"{found[0].samples} samples"
    if alike:
        return Text(f"the same pixels for all of them: {samples}, sha256 {found[0].digest[:16]}", style="green")
    different = ", ".join(f"{timing.workers}: {timing.digest[:16]}" for timing in found)
    do = "does a function of yours keep state, or draw numbers of its own?"
    return Text(f"not the same pixels ({samples}; {different}): {do}", style="red")
