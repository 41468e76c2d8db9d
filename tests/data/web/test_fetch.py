from __future__ import annotations

import hashlib
import http.server
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import imagemill.data.web.fetch as module
from imagemill.core.errors import CodecError
from imagemill.data.web.fetch import fetch

BODY = b"picture" * 100


class _Handler(http.server.BaseHTTPRequestHandler):
    asked: list[str]
    failures = 0

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        self.server.asked.append(self.path)  # type: ignore[attr-defined]
        try:
            self.answer(self.path)
        except (ConnectionError, OSError):
            return  # the client had enough

    def answer(self, path: str) -> None:
        count = self.server.asked.count(path)  # type: ignore[attr-defined]
        if path == "/shaky" and count < 3:
            self.send_error(500)
        elif path == "/gone":
            self.send_error(404)
        elif path == "/broken":
            self.send_error(503)
        elif path.startswith("/to?"):
            self.send_response(302)
            self.send_header("Location", path.removeprefix("/to?"))
            self.end_headers()
        elif path == "/endless":
            self.send_response(200)
            self.end_headers()
            while True:
                self.wfile.write(BODY * 100)
        elif path == "/drip":
            self.send_response(200)
            self.end_headers()
            while True:
                self.wfile.write(b".")
                time.sleep(0.05)
        elif path == "/slow-headers":
            while True:
                self.wfile.write(b"H")
                time.sleep(0.05)
        elif path == "/short":
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            self.wfile.write(b"only this")
        elif path == "/declared":
            self.send_response(200)
            self.send_header("Content-Length", str(10**12))
            self.end_headers()
        else:
            self.send_response(200)
            self.send_header("Content-Length", str(len(BODY)))
            self.end_headers()
            self.wfile.write(BODY)


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    asked: list[str]


@pytest.fixture
def server() -> Iterator[_Server]:
    with _Server(("127.0.0.1", 0), _Handler) as server:
        server.asked = []
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def _url(server: _Server, path: str) -> str:
    return f"http://127.0.0.1:{server.server_address[1]}{path}"


def test_a_file_is_fetched_once_and_then_comes_from_the_cache(server: _Server, tmp_path: Path) -> None:
    for _ in range(2):
        assert fetch(_url(server, "/a.jpg#part"), cache=tmp_path, private=True) == BODY
    assert server.asked == ["/a.jpg"]
    digest = hashlib.sha256(BODY).hexdigest()
    assert (tmp_path / "content" / digest[:2] / digest).read_bytes() == BODY


def test_a_damaged_cache_is_not_believed(server: _Server, tmp_path: Path) -> None:
    fetch(_url(server, "/a.jpg"), cache=tmp_path, private=True)
    (kept,) = [p for p in (tmp_path / "content").rglob("*") if p.is_file()]
    kept.write_bytes(b"something else")
    assert fetch(_url(server, "/a.jpg"), cache=tmp_path, private=True) == BODY
    assert len(server.asked) == 2


def test_the_digest_asked_for_is_compared(server: _Server, tmp_path: Path) -> None:
    digest = hashlib.sha256(BODY).hexdigest()
    assert fetch(_url(server, "/a"), cache=tmp_path, private=True, sha256=digest) == BODY
    with pytest.raises(CodecError, match="expected content with sha256 0000"):
        fetch(_url(server, "/b"), cache=tmp_path, private=True, sha256="0" * 64)


def test_two_failures_of_the_server_are_waited_out(server: _Server, tmp_path: Path) -> None:
    assert fetch(_url(server, "/shaky"), cache=tmp_path, private=True, pause=0.001) == BODY
    assert server.asked == ["/shaky"] * 3


@pytest.mark.parametrize(("path", "asked", "message"), [("/gone", 1, "got 404"), ("/broken", 3, "503.*3 tries")])
def test_tries_end(server: _Server, tmp_path: Path, path: str, asked: int, message: str) -> None:
    with pytest.raises(CodecError, match=message):
        fetch(_url(server, path), cache=tmp_path, private=True, retries=2, pause=0.001)
    assert len(server.asked) == asked


def test_a_body_cut_short_is_no_picture(server: _Server, tmp_path: Path) -> None:
    with pytest.raises(CodecError, match="9 of 1,000 bytes"):
        fetch(_url(server, "/short"), cache=tmp_path, private=True, retries=0)
    assert not tmp_path.joinpath("content").exists()


