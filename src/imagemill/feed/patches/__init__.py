"""Patches of volumes: where they lie, a dataset of them, and predictions about them put together again."""

from __future__ import annotations

from imagemill.feed.patches.patch_dataset import PatchDataset
from imagemill.feed.patches.patch_grid import PatchGrid
from imagemill.feed.patches.patch_sampler import PatchSampler

__all__ = ["PatchDataset", "PatchGrid", "PatchSampler"]
