"""Kernels from a wheel's archive: taken where everything is the same, left where anything is not."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from imagemill.app.ship_kernels import ship
from imagemill.engine import kernel_sources, shipped_kernels
from imagemill.engine.backends.cpu.compile import compiled
from imagemill.engine.kernel_sources import digest_of
from imagemill.engine.shipped_kernels import Archives, KernelCache, recording, write_archive


@compiled.part
def halved(x):  # type: ignore[no-untyped-def]
    return x / 2


@compiled.by_processor
def bound(x):  # type: ignore[no-untyped-def]
    return x + 1


def kernel(x):  # type: ignore[no-untyped-def]
    return halved(x) + 3  # type: ignore[no-untyped-call]


def adding(number: int) -> Any:
    def inner(x):  # type: ignore[no-untyped-def]
        return x + number

    return inner


def called(function, x):  # type: ignore[no-untyped-def]
    return function(x)


Fresh = Callable[[Archives], Any]


@pytest.fixture
def fresh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fresh:
    """The kernel, compiled nowhere yet: it looks into some archives and keeps what it compiles in a new folder."""
    from numba.core import config

    monkeypatch.setattr(config, "CACHE_DIR", str(tmp_path / "own"))

    def made(archives: Archives) -> Any:
        one: Any = compiled(kernel)
        one._cache = KernelCache(kernel, archives)
        return one

    return made


@pytest.fixture
def archives(tmp_path: Path, fresh: Fresh) -> Archives:
    """A folder with an archive that holds the kernel for this processor."""
    found = Archives(tmp_path / "shipped")
    found.folder.mkdir()
    with recording() as made:
        assert fresh(found)(5.0) == 5.5
    write_archive(found.folder / "some.kernels", made, {"fxsr"} & shipped_kernels.instructions())
    return found


def _compiles(one: Any) -> bool:
    """Whether a first call had to compile; what it gives is right in any case."""
    from numba.core import event

    with event.install_recorder("numba:compile") as seen:
        assert one(5.0) == 5.5
    return any(e.data["dispatcher"] is one for _, e in seen.buffer)


def _rewrite(archives: Archives, change: Callable[[str, bytes], bytes]) -> None:
    (path,) = archives.folder.iterdir()
    with zipfile.ZipFile(path) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in entries.items():
            archive.writestr(name, change(name, content))


def test_what_was_shipped_is_not_compiled(archives: Archives, fresh: Fresh) -> None:
    assert not _compiles(fresh(archives))


def test_what_was_shipped_for_another_type_is_compiled(archives: Archives, fresh: Fresh) -> None:
    one = fresh(archives)
    assert one(5) == 5.5
    assert len(one.overloads) == 1
    assert not _compiles(one)


def test_without_an_archive_kernels_are_compiled_and_kept(tmp_path: Path, fresh: Fresh) -> None:
    none = Archives(tmp_path / "nothing")
    assert _compiles(fresh(none))
    assert not _compiles(fresh(none))


@pytest.mark.parametrize("what", ["python", "system", "numba", "llvmlite", "numpy", "settings", "instructions"])
def test_an_archive_made_by_something_else_is_left(archives: Archives, fresh: Fresh, what: str) -> None:
    def change(name: str, content: bytes) -> bytes:
        if name != "manifest.json":
            return content
        manifest = json.loads(content)
        if what == "instructions":
            manifest[what] = [*manifest[what], "an instruction that nobody has"]
        else:
            manifest["made_by"][what] = "another"
        return json.dumps(manifest).encode()

    _rewrite(archives, change)
    assert _compiles(fresh(archives))


@pytest.mark.parametrize("how", ["cut", "turned", "empty", "no manifest", "not a pickle", "another pickle"])
def test_a_damaged_archive_is_left(archives: Archives, fresh: Fresh, how: str) -> None:
    (path,) = archives.folder.iterdir()
    content = path.read_bytes()
    if how == "cut":
        path.write_bytes(content[: len(content) // 2])
    elif how == "turned":  # one bit of every entry
        with zipfile.ZipFile(path) as archive:
            places = [entry.header_offset + 30 + len(entry.filename) + 9 for entry in archive.infolist()]
        whole = bytearray(content)
        for place in places:
            whole[place] ^= 16
        path.write_bytes(whole)
    elif how == "empty":
        path.write_bytes(b"")
    elif how == "no manifest":
        _rewrite(archives, lambda name, content: b"[]" if name == "manifest.json" else content)
    else:
        other = b"\x80\x05K\x01." if how == "another pickle" else b"no pickle"
        _rewrite(archives, lambda name, content: content if name == "manifest.json" else other)
    assert _compiles(fresh(archives))


@pytest.mark.parametrize("name", ["IMAGEMILL_COMPILE_HERE", "NUMBA_CPU_NAME"])
def test_archives_are_left_by_whoever_asks_for_it(
    archives: Archives, fresh: Fresh, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    from numba.core import config

    if name == "NUMBA_CPU_NAME":
        monkeypatch.setattr(config, "CPU_NAME", "generic")
    else:
        monkeypatch.setenv(name, "1")
    assert _compiles(fresh(archives))


def test_a_part_that_changed_makes_a_kernel_new(
    archives: Archives, fresh: Fresh, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In what was shipped, and in what was kept here."""
    none = Archives(tmp_path / "nothing")
    assert _compiles(fresh(none))
    monkeypatch.setattr(shipped_kernels, "digest_of", lambda file: digest_of(file) + "changed")
    assert _compiles(fresh(archives))
    assert not _compiles(fresh(none)), "kept under its new digest"
    monkeypatch.undo()


