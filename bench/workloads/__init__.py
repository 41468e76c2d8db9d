"""One file per row of the table: what is done, to what, by whom, and how each was set up to be fair."""

from __future__ import annotations

from importlib import import_module

from bench.harness import Workload

MODULES = ("photo", "geometry", "small", "volume_affine", "volume_elastic", "many_ops", "overhead")


def load() -> tuple[Workload, ...]:
    """All workloads, in the order of the report."""
    found: list[Workload] = []
    for name in MODULES:
        found.extend(import_module(f"bench.workloads.{name}").WORKLOADS)
    return tuple(found)
