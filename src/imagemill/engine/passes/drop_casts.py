"""Leave out casts that change nothing, whatever was drawn.

Not steps that happen to do nothing for the samples at hand: what a sample becomes must not depend on which
others are in its batch, and a step that is there for one batch and not for another would round, or
interpolate, a sample in one and not in the other. An identity row costs a matrix product and no pixel.
"""

from __future__ import annotations

from imagemill.engine.plan import Pass, Step


def drop_casts(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    """Casts to the type that the values have already are left out."""
    return tuple([step for step in steps if not (isinstance(step, Pass) and _idle(step))])


def _idle(step: Pass) -> bool:
    colour = step.colour
    return step.resample is None and colour is not None and not colour.stages and colour.in_dtype == colour.dtype
