"""Pipelines in Python source: found and read, never run."""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from imagemill.compat.translate.calls import Call, Unread, calls_in
from imagemill.compat.translate.readers.constants import constant
from imagemill.core.errors import InputError

__all__ = ["COMPOSERS", "expression", "pipelines_in"]

COMPOSERS = frozenset({"Compose", "ReplayCompose", "BboxCompose", "Sequential", "AugmentationSequential", "Transforms"})
"""What libraries call several transforms in a row, at the outermost place."""

_BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv, ast.Mod: operator.mod, ast.Pow: operator.pow,
}  # fmt: skip
_BUILT_IN: dict[str, Callable[..., Any]] = {
    "int": int, "float": float, "round": round, "tuple": tuple, "list": list, "dict": dict, "min": min, "max": max,
    "abs": abs, "sqrt": math.sqrt, "array": list, "tensor": list, "range": range, "len": len,
}  # fmt: skip
_LARGEST = 10**6
"""Numbers and lists beyond this are no parameters of a transform, and are not worked out."""


def expression(text: str, names: Mapping[str, Any] | None = None) -> Any:
    """The value of one expression; what only running it would give is `Unread`.

    Parameters
    ----------
    text : str
    names : mapping, optional
        Values of variables.

    Examples
    --------
    >>> expression("A.Compose([A.Rotate(limit=2 * n)])", {"n": 15}).positional[0][0].given
    {'limit': 30}
    """
    try:
        tree = ast.parse(text.strip(), mode="eval")
    except SyntaxError as error:
        raise InputError(f"expected one Python expression, got {text.strip()[:80]!r}: {error.msg}") from None
    return _Scope(dict(names or {})).value(tree.body)


def pipelines_in(text: str, names: Mapping[str, Any] | None = None, *, package: str = "") -> dict[str, Call]:
    """Every pipeline that a program makes, by the name it is given there.

    Parameters
    ----------
    text : str
        Of the program.
    names : mapping, optional
        Values of variables that come from elsewhere, such as ``{"args.size": 224}``.
    package : str
        Leave out what is known, by the imports, to be of another package.

    Returns
    -------
    mapping from str to Call
        A name is that of the variable, of the function that returns it, or of the key in a dictionary; one that is
        given twice has its line behind it.

    Examples
    --------
    >>> program = '''
    ... SIZE = 224
    ... def train(size=SIZE):
    ...     return A.Compose([A.RandomCrop(size, size), A.HorizontalFlip(p=0.5)])
    ... '''
    >>> pipelines_in(program)["train"].positional[0][0].positional
    (224, 224)
    """
    try:
        tree = ast.parse(text)
    except SyntaxError as error:
        raise InputError(f"expected a Python program, got a syntax error on line {error.lineno}: {error.msg}") from None
    search = _Search(package)
    search.block(tree.body, _Scope(dict(names or {})), "")
    return search.named()


@dataclass(slots=True)
class _Scope:
    """Values by name."""

    names: dict[str, Any] = field(default_factory=dict)

    def value(self, node: ast.AST) -> Any:
        """What a node comes to."""
        match node:
            case ast.Constant(value=value):
                return value
            case ast.Name(id=name):
                return self.names.get(name, Unread(name))
            case ast.Attribute():
                return self._attribute(node)
            case ast.List(elts=items) | ast.Set(elts=items):
                return self._items(items)
            case ast.Tuple(elts=items):
                return tuple(self._items(items))
            case ast.Dict(keys=keys, values=values):
                return {self._key(key): self.value(one) for key, one in zip(keys, values, strict=True) if key}
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return self._worked_out(node, operator.neg, self.value(operand))
            case ast.UnaryOp(op=ast.UAdd(), operand=operand):
                return self.value(operand)
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _BINARY:
                return self._worked_out(node, _BINARY[type(op)], self.value(left), self.value(right))
            case ast.Subscript(value=whole, slice=part):
                return self._worked_out(node, operator.getitem, self.value(whole), self.value(part))
            case ast.Call():
                return self._call(node)
            case _:
                return Unread(ast.unparse(node))

    def _key(self, node: ast.expr) -> Any:
        key = self.value(node)
        return key.text if isinstance(key, Unread) else key

    def _items(self, nodes: list[ast.expr]) -> list[Any]:
        found: list[Any] = []
        for node in nodes:
            if isinstance(node, ast.Starred):
                inner = self.value(node.value)
                found.extend(inner if isinstance(inner, list | tuple) else [inner])
            else:
                found.append(self.value(node))
        return found

    def _attribute(self, node: ast.Attribute) -> Any:
        dotted = ast.unparse(node)
        if dotted in self.names:
            return self.names[dotted]
        known = constant(dotted)
        return Unread(dotted) if known is None else known

    def _worked_out(self, node: ast.AST, function: Callable[..., Any], *values: Any) -> Any:
        if any(isinstance(value, Unread | Call) for value in values):
            return Unread(ast.unparse(node))
        sizes = [len(value) if isinstance(value, list | tuple | str) else value for value in values]
        if any(isinstance(size, int | float) and abs(size) > _LARGEST for size in sizes):
            return Unread(ast.unparse(node))
        try:
            return function(*values)
        except (TypeError, ValueError, ArithmeticError, LookupError):
            return Unread(ast.unparse(node))

    def _call(self, node: ast.Call) -> Any:
        name = _last(node.func)
        positional = self._items(node.args)
        given: dict[str, Any] = {}
        for word in node.keywords:
            value = self.value(word.value)
            if word.arg:
                given[word.arg] = value
            elif isinstance(value, Mapping):
                given.update({str(key): one for key, one in value.items()})
            else:
                given[f"**{ast.unparse(word.value)}"] = value
        if name in _BUILT_IN:
            if given and name != "dict":
                return Unread(ast.unparse(node))
            return self._worked_out(node, lambda *values: _BUILT_IN[name](*values, **given), *positional)
        if not name:
            return Unread(ast.unparse(node))
        return Call(name, given, tuple(positional), f"line {node.lineno}")


