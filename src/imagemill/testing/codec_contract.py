"""What every codec must do, as one call a codec's own tests can make."""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from imagemill.core.errors import CodecError
from imagemill.data.codecs.base import Codec, Picture, ReadOptions
from imagemill.data.codecs.error_guard import Guarded
from imagemill.data.codecs.fitness import check_fit
from imagemill.testing.damage import cuts, damaged, flipped
from imagemill.testing.made_pictures import picture

__all__ = ["check_codec", "codec_pictures"]

_DTYPES = ("bool", "uint8", "int16", "uint16", "int32", "float32", "float64")
_NEAR = 0.03
"""How far pixels may be apart on average after formats that lose some, as a share of the range of their dtype."""

_DAMAGED = 12
_STARTS = {
    ".png": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
    ".jpg": b"\xff\xd8\xff\xe0\0\x10JFIF\0",
    ".gif": b"GIF89a",
    ".tif": b"II*\0\x08\0\0\0",
    ".npy": b"\x93NUMPY\x01\0",
    ".txt": b"Some text, in words.",
    ".bin": b"\0" * 512,
}


def check_codec(codec: Codec, *, files: Mapping[str, bytes] = {}, lossy: Collection[str] = ()) -> None:
    """Check a codec: what it says it holds comes back, headers agree, damage is named, and no file of others is taken.

    Everything goes through the guard that a registered codec has, so whatever a codec raises on damaged bytes counts as
    refusing them; a picture made of them counts as a fault where the file was cut in half.

    Parameters
    ----------
    codec : Codec
        It need not be registered.
    files : mapping of str to bytes
        Whole files by name, with a suffix of the codec; for codecs that do not write, all that is tried.
    lossy : collection of str
        Suffixes whose pixels come back alike and not equal.

    Raises
    ------
    AssertionError
        Naming the first promise that is broken.
    InputError
        When it lacks a method, a name or suffixes.

    Examples
    --------
    >>> from imagemill.data.codecs.npy import NpyCodec
    >>> check_codec(NpyCodec())
    """
    check_fit(codec)
    guarded = Guarded(codec)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        written = {}
        for suffix in codec.writes:
            made = [data for one in codec_pictures() if (data := _round_trip(guarded, one, suffix, root, lossy))]
            assert made, f"{suffix}: at least one picture of `codec_pictures` can be written"
            written[f"written{suffix}"] = made[-1]
        _refuses(guarded)
        for name, data in {**written, **files}.items():
            assert any(name.lower().endswith(suffix) for suffix in codec.suffixes), f"{name} is a file of this codec"
            _reads(guarded, root / name, data)
            _survives(guarded, root / name, data)
    _leaves_others(guarded)


def codec_pictures() -> Iterator[Picture]:
    """The pictures that codecs are asked to hold: photos, volumes, of all dtypes, channels and places in the world.

    Examples
    --------
    >>> next(codec_pictures()).array.dtype
    dtype('bool')
    """
    affine = np.array([[0, 0, -1.5, 4], [0, 2.0, 0, -5], [3.0, 0, 0, 6], [0, 0, 0, 1]])
    for dtype in _DTYPES:
        for axes, channels in (("yx", None), ("yxc", 1), ("yxc", 3), ("yxc", 4), ("zyx", None), ("zyxc", 2)):
            shape = (4, 9, 12)[3 - len(axes.removesuffix("c")) :]
            values = picture(7, shape, channels, "uint8" if dtype == "bool" else dtype)
            array = values > 127 if dtype == "bool" else values
            yield Picture(array, axes, affine if axes.startswith("z") else None)


def _round_trip(codec: Guarded, one: Picture, suffix: str, root: Path, lossy: Collection[str]) -> bytes | None:
    """The file of a picture, which reads back as the same; None where the codec says that it does not hold it."""
    what = f"{suffix} of {one.array.dtype} {one.axes} {one.array.shape}"
    reason = codec.can_write(one, suffix)
    if reason is not None:
        assert reason, f"{what}: what cannot be written has a reason"
        return None
    before = one.array.copy()
    data = codec.encode(one, suffix)
    np.testing.assert_array_equal(one.array, before, err_msg=f"{what}: encoding leaves the picture alone")
    again = codec.encode(Picture(np.asfortranarray(one.array), one.axes, one.affine), suffix)
    assert data == again, f"{what}: equal pictures give equal bytes, whatever their strides"
    file = root / f"one{suffix}"
    file.write_bytes(data)
    back = codec.read(file, ReadOptions())
    if back.axes != one.axes and back.array.shape == one.array.shape:
        back = codec.read(file, ReadOptions(axes=one.axes))  # the format does not say its axes
    _same(one, back, what, lossy=suffix in lossy)
    if one.affine is not None and back.affine is not None:
        np.testing.assert_allclose(back.affine, one.affine, rtol=1e-6, err_msg=f"{what}: the place in the world")
    return data


