"""Pages run one after the other in one interpreter, as importing everything takes longer than most of them.

It is not the one of the tests, and each page gets names, a folder and an environment of its own. A page whose code
starts processes, chooses a library's backend before it is imported or registers something for good has an interpreter
to itself.
"""

from __future__ import annotations

import gc
import json
import os
import re
import subprocess
import sys
import threading
import warnings
from pathlib import Path
from typing import IO, Self

from tests.architecture.repository import ROOT, SRC, environment
from tests.docs.markdown import BlockError, run_file, runnable

_FOR_GOOD = re.compile(r"num_workers|KERAS_BACKEND|\bray\b|process:|environ|register|spawn")
_LIMIT_S = 600


def wants_its_own(name: str) -> bool:
    """Whether a page would be in the way of others, or they in its."""
    return any(_FOR_GOOD.search(block.code) for block in runnable(ROOT / name))


class PageReader:
    """An interpreter that runs the pages it is told, and says what is wrong with each; empty where nothing is."""

    def __enter__(self) -> Self:
        command = [sys.executable, "-W", "error", "-m", "tests.docs.page_reader"]
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(command, stdin=pipe, stdout=pipe, env=environment(ROOT, SRC), text=True)
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate("", timeout=_LIMIT_S)

    def said(self, name: str, folder: Path) -> str:
        """What went wrong with a page."""
        asked, answered = self._process.stdin, self._process.stdout
        assert asked is not None
        assert answered is not None
        asked.write(json.dumps([name, str(folder)]) + "\n")
        asked.flush()
        watch = threading.Timer(_LIMIT_S, self._process.kill)
        watch.start()
        answer = answered.readline()
        watch.cancel()
        return str(json.loads(answer)) if answer else f"{name}: expected an answer, got the end of who runs pages"


def _run(name: str, folder: str) -> str:
    variables, filters = dict(os.environ), warnings.filters[:]
    try:
        run_file(ROOT / name, name, Path(folder))
    except BlockError as failed:
        return str(failed)
    finally:
        os.environ.clear()
        os.environ.update(variables)
        warnings.filters[:] = filters
        gc.collect()  # what a page left open is closed while it is its turn
    return ""


def _serve(asked: IO[str], answers: IO[str]) -> None:
    for line in asked:
        name, folder = json.loads(line)
        answers.write(json.dumps(_run(name, folder)) + "\n")
        answers.flush()


if __name__ == "__main__":
    # What pages print goes to the other stream: the first is for answers alone.
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as own:
        os.dup2(2, 1)
        _serve(sys.stdin, own)
