"""What a comparison keeps on disk: its design, and one file for each arm and seed that is done.

::

    OUT/design.json        what decides the result; a rerun must have the same
    OUT/runs/ARM-SEED.npz  answers of one trained network, and its curve; written whole or not at all
    OUT/results.json       every figure, the same bytes whether or not the run was ever stopped
    OUT/timing.json        seconds, which differ from run to run
"""

from __future__ import annotations

import itertools
import json
import re
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import astuple
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from imagemill.core.errors import InputError
from imagemill.data.atomic import atomic_path, writing
from imagemill.evaluate.runners.recipe import Epoch, Trained

__all__ = ["SCREEN", "KeptRuns", "begun", "broken", "complete_seeds"]

DESIGN, RUNS = "design.json", "runs"
SCREEN = "screen"
"""The folder of a screen that was made before the arms are trained."""
_LEFTOVER = re.compile(r"\..+\.npz\.[0-9a-f]+-[0-9a-f]{8}\.part")
"""A file that was being written when its process was killed."""
PROBABILITIES, LABEL_MAPS = "of:", "label-map-of:"
"""What the names of a run's arrays begin with, before that of the population."""


class KeptRuns:
    """The runs of one comparison; in memory alone where no folder is given.

    Parameters
    ----------
    out : Path or None
    design : mapping
        Plain values that decide what a run gives.
    grows : sequence of str
        Names in the design that only add runs, or leave some out, when they are others.

    Raises
    ------
    InputError
        When the folder holds runs of another design, naming what differs, or a file that is broken, naming it.
    DiskError
        When nothing can be written there.
    """

    def __init__(self, out: Path | None, design: Mapping[str, Any], grows: Sequence[str] = ("seeds",)) -> None:
        self.out = out
        self.memory: dict[tuple[str, int], Trained] = {}
        if out is None:
            return
        begun(out, design, grows)
        with writing(out / RUNS):
            (out / RUNS).mkdir(parents=True, exist_ok=True)
        self._look(out / RUNS)

    def _look(self, runs: Path) -> None:
        """Read what is there once: a file that is broken is known before hours are spent on others."""
        for leftover in [one for one in runs.iterdir() if _LEFTOVER.fullmatch(one.name)]:
            leftover.unlink(missing_ok=True)  # of a process that was killed while it wrote
        for path in sorted(runs.glob("*.npz")):
            _read(path)

    def get(self, arm: str, seed: int) -> Trained | None:
        """A run that is done, or None."""
        if self.out is None:
            return self.memory.get((arm, seed))
        path = self._path(arm, seed)
        if not path.is_file():
            return None
        said, answers, maps = _read(path)
        curve = [Epoch(*values) for values in said["curve"]]
        spent = said["seconds"], said["waiting"], said["images"]
        return Trained(arm, seed, answers, curve, said["diverged"], *spent, label_maps=maps)

    def put(self, run: Trained) -> None:
        """Keep a run that was just done."""
        if self.out is None:
            self.memory[run.arm, run.seed] = run
            return
        said = {
            "curve": [astuple(epoch) for epoch in run.curve],
            "diverged": run.diverged,
            "seconds": run.seconds,
            "waiting": run.waiting,
            "images": run.images,
        }
        answers = {PROBABILITIES + name: values for name, values in run.probabilities.items()}
        answers |= {LABEL_MAPS + name: values for name, values in run.label_maps.items()}
        path = self._path(run.arm, run.seed)
        with writing(path), atomic_path(path) as part, part.open("wb") as file:
            np.savez(file, said=np.array(json.dumps(said)), **answers)  # type: ignore[arg-type]

    def _path(self, arm: str, seed: int) -> Path:
        assert self.out is not None
        return self.out / RUNS / f"{arm}-{seed}.npz"


def begun(out: Path, design: Mapping[str, Any], grows: Sequence[str] = ()) -> None:
    """Begin a study in a folder, or go on with one of the same design.

    Parameters
    ----------
    out : Path
    design : mapping
        Plain values that decide what is found.
    grows : sequence of str
        Names in the design that may be others.

    Raises
    ------
    InputError, DiskError
        See `KeptRuns`.
    """
    if out.exists() and not out.is_dir():
        raise InputError(f"expected a folder to write to, got the file {out}; give another name")
    path, wanted = out / DESIGN, json.loads(json.dumps(design))
    if path.is_file():
        found = _design(path)
        differs = [name for name in {**found, **wanted} if found.get(name) != wanted.get(name)]
        if differs := [name for name in differs if name not in grows]:
            raise InputError(
                f"expected the design that {out} was begun with, got another {', '.join(sorted(differs))}; "
                "take another folder"
            )
    elif out.is_dir() and any(one.name != SCREEN for one in out.iterdir()):
        raise InputError(f"expected an empty folder or one of an earlier run, got {out}; take another")
    with writing(out):
        out.mkdir(parents=True, exist_ok=True)
    with writing(path), atomic_path(path) as part:
        part.write_text(json.dumps(wanted, indent=2) + "\n", "utf-8")


def complete_seeds(out: Path) -> int:
    """How many seeds a comparison in a folder has trained with every arm, the first after each other; 0 for none.

    Raises
    ------
    InputError
        When its design is a broken file.
    """
    if not (out / DESIGN).is_file():
        return 0
    asked = _design(out / DESIGN)
    arms, seeds = asked.get("arms"), asked.get("seeds")
    if not isinstance(arms, dict) or not isinstance(seeds, int):
        raise broken(out / DESIGN, "no arms or seeds")
    whole = (all((out / RUNS / f"{arm}-{seed}.npz").is_file() for arm in arms) for seed in range(seeds))
    return sum(itertools.takewhile(bool, whole))


def _design(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise broken(path, error) from error
    if not isinstance(found, dict):
        raise broken(path, "no mapping")
    return found


def _read(path: Path) -> tuple[dict[str, Any], dict[str, npt.NDArray[Any]], dict[str, npt.NDArray[Any]]]:
    """What was said of a run, and its probabilities and label maps by population."""
    try:
        # numpy leaves a file open that it cannot read.
        with path.open("rb") as file, np.load(file, allow_pickle=False) as held:
            said = json.loads(str(held["said"]))
            answers, maps = (
                {name.removeprefix(kind): held[name] for name in held.files if name.startswith(kind)}
                for kind in (PROBABILITIES, LABEL_MAPS)
            )
    except (OSError, ValueError, KeyError, EOFError, TypeError, AttributeError, zipfile.BadZipFile) as error:
        raise broken(path, error) from error
    if not {"curve", "diverged", "seconds", "waiting", "images"} <= said.keys():
        raise broken(path, "not all that is kept of one")
    return said, answers, maps


def broken(path: Path, why: object) -> InputError:
    """What is said of a file that cannot be read."""
    what = "a run" if path.suffix == ".npz" else "the design of a comparison"
    do = "it is trained again" if path.suffix == ".npz" else "the runs there cannot be told from others without it"
    where = "delete that file, and" if path.suffix == ".npz" else "take another folder, as"
    return InputError(f"expected {path} to hold {what}, got a broken file ({why}); {where} {do}")
