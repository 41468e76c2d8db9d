"""Pipelines: the object users hold, and what is said of one without running it.

Here: checking what comes in, drawing, describing, linting, pipeline files. Not here: transforms, and running plans.
"""

from __future__ import annotations

from imagemill.pipeline.pipeline import Pipeline

__all__ = ["Pipeline"]
