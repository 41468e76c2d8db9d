"""`imagemill lint`: what in a pipeline is probably not meant."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from imagemill import Finding
from imagemill.app.cli.console import out
from imagemill.app.cli.explain import AXES_HELP, DTYPE_HELP, SHAPE_HELP
from imagemill.app.cli.pipelines import HELP, SIZE_HELP, read_pipeline
from imagemill.app.cli.planned_inputs import read_input, read_some
from imagemill.pipeline import Given, given, judge

__all__ = ["lint"]

LOOKED_AT = 16
"""Images that are read of a folder, spread over all of it."""

STYLES = {"error": "bold red", "warning": "yellow", "note": "cyan"}


def lint(
    src: Annotated[
        Path | None, typer.Argument(metavar="[SRC]", help="Try it on the shapes of these images or scans.")
    ] = None,
    pipeline: Annotated[str | None, typer.Option("--pipeline", "-p", metavar="FILE|PRESET", help=HELP)] = None,
    size: Annotated[str | None, typer.Option("--size", metavar="SIDE|Y,X|Z,Y,X", help=SIZE_HELP)] = None,
    shape: Annotated[str | None, typer.Option("--shape", metavar="N,N[,N]", help=SHAPE_HELP)] = None,
    axes: Annotated[str | None, typer.Option("--axes", help=AXES_HELP)] = None,
    dtype: Annotated[str, typer.Option("--dtype", help=DTYPE_HELP)] = "uint8",
    evaluation: Annotated[
        bool, typer.Option("--evaluation", help="It prepares validation or test data: nothing may be random.")
    ] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Let warnings, too, end with exit status 1.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Check a pipeline against the field's rules, and try it on the shapes of images; no pixel is changed.

    An error cannot be meant and ends with exit status 1, a warning is rarely meant, a note depends on the data.
    """
    asked = read_pipeline(pipeline, size)
    inputs, troubles, count = _inputs(src, shape, axes, dtype)
    # The first trouble is enough here: scan counts them.
    found = [Finding("unreadable", "warning", f"{troubles[0]}; imagemill scan looks at all files")] if troubles else []
    found += judge(asked.pipeline, inputs, evaluation=evaluation)
    if as_json:
        typer.echo(json.dumps([finding.to_dict() for finding in found], indent=2))
    elif not found:
        tried = _tried(inputs, count)
        out.print(Text.assemble((f"{asked.name}: ", "bold"), ("nothing to remark", "green"), tried), soft_wrap=True)
    else:
        out.print(Text.assemble((f"{asked.name}:", "bold"), _tried(inputs, count)), soft_wrap=True)
        for finding in found:
            places = f" (transform {', '.join(map(str, finding.places))})" if finding.places else ""
            line = Text.assemble((f"{finding.level:<8}", STYLES[finding.level]), finding.message, places)
            out.print(line.append(f" [{finding.rule}]", style="dim"), soft_wrap=True)
    if any(f.level == "error" or (strict and f.level == "warning") for f in found):
        raise typer.Exit(1)


def _inputs(src: Path | None, shape: str | None, axes: str | None, dtype: str) -> tuple[list[Given], list[str], int]:
    """What to try it on, what could not be read, and how many there are."""
    if src is None or shape is not None:
        one = read_input(src, shape, axes, dtype)
        return ([] if one is None else [given(one.shape, one.axes, one.dtype, one.spacing, one.key)]), [], 1
    read, troubles, count = read_some(src, axes, LOOKED_AT)
    return [given(one.shape, one.axes, one.dtype, one.spacing, one.key) for one in read], troubles, count


def _tried(inputs: list[Given], count: int) -> str:
    """On what it was tried."""
    if not inputs:
        return " (by the rules alone; name images, or --shape, to try it on them)"
    return f" (tried on {inputs[0]})" if count == 1 else f" (tried on {len(inputs)} of {count:,} images)"
