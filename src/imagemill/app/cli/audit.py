"""`imagemill audit`: is a dataset fit to train on."""

from __future__ import annotations

import json as json_text
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.text import Text

from imagemill import InputError
from imagemill.app.cli.console import out, progress
from imagemill.app.cli.source_options import OPTIONS_HELP, MaskPattern, source_options

if TYPE_CHECKING:
    from imagemill import Finding
    from imagemill.audits import Audit

__all__ = ["audit"]

STYLES = {"error": "bold red", "warning": "yellow", "note": "cyan"}
FAIL = {"error": "error", "high": "error", "warning": "warning", "medium": "warning", "note": "note", "low": "note"}
SHOWN = 5
FINDINGS = 1
Level = Literal["error", "high", "warning", "medium", "note", "low", "never"]


def audit(
    src: Annotated[Path, typer.Argument(metavar="SRC", help="A dataset in any layout, or a prepared one.")],
    layout: Annotated[str | None, typer.Option("--layout", metavar="NAME", help="Where the guess is wrong.")] = None,
    mask_pattern: MaskPattern = None,
    option: Annotated[list[str] | None, typer.Option("--option", metavar="NAME=VALUE", help=OPTIONS_HELP)] = None,
    check: Annotated[
        list[str] | None, typer.Option("--check", metavar="NAME", help="Only this one; give several. All otherwise.")
    ] = None,
    setting: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=NUMBER", help="A threshold, such as dark=0.2.")
    ] = None,
    action: Annotated[
        str | None,
        typer.Option("--apply", metavar="NAMES", help="drop-duplicates,quarantine-corrupt,regroup: needs --manifest."),
    ] = None,
    manifest: Annotated[
        Path | None, typer.Option("--manifest", metavar="FILE", help="The new manifest, .csv or .parquet.")
    ] = None,
    to: Annotated[Path | None, typer.Option("--out", "-o", metavar="FILE", help="The page, .html.")] = None,
    json: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Everything, for programs; - is the output.")
    ] = None,
    fail_on: Annotated[
        Level, typer.Option("--fail-on", help="Exit status 1 for findings of this level, or worse.")
    ] = "error",
    workers: Annotated[int, typer.Option("--workers", "-w", min=1, help="Threads that decode.")] = 2,
) -> None:
    """Look at every image once and say what speaks against training on them: copies, shortcuts, balance, quality.

    Images are never changed. Ends with exit status 1 when something was found of the level that --fail-on names.
    """
    from imagemill import audit as audit_dataset

    if (action is None) != (manifest is None):
        raise InputError("expected --apply and --manifest together, got one of them; give both")
    if to is not None and to.suffix.lower() not in (".html", ".htm"):
        raise InputError(f"expected a page with the suffix .html, got {str(to)!r}; --json FILE writes JSON")
    options = source_options(option, mask_pattern) | ({} if layout is None else {"layout": layout})
    with progress("looking") as told:
        found = audit_dataset(src, checks=check, settings=_settings(setting), workers=workers, progress=told, **options)
    if json is not None and str(json) == "-":
        typer.echo(json_text.dumps(found.to_dict(), indent=1, allow_nan=False))
    else:
        _say(found)
        if json is not None:
            found.write(json)
            out.print(f"everything in {json}", soft_wrap=True, markup=False)
    if to is not None:
        found.save_html(to)
        out.print(f"page in {to}", soft_wrap=True, markup=False)
    if action is not None and manifest is not None:
        for name, count in found.apply(action.split(","), manifest).items():
            out.print(f"{name}: {count:,} images", markup=False)
        out.print(f"written to {manifest}", soft_wrap=True, markup=False)
    if fail_on != "never" and found.of_level(FAIL[fail_on]):
        raise typer.Exit(FINDINGS)


def _settings(given: list[str] | None) -> dict[str, float]:
    found = {}
    for one in given or ():
        name, _, value = one.partition("=")
        try:
            found[name.strip()] = float(value)
        except ValueError:
            raise InputError(f"expected --set NAME=NUMBER, such as dark=0.2, got {one!r}") from None
    return found


def _say(found: Audit) -> None:
    images = len(found.survey.records)
    out.print(Text.assemble(("Fit to train on? ", "bold"), found.verdict), soft_wrap=True)
    out.print(f"{len(found.survey.seen):,} of {images:,} images looked at ({found.survey.source.layout})", style="dim")
    for note in found.survey.source.notes:
        out.print(Text(f"note: {note}", style="dim"), soft_wrap=True)
    for finding in found.findings:
        _say_one(finding)
    for one in found.not_asked:
        out.print(Text(str(one), style="dim"), soft_wrap=True)


def _say_one(finding: Finding) -> None:
    line = Text.assemble((f"{finding.level:<8}", STYLES[finding.level]), finding.message)
    out.print(line.append(f" [{finding.rule}]", style="dim"), soft_wrap=True)
    if finding.places:
        more = len(finding.places) - SHOWN
        shown = ", ".join(map(str, finding.places[:SHOWN])) + (f" and {more:,} more" if more > 0 else "")
        out.print(Text(f"        {shown}", style="dim"), soft_wrap=True)
    if finding.advice:
        out.print(Text(f"        {finding.advice}"), soft_wrap=True)
