"""`imagemill audit`: is a dataset fit to train on."""

from __future__ import annotations

import json as json_text
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.text import Text

from imagemill import InputError
from imagemill.app.cli.console import err, out, progress
from imagemill.app.cli.source_options import OPTIONS_HELP, MaskPattern, On, source_options

if TYPE_CHECKING:
    from imagemill import Finding
    from imagemill.audits import Audit

__all__ = ["audit"]

STYLES = {"error": "bold red", "warning": "yellow", "note": "cyan"}
FAIL = {"error": "error", "high": "error", "warning": "warning", "medium": "warning", "note": "note", "low": "note"}
SHOWN = 3
"""Images that a finding names."""
MOST = 15
"""Findings that are told; --all tells the rest."""
INDENT = 8
FINDINGS = 1
ACTIONS_HELP = (
    "Needs --manifest: drop-duplicates,quarantine-corrupt,regroup, quarantine-RULE (flat, dark, light, blurred, noisy, "
    "low-information, odd-size); or review, a list of the images that findings name."
)
Level = Literal["error", "high", "warning", "medium", "note", "low", "never"]


def audit(
    src: Annotated[Path, typer.Argument(metavar="SRC", help="A dataset in any layout, or a prepared one.")],
    against: Annotated[
        Path | None,
        typer.Option(
            "--against", metavar="WILD", help="Other images, as in use: do they differ, in what, any in both."
        ),
    ] = None,
    layout: Annotated[str | None, typer.Option("--layout", metavar="NAME", help="Where the guess is wrong.")] = None,
    mask_pattern: MaskPattern = None,
    option: Annotated[list[str] | None, typer.Option("--option", metavar="NAME=VALUE", help=OPTIONS_HELP)] = None,
    features: Annotated[
        Path | None,
        typer.Option(
            "--features",
            metavar="FILE",
            help="What wrong labels are told from: .npy, .npz, .csv, .parquet, .onnx; or network: some are trained.",
        ),
    ] = None,
    attributes: Annotated[
        Path | None,
        typer.Option(
            "--attributes", metavar="FILE", help="Colours, stages... of the images: a table with keys or names."
        ),
    ] = None,
    attribute_share: Annotated[
        list[str] | None,
        typer.Option(
            "--attribute-share",
            metavar="COLUMN=SHARE",
            help="Least share of each value within a class, or colour (0.1), feature (0.05), stage (0.2).",
        ),
    ] = None,
    check: Annotated[
        list[str] | None, typer.Option("--check", metavar="NAME", help="Only this one; give several. All otherwise.")
    ] = None,
    setting: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=NUMBER", help="A threshold, such as dark=0.2.")
    ] = None,
    action: Annotated[
        str | None,
        typer.Option("--apply", metavar="NAMES", help=ACTIONS_HELP),
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
    everything: Annotated[
        bool, typer.Option("--all", help=f"Tell all findings; {MOST} otherwise, notes in a line each.")
    ] = False,
    workers: Annotated[int, typer.Option("--workers", "-w", min=1, help="How many decode.")] = 2,
    on: On = None,
) -> None:
    """Look at every image once and say what speaks against training on them: copies, shortcuts, balance, quality.

    Images are never changed, and files are written in whole or not at all. Exit status: 0 when nothing was found of
    the level that --fail-on names, or worse; 1 when something was; 2 when the question was wrong or SRC cannot be read;
    130 when stopped by Ctrl-C.
    """
    from imagemill import audit as audit_dataset

    if (action is None) != (manifest is None):
        raise InputError("expected --apply and --manifest together, got one of them; give both")
    if to is not None and to.suffix.lower() not in (".html", ".htm"):
        raise InputError(f"expected a page with the suffix .html, got {str(to)!r}; --json FILE writes JSON")
    options = source_options(option, mask_pattern) | ({} if layout is None else {"layout": layout})
    with progress("looking") as told:
        found = audit_dataset(
            src, against=against, attributes=attributes, attribute_shares=_shares(attribute_share), features=features,
            checks=check,
            settings=_settings(setting), workers=workers, on=on, progress=told,
            stage=lambda name: told.now(f"checking {name}"), **options,
        )  # fmt: skip
    piped = json is not None and str(json) == "-"
    said = err if piped else out
    if piped:
        typer.echo(json_text.dumps(found.to_dict(), indent=1, allow_nan=False))
    else:
        _say(found, everything=everything)
    if json is not None and not piped:
        found.write(json)
        said.print(f"everything in {json}", soft_wrap=True, markup=False)
    if to is not None:
        found.save_html(to)
        said.print(f"page in {to}", soft_wrap=True, markup=False)
    if action is not None and manifest is not None:
        for name, count in found.apply([one.strip() for one in action.split(",")], manifest).items():
            said.print(f"{name}: {count:,} image{'' if count == 1 else 's'}", markup=False)
        said.print(f"written to {manifest}", soft_wrap=True, markup=False)
        if not found.survey.source.root.resolve().is_relative_to(manifest.resolve().parent):
            said.print("it names files that lie elsewhere: open it with --option outside=yes", markup=False)
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


