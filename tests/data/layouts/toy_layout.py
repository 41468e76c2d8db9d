"""A layout that nobody else has: ``pictures.toy`` with a name and a label a line, and the pictures beside it."""

from __future__ import annotations

from pathlib import Path

from imagemill.core.errors import SourceError
from imagemill.data import (
    Guess,
    Layout,
    Look,
    Problem,
    ReadSource,
    Record,
    Source,
    WriteTarget,
    Written,
    exporting,
)
from imagemill.data.layouts.unwritten import lose_the_rest

INDEX = "pictures.toy"


class ToyLayout(Layout):
    name = "toy-lines"
    title = "a line for each picture"
    holds = frozenset(("image", "uint16", "float", "channels", "volume", "affine", "label", "hierarchy"))
    writes = True
    recognised = "A file `pictures.toy`."
    written = "Pictures by number, and `pictures.toy`."

    def guess(self, look: Look) -> Guess | None:
        if look.is_folder and (look.path / INDEX).is_file():
            return Guess(0.9, f"there is a {INDEX}")
        return None

    def read(self, look: Look, options: ReadSource) -> Source:
        index = look.path / INDEX
        if not index.is_file():
            raise SourceError(f"expected a {INDEX} in {look.path}, got none; choose another layout")
        there, records, problems = dict(look.files), {}, []
        for line in index.read_text("utf-8", "replace").splitlines():
            name, _, label = line.partition("\t")
            if name in there:
                records[name] = Record(name, there[name], label=label or None)
            else:
                problems.append(Problem(name, f"expected the picture {name!r}, got none; take the line out"))
        return Source(look.path, self.name, tuple(records.values()), problems=tuple(problems), also_read=(index,))

    def write(self, source: Source, out: Path, options: WriteTarget) -> Written:
        with exporting(out, self.name, options) as job:
            lines = []
            for number, record in enumerate(source):
                if (name := job.image(record, str(number))) is not None:
                    lines.append(f"{name}\t{record.label or ''}\n")
            job.text(INDEX, "".join(lines))
            lose_the_rest(job, source, self.holds, self.title)
        return job.written()
