"""What a screen said of the arms before they were trained: on the page, and as sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from imagemill.evaluate.inputs.arms import Arm
from imagemill.evaluate.statistics.scores import Measure
from imagemill.pages import Block, Section, Table

__all__ = ["Screen", "arm_flags", "screen_section"]


class Screen(Protocol):
    """What `imagemill.screen` gives."""

    @property
    def design(self) -> Mapping[str, Any]:
        """What was asked; ``"transforms"`` by name as plain values."""

    @property
    def ranked(self) -> Sequence[Any]:
        """Transforms in their order, each with a name, an affinity, a diversity and a flag."""

    @property
    def measure(self) -> Measure:
        """What affinities are differences of."""

    @property
    def caution(self) -> str:
        """Why the order says little; empty where there is nothing to say."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""


def arm_flags(screen: Screen, arms: Sequence[Arm]) -> tuple[str, ...]:
    """A sentence for each arm with a transform that the screen flags.

    A transform is known by what it does: two arms may share one, which a screen asks about once.
    """
    asked = screen.design["transforms"]
    flagged = [(one, asked[one.name]) for one in screen.ranked if one.flag]
    found = []
    for arm in arms:
        held = [] if arm.pipeline is None else [transform.to_dict() for transform in arm.pipeline.transforms]
        for one, plain in flagged:
            if plain in held:
                found.append(f"arm {arm.name!r}: the screen says that {one.name.split(' of ')[0]} {one.flag}")
    return tuple(found)


def screen_section(screen: Screen, arms: Sequence[Arm]) -> Section:
    """The order and the flags, as they stood before anything was trained with an arm."""
    rows = [
        [one.name, f"{one.affinity.mean * 100:+.1f}", f"{one.diversity.mean:+.3f}", one.flag or "–"]
        for one in screen.ranked
    ]
    names = ["transform", f"affinity, {screen.measure.unit}", "diversity", "what to look at"]
    told: list[Block | str] = [
        "One network that was trained without augmentation was asked about each transform. The order is a forecast of "
        "what a transform costs on clean images, the least first, and no measured effect; arms were trained whatever "
        "it says.",
        *([f"{screen.caution[0].upper()}{screen.caution[1:]}."] if screen.caution else []),
        Table("What the screen said of each transform", names, rows),
        *(f"{said[0].upper()}{said[1:]}." for said in arm_flags(screen, arms)),
    ]
    return Section("The screen before the arms", told)
