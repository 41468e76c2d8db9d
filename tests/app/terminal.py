"""The command as a test sees it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from typer.testing import CliRunner

from imagemill.app.cli import app, console


@dataclass(frozen=True)
class Said:
    """What a command printed, and how it ended."""

    code: int
    out: str
    err: str


def imagemill(*arguments: str | Path, columns: int = 200) -> Said:
    """Run the command in this process, in a terminal too wide to wrap a path."""
    for each in (console.out, console.err):  # a COLUMNS at import time would hold for ever
        each.width = columns
    runner = CliRunner(env={**os.environ, "COLUMNS": str(columns), "NO_COLOR": "1", "TERM": "dumb"})
    result = runner.invoke(app, [str(a) for a in arguments], prog_name="imagemill")
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Said(result.exit_code, result.stdout, result.stderr)
