"""Time every shared transform and write the page: ``python -m bench.transforms.run``; ``--quick`` prints a part."""

from __future__ import annotations

import argparse
import time
import warnings
from pathlib import Path

from bench.harness import pin_loaded, single_thread

PAGE = Path(__file__).parents[2] / "docs" / "benchmarks" / "transforms.md"
BATCH = 8


def main() -> None:
    """Measure, print as it goes, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="three short rounds, printed, not written")
    parser.add_argument("--only", nargs="*", metavar="NAME", help="rows whose name begins so, printed, not written")
    parser.add_argument("--part", choices=("calls", "batches", "volumes", "chains"), action="append")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--seconds", type=float, help="per contestant and round")
    parser.add_argument("--slowest", type=float, help="seconds a call of a peer may take; others are left out")
    parser.add_argument("--write", action="store_true", help="write the page whatever else is asked")
    asked = parser.parse_args()
    single_thread()
    warnings.simplefilter("ignore")  # peers warn about their own deprecations
    from bench import inputs
    from bench.transforms import chains, page, photos, volumes
    from bench.transforms.measure import Measured, measure
    from bench.transforms.rows import names

    scope = names()
    pin_loaded()
    started = time.perf_counter()
    rounds = asked.rounds or (3 if asked.quick else 9)
    seconds = asked.seconds or (0.01 if asked.quick else 0.04)
    slowest = asked.slowest or (0.03 if asked.quick else float("inf"))
    parts = asked.part or ("calls", "batches", "volumes", "chains")
    results: dict[str, list[Measured]] = {}
    for part in parts:
        if part == "chains":
            continue
        images = inputs.scan(128)[0][None] if part == "volumes" else inputs.photos_of_one_size(64)[:BATCH]
        results[part] = []
        for row in volumes.ROWS if part == "volumes" else photos.ROWS:
            if (asked.only is not None and not row.name.startswith(tuple(asked.only))) or (asked.quick and row.slow):
                continue
            found = measure(
                row, images, scope, batch=part == "batches", rounds=rounds, seconds=seconds, slowest=slowest
            )
            results[part].append(found)
            print(f"{part:8} {page.line(found)}", flush=True)
    found_chains = chains.measure(scope, rounds=rounds, seconds=seconds) if "chains" in parts else []
    text = page.page(results, found_chains, rounds=rounds)
    if not asked.write and (asked.quick or asked.only is not None or asked.part):
        print(page.summary(results, found_chains))
    else:
        PAGE.write_text(text, encoding="utf-8")
        print(f"wrote {PAGE.name}")
    print(f"took {time.perf_counter() - started:.0f} s")


if __name__ == "__main__":
    main()
