"""The measured rows as a page: geometric means, what is lost and why, and every ratio."""

from __future__ import annotations

from bench.transforms import photos, volumes
from bench.transforms.chains import Chain, table
from bench.transforms.measure import Measured, geometric_mean
from bench.transforms.reasons import OF_VOLUMES, REASONS

AIMS = {"calls": 1.5, "batches": 1.5, "volumes": 4.0}
TITLES = {
    "calls": "Photos of 375x500, 8 bits, one call each",
    "batches": "Photos of 375x500, 8 bits, batches of 4",
    "volumes": "Volumes of 128^3, float32, one call each",
}


def line(found: Measured) -> str:
    """One row, printed while it runs."""
    cells = [f"{name} {found.ratios[name][0]:.2f}" for name in found.ratios]
    cells += [f"{name}: {why}" for name, why in found.absent.items()]
    return f"{found.name:26} {1e3 * found.seconds:8.3f} ms   " + ", ".join(cells)


def _ratios(rows: list[Measured], *, ceilings: bool) -> list[float]:
    best = [(found, found.best(ceilings=ceilings)) for found in rows]
    return [found.ratios[name][0] for found, name in best if name is not None]


def summary(results: dict[str, list[Measured]], chains: list[Chain]) -> str:
    """Geometric means against the best peer of each row, with raw calls of OpenCV and Pillow and without."""
    lines = [
        "| what | rows | aim | best library | lost | with raw OpenCV and Pillow | lost |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for part, rows in results.items():
        if not rows:
            continue
        cells = []
        for ceilings in (False, True):
            ratios = _ratios(rows, ceilings=ceilings)
            cells += [f"{geometric_mean(ratios):.2f}", str(sum(r < 1 for r in ratios))]
        lines.append(
            f"| {TITLES[part]} | {len(rows)} | {AIMS[part]:g} | **{cells[0]}** | {cells[1]} | {cells[2]} | {cells[3]} |"
        )
    return "\n".join([*lines, "", *table(chains)[:1]])


def lost(part: str, rows: list[Measured]) -> list[str]:
    """Rows under 1, each with the reason that was found for it."""
    listed = []
    for found in rows:
        name = found.best(ceilings=False)
        if name is not None and found.ratios[name][0] < 1:
            reason = (OF_VOLUMES if part == "volumes" else REASONS).get(found.name, "not looked into yet")
            listed.append(f"* {found.name}, {found.ratios[name][0]:.2f} against {name}: {reason}.")
    return [f"Lost in {TITLES[part][0].lower() + TITLES[part][1:]}:", "", *listed, ""] if listed else []


def _rows(part: str, rows: list[Measured]) -> list[str]:
    sides = volumes.SIDES if part == "volumes" else photos.SIDES
    lines = [f"## {TITLES[part]}", "", "| transform | ours, ms | " + " | ".join(sides) + " |"]
    lines.append("|---|---:|" + "---:|" * len(sides))
    for found in rows:
        best = found.best(ceilings=False)
        cells = []
        for side in sides:
            if side not in found.ratios:
                cells.append("failed" if side in found.absent else "")
                continue
            median, low, high = found.ratios[side]
            text = f"{median:.2f} [{low:.2f}, {high:.2f}]"
            cells.append(f"**{text}**" if side == best else text)
        lines.append(f"| `{found.ours.removeprefix('im.')}` | {1e3 * found.seconds:.3f} | " + " | ".join(cells) + " |")
    failed = [f"* {f.name}, {name}: {why}" for f in rows for name, why in f.absent.items()]
    return [*lines, "", *(["Failed:", "", *failed, ""] if failed else [])]


def page(results: dict[str, list[Measured]], chains: list[Chain], how: dict[str, str]) -> str:
    """All of it."""
    parts = [
        "# Transform by transform, beside other libraries",
        "",
        "Written by `make bench-transforms`; `make bench-transforms-quick` prints figures of three short rounds.",
        "",
        f"One process, one thread each, contestants taking turns over {how['rounds']} rounds of about",
        f"{how['seconds']} s each after a warm-up; short rounds find cold caches. Figures are how many times as long a",
        "peer takes as ours: **above 1 we are faster**. Seconds of the processor, the",
        "ratio formed in each round, the median of the rounds, quartiles in brackets; bold is the quickest of a row.",
        "Parameters are the same, results are realised and lie in memory in order. Albumentations runs in a `Compose`,",
        "ours in a `Pipeline`; Kornia gets floats, as it asks for, and their conversion is not counted. OpenCV and",
        "Pillow are single calls with nothing drawn, checked or kept: what is possible, not another pipeline.",
        "Rows whose peers were all left out for their time count in no mean.",
        "",
        f"Load of the machine of {how['cores']} cores over 1, 5 and 15 minutes at the end: {how['load']}.",
        f"{how['versions']}.",
        "",
        summary(results, []).rstrip(),
        "",
    ]
    for part, rows in results.items():
        parts += lost(part, rows)
    if chains:
        parts += ["## Chains, beside fuse-augmentations", "", *table(chains), ""]
    for part, rows in results.items():
        parts += _rows(part, rows)
    return "\n".join(parts).rstrip() + "\n"
