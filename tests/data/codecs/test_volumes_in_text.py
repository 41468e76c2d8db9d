"""MetaImage and NRRD: voxels, sizes and places, against what SimpleITK 2.5.7 says of the same files, and by hand."""

from __future__ import annotations

import bz2
import gzip
import tracemalloc
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import imagemill as im
from imagemill.data import Picture, Record
from imagemill.data.codecs.volumes.volume_header import files_of, volume_place
from imagemill.data.records.loading import encoded, pixels_digest

VOXELS = (np.arange(2 * 3 * 4).reshape(2, 3, 4) * 7 - 60).astype(np.int16)
# As SimpleITK's ReadImage gave them for both headers; the columns are the directions of the axes x, y, z, in LPS.
DIRECTION = np.array([[0.0, -1.0, 0.0], [0.6, 0.0, -0.8], [0.8, 0.0, 0.6]])
SPACING, ORIGIN = (0.5, 0.75, 2.5), (10.0, -20.0, 30.0)
MHA = """ObjectType = Image
NDims = 3
BinaryData = {binary}
BinaryDataByteOrderMSB = {msb}
CompressedData = {packed}
TransformMatrix = 0 0.6 0.8 -1 0 0 0 -0.8 0.6
Offset = 10 -20 30
CenterOfRotation = 0 0 0
AnatomicalOrientation = RAI
ElementSpacing = 0.5 0.75 2.5
DimSize = 4 3 2
ElementType = MET_SHORT
ElementDataFile = {file}
"""
NRRD = """NRRD0004
# Complete NRRD file format specification at:
# http://teem.sourceforge.net/nrrd/format.html
type: short
dimension: 3
space: {space}
sizes: 4 3 2
space directions: {steps}
kinds: domain domain domain
endian: {endian}
encoding: {encoding}
space origin: {origin}
patient:=nobody
{more}"""
STEPS, PLACE = "(0,0.3,0.4) (-0.75,0,0) (0,-2,1.5)", "(10,-20,30)"


def affine() -> np.ndarray:
    """Index (z, y, x) to RAS+, from SimpleITK's words: LPS, columns in the order of its axes x, y, z."""
    lps = np.eye(4)
    lps[:3, :3], lps[:3, 3] = DIRECTION @ np.diag(SPACING), ORIGIN
    return (np.diag([-1.0, -1.0, 1.0, 1.0]) @ lps)[:, [2, 1, 0, 3]]


def mha(path: Path, *, msb: bool = False, packing: str = "raw", file: str = "LOCAL") -> Path:
    raw = VOXELS.astype(">i2" if msb else "<i2").tobytes()
    text = " ".join(str(v) for v in VOXELS.ravel()).encode()
    body = {"raw": raw, "zlib": zlib.compress(raw), "text": text}[packing]
    head = MHA.format(binary=packing != "text", msb=msb, packed=packing == "zlib", file=file).encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(head + (body if file == "LOCAL" else b""))
    if file != "LOCAL":
        (path.parent / file).write_bytes(body)
    return path


def nrrd(path: Path, encoding: str = "gzip", endian: str = "little", file: str = "", **words: str) -> Path:
    raw = VOXELS.astype(">i2" if endian == "big" else "<i2").tobytes()
    body = {
        "raw": raw,
        "gzip": gzip.compress(raw),
        "bzip2": bz2.compress(raw),
        "ascii": " ".join(str(v) for v in VOXELS.ravel()).encode(),
        "hex": raw.hex().encode(),
    }[encoding]
    given = {"space": "left-posterior-superior", "steps": STEPS, "origin": PLACE, "more": "", **words}
    if file:
        given["more"] += f"data file: {file}\n"
    head = NRRD.format(encoding=encoding, endian=endian, **given).encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(head + (b"" if file else b"\n" + body))
    if file:
        (path.parent / file).write_bytes(body)
    return path


def is_right(path: Path) -> Picture:
    found = im.read_picture(path)
    assert (found.axes, found.array.dtype) == ("zyx", np.int16)
    np.testing.assert_array_equal(found.array, VOXELS)
    np.testing.assert_allclose(found.affine, affine(), atol=1e-12)
    np.testing.assert_allclose(found.spacing, SPACING[::-1])
    assert im.image_size(path) == (3, 4)
    shape, place = volume_place(path)
    assert shape == (2, 3, 4)
    np.testing.assert_allclose(place, affine(), atol=1e-12)
    return found


