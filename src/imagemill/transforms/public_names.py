"""Puts new transforms on the list of public names, the stub beside the package; `make docs` runs it."""

from __future__ import annotations

from pathlib import Path

from imagemill.transforms import (
    adapting,
    colour,
    cropping,
    filter,
    geometric,
    medical,
    mixing,
    noise,
    occlusion,
    quality,
    weather,
)

__all__ = ["completed", "missing_lines"]


def missing_lines(stub: str) -> list[str]:
    """What the list of public names lacks: a line for each transform of imagemill that is not in it.

    Parameters
    ----------
    stub : str
        The text of ``imagemill/__init__.pyi``.
    """
    rooms = (adapting, colour, cropping, filter, geometric, medical, mixing, noise, occlusion, quality, weather)
    classes = [getattr(room, name) for room in rooms for name in room.__all__]
    wanted = [f"from {cls.__module__} import {cls.__name__} as {cls.__name__}" for cls in classes]
    return [line for line in wanted if line not in stub.splitlines()]


def completed(stub: str) -> str:
    """The list of public names with the lines it lacks."""
    here = [line for line in stub.splitlines() if line.startswith("from ")]
    lines = sorted({*here, *missing_lines(stub)}, key=_order)
    return stub.replace("\n".join(here), "\n".join(lines))


def _order(line: str) -> tuple[str, bool, str]:
    """As ruff has it: by module, constants first."""
    _, module, _, name, *_ = line.split()
    return module, not name.isupper(), name


if __name__ == "__main__":
    stub = Path(__file__).parents[1] / "__init__.pyi"
    stub.write_text(completed(stub.read_text("utf-8")), "utf-8", newline="\n")
