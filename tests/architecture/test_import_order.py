"""Every module can be imported first: none needs, while it is loaded, one that is waiting for it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.architecture.repository import SRC


def loads(package: Path) -> dict[str, set[str]]:
    """The modules of a package that each of its modules loads while it is loaded itself, packages around them too."""
    root = package.parent
    paths = {_named(path.relative_to(root)): path for path in package.rglob("*.py")}
    return {name: set(_asked(name, path, set(paths))) - {name} for name, path in paths.items()}


def _named(path: Path) -> str:
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _asked(name: str, path: Path, known: set[str]) -> Iterator[str]:
    for node in _run_at_once(ast.parse(path.read_text("utf-8")).body):
        names = [one.name for one in node.names]
        asked = names
        if isinstance(node, ast.ImportFrom):
            asked = [f"{node.module}.{one}" for one in names]
        for one in asked:
            while one and one not in known:
                one = one.rpartition(".")[0]
            while one:
                # Packages above both are loaded already.
                if not f"{name}.".startswith(f"{one}."):
                    yield one
                one = one.rpartition(".")[0]


def _run_at_once(body: list[ast.stmt]) -> Iterator[ast.Import | ast.ImportFrom]:
    for node in body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield node
        elif isinstance(node, ast.Try):
            yield from _run_at_once(node.body)
        elif isinstance(node, ast.If) and "TYPE_CHECKING" not in ast.unparse(node.test):
            yield from _run_at_once([*node.body, *node.orelse])


def circle(graph: dict[str, set[str]]) -> list[str]:
    """Modules that wait for each other, the first again at the end; none where there is no such circle."""
    done: set[str] = set()
    for start in sorted(graph):
        trail: list[str] = []
        waiting = [(start, iter(sorted(graph[start])))] if start not in done else []
        while waiting:
            name, rest = waiting[-1]
            trail = [one for one, _ in waiting]
            following = next((one for one in rest if one not in done), None)
            if following is None:
                done.add(name)
                waiting.pop()
            elif following in trail:
                return [*trail[trail.index(following) :], following]
            else:
                waiting.append((following, iter(sorted(graph.get(following, ())))))
    return []


def test_no_module_waits_for_itself() -> None:
    found = circle(loads(SRC / "imagemill"))
    assert not found, " -> ".join(found)


def test_a_circle_through_the_package_around_a_module_is_found(tmp_path: Path) -> None:
    room = tmp_path / "house" / "room"
    room.mkdir(parents=True)
    (room.parent / "__init__.py").write_text("")
    (room / "__init__.py").write_text("from house.room.door import key\n")
    (room / "wall.py").write_text("")
    (room / "door.py").write_text("from house.hall import light\nkey = 1\n")
    (room.parent / "hall.py").write_text("from house.room.wall import window\nlight = 1\n")
    assert set(circle(loads(room.parent))) == {"house.room", "house.room.door", "house.hall"}
    (room / "door.py").write_text("def key():\n    from house.hall import light\n")
    assert circle(loads(room.parent)) == []
