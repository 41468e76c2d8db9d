"""The measured numbers as a page: what was meant, what came of it, wins and losses."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version

from bench import inputs
from bench.harness import Contestant, Result

PACKAGES = (
    "imagemill",
    "numpy",
    "opencv-python-headless",
    "numba",
    "pillow",
    "albumentations",
    "torch",
    "torchvision",
    "kornia",
    "keras",
    "torchio",
    "batchgeneratorsv2",
    "monai",
    "SimpleITK",
    "scipy",
    "scikit-image",
)


def versions() -> str:
    """What was installed."""
    found = []
    for name in PACKAGES:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            found.append(f"{name} absent")
    return f"Python {platform.python_version()}; " + ", ".join(found)


def head(*, rounds: int) -> str:
    """How it was measured and how to do it again."""
    return "\n".join(
        [
            "# Side by side",
            "",
            "Written by `make bench`; run it again for figures of your own machine. `make bench-quick` prints a part.",
            "",
            f"One process, one thread for every library, contestants taking turns over {rounds} rounds after a",
            "warm-up. A ratio is a contestant's time over ours, formed within each round: the median, the quartiles",
            "in brackets, and the ratio of processor times, which a busy machine disturbs less. **Above 1 we are",
            "faster.** Outputs are checked for shape, type and contiguity before a time counts. Agreement is the",
            "signal to noise ratio between a contestant's picture and ours with the same parameters, in decibels.",
            "",
            f"Inputs: {inputs.described()}.",
            "",
            f"Versions: {versions()}.",
        ]
    )


def _aim(c: Contestant) -> str:
    if c.budget is not None:
        return f"at least {c.budget:g}"
    return f"at most {c.limit:g}" if c.limit is not None else ""


def _met(c: Contestant, ratio: float) -> bool:
    return (c.budget is None or ratio >= c.budget) and (c.limit is None or ratio <= c.limit)


def aims(results: list[Result]) -> str:
    """Every figure that was aimed at, met or missed: in batches where we have them, and one call at a time."""
    lines = [
        "## What was aimed at",
        "",
        "| workload | against | aim | batches | single calls | |",
        "|---|---|---:|---:|---:|---|",
    ]
    for result in results:
        ours = [c.name for c in result.workload.contestants if c.ours]
        batch = next((name for name in ours if "batch" in name), ours[0])
        single = next((name for name in ours if "single" in name), None)
        for c in result.workload.contestants:
            if not _aim(c):
                continue
            row = f"| {result.workload.name} | {c.name} | {_aim(c)} |"
            if c.name in result.absent:
                lines.append(f"{row} absent | | |")
                continue
            ratio = result.ratio(c.name, batch).median
            alone = "" if single is None else f"{result.ratio(c.name, single).median:.2f}"
            lines.append(f"{row} {ratio:.2f} | {alone} | {'met' if _met(c, ratio) else '**missed**'} |")
    return "\n".join(lines)


def score(results: list[Result]) -> str:
    """Which peers are slower than our best way, and which are faster."""
    wins: list[str] = []
    losses: list[str] = []
    for result in results:
        times = {name: timing.median for name, timing in result.timings.items()}
        best = min((c.name for c in result.workload.contestants if c.ours), key=times.__getitem__)
        for c in result.workload.contestants:
            if c.name.startswith("imagemill") or c.name in result.absent:
                continue
            against = c.versus or best
            ratio = times[c.name] / times[against]
            line = f"{result.workload.name}: {c.name} takes {ratio:.2f} times as long as {against}"
            (wins if ratio >= 1 else losses).append(line)
    count = f"Our best way against each peer: faster than {len(wins)}, slower than {len(losses)}."
    parts = [f"## Wins and losses\n\n{count}"]
    if losses:
        parts.append("Losses:\n\n" + "\n".join(f"* {line}" for line in losses))
    return "\n\n".join(parts)


def table(result: Result) -> str:
    """One workload."""
    w = result.workload
    ours = [c.name for c in w.contestants if c.ours and c.name in result.timings]
    agrees = bool(result.agreement)
    columns = ["", f"ms per {w.unit}", *[f"against {n}" for n in ours], "processor time", *(["agreement"] * agrees)]
    lines = [f"## {w.title}", "", "| " + " | ".join(columns) + " |", "|---|" + "---:|" * (len(columns) - 1)]
    for c in w.contestants:
        if c.name in result.absent:
            lines.append(f"| {c.name} | {result.absent[c.name]} |" + " |" * (len(columns) - 2))
            continue
        cells = [c.name, f"{1e3 * result.timings[c.name].median:.4g}"]
        for name in ours:
            ratio = result.ratio(c.name, against=name)
            cells.append("" if name == c.name else f"{ratio.median:.2f} [{ratio.low:.2f}, {ratio.high:.2f}]")
        cells.append(f"{result.ratio(c.name).cpu:.2f}")
        if agrees:
            db = result.agreement.get(c.name)
            cells.append("" if db is None else "same" if db > 100 else f"{db:.1f} dB")
        lines.append("| " + " | ".join(cells) + " |")
    notes = [f"* {c.name}: {c.note}." for c in w.contestants if c.note]
    return "\n".join([*lines, *([""] if notes or w.note else []), *([w.note, ""] if w.note else []), *notes]).rstrip()
