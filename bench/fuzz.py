"""Feed damaged files to every reader for a time: ``python bench/fuzz.py --minutes 10``.

A case is a small whole file, or a dataset in one layout, with one file of it damaged. It is read as a user would read
it. What may come of it is a result, or an error of imagemill's own; anything else is a finding: another kind of
exception, a dead process, a case that takes longer than it may, or too much memory. Cases are numbered, and a number
with the same seed makes the same case, so ``--only NUMBER`` runs it again.

Children do the reading. One that dies (a fault in a C library) or hangs is named with its case, and replaced.
"""

from __future__ import annotations

import argparse
import faulthandler
import json
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

SECONDS = 10
"""Longest a case may take."""
MEMORY = 1 << 30
"""Most resident bytes a child may ever have."""
SPACE = 8 << 30
"""Address space of a child; more than `MEMORY`, as libraries map more than they use."""
STUCK, HEAVY = 3, 4
"""Exit statuses of a child, besides 0."""


class _Late(BaseException):
    """A case took too long; no `except Exception` on the way may keep it."""


def _alarm(number: int, frame: object) -> None:
    raise _Late


def _peak() -> int:
    """Most bytes this process ever held; what getrusage says begins with what the process before exec held."""
    return int(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0]) * 1024


class Room:
    """Whole samples in a folder of their own, and one damaged case at a time."""

    def __init__(self, folder: Path, seed: int) -> None:
        """Write the samples."""
        from imagemill.testing.samples import sample_datasets, sample_files
        from imagemill.verbs.prepare import prepare

        self.folder, self.seed = folder, seed
        self.files = sample_files()
        self.names = sorted(self.files)
        self.sets = sample_datasets(folder / "sets")
        # A prepared store is made once, and opened again after each damage.
        prepare(self.sets["class-folders"], folder / "sets" / "store", size=8)
        self.sets["store"] = folder / "sets" / "store"
        self.members = {
            name: sorted(p for p in root.rglob("*") if p.is_file() and not p.name.startswith("."))
            for name, root in self.sets.items()
        }
        # One name for each file that only this layout has; pictures alone are the codecs' matter.
        for name, paths in self.members.items():
            own = [p for p in paths if p.suffix not in (".png", ".gz", ".tif")]
            self.members[name] = own or paths[:2]
        self.set_names = sorted(self.sets)

    def case(self, number: int) -> tuple[str, str, bytes]:
        """Name, file and damaged content of a case."""
        from imagemill.testing.damage import damaged

        rng = np.random.default_rng((self.seed, number))
        other = self.files[self.names[int(rng.integers(len(self.names)))]]
        mix = int(rng.integers(2**32))
        if rng.random() < 0.5:
            name = self.names[int(rng.integers(len(self.names)))]
            return "file", name, damaged(self.files[name], mix, other)
        name = self.set_names[int(rng.integers(len(self.set_names)))]
        paths = self.members[name]
        path = paths[int(rng.integers(len(paths)))]
        return name, path.relative_to(self.folder / "sets").as_posix(), damaged(path.read_bytes(), mix, other)

    @contextmanager
    def placed(self, kind: str, name: str, data: bytes) -> Iterator[tuple[Path, Path]]:
        """The damaged file in its place, and what to read: put back afterwards."""
        if kind == "file":
            path = self.folder / name
            path.write_bytes(data)
            yield path, path
            path.unlink()
            return
        path = self.folder / "sets" / name
        whole = path.read_bytes()
        path.write_bytes(data)
        try:
            yield path, self.sets[kind]
        finally:
            path.write_bytes(whole)


def _read(kind: str, path: Path, root: Path, number: int, out: Path) -> str:
    """Read a case in every way; the kind of what came of it."""
    from imagemill.core.errors import ImagemillError
    from imagemill.data import read_mask, read_picture
    from imagemill.data.codecs.header_size import image_size
    from imagemill.data.dataset import open as open_dataset
    from imagemill.verbs.prepare import prepare
    from imagemill.verbs.scan.scan import scan

    ways: list[Any] = []
    if kind == "file":
        ways = [lambda: read_picture(path), lambda: read_picture(path, "rgb", at_least=(4, 4)), lambda: read_mask(path)]
        ways.append(lambda: image_size(path))
        if number % 4 == 0:
            ways.append(lambda: scan(path, opened=None))
    elif kind == "store":
        ways = [lambda: [one.image.shape for one in open_dataset(root)]]
    else:
        layout = kind.removesuffix("-embedded")
        ways = [lambda: scan(root, layout=layout, opened=None, workers=1)]
        if number % 4 == 0:
            ways.append(lambda: scan(root, opened=None, workers=1))
        if number % 8 == 1:
            ways.append(lambda: scan(path, opened=None, workers=1))
        if number % 8 == 2:
            ways.append(lambda: prepare(root, out / str(number), layout=layout, size=8, on_error="skip"))
    came = Counter[str]()
    for way in ways:
        try:
            way()
            came["read"] += 1
        except ImagemillError as error:
            came[type(error).__name__] += 1
    return max(came, key=lambda name: (name != "read", came[name]))


