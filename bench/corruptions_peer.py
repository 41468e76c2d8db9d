"""A published package of corruptions in a process of its own, asked over a pipe; run by its own Python.

``PYTHON bench/corruptions_peer.py`` reads pickled questions ``(name, severity, image, seed, angle)`` and answers with
``(image or the error's text, seconds of CPU)``.
"""

from __future__ import annotations

import contextlib
import pickle
import sys
import time
import warnings
from functools import partial
from typing import Any


def _opened() -> Any:
    """The package; its 2020 release calls scikit-image by an argument that has another name since."""
    import imagecorruptions
    import imagecorruptions.corruptions as inside
    import numpy as np
    import skimage
    from skimage import filters

    def gaussian(image: Any, *args: Any, multichannel: bool = False, **how: Any) -> Any:
        # The number of the version decides on a name in the fork, by a rule that newer numbers do not pass.
        if multichannel:
            how["channel_axis"] = -1
        return filters.gaussian(image, *args, **how)

    assert skimage.__version__ >= "0.19"
    inside.gaussian = gaussian
    np.float64 = np.float64  # gone from numpy 2
    return imagecorruptions


def _given(value: float, *_: Any, **__: Any) -> float:
    return value


def main() -> None:
    """Answer until the pipe is closed."""
    import numpy as np

    warnings.simplefilter("ignore")
    source, sink = sys.stdin.buffer, sys.stdout.buffer
    package, drawn = _opened(), np.random.uniform
    while True:
        try:
            name, severity, image, seed, angle = pickle.load(source)
        except EOFError:
            return
        np.random.seed(seed)  # noqa: NPY002  (what the package draws from)
        if angle is not None:
            np.random.uniform = partial(_given, angle)
        begun = time.process_time()
        try:
            with contextlib.redirect_stdout(sys.stderr):
                found = np.asarray(package.corrupt(image, corruption_name=name, severity=severity))
        except Exception as error:
            found = f"{type(error).__name__}: {error}"
        spent = time.process_time() - begun
        np.random.uniform = drawn
        pickle.dump((found, spent), sink)
        sink.flush()


if __name__ == "__main__":
    main()
