"""A set in a bucket: prepared, opened, fed and continued, with requests and bytes counted and some requests failing.

``python -m bench.machines.bucket SOURCE [--images N] [--size S] [--every K]``. The server is moto's, on the loopback;
one of every K requests (20) is answered with 503. A row for each step: requests, of them failed, MiB sent by the server
and to it, requests and KiB an image. At the end whether store and augmented files are those of this machine alone.
"""

from __future__ import annotations

import argparse
import logging
import os
import tempfile
import time
import warnings
from contextlib import suppress
from pathlib import Path
from typing import Any


def counted(objects: Any, images: int, name: str, step: Any) -> Any:
    """Do a step and print what it asked for."""
    objects.clear()
    since = time.process_time()
    found = step()
    asked, sent, took = len(objects.requests), objects.bytes_sent, objects.bytes_taken
    print(
        f"{name:28} {asked:6} requests {objects.failed:4} failed {sent / 2**20:8.2f} MiB out {took / 2**20:8.2f} in, "
        f"{asked / images:5.2f} and {(sent + took) / 2**10 / images:7.1f} KiB an image, "
        f"{time.process_time() - since:5.1f} CPU s with the server's",
        flush=True,
    )
    return found


def fetched(place: str, folder: Path) -> Path:
    """What is at an address, on this machine."""
    import fsspec

    fsspec.filesystem("s3").get(place, str(folder), recursive=True)
    return folder


def main() -> None:
    """Print a row for each step."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("source")
    asked.add_argument("--images", type=int, default=0)
    asked.add_argument("--size", type=int, default=64)
    asked.add_argument("--every", type=int, default=20)
    got = asked.parse_args()

    from bench.machines.same_bytes import digest
    from tests.object_server import KEY, SECRET, serving_objects

    with tempfile.TemporaryDirectory() as root, warnings.catch_warnings(), serving_objects() as objects:
        warnings.simplefilter("ignore")
        logging.getLogger("werkzeug").setLevel(logging.ERROR)  # a line for each request
        for name, value in (("ACCESS_KEY_ID", KEY), ("SECRET_ACCESS_KEY", SECRET), ("DEFAULT_REGION", "us-east-1")):
            os.environ[f"AWS_{name}"] = value
        os.environ.update(AWS_ENDPOINT_URL=objects.address, XDG_CACHE_HOME=f"{root}/cache")
        run(got, Path(root), objects, digest)


def run(got: argparse.Namespace, root: Path, objects: Any, digest: Any) -> None:
    """The steps."""
    import fsspec

    import imagemill as im
    from imagemill.jobs.runner import _Run

    fsspec.filesystem("s3").mkdir("sets")
    given = im.open_source(got.source)
    if got.images:
        given = im.open(given).subset(got.images, seed=1).to_source()
    im.export(given, root / "photos", "folder")
    im.prepare(root / "photos", root / "store", size=got.size, seed=1)
    pipe = im.Pipeline([im.RandomResizedCrop(got.size), im.Flip("x", p=0.5)], seed=7)
    im.augment(root / "photos", root / "files", pipe)
    count = len(given)
    plain = _Run._note

    def killed(self: Any, outcomes: Any) -> None:
        plain(self, outcomes)
        if self.finished.rows >= count // 2:
            raise KeyboardInterrupt

    def stopped(step: Any) -> Any:
        _Run._note = killed  # type: ignore[method-assign]
        with suppress(KeyboardInterrupt):
            step()
        _Run._note = plain  # type: ignore[method-assign]

    photos, store, files = "s3://sets/photos", "s3://sets/store", "s3://sets/files"
    objects.every = got.every
    prepare = {"size": got.size, "seed": 1}
    counted(objects, count, "export to it", lambda: im.export(root / "photos", photos, "folder"))
    counted(objects, count, "prepare, stopped at half", lambda: stopped(lambda: im.prepare(photos, store, **prepare)))
    report = counted(objects, count, "prepare, continued", lambda: im.prepare(photos, store, **prepare))
    counted(objects, count, "prepare, nothing is new", lambda: im.prepare(photos, store, **prepare))
    opened = counted(objects, count, "open", lambda: im.open(store))
    feed = im.Loader(opened, im.Pipeline([im.Flip("x", p=0.5)], seed=1), split="all", batch_size=32, workers=1)
    counted(objects, count, "first epoch", lambda: [batch.image.shape for batch in feed])
    counted(objects, count, "second epoch", lambda: [batch.image.shape for batch in feed])
    counted(objects, count, "augment, stopped at half", lambda: stopped(lambda: im.augment(photos, files, pipe)))
    again = counted(objects, count, "augment, continued", lambda: im.augment(photos, files, pipe))
    objects.every = 0
    print(f"not made again: {report.reused} of the store, {again.present} files")
    for name, place in (("store", store), ("files", files)):
        same = digest(fetched(place, root / "back" / name)) == digest(root / name)
        print(f"{name}: {'the same bytes as here' if same else 'OTHER BYTES'}")


if __name__ == "__main__":
    main()
