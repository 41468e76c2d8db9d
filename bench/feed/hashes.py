"""Is a sample the same under other workers, batch sizes, ranks, and after a stop? One value per column says yes.

Run: ``python -m bench.feed.hashes [photos]``. Each cell stands for all samples of two epochs, by epoch and file.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from bench.feed.data import Files, listed, our_pipeline, photos
from bench.harness import single_thread

SIDE = 64
Found = dict[tuple[int, str], str]


def digest(array: Any) -> str:
    return hashlib.sha256(np.ascontiguousarray(np.asarray(array)).tobytes()).hexdigest()


def value(found: Found) -> str:
    return hashlib.sha256("".join(f"{k}{v}" for k, v in sorted(found.items())).encode()).hexdigest()[:8]


# ------------------------------------------------------------------------------------------- ours


def samples(batches: Iterable[Any]) -> Found:
    found: Found = {}
    for batch in batches:
        if not batch.repeated:
            for row, key in enumerate(batch.keys):
                found[batch.epoch, key] = digest(batch.image[row]) + str(int(batch.label[row]))
    return found


def ours(folder: Path, **how: Any) -> Found:
    from imagemill.feed import Loader

    found: Found = {}
    with Loader(folder, our_pipeline(SIDE), **how) as loader:
        for _ in range(2):
            found |= samples(loader)
    return found


def ours_ranks(folder: Path, world: int) -> Found:
    parts = [ours(folder, workers=1, batch_size=32 // world, rank=rank, world=world) for rank in range(world)]
    return {key: v for part in parts for key, v in part.items()}


def ours_resumed(folder: Path) -> Found:
    """Two epochs, each batch by a loader of its own that goes on from the state before."""
    from imagemill.feed import Loader

    found: Found = {}
    state = None
    while state is None or state["epoch"] < 2:
        with Loader(folder, our_pipeline(SIDE), batch_size=32, workers=1) as loader:
            if state is not None:
                loader.load_state_dict(state)
            batch = next(iter(loader), None)
            found |= samples([] if batch is None or batch.epoch > 1 else [batch])
            state = loader.state_dict()
            if state["batch"] == len(loader):
                state = {**state, "epoch": state["epoch"] + 1, "batch": 0}
    return found


CHILD = """
import json, os, signal, sys
from pathlib import Path
from bench.feed.hashes import SIDE, samples
from bench.feed.data import our_pipeline
from imagemill.feed import Loader

folder, state, kill = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
loader = Loader(folder, our_pipeline(SIDE), batch_size=32, workers=2)
if state.exists():
    loader.load_state_dict(json.loads(state.read_text()))
done = 0
while loader.epoch < 2:
    for batch in loader:
        print(json.dumps([[*key, value] for key, value in samples([batch]).items()]), flush=True)
        state.write_text(json.dumps(loader.state_dict()))
        done += 1
        if done == kill:
            os.kill(os.getpid(), signal.SIGKILL)
"""


def ours_killed(folder: Path, after: int) -> Found:
    """Killed after some batches (0: never), and gone on with in a fresh process."""
    found: Found = {}
    with tempfile.TemporaryDirectory() as where:
        state = Path(where) / "state.json"
        for kill in (after, 0) if after else (0,):
            command = [sys.executable, "-c", CHILD, str(folder), str(state), str(kill)]
            run = subprocess.run(command, capture_output=True, text=True, check=False)
            for line in run.stdout.splitlines():
                found |= {(epoch, key): v for epoch, key, v in json.loads(line)}
    return found


# ------------------------------------------------------------------------------------------- peers


def theirs(folder: Path, library: str, *, world: int = 1, **how: Any) -> Found:
    import torch

    files, labels = listed(folder)
    found: Found = {}
    sampler: Any
    batch = how.pop("batch_size", 32)
    for rank in range(world):
        torch.manual_seed(7)
        dataset: Any = Files(list(files), labels, library, SIDE, keyed=True)
        sampler = None
        if world > 1:
            sampler = torch.utils.data.DistributedSampler(dataset, world, rank, seed=7, drop_last=False)
        generator = torch.Generator().manual_seed(7)
        loader: Any = torch.utils.data.DataLoader(
            dataset,
            batch_size=batch // world,
            shuffle=sampler is None,
            sampler=sampler,
            generator=generator,
            **how,
        )
        for epoch in range(2):
            if sampler is not None:
                sampler.set_epoch(epoch)
            for images, rows in loader:
                for image, row in zip(images, rows.tolist(), strict=True):
                    found[epoch, str(files[row])] = digest(image) + str(labels[row])
    return found


def _peers(folder: Path, **how: Any) -> list[str]:
    return [value(theirs(folder, library, **how)) for library in ("albumentations", "torchvision")]


def table(folder: Path) -> str:
    """All ways to load a folder's photos, as a table of values that should be the same."""
    truth = ours(folder, workers=0)
    rows: list[tuple[str, list[str]]] = [("workers 0", [value(truth), *_peers(folder, num_workers=0)])]
    for workers in (1, 2, 4):
        mine = value(ours(folder, workers=workers))
        rows.append((f"workers {workers}", [mine, *_peers(folder, num_workers=workers)]))
    for ahead in (1, 8):
        mine = value(ours(folder, workers=2, prefetch=ahead))
        rows.append((f"2 workers, prefetch {ahead}", [mine, *_peers(folder, num_workers=2, prefetch_factor=ahead)]))
    mine = value(ours(folder, workers=2, batch_size=16))
    rows.append(("batch 16", [mine, *_peers(folder, num_workers=2, batch_size=16)]))
    for world in (2, 4):
        mine = value(ours_ranks(folder, world))
        rows.append((f"{world} ranks", [mine, *_peers(folder, num_workers=1, world=world)]))
    rows.append(("a loader for each batch", [value(ours_resumed(folder)), "-", "-"]))
    rows.append(("fresh process", [value(ours_killed(folder, 0)), "-", "-"]))
    rows.append(("killed after 3 batches", [value(ours_killed(folder, 3)), "-", "-"]))
    return _printed(rows, len(truth))


def _printed(rows: list[tuple[str, list[str]]], samples: int) -> str:
    names = ["imagemill", "DataLoader + Albumentations", "DataLoader + torchvision"]
    lines = ["| two epochs with | " + " | ".join(names) + " |", "|---|" + "---|" * len(names)]
    lines += [f"| {title} | " + " | ".join(cells) + " |" for title, cells in rows]
    distinct = [len({cell for cell in column if cell != "-"}) for column in zip(*[c for _, c in rows], strict=True)]
    lines.append("| **different values** | " + " | ".join(map(str, distinct)) + " |")
    return "\n".join([*lines, "", f"{samples} samples; '-': the loader has no state to go on from."])


def section(root: Path, count: int = 120) -> str:
    """The table as a part of the page; the aim is one value."""
    said = table(photos(root, count))
    last = next(line for line in said.splitlines() if "different values" in line)
    good = last.split("|")[2].strip() == "1"
    title = "## Is a sample the same under other workers, batch sizes, ranks, and after a stop?"
    return "\n".join([title, "", f"Aim: one value for ours: {'met' if good else '**missed**'}.", "", said])


def main(count: int) -> None:
    single_thread()
    with tempfile.TemporaryDirectory() as where:
        print(section(Path(where), count))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 120)
