"""What a page needs so that whoever reads it can do the same again: pipelines, design, versions."""

from __future__ import annotations

import json
import platform
import sys
from importlib import metadata
from typing import TYPE_CHECKING

from imagemill.core.errors import ImagemillError
from imagemill.evaluate.inputs.arms import CLEAN, Arm
from imagemill.pages import Block, Code, Facts, Part, Section

if TYPE_CHECKING:
    from imagemill.evaluate.comparisons.comparison import Comparison

__all__ = ["own_version", "pipeline_section", "rerun_section"]

_PACKAGES = ("numpy", "scipy", "numba", "opencv-python-headless")


def pipeline_section(found: Comparison) -> Section:
    """Each arm as a file that can be saved, and what runs on an image."""
    blocks: list[Block | str] = []
    if found.material is None:
        digests = found.design["arms"].items()
        blocks = ["Pipelines are not at hand: this comparison was not made in this process.", Facts([*digests])]
    else:
        shape = found.material.asked[0].images.shape[1:]
        dtype = str(found.material.asked[0].images.dtype)
        blocks = [Part(arm.name, _arm(arm, shape, dtype)) for arm in found.material.arms]
    return Section("The arms", blocks)


def _arm(arm: Arm, shape: tuple[int, ...], dtype: str) -> list[Block | str]:
    if arm.pipeline is None:
        return ["Training images as they are."]
    pipeline = arm.pipeline.with_seed(0)  # each run sets its own
    try:
        text: Block | str = Code(pipeline.to_yaml(), f"{arm.name}.yaml")
    except ImagemillError as error:  # a transform of one's own that no file can name
        text = f"This pipeline cannot be written as a file: {error}"
    return [
        text,
        Code(
            pipeline.explain(shape, axes="yxc" if len(shape) == 3 else "zyxc", dtype=dtype),
            "explain(): what runs on an image",
        ),
    ]


def rerun_section(found: Comparison, command: str | None) -> Section:
    """The command or the call, the design in full, and versions."""
    call = Code(command, "the command line") if command else Code(_call(found), "in Python")
    named = {name: _version(name) for name in (*_PACKAGES, str(found.design.get("runner", "")))}
    versions = [(name, version) for name, version in named.items() if version]
    return Section(
        "To do the same again",
        [
            call,
            "Every draw follows from the seeds 0, 1, 2, ..., so the same design gives the same figures, whatever the "
            "number of workers; on another machine or another version of a framework they agree up to rounding.",
            Code(json.dumps(dict(found.design), indent=1), "the design; data and arms by their digests"),
            Facts(
                [("imagemill", own_version()), ("Python", platform.python_version()), *versions],
                "Versions that wrote this page",
            ),
        ],
    )


def _call(found: Comparison) -> str:
    asked, recipe = found.design, found.design["recipe"]
    arms = [
        f"        {json.dumps(name)}: im.Pipeline.load({json.dumps(f'{name}.yaml')})," for name in [*asked["arms"]][1:]
    ]
    others = [name for name in asked["test_images"] if name != CLEAN]
    lines = [
        "import imagemill as im",
        "",
        "found = im.compare(",
        f"    data,  # {asked['train_images']:,} training images, digest {asked['data']}",
        "    {",
        *arms,
        "    },",
        f'    model="{asked["model"]}", seeds={asked["seeds"]}, epochs={recipe["epochs"]},',
        f"    batch_size={recipe['batch_size']}, learning_rate={recipe['learning_rate']},",
        *([f"    # and stress= or wild= that give: {', '.join(others)}"] if others else []),
        ")",
    ]
    return "\n".join(lines)


def own_version() -> str:
    """The version of this package, from its top, which lower rooms do not import."""
    return str(getattr(sys.modules[__name__.partition(".")[0]], "__version__", ""))


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except (metadata.PackageNotFoundError, ValueError):  # a runner of one's own: not named
        return None
