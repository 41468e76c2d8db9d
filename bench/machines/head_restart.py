"""The head of a Ray cluster is lost at half of the work: what the call says, and that the same call goes on afterwards.

``python -m bench.machines.head_restart SOURCE [SIZE]``. The head is a node of this machine and is ended by SIGKILL with
all that runs on it; then another one is started, and the same call made again.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.machines.same_bytes import digest

_LONGEST = 300.0


def work(source: str, size: int, out: str, address: str) -> None:
    """What the driver does, in a process of its own."""
    import ray

    import imagemill as im

    ray.init(address=address, log_to_driver=False)
    started = time.perf_counter()
    try:
        report = im.prepare(source, out, size=size, seed=1, workers=2, on="ray")
    except im.ImagemillError as error:
        print(f"{type(error).__name__} after {time.perf_counter() - started:.0f} s: {str(error)[:200]}")
        return
    print(f"made {report.made}, not made again {report.reused}")


def main() -> None:
    """Print what became of it."""
    from ray.cluster_utils import Cluster

    source, size = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 64
    if len(sys.argv) > 4:
        work(source, size, sys.argv[3], sys.argv[4])
        return
    import imagemill as im

    with tempfile.TemporaryDirectory() as root:
        im.prepare(source, Path(root, "here"), size=size, seed=1)
        out, total = Path(root, "there"), len(im.open(Path(root, "here")))
        for is_lost in (True, False):
            cluster: Any = Cluster(initialize_head=True, head_node_args={"num_cpus": 2, "include_dashboard": False})
            asked = [sys.executable, "-m", "bench.machines.head_restart", source, str(size), str(out), cluster.address]
            driver = subprocess.Popen(asked, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            lines = out / ".work" / "made.jsonl"
            while is_lost and driver.poll() is None:
                if lines.exists() and lines.read_bytes().count(b"\n") >= total // 2:
                    cluster.remove_node(cluster.head_node, allow_graceful=False)
                    break
                time.sleep(0.02)
            since = time.perf_counter()
            said, errors = driver.communicate(timeout=_LONGEST)
            took = time.perf_counter() - since
            told = [line for line in said.splitlines() if line.startswith(("made ", "WorkerError"))]
            told = told or [line[:200] for line in errors.splitlines() if "Error" in line or "GCS" in line][-1:]
            print(f"{'head lost' if is_lost else 'made again'}: status {driver.returncode}, {took:.0f} s, {told}")
            cluster.shutdown()
        print("one digest" if digest(out) == digest(Path(root, "here")) else "THEY DIFFER")


if __name__ == "__main__":
    main()
