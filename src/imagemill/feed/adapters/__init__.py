"""Batches for each framework, every one of them imported only where it is asked for."""

from __future__ import annotations

from imagemill.feed.adapters.base import Adapters, hf_transform

__all__ = ["Adapters", "hf_transform"]
