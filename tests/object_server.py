"""An S3-compatible server on this machine that counts what it is asked for, and fails as often as it is told."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from werkzeug.serving import make_server

__all__ = ["KEY", "SECRET", "Objects", "serving_objects"]

KEY, SECRET = "AKIATESTTESTTEST", "not-a-secret-but-looks-like-one"
BUCKET = "sets"


@dataclass
class Objects:
    """The server, and what it was asked for since `clear`.

    Parameters
    ----------
    address : str
    app : callable
        Answers requests by WSGI.
    every : int
        One request in so many fails with an answer that may pass; 0 for none.
    """

    address: str = ""
    app: Any = None
    every: int = 0
    requests: list[tuple[str, str]] = field(default_factory=list)
    bytes_sent: int = 0
    bytes_taken: int = 0
    failed: int = 0
    lock: Any = field(default_factory=threading.Lock)

    def __call__(self, environ: Any, start: Any) -> Any:
        with self.lock:
            self.requests.append((environ["REQUEST_METHOD"], environ["PATH_INFO"]))
            self.bytes_taken += int(environ.get("CONTENT_LENGTH") or 0)
            fails = self.every and len(self.requests) % self.every == 0
            self.failed += bool(fails)
        if fails:
            start("503 Slow Down", [("Content-Type", "application/xml")])
            return [b"<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"]
        return self._counted(self.app(environ, start))

    def _counted(self, pieces: Any) -> Iterator[bytes]:
        for piece in pieces:
            self.bytes_sent += len(piece)
            yield piece

    def clear(self) -> None:
        self.requests, self.bytes_sent, self.bytes_taken, self.failed = [], 0, 0, 0

    def gets(self, name: str = "") -> int:
        """Requests for objects of such names."""
        return sum(kind == "GET" and name in path and path.count("/") > 1 for kind, path in self.requests)

    def fill(self, folder: Path, place: str) -> None:
        """Put all files of a folder there."""
        import fsspec

        fsspec.filesystem("s3").put(str(folder), f"{BUCKET}/{place}", recursive=True)


@contextmanager
def serving_objects() -> Iterator[Objects]:
    """A server with one empty bucket, ended with the block."""
    from moto.backends import get_backend
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

    get_backend("s3").reset()
    objects = Objects(app=DomainDispatcherApplication(create_backend_app))
    server = make_server("127.0.0.1", 0, objects, threaded=True)
    server.daemon_threads = True
    objects.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield objects
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
