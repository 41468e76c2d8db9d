"""Fetching one file from the web, with limits on everything a server decides: size, time, addresses, redirects.

Only ``http`` and ``https``. Proxies named by the environment (``HTTP_PROXY``...) are not used: behind one, the
address that is connected to could not be checked. What was fetched is kept under its own sha256 and checked again
whenever it is read.
"""

from __future__ import annotations

import hashlib
import http.client
import ipaddress
import os
import socket
import ssl
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import SplitResult, quote, urljoin, urlsplit

from imagemill.core.errors import CodecError
from imagemill.data.web.cache import keep, kept

__all__ = ["LIMIT", "TIMEOUT", "default_cache", "fetch"]

LIMIT = 256 * 1024 * 1024
"""Largest file that is fetched unless asked otherwise, in bytes."""

TIMEOUT = 60.0
"""Longest time one fetch may take with all its tries, in seconds."""

_REDIRECTS = 5
_CHUNK = 64 * 1024


@dataclass(frozen=True, slots=True)
class _Rules:
    private: bool
    limit: int
    deadline: float
    progress: Callable[[int], None] | None = None


class _Again(Exception):  # noqa: N818 - it is caught here and tried again, never shown
    """A try failed in a way that may pass: a 5xx answer, a lost connection, a time-out."""


def default_cache() -> Path:
    """The folder of this user where fetched files are kept.

    Examples
    --------
    >>> default_cache().name
    'imagemill'
    """
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local"
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "imagemill"


def fetch(
    url: str,
    *,
    cache: Path | None = None,
    private: bool = False,
    limit: int = LIMIT,
    timeout: float = TIMEOUT,
    retries: int = 3,
    pause: float = 0.25,
    sha256: str | None = None,
    progress: Callable[[int], None] | None = None,
) -> bytes:
    """Give the bytes of a web address, from the cache where they are there.

    Parameters
    ----------
    url : str
        ``http://`` or ``https://``, without a user name.
    cache : Path or None
        Folder where fetched files are kept; None takes `default_cache`.
    private : bool
        Whether addresses that are not of the public internet may be connected to (this machine, the local
        network). Checked on the address that is connected to, at first and after each redirect.
    limit : int
        Largest file in bytes.
    timeout : float
        Seconds for everything together: all tries, redirects, headers and the body. Only the look-up of the
        name, which the system does, is not interrupted.
    retries : int
        How often to try again after a 5xx answer, a lost connection or no connection; 4xx is final.
    pause : float
        Seconds before the first of these; each further one waits twice as long.
    sha256 : str or None
        The digest in hex that the bytes must have.
    progress : callable or None
        Called with the number of bytes that have come; a new try begins at few again.

    Returns
    -------
    bytes

    Raises
    ------
    CodecError
        When the address is refused, the server answers with an error, or a limit is reached.

    Examples
    --------
    >>> fetch("ftp://example.org/a.jpg")
    Traceback (most recent call last):
    imagemill.core.errors.CodecError: ftp://example.org/a.jpg: expected http:// or https://, got 'ftp'; ...
    """
    folder = default_cache() if cache is None else cache
    url = url.partition("#")[0]
    _split(url)
    data = kept(folder, url, sha256)
    if data is None:
        rules = _Rules(private, limit, time.monotonic() + timeout, progress)
        data = _tries(url, rules, retries, pause)
        found = hashlib.sha256(data).hexdigest()
        if sha256 is not None and found != sha256.lower():
            raise _error(url, f"content with sha256 {sha256}", found, "check the address, or the digest")
        keep(folder, url, data)
    elif len(data) > limit:
        raise _too_large(url, limit, len(data))
    return data


def _error(url: str, expected: str, got: str, do: str) -> CodecError:
    return CodecError(f"{url}: expected {expected}, got {got}; {do}")


def _too_large(url: str, limit: int, got: int | str) -> CodecError:
    size = f"{got:,} bytes" if isinstance(got, int) else got
    return _error(url, f"at most {limit:,} bytes", size, "raise the limit if the file is meant to be that large")


def _split(url: str) -> SplitResult:
    """Take an address apart, refusing what is no address of a file on the web."""
    do = "give the address of one file"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise _error(url, "a web address", str(error), do) from error
    if parts.scheme not in ("http", "https"):
        raise _error(url, "http:// or https://", repr(parts.scheme), do)
    if not parts.hostname or port == 0:
        raise _error(url, "a host in the address", "none", do)
    if parts.username is not None or parts.password is not None:
        raise _error(url, "an address without a user name", "one with it", "leave the name and password out")
    return parts


def _tries(url: str, rules: _Rules, retries: int, pause: float) -> bytes:
    """Try until it works, fails for good, or the time is over."""
    for number in range(retries + 1):
        try:
            return _follow(url, rules)
        except _Again as error:
            wait = pause * 2**number
            if time.monotonic() + wait >= rules.deadline:
                raise _late(url) from error
            if number == retries:
                do = "try again later, or check the address in a browser"
                raise _error(url, "the file", f"{error} ({retries + 1} tries)", do) from error
        time.sleep(wait)
    raise _error(url, "at least one try", f"retries={retries}", "give 0 or more")


def _late(url: str) -> CodecError:
    return _error(url, "the file within the time limit", "too slow an answer", "try again, or allow more time")


def _follow(url: str, rules: _Rules) -> bytes:
    """Get an address, and where it redirects to."""
    place = url
    for _ in range(_REDIRECTS + 1):
        answer = _get(place, rules)
        if isinstance(answer, bytes):
            return answer
        target = urljoin(place, answer)
        if urlsplit(place).scheme == "https" and urlsplit(target).scheme == "http":
            raise _error(url, "a safe redirect", f"one from https to {target}", "use the address it leads to, if meant")
        place = target
    raise _error(url, f"at most {_REDIRECTS} redirects", "more", "use the address they lead to")


