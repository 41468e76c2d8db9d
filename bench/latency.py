"""How long until the first picture: import, and the first call without and with compiled kernels on disk."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile

from bench.harness import single_thread

_IMPORT = "import time; t = time.perf_counter(); import {}; print(time.perf_counter() - t)"
_TORCHVISION = (
    "import time; t = time.perf_counter(); from bench.peers import torchvision_cpu; torchvision_cpu.load(); "
    "import torchvision.transforms.v2; print(time.perf_counter() - t)"
)
_CALL = """
import time
started = time.perf_counter()
import numpy as np
import imagemill as im
{setup}
ready = time.perf_counter()
pipe({given})
first = time.perf_counter()
pipe({given})
print(ready - started, first - ready, time.perf_counter() - first)
"""
_JITTER = "(0.8, 1.2)"
CALLS = {
    "photo 375x500: crop, flip, jitter, normalise": (
        "x = np.zeros((375, 500, 3), np.uint8); pipe = im.Pipeline([im.RandomResizedCrop(224), im.Flip('x', p=0.5), "
        f"im.ColorJitter(brightness={_JITTER}, contrast={_JITTER}, saturation={_JITTER}), im.Normalize('imagenet'), "
        "im.ToLayout('channels_first')], seed=0)",
        "x",
    ),
    "picture 32x32: turn, shift, zoom, flip": (
        "x = np.zeros((32, 32, 3), np.uint8); pipe = im.Pipeline([im.Rotate((-15, 15)), im.Shift(fraction=(-0.1, 0.1)),"
        " im.Zoom((0.9, 1.1)), im.Flip('x', p=0.5), im.Rescale()], seed=0)",
        "x",
    ),
    "volume 64^3 and labels: turn, elastic": (
        "x = np.zeros((64,) * 3, np.float32); m = x.astype(np.uint8); "
        "pipe = im.Pipeline([im.Rotate((-15, 15), plane='all'), im.Elastic()], seed=0)",
        "image=x, mask=m, axes='zyx'",
    ),
}


def _run(code: str, **env: str) -> list[float]:
    single_thread()
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, **env},
    )
    return [float(word) for word in done.stdout.split()]


def _median(code: str, times: int, **env: str) -> list[float]:
    rows = [_run(code, **env) for _ in range(times)]
    return [statistics.median(column) for column in zip(*rows, strict=True)]


def imports(times: int) -> dict[str, float]:
    """Seconds to import, median of ``times`` fresh interpreters, files already in the system's cache."""
    found = {"imagemill": _median(_IMPORT.format("imagemill"), times)[0]}
    found["imagemill, all public names"] = _median(
        "import time; t = time.perf_counter(); import imagemill as im; [getattr(im, n) for n in dir(im)]; "
        "print(time.perf_counter() - t)",
        times,
    )[0]
    for name in ("numpy", "cv2", "albumentations", "kornia.augmentation", "torchio", "monai.transforms"):
        try:
            found[name] = _median(_IMPORT.format(name), times)[0]
        except subprocess.CalledProcessError:
            continue  # absent peers are listed with the workloads
    try:
        found["torchvision.transforms.v2"] = _median(_TORCHVISION, times)[0]
    except subprocess.CalledProcessError:
        found.pop("torchvision.transforms.v2", None)
    return found


def section(*, quick: bool) -> str:
    """The part of the report."""
    times = 2 if quick else 5
    lines = [
        "## Latency",
        "",
        f"Fresh interpreters, median of {times}; cold means that no compiled kernel is on disk (once for each).",
        "",
        "| import | seconds |",
        "|---|---:|",
        *[f"| {name} | {seconds:.2f} |" for name, seconds in imports(times).items()],
        "",
        "| first call | import and build | first, cold | first, kernels on disk | second |",
        "|---|---:|---:|---:|---:|",
    ]
    for name, (setup, given) in CALLS.items():
        code = _CALL.format(setup=setup, given=given)
        with tempfile.TemporaryDirectory() as folder:
            cold = _run(code, NUMBA_CACHE_DIR=folder)
            warm = _median(code, times, NUMBA_CACHE_DIR=folder)
        lines.append(f"| {name} | {warm[0]:.2f} s | {cold[1]:.2f} s | {warm[1]:.3f} s | {1e3 * warm[2]:.2f} ms |")
    return "\n".join(lines)


if __name__ == "__main__":
    print(section(quick="--quick" in sys.argv))
