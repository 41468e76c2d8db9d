"""Who is compared with whom, and what was aimed at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.feed.contest import Contestant, Table
from bench.feed.data import SIDE, decoded, photos, prepared, small_pictures

BATCH = 32
OURS = "imagemill"
COMPAT = "imagemill.compat.keras"

PEERS = "bench.feed.peers"
MINE = "bench.feed.ours"
# Keras's layers run inside tf.data, whatever computes the network; TensorFlow's own log is not the page's business.
WITH_TF = {"KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}

ADDS = "brightness is added, not multiplied; never averages when it shrinks"


@dataclass(frozen=True)
class Inputs:
    """Folders that contestants read: class folders of JPEG files, stores of them, and their pixels as arrays."""

    photos: Path
    photos_store: Path
    photos_arrays: Path
    small: Path
    small_store: Path
    small_arrays: Path
    count: int
    small_count: int


def inputs(root: Path, count: int, small_count: int) -> Inputs:
    """Make what is not there yet."""
    folder, small = photos(root, count), small_pictures(root, small_count)
    stores = prepared(root, folder, 256), prepared(root, small, 32)
    arrays = decoded(root, stores[0]), decoded(root, stores[1])
    return Inputs(folder, stores[0], arrays[0], small, stores[1], arrays[1], count, small_count)


def _peers(common: dict[str, Any], aim: float | None, *, keras: bool = True) -> list[Contestant]:
    """Everyone who reads a folder."""
    aims = {} if aim is None else {OURS: aim}

    def peer(name: str, maker: str, note: str = "", env: dict[str, str] | None = None, **more: Any) -> Contestant:
        return Contestant(name, f"{PEERS}:{maker}", {**common, **more}, aims=aims, note=note, env=env or {})

    found = [
        peer("DataLoader + Albumentations", "data_loader", "never averages when it shrinks", library="albumentations"),
        peer("DataLoader + torchvision", "data_loader", "averages whenever it shrinks", library="torchvision"),
        peer("Grain + Albumentations, threads", "grain_loader", "never averages when it shrinks"),
        peer("Grain + Albumentations, processes", "grain_loader", "never averages when it shrinks", processes=True),
        peer("tf.data", "tf_data", ADDS, WITH_TF),
        peer("tf.data, decode_and_crop_jpeg", "tf_data", f"decodes only the drawn part; {ADDS}", WITH_TF, window=True),
    ]
    if keras:
        layers = "whole pictures resized to 8/7 of the side first, crops of one size; brightness is added"
        old = "zoom and shifts instead of the random crop, no contrast"
        found += [
            peer("Keras image_dataset_from_directory", "keras_layers", layers, WITH_TF),
            peer("Keras ImageDataGenerator, legacy", "legacy_folder", old),
        ]
    return found


def _in_memory(common: dict[str, Any]) -> list[Contestant]:
    """Those who can be given decoded arrays; nobody aimed at anything here."""
    return [
        Contestant("arrays: DataLoader + Albumentations", f"{PEERS}:data_loader",
                   {**common, "library": "albumentations"}),
        Contestant("arrays: DataLoader + torchvision", f"{PEERS}:data_loader", {**common, "library": "torchvision"}),
        Contestant("arrays: Grain + Albumentations, threads", f"{PEERS}:grain_loader", common),
        Contestant("arrays: tf.data", f"{PEERS}:tf_data", common, env=WITH_TF),
    ]  # fmt: skip


def _words(threads: int) -> str:
    return f"{threads} thread{'s' * (threads > 1)}"


def jpeg_folder(found: Inputs, threads: int) -> Table:
    """From files to batches."""
    common: dict[str, Any] = {"folder": str(found.photos), "threads": threads, "batch": BATCH, "side": SIDE}
    both = threads == 2  # the aims are for two threads
    bare = {key: common[key] for key in ("folder", "threads", "batch")}
    return Table(
        "jpeg",
        f"JPEG folder, {found.count:,} photos to {SIDE}x{SIDE}, {_words(threads)}",
        (
            Contestant(OURS, f"{MINE}:files", common, ours=True),
            Contestant(
                "imagemill, decode='fast'",
                f"{MINE}:files",
                {**common, "decode": "fast"},
                note="libjpeg's quicker transforms, which TensorFlow takes without being asked",
            ),
            Contestant(
                "bare decoding",
                f"{PEERS}:bare",
                bare,
                aims={OURS: 0.85} if both else {},
                checked=False,
                note="reads and decodes whole photos with simplejpeg, and nothing else",
            ),
            *_peers(common, 2 if both else None),
        ),
        SIDE,
        "Ours decodes a photo at a half, a quarter or an eighth where the drawn crop shrinks by as much, and down to "
        "the last row that the crop needs.",
    )


def photo_store(found: Inputs, threads: int) -> Table:
    """From a prepared store of photos, beside peers that read the files it was made of, or arrays."""
    common: dict[str, Any] = {"threads": threads, "batch": BATCH, "side": SIDE}
    return Table(
        "store",
        f"Prepared store, {found.count:,} photos of 256x256 to {SIDE}x{SIDE}, {_words(threads)}",
        (
            Contestant(OURS, f"{MINE}:files", {**common, "folder": str(found.photos_store)}, ours=True),
            *_peers({**common, "folder": str(found.photos)}, 10),
            *_in_memory({**common, "arrays": str(found.photos_arrays)}),
        ),
        SIDE,
        "Peers have no store: they read the JPEG files that ours was made of, and once more, in the rows that begin "
        "with *arrays*, the store's own pixels as an array in memory.",
    )


def small_store(found: Inputs, threads: int) -> Table:
    """The same of pictures of 32x32."""
    common: dict[str, Any] = {"threads": threads, "batch": 128, "side": 32}
    return Table(
        "small-store",
        f"Prepared store, {found.small_count:,} pictures of 32x32 (CIFAR-10), batch 128, {_words(threads)}",
        (
            Contestant(OURS, f"{MINE}:files", {**common, "folder": str(found.small_store)}, ours=True),
            *_peers({**common, "folder": str(found.small)}, 10),
            *_in_memory({**common, "arrays": str(found.small_arrays)}),
        ),
        32,
        "The same work at 32x32, and the same two kinds of rows.",
    )


def generators(found: Inputs, threads: int, batch: int) -> Table:
    """Arrays of 32x32 with the settings of the old generator."""
    common: dict[str, Any] = {"arrays": str(found.small_arrays), "threads": threads, "batch": batch}

    def legacy(kind: str, **more: Any) -> Contestant:
        name = f"Keras ImageDataGenerator, legacy{kind}"
        note = "as model.fit of Keras 3 reads it"
        return Contestant(name, f"{PEERS}:legacy_arrays", common | more, aims={OURS: 25, COMPAT: 25}, note=note)

    return Table(
        "generator",
        f"Arrays in memory, {found.small_count:,} pictures of 32x32, batch {batch}, {_words(threads)}: "
        "rotation 15, shifts 0.1, zoom 0.1, flip, rescale",
        (
            Contestant(OURS, f"{MINE}:arrays", common, ours=True),
            Contestant(COMPAT, f"{MINE}:compat", common, ours=True, note="ImageDataGenerator.flow, the old interface"),
            *([legacy("")] if threads == 1 else [legacy(", threads"), legacy(", processes", processes=True)]),
        ),
        32,
    )


def every(found: Inputs, counts: Sequence[int] = (1, 2)) -> list[Table]:
    """All tables in the order of the page, for each number of threads."""
    tables: list[Table] = []
    for threads in counts:
        tables += [make(found, threads) for make in (jpeg_folder, photo_store, small_store)]
        tables += [generators(found, threads, batch) for batch in (32, 128)]
    return tables
