"""The figures of ``docs/benchmarks/`` and the page around them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

Series = dict[str, tuple[Any, Any]]
COLOURS = ("#1f5fa8", "#d1702a", "#3a8f5c", "#8a8a8a")
INK, FAINT = "#222222", "#dddddd"


def write(found: dict[str, Series], folder: Path) -> None:
    """All figures and ``README.md``."""
    import matplotlib as mpl

    mpl.use("Agg")
    mpl.rcParams.update({"font.size": 9, "axes.spines.top": False, "axes.spines.right": False, "text.color": INK})
    _time_figure(found, folder / "time.png")
    _size_figure(found, folder / "size.png")
    _memory_figure(found["by_memory"], folder / "memory.png")
    (folder / "README.md").write_text(_page(found), encoding="utf-8")


def _panel(axes: Any, title: str, across: str, up: str) -> None:
    axes.set_title(title, loc="left", fontweight="bold", fontsize=10)
    axes.set_xlabel(across)
    axes.set_ylabel(up)
    axes.grid(axis="y", color=FAINT, linewidth=0.7)
    axes.set_axisbelow(True)
    axes.tick_params(length=3, color=FAINT)


def _curves(axes: Any, series: Series) -> None:
    for colour, (name, (x, y)) in zip(COLOURS, series.items(), strict=False):
        axes.plot(x, y, color=colour, linewidth=1.8, marker="o", markersize=3.5, label=name)
    if len(series) > 1:
        axes.legend(frameon=False, loc="upper left", handlelength=1.4)


def _figure(columns: int, draw: Callable[[Any], None], path: Path) -> None:
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, columns, figsize=(3.6 * columns, 3.1), layout="constrained")
    draw(axes)
    figure.savefig(path, dpi=130)
    plt.close(figure)


def _time_figure(found: dict[str, Series], path: Path) -> None:
    def draw(axes: Any) -> None:
        _panel(axes[0], "Transforms", "transforms in the pipeline", "ms per photo of 375x500")
        _curves(axes[0], found["by_transforms"])
        axes[0].set_ylim(0)
        axes[0].set_xticks([1, 4, 8, 12])
        _panel(axes[1], "Batch size", "pictures of 32x32x3 in a batch", "µs per picture")
        _curves(axes[1], found["by_batch"])
        axes[1].set_xscale("log", base=2)
        axes[1].set_yscale("log")
        axes[1].set_xticks([1, 8, 64, 512], ["1", "8", "64", "512"])
        axes[1].yaxis.set_major_formatter("{x:g}")
        axes[1].yaxis.set_minor_formatter("")
        _threads(axes[2], found["by_threads"])

    _figure(3, draw, path)


def _threads(axes: Any, series: Series) -> None:
    _panel(axes, "Threads", "two threads against one", "throughput, one thread = 1")
    names = list(series)
    heights = [series[n][1][-1] for n in names]
    bars = axes.bar(np.arange(len(names)), heights, width=0.55, color=COLOURS[0])
    axes.bar_label(bars, [f"{h:.2f}" for h in heights], padding=2)
    axes.set_xticks(np.arange(len(names)), names)
    axes.axhline(1, color=INK, linewidth=0.8, zorder=0)
    axes.set_ylim(0, 2.15)


def _size_figure(found: dict[str, Series], path: Path) -> None:
    def draw(axes: Any) -> None:
        _panel(axes[0], "Pixels", "pixels or voxels", "ms")
        _curves(axes[0], found["by_pixels"])
        axes[0].set_xscale("log")
        axes[0].set_yscale("log")
        per = {n: (x, 1e6 * np.asarray(y) / np.asarray(x)) for n, (x, y) in found["by_pixels"].items()}
        _panel(axes[1], "The same, per pixel", "pixels or voxels", "ns per pixel or voxel")
        _curves(axes[1], per)
        axes[1].legend(frameon=False, loc="upper right", handlelength=1.4)
        axes[1].set_xscale("log")
        axes[1].set_yscale("log")
        for axis in axes[:2]:
            axis.yaxis.set_major_formatter("{x:g}")
            axis.yaxis.set_minor_formatter("")
        _panel(axes[2], "Channels", "channels of a picture of 256x256", "ms")
        _curves(axes[2], found["by_channels"])
        axes[2].set_ylim(0)
        axes[2].set_xticks([1, 4, 8, 12, 16])

    _figure(3, draw, path)


def _memory_figure(series: Series, path: Path) -> None:
    def draw(axes: Any) -> None:
        for panel, kind, title in zip(
            axes, ("picture", "volume"), ("Pictures, 8 bits to float32", "Volumes, float32"), strict=True
        ):
            mine = {n.split(", ")[1]: v for n, v in series.items() if n.startswith(kind)}
            _panel(panel, title, "input, MiB", "most memory above the input, MiB")
            _curves(panel, mine)
            last = next(iter(mine.values()))[0][-1]
            times = 4 if kind == "picture" else 1
            panel.plot([0, last], [0, times * last], color=COLOURS[3], linewidth=1, linestyle="--", label="the result")
            panel.legend(frameon=False, loc="upper left", handlelength=1.8)
            panel.set_xlim(0)
            panel.set_ylim(0)

    _figure(2, draw, path)


def _slope(x: Any, y: Any) -> float:
    """Exponent of growth over the larger half of the points."""
    half = len(x) // 2
    return float(np.polyfit(np.log(x[half:]), np.log(y[half:]), 1)[0])


def _table(series: Series, across: str, form: str) -> str:
    names = list(series)
    lines = [f"| {across} | " + " | ".join(names) + " |", "|---:|" + "---:|" * len(names)]
    places = list(series[names[0]][0])
    for i, place in enumerate(places):
        lines.append(f"| {place:,} | " + " | ".join(format(series[n][1][i], form) for n in names) + " |")
    return "\n".join(lines)


def _page(found: dict[str, Series]) -> str:
    ops, threads, memory = found["by_transforms"], found["by_threads"], found["by_memory"]
    fused, steps = (np.asarray(v[1]) for v in ops.values())
    pixels = [f"{name}: {_slope(x, y):.2f}" for name, (x, y) in found["by_pixels"].items()]
    gained = ", ".join(f"{name} {y[-1]:.2f}" for name, (_, y) in threads.items())
    last = {n: (x[-1], y[-1]) for n, (x, y) in memory.items()}
    used = ", ".join(f"{n} {y / x:.1f}" for n, (x, y) in last.items())
    batch = found["by_batch"]["32x32x3"]
    return f"""# How time and memory grow

