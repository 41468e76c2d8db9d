from __future__ import annotations

import gzip
import io
import pickle
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from imagemill.core.errors import CodecError, SourceError
from imagemill.data import Source, load_picture
from imagemill.data.layouts.base import ReadSource
from imagemill.data.layouts.opening import open_source
from imagemill.data.layouts.registry import guesses, look_at
from imagemill.data.layouts.shards.crc32c import crc32c, masked_crc32c
from imagemill.data.layouts.shards.tf_example import decode_example, encode_example
from imagemill.data.layouts.shards.tf_example_write import framed
from imagemill.data.layouts.shards.tfrecord import TfRecord
from imagemill.data.records.loading import encoded


@pytest.mark.parametrize(
    ("data", "crc"),
    [
        # RFC 3720, appendix B.4.
        (bytes(32), 0x8A9136AA),
        (b"\xff" * 32, 0x62A8AB43),
        (bytes(range(32)), 0x46DD794E),
        (bytes(range(31, -1, -1)), 0x113FDB5C),
        (bytes.fromhex("01c00000" + "00000000" * 3 + "14000000" + "00000400" + "00000014" + "00000018"
                       + "28000000" + "00000000" + "02000000" + "00000000"), 0xD9963A56),
        (b"123456789", 0xE3069283),
        (b"", 0),
    ],
)  # fmt: skip
def test_published_checksums(data: bytes, crc: int) -> None:
    assert crc32c(data) == crc


def test_the_checksum_as_it_is_stored_is_turned_right_by_15_bits() -> None:
    digits = f"{0xE3069283:032b}"  # of b"123456789", as above
    assert masked_crc32c(b"123456789") == (int(digits[-15:] + digits[:-15], 2) + 0xA282EAD8) % 2**32


def _bit_by_bit(data: bytes) -> int:
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


