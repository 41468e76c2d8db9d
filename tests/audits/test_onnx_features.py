from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from imagemill.audits.onnx_features import SCALES, onnx_model
from imagemill.core.errors import InputError

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")


def network(path: Path, shape: tuple[int | str, ...], *, scale: str | None = None, kind: str = "FLOAT") -> Path:
    """A network that gives its input back."""
    helper, element = onnx.helper, getattr(onnx.TensorProto, kind)
    ends = [helper.make_tensor_value_info(name, element, shape) for name in ("images", "features")]
    graph = helper.make_graph([helper.make_node("Identity", ["images"], ["features"])], "same", ends[:1], ends[1:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    if scale is not None:
        helper.set_model_props(model, {"scale": scale})
    onnx.save(model, path / "net.onnx")
    return path / "net.onnx"


def images(count: int = 3) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, 8, 8, 3), np.uint8)


@pytest.mark.parametrize("shape", [("n", 3, 8, 8), ("n", 8, 8, 3)])
def test_channels_come_first_or_last_and_pixels_are_averaged(tmp_path: Path, shape: tuple[int | str, ...]) -> None:
    ask, side = onnx_model(network(tmp_path, shape, scale="0..255"))
    assert side == 8
    np.testing.assert_allclose(ask(images()), images().mean(axis=(1, 2)), rtol=1e-4)


def test_pixels_are_scaled_as_for_imagenet_unless_the_file_says_how(tmp_path: Path) -> None:
    ask, _ = onnx_model(network(tmp_path, ("n", 3, 8, 8)))
    wanted = (images().mean(axis=(1, 2)) / 255 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
    np.testing.assert_allclose(ask(images()), wanted, rtol=1e-3, atol=1e-4)
    ask, _ = onnx_model(network(tmp_path, ("n", 3, 8, 8), scale="-1..1"))
    np.testing.assert_allclose(ask(images()), images().mean(axis=(1, 2)) / 127.5 - 1, rtol=1e-3, atol=1e-4)


def test_a_network_of_a_fixed_batch_is_asked_for_any_number(tmp_path: Path) -> None:
    ask, _ = onnx_model(network(tmp_path, (2, 3, 8, 8), scale="0..255"))
    np.testing.assert_allclose(ask(images(5)), images(5).mean(axis=(1, 2)), rtol=1e-4)


def test_any_side_is_none(tmp_path: Path) -> None:
    assert onnx_model(network(tmp_path, ("n", 3, "y", "x")))[1] is None


def test_what_is_no_network_for_images_is_refused(tmp_path: Path) -> None:
    for shape in [("n", 5, 8, 8), ("n", 3)]:
        with pytest.raises(InputError, match=r"expected net.onnx to take images \[n, 3, y, x\]"):
            onnx_model(network(tmp_path, shape))
    with pytest.raises(InputError, match="to take square images, got 8 x 6"):
        onnx_model(network(tmp_path, ("n", 3, 8, 6)))
    with pytest.raises(InputError, match="to take float32 or uint8"):
        onnx_model(network(tmp_path, ("n", 3, 8, 8), kind="DOUBLE"))
    with pytest.raises(InputError, match=f"one of {', '.join(SCALES)}, got 'other'"):
        onnx_model(network(tmp_path, ("n", 3, 8, 8), scale="other"))
    (tmp_path / "net.onnx").write_bytes(b"nothing")
    with pytest.raises(InputError, match=r"expected net\.onnx to load in onnxruntime"):
        onnx_model(tmp_path / "net.onnx")
