"""What a store of very many rows costs before its first batch: seconds of the processor and MiB, for 1e5 and 1e7 rows.

``python -m bench.machines.many_rows``. The rows are virtual: all files are one of 10,000 pictures of 8x8, by links.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

ROWS = 10_000


def virtual(folder: Path, files: int) -> None:
    """Write the store."""
    import pyarrow as pa

    from imagemill.data.store import Raster, write_part

    folder.mkdir()
    pixels = np.random.default_rng(0).integers(0, 256, (ROWS, 8, 8, 3), np.uint8)
    columns = {
        "key": pa.array([f"{n:08d}" for n in range(ROWS)]),
        "label": pa.array(np.arange(ROWS, dtype=np.uint8) % 10),
    }
    raster = Raster("image", (8, 8, 3), np.dtype(np.uint8), lambda: iter([pixels]))
    write_part(folder / "train-00000.arrow", [raster], columns, ROWS, {"rasters": ["image"]})
    for n in range(1, files):
        (folder / f"train-{n:05d}.arrow").hardlink_to(folder / "train-00000.arrow")
    said = {
        "format": 1, "parts": {"train": {"count": files * ROWS, "file_rows": ROWS}}, "label": {"form": "index"},
        "classes": list("abcdefghij"), "categories": [], "fingerprint": "virtual",
        "image": {"shape": [8, 8, 3], "axes": "yxc", "dtype": "uint8"},
    }  # fmt: skip
    (folder / "dataset.json").write_text(json.dumps(said))


def measure(folder: str) -> None:
    """Print what each step costs, in a process of its own."""
    import imagemill as im

    _ = im.LargeDataset, im.Loader  # imported before anything is counted
    base = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    found = {}

    def step(name: str, since: float) -> float:
        found[name] = round(time.process_time() - since, 4)
        return time.process_time()

    at = time.process_time()
    dataset = im.LargeDataset.open(folder)
    at = step("open", at)
    dataset = dataset.split((0.8, 0.1, 0.1), seed=1).subset("train")
    at = step("split", at)
    loader = im.Loader(dataset, split="all", batch_size=64, shuffle=4096, workers=0, seed=1)
    at = step("order", at)
    batch = next(iter(loader))
    step("first batch", at)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(
        json.dumps({"rows": len(dataset), "shape": batch.image.shape, **found, "MiB": round((peak - base) / 1024, 1)})
    )


def main() -> None:
    """Print a line for each number of rows."""
    if len(sys.argv) > 1:
        measure(sys.argv[1])
        return
    for files in (10, 1000):
        with tempfile.TemporaryDirectory() as root:
            virtual(Path(root) / "store", files)
            for _ in range(3):
                subprocess.run([sys.executable, "-m", "bench.machines.many_rows", f"{root}/store"], check=True)


if __name__ == "__main__":
    main()