def child(folder: Path, seed: int, numbers: range, until: float) -> None:
    """Run cases until the time is over, and write down what came of them."""
    log = (folder / "crash.log").open("w")
    faulthandler.enable(log)
    signal.signal(signal.SIGALRM, _alarm)
    resource.setrlimit(resource.RLIMIT_AS, (SPACE, SPACE))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    told: list[str] = []
    warnings.simplefilter("always")
    warnings.showwarning = lambda message, category, *_, **__: told.append(f"{category.__name__}: {message}")
    room = Room(folder / "room", seed)
    results, came = (folder / "findings.jsonl").open("a"), Counter[str]()
    state = os.open(folder / "state", os.O_RDWR | os.O_CREAT | os.O_TRUNC)

    def find(number: int, kind: str, name: str, what: str, more: str = "") -> None:
        results.write(json.dumps({"case": number, "kind": kind, "name": name, "what": what, "more": more}) + "\n")
        results.flush()

    for number in numbers:
        if time.time() > until:
            break
        os.pwrite(state, f"{number:012d}".encode(), 0)
        kind, name, data = room.case(number)
        told.clear()
        start = time.perf_counter()
        faulthandler.dump_traceback_later(SECONDS * 2, exit=True, file=log)
        signal.alarm(SECONDS)
        try:
            with room.placed(kind, name, data) as (path, root):
                came[_read(kind, path, root, number, folder / "out")] += 1
        except _Late:
            find(number, kind, name, "too late", traceback.format_exc()[-3000:])
        except (
            BaseException
        ) as error:  # PanicException of Polars is no Exception; it is the very thing that is looked for
            find(number, kind, name, f"{type(error).__name__}: {error}"[:300], traceback.format_exc()[-3000:])
        finally:
            signal.alarm(0)
            faulthandler.cancel_dump_traceback_later()
        if (took := time.perf_counter() - start) > SECONDS / 3:
            find(number, kind, name, "slow", f"{took:.1f} s")
        for text in set(told):
            find(number, kind, name, "warning", text[:300])
        if number % 200 == 0:
            shutil.rmtree(folder / "out", ignore_errors=True)
            (folder / "counts").write_text(json.dumps(came))
        if _peak() > MEMORY:
            find(number, kind, name, "too much memory", "")
            (folder / "counts").write_text(json.dumps(came))
            os._exit(HEAVY)
    (folder / "counts").write_text(json.dumps(came))


def run(minutes: float, jobs: int, seed: int, folder: Path, start: int) -> int:
    """Start children, replace those that die, and say what was found."""
    until = time.time() + minutes * 60
    running: dict[int, subprocess.Popen[bytes]] = {}
    reached = dict.fromkeys(range(jobs), start)
    count, deaths, came = 0, [], Counter[str]()
    begun = time.time()
    while True:
        for job in range(jobs):
            place = folder / f"job{job}"
            process = running.get(job)
            if process is not None and process.poll() is None:
                continue
            if process is not None:
                last = int((place / "state").read_text() or "0")
                count += (last - reached[job]) // jobs + 1
                reached[job] = last + jobs
                if (place / "counts").exists():
                    came.update(json.loads((place / "counts").read_text()))
                    (place / "counts").unlink()
                if process.returncode not in (0, HEAVY):
                    deaths.append((last, process.returncode, (place / "crash.log").read_text()[:3000]))
                running.pop(job)
            if time.time() < until - 5:
                shutil.rmtree(place / "room", ignore_errors=True)
                (place / "room" / "sets").mkdir(parents=True)
                first = reached[job] if process is not None else start + job
                reached[job] = first
                words = [sys.executable, __file__, "--child", str(place), "--seed", str(seed), "--jobs", str(jobs)]
                words += ["--start", str(first), "--until", str(until)]
                running[job] = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if not running:
            break
        time.sleep(0.2)
    findings = [
        json.loads(line)
        for job in range(jobs)
        if (folder / f"job{job}" / "findings.jsonl").exists()
        for line in (folder / f"job{job}" / "findings.jsonl").read_text().splitlines()
    ]
    groups: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for one in findings:
        where = one["more"].rstrip().splitlines()
        place = next((line.strip() for line in reversed(where) if "src/imagemill/" in line), "")
        # A warning quotes what it saw: its first words say which one it is.
        said = re.sub(r"[\d'\"].*", "", one["more"])[:60]
        key = (one["what"].split(":")[0], said if one["what"] == "warning" else place)
        groups.setdefault(key, []).append(one)
    seconds = time.time() - begun
    out = [f"{count:,} cases in {seconds:.0f} s ({count / seconds:.0f} a second); ended as {dict(came)}"]
    for (what, where), found in sorted(groups.items(), key=lambda item: -len(item[1])):
        out.append(f"{len(found):5d}  {what}  {where}  e.g. case {found[0]['case']} ({found[0]['name']})")
    for number, code, text in deaths:
        out.append(f"DEAD with status {code} in case {number}\n" + text.partition("\nExtension modules")[0])
    sys.stdout.write("\n".join(out) + "\n")
    return 1 if groups or deaths else 0


def main() -> int:
    """Read the words of the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--start", type=int, default=0, help="number of the first case")
    parser.add_argument("--only", type=int, help="run one case in this process, and let its error through")
    parser.add_argument("--keep", type=Path, help="folder to work in; a temporary one by default")
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--until", type=float, default=0.0, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.child is not None:
        child(asked.child, asked.seed, range(asked.start, 10**12, asked.jobs), asked.until)
        return 0
    with tempfile.TemporaryDirectory() as temporary:
        folder = asked.keep or Path(temporary)
        if asked.only is None:
            return run(asked.minutes, asked.jobs, asked.seed, folder, asked.start)
        shutil.rmtree(folder / "room", ignore_errors=True)
        (folder / "room" / "sets").mkdir(parents=True)
        room = Room(folder / "room", asked.seed)
        kind, name, data = room.case(asked.only)
        with room.placed(kind, name, data) as (path, root):
            sys.stdout.write(f"{kind} {name}, {len(data)} bytes: {data[:200]!r}\n")
            sys.stdout.write(_read(kind, path, root, asked.only, folder / "out") + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
