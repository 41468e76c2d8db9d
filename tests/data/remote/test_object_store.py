"""The whole way against an S3-compatible server of which one request in twenty fails: prepare, open, feed, resume."""

from __future__ import annotations

import gc
import logging
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import imagemill as im
from imagemill.core.errors import CodecError
from imagemill.data import as_path
from imagemill.data.remote import remote_files
from imagemill.jobs.runner import _Run
from tests.data.remote.test_remote_paths import batches, photos
from tests.object_server import KEY, SECRET, Objects, serving_objects

COUNT, EVERY = 40, 20


@pytest.fixture
def objects(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Objects]:
    import fsspec

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for name, value in (("ACCESS_KEY_ID", KEY), ("SECRET_ACCESS_KEY", SECRET), ("DEFAULT_REGION", "us-east-1")):
        monkeypatch.setenv(f"AWS_{name}", value)
    with warnings.catch_warnings(), serving_objects() as found:
        # The packages' own: botocore of its future, aiohttp of sessions that end with the loop of fsspec.
        warnings.simplefilter("ignore")
        monkeypatch.setenv("AWS_ENDPOINT_URL", found.address)
        fs = fsspec.filesystem("s3")
        fs.mkdir("sets")
        found.clear()
        yield found
        remote_files.fresh(as_path("s3://sets"))
        type(fs).clear_instance_cache()
        del fs
        gc.collect()


def test_prepare_open_feed_and_resume_on_a_server_that_fails_now_and_then(
    tmp_path: Path, objects: Objects, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    folder = photos(tmp_path / "photos", COUNT, (40, 30))
    size = sum(path.stat().st_size for path in folder.rglob("*.png"))
    objects.fill(folder, "photos")
    im.prepare(folder, tmp_path / "store", size=(40, 30), seed=1)

    # Killed at half: what was noted is not fetched again.
    objects.every = EVERY
    objects.clear()
    plain = _Run._note

    def killed(self: Any, outcomes: Any) -> None:
        plain(self, outcomes)
        if self.finished.rows >= COUNT // 2:
            raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("imagemill.verbs.prepare.build._SHARD_RECORDS", 10)
        patched.setattr(_Run, "_note", killed)
        with pytest.raises(KeyboardInterrupt):
            im.prepare("s3://sets/photos", "s3://sets/store", size=(40, 30), seed=1)
    report = im.prepare("s3://sets/photos", "s3://sets/store", size=(40, 30), seed=1)
    assert report.made + report.reused == COUNT
    assert report.reused >= COUNT // 2
    fetched = objects.gets("/photos/")
    assert COUNT <= fetched <= COUNT * 1.2  # each once, and the failed ones again
    assert objects.failed >= 3
    assert objects.bytes_sent < size * 1.2 + 100_000

    for path in sorted((tmp_path / "store").iterdir()):
        assert as_path(f"s3://sets/store/{path.name}").read_bytes() == path.read_bytes(), path.name
    here, there = im.open(tmp_path / "store"), im.open("s3://sets/store")
    for one, other in zip(batches(here), batches(there), strict=True):
        assert np.array_equal(one.image, other.image)
    assert im.prepare("s3://sets/photos", "s3://sets/store", size=(40, 30), seed=1).unchanged
    said = caplog.text + repr(there) + repr(report) + str(im.scan("s3://sets/photos").to_dict())
    assert SECRET not in said
    assert not [one for one in caplog.records if one.name.startswith("imagemill") and KEY in one.getMessage()]


def test_without_credentials_it_is_said_before_anything_is_done(
    objects: Objects, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    import fsspec

    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("HOME", str(tmp_path))
    fsspec.filesystem("s3").clear_instance_cache()
    with pytest.raises(CodecError, match="credentials that may do this"):
        im.prepare("s3://sets/photos", tmp_path / "store", size=8)
    assert not (tmp_path / "store").exists()
