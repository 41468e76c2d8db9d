"""What the members of a WebDataset sample are, by what stands behind the first dot of their names."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

from imagemill.data.codecs.registry import is_readable_name
from imagemill.data.records.record import split_suffix

__all__ = ["MemberKind", "member_kind", "parts_of_sample", "says_more"]

_MASKS = frozenset(("mask", "masks", "seg", "segs", "segmentation"))
_LABELS = ("cls", "label", "lbl", "class")
_TEXTS = ("txt", "text", "caption")
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class MemberKind:
    """What a member is.

    Parameters
    ----------
    kind : str
        ``"image"``, ``"mask"``, ``"label"``, ``"json"``, ``"text"``, or the suffix of anything else.
    middle : str
        What stands in front of that: ``"left"`` of ``left.jpg``.
    """

    kind: str
    middle: str


def member_kind(extension: str) -> MemberKind:
    """Read what stands behind the first dot.

    Examples
    --------
    >>> member_kind("jpg").kind, member_kind("v2.seg.png"), member_kind("cls.txt").kind, member_kind("left.jpg").middle
    ('image', MemberKind(kind='mask', middle='v2'), 'label', 'left')
    """
    if is_readable_name(f"a.{extension}"):
        before = f"a.{extension}"[: -len(split_suffix(f"a.{extension}")[1])][2:]
        head, _, last = before.rpartition(".")
        return MemberKind("mask", head) if last in _MASKS else MemberKind("image", before)
    words = extension.split(".")
    if words[-1] == "txt" and words[-2:-1] and words[-2] in _LABELS:
        return MemberKind("label", ".".join(words[:-2]))
    kind = next((kind for kind, names in (("label", _LABELS), ("text", _TEXTS)) if words[-1] in names), words[-1])
    return MemberKind(kind, ".".join(words[:-1]))


def says_more(extensions: Iterable[str]) -> bool:
    """Whether something belongs to a picture of a sample.

    Examples
    --------
    >>> says_more(["jpg", "cls"]), says_more(["jpg"]), says_more(["txt"])
    (True, False, False)
    """
    kinds = {member_kind(extension).kind for extension in extensions}
    return "image" in kinds and bool(kinds & {"label", "json", "text", "mask"})


def parts_of_sample(sample: dict[str, _T]) -> list[dict[str, _T]]:
    """A sample whose pictures have different words behind the first dot, as one for each of them.

    Examples
    --------
    >>> parts_of_sample({"left.jpg": 1, "right.jpg": 2, "cls": 3})
    [{'left.jpg': 1, 'cls': 3}, {'right.jpg': 2, 'cls': 3}]
    """
    middles = [said.middle for extension in sample if (said := member_kind(extension)).kind == "image"]
    if len(middles) < 2 or "" in middles or len(set(middles)) < len(middles):
        return [sample]
    shared = {e: member for e, member in sample.items() if member_kind(e).middle == ""}
    return [{e: m for e, m in sample.items() if member_kind(e).middle == middle} | shared for middle in middles]
