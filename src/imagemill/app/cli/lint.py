"""`imagemill lint`: what in a pipeline is probably not meant."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from imagemill.app.cli.console import out
from imagemill.app.cli.explain import AXES_HELP, SHAPE_HELP
from imagemill.app.cli.pipelines import HELP, SIZE_HELP, read_pipeline
from imagemill.app.cli.shapes import read_input

__all__ = ["lint"]

STYLES = {"error": "bold red", "warning": "yellow", "note": "cyan"}


def lint(
    src: Annotated[
        Path | None, typer.Argument(metavar="[SRC]", help="Judge it for this image or scan, or the first of a folder.")
    ] = None,
    pipeline: Annotated[str, typer.Option("--pipeline", "-p", metavar="FILE|PRESET", help=HELP)] = ...,  # type: ignore[assignment]
    size: Annotated[int | None, typer.Option("--size", min=1, help=SIZE_HELP)] = None,
    shape: Annotated[str | None, typer.Option("--shape", metavar="N,N[,N]", help=SHAPE_HELP)] = None,
    axes: Annotated[str | None, typer.Option("--axes", help=AXES_HELP)] = None,
    evaluation: Annotated[
        bool, typer.Option("--evaluation", help="It prepares validation or test data: nothing may be random.")
    ] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Let warnings, too, end with exit status 1.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Check a pipeline against the field's rules; nothing runs and nothing is changed.

    An error cannot be meant and ends with exit status 1, a warning is rarely meant, a note depends on the data.
    """
    asked = read_pipeline(pipeline, size)
    given = read_input(src, shape, axes, "uint8")
    found = asked.pipeline.lint(None if given is None else given.shape, evaluation=evaluation)
    if as_json:
        typer.echo(json.dumps([dataclasses.asdict(finding) for finding in found], indent=2))
    elif not found:
        out.print(Text.assemble((f"{asked.name}: ", "bold"), ("nothing to remark", "green")))
    else:
        out.print(Text(f"{asked.name}:", style="bold"))
        for finding in found:
            places = f" (transform {', '.join(map(str, finding.places))})" if finding.places else ""
            line = Text.assemble((f"{finding.level:<8}", STYLES[finding.level]), finding.message, places)
            out.print(line.append(f" [{finding.rule}]", style="dim"), soft_wrap=True)
    if any(f.level == "error" or (strict and f.level == "warning") for f in found):
        raise typer.Exit(1)
