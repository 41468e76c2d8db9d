"""What every test shares: where real data lies, how hypothesis searches, how many threads a test may use."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

# One thread a library, set before any of them starts its pool: tests already run in several processes, and
# pools on top of those make timings wander. (OPENCV_FOR_THREADS_NUM is the name OpenCV reads.)
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OPENCV_FOR_THREADS_NUM"):
    os.environ.setdefault(_name, "1")
os.environ.setdefault("MPLBACKEND", "Agg")  # no test opens a window
os.environ.setdefault("IMAGEMILL_QUIET", "1")  # what is on stderr does not depend on which kernels are compiled yet

# Time limits say more about the machine than about the code, and compiled kernels are slow once.
_common = settings(deadline=None, max_examples=50, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("search", _common, print_blob=True)
# In continuous integration the same examples every time: a red run must be the change's own doing.
settings.register_profile("repeat", _common, derandomize=True, max_examples=25)
settings.load_profile("repeat" if os.environ.get("CI") else "search")


@pytest.fixture(scope="session")
def data_root() -> Path:
    """The folder with the real data sets, named by the environment variable IMAGEMILL_DATA."""
    named = os.environ.get("IMAGEMILL_DATA")
    if not named:
        pytest.skip("set IMAGEMILL_DATA to the folder with the real data sets")
    root = Path(named)
    # A wrong path is a mistake to see, not a reason to skip.
    assert root.is_dir(), f"expected IMAGEMILL_DATA to name a folder, got {named!r}; correct or unset it"
    return root


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """For how many samples pipelines drew, each time."""
    import imagemill as im

    counts: list[int] = []
    plan = im.Pipeline.plan

    def counting(self: im.Pipeline, draft: Any) -> Any:
        counts.append(draft.frames[0].n)
        return plan(self, draft)

    monkeypatch.setattr(im.Pipeline, "plan", counting)
    return counts
