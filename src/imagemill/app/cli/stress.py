"""`imagemill stress`: how far may images change before a model fails."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from imagemill import MissingExtra, ParameterError
from imagemill.app.cli.console import out, progress

if TYPE_CHECKING:
    from imagemill.evaluate import Profile, Profiles, WorstGrid

__all__ = ["stress"]

MODEL_HELP = (
    "A model: FILE.keras or .h5; .pt2 or TorchScript; .onnx; or FILE.py with load() or predict(images). Files can run "
    "code: take none that you do not trust."
)
OVER_HELP = (
    "What to change: names with commas (rotate,shift,zoom,gamma,noise,blur,...), groups (geometry, light, quality, "
    "colour, corruptions), rotate:-30..30, zoom:0.5,0.8,1, corruption:fog, or pipeline files."
)
WORST_HELP = "Turns and shifts for the worst case, as DEGREES[,PIXELS[,TURNSxSHIFTS]]; 'no' leaves it out."

_BARS = 13
_SHORT = {"degrees": "°", "pixels": "px", "of white": "white"}


def stress(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help=MODEL_HELP)],
    src: Annotated[Path, typer.Argument(metavar="DATA", help="A prepared dataset; its test part is taken.")],
    over: Annotated[list[str] | None, typer.Option("--over", metavar="NAMES", help=OVER_HELP)] = None,
    to: Annotated[
        Path | None, typer.Option("-o", "--out", metavar="OUT", help="results.json, table.md, page.html; curves.png.")
    ] = None,
    task: Annotated[
        str | None,
        typer.Option("--task", help="classification or segmentation, for data with labels and label maps."),
    ] = None,
    levels: Annotated[int, typer.Option("--levels", min=2, help="Magnitudes of each change.")] = 11,
    refine: Annotated[int, typer.Option("--refine", min=0, help="Halvings of the gap where a range ends.")] = 2,
    limit_images: Annotated[
        int | None,
        typer.Option("--limit-images", min=1, metavar="N", help="At most so many, of every class its share."),
    ] = None,
    part: Annotated[str | None, typer.Option("--part", help="Of the dataset; all takes every image.")] = None,
    worst: Annotated[str, typer.Option("--worst", metavar="GRID", help=WORST_HELP)] = "30",
    preparation: Annotated[
        Path | None, typer.Option("--preparation", metavar="FILE", help="A pipeline: all that comes before the model.")
    ] = None,
    layout: Annotated[
        str | None, typer.Option("--layout", help="Order of axes the model takes: last, first or flat; else found out.")
    ] = None,
    scale: Annotated[
        str | None, typer.Option("--scale", help="0..1, 0..255, -1..1 or imagenet; else found out by accuracy or Dice.")
    ] = None,
    hold: Annotated[float, typer.Option("--hold", help="Share of clean accuracy or Dice that a range holds.")] = 0.95,
    baseline: Annotated[
        Path | None,
        typer.Option("--baseline", metavar="FILE", help="Another model's results.json: corruption error against it."),
    ] = None,
    on: Annotated[
        str | None,
        typer.Option("--on", metavar="processes|ray|ray://HOST:PORT", help="Who asks the model, one change each."),
    ] = None,
    at_once: Annotated[int, typer.Option("--at-once", min=1, help="Changes side by side, with --on.")] = 2,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Say how far images may be turned, moved, lit or blurred before a model fails."""
    from imagemill import stress as stress_model  # frameworks are loaded when they are needed, not for --help

    grid = _grid(worst)
    with progress("asking") as told:
        found = stress_model(
            model, src, over or None, task=task, levels=levels, refine=refine, worst=grid, limit_images=limit_images,
            part=part, preparation=preparation, layout=layout, scale=scale, hold=hold, out=to, on=on,
            at_once=at_once, progress=told,
        )  # fmt: skip
    against = None if baseline is None else found.corruption_error(baseline)
    if baseline is not None and against is None:
        raise ParameterError("expected corruptions at all severities for --baseline, got none; add --over corruptions")
    if as_json:
        plain = found.to_dict() | ({} if against is None else {"corruption_error": against.to_dict()})
        typer.echo(json.dumps(plain, indent=2, allow_nan=False))
        return
    _show(found)
    if against is not None:
        out.print()
        out.print(Text(against.sentence), soft_wrap=True)
    if to is not None:
        _written(found, to)


def _grid(text: str) -> WorstGrid | bool:
    """The grid that ``DEGREES[,PIXELS[,TURNSxSHIFTS]]`` means."""
    from imagemill.evaluate import WorstGrid

    if text == "no":
        return False
    pieces = text.split(",")
    try:
        if len(pieces) > 3:
            raise ValueError
        degrees = float(pieces[0])
        pixels = int(pieces[1].removesuffix("px")) if len(pieces) > 1 else None
        turns, shifts = map(int, pieces[2].split("x")) if len(pieces) > 2 else (9, 5)
    except ValueError:
        raise ParameterError(f"expected --worst as 30, 30,3px, 30,3px,31x5 or no, got {text!r}") from None
    return WorstGrid(degrees, pixels, turns, shifts)


def _show(found: Profiles) -> None:
    out.print(Text(found.headline, style="bold"), soft_wrap=True)
    for note in found.notes:
        doubtful = "no better than" in note or "not told" in note
        out.print(Text(f"  {note}", style="yellow" if doubtful else "dim"), soft_wrap=True)
    out.print()
    table = Table(box=None, pad_edge=False, padding=(0, 1), header_style="bold", collapse_padding=True)
    share = f"{found.hold * 100:g} %"
    for name in ("change", found.measure.name, f"holds {share} from", "to", "lowest", "at"):
        table.add_column(name, no_wrap=True, justify="right" if name.startswith(("holds", "to")) else "left")
    for one in found:
        unit, low, high, lowest, at = one.cells()
        name = f"{one.name} {_SHORT.get(unit, unit)}".rstrip()
        table.add_row(name, _curve(one), low, high, lowest.partition(" ")[0], at)
    out.print(table)
    lost = [(one.name, one.classes_sentence) for one in found if one.classes_sentence]
    if lost:
        out.print()
        test = "Fisher's exact test" if found.measure.name == "accuracy" else "Student's t over images"
        out.print(Text(f"classes that lose more than the others ({test}, Holm):", style="bold"))
        for name, said in lost:
            out.print(Text(f"  {name}: {said.removeprefix('lost most: ')}"), soft_wrap=True)
    if found.worst is not None:
        out.print()
        out.print(Text(found.worst.sentence), soft_wrap=True)


def _curve(one: Profile) -> Text:
    """The curve, green where it holds."""
    bars = Text(one.curve(_BARS))
    first, last = one.held(_BARS)
    if last >= first and not one.still:
        bars.stylize("green", first, last + 1)
    return bars


def _written(found: Profiles, to: Path) -> None:
    names = ["results.json", "table.md", "page.html"]
    if any(one.points[0].magnitude is not None for one in found):
        try:
            found.plot(to / "curves.png")
            names.append("curves.png")
        except MissingExtra as error:
            out.print(Text(f"no curves.png: {error}", style="yellow"), soft_wrap=True)
    out.print(f"\nwritten to {to}: {', '.join(names)}", soft_wrap=True)
