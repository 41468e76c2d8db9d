"""Which part of a dataset a loader runs over, and what it says where nobody chose."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from imagemill.data.large_dataset import LargeDataset

__all__ = ["part_of_large", "part_order", "said_of_parts"]


def part_of_large(dataset: LargeDataset, split: str | None) -> tuple[LargeDataset, str]:
    """The files of one part, and what is to be said; see `dataset_rows.part_of`."""
    if split is None or split == "all":
        return dataset, ""
    if split != "auto":
        return dataset.subset(split), ""
    counts = dataset.counts()
    if len(counts) < 2 or "train" not in counts:
        return dataset, ""
    return dataset.subset("train"), said_of_parts(counts)


def said_of_parts(counts: Mapping[Any, int]) -> str:
    """That the training part of several was taken."""
    parts = ", ".join(f"{name or 'none'} {counts[name]:,}" for name in sorted(counts, key=part_order))
    said = f"the dataset has parts ({parts}) and the training part is taken; split='all' takes every row"
    return f"{said}, split='train' is the same without this warning"


def part_order(name: str | None) -> tuple[int, str]:
    """Training first, then validation and test, and what is in none at the end."""
    known = ("train", "val", "test")
    return (known.index(name) if name in known else len(known), name or "")
