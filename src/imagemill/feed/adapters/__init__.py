"""Batches for each framework, every one of them imported only where it is asked for."""

from __future__ import annotations

from imagemill.feed.adapters.base import Adapters
from imagemill.feed.adapters.huggingface import hf_transform
from imagemill.feed.wrapping import augmented

__all__ = ["Adapters", "augmented", "hf_transform"]
