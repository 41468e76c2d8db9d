"""A page for every public name: its signature and its docstring, in groups.

Pages are reStructuredText, because docstrings are; Sphinx reads the docstring when the site is built.
"""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import re
from collections.abc import Iterator, Mapping
from textwrap import indent
from typing import Any

import imagemill
from imagemill.transforms.base import COMMON, Transform
from imagemill.transforms.catalogue import GROUPS as TRANSFORM_GROUPS
from imagemill.transforms.catalogue import targets_of

GROUPS = {
    "Pipelines": ("pipeline", "transforms.presets", "transforms.policies", "core.findings"),
    "What goes in and what comes out": ("core",),
    "Random values": ("core.ranges", "core.ramp"),
    "Reading and writing data": ("data",),
    "Jobs over whole datasets": ("verbs",),
    "Loading": ("feed",),
    "Audits and measurements": ("audits", "evaluate"),
    "Pipelines of other libraries": ("compat",),
    "Figures": ("app",),
    "Errors": ("core.errors",),
    "Transforms: what all of them are": ("transforms.base",),
    **{
        f"Transforms: {title[0].lower()}{title[1:]}": (f"transforms.{room}",)
        for room, title in TRANSFORM_GROUPS.items()
    },
}
"""Titles of groups, and the rooms whose names are in them."""

MODULES = {
    "imagemill.datasets": "Well-known datasets by name: `im.datasets.mnist()`",
    "imagemill.testing": "Contracts and generated inputs for your own tests",
    "imagemill.compat.keras": "`ImageDataGenerator` and what belongs to it",
    "imagemill.compat.gluon.transforms": "Gluon's vocabulary",
}
"""Modules whose names are used through them, a page each."""

INTRODUCTION = """\
# Python

Every public name of `import imagemill as im`, and of the modules that are used through their names. Signatures and
texts are those of the code; examples in them are executed by the tests.

"""


def names() -> list[str]:
    """Every public name, in the order of the stub's sections."""
    return [name for name in imagemill.__all__ if name != "__version__"]


def grouped() -> dict[str, list[str]]:
    """The public names of each group; a name that no group takes raises."""
    found: dict[str, list[str]] = {title: [] for title in GROUPS}
    for name in names():
        found[group_of(name)].append(name)
    return {title: listed for title, listed in found.items() if listed}


def group_of(name: str) -> str:
    """The title of a name's group.

    Examples
    --------
    >>> group_of("Rotate"), group_of("Loader")
    ('Transforms: geometry', 'Loading')
    """
    home = imagemill._HOME[name].removeprefix("imagemill.")
    rooms = {room: title for title, listed in GROUPS.items() for room in listed if f"{home}.".startswith(f"{room}.")}
    if not rooms:
        raise LookupError(f"expected a group for {name} of {home}; do: add its room to GROUPS of {__name__}")
    return rooms[max(rooms, key=len)]


def pages(cards: Mapping[str, str]) -> dict[str, str]:
    """Every page by its file's name.

    Parameters
    ----------
    cards : mapping of str to str
        The HTML of before and after, of the names that have pictures.
    """
    made = {"index.md": _index()}
    for title, listed in grouped().items():
        for name in listed:
            made[f"{name}.rst"] = _page(name, title, cards.get(name, ""))
    return made | {f"{module}.rst": _module_page(module, said) for module, said in MODULES.items()}


def _index() -> str:
    parts = [INTRODUCTION]
    for title, listed in grouped().items():
        rows = [f"| [`{name}`]({name}.rst) | {summary(getattr(imagemill, name))} |" for name in listed]
        parts.append(f"## {title}\n\n| name | |\n|---|---|\n" + "\n".join(rows) + "\n\n")
    rows = [f"| [`{module}`]({module}.rst) | {said} |" for module, said in MODULES.items()]
    return "".join([*parts, "## Modules\n\n| module | |\n|---|---|\n", "\n".join(rows), "\n"])


def summary(thing: Any) -> str:
    """The first sentence of a docstring, as Markdown; of a table what is in it."""
    if isinstance(thing, dict):
        return ", ".join(f"`{key}`" for key in thing)
    first = " ".join((inspect.getdoc(thing) or "").split("\n\n")[0].split())
    return re.sub(r":\w+:`~?\.?([^`]+)`", r"`\1`", first).replace("``", "`").replace("|", r"\|")


def _page(name: str, group: str, card: str) -> str:
    thing = getattr(imagemill, name)
    lines = [
        ":orphan:",
        "",
        name,
        "=" * len(name),
        "",
        f":doc:`Python <index>` › {group}",
        "",
        ".. py:currentmodule:: imagemill",
        "",
    ]
    if isinstance(thing, type):
        lines += list(_class(name, thing))
    elif callable(thing):
        lines += [f".. autofunction:: {name}"]
    else:
        lines += [f".. autodata:: {name}", "   :no-value:", "", *_entries(thing)]
    if card:
        lines += ["", "Before and after", "----------------", "", ".. raw:: html", "", indent(card, "   "), ""]
    return "\n".join(lines) + "\n"


def _class(name: str, cls: type) -> Iterator[str]:
    if issubclass(cls, Transform) and cls is not Transform:
        yield f".. autoclass:: {name}({', '.join(parameters(cls))})"
        yield from ("   :no-members:", "", f"Targets: {targets_of(cls)}. See :doc:`../transforms` for what that means.")
        return
    yield f".. autoclass:: {name}"
    # Errors inherit what Python's have; nobody looks for it here.
    yield from (
        ("   :no-members:",) if issubclass(cls, BaseException) else ("   :members:", "   :inherited-members: object")
    )


def _entries(thing: Any) -> Iterator[str]:
    """What a public table holds."""
    for key, value in thing.items() if isinstance(thing, dict) else ():
        yield f"* ``{key}``: {' '.join((inspect.getdoc(value) or '').split(chr(10) * 2)[0].split())}"


def parameters(cls: type[Transform]) -> list[str]:
    """A transform's parameters with their defaults as one would write them, those of every transform last.

    Examples
    --------
    >>> parameters(imagemill.Flip)
    ["axis='x'", '*', "mode='random'", 'every=1', 'p=1.0', 'images=None']
    """
    by_place, by_name = [], []
    for field in dataclasses.fields(cls):
        if not field.init:
            continue
        written = field.name
        if field.default is not dataclasses.MISSING:
            written += f"={_literal(field.default)}"
        elif field.default_factory is not dataclasses.MISSING:
            written += f"={_literal(field.default_factory())}"
        (by_name if field.kw_only or field.name in COMMON else by_place).append((field.name, written))
    by_name.sort(key=lambda pair: (pair[0] in COMMON, pair[0] != "p"))
    return [w for _, w in by_place] + (["*"] if by_name else []) + [w for _, w in by_name]


def _literal(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) and value == round(value) and abs(value) > 1 else repr(value)


def _module_page(module: str, said: str) -> str:
    public = getattr(importlib.import_module(module), "__all__", [])
    lines = [
        ":orphan:",
        "",
        module,
        "=" * len(module),
        "",
        ":doc:`Python <index>` › Modules",
        "",
        said.replace("`", "``"),
        "",
        f".. automodule:: {module}",
        "   :no-members:",
        "",
    ]
    for name in public:
        thing = getattr(importlib.import_module(module), name)
        kind = "autoclass" if isinstance(thing, type) else "autofunction" if callable(thing) else "autodata"
        lines += [f".. {kind}:: {module}.{name}"]
        lines += ["   :members:"] if kind == "autoclass" else ["   :no-value:"] if kind == "autodata" else []
        lines += [""]
    return "\n".join(lines) + "\n"