def _shares(given: list[str] | None) -> dict[str, float | str]:
    found: dict[str, float | str] = {}
    for one in given or ():
        name, equals, value = one.rpartition("=")
        if not (name and equals and value):
            raise InputError(f"expected --attribute-share COLUMN=SHARE, such as ripeness=0.2, got {one!r}")
        try:
            found[name.strip()] = float(value)
        except ValueError:
            found[name.strip()] = value.strip()
    return found


def _say(found: Audit, *, everything: bool) -> None:
    survey = found.survey
    out.print(Text.assemble(("Fit to train on? ", "bold"), found.verdict), soft_wrap=True)
    beside = "" if survey.given.against is None else f", beside {len(survey.given.against.seen):,} others"
    seen = f"{len(survey.seen):,} of {len(survey.records):,} images looked at{beside} ({survey.source.layout})"
    out.print(seen, style="dim", markup=False)
    for note in survey.source.notes:
        out.print(Text(f"note: {note}", style="dim"), soft_wrap=True)
    told = found.findings if everything else found.findings[:MOST]
    before = ""
    for finding in told:
        whole = everything or finding.level != "note"
        _say_one(finding, whole=whole, advice="" if finding.advice == before else finding.advice)
        before = finding.advice if whole else before
    if rest := found.findings[len(told) :]:
        counts = Counter(finding.level for finding in rest)
        kinds = ", ".join(f"{count:,} {level}{'' if count == 1 else 's'}" for level, count in counts.items())
        out.print(Text(f"and {len(rest):,} more ({kinds}): --all tells them, -o audit.html shows them", style="bold"))
    if found.not_asked:
        why = "; ".join(f"{one.rule}, because {one.because}" for one in found.not_asked)
        _indented(Text(f"not asked: {why}", style="dim"), 0)


def _say_one(finding: Finding, *, whole: bool, advice: str) -> None:
    line = Text.assemble((f"{finding.level:<8}", STYLES[finding.level]), finding.message)
    _indented(line.append(f" [{finding.rule}]", style="dim"), INDENT)
    if finding.places and whole:
        more = len(finding.places) - SHOWN
        shown = ", ".join(map(str, finding.places[:SHOWN])) + (f" and {more:,} more" if more > 0 else "")
        _indented(Text(" " * INDENT + shown, style="dim"), INDENT)
    if advice and whole:  # the same advice is not said twice in a row
        _indented(Text(" " * INDENT + advice), INDENT)


def _indented(words: Text, indent: int) -> None:
    """A paragraph whose further lines are set in; one line in a pipe, for programs that search it."""
    if not out.is_terminal or out.width <= 2 * INDENT:
        out.print(words, soft_wrap=True)
        return
    first = words.wrap(out, out.width)[0]
    out.print(first)
    rest = words[len(first.plain) :]
    rest = rest[len(rest.plain) - len(rest.plain.lstrip()) :]
    for line in rest.wrap(out, out.width - indent) if rest else ():
        out.print(Text(" " * indent).append(line))
