"""No exception of a library leaves a codec: whatever is raised below becomes a CodecError that names file and cause."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import imagemill
from imagemill.core.errors import CodecError, InputError, MissingExtra
from imagemill.data import Picture, ReadOptions, image_size, read_mask, read_picture, write_picture
from imagemill.data.codecs import registry
from imagemill.data.codecs.error_guard import Guarded, is_guarded
from imagemill.data.layouts.shapes.stored_size import seen_of
from imagemill.testing.damage import cut, damaged, flipped
from imagemill.testing.samples import sample_files


class OddError(Exception):
    """What no list of exceptions holds."""


RAISED = [
    OddError("odd"),
    KeyError(6),
    RuntimeError("half"),
    AttributeError("x"),
    RecursionError("deep"),
    AssertionError(),
    SystemError("c"),
    StopIteration(),
    OverflowError("big"),
    BufferError("short"),
    MemoryError(),
    OSError("bad"),
]
CODECS = {codec.name: registry.SHELF.own(codec.name) for codec in registry.OWN}


def _raise(error: BaseException) -> Callable[..., Any]:
    def call(*_: Any, **__: Any) -> Any:
        raise error

    return call


@pytest.mark.parametrize("error", RAISED, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("name", sorted(CODECS))
def test_every_way_into_every_codec_raises_our_error_only(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, error: Exception
) -> None:
    guarded = CODECS[name]
    assert isinstance(guarded, Guarded)
    suffix = guarded.suffixes[0]
    file = tmp_path / f"a{suffix}"
    file.write_bytes(b"x" * 200)
    for method in ("read", "header", "can_write", "encode"):
        monkeypatch.setattr(type(guarded.codec), method, _raise(error))
    picture = Picture(np.zeros((2, 3), np.uint8), "yx")
    for call in (
        lambda: read_picture(file),
        lambda: read_mask(file),
        lambda: guarded.read(file, ReadOptions()),
        lambda: guarded.header(file),
        lambda: guarded.can_write(picture, suffix),
        lambda: guarded.encode(picture, suffix),
    ):
        with pytest.raises(CodecError, match=r"expected .*, got .*; ") as caught:
            call()
        assert caught.value.__cause__ is error
    with pytest.raises(CodecError, match=f"a\\{suffix}: expected"):
        read_picture(file)


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(2), InputError("ours"), MissingExtra("ours")])
def test_interrupts_and_our_own_errors_pass(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, error: BaseException
) -> None:
    (tmp_path / "a.png").write_bytes(b"x" * 200)
    monkeypatch.setattr(type(CODECS["photo"].codec), "read", _raise(error))  # type: ignore[attr-defined]
    with pytest.raises(type(error)) as caught:
        read_picture(tmp_path / "a.png")
    assert caught.value is error


def _imported() -> set[tuple[str, str]]:
    """Module and name of everything that other rooms take from the codecs."""
    home, found = Path(imagemill.__file__).parent, set()
    # Front doors load names when they are used, and list them in stubs.
    for file in (*home.rglob("*.py"), *home.rglob("*.pyi")):
        if "codecs" in file.parent.parts:
            continue
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("imagemill.data.codecs."):
                found |= {(str(node.module), one.name) for one in node.names}
    return found


# These look at pixels and words that are in memory already.
_NO_FILES = {
    "check_inflation",
    "check_pixels",
    "check_plain",
    "convert",
    "head",
    "label_map",
    "not_plain",
    "place_axes",
    "unread",
}
_NO_FILES |= {"problem", "gunzip", "axes_by_rank", "smallest_integers", "is_readable_name"}


def test_whatever_takes_a_file_apart_for_other_rooms_is_guarded() -> None:
    seen = set()
    for module, name in _imported():
        function = getattr(importlib.import_module(module), name)
        if not inspect.isfunction(function) or name in _NO_FILES:
            continue
        first = next(iter(inspect.signature(function).parameters), "")
        if first in ("path", "where"):
            assert is_guarded(function), f"{module}.{name} lets exceptions of libraries through: wrap it in @guarded"
            seen.add(name)
    assert seen >= {
        "decode",
        "decode_jpeg",
        "image_size",
        "load_dataset",
        "read_frames",
        "read_picture",
        "volume_place",
    }


BELOW = {
    "photo.jpg": ("simplejpeg.decode_jpeg_header", "PIL.JpegImagePlugin.JpegImageFile"),
    "alpha.png": ("PIL.PngImagePlugin.PngImageFile",),
    "photo.bmp": ("imagemill.data.codecs.photos.pillow_formats.pil_pixels",),
    "lzw.tif": ("tifffile.TiffFile",),
    "scan.nii.gz": ("nibabel.Nifti1Header",),
    "scan.npy": ("numpy.load",),
    "scan.dcm": ("pydicom.filereader.read_partial",),
}


@pytest.mark.parametrize("name", sorted(BELOW))
def test_a_library_that_fails_in_its_own_way_is_named_with_the_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    files = sample_files()
    match = next(one for one in files if one == name or one.endswith(name.partition(".")[2]))
    file = tmp_path / name
    file.write_bytes(files[match])
    for target in BELOW[name]:
        monkeypatch.setattr(target, _raise(OddError("odd")))
    with pytest.raises(CodecError, match=r"expected .*, got .*odd.*; ") as caught:
        read_picture(file)
    assert str(file) in str(caught.value)


def _variants(name: str, files: dict[str, bytes]) -> list[bytes]:
    """Thirty files that are not what their name says: cut, flipped, damaged, and other formats' content."""
    data, others = files[name], [content for other, content in files.items() if other != name]
    return [
        *(cut(data, n / 10) for n in range(1, 10)),
        *(flipped(data, seed) for seed in range(8)),
        *(damaged(data, seed, others[seed % len(others)]) for seed in range(8)),
        *(data[: len(data) // 3] + other[len(other) // 3 :] for other in others[:5]),
    ]


def _size_of_bytes(path: Path) -> tuple[int, int]:
    return image_size(path.read_bytes())


def _said(read: Callable[[Path], Any], file: Path) -> str | None:
    """What the error says where there is one; any other exception than ours fails the test."""
    try:
        read(file)
    except CodecError as error:
        return str(error)
    return None


@pytest.mark.parametrize("name", sorted(sample_files()))
def test_thirty_damaged_or_foreign_files_raise_nothing_else(tmp_path: Path, name: str) -> None:
    variants = _variants(name, sample_files())
    assert len(variants) == 30
    refused = 0
    for number, content in enumerate(variants):
        file = tmp_path / f"{number}-{name}"
        file.write_bytes(content)
        for read in (read_picture, read_mask, image_size, _size_of_bytes, seen_of):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # in the test run they are errors, which would be turned as well
                said = _said(read, file)
            assert said is None or re.search("expected .*, got .*; ", said, re.DOTALL)
            refused += read is read_picture and said is not None
    assert refused >= 9  # no file that is cut off is taken for whole


def test_a_picture_that_cannot_be_encoded_names_file_and_cause(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("simplejpeg.encode_jpeg", _raise(OddError("odd")))
    with pytest.raises(CodecError, match=r"a \.jpg file holds, got OddError: odd"):
        write_picture(tmp_path / "a.jpg", Picture(np.zeros((4, 4, 3), np.uint8), "yxc"))
