"""The rooms of the package see each other in one direction only; pyproject.toml holds the list."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from functools import cache
from pathlib import Path

import grimp
import pytest

from tests.architecture.repository import ROOT, SRC, environment

# Optional packages: imported in one leaf each, through core.extras.require, which names the extra to install.
OPTIONAL = {
    *("nibabel", "tifffile", "imagecodecs", "matplotlib", "skimage", "sklearn"),
    *("pydicom", "h5py", "datasets", "pandas", "torch", "keras", "jax", "tensorflow", "lightning", "grain"),
    *("tensorboard", "mlflow", "onnxruntime"),
}

LINT = "from importlinter.cli import lint_imports_command; lint_imports_command()"


def lint(source: Path, folder: Path) -> tuple[int, str]:
    command = [
        sys.executable,
        "-c",
        LINT,
        "--config",
        str(ROOT / "pyproject.toml"),
        "--no-cache",
        "--no-logo",
    ]
    run = subprocess.run(command, cwd=folder, env=environment(source), capture_output=True, text=True, timeout=600)
    return run.returncode, run.stdout + run.stderr


def test_all_contracts_are_kept(tmp_path: Path) -> None:
    code, said = lint(SRC, tmp_path)
    assert code == 0, said


@cache
def rooms() -> tuple[str, ...]:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
    layers = next(c["layers"] for c in contracts["contracts"] if c["id"] == "rooms")
    return tuple(re.findall(r"\w+", " ".join(layers)))


def small_package(root: Path, **sources: str) -> Path:
    """A package with every room, empty but for the given lines."""
    verbs = [f"verbs_{name}" for name in ("augment", "export", "prepare", "scan")]
    for room in ("", *rooms(), *verbs):
        folder = root / "imagemill" / room.replace("verbs_", "verbs/")
        folder.mkdir(parents=True)
        (folder / "__init__.py").write_text(sources.get(room, ""), encoding="utf-8")
    return root


def test_a_package_that_keeps_to_the_rooms_passes(tmp_path: Path) -> None:
    downwards = small_package(
        tmp_path, app="import imagemill.feed", engine="import imagemill.core", core="import numpy"
    )
    code, said = lint(downwards, tmp_path)
    assert code == 0, said


@pytest.mark.parametrize(
    ("room", "line"),
    [
        ("core", "import imagemill.data"),
        ("core", "import scipy"),
        ("transforms", "import imagemill.engine"),
        ("audits", "import imagemill.feed"),
        ("pipeline", "from imagemill import data"),
        ("data", "def f():\n    import imagemill.app"),
        ("app", "import imagemill.testing"),
        ("verbs_scan", "import imagemill.verbs.prepare"),
    ],
)
def test_a_wrong_import_is_refused(tmp_path: Path, room: str, line: str) -> None:
    code, said = lint(small_package(tmp_path, **{room: line}), tmp_path)
    assert code == 1, said
    assert f"imagemill.{room.replace('verbs_', 'verbs.')} is not allowed to import" in " ".join(said.split()), said


def test_a_room_that_is_not_on_the_list_is_refused(tmp_path: Path) -> None:
    package = small_package(tmp_path)
    (package / "imagemill" / "attic.py").write_text("", encoding="utf-8")
    code, said = lint(package, tmp_path)
    assert code == 1, said
    assert "attic" in said


@cache
def graph() -> grimp.ImportGraph:
    """Imports that happen at run time: those for type checkers only are left out."""
    return grimp.build_graph(
        "imagemill", include_external_packages=True, exclude_type_checking_imports=True, cache_dir=None
    )


def outsiders(prefix: str) -> set[str]:
    """Top-level names that modules under `prefix` import and that are neither Python's nor ours."""
    inside = [m for m in graph().modules if m == prefix or m.startswith(prefix + ".")]
    names = {n.partition(".")[0] for m in inside for n in graph().find_modules_directly_imported_by(m)}
    return names - set(sys.stdlib_module_names) - {"imagemill"}


def test_core_imports_numpy_only() -> None:
    assert outsiders("imagemill.core") == {"numpy"}


def test_optional_packages_come_in_through_require() -> None:
    users = {name: graph().find_modules_that_directly_import(name) for name in OPTIONAL & set(graph().modules)}
    assert users == {}, "do: require('package', extra='...') from imagemill.core.extras"


def test_every_package_imported_is_declared() -> None:
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    names = {re.match(r"[\w-]+", d)[0] for d in declared}  # type: ignore[index]
    modules = {"opencv-python-headless": "cv2", "pillow": "PIL", "pyyaml": "yaml", "google-crc32c": "google_crc32c"}
    assert outsiders("imagemill") <= {modules.get(n, n) for n in names}


def test_only_app_uses_the_public_front_door() -> None:
    # `import imagemill` in a lower room would reach any room through lazy names, unseen by the contracts.
    users = graph().find_modules_that_directly_import("imagemill")
    assert {u for u in users if not u.startswith(("imagemill.app", "imagemill.testing"))} == set()


def test_every_folder_with_modules_is_a_package() -> None:
    # Without __init__.py a folder is out of the contracts' sight, and its examples run under a second name.
    folders = {p.parent for p in (SRC / "imagemill").rglob("*.py")}
    assert {f.relative_to(SRC).as_posix() for f in folders if not (f / "__init__.py").is_file()} == set()
