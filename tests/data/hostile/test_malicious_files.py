"""Files made to do harm, in folders with good ones: refused by name, in little time and memory, without effect."""

from __future__ import annotations

import os
import socket
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

from imagemill.testing.bombs import hostile_archives, hostile_files, hostile_texts
from imagemill.testing.samples import sample_files
from tests.data.hostile.room import Call, good, run

# What may be read after all: nothing in them is declared that is not so, or what is wrong is not in the pixels.
HARMLESS = {"fill.jpg", "exif-circle.jpg", "frames.gif", "jpeg-named.dcm", "png-named.nii.gz", "axes.nii"}


def test_harmful_pictures_are_refused_one_by_one(tmp_path: Path) -> None:
    files = hostile_files(str(tmp_path / "touched"))
    (tmp_path / "in").mkdir()
    for name, data in files.items():
        (tmp_path / "in" / name).write_bytes(data)
    (found,) = run(tmp_path, [("each", tmp_path / "in", {})])
    assert found["outcome"] == "read"
    assert set(files) - set(found["named"]) <= HARMLESS, set(files) - set(found["named"])
    assert all(message.startswith("CodecError") for message in found["named"].values()), found["named"]
    assert not (tmp_path / "touched").exists()  # what the pickles would have made


def test_a_folder_with_harmful_files_is_scanned_prepared_and_augmented(tmp_path: Path) -> None:
    files = hostile_files(str(tmp_path / "touched"))
    folder = tmp_path / "in"
    for number in range(3):
        good(folder / f"a-good-{number}.png", number)
    for name, data in files.items():
        (folder / name).write_bytes(data)
    (folder / "nowhere.png").symlink_to(folder / "gone.png")
    (folder / "myself.png").symlink_to(folder / "myself.png")
    (folder / "endless.png").symlink_to("/dev/zero")
    (folder / "nothing.png").symlink_to("/dev/null")
    (folder / "round").symlink_to(folder, target_is_directory=True)
    os.mkfifo(folder / "pipe.png")
    os.mkfifo(folder / "table.csv")
    os.mkfifo(folder / "data.yaml")
    (folder / ("long-" * 48 + ".png")).write_bytes(b"")
    (folder / "line\nbreak \u202e.png").write_bytes(b"")
    (folder / os.fsdecode(b"not-utf8-\xff.png")).write_bytes(b"")
    with socket.socket(socket.AF_UNIX) as there:
        os.chdir(folder)  # the name of a socket may not be long
        there.bind("socket.png")
    more = {"layout": "folder"}
    calls: list[Call] = [
        ("scan", folder, more),
        ("scan", folder, {}),
        ("prepare", folder, {**more, "out": str(tmp_path / "out-store")}),
        ("augment", folder, {"out": str(tmp_path / "out-copies"), "format": "tif"}),
    ]
    found = run(tmp_path, calls)
    links = {"nowhere.png", "myself.png", "endless.png", "nothing.png", "pipe.png", "socket.png"}
    named = {"long-" * 48 + ".png", "line\nbreak \u202e.png", os.fsdecode(b"not-utf8-\xff.png")}
    for one in found:
        assert one["outcome"] == "read", one
        missed = (set(files) - HARMLESS | links | named) - set(one["named"])
        assert not missed, (one["way"], missed)
        assert not {f"a-good-{n}.png" for n in range(3)} & set(one["named"])
        assert "a pipe, socket or device" in one["named"]["pipe.png"]
    assert not (tmp_path / "touched").exists()


def test_the_commands_name_what_they_leave_out(tmp_path: Path) -> None:
    files = hostile_files(str(tmp_path / "touched"))
    kinds = {
        "few": ["size.png", "circle.tif"],
        "more": ["pickle.npy", "size.dcm"],
        "jpeg": ["only-fill.jpg", "size.jpg"],
    }
    kinds["none"] = ["empty.png", "page.png"]
    calls: list[Call] = []
    for kind, names in kinds.items():
        for name in names:
            (tmp_path / kind).mkdir(exist_ok=True)
            (tmp_path / kind / name).write_bytes(files[name])
        if kind != "none":
            good(tmp_path / kind / "a-good.png")
        out = [str(tmp_path / f"out-{kind}-{verb}") for verb in ("prepare", "augment")]
        calls.append(("command", tmp_path / kind, {"words": ["scan", "{}", "--full"]}))
        skip = ["--on-error", "skip"]
        calls.append(("command", tmp_path / kind, {"words": ["prepare", "{}", "-o", out[0], "--size", "8", *skip]}))
        calls.append(("command", tmp_path / kind, {"words": ["augment", "{}", "-o", out[1], "-p", "photo", *skip]}))
    for one in run(tmp_path, calls):
        kind = Path(one["path"]).name
        assert one["status"] in ((0, 1) if kind != "none" else (1, 2)), one  # what may be skipped was asked for
        told = one["said"].replace("\n", "").replace(" ", "")  # the terminal breaks lines where it likes
        assert kind == "none" or all(name in told for name in kinds[kind]), one
    assert not (tmp_path / "touched").exists()