def _same(one: Picture, back: Picture, what: str, *, lossy: bool) -> None:
    assert back.spatial_shape == one.spatial_shape, f"{what}: came back as {back.spatial_shape}"
    assert back.array.flags.c_contiguous, f"{what}: pixels come in C order"
    assert back.array.dtype.isnative, f"{what}: pixels come in native byte order"
    wanted, got = (each.array if each.channels else each.array[..., None] for each in (one, back))
    if wanted.shape[-1] == 1 and got.shape[-1] == 3:
        wanted = np.repeat(wanted, 3, axis=-1)  # the format has no gray
    if wanted.dtype == bool and got.dtype != bool:
        wanted = wanted.astype(got.dtype) * got.max()  # it has no bits, and shows them as black and white
    assert got.dtype == wanted.dtype, f"{what}: came back as {got.dtype}"
    assert got.shape == wanted.shape, f"{what}: came back as {back.axes} {back.array.shape}"
    if not lossy:
        np.testing.assert_array_equal(got, wanted, err_msg=f"{what}: pixels")
        return
    reach = 1.0 if got.dtype.kind == "f" else float(np.iinfo(got.dtype).max)
    apart = float(np.abs(got.astype(np.float64) - wanted.astype(np.float64)).mean()) / reach
    assert apart <= _NEAR, f"{what}: pixels are {apart:.3f} of their range apart on average"


def _refuses(codec: Guarded) -> None:
    """What cannot be written is said before, not while it is encoded."""
    odd = Picture(np.zeros((2, 3), np.complex64), "yx")
    for suffix in codec.suffixes:
        reason = codec.can_write(odd, suffix)
        assert reason, f"{suffix}: complex numbers are no picture, so can_write has a reason against them"
        if suffix not in codec.writes:
            reason = codec.can_write(Picture(np.zeros((2, 3), np.uint8), "yx"), suffix)
            assert reason, f"{suffix} is not among `writes`, so can_write has a reason against everything"


def _reads(codec: Guarded, file: Path, data: bytes) -> None:
    """A whole file: the same from a path and from bytes, from many threads, and with what its header says."""
    file.write_bytes(data)
    name = file.name
    stored = codec.read(file, ReadOptions(exif=False))
    assert codec.read(file, ReadOptions(exif=False), data).array.tobytes() == stored.array.tobytes(), (
        f"{name}: `data` is read as the file is"
    )
    for header in (codec.header(file), codec.header(file, data)):
        assert header[0] == stored.spatial_shape[-2:], f"{name}: header {header[0]}, pixels {stored.spatial_shape}"
        assert header[1] in range(1, 9), f"{name}: EXIF orientations are 1 to 8, got {header[1]}"
    with ThreadPoolExecutor(4) as pool:
        for found in pool.map(lambda _: codec.read(file, ReadOptions()), range(8)):
            assert found.spatial_shape[-2:] in (header[0], header[0][::-1]), f"{name}: read in threads"
    count = int(np.prod(stored.spatial_shape))
    if count > 1:
        said = _said(codec, file, ReadOptions(max_pixels=count - 1))
        assert said, f"{name}: more than max_pixels is refused"


def _survives(codec: Guarded, file: Path, data: bytes) -> None:
    """Damaged files are refused by a CodecError or read as some picture; a truncated file is refused."""
    halves = [data[: len(data) // 2], data[: len(data) // 4], b""]
    variants = [*cuts(data), *(flipped(data, seed) for seed in range(_DAMAGED))]
    variants += [damaged(data, seed) for seed in range(_DAMAGED)]
    for content in (*halves, *variants):
        file.write_bytes(content)
        said = _said(codec, file, ReadOptions())
        assert _said(codec, file, ReadOptions(), content) is not None or said is None, f"{file.name}: as bytes, damaged"
        _header_said(codec, file)
        assert said or content not in halves, f"{file.name}: cut to {len(content)} of {len(data)} bytes is refused"


def _said(codec: Guarded, file: Path, options: ReadOptions, data: bytes | None = None) -> str | None:
    """What the error says, where there is one."""
    try:
        made = codec.read(file, options, data)
    except CodecError as error:
        return str(error) or "an error without words"
    return None if made.array.size else "a picture without pixels, which whoever asked the codec refuses"


def _header_said(codec: Guarded, file: Path) -> None:
    try:
        (height, width), _ = codec.header(file)
    except CodecError:
        return
    assert isinstance(height, int), f"{file.name}: heights are whole numbers"
    assert isinstance(width, int), f"{file.name}: widths are whole numbers"


def _leaves_others(codec: Guarded) -> None:
    for suffix, start in _STARTS.items():
        if suffix not in codec.suffixes:
            assert not codec.recognises(start), f"recognises() takes a file that begins like {suffix} for its own"
    assert not codec.recognises(b""), "recognises() takes an empty file for its own"
