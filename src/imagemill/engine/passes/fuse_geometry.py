"""Make one resample of a run of geometry."""

from __future__ import annotations

from collections.abc import Sequence

from imagemill.engine.plan import Link, Matrices, Pass, Resample, Step


def fuse_geometry(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    """Merge neighbouring resamples whose sampling agrees; note the reason where it does not."""
    out: list[Step] = []
    for step in steps:
        before = out[-1] if out else None
        if isinstance(before, Pass) and before.colour is None and isinstance(step, Pass):
            merged = _try(before.resample, step.resample)
            if isinstance(merged, Resample):
                out[-1] = Pass(merged, step.colour, before.sources + step.sources, before.broken)
                continue
            step = Pass(step.resample, step.colour, step.sources, merged or step.broken)
        out.append(step)
    return tuple(out)


def _try(first: Resample | None, second: Resample | None) -> Resample | str:
    return "" if first is None or second is None else fused(first, second)


def fused(first: Resample, second: Resample) -> Resample | str:
    """The resample that does both, or why there is none."""
    sampling = first.sampling.merge(second.sampling)
    if isinstance(sampling, str):
        return sampling
    # The chain is read from the output, so the later map stands first.
    return Resample(_merged(second.links + first.links), first.in_shape, second.shape, sampling)


def _merged(links: Sequence[Link]) -> tuple[Link, ...]:
    out: list[Link] = []
    for link in links:
        if isinstance(link, Matrices) and out and isinstance(out[-1], Matrices):
            out[-1] = Matrices(link.m @ out[-1].m)
        else:
            out.append(link)
    return tuple(out)
