"""The verbs of the command: which there are, and loading one when it is asked for and not before."""

from __future__ import annotations

import difflib
import importlib
import inspect
from importlib.util import find_spec
from pathlib import Path
from types import CodeType
from typing import Any, Literal

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_group

from imagemill.app.cli.console import guarded
from imagemill.app.cli.plain_words import read_plainly

__all__ = ["MARKUP", "Verbs"]

MARKUP: Literal["markdown"] = "markdown"
_VERBS = (
    *("demo", "scan", "audit", "prepare", "split", "export"),
    *("augment", "preview", "explore", "replay", "explain", "lint"),
    *("screen", "compare", "stress", "worth", "experiment", "recommend", "bench", "doctor", "warmup"),
)
"""Each in the module of its name, in the order in which they are listed."""
_COLUMNS = ("image", "mask", "label", "labels", "split", "group", "boxes", "key")
_ALIKE = 0.85
_FAMILIES = {"datasets": "list_datasets"}
"""The same for verbs that have verbs of their own, and the function that says what they are for."""


class Verbs(TyperGroup):
    """All verbs by name; those that are only listed, in help and for completion, are not loaded for that."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self.commands = {name: TyperCommand(name) for name in (*_VERBS, *_FAMILIES)}

    def get_params(self, ctx: Any) -> list[Any]:
        """The options in front of a verb, and how their words are read."""
        return read_plainly(super().get_params(ctx))

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """What is said of a verb in a list; nothing can be run with it."""
        known = super().get_command(ctx, cmd_name)
        if known is not None and known.help is None:
            known.help = _help_of(cmd_name)
        return known

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """The list of verbs, which is quicker drawn than by what draws any help."""
        del formatter
        from imagemill.app.cli.verb_list import show  # only where the list is asked for

        show(ctx, self)

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[Any, Any, list[str]]:
        """The verb that is asked for, loaded."""
        if args and args[0] in self.commands:
            self.commands[args[0]] = _loaded(args[0])
        return super().resolve_command(ctx, args)


class Verb(TyperCommand):
    """One verb, which says of what was left out what it is, and of an unknown option which is like it."""

    def get_params(self, ctx: Any) -> list[Any]:
        """All options and arguments, and how their words are read."""
        return read_plainly(super().get_params(ctx))

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the words behind the verb."""
        given = list(args)  # which reading takes apart
        try:
            return super().parse_args(ctx, args)
        except Exception as error:
            # Told by what they carry: where their classes are depends on the release of typer.
            option, param = getattr(error, "option_name", None), getattr(error, "param", None)
            if option is not None and hasattr(error, "possibilities"):
                known = [word for one in self.get_params(ctx) for word in one.opts if word.startswith("--")]
                error.possibilities = _near_option(option, known, given)
            elif type(error).__name__ == "MissingParameter" and param is not None:
                error.message = _left_out(param, ctx.info_name)  # type: ignore[attr-defined]
            elif param is None and str(error).startswith("Got unexpected extra"):
                error.message = f"{str(error).rstrip('.')}. {_one_source(given, self.get_params(ctx))}"  # type: ignore[attr-defined]
            raise


def _near_option(option: str, known: list[str], args: list[str]) -> list[str]:
    """What was probably meant by an option that there is none of."""
    near, role = difflib.get_close_matches(option, known, n=1), option.lstrip("-").split("=")[0]
    alike = bool(near) and difflib.SequenceMatcher(None, option, near[0]).ratio() > _ALIKE
    if alike or "--option" not in known or role not in _COLUMNS:
        return near
    places = [i for i, word in enumerate(args) if word == option]
    value = args[places[0] + 1] if places and places[0] + 1 < len(args) else "NAME"
    return [f"--option column.{role}={value}"]


def _one_source(args: list[str], params: list[Any]) -> str:
    """What to write instead of more words than a verb takes: a pattern that the shell took apart, or an output."""
    places = [word for word in args if not word.startswith("-")]
    if len(places) > 1 and all(Path(word).is_file() for word in places[:2]):
        return "Files of a pattern arrive one by one: give their folder, or the pattern in quotes, 'photos/*.jpg'"
    written = next((one for one in params if "--out" in one.opts), None)
    if written is None:
        return "Options are given by their names, see -h"
    short = min((word for word in written.opts if word.startswith("-")), key=len)
    return f"Where to write is said by {short}: {short} {places[-1] if places else 'OUT'}"


def _left_out(param: Any, verb: str) -> str:
    """What a parameter is, and how it is written."""
    shown = param.metavar or param.human_readable_name
    short = min((word for word in param.opts if word.startswith("-")), key=len, default="")
    written = f"write {short} {shown}" if short else f"write imagemill {verb} {shown}"
    what = (getattr(param, "help", None) or "").rstrip(".")
    return f"{what}: {written}" if what else written


def _loaded(name: str) -> Any:
    verb = getattr(importlib.import_module(f"{__package__}.{name}"), name)
    alone = typer.Typer(rich_markup_mode=MARKUP)
    if name in _FAMILIES:
        alone.add_typer(verb, name=name)
    else:
        alone.command(name, cls=Verb)(guarded(verb))
    return get_group(alone).commands[name]


def _help_of(name: str) -> str | None:
    """The docstring of a verb, taken out of the compiled module: running it would load what the verb works with."""
    module = f"{__package__}.{name}"
    spec = find_spec(module)
    get_code = getattr(spec and spec.loader, "get_code", None)
    code = get_code(module) if get_code else None
    function = _FAMILIES.get(name, name)
    for one in code.co_consts if code else ():
        # Whether the first constant is a docstring says a flag from Python 3.13 on; before, it always is, or None.
        if isinstance(one, CodeType) and one.co_name == function and isinstance(one.co_consts[0], str):
            return inspect.cleandoc(one.co_consts[0])
    help_text: str | None = _loaded(name).help
    return help_text
