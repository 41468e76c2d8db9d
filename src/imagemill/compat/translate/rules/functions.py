"""Functions in a pipeline that can be read: an arithmetic in one line, and what changes no value."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from imagemill.compat.translate.calls import Unread
from imagemill.compat.translate.rules.rule import NoCounterpart, Step
from imagemill.transforms.base import Transform
from imagemill.transforms.colour.invert import Invert
from imagemill.transforms.colour.normalize import Normalize
from imagemill.transforms.colour.window import Window

__all__ = ["above_of", "from_function", "onto", "open_above"]

_FAR = 1e6
"""Where a window that is open above ends."""

_SAME = ("float", "clone", "contiguous", "copy", "detach", "cpu", "cuda", "to", "squeeze", "unsqueeze", "numpy", "half")
_CHANNELS = ("repeat", "expand", "repeat_interleave", "convert")
_ARRAYS = ("array", "asarray", "from_numpy", "as_tensor", "ascontiguousarray")


def from_function(step: Step, function: object) -> Sequence[Transform]:
    """The transform that a function amounts to.

    ``a * x + b`` is a `Normalize` of values as they are, ``1 - x`` an `Invert`; types, devices and repeated
    channels are nothing to do.

    Raises
    ------
    NoCounterpart
        For any other function.
    """
    if isinstance(function, Unread):
        try:
            node = ast.parse(function.text, mode="eval").body
        except SyntaxError:
            node = ast.Constant(None)
        if isinstance(node, ast.Lambda) and node.args.args:
            found = _read(step, node.body, node.args.args[0].arg)
            if found is not None:
                return found
    text = function.text if isinstance(function, Unread) else "the function"
    raise NoCounterpart(f"{text} has to be run to be known; put imagemill.Apply(function) in its place")


def _read(step: Step, body: ast.expr, name: str) -> Sequence[Transform] | None:
    match body:
        case ast.Call(func=ast.Attribute(value=ast.Name(id=root), attr=how), args=values) if root == name:
            if how in _CHANNELS:
                mode = ast.unparse(values[0]) if how == "convert" and values else "'RGB'"
                if mode != "'RGB'":
                    return None
                step.note("for gray images call the pipeline with channels='rgb'")
                return []
            return [] if how in _SAME else None
        case ast.Call(func=ast.Attribute(attr="cat" | "stack"), args=[ast.List() | ast.Tuple() as parts, *_]):
            if len(parts.elts) == 3 and all(ast.unparse(one) == name for one in parts.elts):
                step.note("for gray images call the pipeline with channels='rgb'")
                return []
            return None
        case ast.Call(func=ast.Attribute(attr=how), args=[ast.Name(id=root), *_]) if root == name and how in _ARRAYS:
            return []
    line = _line(body, name)
    if line is None:
        return None
    gain, offset = line
    if (gain, offset) == (1, 0):
        return []
    if (gain, offset) == (-1, 1):
        return [Invert()]
    return None if gain <= 0 else [Normalize(-offset / gain, 1 / gain, scale="none")]


def _line(node: ast.expr, name: str) -> tuple[float, float] | None:
    """Gain and offset of an expression in one variable; None where it is no straight line."""
    match node:
        case ast.Name(id=found):
            return (1.0, 0.0) if found == name else None
        case ast.Constant(value=int() | float() as value):
            return 0.0, float(value)
        case ast.UnaryOp(op=ast.USub(), operand=inner):
            found_line = _line(inner, name)
            return None if found_line is None else (-found_line[0], -found_line[1])
        case ast.BinOp(left=left, op=op, right=right):
            one, other = _line(left, name), _line(right, name)
            return None if one is None or other is None else _joined(one, op, other)
    return None


def _joined(one: tuple[float, float], op: ast.operator, other: tuple[float, float]) -> tuple[float, float] | None:
    if isinstance(op, ast.Add):
        return one[0] + other[0], one[1] + other[1]
    if isinstance(op, ast.Sub):
        return one[0] - other[0], one[1] - other[1]
    if isinstance(op, ast.Mult) and 0 in (one[0], other[0]):
        by, of = (one[1], other) if one[0] == 0 else (other[1], one)
        return of[0] * by, of[1] * by
    if isinstance(op, ast.Div) and other[0] == 0 and other[1] != 0:
        return one[0] / other[1], one[1] / other[1]
    return None


def onto(low: float, high: float) -> list[Transform]:
    """What brings 0..1 onto another range: nothing for itself."""
    if (low, high) == (0.0, 1.0):
        return []
    if low >= high:
        raise NoCounterpart(f"onto {low:g}..{high:g}, which falls")
    return [Normalize(-low / (high - low), 1 / (high - low), scale="none")]


def open_above(low: float) -> list[Transform]:
    """What lifts smaller values to a limit, and leaves others up to a million above it."""
    return [Window(low + _FAR / 2, _FAR), Normalize(-low / _FAR, 1 / _FAR, scale="none")]


def above_of(function: object) -> float | str | None:
    """What ``lambda x: x > 0`` or ``x > x.mean()`` takes as the foreground; None for other functions."""
    try:
        node = ast.parse(function.text, mode="eval").body if isinstance(function, Unread) else None
    except SyntaxError:
        return None
    match node:
        case ast.Lambda(body=ast.Compare(left=ast.Name(), ops=[ast.Gt()], comparators=[right])):
            if isinstance(right, ast.Constant) and isinstance(right.value, int | float):
                return float(right.value)
            return "mean" if ast.unparse(right).endswith(".mean()") else None
    return None
