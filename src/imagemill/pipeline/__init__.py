"""Pipelines: the object users hold, and what is said of one without running it.

Here: checking what comes in, drawing, describing, linting, pipeline files. Not here: transforms, and running plans.
"""

from __future__ import annotations

from imagemill.core.findings import Finding
from imagemill.pipeline.describe import operations
from imagemill.pipeline.files import FORMAT
from imagemill.pipeline.files import read as read_pipeline_file
from imagemill.pipeline.named_pipelines import PipelineGiven, as_pipeline, named_pipeline, preset_names
from imagemill.pipeline.pipeline import Pipeline
from imagemill.pipeline.rehearsal import Given, given, judge

__all__ = [
    "FORMAT",
    "Finding",
    "Given",
    "Pipeline",
    "PipelineGiven",
    "as_pipeline",
    "given",
    "judge",
    "named_pipeline",
    "operations",
    "preset_names",
    "read_pipeline_file",
]
