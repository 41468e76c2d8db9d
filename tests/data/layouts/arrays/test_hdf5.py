from __future__ import annotations

import io
import pickle
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from imagemill.core.errors import CodecError, SourceError
from imagemill.data import Record, Source, Stored, load_mask, load_picture
from imagemill.data.layouts.arrays.hdf5 import Hdf5
from imagemill.data.layouts.arrays.in_memory import from_arrays
from imagemill.data.layouts.base import ReadSource, WriteTarget
from imagemill.data.layouts.registry import guesses, look_at

RNG = np.random.default_rng(0)
PHOTO = RNG.integers(0, 256, (5, 7, 3), dtype=np.uint8)


def read(path: Path, **extra: Any) -> Source:
    return Hdf5().read(look_at(path), ReadSource(extra=extra))


def png(array: Any) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, "PNG")
    return buffer.getvalue()


def test_a_group_per_class_with_levels_and_attributes(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        for number, name in enumerate(["dog/beagle", "dog/pug", "cat"]):
            group = file.create_group(name)
            group.attrs["label_id"] = 2 - number
            for image in range(2):
                group.create_dataset(f"{image}", data=PHOTO + image).attrs["camera"] = "c1"
        file["cat"].attrs["label"] = "Felis catus"
        file["cat/0"].attrs["stage"] = 3
        file["dog/pug/0"].attrs["class"] = "pug"  # says its class again, not another
    assert guesses(look_at(tmp_path / "a.h5"))[0][0].name == "hdf5"
    source = read(tmp_path / "a.h5")
    assert [(r.key, r.label) for r in source] == [
        ("cat/0", "Felis catus"),
        ("cat/1", "Felis catus"),
        ("dog/beagle/0", "dog/beagle"),
        ("dog/beagle/1", "dog/beagle"),
        ("dog/pug/0", "dog/pug"),
        ("dog/pug/1", "dog/pug"),
    ]
    assert source.classes == ("Felis catus", "dog/pug", "dog/beagle")
    assert source.records[0].attributes == {"camera": "c1", "stage": 3}
    np.testing.assert_array_equal(load_picture(source.records[3].image).array, PHOTO + 1)


@pytest.mark.parametrize(
    ("x", "y"),
    [("images", "labels"), ("x", "y"), ("data", "target"), ("X_train", "y_train"), ("train/images", "train/labels")],
)
def test_stacks_of_images_and_labels(tmp_path: Path, x: str, y: str) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file[x], file[y] = np.stack([PHOTO] * 11) + np.arange(11, dtype=np.uint8)[:, None, None, None], np.arange(11)
        file["classes"] = [f"name {n}" for n in range(11)]
    source = read(tmp_path / "a.h5")
    assert [r.label for r in source] == [f"name {n}" for n in range(11)]
    assert {r.split for r in source} == {"train" if "train" in x else None}
    assert source.records[10].key == f"{x}/row-10"
    np.testing.assert_array_equal(load_picture(source.records[10].image).array, PHOTO + 10)


def test_encoded_pictures_in_three_forms(tmp_path: Path) -> None:
    data = np.frombuffer(png(PHOTO), np.uint8)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["cat/row"] = data
        file["cat/void"] = np.void(data.tobytes())
        many = file.create_dataset("train/images", (2,), h5py.vlen_dtype(np.uint8))
        many[0], many[1] = data, data
        file["train/labels"] = [1, 0]
    source = read(tmp_path / "a.h5")
    assert [(r.key, r.label) for r in source] == [
        ("cat/row", "cat"),
        ("cat/void", "cat"),
        ("train/images/row-0", "1"),
        ("train/images/row-1", "0"),
    ]
    for record in source:
        np.testing.assert_array_equal(load_picture(record.image).array, PHOTO)


def test_one_image_is_read_and_not_the_dataset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["images"], file["labels"] = np.stack([PHOTO] * 4), [0] * 4
    source = read(tmp_path / "a.h5")
    shapes: list[Any] = []
    real = h5py.Dataset.__getitem__

    def spy(self: Any, *args: Any, **more: Any) -> Any:
        found = real(self, *args, **more)
        shapes.append(np.shape(found))
        return found

    monkeypatch.setattr(h5py.Dataset, "__getitem__", spy)
    load_picture(source.records[2].image)
    assert shapes == [PHOTO.shape]


def test_nothing_outside_the_file_is_touched(tmp_path: Path) -> None:
    (tmp_path / "secret.bin").write_bytes(bytes(range(200)))
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["images"], file["cat/1"] = np.stack([PHOTO] * 2), PHOTO
    layout = h5py.VirtualLayout((5, 7, 3), np.uint8)
    layout[:] = h5py.VirtualSource(tmp_path / "other.h5", "cat/1", (5, 7, 3))
    inner = h5py.VirtualLayout((5, 7, 3), np.uint8)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["cat/1"] = PHOTO
        inner[:] = h5py.VirtualSource(".", "cat/1", (5, 7, 3))
        file.create_virtual_dataset("cat/inner", inner)
        file.create_virtual_dataset("cat/virtual", layout)
        file.create_dataset("cat/stored", (10, 10), np.uint8, external=[(str(tmp_path / "secret.bin"), 0, 100)])
        file["cat/linked"] = h5py.ExternalLink(str(tmp_path / "other.h5"), "/images")
        file["cat/through"] = h5py.SoftLink("/cat/linked")
        file["cat/nowhere"] = h5py.SoftLink("/none")
        file["cat/twice"] = h5py.SoftLink("1")
        file["cat/reference"] = np.array([file["cat/1"].ref], h5py.ref_dtype)
        file["cat/table"] = np.zeros(3, [("a", int), ("b", float)])
        file["cat/round"] = file["cat"]
        file["cat/1"].attrs["mask"] = "/cat/linked"
    source = read(tmp_path / "a.h5")
    assert [r.key for r in source] == ["cat/1", "cat/inner"]
    np.testing.assert_array_equal(load_picture(source.records[1].image).array, PHOTO)
    said = {p.name.rpartition("/")[2]: str(p) for p in source.problems}
    assert set(said) == {"virtual", "stored", "linked", "through", "nowhere", "reference", "table", "1"}
    assert "a link into another file" in said["linked"]
    assert "external storage" in said["stored"]
    assert "a virtual dataset over" in said["virtual"]
    assert "references to other objects" in said["reference"]
    assert source.records[0].mask is None
    assert any("/cat/twice is a link to 1" in note for note in source.notes)


def test_datasets_that_promise_gigabytes_are_refused(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["cat/1"] = PHOTO
        file.create_dataset("cat/2", (60_000, 60_000), np.uint8, chunks=(100, 100), compression="gzip")
        file.create_dataset("big/images", (10**12, 4, 4), np.uint8, chunks=(1, 4, 4))
        file.create_dataset("big/labels", (10**12,), np.uint8, chunks=(100,))
    source = read(tmp_path / "a.h5")
    assert [r.key for r in source] == ["cat/1"]
    assert {one.name for one in source.problems} == {"a.h5: /cat/2", "a.h5: /big/images", "a.h5: /big/labels"}


def test_files_that_are_damaged_are_errors(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["cat"] = PHOTO
    data = (tmp_path / "a.h5").read_bytes()
    for length in [*range(0, len(data), 97), len(data) - 1]:
        (tmp_path / "b.h5").write_bytes(data[:length])
        with pytest.raises(SourceError):
            read(tmp_path / "b.h5")
    source = read(tmp_path / "a.h5")
    (tmp_path / "a.h5").unlink()
    with pytest.raises(CodecError, match=r"a\.h5"):
        load_picture(source.records[0].image)


def test_threads_and_processes_get_the_same_pixels(tmp_path: Path) -> None:
    images = RNG.integers(0, 256, (40, 6, 5), dtype=np.uint8)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["images"], file["labels"] = images, np.zeros(40)
    records = read(tmp_path / "a.h5").records
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda r: load_picture(r.image).array, records * 3))
    np.testing.assert_array_equal(np.stack(found), np.concatenate([images] * 3))
    assert isinstance(records[7].image, Stored)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(records[7].image.fetch))(), images[7])