@pytest.mark.parametrize("msb", [False, True])
@pytest.mark.parametrize("packing", ["raw", "zlib", "text"])
@pytest.mark.parametrize(("name", "file"), [("a.mha", "LOCAL"), ("a.mhd", "a.raw")])
def test_metaimage_in_all_its_packings(tmp_path: Path, name: str, file: str, packing: str, msb: bool) -> None:
    is_right(mha(tmp_path / name, msb=msb, packing=packing, file=file))


@pytest.mark.parametrize("endian", ["little", "big"])
@pytest.mark.parametrize("encoding", ["raw", "gzip", "bzip2", "ascii", "hex"])
@pytest.mark.parametrize(("name", "file"), [("a.nrrd", ""), ("a.nhdr", "a.raw.gz")])
def test_nrrd_in_all_its_encodings(tmp_path: Path, name: str, file: str, encoding: str, endian: str) -> None:
    is_right(nrrd(tmp_path / name, encoding, endian, file))


@pytest.mark.parametrize(
    ("space", "steps", "origin"),
    [
        ("LPS", STEPS, PLACE),
        ("right-anterior-superior", "(0,-0.3,0.4) (0.75,0,0) (0,2,1.5)", "(-10,20,30)"),
        ("RAS", "(0,-0.3,0.4) (0.75,0,0) (0,2,1.5)", "(-10,20,30)"),
        ("left-anterior-superior", "(0,-0.3,0.4) (-0.75,0,0) (0,2,1.5)", "(10,20,30)"),
        ("superior-left-posterior", "(0.4,0,0.3) (0,-0.75,0) (1.5,0,-2)", "(30,10,-20)"),
    ],
)
def test_spaces_of_nrrd_end_in_the_same_world(tmp_path: Path, space: str, steps: str, origin: str) -> None:
    is_right(nrrd(tmp_path / "a.nrrd", space=space, steps=steps, origin=origin))


def test_units_of_nrrd_become_millimetres(tmp_path: Path) -> None:
    steps = "(0,300,400) (-750,0,0) (0,-2000,1500)"
    units = 'space units: "um" "um" "um"\n'
    found = is_right(nrrd(tmp_path / "a.nrrd", steps=steps, origin="(10000,-20000,30000)", more=units))
    assert found.note == "stored in um, given in millimetres"


def test_files_that_say_no_place_have_sizes_and_are_paired_by_their_voxels(tmp_path: Path) -> None:
    raw = VOXELS.astype("<i2").tobytes()
    head = "ObjectType = Image\nNDims = 3\nDimSize = 4 3 2\nElementType = MET_SHORT\nElementSpacing = 0.5 0.75 2.5\n"
    (tmp_path / "a.mha").write_bytes(f"{head}ElementDataFile = LOCAL\n".encode() + raw)
    head = (
        "NRRD0001\ntype: short\ndimension: 3\nsizes: 4 3 2\nspacings: 0.5 0.75 2.5\nendian: little\nencoding: raw\n\n"
    )
    (tmp_path / "a.nrrd").write_bytes(head.encode() + raw)
    for name in ("a.mha", "a.nrrd"):
        found = im.read_picture(tmp_path / name)
        np.testing.assert_allclose(found.spacing, SPACING[::-1])
        assert found.meta["placed"] is False
        im.write_picture(tmp_path / f"again{name[1:]}", found)
        assert im.read_picture(tmp_path / f"again{name[1:]}").meta["placed"] is False


@pytest.mark.parametrize("first", [True, False])
def test_axes_without_a_direction_are_channels(tmp_path: Path, first: bool) -> None:
    colours = np.stack([VOXELS, VOXELS + 1, VOXELS + 2], axis=-1)
    stored = colours if first else np.moveaxis(colours, -1, 0)
    sizes, steps = ("3 4 3 2", f"none {STEPS}") if first else ("4 3 2 3", f"{STEPS} none")
    head = f"NRRD0005\ntype: int16\ndimension: 4\nspace: LPS\nsizes: {sizes}\nspace directions: {steps}\n"
    head += f"space origin: {PLACE}\nendian: little\nencoding: raw\n\n"
    (tmp_path / "a.nrrd").write_bytes(head.encode() + stored.astype("<i2").tobytes())
    found = im.read_picture(tmp_path / "a.nrrd")
    assert found.axes == "zyxc"
    np.testing.assert_array_equal(found.array, colours)
    np.testing.assert_allclose(found.affine, affine(), atol=1e-12)


