"""One digest of a store and of augmented files for every way to run, stopped and continued at half too.

``python -m bench.machines.same_bytes SOURCE [--images N]``. Each way runs in a process of its own; the driver is killed
by SIGKILL when half of the rows are noted, and run again; a worker of Ray is killed in the same way.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

WAYS = {
    "one process": (None, 1),
    "2 threads": ("threads", 2),
    "2 processes": ("processes", 2),
    "ray, 1 actor": ("ray", 1),
    "ray, 2 actors": ("ray", 2),
    "ray, 4 actors": ("ray", 4),
}


def digest(folder: Path) -> str:
    """Of names and bytes of all files."""
    found = hashlib.sha256()
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        found.update(path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes())
    return found.hexdigest()[:16]


def work(source: str, images: int, out: str, on: str | None, workers: int, kill: str) -> None:
    """What one process does: a store and augmented files."""
    import imagemill as im
    from imagemill.jobs.runner import _Run
    from imagemill.verbs.prepare import build

    build._SHARD_RECORDS = 8  # so that half is not all; the bytes do not depend on it
    found = im.open(source).subset(images, seed=1).to_source()
    noted, plain = {"rows": 0}, _Run._note

    def note(self: Any, outcomes: Any) -> None:
        plain(self, outcomes)
        noted["rows"] += sum(len(one.rows) for one in outcomes)
        if kill == "driver" and noted["rows"] >= images // 2 and not Path(out, "killed").exists():
            Path(out, "killed").touch()
            os.kill(os.getpid(), signal.SIGKILL)
        if kill == "worker" and noted["rows"] >= images // 2 and not noted.get("shot"):
            noted["shot"] = shoot()

    _Run._note = note  # type: ignore[method-assign]
    store = im.prepare(found, Path(out, "store"), size=64, seed=1, workers=workers, on=on)
    noted.update(rows=0, shot=0)
    pipe = im.Pipeline([im.RandomResizedCrop(64), im.Flip("x", p=0.5), im.Contrast(0.3)], seed=7)
    files = im.augment(found, Path(out, "files"), pipe, copies=2, workers=workers, on=on)
    said = [note for note in (*store.notes, *files.notes) if "lost" in note]
    made = {"store": digest(Path(out, "store")), "files": digest(Path(out, "files"))}
    print(json.dumps({**made, "reused": [store.reused, files.present], "said": said}))


def shoot() -> int:
    """Kill one of this process's Ray workers that are at work."""
    mine = str(os.getpid())
    shown = subprocess.run(["ps", "-eo", "pid,args"], capture_output=True, text=True, check=True).stdout
    folder = next((w for w in shown.split() if "imagemill-ray-" in w), "")
    for line in shown.splitlines():
        pid, _, args = line.strip().partition(" ")
        if "ray::Worker" in args and pid != mine and folder:
            os.kill(int(pid), signal.SIGKILL)
            return int(pid)
    return 0


def run(source: str, images: int, on: str | None, workers: int, kill: str = "") -> dict[str, Any]:
    """One way, continued where it was killed."""
    with tempfile.TemporaryDirectory() as out:
        asked = [sys.executable, "-W", "error", "-m", "bench.machines.same_bytes", source, "--images", str(images)]
        asked += ["--out", out, "--on", on or "", "--workers", str(workers), "--kill", kill]
        started, ended = time.perf_counter(), 1
        for _ in range(2):
            done = subprocess.run(asked, capture_output=True, text=True, check=False)
            ended = done.returncode
            if ended != -signal.SIGKILL:
                break
        if ended:
            return {"error": done.stderr[-800:]}
        return {**json.loads(done.stdout.splitlines()[-1]), "seconds": round(time.perf_counter() - started, 1)}


def main() -> None:
    """Print a row for each way."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("source")
    asked.add_argument("--images", type=int, default=200)
    for name in ("out", "on", "kill"):
        asked.add_argument(f"--{name}", default="")
    asked.add_argument("--workers", type=int, default=1)
    asked.add_argument("--only", default="", help="words that the name of a way has to begin with")
    got = asked.parse_args()
    if got.out:
        threading.current_thread().name = "work"
        work(got.source, got.images, got.out, got.on or None, got.workers, got.kill)
        return
    cases = [(name, on, n, "") for name, (on, n) in WAYS.items()]
    cases += [("2 threads, driver killed", None, 2, "driver"), ("ray, 2 actors, driver killed", "ray", 2, "driver")]
    cases += [("ray, 2 actors, worker killed", "ray", 2, "worker")]
    for name, on, workers, kill in [case for case in cases if case[0].startswith(got.only)]:
        print(f"{name:32}", run(got.source, got.images, on, workers, kill), flush=True)


if __name__ == "__main__":
    main()