@pytest.mark.parametrize("size", [1, 2047, 2048, 2049, 4095, 5000, 8191, 10_001])
def test_long_data_gives_what_single_bits_give(size: int) -> None:
    data = bytes((n * n * 31 + n // 7) & 0xFF for n in range(size))
    assert crc32c(data) == _bit_by_bit(data)


_ints, _floats = st.integers(-(2**63), 2**63 - 1), st.floats(width=32, allow_nan=False)


_lists = st.lists(st.binary(max_size=9)) | st.lists(_ints, min_size=1) | st.lists(_floats, min_size=1)


@given(st.dictionaries(st.text(max_size=5), _lists))
def test_messages_come_back(features: dict[str, Any]) -> None:
    data = encode_example(features)
    found = decode_example(memoryview(data))
    assert {
        name: [data[v[0] : v[1]] if isinstance(v, tuple) else v for v in values] for name, values in found.items()
    } == features


@given(st.binary(max_size=60))
def test_any_bytes_are_a_message_or_an_error(data: bytes) -> None:
    for candidate in (data, bytes([10, len(data)]) + data):
        try:
            decode_example(memoryview(candidate))
        except ValueError:
            continue


@pytest.mark.parametrize("data", [b"\x0a\x7f", b"\x0a\x02\x0a\x7f", b"\x80" * 11, b"\x0b", b"\x0d\x00"])
def test_fields_longer_than_the_message_are_errors(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"longer than|does not end|wire type"):
        decode_example(memoryview(data))


def test_numbers_that_are_not_packed() -> None:
    def field(number: int, content: bytes) -> bytes:
        return bytes([number << 3 | 2, len(content)]) + content

    ints = field(3, bytes([1 << 3, 5, 1 << 3, 0x96, 0x01]))
    floats = field(2, bytes([1 << 3 | 5]) + struct.pack("<f", 0.5) + bytes([1 << 3 | 5]) + struct.pack("<f", 2.0))
    entries = field(1, field(1, b"i") + field(2, ints)) + field(1, field(1, b"f") + field(2, floats))
    assert decode_example(memoryview(field(1, entries))) == {"i": [5, 150], "f": [0.5, 2.0]}


def _write(path: Path, *features: dict[str, Any]) -> list[bytes]:
    parts = [framed(encode_example(one)) for one in features]
    path.write_bytes(b"".join(parts))
    return parts


def _read(path: Path, **extra: Any) -> Source:
    return TfRecord().read(look_at(path), ReadSource(extra=extra))


def test_usual_names_of_features(tmp_path: Path) -> None:
    box = {
        f"image/object/bbox/{side}": [v] for side, v in (("xmin", 0.25), ("xmax", 0.75), ("ymin", 0.5), ("ymax", 1.0))
    }
    first = {"image/encoded": [b"one"], "image/format": [b"jpeg"], "image/filename": [b"d/1.jpg"], "image/height": [50],
             "image/width": [100], "image/class/label": [1], "image/class/text": [b"dog"],
             "image/object/class/text": [b"paw"], **box}  # fmt: skip
    second = {"image": [b"two"], "label": [0], "price": [1.5], "raw": [b"\xff\xfe"]}
    _write(tmp_path / "train-00000-of-00001.tfrecord", first, second)
    one, two = source = _read(tmp_path, classes=["cat", "dog"])
    assert (one.key, one.label, one.split, one.size) == ("d/1.jpg", "dog", "train", (50, 100))
    assert one.objects is not None
    assert [(o.category, o.box) for o in one.objects] == [("paw", (25.0, 25.0, 50.0, 25.0))]
    assert (two.key, two.label) == ("train-00000-of-00001/row-000001", "cat")
    assert dict(two.attributes) == {"price": 1.5}
    assert "columns left out, for they hold neither text nor numbers: raw" in source.describe()
    assert [encoded(r.image) for r in source] == [b"one", b"two"]


@pytest.mark.parametrize(
    ("place", "message"),
    [
        (3, "expected a length with its checksum"),
        (9, "expected a length with its checksum"),
        (20, "expected data with its checksum"),
        (-1, "expected data with its checksum"),
    ],
)
def test_damage_ends_the_reading_and_is_named(tmp_path: Path, place: int, message: str) -> None:
    path = tmp_path / "a.tfrecord"
    parts = _write(path, *({"image": [bytes([n]) * 50]} for n in range(3)))
    bad = bytearray(parts[1])
    bad[place] ^= 1
    path.write_bytes(parts[0] + bytes(bad) + parts[2])
    source = _read(path)
    assert (len(source), len(source.problems)) == (1, 1)
    assert message in str(source.problems[0])
    assert "a.tfrecord: record 2" in str(source.problems[0])


def test_every_cut_keeps_what_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.tfrecord"
    parts = _write(path, {"image": [b"x" * 9]}, {"image": [b"y" * 9]})
    whole = b"".join(parts)
    for cut in range(len(whole)):
        path.write_bytes(whole[:cut])
        if cut < len(parts[0]):
            with pytest.raises(SourceError, match="expected"):
                _read(path)
        else:
            source = _read(path)
            assert (len(source), len(source.problems)) == (1, int(cut > len(parts[0])))


def test_a_length_of_exabytes_takes_no_memory(tmp_path: Path) -> None:
    path = tmp_path / "a.tfrecord"
    good = framed(encode_example({"image": [b"x"]}))
    head = struct.pack("<Q", 2**60)
    path.write_bytes(good + head + struct.pack("<I", masked_crc32c(head)) + b"....")
    assert "until the end of the file" in str(_read(path).problems[0])


def test_boxes_without_a_size_are_a_problem(tmp_path: Path) -> None:
    path = tmp_path / "a.tfrecord"
    sides = {f"image/object/bbox/{side}": [0.5] for side in ("xmin", "xmax", "ymin", "ymax")}
    _write(path, {"image": [b"x"]}, {"image": [b"x"], **sides})
    assert "boxes without image/height" in str(_read(path).problems[0])


def test_a_file_that_is_gone_is_an_error_of_the_picture(tmp_path: Path) -> None:
    path = tmp_path / "a.tfrecord"
    _write(path, {"image": [b"x"]})
    (record,) = _read(path)
    path.unlink()
    with pytest.raises(CodecError, match=r"a.tfrecord: record 1"):
        encoded(record.image)


# ------------------------------------------------------------------------------------------ as other tools write them
RNG = np.random.default_rng(3)


def png(array: Any) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("cats.record", None),
        ("coco_train.record-00000-of-00002", "train"),
        ("flowers-validation.tfrecord-00001-of-00005", "val"),
        ("validation-00000-of-00128", "val"),
        ("train.tfrecords", "train"),
        ("test.tfrec", "test"),
        ("deep/test/0001.tfrecord", "test"),
        ("train-00000-of-01024.gz", "train"),
        ("x.tfrecord.gz", None),
    ],
)
def test_names_that_tools_give_to_shards(tmp_path: Path, name: str, split: str | None) -> None:
    photo = RNG.integers(0, 256, (6, 7, 3), dtype=np.uint8)
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    data = framed(encode_example({"image/encoded": [png(photo)], "image/class/label": [3]}))
    (tmp_path / name).write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    (tmp_path / "notes.txt").write_text("not a list of labels")
    assert guesses(look_at(tmp_path / name))[0][0].name == guesses(look_at(tmp_path))[0][0].name == "tfrecord"
    source = open_source(tmp_path)
    assert [(record.label, record.split) for record in source] == [("3", split)]
    assert source.also_read == (tmp_path / name,)
    again = pickle.loads(pickle.dumps(source.records[0].image))
    np.testing.assert_array_equal(load_picture(again).array, photo)


