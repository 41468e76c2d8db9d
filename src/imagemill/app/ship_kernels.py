"""Compile the kernels of the usual pipelines into an archive for a wheel: ``python -m imagemill.app.ship_kernels``.

The archive is for the Python, the numba and the kind of system that write it, so a release runs this once for each,
and the wheel holds all of them (:mod:`imagemill.engine.shipped_kernels`). Without an argument it goes where that looks.
"""

from __future__ import annotations

import argparse
import itertools
import os
import platform
import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from imagemill import ImagemillError

__all__ = ["main", "run_all", "ship"]

_X86 = "avx avx2 bmi bmi2 cx16 f16c fma lzcnt movbe popcnt sahf sse3 sse4.1 sse4.2 ssse3 xsave"
_LEVELS: dict[str, tuple[str, tuple[str, ...]]] = {
    "x86_64": ("x86-64-v3", tuple(_X86.split())),
    "amd64": ("x86-64-v3", tuple(_X86.split())),
    "aarch64": ("generic", ()),
    "arm64": ("generic", ()),
}
"""What LLVM calls the processor that is compiled for, of each kind of machine, and what instructions it must have."""


def run_all(jobs: Iterable[tuple[str, Any, dict[str, Any]]]) -> list[str]:
    """Run pipelines; what those that refuse their input say of it."""
    from imagemill.app.warmup import run

    refused = []
    for name, pipeline, inputs in jobs:
        try:
            run(pipeline, inputs)
        except ImagemillError as why:
            refused.append(f"{name}: {why}")
    return refused


def ship(
    folder: Path,
    jobs: Iterable[tuple[str, Any, dict[str, Any]]],
    level: str,
    needs: Iterable[str],
    more: Callable[[Path], object] | None = None,
) -> Path:
    """Compile what some pipelines need and write it.

    Parameters
    ----------
    folder : Path
        Where to; it is made.
    jobs : iterable
        As :func:`imagemill.app.warmup.jobs` gives them.
    level : str
        What the archive's name says of the processor.
    needs : iterable of str
        The instructions that a processor must have, in the words of LLVM.
    more : callable, optional
        Something else that runs kernels, given an empty folder.

    Returns
    -------
    Path
        The archive.
    """
    import numba

    from imagemill.engine import shipped_kernels as kernels

    with kernels.recording() as made:
        refused = run_all(jobs)
        if more is not None:
            with tempfile.TemporaryDirectory() as empty:
                more(Path(empty))
    for line in refused:
        print(f"not run, {line}", file=sys.stderr)
    told = kernels.made_by()
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{told['python']}-numba{numba.__version__}-{told['system']}-{level}.kernels"
    kernels.write_archive(path, made, set(needs))
    return path


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the archive of this Python and this kind of system, and say how large it is."""
    parser = argparse.ArgumentParser(prog="python -m imagemill.app.ship_kernels", description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, help="instead of the package's own")
    told = parser.parse_args(arguments)
    machine = platform.machine().lower()
    if machine not in _LEVELS:
        parser.error(f"expected one of {', '.join(_LEVELS)}, got a machine of the kind {machine!r}; add its level here")
    if "numba" in sys.modules:
        parser.error(
            "expected a process of its own, since numba asks for the processor when it is loaded; use python -m"
        )
    level, needs = _LEVELS[machine]
    os.environ["NUMBA_CPU_NAME"], os.environ["NUMBA_CPU_FEATURES"] = level, ",".join(f"+{one}" for one in needs)

    from imagemill.app.warmup import each_transform, jobs, run_verbs
    from imagemill.engine import shipped_kernels as kernels

    path = ship(told.folder or kernels.FOLDER, itertools.chain(jobs(), each_transform()), level, needs, run_verbs)
    print(f"{path}: {path.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