def test_data_files_of_slices_by_list_and_by_pattern(tmp_path: Path) -> None:
    for number, plane in enumerate(VOXELS):
        (tmp_path / f"s{number:02d}.raw").write_bytes(plane.astype("<i2").tobytes())
    head = MHA.format(binary=True, msb=False, packed=False, file="LIST")
    (tmp_path / "list.mhd").write_text(f"{head}s00.raw\ns01.raw\n")
    (tmp_path / "pattern.mhd").write_text(head.replace("LIST", "s%02d.raw 0 1 1"))
    given = {"space": "LPS", "steps": STEPS, "origin": PLACE, "endian": "little", "encoding": "raw"}
    (tmp_path / "list.nhdr").write_text(NRRD.format(**given, more="data file: LIST\ns00.raw\ns01.raw\n"))
    (tmp_path / "pattern.nhdr").write_text(NRRD.format(**given, more="data file: s%02d.raw 0 1 1\n"))
    for name in ("list.mhd", "pattern.mhd", "list.nhdr", "pattern.nhdr"):
        is_right(tmp_path / name)
        assert [path.name for path in files_of(tmp_path / name)] == [name, "s00.raw", "s01.raw"]


@pytest.mark.parametrize("where", ["../secret.raw", "/etc/passwd", "C:\\secret.raw", "a/../../secret.raw", "none.raw"])
def test_a_header_names_files_beside_it_and_no_others(tmp_path: Path, where: str) -> None:
    (tmp_path / "secret.raw").write_bytes(bytes(48))
    given = {"space": "LPS", "steps": STEPS, "origin": PLACE, "endian": "little", "encoding": "raw"}
    below = tmp_path / "below"
    below.mkdir()
    (below / "a.mhd").write_text(MHA.format(binary=True, msb=False, packed=False, file=where))
    (below / "a.nhdr").write_text(NRRD.format(**given, more=f"data file: {where}\n"))
    for name in ("a.mhd", "a.nhdr"):
        with pytest.raises(im.CodecError, match="beside the header"):
            im.read_picture(below / name)


@pytest.mark.parametrize("suffix", [".mha", ".nrrd", ".mhd", ".nhdr"])
def test_headers_that_promise_gigabytes_or_nothing_are_refused(tmp_path: Path, suffix: str) -> None:
    file, data = tmp_path / f"a{suffix}", {".mhd": "a.raw", ".nhdr": "a.raw"}.get(suffix, "")
    for old, new in (("4 3 2", "800 700 300"), ("4 3 2", "0 3 2"), ("4 3 2", "4 3"), ("4 3 2", "99999999 9999999 2")):
        for packing in ("raw", "gzip", "zlib"):
            if suffix in (".mha", ".mhd"):
                mha(file, packing="zlib" if packing == "gzip" else packing, file=data or "LOCAL")
            else:
                nrrd(file, "raw" if packing == "zlib" else packing, file=data)
            file.write_bytes(file.read_bytes().replace(old.encode(), new.encode()))
            wanted = "declares 336,000,000" if new.startswith("800") else r"expected .*, got .*; "
            with pytest.raises(im.CodecError, match=rf"a\.\w+: .*{wanted}"):
                im.read_picture(file)


@pytest.mark.parametrize("encoding", ["gzip", "bzip2"])
def test_what_is_inflated_beyond_the_voxels_is_never_made(tmp_path: Path, encoding: str) -> None:
    nrrd(tmp_path / "a.nrrd", encoding)
    data = (tmp_path / "a.nrrd").read_bytes()
    pack = gzip.compress if encoding == "gzip" else bz2.compress
    bomb = pack(VOXELS.astype("<i2").tobytes() + bytes(5_000_000))
    (tmp_path / "a.nrrd").write_bytes(data[: data.index(b"\n\n") + 2] + bomb)
    tracemalloc.start()
    np.testing.assert_array_equal(im.read_picture(tmp_path / "a.nrrd").array, VOXELS)
    assert tracemalloc.get_traced_memory()[1] < 4_000_000
    tracemalloc.stop()


