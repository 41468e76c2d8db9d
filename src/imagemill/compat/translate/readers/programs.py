"""Walks through the statements of a program in the order in which they would run, and notes pipelines.

Where a condition is not known, both ways are walked, each with what it sets.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from imagemill.compat.translate.calls import COMPOSERS, Call, Function, Unread, calls_in, typed
from imagemill.compat.translate.readers.expressions import (
    DEEPEST,
    Scope,
    Undecided,
    last_name,
    list_in,
)
from imagemill.compat.translate.readers.what_matters import changed_by, names_that_matter
from imagemill.core.errors import InputError

__all__ = ["Found", "Walk"]

_LIBRARIES = frozenset(
    {
        "albumentations", "torchvision", "monai", "torchio", "kornia", "imgaug", "keras", "tensorflow", "mmcv", "mmdet",
        "paddle", "gluon", "mxnet", "torchaudio", "audiomentations", "augly", "volumentations", "batchgenerators",
        "sklearn", "mmseg", "detectron2", "nnunet", "nnunetv2", "batchgeneratorsv2", "torch_geometric", "jax", "flax",
    }
)  # fmt: skip
_AnyDef = ast.FunctionDef | ast.AsyncFunctionDef
_PARSED = ("parse_args", "parse_known_args", "get_args")
"""Calls that give what the command line says."""
_MOST_WAYS = 256
_MOST_ROUNDS = 100


@dataclass(frozen=True, slots=True)
class _Bind:
    """A round of a loop: its variable has a value."""

    target: ast.expr
    value: Any


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """A pipeline of a program.

    Parameters
    ----------
    name : str
        Of the variable, the function that returns it, or the key in a dictionary.
    call : Call
    conditions : tuple of str
        What has to hold for it.
    within : str
        The function of the program that was called to make it; empty for none.
    also : list of str
        Other names: of the class it is made in, of a variable before it is returned.
    """

    name: str
    call: Call
    conditions: tuple[str, ...]
    within: str
    also: list[str] = field(default_factory=list)


class _Returned(Exception):  # noqa: N818  it ends a function
    """Carries what a function of the program returns."""

    def __init__(self, value: Any) -> None:
        super().__init__()
        self.value = value


class Walk:
    """Through one program.

    Parameters
    ----------
    tree : ast.Module
    package : str
        Leave out what is known, by the imports, to be of another package.
    """

    def __init__(self, tree: ast.Module, package: str) -> None:
        self.package = package
        self.found: list[Found] = []
        self.loose: list[Found] = []
        """Transforms and lists of them that stand in no composition."""
        self.ways = 0
        self.quiet = 0
        self.defaults: dict[str, Any] = {}
        self.matters = names_that_matter(tree)
        self.tree = tree

    def run(self, names: Mapping[str, Any]) -> None:
        """Walk through all of it."""
        scope = Scope({"__name__": "__main__", **names}, given=names)
        self._register(self.tree.body, scope, "")
        self._block(self.tree.body, scope, "")

    def _register(self, body: Sequence[ast.stmt], scope: Scope, owner: str) -> None:
        for node in body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                scope.names[f"{owner}.{node.name}" if owner else node.name] = self._function(node, scope)

    def _function(self, node: _AnyDef, home: Scope) -> Function:
        return Function(node, home, self._called)

    def _called(self, function: Function, caller: Scope, positional: tuple[Any, ...], given: Mapping[str, Any]) -> Any:
        """What a function of the program returns."""
        inside = self._inside(function.node, function.home, positional, given)
        inside.decided, inside.depth = caller.decided, caller.depth + 1
        self.quiet += 1
        try:
            self._block(function.node.body, inside, function.node.name)
        except _Returned as found:
            return found.value
        finally:
            self.quiet -= 1
        return None

    def _block(self, body: Sequence[Any], scope: Scope, owner: str, defined: tuple[_AnyDef, ...] = ()) -> None:
        """Statements, and what follows them; functions that are defined here are walked through at the end."""
        for place, node in enumerate(body):
            rest = body[place + 1 :]
            try:
                following = self._statement(node, scope, owner)
            except Undecided as fork:
                if self.quiet:
                    raise
                self._both_ways(fork.condition, body[place:], scope, owner, defined)
                return
            if following is not None:
                self._block([*following, *rest], scope, owner, defined)
                return
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                defined = (*defined, node)
            if isinstance(node, ast.Return | ast.Raise):
                break
        if not self.quiet:
            for one in defined:
                self._block(one.body, self._inside(one, scope), one.name)

    def _both_ways(
        self, condition: str, body: Sequence[Any], scope: Scope, owner: str, defined: tuple[_AnyDef, ...]
    ) -> None:
        self.ways += 1
        if self.ways > _MOST_WAYS:
            raise InputError(
                f"expected at most {_MOST_WAYS} ways through a program, got more: {condition!r} and other conditions "
                f"are not known; say them: names={{{condition!r}: True}}"
            )
        known = scope.given.get(condition)
        for decision in (True, False) if known is None else (bool(known),):
            self._block(body, scope.parted(condition, decision), owner, defined)

    def _statement(self, node: Any, scope: Scope, owner: str) -> Sequence[Any] | None:
        """What is to be walked through next, before all that follows; None for just that."""
        match node:
            case _Bind(target=target, value=value):
                scope.bind(target, value)
            case ast.Import() | ast.ImportFrom():
                _imported(node, scope)
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                scope.names[name] = self._function(node, scope)
            case ast.ClassDef():
                self._class(node, scope)
            case ast.If(test=test, body=body, orelse=other):
                if self._may_matter(body) or self._may_matter(other):
                    return body if scope.truth(test) else other
            case ast.For(target=target, iter=over, body=body, orelse=other):
                return [*self._rounds(target, scope.value(over), body), *other]
            case ast.While(body=body) | ast.With(body=body) | ast.AsyncWith(body=body):
                return body
            case ast.Try(body=body, orelse=other, finalbody=last):
                return [*body, *other, *last]
            case ast.Match(subject=subject, cases=cases):
                return self._matched(subject, cases, scope)
            case _:
                self._simple(node, scope, owner)
        return None

    def _simple(self, node: Any, scope: Scope, owner: str) -> None:
        match node:
            case ast.Assign(targets=targets, value=value):
                self._assigned(targets, value, scope, owner)
            case ast.AnnAssign(target=target, value=ast.expr() as value):
                self._assigned([target], value, scope, owner)
            case ast.AugAssign(target=target, op=op, value=value):
                before = list_in(scope.value(target))
                more = scope.value(value)
                if isinstance(op, ast.Add) and before is not None and isinstance(more, list | tuple):
                    before.extend(more)
                else:
                    scope.bind(target, scope.value(ast.BinOp(_loaded(target), op, value)))
            case ast.Return(value=value):
                found = None if value is None else scope.value(value)
                if self.quiet:
                    raise _Returned(found)
                if value is not None:
                    self._note(owner, value, found, scope)
            case ast.Expr(value=value):
                if not self._changed(value, scope):
                    self._note(owner, value, scope.value(value), scope)

    def _rounds(self, target: ast.expr, over: Any, body: Sequence[ast.stmt]) -> list[Any]:
        if isinstance(over, Mapping):
            over = list(over)
        if isinstance(over, list | tuple | range) and len(over) <= _MOST_ROUNDS and self._may_matter(body):
            return [one for value in over for one in (_Bind(target, value), *body)]
        return [_Bind(target, Unread(ast.unparse(target))), *body]

    def _matched(self, subject: ast.expr, cases: list[ast.match_case], scope: Scope) -> Sequence[ast.stmt]:
        for case in cases:
            if isinstance(case.pattern, ast.MatchValue):
                test = ast.Compare(subject, [ast.Eq()], [case.pattern.value])
                if scope.truth(test):
                    return case.body
            elif isinstance(case.pattern, ast.MatchAs) and case.pattern.pattern is None:
                return case.body
        return []

    def _may_matter(self, body: Sequence[ast.stmt]) -> bool:
        """Whether a branch can change any pipeline, or ends what is walked through."""
        for outer in body:
            for node in ast.walk(outer):
                if isinstance(node, ast.Return | ast.Import | ast.ImportFrom | ast.FunctionDef | ast.ClassDef):
                    return True
                if isinstance(node, ast.Call) and last_name(node.func) in COMPOSERS:
                    return True
                if any(ast.unparse(target) in self.matters for target in changed_by(node)):
                    return True
        return False

    def _class(self, node: ast.ClassDef, scope: Scope) -> None:
        inside = replace(scope, names=dict(scope.names))
        self._register(node.body, inside, "self")
        before = dict(scope.names)
        self._block([one for one in node.body if not isinstance(one, ast.FunctionDef)], inside, node.name)
        mine = {name: value for name, value in inside.names.items() if value is not before.get(name)}
        own = {name: value for name, value in mine.items() if "." not in name}
        scope.names.update({f"{node.name}.{name}": value for name, value in own.items()})
        scope.names.update({f"{node.name}.{name[5:]}": one for name, one in mine.items() if name.startswith("self.")})
        scope.names[node.name] = Unread(node.name)
        scope.origins[node.name] = "a class of the program"
        inside.names.update({f"self.{name}": value for name, value in own.items()})
        methods = [one for one in node.body if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)]
        self._methods(methods, inside, node.name)

    def _methods(self, methods: list[Any], inside: Scope, owner: str) -> None:
        """The constructor first: what it sets is there for the others."""
        if self.quiet:
            return
        for node in sorted(methods, key=lambda one: one.name != "__init__"):
            own = self._inside(node, inside)
            own.names.update({key: one for key, one in inside.names.items() if key.startswith("self.")})
            self._block(node.body, own, owner if node.name == "__init__" else node.name)
            if node.name == "__init__":
                kept = {key: one for key, one in own.names.items() if key.startswith("self.")}
                inside.names.update(kept)

    def _assigned(self, targets: list[ast.expr], node: ast.expr, scope: Scope, owner: str) -> None:
        value = scope.value(node)
        for target in targets:
            if isinstance(target, ast.Tuple) and isinstance(value, tuple) and len(value) == len(target.elts):
                # a, b = get_transforms(512): each by its own name.
                for one, part in zip(target.elts, value, strict=True):
                    scope.bind(one, part)
                    self._note(ast.unparse(one).removeprefix("self."), node, part, scope, owner)
                continue
            name = ast.unparse(target)
            if isinstance(value, Call):
                self._object(name, value, scope)
            if isinstance(value, Unread) and name in scope.given:
                value = scope.given[name]
            scope.bind(target, value)
            self._note(name.removeprefix("self."), node, value, scope, owner)

    def _object(self, name: str, made: Call, scope: Scope) -> None:
        """What ``cfg = Config()`` of a class of this file has, and ``args = parser.parse_args()``."""
        own = {key.partition(".")[2]: one for key, one in scope.names.items() if key.startswith(f"{made.name}.")}
        own |= self._constructed(name, made, scope)
        if made.name in _PARSED:
            own |= self.defaults
        own |= {key: one for key, one in made.given.items() if made.name not in COMPOSERS}
        for key, one in own.items():
            scope.names[f"{name}.{key}"] = scope.given.get(f"{name}.{key}", one)

    def _constructed(self, name: str, made: Call, scope: Scope) -> dict[str, Any]:
        """What the constructor of a class of this file sets with the arguments that it is called with."""
        function = scope.names.get(f"{made.name}.__init__")
        if not isinstance(function, Function) or scope.depth >= DEEPEST:
            return {}
        inside = self._inside(function.node, function.home, made.positional, made.given)
        inside.decided, inside.depth = scope.decided, scope.depth + 1
        self.quiet += 1
        try:
            self._block(function.node.body, inside, made.name)
        except _Returned:
            pass  # a constructor that ends early
        finally:
            self.quiet -= 1
        own = {key[5:]: one for key, one in inside.names.items() if key.startswith("self.")}
        for key, one in own.items():
            self._note(f"{name}.{key}", ast.Name(key), one, scope, within=made.name)
        return own

    def _changed(self, node: ast.expr, scope: Scope) -> bool:
        """``steps.append(...)`` and what else changes a list, and ``parser.add_argument(...)``."""
        match node:
            case ast.Call(func=ast.Attribute(attr="add_argument"), args=[*flags]):
                self._argument(flags, {word.arg: word.value for word in node.keywords}, scope)
                return True
            case ast.Call(func=ast.Attribute(value=whole, attr=how), args=[*given], keywords=[]):
                steps = list_in(scope.value(whole))
                if steps is None:
                    return False
                values = [scope.value(one) for one in given]
                match how, values:
                    case "append", [one]:
                        steps.append(one)
                    case "extend", [list() | tuple() as more]:
                        steps.extend(more)
                    case "insert", [int() as place, one]:
                        steps.insert(place, one)
                    case "pop", [] | [int()]:
                        del steps[values[0] if values else -1 :][:1]
                    case _:
                        return False
                return True
        return False

    def _argument(self, flags: list[ast.expr], given: Mapping[str | None, ast.expr], scope: Scope) -> None:
        """The default of an argument of the command line."""
        names = [str(flag.value) for flag in flags if isinstance(flag, ast.Constant)]
        long = next((one for one in names if one.startswith("--")), names[0] if names else "")
        if "default" in given and long:
            self.defaults[long.lstrip("-").replace("-", "_")] = scope.value(given["default"])

    def _note(self, name: str, node: ast.expr, value: Any, scope: Scope, owner: str = "", *, within: str = "") -> None:
        if self.quiet:
            return
        conditions = tuple(text if held else f"not {text}" for text, held in scope.decided.items())
        within = within or (last_name(node.func) if isinstance(node, ast.Call) and self._is_ours(node, scope) else "")
        composed = list(_outermost(value, name))
        for label, call in composed:
            # Steps of one library may stand in another's Compose, which only calls them in a row.
            ours = any(one.origin.partition(".")[0] == self.package for one in calls_in(call))
            if ours or call.origin.partition(".")[0] not in _LIBRARIES - {self.package}:
                self._keep(self.found, Found(label, call, conditions, within, [owner] if owner else []))
        if not composed:
            # The list itself: more may be put into it.
            steps = value if isinstance(value, list) else [value] if isinstance(value, Call) else []
            if steps and all(isinstance(typed(one), Call) for one in steps):
                self._keep(self.loose, Found(name, Call("Compose", {"transforms": steps}), conditions, within))

    def _is_ours(self, node: ast.Call, scope: Scope) -> bool:
        return isinstance(scope.names.get(ast.unparse(node.func)), Function)

    def _keep(self, kept: list[Found], one: Found) -> None:
        for other in kept:
            if one.call is other.call or (one.name, repr(one.call)) == (other.name, repr(other.call)):
                if one.name != other.name and one.name not in other.also:
                    other.also.append(one.name)
                return
        kept.append(one)

    def _inside(
        self,
        node: ast.FunctionDef | ast.AsyncFunctionDef,
        scope: Scope,
        positional: tuple[Any, ...] = (),
        given: Mapping[str, Any] | None = None,
    ) -> Scope:
        """What a function sees: what is around it, and its arguments as they are called, or by their defaults."""
        inside = replace(scope, names=dict(scope.names))
        inside.names.update({name: value for name, value in scope.names.items() if name.startswith("self.")})
        ordered = [*node.args.posonlyargs, *node.args.args]
        defaults: list[ast.expr | None] = [None] * (len(ordered) - len(node.args.defaults)) + list(node.args.defaults)
        named = zip([*ordered, *node.args.kwonlyargs], [*defaults, *node.args.kw_defaults], strict=True)
        taken = [one.arg for one in ordered if one.arg not in ("self", "cls")]
        called = dict(zip(taken, positional, strict=False)) | dict(given or {})
        for argument, default in named:
            if argument.arg in ("self", "cls"):
                continue
            value = inside.names[argument.arg] = self._argument_value(argument, default, scope, called)
            if isinstance(value, Unread) or (isinstance(value, Call) and value.name in _PARSED):
                # def main(args): what the command line says where nobody says anything.
                for key, one in self.defaults.items():
                    inside.names.setdefault(f"{argument.arg}.{key}", one)
            self._annotated(argument, inside)
        return inside

    def _argument_value(
        self, argument: ast.arg, default: ast.expr | None, scope: Scope, called: Mapping[str, Any]
    ) -> Any:
        if argument.arg in called:
            return called[argument.arg]
        if argument.arg in scope.given:
            return scope.given[argument.arg]
        if default is not None:
            return scope.value(default)
        return scope.names.get(argument.arg, Unread(argument.arg))

    def _annotated(self, argument: ast.arg, inside: Scope) -> None:
        """``cfg: Config`` has what the class ``Config`` of this file has."""
        kind = ast.unparse(argument.annotation) if argument.annotation is not None else ""
        if isinstance(inside.names.get(argument.arg), Unread):
            own = {key.partition(".")[2]: one for key, one in inside.names.items() if key.startswith(f"{kind}.")}
            for key, one in own.items():
                inside.names.setdefault(f"{argument.arg}.{key}", one)


def _imported(node: ast.Import | ast.ImportFrom, scope: Scope) -> None:
    for name in node.names:
        if isinstance(node, ast.ImportFrom):
            mine = name.asname or name.name
            scope.origins[mine] = node.module or name.name
            scope.written[mine] = name.name
        else:
            scope.origins[name.asname or name.name.partition(".")[0]] = name.name


def _loaded(target: ast.expr) -> ast.expr:
    found = ast.parse(ast.unparse(target), mode="eval").body
    return found


def _outermost(value: Any, name: str) -> Iterator[tuple[str, Call]]:
    if isinstance(value, Call) and value.name in COMPOSERS:
        yield name, value
    elif isinstance(value, Call):
        for one in [*value.positional, *value.given.values()]:
            yield from _outermost(one, name)
    elif isinstance(value, Mapping):
        for key, one in value.items():
            yield from _outermost(one, f"{name}[{key!r}]")
    elif isinstance(value, list | tuple) and not any(True for _ in _flat(value)):
        for place, one in enumerate(value):
            yield from _outermost(one, f"{name}[{place}]")


def _flat(value: list[Any] | tuple[Any, ...]) -> Iterator[Call]:
    """Steps of a list that is no list of pipelines."""
    return (one for one in value if isinstance(one, Call) and not any(c.name in COMPOSERS for c in calls_in(one)))
