"""A Ray cluster: one of this machine that lives as long as a run, one elsewhere, or the one that the program is in."""

from __future__ import annotations

import logging
import os
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from imagemill.core.errors import InputError
from imagemill.core.extras import require

__all__ = ["Cluster", "connected"]

_LONGEST = 18
"""Characters: systems take 107 for a socket, of which 66 are Ray's and 23 ours."""
_STORE_BYTES = 200 << 20
"""Memory for what is on its way between processes; shards are small and a few are in flight."""


class Cluster:
    """A connection, and what ends with it.

    Parameters
    ----------
    is_ours : bool
        Whether it was made here.
    folder : str or None
        Where a cluster of ours keeps its sockets and logs.
    """

    def __init__(self, *, is_ours: bool, folder: str | None = None) -> None:
        self._is_ours, self._folder = is_ours, folder

    def end(self, actor: Any) -> None:
        """End an actor; those of a cluster of ours end with it."""
        if not self._is_ours or self._folder is None:
            with suppress(Exception):  # it is gone, or the cluster is
                require("ray", extra="ray").kill(actor)

    def close(self) -> None:
        """End what was begun here, its processes and its folder."""
        if self._is_ours:
            with _quiet():
                require("ray", extra="ray").shutdown()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)


@contextmanager
def _quiet() -> Iterator[None]:
    """Ray warns of its own future, of sockets that it closes later, and that it locks up a cluster with a token."""
    told = logging.getLogger("ray._private.authentication")
    before = told.level
    told.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        told.setLevel(before)


def _short_folder() -> str | None:
    """Where the folder of a cluster is made: below /tmp where the user's own leaves no room for names of sockets."""
    given = tempfile.gettempdir()
    return "/tmp" if len(given) > _LONGEST and os.path.isdir("/tmp") else given


def connected(address: str, workers: int) -> Cluster:
    """Connect to a cluster, or make one.

    Raises
    ------
    InputError
        When that fails.
    """
    # Nobody is told that it was used: the data may not be ours to speak of.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    with _quiet():
        ray = require("ray", extra="ray")
        if ray.is_initialized():
            return Cluster(is_ours=False)
        how: dict[str, Any] = {"logging_level": logging.ERROR, "log_to_driver": False, "configure_logging": False}
        folder = None
        try:
            if address == "ray":
                folder = tempfile.mkdtemp(prefix="imagemill-ray-", dir=_short_folder())
                ray.init(
                    "local",
                    num_cpus=workers,
                    include_dashboard=False,
                    object_store_memory=_STORE_BYTES,
                    _temp_dir=folder,
                    **how,
                )
            else:
                ray.init(address, **how)
        except Exception as error:
            ray.shutdown()
            if folder is not None:
                shutil.rmtree(folder, ignore_errors=True)
            what = "a Ray cluster of this machine to start" if address == "ray" else f"a Ray cluster at {address}"
            do = "leave on out to run on this machine without one"
            if address != "ray":
                do = f"see that Ray and Python are the same there, or {do}"
            raise InputError(f"expected {what}, got {type(error).__name__}: {_first(error)}; {do}") from error
    return Cluster(is_ours=True, folder=folder)


def _first(error: Exception) -> str:
    """The first line of what Ray says; the others are in the cause."""
    return str(error).strip().partition("\n")[0].strip()