@pytest.fixture(autouse=True)
def _here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="the superuser may read everything")
def test_what_may_not_be_read_is_named(tmp_path: Path) -> None:
    good(tmp_path / "in" / "good.png")
    good(tmp_path / "in" / "closed.png").chmod(0)
    for one in run(tmp_path, [("scan", tmp_path / "in", {})]):
        assert "closed.png" in one["named"]


def test_harmful_archives_lead_nowhere(tmp_path: Path) -> None:
    calls: list[Call] = []
    for name, data in hostile_archives(str(tmp_path / "touched")).items():
        for place in (tmp_path / "in" / name / name, tmp_path / "alone" / name):
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(data)
        calls += [("scan", tmp_path / "alone" / name, {}), ("scan", tmp_path / "in" / name, {})]
        calls.append(("prepare", tmp_path / "alone" / name, {"out": str(tmp_path / "out" / name)}))
    found = run(tmp_path, calls)
    assert not (tmp_path / "touched").exists()
    assert not Path("/tmp/imagemill-slipped.png").exists()
    for one in found:  # a refused member is a named one; good ones beside it are taken
        if one["path"].endswith(("links.tar", "devices.tar")) and one["outcome"] == "read" and one["way"] == "scan":
            assert len(one["named"]) >= 1, one


def test_harmful_texts_are_refused(tmp_path: Path) -> None:
    calls: list[Call] = []
    (tmp_path / "secret.png").write_bytes(good(tmp_path / "whole.png").read_bytes())
    secret = "root:"
    for name, data in hostile_texts().items():
        folder = tmp_path / "in" / name
        for place in ("images/a.png", "JPEGImages/a.png", "good.png"):
            good(folder / place)
        suffix = Path(name).suffix
        inside = {".xml": "Annotations/a.xml", ".yaml": "data.yaml"}.get(suffix, "images" + suffix)
        (folder / inside).parent.mkdir(exist_ok=True)
        (folder / inside).write_bytes(data)
        calls += [("scan", folder, {}), ("scan", folder / inside, {})]
        layouts = {".xml": ["voc", "cvat"], ".yaml": ["yolo"], ".csv": ["csv"], ".jsonl": ["jsonl", "huggingface"]}
        layouts[".json"] = ["json", "coco", "nnunet", "labelme", "label-studio", "via"]
        calls += [("scan", folder, {"layout": layout}) for layout in layouts[suffix]]
        calls.append(("prepare", folder, {"out": str(tmp_path / "out" / name)}))
    for one in run(tmp_path, calls):
        assert secret not in str(one)
        if one["path"].endswith("outside.csv") and one["outcome"] == "read" and one.get("layout") == "csv":
            assert one["images"] == 0 or len(one["named"]) >= 7, one
    assert not list(tmp_path.rglob("imagemill-slipped*"))


def test_paths_in_annotations_stay_in_their_folder(tmp_path: Path) -> None:
    import json

    good(tmp_path / "secret.png")
    names = ["../secret.png", str(tmp_path / "secret.png"), "a/../../secret.png", "link.png", "..\\secret.png"]
    images = [{"id": n, "file_name": name, "height": 12, "width": 16} for n, name in enumerate(names)]
    huge = {"size": [2**31, 2**31], "counts": [2**62]}
    things = [{"id": 1, "image_id": 0, "category_id": 1, "bbox": [0, 0, 1, 1], "iscrowd": 1, "segmentation": huge}]
    images.append({"id": 99, "file_name": "good.png", "height": 12, "width": 16})
    coco = {"images": images, "annotations": things, "categories": [{"id": 1, "name": "a"}]}
    rows = [*names, "good.png"]
    texts = {
        "coco": ("instances.json", json.dumps(coco)),
        "cvat": ("a.xml", "<annotations>" + "".join(f'<image name="{name}"/>' for name in rows) + "</annotations>"),
        "label-studio": ("a.json", json.dumps([{"data": {"image": n}, "annotations": [{"result": []}]} for n in rows])),
        "via": ("a.json", json.dumps([{"filename": name, "regions": []} for name in rows])),
        "csv": ("images.csv", "image\n" + "\n".join(rows) + "\n"),
        "json": ("images.json", json.dumps([{"image": name} for name in rows])),
        "jsonl": ("images.jsonl", "".join(json.dumps({"image": name}) + "\n" for name in rows)),
        "huggingface": ("metadata.jsonl", "".join(json.dumps({"file_name": name}) + "\n" for name in rows)),
    }
    calls: list[Call] = []
    for layout, (name, text) in texts.items():
        folder = tmp_path / "in" / layout
        good(folder / "good.png", 1)
        (folder / "link.png").symlink_to(tmp_path / "secret.png")
        (folder / name).write_text(text)
        calls.append(("scan", folder, {"layout": layout}))
    for one in run(tmp_path, calls):
        assert one["outcome"] == "read", one
        told = str(one["named"])
        assert one["opened"] <= 2, one  # the good one, and where links of the user's own count, that one
        for name in ("../secret.png", "a/../../secret.png"):
            assert name in told, (one["path"], name, one["named"])