Measured with one thread unless said, on pictures of noise, by `python -m bench.growth` in the environment that
`make bench` builds: the shortest of several runs. It writes this page and its figures. Against other
libraries: `bench/results.md`.

![Time against transforms, batch size and threads](time.png)

* **Transforms.** Geometry and colour in turns. Twelve take {fused[-1] / fused[1]:.2f} times as long as two when they
  are fused, and {steps[-1] / steps[1]:.2f} times when each is a step of its own.
* **Batch size.** A picture of 32x32x3 costs {batch[1][0]:.0f} µs alone and {batch[1][-1]:.1f} µs in a batch of
  {batch[0][-1]}: drawing and planning are done once for all.
* **Threads.** Throughput with two, one being 1: {gained}.

![Time against pixels and channels](size.png)

* **Pixels.** Exponent of growth over the larger sizes (1 is proportional):
  {"; ".join(pixels)}.

![Memory against input size](memory.png)

* **Memory.** The most held above the input, as a multiple of its size, for the largest input:
  {used}.
  The result alone is 4 times a picture (8 bits to float32), and as large as a volume.

## Figures

{_table(ops, "transforms, ms per photo", ".2f")}

{_table(found["by_batch"], "batch, µs per picture", ".1f")}

{_table({"picture, ms": found["by_pixels"]["picture, RGB, 8 bits"]}, "pixels", ".3g")}

{_table({"volume, ms": found["by_pixels"]["volume, float32"]}, "voxels", ".3g")}

{_table(found["by_channels"], "channels, ms", ".3g")}
"""
