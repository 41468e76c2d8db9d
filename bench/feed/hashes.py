"""Are samples the same under other workers, batches, ranks, and after a stop? One value per column says yes.

Run: ``python -m bench.feed.hashes [photos]``. Each cell stands for one target of all samples of two epochs, by epoch
and key. ``--child`` is what it calls in fresh interpreters.
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
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from bench.feed.data import our_pipeline
from bench.feed.marked import Marked, kept, marked
from bench.harness import single_thread

ROOT = Path(__file__).parents[2]
SIDE = 64
EPOCHS = 2
SEED = 7
COUNT = 144
"""Photos: whole batches for every rank, as DistributedSampler would repeat some otherwise."""

OURS, PEERS = "imagemill", ("albumentations", "torchvision")
TITLES = {OURS: OURS, "albumentations": "DataLoader + Albumentations", "torchvision": "DataLoader + torchvision v2"}


class Hashes(NamedTuple):
    """What stands for one sample, or for all of them."""

    image: str
    mask: str
    boxes: str
    label: str


Found = dict[tuple[int, str], Hashes]
NONE = Hashes("-", "-", "-", "-")


def digest(array: Any) -> str:
    """Of values, type and shape."""
    array = np.ascontiguousarray(np.asarray(array))
    return hashlib.sha256(f"{array.dtype}{array.shape}".encode() + array.tobytes()).hexdigest()


def hashes(image: Any, mask: Any, edges: Any, names: Sequence[Any], label: int) -> Hashes:
    """Of one sample; a box is its edges and the name of what is in it."""
    boxes = digest(edges) + json.dumps([str(name) for name in names])
    return Hashes(digest(image), digest(mask), hashlib.sha256(boxes.encode()).hexdigest(), str(int(label)))


def values(found: Found) -> Hashes:
    """One value for each column of all samples."""
    return Hashes(*(_value(f"{key}{every[column]}" for key, every in sorted(found.items())) for column in range(4)))


def _value(parts: Iterator[str]) -> str:
    return hashlib.sha256("".join(parts).encode()).hexdigest()[:8]


# ------------------------------------------------------------------------------------------- ours


def _loader(source: Any, **how: Any) -> Any:
    from imagemill.feed import Loader

    return Loader(source, our_pipeline(SIDE, SEED), split="all", channels="rgb", **how)  # some photos are gray


def samples(batch: Any) -> Found:
    """The samples of a batch; none where it only repeats what another rank has."""
    if batch.repeated:
        return {}
    boxes = [(one.array, () if one.labels is None else one.labels) for one in batch.boxes]
    rows = zip(batch.keys, batch.image, batch.mask, boxes, batch.label, strict=True)
    return {(batch.epoch, str(key)): hashes(image, mask, *things, label) for key, image, mask, things, label in rows}


def ours(source: Any, **how: Any) -> Found:
    """All samples of two epochs."""
    found: Found = {}
    with _loader(source, **how) as loader:
        for _ in range(EPOCHS):
            for batch in loader:
                found |= samples(batch)
    return found


def ours_ranks(source: Any, world: int) -> Found:
    """The same by so many ranks, one after the other."""
    found: Found = {}
    for rank in range(world):
        found |= ours(source, workers=1, batch_size=32 // world, rank=rank, world_size=world)
    return found


def ours_resumed(source: Any, batch_size: int = 8) -> Found:
    """Each batch by a loader of its own, which goes on from the state before as a file would keep it."""
    found: Found = {}
    state = None
    for _ in range(_batches(len(source), batch_size)):
        with _loader(source, batch_size=batch_size, workers=1) as loader:
            if state is not None:
                loader.load_state_dict(json.loads(state))
            found |= samples(next(iter(loader)))
            state = json.dumps(loader.state_dict())
    return found


def _batches(count: int, batch_size: int) -> int:
    """Of all epochs; nobody waits longer for one that does not go on where it was."""
    return EPOCHS * -(-count // batch_size)


# ------------------------------------------------------------------------------------------- peers


def theirs(source: Any, library: str, *, world: int | None = None, batch_size: int = 32, **how: Any) -> Found:
    """The same with a DataLoader, seeded in all the ways it has; with ``world`` by ranks, one after the other."""
    import torch

    found: Found = {}
    for rank in range(world or 1):
        torch.manual_seed(SEED)
        dataset: Any = Marked(source, library, SIDE)
        sampler: Any = None
        if world is not None:
            sampler = torch.utils.data.DistributedSampler(dataset, world, rank, seed=SEED)
        loader: Any = torch.utils.data.DataLoader(
            dataset,
            batch_size=batch_size // (world or 1),
            shuffle=sampler is None,
            sampler=sampler,
            generator=torch.Generator().manual_seed(SEED),
            collate_fn=kept,
            **how,
        )
        for epoch in range(EPOCHS):
            if sampler is not None:
                sampler.set_epoch(epoch)
            for columns in loader:
                found |= {(epoch, key): hashes(*rest) for key, *rest in zip(*columns, strict=True)}
    return found


# ------------------------------------------------------------------------------------------- other processes


def in_processes(root: Path, count: int, library: str = OURS, kill: int = 0) -> Found:
    """Two workers in a fresh process, that is killed after each so many batches (0: never) and gone on with."""
    found: Found = {}
    with tempfile.TemporaryDirectory() as where:
        state = Path(where) / "state.json"
        command = [sys.executable, "-W", "ignore", "-m", "bench.feed.hashes", str(count)]
        command += ["--child", str(root), library, str(state), str(kill)]
        for _ in range(1 + _batches(count, 32) // kill if kill else 1):
            done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
            if done.returncode not in (0, -signal.SIGKILL):
                raise RuntimeError(f"expected a child that ends or is killed, got {done.returncode}:\n{done.stderr}")
            for line in done.stdout.splitlines():
                epoch, key, every = json.loads(line)
                found[epoch, key] = Hashes(*every)
            if done.returncode == 0:
                break
    return found


def _child(source: Any, library: str, state: Path, kill: int) -> None:
    """What runs there: it says what it made, then writes down where it is, then may be killed."""
    if library != OURS:
        _say(theirs(source, library, num_workers=2))
        return
    done = 0
    with _loader(source, batch_size=32, workers=2) as loader:
        if state.exists():
            loader.load_state_dict(json.loads(state.read_text("utf-8")))
        while loader.epoch < EPOCHS:
            for batch in loader:
                _say(samples(batch))
                state.write_text(json.dumps(loader.state_dict()), encoding="utf-8")
                done += 1
                if done == kill:
                    os.kill(os.getpid(), signal.SIGKILL)


def _say(found: Found) -> None:
    for (epoch, key), every in found.items():
        print(json.dumps([epoch, key, every]), flush=True)


# ------------------------------------------------------------------------------------------- the table

Row = tuple[str, list[Hashes]]


def rows(root: Path, count: int) -> Iterator[Row]:
    """All ways to load the photos, each with what ours and the peers give."""
    source = marked(root, count)

    def both(title: str, mine: dict[str, Any], others: dict[str, Any]) -> Row:
        return title, [values(ours(source, **mine)), *(values(theirs(source, peer, **others)) for peer in PEERS)]

    for workers in (0, 1, 2, 4):
        yield both(f"workers {workers}", {"workers": workers}, {"num_workers": workers})
    for ahead in (1, 8):
        how = {"num_workers": 2, "prefetch_factor": ahead}
        yield both(f"prefetch {ahead}", {"workers": 2, "prefetch": ahead}, how)
    for size in (16, 32):
        how = {"num_workers": 2, "batch_size": size}
        yield both(f"batch {size}", {"workers": 2, "batch_size": size}, how)
    for world in (1, 2, 4):
        peers = [values(theirs(source, peer, num_workers=1, world=world)) for peer in PEERS]
        yield f"ranks {world}", [values(ours_ranks(source, world)), *peers]
    yield "a loader for every batch", [values(ours_resumed(source)), NONE, NONE]
    yield "a fresh process", [values(in_processes(root, count, library)) for library in (OURS, *PEERS)]
    yield "SIGKILL after every 3 batches", [values(in_processes(root, count, kill=3)), NONE, NONE]


def distinct(found: Sequence[Row]) -> list[Hashes]:
    """How many values each column has."""
    libraries = zip(*(cells for _, cells in found), strict=True)
    return [Hashes(*(str(len(set(column) - {"-"})) for column in zip(*cells, strict=True))) for cells in libraries]


def printed(found: Sequence[Row]) -> str:
    """The table; its last row counts."""
    columns = [f"{TITLES[library]}: image | mask | boxes | label" for library in (OURS, *PEERS)]
    lines = ["| two epochs with | " + " | ".join(columns) + " |", "|---|" + "---|" * (4 * len(columns))]
    for title, cells in [*found, ("**different values**", distinct(found))]:
        lines.append(f"| {title} | " + " | ".join(" | ".join(cell) for cell in cells) + " |")
    return "\n".join(lines)


def section(root: Path, count: int = COUNT) -> str:
    """The table as a part of the page; the aim is one value in each column."""
    found = list(rows(root, count))
    good = set(distinct(found)[0]) == {"1"}
    kind = "COCO photos" if os.environ.get("IMAGEMILL_DATA") else "made-up photos"
    said = (
        f"{count} samples ({kind}, some under several keys), shuffled. Where a row does not say otherwise: 2 workers, "
        "batches of 32, and each library's own prefetching. Ranks (a DistributedSampler for DataLoader) have 1 worker "
        "each and batches of 32 in all; a loader for every batch has 1 worker, batches of 8, and the state of the one "
        "before. A value stands for one target of all samples, by epoch and key; that of boxes for edges and names. "
        "'-': the loader has no state to go on from."
    )
    title = "## Is a sample the same under other workers, batches, ranks, and after a stop?"
    aim = f"Aim: one value in each column of ours: {'met' if good else '**missed**'}."
    return "\n\n".join([title, aim, printed(found), said])


def main(count: int, child: Sequence[str] | None = None) -> None:
    single_thread()
    if child is not None:
        root, library, state, kill = child
        _child(marked(Path(root), count), library, Path(state), int(kill))
        return
    with tempfile.TemporaryDirectory() as where:
        print(section(Path(where), count))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("count", nargs="?", type=int, default=COUNT, metavar="photos")
    parser.add_argument("--child", nargs=4, metavar=("ROOT", "LIBRARY", "STATE", "KILL"))
    asked = parser.parse_args()
    main(asked.count, asked.child)
