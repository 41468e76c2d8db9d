"""What a verb's argument ``on`` says: threads, processes, or a cluster that another program runs."""

from __future__ import annotations

import socket
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from imagemill.core.errors import InputError
from imagemill.core.extras import require
from imagemill.data.layouts.base import Source
from imagemill.jobs.engines import Start, Threads

__all__ = ["check_apart", "engine_for", "seeing"]

_PATIENCE = 5.0


def engine_for(on: str | None) -> Start:
    """What runs shards, checked as far as it can be before any work is begun.

    Parameters
    ----------
    on : str or None
        ``"threads"`` (or None), ``"processes"``, ``"ray"`` for a cluster of this machine that is ended with the run,
        ``"ray://HOST:PORT"`` for one that is there, or ``"daft"`` for Daft's runner, whichever is set.

    Raises
    ------
    InputError
        When it is none of these, or nobody answers there.
    MissingExtra
        When Ray, or Daft, is not installed.

    Examples
    --------
    >>> engine_for(None).__name__
    'Threads'
    >>> engine_for("spark")
    Traceback (most recent call last):
    imagemill.core.errors.InputError: expected on as threads, processes, ray, ray://HOST:PORT or daft, got 'spark'; ...
    """
    if on is None or on == "threads":
        return Threads
    if on == "processes":
        from imagemill.jobs.process_engine import Processes

        return Processes
    if on == "ray" or (isinstance(on, str) and on.startswith("ray://")):
        require("ray", extra="ray")
        if on != "ray":
            _answers(on)
        from imagemill.jobs.ray.ray_engine import RayActors

        return partial(RayActors, address=on)
    if on == "daft":
        from imagemill.jobs.daft_engine import DaftQueries, the_daft

        the_daft()
        return partial(DaftQueries)
    raise InputError(
        f"expected on as threads, processes, ray, ray://HOST:PORT or daft, got {on!r}; choose one, or leave it out"
    )


def check_apart(on: str, at_once: object) -> None:
    """Refuse workers that share a process, for work that takes the random state or the threads of its own.

    Raises
    ------
    InputError
    """
    if on == "daft" or engine_for(on) is Threads:  # Daft as well works in threads of this process
        raise InputError(f"expected on as processes, ray or ray://HOST:PORT, got {on!r}; leave it out for this process")
    if isinstance(at_once, bool) or not isinstance(at_once, int) or at_once < 1:
        raise InputError(f"expected at_once as a whole number of at least 1, got {at_once!r}; give a larger one")


def seeing(start: Start, source: Source, *folders: Path) -> Start:
    """The same, with what every machine has to see: where a source's files are, and folders that are written to."""
    if not isinstance(start, partial):
        return start
    files = [record.image for record in source.records[:1] if isinstance(record.image, Path)]
    roots = [] if source.is_in_memory else [source.root]
    return partial(start, sees=(*roots, *files, *folders))


def _answers(address: str) -> None:
    """Refuse an address where nobody listens: Ray would try for minutes."""
    try:
        parts = urlsplit(address)
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
    if not host or not port:
        raise InputError(f"expected an address such as ray://10.0.0.5:10001, got {address!r}; give host and port")
    try:
        socket.create_connection((host, port), _PATIENCE).close()
    except OSError as error:
        do = "start it (ray start --head), open its port for clients, 10001, or correct the address"
        raise InputError(f"expected a Ray cluster at {address}, got {error}; {do}") from None
