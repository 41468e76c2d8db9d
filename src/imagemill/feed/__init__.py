"""From a dataset to the batches of a training loop, in any framework."""

from __future__ import annotations

from imagemill.feed.batch import LoadedBatch
from imagemill.feed.loader import Loader
from imagemill.feed.meter import worth
from imagemill.feed.timing import FeedTiming, time_feed

__all__ = ["FeedTiming", "LoadedBatch", "Loader", "time_feed", "worth"]
