"""Rules that turn calls of another library into transforms, and what is said while they do."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from imagemill.compat.translate.calls import Call, Function, Unread, typed
from imagemill.core.errors import InputError, ParameterError
from imagemill.transforms.base import Transform

__all__ = ["NoCounterpart", "Rule", "Rules", "Step", "Translator"]

Made = Transform | Sequence[Transform]
_HOLD_CALLS = ("transforms", "transform", "first", "second", "bbox_params", "keypoint_params")
_MORE, _ANY = inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD


class NoCounterpart(Exception):  # noqa: N818  it says what there is not
    """Raised by a rule that has nothing to offer, with the reason."""


class _NotKnown(Exception):  # noqa: N818  gathered, and said at the end
    """Values that only running the program gives."""

    def __init__(self, texts: tuple[str, ...]) -> None:
        super().__init__()
        self.texts = texts


@dataclass(frozen=True, slots=True)
class Rule:
    """How one transform is said here.

    Parameters
    ----------
    library : str
    names : tuple of str
        The transform's name there, and what it was called before.
    function : callable
        Takes a `Step`, and the arguments that the transform takes there, by their names and with their defaults.
    reads : bool
        It takes what only running would give as it is written, as `Unread`.
    """

    library: str
    names: tuple[str, ...]
    function: Callable[..., Made]
    reads: bool = False

    @property
    def says(self) -> str:
        """What changes on the way, in a sentence; from the function's docstring."""
        return inspect.getdoc(self.function) or ""

    def parameters(self) -> Mapping[str, inspect.Parameter]:
        """The parameters there, without the `Step`."""
        found = dict(inspect.signature(self.function).parameters)
        del found[next(iter(found))]
        return found


class Rules:
    """The rules of one library, by name.

    Parameters
    ----------
    library : str
        As its package is called.
    ignored : sequence of str
        Parameters of any transform that change nothing here.
    noted : mapping from str to str
        Parameters of any transform that are left out, and what that means.
    """

    def __init__(self, library: str, ignored: Sequence[str] = (), noted: Mapping[str, str] | None = None) -> None:
        self.library = library
        self.ignored = frozenset(ignored)
        self.noted = dict(noted or {})
        self.by_name: dict[str, Rule] = {}
        self.absent: dict[str, str] = {}

    def rule(self, *names: str, reads: bool = False) -> Callable[[Callable[..., Made]], Callable[..., Made]]:
        """Note the decorated function as the rule of some names."""

        def note(function: Callable[..., Made]) -> Callable[..., Made]:
            made = Rule(self.library, names, function, reads)
            for name in names:
                assert name not in self.by_name, f"two rules for {name}"
                self.by_name[name] = made
            return function

        return note

    def without(self, why: str, *names: str) -> None:
        """Note names that have no counterpart here, and the reason."""
        self.absent.update(dict.fromkeys(names, why))

    def named(self, call: Call) -> Call:
        """The call as its rule is named; a library whose names have forms overrides this."""
        return call

    def version_of(self, call: Any, notes: list[str]) -> int:
        """The version that calls were written for, with a note of what tells; a library with several overrides this."""
        return 2

    def __iter__(self) -> Iterator[Rule]:
        return iter(dict.fromkeys(self.by_name.values()))


