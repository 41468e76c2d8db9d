"""From a call to the compiled kernel: who reads it on the way must not have to open many files."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import imagemill as im
from imagemill.engine.backends.cpu.batches import photos, small
from imagemill.testing import picture

ROOM = Path(im.__file__).parent
PIPE = im.Pipeline([im.Flip("x"), im.Rotate((-15, 15)), im.Normalize([0.5] * 3, [0.2] * 3)], seed=1)
PHOTO = picture(1, (224, 224), 3)

MOST_FILES = 6
ROADS: dict[str, tuple[Any, Callable[[], Any], int]] = {
    "a photo": (photos, lambda: PIPE(PHOTO), 8),
    "photos": (photos, lambda: PIPE.batch([PHOTO, PHOTO]), 7),
    "a small picture": (small, lambda: PIPE(PHOTO[:32, :32].astype(np.float32) / 255), 9),
}
"""Where the kernel is called, a call, and how many functions of ours may stand between the two."""


@pytest.mark.parametrize("name", ROADS)
def test_few_functions_and_files_lie_between_a_call_and_its_kernel(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    where, call, most = ROADS[name]
    kernel, roads = where.run, []

    def seen(*given: Any) -> Any:
        frame, road = sys._getframe(1), []
        while frame is not None:
            file = Path(frame.f_code.co_filename)
            if file.is_relative_to(ROOM):
                road.append((file.relative_to(ROOM).as_posix(), frame.f_code.co_qualname))
            frame = frame.f_back
        roads.append(road[::-1])
        return kernel(*given)

    monkeypatch.setattr(where, "run", seen)
    call()
    (road,) = roads
    assert road[0][0] == "pipeline/pipeline.py"
    shown = "\n".join(f"{file}: {function}" for file, function in road)
    assert len(road) <= most, f"{len(road)} functions, more than {most}:\n{shown}"
    assert len({file for file, _ in road}) <= MOST_FILES, f"more than {MOST_FILES} files:\n{shown}"
