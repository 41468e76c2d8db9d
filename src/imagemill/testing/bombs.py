"""Files made to do harm: small ones that declare gigabytes, run in circles, lead elsewhere, or bring code along.

Nothing in here does harm by lying in a folder. What opens one has to refuse it, soon and in little memory.
"""

from __future__ import annotations

import gzip
import io
import pickle
import struct
import tarfile
import zipfile
import zlib

import numpy as np

from imagemill.testing.samples import sample_files

__all__ = ["hostile_archives", "hostile_files", "hostile_texts"]

_MANY = 64 << 20


def hostile_files(payload: str = "") -> dict[str, bytes]:
    """Damaged or malicious pictures and volumes, by file name.

    Parameters
    ----------
    payload : str
        A path that the pickles in some of them would create, if anything loaded them.

    Examples
    --------
    >>> files = hostile_files()
    >>> len(files["size.png"]) < 100, len(files) > 30
    (True, True)
    """
    whole = sample_files()
    jpeg, gif = whole["photo.jpg"], whole["film.gif"]
    text = _chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(_MANY), 9))
    profile = _chunk(b"iCCP", b"p\0\0" + zlib.compress(bytes(_MANY), 9))
    found = {
        "empty.png": b"",
        "text.jpg": b"these are no pixels",
        "page.png": b"<!DOCTYPE html><html>404</html>",
        "jpeg-named.dcm": jpeg,
        "png-named.nii.gz": whole["gray.png"],
        "size.png": _png(60_000, 60_000),
        "size-below-limit.png": _png(14_000, 14_000),
        "texts.png": whole["gray.png"][:33] + text + whole["gray.png"][33:],
        "profile.png": whole["alpha.png"][:33] + profile + whole["alpha.png"][33:],
        "no-end.png": whole["gray.png"][:33] + _chunk(b"IDAT", zlib.compress(bytes(200))) * 3,
        "size.jpg": _jpeg_of(jpeg, 65_500, 65_500),
        "fill.jpg": jpeg[:2] + b"\xff" * (4 << 20) + jpeg[2:],
        "only-fill.jpg": jpeg[:2] + b"\xff" * (4 << 20),
        "exif-circle.jpg": _with_exif(jpeg, _circle()),
        "size.gif": gif[:6] + struct.pack("<HH", 65_535, 65_535) + gif[10:],
        "frames.gif": _many_frames(),
        "size.bmp": _bmp(60_000, 60_000),
        "negative.bmp": _bmp(-1, -(2**31)),
        "size.webp": _webp(16_383, 16_383),
        "circle.tif": _tiff(4, 4, again=True),
        "size.tif": _tiff(60_000, 60_000),
        "size-below-limit.tif": _tiff(14_000, 14_000),
        "tags.tif": struct.pack("<2sHIH", b"II", 42, 8, 65_535) + bytes(2000),
        "size.nii": _nifti(whole["scan.nii"], (3, 32_000, 32_000, 32_000)),
        "size-below-limit.nii.gz": gzip.compress(_nifti(whole["scan.nii"], (3, 580, 580, 580)), mtime=0),
        "negative.nii": _nifti(whole["scan.nii"], (3, -4, 6, 8)),
        "axes.nii": _nifti(whole["scan.nii"], (7, 1, 1, 1)),
        "inflates.nii.gz": _zeros_behind(whole["scan.nii"]),
        "size.mgh": whole["scan.mgh"][:4] + struct.pack(">4i", 20_000, 20_000, 20_000, 1) + whole["scan.mgh"][20:],
        "size.npy": _npy("(100000, 100000)"),
        "huge.npy": _npy("(9223372036854775807, 9223372036854775807)"),
        "negative.npy": _npy("(-1, 4)"),
        "code.npy": _npy("(__import__('os').getpid(), 4)"),
        "deep.npy": _npy("(" * 3000 + ")" * 3000),
        "pickle.npy": _pickled_npy(payload),
        "pickle-inside.npy": pickle.dumps(_Touch(payload)),
        "size.dcm": _dicom_rows(whole["scan.dcm"]),
        "deflated.dcm": _deflated(),
    }
    return found


