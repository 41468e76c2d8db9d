"""The command that compiles kernels ahead of time."""

from __future__ import annotations

import numpy as np
from typer.testing import CliRunner

from imagemill.app.cli import app
from imagemill.app.warmup import jobs


def test_every_job_runs_alone_and_in_a_batch_and_all_kernels_are_then_there() -> None:
    first = CliRunner().invoke(app, ["warmup"])
    assert first.exit_code == 0, first.output
    again = CliRunner().invoke(app, ["warmup"])
    assert "nothing: all kernels were there" in again.output


def test_the_jobs_cover_presets_ranks_and_types() -> None:
    names = [name for name, _, _ in jobs()]
    assert len(names) == len(set(names))
    words = "photo crops gray segmentation scan elastic perspective RGB float32 int16 small"
    for word in words.split():
        assert any(word in name for name in names), word
    ranks = {np.ndim(inputs["image"]) - ("axes" not in inputs) for _, _, inputs in jobs()}
    assert ranks == {2, 3}
