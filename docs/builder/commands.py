"""A page for every command with its arguments and options, from the command itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

INTRODUCTION = """\
# Commands

`imagemill COMMAND --help` says the same in a terminal. Exit status: 0 done, 1 done but with findings or nothing made, 2
an error, 130 stopped with Ctrl-C. `imagemill --install-completion` completes commands and options in your shell.

| command | does |
|---|---|
"""


def commands() -> dict[str, Any]:
    """Every command by what is typed for it, groups of commands opened."""
    import typer.main

    from imagemill.app.cli import app

    return dict(_opened(typer.main.get_command(app), ()))


def _opened(command: Any, words: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
    if not hasattr(command, "commands"):
        yield " ".join(words), command
        return
    context = command.make_context(words[-1] if words else "imagemill", [], resilient_parsing=True)
    for name in list(command.commands):
        # As when it is typed: verbs are not loaded before that.
        _, one, _ = command.resolve_command(context, [name])
        if not getattr(one, "hidden", False):
            yield from _opened(one, (*words, name))


def pages() -> dict[str, str]:
    """Every page by its file's name: the list, and a page for each command."""
    found = commands()
    rows = [f"| [`{name}`]({file_name(name)}.md) | {_cell(_first(one.help))} |" for name, one in found.items()]
    listed = {"index.md": INTRODUCTION + "\n".join(rows) + "\n"}
    return listed | {f"{file_name(name)}.md": _page(name, one) for name, one in found.items()}


def file_name(name: str) -> str:
    """The name of a command's page.

    Examples
    --------
    >>> file_name("datasets get")
    'datasets-get'
    """
    return name.replace(" ", "-")


def _page(name: str, command: Any) -> str:
    shown = [p for p in command.params if not getattr(p, "hidden", False)]
    arguments = [p for p in shown if not _is_option(p)]
    options = [p for p in shown if _is_option(p) and p.name != "help"]
    words = [_metavar(p) if p.required else f"[{_metavar(p)}]" for p in arguments]
    parts = [f"# imagemill {name}\n", f"{(command.help or '').strip()}\n"]
    parts.append(f"```console\n$ imagemill {' '.join([name, *words, '[OPTIONS]'])}\n```\n")
    if arguments:
        parts += ["## Arguments\n", "| argument | |", "|---|---|"]
        parts += [f"| `{_metavar(p)}` | {_said(p)} |" for p in arguments] + [""]
    if options:
        parts += ["## Options\n", "| option | value | |", "|---|---|---|"]
        parts += [f"| {_names(p)} | {_value(p)} | {_said(p)} |" for p in options] + [""]
    return "\n".join(parts)


def _is_option(parameter: Any) -> bool:
    return bool(parameter.opts[0].startswith("-"))


def _metavar(parameter: Any) -> str:
    return str(parameter.metavar or parameter.name.upper()) + ("..." if parameter.nargs == -1 else "")


def _names(parameter: Any) -> str:
    short_last = sorted(parameter.opts, key=lambda name: not name.startswith("--"))
    return ", ".join(f"`{name}`" for name in [*short_last, *parameter.secondary_opts])


def _value(parameter: Any) -> str:
    if getattr(parameter, "is_flag", False):
        return ""
    if parameter.metavar:
        return f"`{_cell(parameter.metavar)}`"
    kind = getattr(getattr(parameter, "type_descriptor", None), "annotation", None)
    if choices := [str(getattr(one, "value", one)) for one in getattr(kind, "__members__", {}).values()]:
        return ", ".join(f"`{one}`" for one in choices)
    named = getattr(kind, "__name__", None) or getattr(getattr(parameter, "type", None), "name", "") or "text"
    return {"str": "text", "int": "whole number", "float": "number", "Path": "path"}.get(named, named.lower())


def _said(parameter: Any) -> str:
    words = [_cell(parameter.help or "")]
    default = parameter.default
    if parameter.required:
        words.append("*Required.*")
    elif parameter.multiple:
        words.append("*May be given several times.*")
    elif _is_option(parameter) and not any(default is w for w in (None, False, True)) and default not in ("", ()):
        words.append(f"*Default `{getattr(default, 'value', default)}`.*")
    return " ".join(words)


def _first(text: str | None) -> str:
    return " ".join((text or "").split("\n\n")[0].split())


def _cell(text: str) -> str:
    """Text for one line of a table."""
    return re.sub(r"\s+", " ", text).replace("|", r"\|").replace("<", "&lt;").strip()