class _Touch:
    """What a pickle would run: making an empty file."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str, str]]:
        return open, (self.path, "w")


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def _png(width: int, height: int) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(b"")) + _chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def _jpeg_of(jpeg: bytes, height: int, width: int) -> bytes:
    at = jpeg.index(b"\xff\xc0") + 5
    return jpeg[:at] + struct.pack(">HH", height, width) + jpeg[at + 4 :]


def _with_exif(jpeg: bytes, block: bytes) -> bytes:
    body = b"Exif\0\0" + block
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body + jpeg[2:]


def _circle() -> bytes:
    """A directory whose sub-directory, and whose next one, is itself."""
    tags = struct.pack("<HHII", 0x8769, 4, 1, 8) + struct.pack("<HHII", 0x8825, 4, 1, 8)
    return struct.pack("<2sHI", b"II", 42, 8) + struct.pack("<H", 2) + tags + struct.pack("<I", 8)


def _many_frames(count: int = 20_000) -> bytes:
    """Frames of one pixel each."""
    head = b"GIF89a" + struct.pack("<HHBBB", 8, 8, 0x80, 0, 0) + bytes(6)
    return head + (b"\x2c" + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x02\x02\x44\x01\x00") * count + b"\x3b"


def _bmp(width: int, height: int) -> bytes:
    return struct.pack("<2sIIIIiiHHIIiiII", b"BM", 54, 0, 54, 40, width, height, 1, 24, 0, 0, 0, 0, 0, 0)


def _webp(width: int, height: int) -> bytes:
    size = struct.pack("<I", width - 1)[:3] + struct.pack("<I", height - 1)[:3]
    body = (
        b"WEBPVP8X"
        + struct.pack("<I", 10)
        + bytes(4)
        + size
        + b"VP8L"
        + struct.pack("<I", 6)
        + b"\x2f\xff\xff\xff\x0f\0"
    )
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _tiff(width: int, height: int, *, again: bool = False) -> bytes:
    tags = ((256, width), (257, height), (258, 8), (259, 8), (262, 1), (273, 200), (277, 1), (278, height), (279, 20))
    body = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
    head = struct.pack("<2sHIH", b"II", 42, 8, len(tags)) + body + struct.pack("<I", 8 if again else 0)
    return head.ljust(200, b"\0") + zlib.compress(bytes(16)).ljust(20, b"\0")


def _nifti(whole: bytes, dim: tuple[int, ...]) -> bytes:
    return whole[:40] + struct.pack(f"<{len(dim)}h", *dim) + whole[40 + 2 * len(dim) :]


def _zeros_behind(whole: bytes) -> bytes:
    return gzip.compress(whole + bytes(_MANY), mtime=0)


def _npy(shape: str) -> bytes:
    head = f"{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}, }}".encode()
    head += b" " * (-(len(head) + 11) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head + bytes(64)


def _pickled_npy(payload: str) -> bytes:
    buffer = io.BytesIO()
    array = np.empty(1, dtype=object)
    array[0] = _Touch(payload)
    np.save(buffer, array, allow_pickle=True)
    return buffer.getvalue()


def _dicom_rows(whole: bytes) -> bytes:
    """The same few pixels under rows and columns of 60,000."""
    found = whole
    for tag in (b"\x28\x00\x10\x00US\x02\x00", b"\x28\x00\x11\x00US\x02\x00"):
        at = found.index(tag) + len(tag)
        found = found[:at] + struct.pack("<H", 60_000) + found[at + 2 :]
    return found


def _deflated() -> bytes:
    """A deflated data set that becomes a thousand times as long."""
    syntax = b"1.2.840.10008.1.2.1.99"
    meta = b"\x02\x00\x10\x00UI" + struct.pack("<H", len(syntax)) + syntax
    group = b"\x02\x00\x00\x00UL\x04\x00" + struct.pack("<I", len(meta))
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return bytes(128) + b"DICM" + group + meta + packer.compress(bytes(_MANY)) + packer.flush()


def hostile_archives(payload: str = "") -> dict[str, bytes]:
    """Tar and zip archives whose members lead out of the folder, are no files, or grow beyond measure.

    Parameters
    ----------
    payload : str
        As for `hostile_files`.
    """
    picture = sample_files()["gray.png"]
    tars = {
        "absolute.tar": [("/tmp/imagemill-slipped.png", tarfile.REGTYPE, "")],
        "parent.tar": [("../../imagemill-slipped.png", tarfile.REGTYPE, "")],
        "links.tar": [("a.png", tarfile.SYMTYPE, "/etc/passwd"), ("b.png", tarfile.LNKTYPE, "../../../etc/passwd")],
        "devices.tar": [
            ("a.png", tarfile.CHRTYPE, ""),
            ("b.png", tarfile.FIFOTYPE, ""),
            ("c.png", tarfile.BLKTYPE, ""),
        ],
        "same.tar": [("a.png", tarfile.REGTYPE, ""), ("a.png", tarfile.REGTYPE, "")],
        "odd-names.tar": [("a\n\u202eb.png", tarfile.REGTYPE, ""), ("x" * 300 + ".png", tarfile.REGTYPE, "")],
    }
    found = {name: _tar([*members, ("good.png", tarfile.REGTYPE, "")], picture) for name, members in tars.items()}
    found["size.tar"] = _tar_of_size(1 << 40)
    found["inflates.tar.gz"] = gzip.compress(_tar_of_size(_MANY) + bytes(_MANY), mtime=0)
    array = io.BytesIO()
    np.save(array, np.zeros((4, 8, 8), np.uint8))
    zips = {
        "parent.npz": [("../../imagemill-slipped.npy", array.getvalue())],
        "absolute.npz": [("/tmp/imagemill-slipped.npy", array.getvalue())],
        "pickle.npz": [("images.npy", _pickled_npy(payload))],
        "inflates.npz": [("images.npy", _npy(f"(1, 8192, {_MANY // 8192})")[:128] + bytes(_MANY))],
        "size.npz": [("images.npy", _npy("(1000000, 1000, 1000)"))],
        "code.npz": [("images.npy", _npy("(__import__('os').getpid(), 4, 4)"))],
        "twice.npz": [("images.npy", array.getvalue()), ("images.npy", array.getvalue())],
    }
    return found | {name: _zip(members) for name, members in zips.items()}


def _tar(members: list[tuple[str, bytes, str]], data: bytes) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, kind, target in members:
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, target
            info.size = len(data) if kind == tarfile.REGTYPE else 0
            archive.addfile(info, io.BytesIO(data) if info.size else None)
    return buffer.getvalue()


def _tar_of_size(size: int) -> bytes:
    info = tarfile.TarInfo("a.png")
    info.size = size
    return info.tobuf(tarfile.GNU_FORMAT) + bytes(1024)


def _zip(members: list[tuple[str, bytes]]) -> bytes:
    import warnings

    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of a name that is there twice, which is meant
        for name, data in members:
            archive.writestr(name, data)
    return buffer.getvalue()


def hostile_texts() -> dict[str, bytes]:
    """Tables and annotations with bombs, code, and paths that lead elsewhere, by file name."""
    laughs = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))
    outside = ("../secret.png", "/etc/passwd", "..\\secret.png", "images/../../secret.png", "\\\\host\\share\\a.png")
    lines = [*outside, "file:///etc/passwd", "http://127.0.0.1:1/a.png", "x" * 5000 + ".png", "a\0b.png", "~/a.png"]
    deep = 200_000
    return {
        "laughs.xml": f'<!DOCTYPE a [<!ENTITY a0 "ha">{laughs}]><annotation>&a9;</annotation>'.encode(),
        "outside.xml": b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><annotation>&x;</annotation>',
        "deep.xml": b"<a>" * deep + b"</a>" * deep,
        "code.yaml": b"names: !!python/object/apply:os.system ['touch imagemill-slipped']\n",
        "laughs.yaml": (
            "a0: &a0 [x]\n"
            + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 10))
            + "names: *a9\n"
        ).encode(),
        "circle.yaml": b"names: &a [*a]\ntrain: images\n",
        "deep.yaml": b"names: " + b"[" * 20_000,
        "outside.yaml": b"path: /etc\ntrain: ../..\nnames: [a]\n",
        "deep.json": b"[" * deep + b"]" * deep,
        "deep.jsonl": b'{"image": ' + b"[" * deep + b"\n",
        "numbers.json": b'[{"image": "a.png", "label": ' + b"9" * 100_000 + b"}]",
        "outside.csv": ("image,label\n" + "".join(f'"{line}",a\n' for line in lines)).encode(),
        "crlf.csv": b'\xef\xbb\xbfimage,label\r\n"good.png","a ""b""\r\nc"\r\n',
        "quote.csv": b'image,label\n"good.png,a\n' + b"x,y\n" * 1000,
        "wide.csv": b"image," + b",".join(b"c%d" % n for n in range(20_000)) + b"\ngood.png\n",
        "latin.csv": b"image,label\ngood.png,caf\xe9\n",
        "lone.json": b'[{"image": "good.png", "label": "\\ud800"}]',
    }
