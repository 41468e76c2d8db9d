"""A Ray cluster of this machine for tests; where Ray itself cannot start one, they are skipped with what it says."""

from __future__ import annotations

import subprocess
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from imagemill.core.errors import InputError

__all__ = ["a_cluster"]

_BARE = "import ray; ray.init('local', num_cpus=1, include_dashboard=False, log_to_driver=False); ray.shutdown()"


@contextmanager
def a_cluster(workers: int) -> Iterator[None]:
    """One with so many cores, ended with the block.

    Containers without shared memory, or that let nobody listen, have no Ray. That is no fault of ours, but only if Ray
    fails without us as well.
    """
    from imagemill.jobs.ray.cluster import connected

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Ray's own, of what it will change
        try:
            made = connected("ray", workers)
        except InputError:
            bare = subprocess.run([sys.executable, "-c", _BARE], capture_output=True, text=True, timeout=300)
            if bare.returncode == 0:
                raise
            pytest.skip(f"Ray cannot start here: {bare.stderr.strip()[-200:]}")
        try:
            yield
        finally:
            made.close()