@pytest.mark.parametrize("dtype", ["u1", "<u2", "<f4"])
@pytest.mark.parametrize("sizes", ["height width depth", "image/height image/width", "rows cols channels", "shape", ""])
def test_raw_pixels_take_their_shape_from_what_says_it(tmp_path: Path, sizes: str, dtype: str) -> None:
    shape = (6, 7, 3) if "depth" in sizes or "channels" in sizes or sizes == "shape" else (6, 7) if sizes else (7, 7)
    if sizes.startswith("image/"):
        shape, dtype = (6, 7, 3), "u1"  # bytes alone say how many channels there are
    pixels = RNG.integers(0, 256, shape).astype(dtype)
    said = {"shape": list(shape)} if sizes == "shape" else dict(zip(sizes.split(), ([n] for n in shape), strict=False))
    features: dict[str, Any] = {"image_raw": [pixels.tobytes()], "label": [1], **said}
    _write(tmp_path / "a.tfrecord", features)
    if not sizes:
        with pytest.raises(SourceError, match=r"raw pixels in image_raw without height and width; .*shape=28,28,1"):
            open_source(tmp_path)
    source = open_source(tmp_path, extra={} if sizes else {"shape": "7,7"})
    assert f"raw pixels of {shape[0]} x 7" in " ".join(source.notes)
    np.testing.assert_array_equal(load_picture(source.records[0].image).array, pixels)
    assert source.records[0].label == "1"


def test_raw_pixels_that_do_not_fit_are_named(tmp_path: Path) -> None:
    good: dict[str, Any] = {"image_raw": [bytes(42)], "height": [6], "width": [7], "depth": [1]}
    _write(tmp_path / "a.tfrecord", good, good | {"height": [5]})
    source = open_source(tmp_path)
    assert len(source) == 1
    assert "record 2: expected a tf.train.Example, got 42 bytes of image_raw for a picture of 5 x 7 x 1" in str(
        source.problems[0]
    )


def test_pixels_as_lists_of_numbers(tmp_path: Path) -> None:
    ints, floats = RNG.integers(0, 256, (8, 8)), RNG.random((8, 8)).astype(np.float32)
    _write(tmp_path / "a.tfrecord", {"image": ints.ravel().tolist()}, {"image": floats.ravel().tolist()})
    one, two = (load_picture(record.image).array for record in open_source(tmp_path))
    assert (one.dtype, two.dtype) == (np.uint8, np.float32)
    np.testing.assert_array_equal(one, ints)
    np.testing.assert_array_equal(two, floats)


def test_names_beside_the_records_name_the_numbers(tmp_path: Path) -> None:
    photo = png(RNG.integers(0, 256, (50, 100, 3), dtype=np.uint8))
    box = {
        f"image/object/bbox/{side}": [v] for side, v in (("xmin", 0.25), ("xmax", 0.5), ("ymin", 0.5), ("ymax", 1.0))
    }
    _write(
        tmp_path / "train.record",
        {"picture": [photo], "train/label": [1], "image/object/class/label": [2], "image/object/mask": [b"m"], **box},
    )
    (tmp_path / "label_map.pbtxt").write_text("item {\n id: 1\n name: 'cat'\n}\nitem { name: \"dog\" id: 2 }\n")
    (tmp_path / "labels.txt").write_text("0:tulip\n1:rose\n")
    source = open_source(tmp_path)
    (record,) = source
    assert (record.label, source.classes) == ("rose", ("tulip", "rose"))
    assert record.objects is not None  # the picture's own header says its size
    assert [(one.category, one.box) for one in record.objects] == [("dog", (25.0, 25.0, 25.0, 25.0))]
    assert "features of annotations that are not used: image/object/mask (1)" in source.notes
    assert {path.name for path in source.also_read} == {"train.record", "label_map.pbtxt", "labels.txt"}


def test_a_gzip_file_that_is_cut_off_is_named(tmp_path: Path) -> None:
    data = gzip.compress(framed(encode_example({"image": [RNG.bytes(3000)]})))
    (tmp_path / "a.tfrecord.gz").write_bytes(data[:1500])
    with pytest.raises(SourceError, match=r"a\.tfrecord\.gz to be a whole gzip file"):
        open_source(tmp_path / "a.tfrecord.gz")