def _get(url: str, rules: _Rules) -> bytes | str:
    """One request: the body, or the place it redirects to."""
    parts = _split(url)
    try:
        with _connected(url, parts, rules) as connection:
            target = quote(parts.path or "/", safe="/%:=&~+!$,;'@()*") + (
                "?" + quote(parts.query, safe="/%:=&~+!$,;'@()*?[]") if parts.query else ""
            )
            headers = {"User-Agent": "imagemill", "Accept": "*/*", "Accept-Encoding": "identity", "Connection": "close"}
            connection.request("GET", target, headers=headers)
            with connection.getresponse() as response:  # it would hold the socket open after an error
                return _answer(url, response, rules)
    except (OSError, http.client.HTTPException) as error:
        if isinstance(error, CodecError):
            raise
        if time.monotonic() >= rules.deadline:
            raise _late(url) from error
        if isinstance(error, ssl.SSLCertVerificationError):
            raise _error(url, "a valid certificate", error.verify_message, "check the address") from error
        raise _Again(str(error) or type(error).__name__) from error
    except ValueError as error:  # http.client refuses control characters in an address
        raise _error(url, "a web address", str(error), "mend the address") from error


@contextmanager
def _connected(url: str, parts: SplitResult, rules: _Rules) -> Iterator[http.client.HTTPConnection]:
    """A connection to an address that was checked, cut off when the time is over."""
    host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    sock = _socket(url, host, port, rules)
    try:
        if parts.scheme == "https":
            context = ssl.create_default_context()
            sock = context.wrap_socket(sock, server_hostname=host, do_handshake_on_connect=False)
        # Time-outs of a socket count from its last byte, so a server that drips would never reach one.
        timer = threading.Timer(max(rules.deadline - time.monotonic(), 0), _cut, (sock,))
        timer.daemon = True
        timer.start()
        try:
            if isinstance(sock, ssl.SSLSocket):
                sock.do_handshake()
            connection = http.client.HTTPConnection(host, parts.port or port)
            connection.default_port = 443 if parts.scheme == "https" else 80
            connection.sock = sock
            yield connection
        finally:
            timer.cancel()
    finally:
        sock.close()


def _cut(sock: socket.socket) -> None:
    """End a connection from another thread; whoever reads from it finds it closed."""
    try:
        socket.socket.shutdown(sock, socket.SHUT_RDWR)
    except OSError:
        return  # already closed: nothing is left to end


def _socket(url: str, host: str, port: int, rules: _Rules) -> socket.socket:
    """Connect to the first address of a host that answers; every address is checked before."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except socket.gaierror as error:
        raise _Again(f"no address of {host!r} ({error.strerror or error})") from error
    except UnicodeError as error:
        raise _error(url, "a host name", repr(host), "mend the address") from error
    failed: OSError | None = None
    for family, kind, protocol, _, address in found:
        _check_address(url, str(address[0]), rules)
        left = rules.deadline - time.monotonic()
        if left <= 0:
            raise _late(url)
        sock = socket.socket(family, kind, protocol)
        try:
            sock.settimeout(left)
            sock.connect(address)
            _check_address(url, str(sock.getpeername()[0]), rules)
        except OSError as error:
            sock.close()
            if isinstance(error, CodecError):
                raise
            failed = error
            continue
        return sock
    raise failed or _Again(f"no address of {host!r}")


def _check_address(url: str, text: str, rules: _Rules) -> None:
    """Refuse addresses that are not of the public internet, however they are written."""
    address = ipaddress.ip_address(text.partition("%")[0])
    inner: list[ipaddress.IPv4Address | ipaddress.IPv6Address] = [address]
    if isinstance(address, ipaddress.IPv6Address):
        if address in ipaddress.IPv6Network("64:ff9b::/96"):  # NAT64: an IPv4 address is in the last 32 bits
            inner.append(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
        inner += [one for one in (address.ipv4_mapped, address.sixtofour) if one is not None]
        if address.ipv4_mapped is not None:
            inner.remove(address)
    if not rules.private and any(not one.is_global or one.is_multicast for one in inner):
        do = "pass private=True if files of this machine or the local network are meant"
        raise _error(url, "an address of the public internet", text, do)


def _answer(url: str, response: http.client.HTTPResponse, rules: _Rules) -> bytes | str:
    """Read an answer, or where it redirects to."""
    if response.status in (301, 302, 303, 307, 308):
        return response.getheader("Location") or url
    if response.status >= 500:
        raise _Again(f"status {response.status} {response.reason}")
    if response.status != 200:
        do = "check the address in a browser"
        raise _error(url, "status 200", f"{response.status} {response.reason}", do)
    if (coding := response.getheader("Content-Encoding", "identity")) != "identity":
        raise _error(url, "content as it is", f"content encoded as {coding!r}", "fetch that file by other means")
    length = response.length
    if length is not None and length > rules.limit:
        raise _too_large(url, rules.limit, length)
    data = bytearray()
    while chunk := response.read1(_CHUNK):
        data += chunk
        if len(data) > rules.limit:
            raise _too_large(url, rules.limit, "more")
        if rules.progress is not None:
            rules.progress(len(data))
    if time.monotonic() >= rules.deadline:
        raise _late(url)
    if length is not None and len(data) != length:
        raise _Again(f"{len(data):,} of {length:,} bytes")
    return bytes(data)