def test_harmful_hdf5_files_lead_nowhere(tmp_path: Path) -> None:
    h5py = pytest.importorskip("h5py")
    folder = tmp_path / "in"
    folder.mkdir()
    with h5py.File(tmp_path / "secret.h5", "w") as file:
        file["images"] = np.zeros((4, 8, 8), np.uint8)
    (tmp_path / "secret.bin").write_bytes(bytes(1000))
    with h5py.File(folder / "links.h5", "w") as file:
        file["images"] = np.zeros((4, 8, 8), np.uint8)
        file["outside"] = h5py.ExternalLink(str(tmp_path / "secret.h5"), "/images")
        file["circle"] = h5py.SoftLink("/circle")
        file["one"] = h5py.SoftLink("/two")
        file["two"] = h5py.SoftLink("/one")
        group = file.create_group("group")
        group["again"] = file["/"]
    with h5py.File(folder / "storage.h5", "w") as file:
        file.create_dataset("images", (4, 8, 8), np.uint8, external=[(str(tmp_path / "secret.bin"), 0, 256)])
    with h5py.File(folder / "virtual.h5", "w") as file:
        layout = h5py.VirtualLayout((4, 8, 8), np.uint8)
        layout[:] = h5py.VirtualSource(str(tmp_path / "secret.h5"), "images", (4, 8, 8))
        file.create_virtual_dataset("images", layout)
    with h5py.File(folder / "size.h5", "w") as file:
        file.create_dataset("images", (4, 60_000, 60_000), np.uint8, chunks=(1, 1000, 1000))
    with h5py.File(folder / "size-below-limit.h5", "w") as file:
        file.create_dataset("images", (4, 14_000, 14_000), np.float64, chunks=(1, 1000, 1000), compression="gzip")
    calls: list[Call] = [("scan", path, {"workers": 1}) for path in sorted(folder.iterdir())]
    found = {Path(one["path"]).name: one for one in run(tmp_path, calls)}
    for name in ("storage.h5", "virtual.h5", "size.h5", "size-below-limit.h5"):
        one = found[name]
        assert one["outcome"] == "SourceError" or (one["opened"] == 0 and one["named"]), one
    assert found["links.h5"]["images"] == 4
    assert "outside" in str(found["links.h5"]["named"])


class _Answer(BaseHTTPRequestHandler):
    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.asked.append(self.path)
        self.send_response(302)
        self.send_header("Location", "http://169.254.169.254/latest/meta-data")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def test_addresses_in_a_table_reach_no_private_place(tmp_path: Path) -> None:
    good(tmp_path / "in" / "good.png")
    server = HTTPServer(("127.0.0.1", 0), _Answer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        address = f"http://127.0.0.1:{server.server_port}/a.png"
        (tmp_path / "in" / "images.csv").write_text(f"image\ngood.png\n{address}\n")
        more = {"layout": "csv", "cache": str(tmp_path / "out-cache")}
        never, asked = run(
            tmp_path, [("scan", tmp_path / "in", more), ("scan", tmp_path / "in", {**more, "urls": True})]
        )
    finally:
        server.shutdown()
        server.server_close()
    for one in (never, asked):
        assert one["opened"] == 1
        assert len(one["named"]) == 1
    assert "private" in str(asked["named"])
    assert _Answer.asked == []


def test_pictures_of_a_whole_kind_stay_whole() -> None:
    assert all(data for data in sample_files().values())