def test_a_digest_sees_what_is_imported_by_what_is_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "imagemill"
    (package / "room").mkdir(parents=True)
    files = {
        "kernel.py": "from imagemill.room import (\n    part,\n)\n",
        "room/__init__.py": "",
        "room/part.py": "def f():\n    from imagemill.room.number import ONE  # a comment, with words\n",
        "room/number.py": "ONE = 1\n",
        "room/aside.py": "TWO = 2\n",
    }
    for name, text in files.items():
        (package / name).write_text(text)
    monkeypatch.setattr(kernel_sources, "_ROOT", tmp_path)

    def digest() -> str:
        for one in (kernel_sources._read, kernel_sources._file, kernel_sources.digest_of):
            one.cache_clear()
        return digest_of(str(package / "kernel.py"))

    before = digest()
    (package / "room" / "aside.py").write_text("TWO = 3\n")
    assert digest() == before
    for name in ("room/number.py", "room/part.py", "kernel.py"):
        (package / name).write_text(files[name] + "\n")
        after = digest()
        assert after != before, name
        before = after
    digest_of.cache_clear()


def test_kernels_run_where_nothing_can_be_written(
    fresh: Fresh, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from numba.core import caching

    def refused(function: Any) -> None:
        raise RuntimeError("cannot cache function: no locator available")

    monkeypatch.setattr(caching.FunctionCache, "__init__", lambda self, function: refused(function))
    assert _compiles(fresh(Archives(tmp_path)))


def test_parts_and_what_goes_by_the_processor_are_not_shipped(tmp_path: Path, fresh: Fresh) -> None:
    with recording() as made:
        fresh(Archives(tmp_path))(5.0)
        bound(1)  # type: ignore[no-untyped-call]
    (name,) = made
    assert ".kernel-" in name


def test_the_command_writes_an_archive_that_is_used(tmp_path: Path, fresh: Fresh) -> None:
    archives = Archives(tmp_path / "out")

    class OneKernel:
        """In place of a pipeline."""

        def __init__(self) -> None:
            self.kernel = fresh(archives)

        def __call__(self, x: float) -> Any:
            return self.kernel(x)

        def batch(self, *, x: list[float], axes: object) -> Any:
            return [self.kernel(np.float64(one)) for one in x]

    path = ship(archives.folder, [("one", OneKernel(), {"x": 2.0})], "some-level", ())
    assert "-some-level.kernels" in path.name
    assert not _compiles(fresh(archives))


def test_a_kernel_of_other_options_is_another_kernel(archives: Archives, fresh: Fresh) -> None:
    one = fresh(archives)
    one._cache = KernelCache(kernel, archives, "others")
    assert _compiles(one)
    other = fresh(archives)
    other._cache = KernelCache(kernel, None, "others again")
    assert _compiles(other), "kept under its options"


def test_what_no_name_stands_for_is_not_shipped() -> None:
    """A number of the function around it is not in its source, and where a function lies is no name for it."""
    with recording() as made:
        first, second = compiled(adding(1)), compiled(adding(2))
        assert (first(5.0), second(5.0)) == (6.0, 7.0)
        assert compiled(called)(first, 5.0) == 6.0  # type: ignore[no-untyped-call]
    assert made == {}