@dataclass(slots=True)
class Translator:
    """Walks through calls and gathers what there is to say.

    Parameters
    ----------
    rules : Rules
    version : int
        Of the library, its first number: defaults changed between them.
    """

    rules: Rules
    version: int = 0
    notes: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    settings: dict[str, Any] = field(default_factory=dict)
    unknown: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    """Steps with values that only running the program gives."""
    home: str = ""
    """The module that the composition comes from, where it is not the library's own: a copy of it."""
    whole: Any = None
    """All that is translated."""
    sides: tuple[int, int] = (256, 256)
    """Height and width where the walk is, as far as the pipeline says; for amounts in pixels that are shares here."""

    def transforms(self, value: Any) -> list[Transform]:
        """The transforms of a call, or of a list of them."""
        if isinstance(value, list | tuple):
            return [made for one in value for made in self.transforms(one)]
        value = typed(value)
        if value is None:
            return []
        if isinstance(value, Unread):
            self._misses(f"{value.text} is not known without running the program")
            return []
        if isinstance(value, Function):
            self._misses(f"{value.node.name} is a function of the program; put imagemill.Apply(function) in its place")
            return []
        if not isinstance(value, Call):
            raise InputError(f"expected transforms of {self.rules.library}, got {value!r}")
        if value.name == "ModuleList":
            return self.transforms(value.positional)
        return self._called(value)

    def known(self) -> None:
        """Say which values are not known, if there are any.

        Raises
        ------
        InputError
        """
        if self.unknown:
            steps = "; ".join(f"{shown}: expected values, got {', '.join(texts)}" for shown, texts in self.unknown)
            every = dict.fromkeys(text for _, texts in self.unknown for text in texts)
            example = ", ".join(f"{text!r}: ..." for text in every)
            raise InputError(f"{steps}; say them: names={{{example}}}")

    def _called(self, call: Call) -> list[Transform]:
        shown = f"{call.name} ({call.where})" if call.where else call.name
        if self._is_strange(call.origin):
            known = f"{call.name} of {self.rules.library}, if it does the same, or " if self._knows(call) else ""
            self._misses(
                f"{shown}: from {call.origin}, not from {self.rules.library}; put {known}imagemill.Apply(function)"
            )
            return []
        call = self.rules.named(call)
        rule = self.rules.by_name.get(call.name)
        if rule is None:
            self._misses(
                f"{shown}: {self.rules.absent.get(call.name, f'no transform of {self.rules.library} we know')}"
            )
            return []
        step = Step(self, call, shown)
        try:
            made = rule.function(step, **step.arguments(rule))
        except NoCounterpart as error:
            self._misses(f"{shown}: {error}")
            return []
        except _NotKnown as error:
            self.unknown.append((shown, error.texts))
            return []
        except ParameterError as error:
            # What it was given there is beyond what it can be here.
            self._misses(f"{shown}: {error}")
            return []
        except InputError:
            raise
        except (TypeError, ValueError, LookupError) as error:
            self._misses(f"{shown}: its arguments have another form than we know ({error})")
            return []
        found = [made] if isinstance(made, Transform) else list(made)
        for size in (one.traits().size for one in found):
            if size:
                self.sides = (int(size[-2:][0]), int(size[-1]))
        return found

    def _is_strange(self, origin: str) -> bool:
        """Whether a name is known to be something else's."""
        return bool(origin) and origin != self.home and origin.partition(".")[0] not in (self.rules.library, "torch")

    def _knows(self, call: Call) -> bool:
        return self.rules.named(call).name in self.rules.by_name

    def _misses(self, text: str) -> None:
        self.missing.append(text)


