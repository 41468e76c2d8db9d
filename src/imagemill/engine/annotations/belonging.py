"""What belongs together: box, mask and polygon of one object stay or go together, and boxes are fitted to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from imagemill.core.annotated.annotation_rows import known_rows
from imagemill.core.annotated.box_rules import BoxRules
from imagemill.core.errors import InputError
from imagemill.core.geometry import Floats
from imagemill.core.targets import ANNOTATIONS, Boxes, Instances, Polygons, RotatedBoxes

__all__ = ["Links", "links_of", "of_columns", "own_rules", "together"]

Numbers = npt.NDArray[np.int64]
Links = Sequence[Sequence[tuple[str, ...]]]
_OUTLINES = (Instances.kind, Polygons.kind, RotatedBoxes.kind)
"""What boxes are fitted to, the closest first."""


def own_rules(kind: str, rules: BoxRules) -> BoxRules:
    """The rules by which a target of a kind is judged by itself: boxes that are fitted later, not yet."""
    if rules.tight and kind == Boxes.kind:
        return replace(rules, min_area=0, min_visibility=0, keep_empty=True)
    return rules


def together(
    given: Mapping[str, Any], moved: Mapping[str, Any], rules: BoxRules, shape: tuple[int, ...]
) -> dict[str, Any]:
    """The annotations of one sample, each with its parts.

    Parameters
    ----------
    given, moved : mapping of str to Boxes, RotatedBoxes, Polygons or Instances
        Before and after the geometry.
    rules : BoxRules
    shape : tuple of int
        Of the frame that comes out.

    Returns
    -------
    dict
        Without what has no part left under one of the names that it has a part under.

    Raises
    ------
    InputError
        When there are as many masks as there are boxes not, or nothing to fit boxes to.
    """
    made = dict(moved)
    for group in _groups(given):
        if rules.tight:
            for name in [name for name in group if made[name].kind == Boxes.kind and len(given[name])]:
                made[name] = _fitted(name, group, given, made, rules, shape)
        left = {name: _left(ids, given[name], made[name]) for name, ids in group.items()}
        gone = [np.setdiff1d(ids, left[name][_there(made[name])]) for name, ids in group.items()]
        for name, ids in left.items():
            lost = np.isin(ids, np.concatenate(gone)) if len(group) > 1 else np.zeros(len(ids), bool)
            if lost.any():
                made[name] = made[name].emptied(lost) if rules.keep_empty else made[name].only(np.flatnonzero(~lost))
    return made


def _groups(given: Mapping[str, Any]) -> list[dict[str, Numbers]]:
    """Which columns have rows in common, and what the rows of each are known by there.

    Those that say an index are known by it. Of the others, those belong to boxes that have as many rows as they do, but
    for open lines. Masks are of boxes, whether those say an index or not.
    """
    said = {name: np.asarray(target.index) for name, target in given.items() if target.index is not None}
    boxes = [name for name, target in given.items() if target.kind == Boxes.kind]
    groups = [said] if said else []
    for name, target in given.items():
        if name in said or name in boxes:
            continue
        masks = target.kind == Instances.kind
        same = [own for own in boxes if len(given[own]) == len(target) and (masks or own not in said)]
        if masks and boxes and not same:
            raise InputError(
                f"expected as many {name} as boxes, {len(given[boxes[0]])}, got {len(target)}; give one mask for each "
                "box in the same order, empty where there is none, or say index= of both"
            )
        if not same or getattr(target, "closed", True) is False:
            continue
        own = same[0]
        group = said if own in said else next((one for one in groups if own in one), None)
        if group is None:
            group = {own: np.arange(len(given[own]))}
            groups.append(group)
        group[name] = group[own]
    alone = [name for name in boxes if not any(name in group for group in groups)]
    return [*groups, *({name: np.arange(len(given[name]))} for name in alone)]


def _left(ids: Numbers, given: Any, moved: Any) -> Numbers:
    """What the rows that are left are known by in their group, where those given are known by ``ids``."""
    places = {number: place for place, number in enumerate(known_rows(given).tolist())}
    return np.array([ids[places[number]] for number in known_rows(moved).tolist()], np.int64)


def _there(moved: Any) -> npt.NDArray[np.bool_]:
    """Which rows are more than kept for the sake of others."""
    return np.ones(len(moved), bool) if moved.visibility is None else np.asarray(moved.visibility) > 0


def _fitted(
    name: str,
    group: Mapping[str, Numbers],
    given: Mapping[str, Any],
    made: Mapping[str, Any],
    rules: BoxRules,
    shape: tuple[int, ...],
) -> Boxes:
    """Boxes around what is left of each object, of those of which enough is."""
    others = sorted((n for n in group if made[n].kind in _OUTLINES), key=lambda n: _OUTLINES.index(made[n].kind))
    if not others:
        raise InputError(
            "expected something to fit the boxes to (BoxRules(tight=True)), got boxes alone; pass instances=, "
            "polygons= or rotated_boxes= with a row for each box, or the same index"
        )
    around: dict[int, tuple[Floats, float]] = {}
    for other in reversed(others):
        target = made[other]
        around |= dict.fromkeys(group[other].tolist(), (np.full(2 * len(shape), np.nan), 0.0))
        shares = np.where(_there(target), 1.0 if target.visibility is None else target.visibility, 0.0)
        found = zip(_edges(target, shape, clip=rules.clip), shares.tolist(), strict=True)
        around |= dict(zip(_left(group[other], given[other], target).tolist(), found, strict=True))
    boxes: Boxes = made[name]
    own = zip(boxes.edges(shape), _there(boxes) * np.asarray(boxes.visibility), strict=True)
    numbers = _left(group[name], given[name], boxes).tolist()
    rows = [around.get(number, one) for number, one in zip(numbers, own, strict=True)]
    edges, share = np.array([edge for edge, _ in rows]), np.array([part for _, part in rows])
    d = len(shape)
    keep = rules.keep(np.nan_to_num((edges[:, d:] - edges[:, :d]).prod(axis=1)), share)
    fitted = boxes.refitted(np.where(keep[:, None], edges, boxes.edges(shape)), shape, share)
    return fitted.emptied(~keep) if rules.keep_empty else fitted.only(np.flatnonzero(keep))


def of_columns(
    given: Mapping[str, Sequence[Any]],
    made: dict[str, Any],
    rules: BoxRules,
    shapes: npt.NDArray[np.int64],
    links: Links | None = None,
) -> None:
    """What belongs together in each sample of a batch, put into the columns that were made of those given.

    ``links`` says what did when the samples came, where those given have been changed since.
    """
    names = [name for name, column in given.items() if column[0].kind in ANNOTATIONS]
    if not names or (len(names) == 1 and not rules.tight):
        return
    for row, shape in enumerate(shapes.tolist()):
        for linked in [names] if links is None else links[row]:
            before = {name: given[name][row] for name in linked}
            found = together(before, {name: made[name][row] for name in linked}, rules, tuple(shape))
            for name in linked:
                made[name][row] = found[name]


def links_of(given: Mapping[str, Sequence[Any]]) -> Links:
    """For each sample of a batch the names of annotations whose rows belong together."""
    names = [name for name, column in given.items() if column[0].kind in ANNOTATIONS]
    count = len(given[names[0]]) if names else 0
    return [[tuple(group) for group in _groups({name: given[name][row] for name in names})] for row in range(count)]


def _edges(target: Any, shape: tuple[int, ...], *, clip: bool) -> Floats:
    """The boxes around the parts of a target, ``(k, 2d)`` in index coordinates."""
    bounds = target.bounds - 0.5
    edges: Floats = bounds if target.kind == Instances.kind else bounds[:, [1, 0, 3, 2]]
    if clip:
        edges = np.clip(edges, -0.5, np.tile(np.array(shape) - 0.5, 2))
    return edges
