"""From a dataset to the batches of a training loop, in any framework."""

from __future__ import annotations

from imagemill.feed.batch import LoadedBatch
from imagemill.feed.loader import Loader

__all__ = ["LoadedBatch", "Loader"]
