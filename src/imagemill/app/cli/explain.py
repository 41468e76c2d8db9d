"""`imagemill explain`: what runs on an image, with which ranges, and how many images can come of one."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Annotated

import typer

from imagemill.app.cli.console import out
from imagemill.app.cli.pipelines import HELP, SIZE_HELP, read_pipeline
from imagemill.app.cli.planned_inputs import read_input

__all__ = ["AXES_HELP", "DTYPE_HELP", "SHAPE_HELP", "explain"]

SHAPE_HELP = "Shape of an input array, such as 375,500,3."
AXES_HELP = "What each axis of it is, such as yxc or zyx; pictures need not say."
DTYPE_HELP = "Its values, such as uint8 or float32."


def explain(
    src: Annotated[
        Path | None, typer.Argument(metavar="[SRC]", help="Plan for this image or scan, or the first of a folder.")
    ] = None,
    pipeline: Annotated[str | None, typer.Option("--pipeline", "-p", metavar="FILE|PRESET", help=HELP)] = None,
    size: Annotated[str | None, typer.Option("--size", metavar="SIDE|Y,X|Z,Y,X", help=SIZE_HELP)] = None,
    shape: Annotated[str | None, typer.Option("--shape", metavar="N,N[,N]", help=SHAPE_HELP)] = None,
    axes: Annotated[str | None, typer.Option("--axes", help=AXES_HELP)] = None,
    dtype: Annotated[str, typer.Option("--dtype", help=DTYPE_HELP)] = "uint8",
    seed: Annotated[int | None, typer.Option("--seed", min=0, help="Whose draws to show.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
    as_yaml: Annotated[
        bool, typer.Option("--yaml", help="As a pipeline file, to go on from: explain -p photo --yaml > my.yaml")
    ] = False,
) -> None:
    """Show what runs on an image: transforms, ranges, planned steps, and how many images can come of one.

    Without SRC or --shape only the transforms are shown; with one of them also the steps they fuse into.
    """
    asked = read_pipeline(pipeline, size, seed)
    if as_yaml:
        typer.echo(asked.pipeline.to_yaml(), nl=False)
        return
    given = read_input(src, shape, axes, dtype)
    pipe = asked.pipeline
    if given is None:
        text = pipe.explain()
    else:
        text = pipe.explain(given.shape, axes=given.axes, dtype=given.dtype, spacing=given.spacing, key=given.key)
    if as_json:
        count = pipe.variants
        described = {**pipe.to_dict(), "digest": pipe.digest, "variants": None if math.isinf(count) else int(count)}
        typer.echo(json.dumps({**described, "text": text}, indent=2))
        return
    out.print(f"{asked.name}:", style="bold", markup=False)
    if given is not None and given.note:
        out.print(f"for {given.note}", markup=False, soft_wrap=True)
    out.print(text, markup=False, soft_wrap=True)
