"""What a batch needs where its pipeline mixes samples: whole groups of the epoch, and labels that can be weighted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from imagemill.core.errors import InputError
from imagemill.core.sample import Batch, DrawLog
from imagemill.core.targets import Label
from imagemill.pipeline.pipeline import Pipeline
from imagemill.transforms.base import everyone
from imagemill.transforms.per_class import PerClass

__all__ = ["asks_pairs", "chosen_by", "mixable_labels", "refuse_mixing", "stacked_labels", "taken", "whole_groups"]

Numbers = npt.NDArray[np.int64]


def whole_groups(places: Numbers, size: int, n: int) -> Numbers:
    """The places of all groups of an epoch of ``n`` that some places belong to, in order.

    Examples
    --------
    >>> whole_groups(np.array([3, 4]), 2, 5).tolist()
    [2, 3, 4]
    """
    first = np.unique(places // size) * size
    found = (first[:, None] + np.arange(size)).reshape(-1)
    return np.asarray(found[found < n], np.int64)


def refuse_mixing(pipelines: Mapping[str, Pipeline]) -> None:
    """Refuse pipelines of single classes that mix: partners may be of any class.

    Raises
    ------
    InputError
    """
    for name, pipeline in pipelines.items():
        if pipeline.group > 1:
            raise InputError(
                f"expected pipelines of classes without what mixes samples, got one for {name!r}; write one pipeline "
                "with PerClass({...}) for what differs, and what mixes behind it"
            )


def mixable_labels(labels: npt.NDArray[Any], classes: Sequence[str], pipeline: Pipeline) -> list[Label]:
    """Labels of a dataset as a pipeline mixes them: shares of classes, or as they are where both are wanted.

    Parameters
    ----------
    labels : array ``[n]`` or ``[n, classes]``
    classes : sequence of str
        Names in the order of their numbers; none where nobody knows.
    pipeline : Pipeline

    Raises
    ------
    InputError
        When a row has no label.
    """
    if labels.ndim == 1 and labels.dtype.kind in "iu":
        if (labels < 0).any():
            raise InputError(
                "expected a label for every row of a pipeline that mixes them, got a row without; leave such rows out: "
                "dataset.filter(pl.col('label').is_not_null())"
            )
        if classes and not asks_pairs(pipeline):
            return [Label(one) for one in np.eye(len(classes), dtype=np.float32)[labels]]
    return [Label(one) for one in labels]


def asks_pairs(pipeline: Pipeline) -> bool:
    """Whether labels come out as pairs with a weight, not as shares of classes."""
    return any(
        one.traits().group > 1 and getattr(one, "labels", "") == "pairs" for one in everyone(pipeline.transforms)
    )


def chosen_by(labels: npt.NDArray[Any] | None, classes: Sequence[str], pipeline: Pipeline) -> list[Any] | None:
    """What `PerClass` chooses by: names of classes where there are any, else their numbers; None for a row without.

    Raises
    ------
    InputError
        When it lists a class that the dataset does not have: what is written for it would never run.
    """
    if labels is None or labels.ndim != 1:
        return None
    if not classes:
        return list(labels.tolist())
    for one in everyone(pipeline.transforms):
        if isinstance(one, PerClass) and (strange := sorted({*one.transforms} - {*classes})):
            raise InputError(
                f"expected PerClass to list classes of the dataset, {', '.join(classes[:20])}, got "
                f"{', '.join(map(repr, strange))}; call them as the dataset does, or take them out"
            )
    return [classes[label] if label >= 0 else None for label in labels.tolist()]


def stacked_labels(columns: Mapping[str, Any]) -> dict[str, Any]:
    """Columns with mixed labels as arrays; pairs as ``label``, ``label_partner`` and ``label_weight``."""
    found = dict(columns)
    for name in ("label", "weight"):
        column = found.get(name)
        if not isinstance(column, list):
            continue
        if column and isinstance(column[0], tuple):
            own, partner, weight = zip(*column, strict=True)
            found[name], found[f"{name}_partner"] = np.array(own), np.array(partner)
            found[f"{name}_weight"] = np.array(weight, np.float32)
        else:
            found[name] = np.stack([np.asarray(value) for value in column])
    return found


def taken(batch: Batch, rows: Numbers) -> Batch:
    """Some rows of a batch."""
    columns = {
        name: column[rows] if isinstance(column, np.ndarray) else [column[row] for row in rows.tolist()]
        for name, column in batch.columns.items()
    }
    drawings = tuple(
        replace(d, where=d.where[rows], values={name: values[rows] for name, values in d.values.items()})
        for d in batch.applied.drawings
    )
    recipe = tuple(batch.recipe[row] for row in rows.tolist()) if len(batch.recipe) else ()
    geometry = None if batch.geometry is None else tuple(batch.geometry[row] for row in rows.tolist())
    return Batch(columns, recipe, DrawLog(drawings), batch.affine[rows], geometry=geometry)
