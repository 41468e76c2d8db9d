"""What of a program can be seen in its pipelines: branches that set nothing else are not walked."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from imagemill.compat.translate.calls import COMPOSERS
from imagemill.compat.translate.readers.expressions import last_name, root_name

__all__ = ["changed_by", "names_that_matter"]


def changed_by(node: ast.AST) -> Iterator[ast.AST]:
    """What a statement or a call sets or puts something into."""
    match node:
        case ast.Assign(targets=targets):
            for target in targets:
                yield from target.elts if isinstance(target, ast.Tuple | ast.List) else [target]
        case ast.AugAssign(target=target) | ast.AnnAssign(target=target):
            yield target
        case ast.Call(func=ast.Attribute(value=whole, attr="append" | "extend" | "insert" | "pop")):
            yield whole
            if isinstance(whole, ast.Attribute):
                yield whole.value


def names_that_matter(tree: ast.Module) -> set[str]:
    """Names whose values can be seen in a composition, or in what such names are set to.

    Examples
    --------
    >>> sorted(names_that_matter(ast.parse("size = 3; other = 4; A.Compose([A.Resize(size)])")))
    ['A', 'A.Compose', 'A.Resize', 'size']
    """
    read: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and last_name(node.func) in COMPOSERS:
            read |= _names_in(node)
    changes = [
        (target, node)
        for node in ast.walk(tree)
        for target in changed_by(node)
    ]  # fmt: skip
    for target, node in changes:
        # What a composition is kept in: more may be put into it later.
        if any(isinstance(one, ast.Call) and last_name(one.func) in COMPOSERS for one in ast.walk(node)):
            read |= _names_in(target)
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    size = -1
    while len(read) > size:
        size = len(read)
        for target, node in changes:
            if ast.unparse(target) in read or root_name(_expression(target)) in read:
                read |= _names_in(node)
        last = {name.rpartition(".")[2] for name in read}
        for function in functions:
            # Compose([*steps()]): what the function returns.
            if function.name in last:
                returned = [one.value for one in ast.walk(function) if isinstance(one, ast.Return) and one.value]
                read |= {name for value in returned for name in _names_in(value)}
    return read


def _expression(node: ast.AST) -> ast.expr:
    return node if isinstance(node, ast.expr) else ast.Name("")


def _names_in(node: ast.AST) -> set[str]:
    return {ast.unparse(one) for one in ast.walk(node) if isinstance(one, ast.Name | ast.Attribute | ast.Subscript)}
