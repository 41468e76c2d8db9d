"""What expressions in Python source come to, as far as reading tells: nothing is ever run."""

from __future__ import annotations

import ast
import copy
import math
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from imagemill.compat.translate.calls import COMPOSERS, Call, Function, Unread
from imagemill.compat.translate.readers.constants import constant

__all__ = ["DEEPEST", "Scope", "Undecided", "last_name", "list_in", "root_name"]

_BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv, ast.Mod: operator.mod, ast.Pow: operator.pow, ast.BitOr: operator.or_,
}  # fmt: skip
_COMPARED: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq, ast.NotEq: operator.ne, ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt,
    ast.GtE: operator.ge, ast.Is: operator.is_, ast.IsNot: operator.is_not, ast.In: lambda a, b: a in b,
    ast.NotIn: lambda a, b: a not in b,
}  # fmt: skip
_BUILT_IN: dict[str, Callable[..., Any]] = {
    "int": int, "float": float, "round": round, "tuple": tuple, "list": list, "dict": dict, "min": min, "max": max,
    "abs": abs, "range": range, "len": len, "str": str, "bool": bool, "sum": sum, "sorted": sorted, "zip": zip,
    "reversed": lambda one: list(reversed(one)), "sqrt": math.sqrt, "ceil": math.ceil, "floor": math.floor,
    "radians": math.radians, "degrees": math.degrees,
}  # fmt: skip
_OF_MODULES: dict[str, Callable[..., Any]] = {
    "array": list, "tensor": list, "asarray": list, "deg2rad": math.radians, "rad2deg": math.degrees,
    "radians": math.radians, "degrees": math.degrees, "sqrt": math.sqrt, "ceil": math.ceil, "floor": math.floor,
    "deepcopy": copy.deepcopy, "copy": copy.copy,
}  # fmt: skip
_MODULES = ("np", "numpy", "math", "torch", "copy")
_LARGEST = 10**6
"""Numbers and lists beyond this are no parameters of a transform, and are not worked out."""
DEEPEST = 8
"""Functions of a program that call one another are followed so far."""


class Undecided(Exception):  # noqa: N818  it says what has to be decided
    """Raised where the value depends on a condition that only running the program would decide."""

    def __init__(self, condition: str) -> None:
        super().__init__(condition)
        self.condition = condition


def last_name(node: ast.expr) -> str:
    """The last name of a dotted one; empty where it is none."""
    if isinstance(node, ast.Name):
        return node.id
    return node.attr if isinstance(node, ast.Attribute) else ""


