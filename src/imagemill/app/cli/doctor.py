"""`imagemill doctor`: what this installation has and what it lacks."""

from __future__ import annotations

import json
import os
import platform
from importlib import metadata
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

import imagemill as im
from imagemill.app.cli.console import facts, out

__all__ = ["doctor"]

# distribution: what it brings. The order is that of the table.
NEEDED = ("numpy", "scipy", "numba", "pillow", "simplejpeg", "pyyaml", "typer", "rich")
OPENCV = ("opencv-python-headless", "opencv-python", "opencv-contrib-python-headless", "opencv-contrib-python")
EXTRAS: dict[str, dict[str, str]] = {
    "medical": {"nibabel": "NIfTI and MGH scans", "pydicom": "DICOM files and series"},
    "hdf5": {"h5py": "HDF5 files"},
    "tiff": {"tifffile": "TIFF, any dtype and number of pages", "imagecodecs": "compressed TIFF and DICOM"},
    "heif": {"pi-heif": "HEIC and HEIF, as phones take them"},
    "report": {"matplotlib": "plots as matplotlib draws them"},
    "demo": {"scikit-image": "the demo's photos", "scikit-learn": "the demo's digits"},
    "huggingface": {"datasets": "Hugging Face datasets"},
    "pandas": {"pandas": "tables for flow_from_dataframe"},
    "torch": {"torch": "batches for PyTorch"},
    "lightning": {"lightning": "a data module for Lightning"},
    "keras": {"keras": "batches for model.fit"},
    "tf": {"tensorflow": "batches for tf.data"},
    "jax": {"jax": "batches for JAX"},
    "onnx": {"onnxruntime": "stress of ONNX models"},
    "tensorboard": {"tensorboard": "compare --log tensorboard:DIR"},
    "mlflow": {"mlflow-skinny": "compare --log mlflow"},
    "remote": {"fsspec": "files at an address", "s3fs": "s3:// addresses"},
    "ray": {"ray": "shards of work on Ray, --on ray"},
    "daft": {"daft": "shards of work on Daft, --on daft"},
}
VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS", "NUMBA_CACHE_DIR", "NUMBA_DISABLE_JIT")


def doctor(as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False) -> None:
    """Show versions, cores, optional packages and formats, and warn of what is wrong. Paste it into bug reports.

    Exit status 1 when something that is needed is missing.
    """
    found = _examine()
    if as_json:
        typer.echo(json.dumps(found, indent=2))
    else:
        _show(found)
    if found["missing"]:
        raise typer.Exit(1)


def _examine() -> dict[str, Any]:
    """Everything as plain values."""
    opencv = {name: version for name in OPENCV if (version := _version(name))}
    versions = {name: _version(name) for name in NEEDED} | {"opencv": " and ".join(opencv.values()) or None}
    missing = [name for name, version in versions.items() if version is None]
    pillow, numba = (_pillow() if versions["pillow"] else {}), (_numba() if versions["numba"] else {})
    return {
        "imagemill": im.__version__,
        "python": f"{platform.python_version()} on {platform.system()} {platform.machine()}",
        "versions": versions,
        "pillow": pillow,
        "numba": numba,
        "threads": _threads() if versions["opencv"] else {},
        "extras": {extra: {name: _version(name) for name in names} for extra, names in EXTRAS.items()},
        "formats": [
            {
                "suffix": f.suffix,
                "reads": f.reads and f.available,
                "writes": f.writes and f.available,
                "extra": f.extra,
                "added_by": f.added_by,
            }
            for f in im.formats()
        ],
        "missing": missing,
        "warnings": _warnings(opencv, pillow, numba),
    }


def _version(distribution: str) -> str | None:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


def _pillow() -> dict[str, str | None]:
    from PIL import features

    turbo = features.version_feature("libjpeg_turbo") if features.check_feature("libjpeg_turbo") else None
    webp = features.version_module("webp") if features.check_module("webp") else None
    return {"libjpeg-turbo": turbo, "webp": webp, "zlib": features.version_codec("zlib")}


