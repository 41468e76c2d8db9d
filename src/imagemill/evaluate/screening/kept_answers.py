"""What a screen keeps on disk: its design, and what was said of each transform.

::

    OUT/design.json        what decides the result; a rerun must have the same
    OUT/answers/NAME.npz   what the network said of one transform; written whole or not at all
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from imagemill.data.atomic import atomic_path, writing
from imagemill.evaluate.comparisons.kept_runs import begun, broken
from imagemill.evaluate.screening.probe import Answers

__all__ = ["KeptAnswers"]

_FOLDER = "answers"
_ARRAYS = ("held", "train", "changed")


class KeptAnswers:
    """The answers of one screen; nothing is kept where no folder is given.

    Parameters
    ----------
    out : Path or None
    design : mapping
        Plain values that decide what is said.

    Raises
    ------
    InputError
        When the folder holds a screen of another design, naming what differs.
    DiskError
        When nothing can be written there.
    """

    def __init__(self, out: Path | None, design: Mapping[str, Any]) -> None:
        self.folder = None if out is None else out / _FOLDER
        if out is not None and self.folder is not None:
            begun(out, design)
            with writing(self.folder):
                self.folder.mkdir(exist_ok=True)

    def given(self, name: str, ask: Callable[[], Answers]) -> Answers:
        """What was said of a transform before, or is said now.

        Raises
        ------
        InputError
            When what was kept is a broken file, naming it.
        """
        if self.folder is None:
            return ask()
        path = self.folder / f"{name}.npz"
        if path.is_file():
            return _read(path)
        found = ask()
        said = {"diverged": found.diverged, "trained": found.trained, "asked": found.asked}
        arrays = {name: getattr(found, name) for name in _ARRAYS}
        if found.tuned is not None:
            arrays["tuned"] = found.tuned
        with writing(path), atomic_path(path) as part, part.open("wb") as file:
            np.savez(file, said=np.array(json.dumps(said)), **arrays)
        return found


def _read(path: Path) -> Answers:
    try:
        # numpy leaves a file open that it cannot read.
        with path.open("rb") as file, np.load(file, allow_pickle=False) as held:
            said = json.loads(str(held["said"]))
            arrays = {name: held[name] for name in _ARRAYS}
            return Answers(**arrays, tuned=held["tuned"] if "tuned" in held.files else None, **said)
    except (OSError, ValueError, KeyError, EOFError, TypeError, AttributeError, zipfile.BadZipFile) as error:
        raise broken(path, error) from error