@given(st.data())
def test_what_is_written_is_read_back(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    shapes = data.draw(st.lists(st.tuples(st.integers(1, 5), st.integers(1, 5)), min_size=3, max_size=3))
    dtype = data.draw(st.sampled_from(["uint8", "uint16", "float32"]))
    labels = data.draw(st.lists(st.sampled_from(["a", "a/b", "a/image-0000000", "c", None]), min_size=3, max_size=3))
    images = [RNG.integers(0, 99, shape).astype(dtype) for shape in shapes]
    base = from_arrays(images, labels, masks=[np.ones(shapes[0], np.uint8), None, None], split=["train", "test", None])
    records = [
        Record(r.key, r.image, r.mask, r.label, split=r.split, group="p1", attributes={"age": 40, "sex": "f"})
        for r in base
    ]
    out = tmp_path_factory.mktemp("h5") / "a.h5"
    written = Hdf5().write(Source(Path("m"), "arrays", tuple(records)), out, WriteTarget())
    assert (written.count, written.lost, written.problems) == (3, (), ())
    source = read(out)
    assert not source.problems
    again = {r.key: r for r in source}
    for record in records:
        other = again[record.key]
        assert (other.label, other.split, other.group) == (record.label, record.split, "p1")
        assert {k: v for k, v in other.attributes.items() if k != "label_id"} == record.attributes
        np.testing.assert_array_equal(load_picture(other.image).array, load_picture(record.image).array)
        assert (other.mask is None) == (record.mask is None)
    assert load_mask(again["row-0"].mask).array.all()  # type: ignore[arg-type]


def test_volumes_keep_their_place_and_photos_their_bytes(tmp_path: Path) -> None:
    affine = np.array([[0, 0, -2.0, 5], [0, 1.5, 0, 6], [3, 0, 0, 7], [0, 0, 0, 1]])
    voxels = RNG.integers(0, 99, (3, 4, 5)).astype(np.int16)
    (tmp_path / "a.png").write_bytes(png(PHOTO))
    records = (Record("v", Stored("v", lambda: voxels, "zyx", affine)), Record("p", tmp_path / "a.png"))
    Hdf5().write(Source(tmp_path, "x", records), tmp_path / "a.h5", WriteTarget(embed=True))
    again = {r.key: r for r in read(tmp_path / "a.h5")}
    volume = load_picture(again["v"].image)
    np.testing.assert_array_equal(volume.array, voxels)
    np.testing.assert_array_equal(volume.affine, affine)
    assert again["p"].image.fetch() == png(PHOTO)  # type: ignore[union-attr]


def test_a_failed_export_leaves_what_was_there(tmp_path: Path) -> None:
    out = tmp_path / "a.h5"
    out.write_bytes(b"precious")
    broken = Source(tmp_path, "x", (Record("a.png", tmp_path / "none.png"),))
    with pytest.raises(SourceError, match="allow to overwrite"):
        Hdf5().write(broken, out, WriteTarget())
    with pytest.raises(SourceError, match="at least one image"):
        Hdf5().write(broken, out, WriteTarget(overwrite=True))
    assert out.read_bytes() == b"precious"
    assert [p.name for p in tmp_path.iterdir()] == ["a.h5"]
