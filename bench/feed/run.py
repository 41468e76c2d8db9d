"""Loaders side by side, what grows, and whether samples stay the same: writes ``bench/feed/results.md``.

Run: ``python -m bench.feed.run``; with fewer ``--rounds`` and ``--photos`` for a first look. Set IMAGEMILL_DATA to the
folder with the data sets for real photos. ``--only jpeg store small-store generator growth hashes`` runs parts, and
then prints without writing.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from bench.feed import growth, hashes, page, tables
from bench.feed.contest import Result, measure
from bench.harness import single_thread

PAGE = Path(__file__).with_name("results.md")


def _asked(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--photos", type=int, default=3000, help="photos of the folder and its store")
    parser.add_argument("--small", type=int, default=20_000, help="pictures of 32x32")
    parser.add_argument("--seconds", type=float, default=1.0, help="length of a slice")
    parser.add_argument("--cache", type=Path, help="where inputs are kept for the next run")
    parser.add_argument("--only", nargs="*", metavar="PART", help="these parts only, printed, not written")
    parser.add_argument("--threads", type=int, nargs="*", default=[1, 2])
    parser.add_argument("--page", type=Path, default=PAGE, help="what is written")
    return parser.parse_args(argv)


def _described(given: argparse.Namespace) -> str:
    real = os.environ.get("IMAGEMILL_DATA")
    kind = "photos of pets, repeated, and CIFAR-10 as JPEG" if real else "made-up pictures (IMAGEMILL_DATA was not set)"
    return f"{kind}; {given.photos:,} photos, {given.small:,} pictures of 32x32"


def main(argv: Sequence[str]) -> None:
    given = _asked(argv)
    single_thread()
    began = time.perf_counter()
    only = given.only

    def wanted(name: str) -> bool:
        return only is None or name in only

    with tempfile.TemporaryDirectory() as where:
        root = given.cache or Path(where)
        root.mkdir(parents=True, exist_ok=True)
        found = tables.inputs(root, given.photos, given.small)
        results: list[Result] = []
        for table in tables.every(found, given.threads):
            if wanted(table.name):
                print(table.title, flush=True)
                results.append(measure(table, rounds=given.rounds, seconds=given.seconds))
        parts = [page.head(rounds=given.rounds, seconds=given.seconds, inputs=_described(given))]
        parts += [page.aims(results), page.notes(results), *map(page.table, results)]
        if wanted("growth"):
            print("What grows", flush=True)
            parts.append(growth.section(found.photos_store))
        if wanted("hashes"):
            print("Whether samples stay the same", flush=True)
            parts.append(hashes.section(root))
    text = "\n\n".join(parts) + "\n"
    print(f"\n{text}")
    if only is None:
        given.page.write_text(text, encoding="utf-8")
        print(f"wrote {given.page.name}")
    print(f"took {time.perf_counter() - began:.0f} s")


if __name__ == "__main__":
    main(sys.argv[1:])
