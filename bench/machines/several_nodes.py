"""A machine of a Ray cluster is lost at half of the work: the store is the same, and the report says so.

``python -m bench.machines.several_nodes SOURCE [SIZE]``. Three machines are played by three Ray nodes of this one: a
head without cores, and two with one core each, of which one is ended by SIGKILL.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

from bench.machines.same_bytes import digest


def main() -> None:
    """Print what became of it."""
    import ray
    from ray.cluster_utils import Cluster

    import imagemill as im
    from imagemill.jobs.runner import _Run

    source, size = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 64
    with tempfile.TemporaryDirectory() as root:
        im.prepare(source, Path(root, "here"), size=size, seed=1)
        cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
        cluster.add_node(num_cpus=1)
        lost = cluster.add_node(num_cpus=1)
        ray.init(address=cluster.address, log_to_driver=False)
        plain, rows = _Run._note, [0]

        def note(self: Any, outcomes: Any) -> None:
            nonlocal lost
            plain(self, outcomes)
            rows[0] += sum(len(one.rows) for one in outcomes)
            if rows[0] >= 150 and lost is not None:
                cluster.remove_node(lost, allow_graceful=False)
                lost = None

        _Run._note = note  # type: ignore[method-assign]
        report = im.prepare(source, Path(root, "there"), size=size, seed=1, workers=2, on="ray")
        same = digest(Path(root, "there")) == digest(Path(root, "here"))
        print("one digest" if same else "THEY DIFFER", report.made, [one for one in report.notes if "lost" in one])
        ray.shutdown()
        cluster.shutdown()


if __name__ == "__main__":
    main()
