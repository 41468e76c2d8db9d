"""A process of its own that reads what may be harmful, and says what came of it: ``python child.py JOB``."""

from __future__ import annotations

import contextlib
import faulthandler
import json
import os
import resource
import signal
import sys
import traceback
import warnings
from pathlib import Path
from typing import Any

SECONDS = 120  # guards against what hangs, with much to spare for a busy machine
SPACE = 8 << 30  # of addresses: libraries map more than they use; what is used is measured

sys.path[:0] = [str(Path(__file__).parents[3] / "src")]


class Late(BaseException):
    """A call took too long; no `except Exception` on the way may keep it."""


def _alarm(number: int, frame: object) -> None:
    raise Late


def _scan(path: Path, more: dict[str, Any]) -> dict[str, Any]:
    from imagemill.verbs.scan.scan import scan

    found = scan(path, opened=None, **more)
    return {"layout": found.layout, "images": found.images, "opened": found.pixels.opened,
            "named": {one.name: one.message for one in found.unreadable}}  # fmt: skip


def _prepare(path: Path, more: dict[str, Any]) -> dict[str, Any]:
    from imagemill.verbs.prepare import prepare

    found = prepare(path, more.pop("out"), size=8, channels="rgb", on_error="skip", **more)
    return {"images": sum(found.counts.values()), "named": {one.key: one.message for one in found.failed}}


def _augment(path: Path, more: dict[str, Any]) -> dict[str, Any]:
    import imagemill as im

    pipeline = im.Pipeline([im.Flip("x")], seed=1)
    found = im.augment(path, more.pop("out"), pipeline, on_error="skip", **more)
    return {"images": found.made, "named": {one.key: one.message for one in found.failed}}


def _open(path: Path, more: dict[str, Any]) -> dict[str, Any]:
    from imagemill.data.dataset import open as open_dataset

    return {"images": len([one.image.shape for one in open_dataset(path)]), "named": {}}


def _each(path: Path, more: dict[str, Any]) -> dict[str, Any]:
    """Every file below a folder as a picture of its own."""
    from imagemill.core.errors import ImagemillError
    from imagemill.data import read_mask, read_picture

    named, images = {}, 0
    for file in sorted(p for p in path.rglob("*") if not p.is_dir()):
        signal.alarm(SECONDS)  # for each anew
        try:
            read_picture(file)
            images += 1
        except ImagemillError as error:
            named[file.name] = f"{type(error).__name__}: {error}"
        with contextlib.suppress(ImagemillError):  # it says the same, or that colours are no labels
            read_mask(file)
    return {"images": images, "named": named}


def _command(path: Path, more: dict[str, Any]) -> dict[str, Any]:
    """The command with its words; what it prints is not looked at."""
    from typer.testing import CliRunner

    from imagemill.app.cli import app

    done = CliRunner().invoke(app, [word.replace("{}", str(path)) for word in more["words"]])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return {"images": 0, "named": {}, "status": done.exit_code, "said": done.output}


WAYS = {"scan": _scan, "prepare": _prepare, "augment": _augment, "open": _open, "each": _each, "command": _command}


def run(way: str, path: str, more: dict[str, Any]) -> dict[str, Any]:
    """One call; what came of it as plain values."""
    from imagemill.core.errors import ImagemillError

    signal.alarm(SECONDS)
    faulthandler.dump_traceback_later(3 * SECONDS, exit=True)
    try:
        asked = {name: Path(value) if name == "cache" else value for name, value in more.items()}
        found = WAYS[way](Path(path), asked) | {"outcome": "read"}
    except ImagemillError as error:
        found = {"outcome": type(error).__name__, "message": str(error)}
    except Late:
        found = {"outcome": "LATE", "message": traceback.format_exc()}
    except BaseException:  # PanicException of Polars is no Exception; whatever it is, the test that asked is to show it
        found = {"outcome": "CRASH", "message": traceback.format_exc()}
    finally:
        signal.alarm(0)
        faulthandler.cancel_dump_traceback_later()
    return found | {"way": way, "path": path}


def peak() -> int:
    """Most bytes that this process ever held. (What getrusage says begins with what the process before exec held.)"""
    status = Path("/proc/self/status")
    if status.is_file():
        return int(status.read_text().partition("VmHWM:")[2].split()[0]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def main(job: Path) -> None:
    """Run every call of a job."""
    faulthandler.enable()
    signal.signal(signal.SIGALRM, _alarm)
    resource.setrlimit(resource.RLIMIT_AS, (SPACE, SPACE))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    warnings.simplefilter("ignore")  # pydicom remarks on damage, and what is done about it is another matter
    os.environ["NO_COLOR"] = "1"
    with job.with_suffix(".out").open("w") as out:
        for way, path, more in json.loads(job.read_text()):
            out.write(json.dumps(run(way, path, more)) + "\n")
            out.flush()
        out.write(json.dumps({"peak": peak()}) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
