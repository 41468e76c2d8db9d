"""``imagemill demo``: the whole job on real pictures, ending in a page to look at."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from imagemill import __version__
from imagemill.app.cli.console import err, facts, json_out, out
from imagemill.data import atomic_path

__all__ = ["demo"]

HERE = Path("imagemill-demo")


def demo(
    to: Annotated[Path, typer.Option("--out", "-o", metavar="DIR", help="The folder to fill.")] = Path(
        "imagemill-demo"
    ),
    seed: Annotated[int, typer.Option("--seed", min=0, help="Same seed, same pictures.")] = 7,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Run the whole job on real pictures that come with installed packages; nothing is downloaded.

    Photos, boxes, points, label maps, a scan and digits are augmented, timed and checked. Everything is written
    below DIR, and DIR/report.html shows it. Exit status 1 when a check fails.
    """
    # Imported here: the demonstration brings libraries that no other command should wait for.
    from imagemill.app.demo.demo_steps import Story, machine
    from imagemill.pages import Block, page

    story, sections, begin = Story(to, seed), [], time.perf_counter()
    stations = list(story.stations())
    for number, (words, station) in enumerate(stations, 1):
        started = time.perf_counter()
        with err.status(words):
            sections.append(station())
        taken = f"{time.perf_counter() - started:5.1f} s"
        line = Text.assemble((f"{number}/{len(stations)} ", "dim"), f"{words:<56}", (taken, "cyan"))
        if not as_json:
            out.print(line, soft_wrap=True)
            while story.pictures:
                out.print(Text.assemble(("    look at  ", "dim"), str(story.pictures.pop(0))), soft_wrap=True)
    seconds = time.perf_counter() - begin
    lead: list[Block | str] = [
        "Photos and scans to augmented copies, with masks, boxes and points moved along, repeatable to the bit.",
        *story.first,
        f"This page was made in {seconds:.0f} seconds by: imagemill demo --seed {seed} ({machine()}).",
    ]
    report = to / "report.html"
    with atomic_path(report) as part:
        part.write_text(page("imagemill: a demonstration", lead, sections, f"made by imagemill {__version__}"), "utf-8")
    if as_json:
        checks = [{"name": one.name, "value": one.value, "good": one.good} for one in story.checks]
        json_out({"out": str(to), "report": str(report), "seconds": seconds, "checks": checks})
    for check in () if as_json else story.checks:
        mark = ("✓ ", "green") if check.good else ("✗ ", "bold red")
        out.print(Text.assemble(mark, f"{check.name}: {check.value}"), soft_wrap=True)
    if not as_json:
        out.print(facts(("pictures", str(to)), ("report", f"{report} (open it in a browser)")))
    if not all(check.good for check in story.checks):
        raise typer.Exit(1)
