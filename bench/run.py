"""Run everything and write the page: ``python -m bench.run``, or a part of it with ``--quick``."""

from __future__ import annotations

import argparse
import time
import warnings
from importlib.metadata import distributions
from pathlib import Path

from bench.harness import Result, measure, single_thread

PAGE = Path(__file__).with_name("results.md")


def refuse_second_opencv() -> None:
    """Two builds of OpenCV share one folder: which of them is imported, and so timed, would be chance."""
    names = {(d.metadata["Name"] or "").lower() for d in distributions()}
    others = sorted(n for n in names if n.startswith("opencv-") and n != "opencv-python-headless")
    if others:
        raise SystemExit(f"expected opencv-python-headless alone, found also {', '.join(others)}; remove .venv-bench")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rounds and workloads, printed, not written")
    parser.add_argument("--only", nargs="*", metavar="WORKLOAD", help="these workloads only, printed, not written")
    parser.add_argument("--rounds", type=int, help="rounds per workload")
    asked = parser.parse_args()
    single_thread()
    warnings.simplefilter("ignore")  # peers warn about their own deprecations
    # After the threads are pinned: these import numpy's users.
    from bench import floor, latency, phases, quality, report, workloads

    refuse_second_opencv()
    started = time.perf_counter()
    rounds = asked.rounds or (5 if asked.quick else 9)
    results: list[Result] = []
    for workload in workloads.load():
        if asked.only is None and asked.quick and not workload.quick:
            continue
        if asked.only is not None and workload.name not in asked.only:
            continue
        print(workload.title, flush=True)
        results.append(measure(workload, rounds=rounds, seconds=0.05 if asked.quick else 0.25))
    parts = [report.head(rounds=rounds), report.aims(results), report.score(results), *map(report.table, results)]
    if asked.only is None:
        parts.append(quality.section(quick=asked.quick)[0])
        parts.append(floor.section(results))
        parts.append(phases.section())
        if not asked.quick:
            parts.append(latency.section(quick=False))
    page = "\n\n".join(parts) + "\n"
    if asked.quick or asked.only is not None:
        print(page)
    else:
        PAGE.write_text(page, encoding="utf-8")
        print(f"wrote {PAGE.name}")
    print(f"took {time.perf_counter() - started:.0f} s")


if __name__ == "__main__":
    main()
