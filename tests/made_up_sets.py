"""Tiny files in the form of well-known datasets."""

from __future__ import annotations

import gzip
import io
import struct
import tarfile

import cv2
import numpy as np


def idx(array: np.ndarray) -> bytes:
    return gzip.compress(struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.tobytes(), mtime=0)


def tiny_mnist() -> dict[str, bytes]:
    """Six training and four test images; the pixels say which is which."""
    made = {}
    for part, count, first in (("train", 6, 0), ("t10k", 4, 100)):
        images = np.arange(first, first + count, dtype=np.uint8)[:, None, None].repeat(5, 1).repeat(5, 2)
        made[f"{part}-images-idx3-ubyte.gz"] = idx(images)
        made[f"{part}-labels-idx1-ubyte.gz"] = idx(np.arange(count, dtype=np.uint8))
    return made


def row(label: int, colour: tuple[int, int, int]) -> bytes:
    return bytes([label]) + b"".join(bytes([value]) * 1024 for value in colour)


def tiny_cifar() -> dict[str, bytes]:
    names = [*(f"data_batch_{n}.bin" for n in range(1, 6)), "test_batch.bin"]
    return {name: row(n, (n, 10 + n, 20 + n)) + row(9, (1, 2, 3)) for n, name in enumerate(names)}


def packed(files: dict[str, bytes], top: str, *extra: tarfile.TarInfo) -> bytes:
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w:gz") as tar:
        for name, data in files.items():
            info = tarfile.TarInfo(f"{top}/{name}")
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
        for info in extra:
            tar.addfile(info)
    return whole.getvalue()


def jpeg(value: int) -> bytes:
    return cv2.imencode(".jpg", np.full((8, 8, 3), value, np.uint8))[1].tobytes()
