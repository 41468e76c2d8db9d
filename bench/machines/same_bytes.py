"""One digest of a store and of augmented files, whoever made them and whoever was killed while they were made.

``python -m bench.machines.same_bytes SOURCE [--images N]``. Each way runs in a process of its own. The driver is killed
by SIGKILL when half of the rows of each verb are noted, and the same call made again; a worker in the same way. A row
for each way: seconds by the clock, digests, what was not made again by the last call, and what the report says. The
last line says whether all digests are one.
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
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

WAYS: dict[str, tuple[str | None, int, tuple[str, ...]]] = {
    "one process": (None, 1, ("", "driver")),
    "2 threads": ("threads", 2, ("", "driver")),
    "2 processes": ("processes", 2, ("", "driver", "worker")),
    "ray, 1 actor": ("ray", 1, ("", "driver", "worker")),
    "ray, 2 actors": ("ray", 2, ("", "driver", "worker")),
    "ray, 4 actors": ("ray", 4, ("", "driver", "worker")),
    "daft": ("daft", 2, ("", "driver")),
}
"""What runs shards, how many, and what is killed: nothing, the driver, a worker."""


def digest(folder: Path) -> str:
    """Of names and bytes of all files."""
    found = hashlib.sha256()
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        found.update(path.relative_to(folder).as_posix().encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return found.hexdigest()


def work(source: str, images: int, size: int, out: Path, on: str | None, workers: int, kill: str) -> None:
    """What one process does: a store and augmented files."""
    import imagemill as im
    from imagemill.jobs.runner import _Run

    found = im.open_source(source)
    if images:
        found = im.open(found).subset(images, seed=1).to_source()
    plain, rows, verb = _Run._note, [0], ["store"]

    def note(self: Any, outcomes: Any) -> None:
        plain(self, outcomes)
        rows[0] += sum(len(one.rows) for one in outcomes)
        mark = out / f"killed-{verb[0]}"
        if kill and rows[0] >= len(found) // 2 and not mark.exists():
            mark.touch()
            os.kill(os.getpid() if kill == "driver" else a_worker(), signal.SIGKILL)

    _Run._note = note  # type: ignore[method-assign]
    store = im.prepare(found, out / "store", size=size, seed=1, workers=workers, on=on)
    rows[0], verb[0] = 0, "files"
    pipe = im.Pipeline([im.RandomResizedCrop(size), im.Flip("x", p=0.5), im.Contrast((0.7, 1.3))], seed=7)
    files = im.augment(found, out / "files", pipe, copies=1, workers=workers, on=on)
    said = [note for note in (*store.notes, *files.notes) if "lost" in note]
    print(json.dumps({"kept": [store.reused, files.present], "said": said}))


def a_worker() -> int:
    """The number of one of this process's workers that are at work."""
    shown = subprocess.run(["ps", "-eo", "pid,ppid,args"], capture_output=True, text=True, check=True).stdout
    rows = [line.split(None, 2) for line in shown.splitlines()[1:]]
    parents = {pid: parent for pid, parent, _ in rows}

    def is_mine(pid: str) -> bool:
        while pid in parents and pid != str(os.getpid()):
            pid = parents[pid]
        return pid == str(os.getpid())

    at_work = [int(pid) for pid, _, args in rows if ("ray::Worker" in args or "spawn_main" in args) and is_mine(pid)]
    return at_work[-1]


def run(given: argparse.Namespace, on: str | None, workers: int, kill: str) -> dict[str, Any]:
    """One way, called again for as long as it is killed."""
    with tempfile.TemporaryDirectory() as out:
        asked = [sys.executable, "-m", "bench.machines.same_bytes", given.source, "--images", str(given.images)]
        asked += ["--size", str(given.size), "--out", out, "--on", on or "", "--workers", str(workers), "--kill", kill]
        started, calls = time.perf_counter(), 0
        while True:
            calls += 1
            done = subprocess.run(asked, capture_output=True, text=True, check=False)
            # A process that is lost ends the run of its engine, and says so; the same call goes on.
            lost = kill == "worker" and on == "processes" and "WorkerError" in done.stderr
            if not done.returncode or calls > 3 or not (done.returncode == -signal.SIGKILL or lost):
                break
        if done.returncode:
            return {"error": done.stderr[-800:]}
        made = {name: digest(Path(out, name)) for name in ("store", "files")}
        seconds = round(time.perf_counter() - started, 1)
        return {**made, "calls": calls, "seconds": seconds, **json.loads(done.stdout.splitlines()[-1])}


def main() -> None:
    """Print a row for each way."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("source")
    asked.add_argument("--images", type=int, default=0, help="0 for all")
    asked.add_argument("--size", type=int, default=64)
    for name in ("out", "on", "kill"):
        asked.add_argument(f"--{name}", default="")
    asked.add_argument("--workers", type=int, default=1)
    asked.add_argument("--only", default="", help="words that the name of a way has to begin with")
    asked.add_argument("--kills", default="none,driver,worker", help="of these, what is killed")
    got = asked.parse_args()
    if got.out:
        work(got.source, got.images, got.size, Path(got.out), got.on or None, got.workers, got.kill)
        return
    print(f"{'way':14} {'killed':7} {'calls':>5} {'seconds':>8}  {'store':12} {'files':12} not made again")
    seen = set()
    for name, (on, workers, kills) in WAYS.items():
        if on in ("ray", "daft") and find_spec(on) is None:
            print(f"{name:14} left out: {on} is not installed", flush=True)
            continue
        for kill in kills if name.startswith(got.only) else ():
            if (kill or "none") not in got.kills.split(","):
                continue
            row = run(got, on, workers, kill)
            if "error" in row:
                print(f"{name:14} {kill or '-':7} {row['error']}", flush=True)
                seen.add(("error", ""))
                continue
            seen.add((row["store"], row["files"]))
            print(
                f"{name:14} {kill or '-':7} {row['calls']:5} {row['seconds']:8.1f}  {row['store'][:12]} "
                f"{row['files'][:12]} {row['kept']} {'; '.join(row['said'])}",
                flush=True,
            )
    if len(seen) == 1 and "error" not in (first := next(iter(seen))):
        print("one digest of all: store {}, files {}".format(*first))
    else:
        print("THEY DIFFER" if seen else "nothing ran")


if __name__ == "__main__":
    main()
