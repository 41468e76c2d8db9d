"""`imagemill replay`: make outputs again from their recipes, or check them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

import imagemill as im
from imagemill.app.cli.console import ERROR, err, json_out, out, progress
from imagemill.app.cli.source_options import OPTIONS_HELP, source_options

__all__ = ["replay"]


def replay(
    recipes: Annotated[Path, typer.Argument(metavar="RECIPES", help="The recipes.jsonl that augment wrote.")],
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="The output to make again, as named in the recipes.")
    ] = None,
    source: Annotated[
        Path | None, typer.Option("--source", metavar="SRC", help="Where the images are now: as given to augment.")
    ] = None,
    masks: Annotated[Path | None, typer.Option("--masks", metavar="DIR", help="Where the masks are now.")] = None,
    to: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FILE", help="Where to write; a folder with --all.")
    ] = None,
    all_of_them: Annotated[bool, typer.Option("--all", help="Every output instead of one.")] = False,
    layout: Annotated[str | None, typer.Option("--layout", metavar="NAME", help="Of the source.")] = None,
    option: Annotated[list[str] | None, typer.Option("--option", metavar="NAME=VALUE", help=OPTIONS_HELP)] = None,
    verify: Annotated[
        bool,
        typer.Option("--verify", help="Write nothing: check all files by their sha256, with --source remade ones too."),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Make an output again, bit for bit, or check all of them."""
    opened: Any = source
    if source is not None and (layout is not None or option):
        opened = im.open_source(source, masks, allow_missing_masks=True, layout=layout, **source_options(option))
    if verify:
        if name is not None:
            raise im.InputError(f"expected --verify to check all outputs, got the name {name!r}; leave it out")
        _verify(recipes, opened, masks, as_json=as_json)
        return
    if all_of_them == (name is not None):
        raise im.InputError("expected the name of one output, or --all, or --verify; give one of them")
    if source is None or to is None:
        raise im.InputError("expected --source (where the images are) and -o (where to write); give both")
    if name is not None:
        made = im.replay(recipes, name, opened, masks=masks, out=to)
        if as_json:
            json_out({"made": [str(made)]})
            return
        out.print(Text.assemble(("made ", "green"), f"{made}, equal to the recorded sha256"), soft_wrap=True)
        return
    _all(recipes, opened, masks, to, as_json=as_json)


def _all(recipes: Path, source: Any, masks: Path | None, to: Path, *, as_json: bool) -> None:
    with progress("replaying") as say:
        count = im.replay_all(recipes, source, to, masks=masks, progress=say)
    if as_json:
        json_out({"count": count, "out": str(to)})
        return
    out.print(Text.assemble(("made ", "green"), f"{count} files in {to}, equal to the recorded sha256"), soft_wrap=True)


def _verify(recipes: Path, source: Any, masks: Path | None, *, as_json: bool) -> None:
    with progress("checking") as say:
        found = im.verify(recipes, source=source, masks=masks, progress=say)
    how = "by sha256" if source is None else "by sha256, and made again bit for bit"
    if as_json:
        json_out({"checked": found.checked, "changed": list(found.changed), "missing": list(found.missing)})
        raise typer.Exit(0 if found.ok else ERROR)
    for what, names in (("changed", found.changed), ("missing", found.missing)):
        for each in names:
            err.print(Text.assemble((f"{what}: ", "red"), each), soft_wrap=True)
    if not found.ok:
        raise im.InputError(
            f"expected {found.checked} outputs as they were written, got {len(found.changed)} changed and "
            f"{len(found.missing)} missing; augment with the same arguments makes missing ones again"
        )
    out.print(Text.assemble((f"{found.checked} outputs are as they were written", "green"), f" ({how})"))
