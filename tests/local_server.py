"""A server on this machine that plays the official one, and remembers what it was asked for."""

from __future__ import annotations

import hashlib
import http.server
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace

from imagemill.datasets.catalogue import Download, Loan


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    files: dict[str, bytes]
    asked: list[str]
    short: set[str]

    def offer(self, loan: Loan, files: Mapping[str, bytes], *, digests: bool = True, **known: object) -> Loan:
        """Put files here, and give the set with their addresses and digests."""
        self.files = dict(files)
        place = f"http://127.0.0.1:{self.server_address[1]}/"
        downloads = tuple(
            replace(
                Download(file, (place + file,), len(data), unpacked=10**6),
                sha256=hashlib.sha256(data).hexdigest() if digests else None,
                md5=hashlib.md5(data).hexdigest() if digests else None,
            )
            for file, data in files.items()
        )
        return replace(loan, downloads=downloads, **known)  # type: ignore[arg-type]


class Handler(http.server.BaseHTTPRequestHandler):
    server: Server

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        name = self.path.removeprefix("/")
        self.server.asked.append(name)
        if name not in self.server.files:
            self.send_error(404)
            return
        data = self.server.files[name]
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data[: len(data) // 2] if name in self.server.short else data)


@contextmanager
def serving() -> Iterator[Server]:
    with Server(("127.0.0.1", 0), Handler) as server:
        server.files, server.asked, server.short = {}, [], set()
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()
