"""The process of one contestant: makes its stream, then times slices of it when it is asked to.

It is told what to do by a line of JSON on the standard input, and answers by one.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
from collections.abc import Iterator
from typing import Any

import numpy as np

from bench.harness import pin_loaded, single_thread

WARM = 2
"""Batches before the clock starts: caches belong to whoever had his turn before."""


def described(images: Any) -> dict[str, Any]:
    """What a batch is."""
    array = np.asarray(images)
    finite = array.dtype.kind != "f" or bool(np.isfinite(array).all())
    contiguous = bool(array.flags.c_contiguous)
    return {"shape": list(array.shape), "dtype": str(array.dtype), "finite": finite, "contiguous": contiguous}


def timed(stream: Iterator[Any], *, images: int | None = None, seconds: float | None = None) -> dict[str, Any]:
    """Take so many images, or as many as come in so many seconds."""
    for _ in range(WARM):
        next(stream)
    began, done = time.perf_counter(), 0
    while True:
        done += len(next(stream))
        took = time.perf_counter() - began
        if (images is not None and done >= images) or (seconds is not None and took >= seconds):
            return {"images": done, "seconds": took}


def main() -> None:
    # What libraries print must not come between the answers.
    answers = os.fdopen(os.dup(1), "w", encoding="ascii")
    os.dup2(2, 1)
    single_thread()
    spec = json.loads(sys.argv[1])
    stream: Iterator[Any] | None = None
    for line in sys.stdin:
        asked = json.loads(line)
        try:
            if stream is None:
                module, name = spec["maker"].split(":")
                stream = getattr(importlib.import_module(module), name)(**spec["given"])
                pin_loaded()
            if asked.pop("ask") == "batch":
                first = next(stream)
                answer = {} if isinstance(first, list) else described(first)
                pin_loaded()
            else:
                answer = timed(stream, **asked)
        except Exception as error:  # whatever a library raises, the page has to say it
            said = str(error).strip().splitlines()
            answer = {"error": f"{type(error).__name__}: {said[0] if said else ''}"}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