def _numba() -> dict[str, Any]:
    from numba import config

    from imagemill.engine import shipped_kernels

    # Where numba keeps compiled kernels: the place it is told, beside the sources, or the user's own cache.
    beside = Path(im.__file__).parent / "engine" / "backends" / "cpu" / "__pycache__"
    told, disabled = getattr(config, "CACHE_DIR", ""), bool(getattr(config, "DISABLE_JIT", 0))
    place = Path(told) if told else beside
    near = next(p for p in (place, *place.parents) if p.exists())
    shipped = None if disabled else shipped_kernels.SHIPPED.fitting
    return {
        "jit": not disabled,
        "cache": str(place),
        "cache_writable": os.access(near, os.W_OK),
        "shipped": shipped and shipped.name,
    }


def _threads() -> dict[str, Any]:
    import cv2

    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    said = {name: os.environ[name] for name in VARIABLES if name in os.environ}
    return {"cores": os.cpu_count(), "usable": usable, "opencv": cv2.getNumThreads(), "environment": said}


def _warnings(opencv: dict[str, str], pillow: dict[str, Any], numba: dict[str, Any]) -> list[str]:
    found = []
    if len(opencv) > 1:
        names = " and ".join(opencv)
        found.append(f"{names} are both installed and overwrite each other; pip uninstall all but one of them")
    if pillow and pillow["libjpeg-turbo"] is None:
        found.append("Pillow was built without libjpeg-turbo: unusual JPEG files are decoded slowly")
    if numba and not numba["jit"]:
        found.append("NUMBA_DISABLE_JIT is set: kernels run as plain Python, a hundred times slower")
    if numba and not numba["cache_writable"]:
        found.append(
            f"{numba['cache']} cannot be written: unless numba finds the user's own cache, kernels are compiled in "
            "every run; set NUMBA_CACHE_DIR to a folder of yours"
        )
    return found


def _show(found: dict[str, Any]) -> None:
    rows: list[tuple[str, str | Text]] = [("imagemill", found["imagemill"]), ("python", found["python"])]
    for name, version in found["versions"].items():
        more = ""
        if name == "pillow":
            more = ", ".join(f"{k} {v or 'absent'}" for k, v in found["pillow"].items())
        elif name == "numba" and found["numba"]:
            shipped = found["numba"]["shipped"]
            more = f"compiled kernels in {found['numba']['cache']}" + (f", those of {shipped} first" if shipped else "")
        elif name == "opencv" and found["threads"]:
            more = f"{found['threads']['opencv']} threads"
        text = Text(version) if version else Text("missing: pip install imagemill", style="bold red")
        rows.append((name, text.append(f"  {more}", style="dim") if more else text))
    if found["threads"]:
        threads = found["threads"]
        said = ", ".join(f"{name}={value}" for name, value in threads["environment"].items())
        rows.append(("cores", f"{threads['usable']} usable of {threads['cores']}" + (f"; {said}" if said else "")))
    out.print(facts(*rows))
    out.print()
    out.print(_extras(found["extras"]))
    out.print()
    out.print(_formats(found["formats"]))
    out.print()
    for warning in found["warnings"]:
        out.print(Text.assemble(("warning: ", "yellow"), warning), soft_wrap=True)
    if not found["warnings"] and not found["missing"]:
        out.print("all well", style="green")


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False, header_style="dim")
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def _extras(found: dict[str, dict[str, str | None]]) -> Table:
    table = _table("optional", "package", "here", "gives", "install with")
    for extra, names in found.items():
        for name, version in names.items():
            here = Text(version, style="green") if version else Text("absent", style="yellow")
            command = "" if version else f"pip install 'imagemill[{extra}]'"
            table.add_row(name, here, EXTRAS[extra][name], Text(command))
    return table


def _formats(found: list[dict[str, Any]]) -> Table:
    remarks = {f.suffix: "; ".join(filter(None, (f.remark, f.added_by))) for f in im.formats()}
    table = _table("formats", "suffix", "reads", "writes", "remark")
    for row in found:
        words = [Text("yes", style="green") if row[what] else Text("no", style="dim") for what in ("reads", "writes")]
        table.add_row(row["suffix"], *words, Text(remarks[row["suffix"]]))
    return table