def root_name(node: ast.expr) -> str:
    """The first name of a dotted one; empty where it is none."""
    while isinstance(node, ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def _named(text: str) -> ast.expr:
    """A name, or a dotted one, as it is written; else what nobody knows."""
    try:
        return ast.parse(text, mode="eval").body
    except SyntaxError:
        return ast.Name(text)


def list_in(value: Any) -> list[Any] | None:
    """The list of a value that holds one: itself, or the steps of ``Compose([...])``."""
    if isinstance(value, list):
        return value
    if isinstance(value, Call):
        steps = value.given.get("transforms", value.positional[0] if value.positional else None)
        return steps if isinstance(steps, list) else None
    return None


@dataclass(slots=True)
class Scope:
    """Values by name, and what has been decided on the way.

    Parameters
    ----------
    names : dict
        Values of variables, and of dotted names: ``{"cfg.size": 224}``.
    given : mapping
        Values that the caller says, which are those of arguments too.
    decided : dict from str to bool
        Conditions, by their text.
    written : dict from str to str
        What names were called where they come from: ``import X as Y`` and ``from m import X as Y``.
    origins : dict from str to str
        Where names come from: modules, or "" for a class of the program.
    """

    names: dict[str, Any] = field(default_factory=dict)
    given: Mapping[str, Any] = field(default_factory=dict)
    decided: dict[str, bool] = field(default_factory=dict)
    written: dict[str, str] = field(default_factory=dict)
    origins: dict[str, str] = field(default_factory=dict)
    depth: int = 0

    def parted(self, condition: str, decision: bool) -> Scope:
        """A copy in which a condition is decided."""
        other = replace(self, names=copy.deepcopy(self.names), decided={**self.decided, condition: decision})
        for name, one in other.names.items():
            if isinstance(one, Function) and one.home is self:
                other.names[name] = replace(one, home=other)
        return other

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
                return self._mapping(keys, values)
            case ast.ListComp() | ast.GeneratorExp() | ast.SetComp() | ast.DictComp():
                return self._comprehension(node)
            case ast.Call():
                return self._call(node)
            case ast.IfExp(test=test, body=body, orelse=other):
                return self.value(body if self.truth(test) else other)
            case _:
                return self._part(node)

    def _part(self, node: ast.AST) -> Any:
        match node:
            case ast.Subscript(value=whole, slice=part):
                return self._subscript(node, whole, part)
            case ast.JoinedStr(values=parts):
                return self._worked_out(node, lambda *found: "".join(map(str, found)), *map(self.value, parts))
            case ast.FormattedValue(value=inner, format_spec=None):
                return self.value(inner)
            case ast.Lambda(args=arguments, body=ast.Call(func=called) as body) if last_name(called) in COMPOSERS:
                inside = replace(self, names=dict(self.names))
                inside.names.update({one.arg: Unread(one.arg) for one in arguments.args if one.arg not in self.names})
                return inside.value(body)
            case ast.NamedExpr(target=target, value=inner):
                self.names[target.id] = self.value(inner)
                return self.names[target.id]
            case _:
                return self._operation(node)

    def _operation(self, node: ast.AST) -> Any:
        match node:
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return self._worked_out(node, operator.neg, self.value(operand))
            case ast.UnaryOp(op=ast.UAdd(), operand=operand):
                return self.value(operand)
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return self._worked_out(node, operator.not_, self.value(operand))
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _BINARY:
                return self._worked_out(node, _BINARY[type(op)], self.value(left), self.value(right))
            case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in _COMPARED:
                return self._worked_out(node, _COMPARED[type(op)], self.value(left), self.value(right))
            case ast.BoolOp(op=op, values=parts):
                return self._either(node, isinstance(op, ast.Or), parts)
            case _:
                return Unread(ast.unparse(node))

    def _either(self, node: ast.AST, any_of: bool, parts: list[ast.expr]) -> Any:
        found = [self.value(part) for part in parts]
        for value in found:
            if isinstance(value, Unread | Function):
                continue
            if bool(value) is any_of:
                return value if found[0] is value or not any_of else self._first_known(node, found, value)
        return Unread(ast.unparse(node)) if any(isinstance(one, Unread) for one in found) else found[-1]

    def _first_known(self, node: ast.AST, found: list[Any], value: Any) -> Any:
        """``a or b`` is b only where a is known to be nothing."""
        before = found[: next(place for place, one in enumerate(found) if one is value)]
        return Unread(ast.unparse(node)) if any(isinstance(one, Unread) for one in before) else value

    def truth(self, test: ast.expr) -> bool:
        """Whether a condition holds.

        Raises
        ------
        Undecided
            When it is not known and has not been decided on this way.
        """
        if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
            return not self.truth(test.operand)
        found = self.value(test)
        if not isinstance(found, Unread | Call):
            return bool(found)
        text = ast.unparse(test)
        if text not in self.decided:
            raise Undecided(text)
        return self.decided[text]

    def _items(self, nodes: list[ast.expr]) -> list[Any]:
        found: list[Any] = []
        for node in nodes:
            if isinstance(node, ast.Starred):
                inner = self.value(node.value)
                inner = inner if isinstance(inner, list | tuple) else list_in(inner) or inner
                found.extend(inner if isinstance(inner, list | tuple) else [inner])
            else:
                found.append(self.value(node))
        return found

    def _mapping(self, keys: list[ast.expr | None], values: list[ast.expr]) -> dict[Any, Any]:
        found: dict[Any, Any] = {}
        for key, one in zip(keys, values, strict=True):
            value = self.value(one)
            if key is None:
                found |= value if isinstance(value, Mapping) else {f"**{ast.unparse(one)}": value}
                continue
            named = self.value(key)
            found[named.text if isinstance(named, Unread) else named] = value
        return found

    def _comprehension(self, node: ast.ListComp | ast.GeneratorExp | ast.SetComp | ast.DictComp) -> Any:
        """Over values that are known, in one loop."""
        loop = node.generators[0]
        over = self.value(loop.iter)
        if len(node.generators) > 1 or not isinstance(over, list | tuple | range | Mapping) or len(over) > 1000:
            return Unread(ast.unparse(node))
        rounds = []
        for one in over:
            inside = replace(self, names=dict(self.names))
            inside.bind(loop.target, one)
            if all(inside.truth(test) for test in loop.ifs):
                rounds.append(inside)
        if isinstance(node, ast.DictComp):
            return {inside.value(node.key): inside.value(node.value) for inside in rounds}
        return [inside.value(node.elt) for inside in rounds]

    def bind(self, target: ast.expr, value: Any) -> None:
        """Give a name, or several at once, a value."""
        if isinstance(target, ast.Tuple | ast.List):
            known = isinstance(value, list | tuple) and len(value) == len(target.elts)
            for place, one in enumerate(target.elts):
                self.bind(one, value[place] if known else Unread(ast.unparse(one)))
        elif isinstance(target, ast.Subscript):
            whole, key = self.value(target.value), self.value(target.slice)
            if isinstance(whole, dict) and not isinstance(key, Unread):
                whole[key] = value
        else:
            self.names[ast.unparse(target)] = value

    def _attribute(self, node: ast.Attribute) -> Any:
        dotted = ast.unparse(node)
        if dotted in self.names:
            return self.names[dotted]
        known = constant(dotted)
        if known is not None:
            return known
        whole = self.value(node.value)
        if isinstance(whole, Mapping) and node.attr in whole:  # args, cfg: said as a mapping, asked for by attributes
            return whole[node.attr]
        if isinstance(whole, Call):
            if node.attr == "transforms":
                steps = list_in(whole)
                return Unread(dotted) if steps is None else steps
            # What it was made with, or what its class has: def train(cfg=Config()).
            return whole.given.get(node.attr, self.names.get(f"{whole.name}.{node.attr}", Unread(dotted)))
        # Another name for a class of the program: def train(cfg=CFG).
        return (
            self.names.get(f"{whole.text}.{node.attr}", Unread(dotted)) if isinstance(whole, Unread) else Unread(dotted)
        )

    def _subscript(self, node: ast.Subscript, whole: ast.expr, part: ast.expr) -> Any:
        if ast.unparse(node) in self.names:
            return self.names[ast.unparse(node)]
        found = self.value(whole)
        if isinstance(part, ast.Slice):
            ends = [None if one is None else self.value(one) for one in (part.lower, part.upper, part.step)]
            if isinstance(found, list | tuple | str) and not any(isinstance(one, Unread) for one in ends):
                return found[slice(*ends)]
            return Unread(ast.unparse(node))
        key = self.value(part)
        if isinstance(found, Call) and (steps := list_in(found)) is not None:
            found = found if isinstance(key, str) else steps
        if isinstance(found, Call) and isinstance(key, str):
            return found
        if isinstance(found, list | tuple) and isinstance(key, int) and -len(found) <= key < len(found):
            return found[key]
        return self._worked_out(node, operator.getitem, found, key)

    def _worked_out(self, node: ast.AST, function: Callable[..., Any], *values: Any) -> Any:
        if any(isinstance(value, Unread | Call | Function) for value in values):
            return Unread(ast.unparse(node))
        sizes = [len(value) if isinstance(value, list | tuple | str | range) else value for value in values]
        if any(isinstance(size, int | float) and abs(size) > _LARGEST for size in sizes):
            return Unread(ast.unparse(node))
        try:
            return function(*values)
        except (TypeError, ValueError, ArithmeticError, LookupError):
            return Unread(ast.unparse(node))

    def _call(self, node: ast.Call) -> Any:
        if isinstance(node.func, ast.Call):
            # Compose([...])(image=image): what is called, not what comes out.
            made = self.value(node.func)
            if last_name(node.func.func) != "getattr" or not isinstance(made, Unread):
                return made if isinstance(made, Call) and made.name in COMPOSERS else Unread(ast.unparse(node))
            # getattr(A, step["name"])(**step["arguments"]): as if the name stood there.
            node = ast.Call(_named(made.text), node.args, node.keywords, lineno=node.lineno, col_offset=0)
        if last_name(node.func) == "getattr" and len(node.args) > 1:
            attribute = self.value(node.args[1])
            if isinstance(attribute, str):
                return self.value(_named(f"{ast.unparse(node.args[0])}.{attribute}"))
        if last_name(node.func) == "hasattr" and len(node.args) == 2 and root_name(node.args[0]) in self.origins:
            # Of a module that is imported: programs ask for what newer versions of it have.
            return True
        called = self._called_function(node)
        positional = self._items(node.args)
        given = self._named_arguments(node)
        if called is not None:
            return (
                called.run(called, self, tuple(positional), given)
                if self.depth < DEEPEST
                else Unread(ast.unparse(node))
            )
        worked_out = self._built_in(node, positional, given)
        if worked_out is not None:
            return worked_out[0]
        name, origin = self._name_of(node.func)
        if not name:
            return Unread(ast.unparse(node))
        begun = self.names.get(ast.unparse(node.func))
        if isinstance(begun, Call) and begun.name == "partial" and begun.positional:
            # Norm = partial(A.Normalize, mean=0.5): what it is called with comes behind what stands there.
            first, *rest = begun.positional
            name, origin = self._name_of(ast.parse(getattr(first, "text", name), mode="eval").body)
            given, positional = {**begun.given, **given}, [*rest, *positional]
        return Call(name, given, tuple(positional), f"line {node.lineno}", origin)

    def _called_function(self, node: ast.Call) -> Function | None:
        found = self.names.get(ast.unparse(node.func))
        return found if isinstance(found, Function) else None

    def _named_arguments(self, node: ast.Call) -> dict[str, Any]:
        given: dict[str, Any] = {}
        for word in node.keywords:
            value = self.value(word.value)
            if word.arg:
                given[word.arg] = value
            elif isinstance(value, Mapping):
                given.update({str(key): one for key, one in value.items()})
            else:
                given[f"**{ast.unparse(word.value)}"] = value
        return given

    def _built_in(self, node: ast.Call, positional: list[Any], given: dict[str, Any]) -> tuple[Any] | None:
        """What a function that is known gives, in a tuple; None for others."""
        function: Callable[..., Any] | None = None
        match node.func:
            case ast.Name(id=name):
                function = _BUILT_IN.get(name) or (_OF_MODULES.get(name) if name in ("deepcopy", "copy") else None)
            case ast.Attribute(value=ast.Name(id=module), attr=name) if module in _MODULES:
                if name in ("deepcopy", "copy") and positional:
                    return (copy.deepcopy(positional[0]),)
                function = _OF_MODULES.get(name)
                given = {key: one for key, one in given.items() if key != "dtype"}
            case ast.Attribute(value=inner, attr=name) if name in ("get", "copy", "items", "values", "keys", "tolist"):
                return self._method(node, self.value(inner), name, positional)
        if function is None:
            return None
        if given and function is not dict:
            return (Unread(ast.unparse(node)),)
        made: Callable[..., Any] = function
        found = self._worked_out(node, lambda *values: made(*values, **given), *positional)
        return (list(found) if isinstance(found, zip) else found,)

    def _method(self, node: ast.Call, whole: Any, name: str, positional: list[Any]) -> tuple[Any] | None:
        if isinstance(whole, Mapping):
            if name == "get" and positional:
                key = positional[0]
                return (whole.get(key, positional[1] if len(positional) > 1 else None),)
            found: Any = {"copy": dict(whole), "items": list(whole.items()), "values": list(whole.values())}.get(name)
            return (list(whole) if found is None else found,)
        if isinstance(whole, list) and name in ("copy", "tolist"):
            return (list(whole),)
        if name == "get" and positional and isinstance(whole, Unread):
            dotted = f"{whole.text}.{positional[0]}"
            return (self.names.get(dotted, self.names.get(ast.unparse(node), Unread(ast.unparse(node)))),)
        return None

    def _name_of(self, node: ast.expr) -> tuple[str, str]:
        """What is called, by its name where it comes from, and from where, if that is known."""
        name, root = last_name(node), root_name(node)
        if isinstance(node, ast.Name):
            behind = self.names.get(name)
            if isinstance(behind, Unread) and behind.text != name and behind.text.replace(".", "").isidentifier():
                # Another name for a class: Flip = A.HorizontalFlip
                root, name = behind.text.partition(".")[0], behind.text.rpartition(".")[2]
            else:
                name = self.written.get(name, name)
        return name, self.origins.get(root, "")
