"""Five copies of each photo, found among all of them: recall, precision, images a second.

    python -m bench.audit.five_copies FOLDER [FOLDER ...] [--most 400]

The copies are those that imagededup's own benchmark makes of photos of 640x480: a crop of 560x420, mirrored left to
right, upside down, turned by 25 degrees, and squashed to a square. All are files; the whole audit is timed, reading and
decoding included, with two workers. Pairs are counted within what the audit says belongs together.
"""

from __future__ import annotations

import argparse
import itertools
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import cv2
import numpy as np

import imagemill as im
from bench.audit.plant_copies import turned

Array = np.ndarray[Any, Any]

COPIES = {
    "crop": lambda photo: photo[30:450, 40:600],
    "mirror": lambda photo: photo[:, ::-1],
    "flip": lambda photo: photo[::-1],
    "turned 25": lambda photo: turned(photo, 25),
    "squashed": lambda photo: cv2.resize(photo, (480, 480), interpolation=cv2.INTER_AREA),
}


def write(folders: list[Path], to: Path, most: int) -> int:
    """The photos and their copies, as JPEG files; how many photos."""
    paths = sorted(path for one in folders for path in one.rglob("*.jpg"))[:most]
    for number, path in enumerate(paths):
        photo = cv2.resize(cv2.imread(str(path)), (640, 480), interpolation=cv2.INTER_AREA)
        every = {"photo": photo, **{name: make(photo) for name, make in COPIES.items()}}
        for name, pixels in every.items():
            cv2.imwrite(
                str(to / f"{number:05d} {name}.jpg"), np.ascontiguousarray(pixels), [cv2.IMWRITE_JPEG_QUALITY, 90]
            )
    return len(paths)


def main() -> None:
    """Print what was found, and how long it took."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--most", type=int, default=400)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        count = write(given.folders, Path(folder), given.most)
        im.audit(folder, checks=["copies"])  # what compiles compiles here
        began, busy = time.perf_counter(), time.process_time()
        found = im.audit(folder, checks=["copies"], workers=2)
        seconds, busy = time.perf_counter() - began, time.process_time() - busy
    images = count * (len(COPIES) + 1)
    names = [record.key.rpartition("/")[2].removesuffix(".jpg") for record in found.survey.records]
    of = np.arange(images)
    for number, cluster in enumerate(found.survey.clusters):
        of[list(cluster.rows)] = images + number
    photo = [name.split()[0] for name in names]
    right, wrong, hit = 0, 0, Counter[str]()
    for one, other in itertools.combinations(range(images), 2):
        if of[one] == of[other]:
            right += photo[one] == photo[other]
            wrong += photo[one] != photo[other]
    whole = {name.split()[0]: row for row, name in enumerate(names) if name.endswith("photo")}
    for row, name in enumerate(names):
        hit[name.split(" ", 1)[1]] += of[row] == of[whole[photo[row]]]
    wanted = count * len(list(itertools.combinations(range(len(COPIES) + 1), 2)))
    speed = f"{images / seconds:.0f} images a second, {1e3 * busy / images:.1f} ms of one core each"
    print(f"{images} images of {count} photos; {speed}")
    print(f"pairs: recall {right / wanted:.3f}, precision {right / max(right + wrong, 1):.4f} ({wrong} false)")
    print({name: f"{hit[name] / count:.3f}" for name in COPIES})


if __name__ == "__main__":
    main()
