"""Backends that are given, and those of installed packages."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import imagemill as im
from imagemill.core.errors import ParameterError
from imagemill.engine.backends import as_given, get_backend
from imagemill.engine.backends.float64 import Reference
from imagemill.testing import check_backend, picture
from tests.plugins import install

IMAGE = picture(1, (20, 30), 3)
TRANSFORMS = [im.Rotate((-10, 10)), im.Brightness((0.5, 1.5))]


class Counting(Reference):
    """The reference under another name, which counts what it did."""

    name = "counting"

    def __init__(self) -> None:
        self.calls = 0

    def image(self, step: Any, row: int, src: Any, out: Any = None) -> Any:
        self.calls += 1
        return super().image(step, row, src, out)


PACKAGE = """
from imagemill.engine.backends.float64 import Reference

class Slow(Reference):
    name = "slow"

class Other(Reference):
    name = "other"

class Broken:
    name = "broken"

    def __init__(self):
        raise RuntimeError("no device")

class Half:
    name = "half"

    def image(self, step, row, src, out=None):
        return src
"""


def test_an_object_runs_the_pipeline_and_is_named() -> None:
    backend = Counting()
    pipe = im.Pipeline(TRANSFORMS, seed=3, backend=backend)
    made = pipe(IMAGE, key="a")
    assert backend.calls == 1
    np.testing.assert_array_equal(made, im.Pipeline(TRANSFORMS, seed=3, backend="reference")(IMAGE, key="a"))
    assert pipe.backend.name == "counting"
    assert "1 step on counting\n" in pipe.explain(IMAGE.shape)
    assert " on " not in im.Pipeline(TRANSFORMS, seed=3).explain(IMAGE.shape).partition("plan for")[2].split("\n")[0]
    assert pipe.replace(seed=4).backend.behind is backend  # type: ignore[attr-defined]


def test_a_pickled_pipeline_brings_its_backend_along() -> None:
    pipe = im.Pipeline(TRANSFORMS, seed=3, backend=Counting())
    again = pickle.loads(pickle.dumps(pipe))
    assert again.backend.name == "counting"
    np.testing.assert_array_equal(again(IMAGE, key="a"), pipe(IMAGE, key="a"))


def test_worker_processes_rebuild_it() -> None:
    images = np.stack([IMAGE] * 4)
    pipe = im.Pipeline([im.Flip("x"), im.Rotate((-10, 10))], seed=3, backend=Counting())
    made = []
    for workers in ("process:1", 1):
        with im.Loader(images, pipe, batch_size=2, shuffle=False, seed=1, workers=workers) as loader:
            made.append(np.concatenate([np.asarray(batch.image) for batch in loader]))
    np.testing.assert_array_equal(*made)


@pytest.mark.parametrize("method", ["image", "images", "labels", "kernels"])
def test_a_missing_method_is_an_error_when_the_pipeline_is_made(method: str) -> None:
    class Partial(Counting):
        pass

    setattr(Partial, method, None)
    with pytest.raises(ParameterError, match=f"methods image, .*, got Partial of an object without {method}; see"):
        im.Pipeline([], seed=1, backend=Partial())


def test_what_is_no_backend_is_refused() -> None:
    class Nameless(Counting):
        name = ""

    class Narrow(Counting):
        def image(self, step: Any, row: int) -> Any:  # type: ignore[override]
            return step, row

    with pytest.raises(ParameterError, match="with a name, got Nameless of an object with name ''; add name"):
        get_backend(Nameless())
    with pytest.raises(ParameterError, match=r"expected Narrow\.image\(step, row, src, out\), got too many"):
        get_backend(Narrow())
    with pytest.raises(ParameterError, match=r"got the class Counting; write Counting\(\)"):
        get_backend(Counting)  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match="a name of its own, got Reference called 'reference'"):
        get_backend(Reference())
    with pytest.raises(ParameterError, match="'cpu', 'reference', got 'gpu'; choose one of these, install"):
        get_backend("gpu")


def test_a_package_brings_a_backend_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    points = {"slow": "slow_backends:Slow", "ready": "slow_backends:Other", "half": "slow_backends:Half"}
    points |= {"broken": "slow_backends:Broken", "gone": "slow_backends:Gone"}
    install(tmp_path, monkeypatch, "slow-backends", PACKAGE, **{"imagemill.backends": points})
    pipe = im.Pipeline(TRANSFORMS, seed=3, backend="slow")
    np.testing.assert_array_equal(
        pipe(IMAGE, key="a"), im.Pipeline(TRANSFORMS, seed=3, backend=Counting())(IMAGE, key="a")
    )
    assert as_given(pipe.backend) == "slow"
    assert pickle.loads(pickle.dumps(pipe)).backend.name == "slow"
    for name, said in {
        "ready": "called 'ready' of the package slow-backends 1.0, got one called 'other'; its entry point",
        "half": "got Half of the package slow-backends 1.0 without images, labels, kernels",
        "broken": r"Broken\(\) of the package slow-backends 1.0 to make a backend, got RuntimeError: no device",
        "gone": "slow-backends 1.0.*got AttributeError",
        "gpu": "'cpu', 'reference', 'broken', 'gone', 'half', 'ready', 'slow', got 'gpu'",
    }.items():
        with pytest.raises(ParameterError, match=said):
            get_backend(name)
    backend = Counting()
    backend.name = "slow"
    with pytest.raises(ParameterError, match="a name of its own, got Counting called 'slow'"):
        get_backend(backend)


def test_two_packages_of_one_name_are_both_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("one", "two"):
        install(tmp_path / name, monkeypatch, name, PACKAGE, **{"imagemill.backends": {"slow": f"{name}:Slow"}})
    with pytest.raises(ParameterError, match=r"got one of one 1\.0 and two 1\.0; uninstall one"):
        get_backend("slow")


def test_a_backend_from_outside_keeps_the_contract() -> None:
    check_backend(Counting())


@pytest.mark.parametrize(
    ("method", "wrong", "said"),
    [
        ("image", lambda self, step, row, src, out=None: src, "a flip of uint8 is exact"),
        ("labels", lambda self, step, row, src, out=None: src, "labels are written to out"),
        ("images", lambda self, step, rows, src, out=None: np.stack(src), "images.. makes what image.. makes"),
        ("images", lambda self, step, rows, src, out=None: None if rows.start else np.stack(src), "depend on which"),
        ("__reduce__", lambda self: (Reference, ()), "from a pickle under its name"),
    ],
)
def test_the_contract_can_be_broken(monkeypatch: pytest.MonkeyPatch, method: str, wrong: Any, said: str) -> None:
    monkeypatch.setattr(Counting, method, wrong)
    with pytest.raises(AssertionError, match=said):
        check_backend(Counting())
