"""Finding the code blocks of a Markdown file, and running them in order.

As a program, ``python -m tests.docs.markdown NAME`` runs one page of the project in the current folder.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from tests.architecture.repository import ROOT, environment

_FENCE = re.compile(r"^(?P<indent> {0,3})(?P<marks>`{3,})(?P<info>[^`]*)$")

# A runnable console block calls the command as the entry point does, whether or not the package is installed.
_COMMAND = "import sys; sys.argv[0] = 'imagemill'; from imagemill.app.cli import main; sys.exit(main())"


class BlockError(AssertionError):
    """A code block did not run; the message begins with file:line."""


@dataclass(frozen=True, slots=True)
class Block:
    """One fenced block: the words after the fence, the number of its first line of code, and the code."""

    words: tuple[str, ...]
    line: int
    code: str

    @property
    def kind(self) -> str | None:
        """How it is run: "python", "console", or not at all."""
        match self.words:
            case ("python", *rest) if "no-run" not in rest:
                return "python"
            case ("console", "run", *_):
                return "console"
        return None


def blocks(text: str, name: str) -> Iterator[Block]:
    """Every fenced block of a text, in order."""
    lines = iter(enumerate(text.splitlines(), start=1))
    for number, line in lines:
        if not (fence := _FENCE.match(line)):
            continue
        indent, marks, code = len(fence["indent"]), fence["marks"], []
        for _, inner in lines:
            if re.fullmatch(rf" {{0,3}}{marks}`*\s*", inner):
                break
            # As Markdown has it, the fence's own indentation is taken off, and no more.
            code.append(inner[min(indent, len(inner) - len(inner.lstrip(" "))) :])
        else:
            raise BlockError(f"{name}:{number}: expected a closing {marks}, got the end of the file")
        yield Block(tuple(fence["info"].split()), number + 1, "\n".join(code) + "\n")


def runnable(path: Path) -> list[Block]:
    """The blocks of a file that are to be run."""
    return [b for b in blocks(path.read_text(encoding="utf-8"), path.name) if b.kind]


def run_file(path: Path, name: str, folder: Path) -> int:
    """Run a file's blocks in one namespace and one folder, and say how many ran."""
    found = runnable(path)
    before = Path.cwd()
    # A real module, because dataclasses look theirs up by name.
    module = sys.modules["__docs__"] = ModuleType("__docs__")
    os.chdir(folder)
    try:
        for block in found:
            if block.kind == "python":
                _run_python(block, name, vars(module))
            else:
                _run_console(block, name, folder)
    finally:
        os.chdir(before)
        del sys.modules["__docs__"]
    return len(found)


def _run_python(block: Block, name: str, namespace: dict[str, Any]) -> None:
    # Blank lines in front make every line number that Python reports the line of the Markdown file.
    padded = "\n" * (block.line - 1) + block.code
    try:
        exec(compile(padded, name, "exec", dont_inherit=True), namespace)
    except SyntaxError as error:
        line = error.lineno if error.filename == name else block.line
        raise BlockError(f"{name}:{line}: {type(error).__name__}: {error.msg}") from error
    except Exception as error:
        ours = [f.lineno for f in traceback.extract_tb(error.__traceback__) if f.filename == name]
        raise BlockError(f"{name}:{ours[-1]}: {type(error).__name__}: {error}") from error


def _run_console(block: Block, name: str, folder: Path) -> None:
    commands = [(line, shlex.split(text, comments=True)) for line, text in _commands(block)]
    for line, words in commands or [(block.line, [])]:
        if words[:1] != ["imagemill"]:
            raise BlockError(f"{name}:{line}: expected a line '$ imagemill ...', got {shlex.join(words)!r}")
    for line, words in commands:
        full = [sys.executable, "-c", _COMMAND, *words[1:]]
        variables = {**environment(), "NO_COLOR": "1", "COLUMNS": "100"}
        run = subprocess.run(full, cwd=folder, env=variables, capture_output=True, text=True, timeout=300)
        if run.returncode != 0:
            said = (run.stdout + run.stderr).strip()
            raise BlockError(f"{name}:{line}: '$ {shlex.join(words)}' ended with {run.returncode}:\n{said}")


def _commands(block: Block) -> Iterator[tuple[int, str]]:
    """The lines behind a prompt, those that end in a backslash joined with the next."""
    lines = iter(enumerate(block.code.splitlines(), start=block.line))
    for number, line in lines:
        if not line.startswith("$ "):
            continue  # what the command printed
        command = line[2:]
        while command.endswith("\\"):
            command = command[:-1] + next(lines, (0, ""))[1]
        yield number, command


if __name__ == "__main__":
    try:
        print(run_file(ROOT / sys.argv[1], sys.argv[1], Path.cwd()))
    except BlockError as failed:
        sys.exit(str(failed))
