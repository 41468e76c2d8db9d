"""Import torchvision beside a CPU build of torch.

The torchvision wheels that package indexes carry are built against CUDA: their compiled library does not load
beside a CPU torch, and importing the package then fails, because it registers shape functions for custom operators
that nobody has defined. Transforms use none of these operators. Once their schemas exist the import works, and
everything under ``torchvision.transforms.v2`` runs on torch's own CPU kernels, as it does with any build.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

# The two operators that torchvision/_meta_registrations.py registers without asking whether its library loaded.
_SCHEMAS = (
    "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
)
_kept: list[Any] = []  # torch forgets a library's definitions when the object dies


def load() -> ModuleType:
    """The torchvision module, ready for its v2 transforms."""
    import torch

    if not _kept:
        try:
            import torchvision
        except RuntimeError:
            library = torch.library.Library("torchvision", "DEF")
            for schema in _SCHEMAS:
                library.define(schema)
            _kept.append(library)
    import torchvision

    module: ModuleType = torchvision
    return module
