"""Asking a file system on the network: each request with a limit of time, tried again where that may help.

What is raised names the address and no more: texts of other packages may hold what they were configured with.
"""

from __future__ import annotations

import os
import re
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

from imagemill.core.errors import CodecError, ImagemillError, MissingExtra
from imagemill.core.extras import require

__all__ = ["LISTING_TIME", "REQUEST_TIME", "asked", "called", "file_system_of", "redacted"]

REQUEST_TIME = 60.0
"""Longest time one file may take with all tries, in seconds, as for ``http``."""
LISTING_TIME = 600.0
"""The same for the list of everything below a folder: about five million names at S3's thousand an answer."""

_TRIES, _PAUSE = 4, 0.25
T = TypeVar("T")

_PACKAGES = {
    **dict.fromkeys(("gs", "gcs"), "gcsfs"),
    **dict.fromkeys(("abfs", "abfss", "az", "adl"), "adlfs"),
    **dict.fromkeys(("sftp", "ssh"), "paramiko"),
    **{"hf": "huggingface_hub", "oss": "ossfs", "oci": "ocifs", "smb": "smbprotocol", "hdfs": "pyarrow"},
}
"""What brings a protocol, where it is not the extra ``remote``."""
_SECRET_NAME = re.compile(r"KEY|SECRET|TOKEN|PASSW|CREDENTIAL|CONNECTION_STRING|SAS", re.IGNORECASE)
_SIGNED = re.compile(
    r"""(?i)((?:signature|sig|token|credential|accesskeyid|secret)[\w-]*(?:=|>|['"]\s*:\s*['"]))[^&\s,;'"}<]+"""
)
_LONG_ENOUGH = 6


def file_system_of(url: str) -> tuple[Any, str]:
    """The file system of an address, and what it calls the place."""
    scheme = url.partition(":")[0]
    fsspec = require("fsspec", extra="remote")
    try:
        fs, path = fsspec.core.url_to_fs(url)
    except ImportError as error:
        package = _PACKAGES.get(scheme)
        do = f"pip install {package}" if package else "pip install 'imagemill[remote]'"
        raise MissingExtra(
            f"expected a package for {scheme}:// to be installed, but it is not; do: {do}", name=error.name
        ) from None
    except Exception as error:
        raise _failed(url, error) from None
    return fs, path


def called(url: str, name: str, *args: Any, seconds: float = REQUEST_TIME, **kwargs: Any) -> Any:
    """One method of the file system of an address, with its path as the first argument, in a limited time."""
    fs, path = file_system_of(url)
    waits = getattr(fs, f"_{name}", None)
    if getattr(fs, "async_impl", False) and waits is not None:
        return require("fsspec.asyn", extra="remote").sync(fs.loop, waits, path, *args, timeout=seconds, **kwargs)
    return _within(seconds, lambda: getattr(fs, name)(path, *args, **kwargs))


def _within(seconds: float, ask: Callable[[], T]) -> T:
    """What a file system answers that knows no limit of time; a thread that it keeps for ever ends with the program."""
    answer: Future[T] = Future()

    def wait() -> None:
        try:
            answer.set_result(ask())
        except BaseException as error:
            answer.set_exception(error)

    threading.Thread(target=wait, name="imagemill-remote", daemon=True).start()
    return answer.result(seconds)


def asked(url: str, ask: Callable[[], T], *, seconds: float = REQUEST_TIME) -> T:
    """What a request gives, tried again after an answer that may pass: a lost connection, a server that is busy.

    Parameters
    ----------
    url : str
        For errors.
    ask : callable
        Makes the request.
    seconds : float
        For all tries together.

    Raises
    ------
    FileNotFoundError
        When there is nothing; that is an answer.
    CodecError
        For anything else, without the texts of other packages' settings.
    """
    until = time.monotonic() + seconds
    for number in range(_TRIES):
        try:
            return ask()
        except (FileNotFoundError, ImagemillError):
            raise
        except Exception as error:
            wait = _PAUSE * 2**number
            if _is_final(error) or number == _TRIES - 1 or time.monotonic() + wait > until:
                raise _failed(url, error) from None
        time.sleep(wait)
    raise AssertionError("unreachable")


def _is_final(error: Exception) -> bool:
    """Whether asking again gives the same."""
    if isinstance(error, PermissionError | IsADirectoryError | NotADirectoryError | NotImplementedError | TypeError):
        return True
    # The packages try again by themselves where nobody listens, for longer than anybody waits.
    return _about_credentials(error) or type(error).__name__ in ("EndpointConnectionError", "ParamValidationError")


def _about_credentials(error: Exception) -> bool:
    return isinstance(error, PermissionError) or "Credential" in type(error).__name__ or "Auth" in type(error).__name__


def _failed(url: str, error: Exception) -> CodecError:
    said = redacted(f"{type(error).__name__}: {error}" if str(error) else type(error).__name__)
    if _about_credentials(error):
        do = "set those of the environment or a profile that the package for it reads, such as AWS_PROFILE"
        return CodecError(f"{url}: expected credentials that may do this, got {said}; {do}")
    if "Timeout" in type(error).__name__:
        return CodecError(f"{url}: expected an answer within the time limit, got none; try again, or give less at once")
    return CodecError(f"{url}: expected an answer, got {said}; check the address, or try later")


def redacted(text: str) -> str:
    """A text without the values of settings that are secret by their names, and without signatures of addresses.

    Examples
    --------
    >>> redacted("GET /a?X-Amz-Signature=abcdef12&x=1")
    'GET /a?X-Amz-Signature=...&x=1'
    """
    for name, value in os.environ.items():
        if len(value) >= _LONG_ENOUGH and _SECRET_NAME.search(name) and value in text:
            text = text.replace(value, "...")
    text = _SIGNED.sub(r"\1...", text)
    return text[:500]