@dataclass(frozen=True, slots=True)
class Step:
    """One call while its rule looks at it."""

    translator: Translator
    call: Call
    shown: str

    @property
    def version(self) -> int:
        """First number of the version the pipeline was written for."""
        return self.translator.version

    @property
    def sides(self) -> tuple[int, int]:
        """Height and width of images here, as far as the pipeline says, else 256 pixels."""
        return self.translator.sides

    def note(self, text: str) -> None:
        """Say what is not the same here."""
        said = f"{self.call.name}: {text}"
        if said not in self.translator.notes:
            self.translator.notes.append(said)

    def set(self, name: str, value: Any) -> None:
        """What the whole pipeline is to be made with."""
        self.translator.settings[name] = value

    def transforms(self, value: Any) -> list[Transform]:
        """The transforms inside this one."""
        return self.translator.transforms(value)

    def of_library(self, library: str, call: Call) -> list[Transform]:
        """The transforms that a call of another library stands for."""
        from imagemill.compat.translate.rules.tables import table

        outer = self.translator
        inner = Translator(table(library), 2, outer.notes, outer.missing, outer.settings, outer.unknown, whole=call)
        inner.sides = outer.sides
        return inner.transforms(call)

    def each(self, value: Any) -> list[list[Transform]]:
        """The transforms that each of several inside stands for."""
        listed = value if isinstance(value, list | tuple) else [value]
        return [self.translator.transforms(one) for one in listed]

    def arguments(self, rule: Rule) -> dict[str, Any]:
        """The arguments of the call by name, those left out not among them.

        Raises
        ------
        InputError
            For too many of them, for a required one that is not there, and for one that only running gives.
        """
        known = {name: one for name, one in rule.parameters().items() if one.kind not in (_MORE, _ANY)}
        kinds = frozenset(one.kind for one in rule.parameters().values())
        given = self._placed(known, kinds) | dict(self.call.given)
        if given.pop("always_apply", False) is True:
            given["p"] = 1.0
        self._left_out(rule, given, known, kinds)
        if not rule.reads:
            self._readable(given)
        for name in ("p", "prob"):
            if isinstance(given.get(name), int):
                given[name] = float(given[name])
        needed = [n for n, one in known.items() if one.default is inspect.Parameter.empty and n not in given]
        if lost := [name for name in self.call.unsure if name in known]:
            self._not_kept(lost, needed)
        if needed:
            raise InputError(f"{self.shown}: expected {' and '.join(needed)}, got {self._got(given)}")
        return given

    def _left_out(
        self, rule: Rule, given: dict[str, Any], known: Mapping[str, inspect.Parameter], kinds: frozenset[Any]
    ) -> None:
        """Take out what the rule does not take, and say so."""
        rules = self.translator.rules
        for name in rules.ignored & set(given):
            # What changes nothing need not be known; a rule that takes it has its own reading.
            if isinstance(given[name], Unread):
                del given[name]
        for name in [name for name in given if name not in known]:
            value = given.pop(name)
            if name in rules.noted and value is not None:
                self.note(f"{name}={_short(value)} is left out: {rules.noted[name]}")
            elif name not in rules.noted and name not in rules.ignored and _ANY not in kinds:
                self.note(f"{name}={_short(value)} is left out; {rule.names[0]} takes {', '.join(known)}")

    def _placed(self, known: Mapping[str, inspect.Parameter], kinds: frozenset[Any]) -> dict[str, Any]:
        """Arguments without a name, by the names they have."""
        by_place = [name for name, one in known.items() if one.kind is not inspect.Parameter.KEYWORD_ONLY]
        placed: tuple[Any, ...] = self.call.positional
        if _MORE in kinds and len(placed) > 1:
            # All of them are one list: nn.Sequential(a, b).
            placed = (list(placed),)
        if len(placed) > len(by_place) and by_place:
            many = f"expected at most {len(by_place)} arguments without a name ({', '.join(by_place)})"
            raise InputError(f"{self.shown}: {many}, got {len(placed)}")
        given = dict(zip(by_place, placed, strict=False))
        if twice := sorted(set(given) & set(self.call.given)):
            raise InputError(f"{self.shown}: expected {', '.join(twice)} once, got it by place and by name")
        return given

    def _not_kept(self, lost: list[str], needed: list[str]) -> None:
        """Say what an object does not keep, which may differ from the default."""
        if any(name in needed for name in lost):
            raise InputError(
                f"expected {self.call.name} to keep its {', '.join(lost)}, and it does not; "
                "give the source text of the pipeline instead"
            )
        self.note(f"the object does not keep {', '.join(lost)}: taken as by default")

    def _got(self, given: Mapping[str, Any]) -> str:
        return ", ".join(f"{name}={_short(value)}" for name, value in given.items()) or "no arguments"

    def _readable(self, given: Mapping[str, Any]) -> None:
        # Functions in the place of steps are left out by themselves.
        plain = {name: _no_functions(value) if name in _HOLD_CALLS else value for name, value in given.items()}
        unknown = sorted({one.text for value in plain.values() for one in _unread(value)})
        called = [value for name, value in given.items() if isinstance(value, Call) and name not in _HOLD_CALLS]
        unknown += [f"{value.name}(...)" for value in called]
        if not unknown:
            return
        functions = [text for text in unknown if text.startswith("lambda") or "(" in text]
        if functions:
            raise NoCounterpart(f"{functions[0]} has to be run to be known; put imagemill.Apply(function) in its place")
        raise _NotKnown(tuple(unknown))


def _unread(value: Any) -> Iterator[Unread]:
    if isinstance(value, Unread):
        yield value
    elif isinstance(value, Function):
        yield Unread(f"{value.node.name}(...)")
    elif isinstance(value, Mapping):
        yield from _unread(list(value.values()))
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _unread(one)


def _no_functions(value: Any) -> Any:
    listed = isinstance(value, list | tuple)
    return [one for one in value if not isinstance(one, Function)] if listed else value


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) < 60 else text[:57] + "..."
