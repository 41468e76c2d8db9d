"""The same bytes come from the same code: machines are asked what they have before any of them works."""

from __future__ import annotations

import hashlib
import os
import pickle
import platform
import secrets
import sys
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

from imagemill.core.errors import InputError, SourceError
from imagemill.core.extras import require

__all__ = ["refuse_others", "versions"]

_DECIDE = (
    *("numpy", "scipy", "opencv-python-headless", "numba", "llvmlite", "pillow", "simplejpeg", "pyarrow", "polars"),
    *("imagecodecs", "tifffile", "nibabel", "pydicom", "pi-heif", "h5py"),
)
"""Packages that pixels, or the bytes of files, go through."""
_PATIENCE = 120.0


def versions() -> dict[str, str]:
    """What decides the bytes here: Python, imagemill to the letter, and the packages that pixels go through.

    Examples
    --------
    >>> "numpy" in versions() and "imagemill" in versions()
    True
    """
    found = {"python": platform.python_version(), "byte order": sys.byteorder}
    root = Path(__file__).parents[2]
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    found["imagemill"] = digest.hexdigest()[:12]
    for name in _DECIDE:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "none"
    return found


def _seen(given: bytes) -> tuple[dict[str, str], list[str]]:
    """Asked of a machine: its versions, and which of some paths it does not see, and why."""
    paths: list[tuple[Path, int | None]] = pickle.loads(given)
    missing = []
    for path, size in paths:
        try:
            if not path.exists():
                missing.append(f"{path}: nothing is there")
            elif size is not None and path.is_file() and path.stat().st_size != size:
                missing.append(f"{path}: another file is there")
        except Exception as error:  # no credentials, no package for the protocol, no network
            missing.append(f"{path}: {error}")
    return versions(), missing


def refuse_others(sees: Sequence[Path]) -> None:
    """Refuse a cluster with a machine that has other versions, or does not see a path.

    Raises
    ------
    InputError
        Naming what differs and where.
    SourceError
        Naming what is not seen.
    """
    ray = require("ray", extra="ray")
    to_node = require("ray.util.scheduling_strategies", extra="ray").NodeAffinitySchedulingStrategy
    nodes = [node for node in ray.nodes() if node["Alive"] and node["Resources"].get("CPU")]
    if not nodes:
        raise InputError("expected a Ray cluster with a machine that works, got none; start one (ray start --address)")
    marks = [mark for path in sees if (mark := _mark(path)) is not None]
    try:
        asked = [(path, path.stat().st_size if path.is_file() else None) for path in (*sees, *marks) if path.exists()]
        ask = ray.remote(num_cpus=0, max_retries=1)(_seen)
        on = [to_node(node["NodeID"], soft=False) for node in nodes]
        given = pickle.dumps(asked)
        try:
            found = ray.get([ask.options(scheduling_strategy=one).remote(given) for one in on], timeout=_PATIENCE)
        except Exception as error:
            do = "install the same imagemill on every machine, with the extras that its formats ask for"
            got = getattr(error, "cause", None) or f"{type(error).__name__}: {error}"
            raise InputError(f"expected machines that can run imagemill, got {got}; {do}") from error
    finally:
        for mark in marks:
            mark.unlink(missing_ok=True)
    here = versions()
    for node, (there, missing) in zip(nodes, found, strict=True):
        _compare(here, there, node["NodeManagerAddress"])
        if missing:
            do = "use a folder that all machines have, or an address such as s3://, with credentials on each"
            raise SourceError(f"expected paths that {node['NodeManagerAddress']} sees, got {missing[0]}; {do}")


def _mark(folder: Path) -> Path | None:
    """A file in a folder that is written to: a folder of the same name elsewhere is not the same folder."""
    if type(folder) is not type(Path()) or not folder.is_dir() or not os.access(folder, os.W_OK):
        return None
    mark = folder / f".imagemill-{secrets.token_hex(6)}.part"
    mark.touch()
    return mark


def _compare(here: Mapping[str, Any], there: Mapping[str, Any], where: str) -> None:
    other = [f"{name} {there.get(name)} there and {here[name]} here" for name in here if there.get(name) != here[name]]
    if other:
        do = "install the same on every machine: other versions make other bytes"
        raise InputError(f"expected the versions of this machine on {where}, got {', '.join(other)}; {do}")
