"""Which kind of label map is taken where images have several: one is chosen, or the user is asked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from imagemill.core.errors import SourceError
from imagemill.data.layouts.base import Problem
from imagemill.data.layouts.guess.folder_words import words_of
from imagemill.data.layouts.labelmaps.mask_names import tokens
from imagemill.data.layouts.labelmaps.pair_by_name import Kind, Pairs
from imagemill.data.layouts.labelmaps.pixel_evidence import Shown
from imagemill.data.records.record import split_suffix

__all__ = ["ToldApart", "choose", "files_of", "first_of"]

_RANKS = (
    ("labelids", 8), ("manual", 6), ("class", 5), ("semantic", 5), ("labeltrainids", 4), ("trainids", 4),
    ("labels", 3), ("label", 3), ("instanceids", 1), ("instances", 1), ("instance", 1), ("object", 1), ("panoptic", 1),
    ("color", -1), ("colour", -1), ("rgb", -1), ("viz", -2), ("vis", -2), ("overlay", -2), ("preview", -2),
)  # fmt: skip
"""Which kind of label map is taken where an image has several: class numbers before instances before pictures."""


@dataclass(slots=True)
class ToldApart:
    """What is known while label maps are told from images."""

    path_of: dict[str, Path]
    pairs: Pairs
    shown: dict[Kind, Shown]
    images: list[str]
    loose: list[str]
    notes: list[str]
    problems: list[Problem]

    def keys_of(self, kind: Kind) -> list[str]:
        return [key for kinds in self.pairs.found.values() for key in kinds.get(kind, ())]

    def drop(self, kind: Kind) -> list[str]:
        """Take a kind for images after all."""
        keys = sorted(set(self.keys_of(kind)))
        for kinds in self.pairs.found.values():
            kinds.pop(kind, None)
        self.images += keys
        return keys


def choose(state: ToldApart, wanted: str | None) -> tuple[set[Kind], str]:
    """The kinds that are taken, and what to say where the user has to choose."""
    found = state.pairs.found
    kinds = state.pairs.kinds()
    if wanted is not None:
        words = [word.strip() for word in wanted.split(",")]
        chosen = {kind for kind in kinds if any(map(kind.is_called, words))}
        if not chosen or not all(any(kind.is_called(word) for kind in kinds) for word in words):
            there = ", ".join(map(str, sorted(kinds))) or "none that fits an image"
            raise SourceError(f"expected label maps called {wanted!r}, got {there}; choose one of these")
        _say_left_out(state, kinds, chosen)
        return chosen, ""
    clashes = [kinds_of for kinds_of in found.values() if len(kinds_of) > 1]
    if 2 * len(clashes) <= len(found):
        return set(kinds), ""
    met = {kind for kinds_of in clashes for kind in kinds_of}
    best = max(map(_rank, met))
    chosen = {kind for kind in met if _rank(kind) == best}
    if any(len(chosen & set(kinds_of)) > 1 for kinds_of in clashes):
        names = [kind.folder or kind.affix for kind in sorted(chosen)]
        names = [str(kind) for kind in sorted(chosen)] if len(set(names)) < len(names) else names
        word = names[0] if "*" not in names[0] else sorted(chosen)[0].affix
        return set(), (
            f"expected one kind of label maps for each image, got {', '.join(names)}; choose one by "
            f"extra={{'masks': {word!r}}}, or several with commas, which become one"
        )
    chosen |= {kind for kind in kinds if kind not in met}
    _say_left_out(state, kinds, chosen)
    return chosen, ""


def _say_left_out(state: ToldApart, kinds: Counter[Kind], chosen: set[Kind]) -> None:
    left = sorted(kind for kind in kinds if kind not in chosen)
    if left:
        named = ", ".join(f"{kind} ({kinds[kind]})" for kind in left[:5])
        word = next(word for word in _words(left[0]) if sum(kind.is_called(word) for kind in kinds) == 1)
        taken = ", ".join(map(str, sorted(chosen)))
        state.notes.append(f"label maps {taken} taken, {named} left out; --option masks={word} takes those")


def _words(kind: Kind) -> list[str]:
    """What a kind may be called, the shortest first; the last is nobody else's."""
    short = (kind.affix.rpartition("_")[2], kind.affix, kind.folder.rpartition("/")[2], kind.folder)
    return [*(word for word in short if word), str(kind)]


def _rank(kind: Kind) -> float:
    """How likely a kind is the one to learn from."""
    ranks = dict(_RANKS)
    found = [ranks[word] for word in kind.affix.casefold().split("_") if word in ranks]
    words = [*words_of(kind.folder), kind.folder.casefold()]
    found = found or [ranks[word] for word in words if word in ranks]
    lesser = any(word in ("coarse", "gtcoarse", "2nd", "nd") for word in (*words, *kind.affix.casefold().split("_")))
    return min(found, default=2) - 0.5 * lesser


def files_of(state: ToldApart, chosen: set[Kind], *, together: bool = False) -> tuple[dict[str, tuple[Path, ...]], int]:
    """The label maps of each image, and how many images have several that make one.

    Several kinds make one only where the user says so (`together`).
    """
    found: dict[str, tuple[Path, ...]] = {}
    several = 0
    for key, kinds in state.pairs.found.items():
        taken = [(kind, masks) for kind, masks in kinds.items() if kind in chosen]
        if len(taken) == 1 and len(taken[0][1]) == 1:
            found[key] = (state.path_of[taken[0][1][0]],)
            continue
        keys = sorted((mask for _, masks in taken for mask in masks), key=lambda mask: (_by_number(mask), mask))
        stems = {mask.removesuffix(split_suffix(mask)[1]) for mask in keys}
        if (len(taken) > 1 and not together) or len(stems) < len(keys):
            names = " and ".join(keys[:2])
            state.problems.append(
                Problem(key, f"expected one mask for {key}, got {names}; remove or rename all but one")
            )
        elif keys:
            found[key] = tuple(state.path_of[mask] for mask in keys)
            several += len(keys) > 1
    return found, several


def _by_number(key: str) -> list[tuple[int, int, str]]:
    """Order in which people count: 2 before 10, and a name without a number before one with."""
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in tokens(split_suffix(key)[0])]


def first_of(keys: Sequence[str]) -> str:
    """The first of some keys, and how many more there are, for a message."""
    return ", ".join(keys[:3]) + (f" and {len(keys) - 3} more" if len(keys) > 3 else "")