def _last(node: ast.expr) -> str:
    """The last name of a dotted one; empty where it is none."""
    if isinstance(node, ast.Name):
        return node.id
    return node.attr if isinstance(node, ast.Attribute) else ""


def _root(node: ast.expr) -> str:
    while isinstance(node, ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


class _Search:
    """Walks through statements in the order in which they stand, and notes pipelines."""

    def __init__(self, package: str) -> None:
        self.package = package
        self.modules: dict[str, str] = {}
        self.found: list[tuple[str, Call]] = []

    def named(self) -> dict[str, Call]:
        names = [name for name, _ in self.found]
        return {
            name if names.count(name) == 1 else f"{name} ({call.where})": call
            for name, call in self.found
        }  # fmt: skip

    def block(self, body: list[ast.stmt], scope: _Scope, owner: str) -> None:
        for statement in body:
            self._statement(statement, scope, owner)

    def _statement(self, node: ast.stmt, scope: _Scope, owner: str) -> None:
        match node:
            case ast.Import() | ast.ImportFrom():
                self._imported(node)
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                self.block(node.body, _inside(node, scope), name if name != "__init__" else owner)
            case ast.ClassDef(name=name):
                self._class(node, scope)
            case ast.Assign(targets=targets, value=value):
                self._assigned(targets, value, scope)
            case ast.AnnAssign(target=target, value=ast.expr() as value):
                self._assigned([target], value, scope)
            case ast.AugAssign(target=ast.Name(id=name), op=ast.Add(), value=value):
                _longer(scope, name, scope.value(value))
            case ast.Return(value=ast.expr() as value):
                self._note(owner, value, scope.value(value))
            case ast.Expr(value=value):
                self._appended(value, scope)
                self._note(owner, value, scope.value(value))
            case _:
                for inner in ast.iter_child_nodes(node):
                    if isinstance(inner, ast.stmt):
                        self._statement(inner, scope, owner)

    def _imported(self, node: ast.Import | ast.ImportFrom) -> None:
        for name in node.names:
            if isinstance(node, ast.ImportFrom):
                self.modules[name.asname or name.name] = node.module or ""
            else:
                self.modules[name.asname or name.name.partition(".")[0]] = name.name

    def _class(self, node: ast.ClassDef, scope: _Scope) -> None:
        inside = _Scope(dict(scope.names))
        self.block(node.body, inside, node.name)
        mine = {name: value for name, value in inside.names.items() if value is not scope.names.get(name)}
        # Read through the class, an object of it, or self.
        scope.names.update({f"{node.name}.{name}": value for name, value in mine.items()})
        scope.names.setdefault(node.name, Unread(node.name))

    def _assigned(self, targets: list[ast.expr], node: ast.expr, scope: _Scope) -> None:
        value = scope.value(node)
        for target in targets:
            name = ast.unparse(target)
            if isinstance(value, Call) and isinstance(scope.names.get(value.name), Unread):
                # An object of a class of this file: cfg = CFG()
                own = {key: one for key, one in scope.names.items() if key.startswith(f"{value.name}.")}
                scope.names.update({f"{name}.{key.partition('.')[2]}": one for key, one in own.items()})
            scope.names[name] = value
            self._note(name.removeprefix("self."), node, value)

    def _appended(self, node: ast.expr, scope: _Scope) -> None:
        """``steps.append(...)`` and ``steps.extend(...)`` of a list that is known."""
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=how), args=[one]):
                if how in ("append", "extend"):
                    more = scope.value(one)
                    _longer(scope, name, more if how == "extend" else [more])

    def _note(self, name: str, node: ast.expr, value: Any) -> None:
        for label, call in _outermost(value, name):
            if self._of_package(node, call) and all(call is not other for _, other in self.found):
                self.found.append((label, call))

    def _of_package(self, node: ast.expr, call: Call) -> bool:
        """Whether the imports do not speak against it."""
        for inner in ast.walk(node):
            if isinstance(inner, ast.Call) and f"line {inner.lineno}" == call.where and _last(inner.func) == call.name:
                module = self.modules.get(_root(inner.func), "")
                return not self.package or not module or module.partition(".")[0] == self.package
        return True


def _longer(scope: _Scope, name: str, more: Any) -> None:
    """A list that is known, with more behind it."""
    before = scope.names.get(name)
    if isinstance(before, list) and isinstance(more, list | tuple):
        scope.names[name] = [*before, *more]


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


def _inside(node: ast.FunctionDef | ast.AsyncFunctionDef, scope: _Scope) -> _Scope:
    """What a function sees: what is around it, and its arguments by their defaults."""
    inside = _Scope(dict(scope.names))
    arguments = [*node.args.posonlyargs, *node.args.args]
    defaults: list[ast.expr | None] = [None] * (len(arguments) - len(node.args.defaults)) + list(node.args.defaults)
    for argument, default in zip([*arguments, *node.args.kwonlyargs], [*defaults, *node.args.kw_defaults], strict=True):
        if argument.arg not in ("self", "cls"):
            around = scope.names.get(argument.arg, Unread(argument.arg))
            inside.names[argument.arg] = around if default is None else scope.value(default)
    if node.name == "__init__" or (node.args.args and node.args.args[0].arg == "self"):
        own = {f"self.{name}": value for name, value in scope.names.items() if "." not in name}
        inside.names |= own
    return inside