def test_changed_bytes_are_noticed_by_checksums(tmp_path: Path) -> None:
    for make in (lambda: mha(tmp_path / "a.mha", packing="zlib"), lambda: nrrd(tmp_path / "a.mha", "bzip2")):
        data = bytearray(make().read_bytes())
        data[-12] ^= 0x20
        (tmp_path / "a.mha").write_bytes(data)
        with pytest.raises(im.CodecError, match=r"a\.mha"):
            im.read_picture(tmp_path / "a.mha")


def test_a_header_and_its_voxels_are_one_where_bytes_are_wanted(tmp_path: Path) -> None:
    header = mha(tmp_path / "a.mhd", file="a.raw")
    (tmp_path / "one.mha").write_bytes(encoded(header) or b"")
    is_right(tmp_path / "one.mha")
    before = pixels_digest(header)
    (tmp_path / "a.raw").write_bytes(VOXELS[::-1].astype("<i2").tobytes())
    assert pixels_digest(header) != before


def _patients(root: Path, suffix: str) -> None:
    for number in range(3):
        for kind, values in (("images", VOXELS + number), ("masks", np.abs(VOXELS) % 3)):
            at = root / kind / f"patient{number}{suffix}"
            at.parent.mkdir(parents=True, exist_ok=True)
            if suffix == ".mhd":
                mha(at, file=f"{at.stem}.raw")
                (at.parent / f"{at.stem}.raw").write_bytes(values.astype("<i2").tobytes())
            elif suffix == ".nhdr":
                nrrd(at, "raw", file=f"{at.stem}.raw")
                (at.parent / f"{at.stem}.raw").write_bytes(values.astype("<i2").tobytes())
            else:
                im.write_picture(at, Picture(values.astype(np.int16), "zyx", affine()))


@pytest.mark.parametrize("suffix", [".mha", ".mhd", ".nrrd", ".nhdr"])
def test_patients_with_labels_through_every_verb(tmp_path: Path, suffix: str) -> None:
    _patients(tmp_path / "in", suffix)
    report = im.scan(tmp_path / "in")
    assert (report.layout, report.images, report.unreadable) == ("image-masks", 3, ())
    assert report.pixels is not None
    assert report.pixels.labels == (0, 1, 2)
    im.prepare(tmp_path / "in", tmp_path / "store", seed=1)
    stored = im.open(tmp_path / "store")
    np.testing.assert_array_equal(stored[0].mask, np.abs(VOXELS) % 3)
    im.augment(tmp_path / "in", tmp_path / "out", im.Pipeline([im.Flip("x", p=1.0)], seed=1))
    made = im.open(tmp_path / "out")
    assert len(made) == 3
    written = sorted(path for path in (tmp_path / "out").rglob("*") if path.suffix in (".mha", ".nrrd"))
    assert len(written) == 6
    wanted = affine()
    wanted[:3, 3] += wanted[:3, 2] * 3  # flipped along x: the first voxel is where the last was
    wanted[:3, 2] *= -1
    for path in written:
        found = im.read_picture(path)
        np.testing.assert_allclose(found.affine, wanted, atol=1e-9)
        assert found.array.shape == VOXELS.shape
    im.export(tmp_path / "in", tmp_path / "exported", "image-masks")
    again: Any = im.open(tmp_path / "exported")
    assert len(again) == 3
    files = sorted(path.suffix for path in (tmp_path / "exported").rglob("*") if path.suffix)
    assert {".mhd", ".nhdr", ".raw"}.isdisjoint(files)


def test_a_record_behind_a_header_is_in_an_archive_no_more(tmp_path: Path) -> None:
    record = Record("a.mhd", mha(tmp_path / "a.mhd", file="a.raw"))
    head = record.image.read_bytes()  # type: ignore[union-attr]
    from imagemill.data import Blob
    from imagemill.data.records.loading import load_picture

    with pytest.raises(im.CodecError, match=r"voxels in the same file, got a header for voxels in 'a.raw'"):
        load_picture(Blob("x.tar: a.mhd", ".mhd", lambda: head))
