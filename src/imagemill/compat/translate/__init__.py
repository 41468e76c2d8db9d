"""Pipelines that were written for other libraries, read and said in this library's transforms.

Here belong readers of their objects, files and source texts (`readers`) and one table of rules for each library
(`rules`); what a rule makes is an ordinary `Pipeline`. Nothing of another library is imported.
"""

from imagemill.compat.translate.translation import (
    from_albumentations,
    from_monai,
    from_torchio,
    from_torchvision,
)

__all__ = ["from_albumentations", "from_monai", "from_torchio", "from_torchvision"]
