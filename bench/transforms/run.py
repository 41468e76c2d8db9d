"""Time every shared transform and write the page: ``python -m bench.transforms.run``; ``--quick`` prints a part."""

from __future__ import annotations

import argparse
import gc
import json
import os
import time
import warnings
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bench.harness import pin_loaded, single_thread

PAGE = Path(__file__).parents[2] / "docs" / "benchmarks" / "transforms.md"
KEPT = Path(__file__).parents[2] / ".bench-transforms"
"""What was measured, a file for each part: parts may be run at different times."""
PARTS = ("calls", "batches", "volumes", "chains")
BATCH = 4


def main() -> None:
    """Measure, print as it goes, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="three short rounds, printed, not written")
    parser.add_argument("--only", nargs="*", metavar="NAME", help="rows whose name begins so, printed, not written")
    parser.add_argument("--part", choices=PARTS, action="append", help="these parts; the page keeps the others")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--seconds", type=float, help="per contestant and round")
    parser.add_argument("--slowest", type=float, help="seconds a call of a peer may take; others are left out")
    parser.add_argument("--page", action="store_true", help="measure nothing, write the page of what was measured")
    asked = parser.parse_args()
    single_thread()
    warnings.simplefilter("ignore")  # peers warn about their own deprecations
    started = time.perf_counter()
    from bench.report import versions

    written = not asked.quick and asked.only is None
    found = {} if asked.page else {part: _part(part, asked) for part in asked.part or PARTS}
    if written:
        KEPT.mkdir(exist_ok=True)
        for part, rows in found.items():
            how: dict[str, Any] = {"rounds": asked.rounds or 9, "seconds": asked.seconds or 0.04, "rows": rows}
            how |= {"cores": os.cpu_count(), "load": _load(), "versions": versions()}
            (KEPT / f"{part}.json").write_text(json.dumps(how, indent=1, default=asdict), encoding="utf-8")
        PAGE.write_text(_page(), encoding="utf-8")
        print(f"wrote {PAGE.name}")
    else:
        from bench.transforms import page

        print(page.summary({p: r for p, r in found.items() if p != "chains"}, found.get("chains", [])))
    print(f"took {time.perf_counter() - started:.0f} s")


def _load() -> str:
    return ", ".join(f"{x:.1f}" for x in os.getloadavg())


def _part(part: str, asked: argparse.Namespace) -> list[Any]:
    """The rows of one part."""
    from bench import inputs
    from bench.transforms import chains, page, photos, volumes
    from bench.transforms.measure import measure
    from bench.transforms.rows import names

    scope = names()
    pin_loaded()
    gc.freeze()  # what libraries keep is not looked through again between rounds
    how = {"rounds": asked.rounds or (3 if asked.quick else 9)}
    how["seconds"] = asked.seconds or (0.01 if asked.quick else 0.04)
    if part == "chains":
        return chains.measure(scope, **how)
    slowest = asked.slowest or (0.03 if asked.quick else float("inf"))
    images = inputs.scan(128)[0][None] if part == "volumes" else inputs.photos_of_one_size(64)[:BATCH]
    found = []
    for row in volumes.ROWS if part == "volumes" else photos.ROWS:
        if (asked.only is not None and not row.name.startswith(tuple(asked.only))) or (asked.quick and row.slow):
            continue
        if part == "batches" and not row.batches:
            continue
        found.append(measure(row, images, scope, batch=part == "batches", slowest=slowest, **how))
        print(f"{part:8} {page.line(found[-1])}", flush=True)
    return found


def _page() -> str:
    """All that was measured at last."""
    from bench.transforms import page
    from bench.transforms.chains import Chain
    from bench.transforms.measure import Measured

    kept = {p: json.loads((KEPT / f"{p}.json").read_text("utf-8")) for p in PARTS if (KEPT / f"{p}.json").is_file()}
    results = {part: [Measured(**row) for row in how["rows"]] for part, how in kept.items() if part != "chains"}
    chains = [Chain(**row) for row in kept.get("chains", {"rows": []})["rows"]]
    return page.page(results, chains, {key: value for key, value in next(iter(kept.values())).items() if key != "rows"})


if __name__ == "__main__":
    main()
