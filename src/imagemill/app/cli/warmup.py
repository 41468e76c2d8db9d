"""`imagemill warmup`: compile the kernels before they are needed."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from imagemill.app.cli.console import facts, json_out, out, progress
from imagemill.app.warmup import jobs, run

__all__ = ["warmup"]


def warmup(
    quiet: Annotated[bool, typer.Option("--quiet", help="Say nothing when all is well.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Compile the kernels of the usual pipelines once; they are kept on disk beside the package.

    For images of containers, for CI, and before the first timing. Kernels that are compiled already cost nothing.
    """
    from numba.core import event

    from imagemill.engine import notice_seen

    notice_seen()  # this verb says what it does
    started = time.perf_counter()
    todo = list(jobs())
    with event.install_recorder("numba:compile") as compiled, progress("compiling") as report:
        for done, (_, pipeline, inputs) in enumerate(todo):
            report(done, len(todo))
            run(pipeline, inputs)
    made = sum(1 for _, e in compiled.buffer if e.is_end)
    if as_json:
        json_out({"pipelines": len(todo), "compiled": made, "seconds": time.perf_counter() - started})
    elif not quiet:
        out.print(
            facts(
                ("pipelines run", str(len(todo))),
                ("compiled", f"{made} kernels" if made else "nothing: all kernels were there"),
                ("took", f"{time.perf_counter() - started:.1f} s"),
            )
        )
