"""Programs that run as several processes which train together, and end together."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tests.architecture.repository import ROOT, SRC, environment

_ENOUGH = 500.0
"""Seconds, many times what any of them takes: only what hangs reaches them."""


def run_ranks(program: Path, world_size: int, words: Callable[[int], list[str]], **variables: str) -> list[str]:
    """What each rank of a program printed; the test fails, and all of them end, as soon as one of them fails.

    One that has lost its peers waits for them for half an hour, and a pipe is open as long as anybody holds its other
    end. So nobody is waited for in turn, and what they say goes into files.

    Parameters
    ----------
    program : Path
    world_size : int
    words : callable
        The arguments of a rank.
    **variables : str
        Of the environment; ``{rank}`` in them is the rank.
    """
    folder = program.parent
    running: list[subprocess.Popen[bytes]] = []
    said = [(folder / f"said-{rank}", folder / f"errors-{rank}") for rank in range(world_size)]
    try:
        for rank, (out, errors) in enumerate(said):
            command = [sys.executable, "-W", "ignore", str(program), *words(rank)]
            more = {name: value.format(rank=rank) for name, value in variables.items()}
            with out.open("wb") as o, errors.open("wb") as e:
                env = {**environment(SRC, ROOT), **more}
                running.append(subprocess.Popen(command, env=env, cwd=folder, stdout=o, stderr=e))
        waited, codes = 0.0, [process.poll() for process in running]
        while None in codes and not any(codes) and waited < _ENOUGH:
            time.sleep(0.05)
            waited, codes = waited + 0.05, [process.poll() for process in running]
    finally:
        for process in running:
            process.kill()
            process.wait()
    assert codes == [0] * world_size, "\n".join([str(codes), *(errors.read_text() for _, errors in said)])
    return [out.read_text() for out, _ in said]