@pytest.mark.parametrize("path", ["/endless", "/declared"])
def test_large_answers_are_cut_off(server: _Server, tmp_path: Path, path: str) -> None:
    with pytest.raises(CodecError, match="expected at most 100,000 bytes"):
        fetch(_url(server, path), cache=tmp_path, private=True, limit=100_000)
    assert len(server.asked) == 1


def test_the_limit_holds_for_the_cache(server: _Server, tmp_path: Path) -> None:
    fetch(_url(server, "/a"), cache=tmp_path, private=True)
    with pytest.raises(CodecError, match="expected at most 10 bytes"):
        fetch(_url(server, "/a"), cache=tmp_path, private=True, limit=10)


@pytest.mark.parametrize("path", ["/drip", "/slow-headers"])
def test_a_server_that_drips_reaches_the_time_limit(server: _Server, tmp_path: Path, path: str) -> None:
    with pytest.raises(CodecError, match="time limit"):
        fetch(_url(server, path), cache=tmp_path, private=True, timeout=0.3)


def test_this_machine_is_private(server: _Server, tmp_path: Path) -> None:
    with pytest.raises(CodecError, match=r"public internet, got 127\.0\.0\.1; pass private=True"):
        fetch(_url(server, "/a"), cache=tmp_path)
    assert server.asked == []


def test_a_redirect_to_a_private_address_is_refused(
    server: _Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    check = module._check_address
    port = server.server_address[1]

    def public(url: str, text: str, rules: module._Rules) -> None:
        # The first server counts as public here; where it leads to is checked as always.
        if f":{port}/" not in url or "localhost" in url:
            check(url, text, rules)

    monkeypatch.setattr(module, "_check_address", public)
    assert fetch(_url(server, "/to?/a"), cache=tmp_path) == BODY
    for place in (f"http://localhost:{port}/a", "http://10.0.0.1/", "http://169.254.169.254/latest", "http://[::1]/"):
        with pytest.raises(CodecError, match="public internet"):
            fetch(_url(server, f"/to?{place}"), cache=tmp_path, timeout=3)


def test_redirects_are_counted_and_lead_to_the_web_only(server: _Server, tmp_path: Path) -> None:
    assert fetch(_url(server, "/to?/to?/a"), cache=tmp_path, private=True) == BODY
    with pytest.raises(CodecError, match="at most 5 redirects"):
        fetch(_url(server, "/to?" * 6 + "/a"), cache=tmp_path, private=True)
    with pytest.raises(CodecError, match="expected http:// or https://, got 'file'"):
        fetch(_url(server, "/to?file:///etc/hostname"), cache=tmp_path, private=True)


def test_https_does_not_lead_to_http(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_get", lambda url, rules: "http://example.org/b")
    with pytest.raises(CodecError, match="expected a safe redirect"):
        fetch("https://example.org/a", cache=tmp_path)


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "10.1.2.3", "192.168.0.1", "172.16.0.1", "169.254.169.254", "0.0.0.0", "100.64.0.1"),
        *("::1", "fe80::1%eth0", "fd00::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "ff02::1"),
        *("224.0.0.1", "240.0.0.1"),
    ],
)  # fmt: skip
def test_addresses_that_are_not_public(address: str) -> None:
    with pytest.raises(CodecError, match="public internet"):
        module._check_address("http://x/", address, module._Rules(False, 1, 1.0))


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8"])
def test_addresses_that_are_public(address: str) -> None:
    module._check_address("http://x/", address, module._Rules(False, 1, 1.0))


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("file:///etc/passwd", "expected http:// or https://"),
        ("http:///a.jpg", "a host"),
        ("http://user:secret@example.org/a", "without a user name"),
        ("http://example.org:99999/", "a web address"),
        ("http://example.org:0/", "a host"),
        ("http://[::1/", "a web address"),
    ],
)
def test_what_is_no_address(tmp_path: Path, url: str, message: str) -> None:
    with pytest.raises(CodecError, match=message):
        fetch(url, cache=tmp_path)


def test_a_server_that_is_not_there_is_an_error(server: _Server, tmp_path: Path) -> None:
    with pytest.raises(CodecError, match="1 tries"):
        fetch("http://127.0.0.1:1/", cache=tmp_path, private=True, retries=0)
