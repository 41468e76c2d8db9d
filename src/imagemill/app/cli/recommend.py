"""`imagemill recommend`: which augmentation would cover what sets your own images apart."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from imagemill import InputError
from imagemill.app.cli.console import out, progress

__all__ = ["recommend"]

NOTHING_MADE = 1
_COLOURS = {"propose": "green", "not closed": "yellow", "  warning": "yellow"}


def recommend(
    src: Annotated[Path, typer.Argument(metavar="SRC", help="A prepared dataset with a training and a test part.")],
    wild: Annotated[
        Path, typer.Option("--wild", metavar="DIR", help="A prepared set of your own images, with or without labels.")
    ],
    to: Annotated[
        Path | None, typer.Option("-o", "--out", metavar="FILE", help="Write the proposal: a pipeline file.")
    ] = None,
    model: Annotated[
        Path | None, typer.Option("--model", "-m", metavar="MODEL", help="A network, as for stress: it is asked first.")
    ] = None,
    profile: Annotated[
        Path | None,
        typer.Option("--profile", metavar="DIR", help="What stress wrote of a network: what it takes is left out."),
    ] = None,
    screen: Annotated[
        Path | None, typer.Option("--screen", metavar="DIR", help="What screen wrote: label changes are warned of.")
    ] = None,
    images: Annotated[int, typer.Option("--images", min=10, help="Measured of each set at most.")] = 1000,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of the images that are measured.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Measure what sets your own images apart from the training images, and propose transforms that would cover it.

    Ends with exit status 1 when there is nothing to propose. Whether a proposal helps is for compare to say:
    imagemill compare SRC -p FILE --wild DIR.
    """
    from imagemill import recommend as recommend_for  # what it needs is loaded when it is needed, not for --help

    if to is not None and to.suffix not in (".yaml", ".yml", ".json"):
        raise InputError(f"expected a file that ends in .yaml, .yml or .json, got {to}")
    with progress("measuring") as told:
        found = recommend_for(
            src, wild, model=model, profile=profile, screen=screen, images=images, seed=seed, progress=told
        )
    if as_json:
        typer.echo(json.dumps(found.to_dict(), indent=2, allow_nan=False))
    else:
        for line in found.sentences():
            colour = next((style for begin, style in _COLOURS.items() if line.startswith(begin)), "")
            out.print(Text(line, style=colour), soft_wrap=True)
    if found.pipeline is None:
        raise typer.Exit(NOTHING_MADE)
    if to is not None:
        found.write(to)
        if not as_json:
            again = f"imagemill compare {src} -p {to} --wild {wild} -o compared"
            out.print(f"\nproposal in {to}; does it help: {again}", soft_wrap=True)
