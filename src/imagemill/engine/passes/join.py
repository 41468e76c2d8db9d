"""Let a resample and the colour right behind it share one trip over the pixels."""

from __future__ import annotations

from imagemill.engine.plan import Pass, Step


def join(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    """Merge ``resample`` and ``colour`` that stand next to each other."""
    out: list[Step] = []
    for step in steps:
        before = out[-1] if out else None
        if isinstance(before, Pass) and before.colour is None and isinstance(step, Pass) and step.resample is None:
            out[-1] = Pass(before.resample, step.colour, before.sources + step.sources, before.broken)
        else:
            out.append(step)
    return tuple(out)
