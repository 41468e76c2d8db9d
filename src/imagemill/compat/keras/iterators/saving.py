"""Batches written as pictures, to look at."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from imagemill.compat.keras.defaults import Array
from imagemill.compat.keras.pictures import save_img
from imagemill.core.errors import SourceError

__all__ = ["Saving"]


@dataclass(frozen=True, slots=True)
class Saving:
    """Where and how; ``folder`` None saves nothing.

    Names are ``prefix_index_hash.format``. The hash is of seed, epoch and key, so that no two different pictures
    have one name, and the same picture has the same name in every run with the same seed.
    """

    folder: Any
    prefix: str
    file_format: str

    def save(
        self, images: Array, rows: Sequence[int], keys: Sequence[Any], seed: int, epoch: int, data_format: str
    ) -> None:
        """Write each picture of a batch, stretched to 0..255."""
        if not self.folder:
            return
        folder = Path(self.folder)
        if not folder.is_dir():
            raise SourceError(f"expected save_to_dir to be a folder, got {str(folder)!r}; make it first")
        for image, row, key in zip(images, rows, keys, strict=True):
            mark = hashlib.blake2b(f"{seed}|{epoch}|{key}".encode("utf-8", "surrogateescape"), digest_size=6)
            name = f"{self.prefix}_{row}_{mark.hexdigest()}.{self.file_format}"
            save_img(folder / name, image, data_format=data_format, scale=True)
