"""One file over HTTP: continued where it stopped, repeated with patience, never more than a partial file."""

from __future__ import annotations

import random
import re
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import requests
from urllib3.exceptions import HTTPError, InvalidHeader
from urllib3.util.retry import Retry

from mmseg_ext.data.fetch.partial import PartialFile
from mmseg_ext.data.fetch.signatures import HEAD_BYTES, wrong_content
from mmseg_ext.suite.dataset_card import RemoteFile
from mmseg_ext.suite.files import require_free_space

CHUNK_BYTES = 64 * 1024
MAX_REDIRECTS = 10
_PASSING_TROUBLE = {408, 425, 429, 500, 502, 503, 504}
_CONTENT_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+|\*)")

Report = Callable[[int, int | None], None]
"""Called with the bytes that are here and the bytes there will be, if known."""


@dataclass(frozen=True)
class Patience:
    """How long to put up with a server; times in seconds."""

    attempts: int = 5
    """Failures in a row, none of which brought new bytes, after which an address is given up."""
    backoff: float = 1.0
    """Pause after the first failure; doubled each time and varied by half, so that clients spread out."""
    longest_wait: float = 300.0
    """Longest pause, also of those a server asks for."""
    connect_timeout: float = 10.0
    read_timeout: float = 60.0
    """Time without a single byte after which a connection counts as stalled."""
    window: float = 60.0
    """Time over which a connection's speed is measured."""
    least_speed: float = 1024.0
    """Bytes a second below which a connection that drips counts as stalled; it is a failure, new bytes or not."""


class TransferError(Exception):
    """An address does not give the file; another one may."""


class Stopped(Exception):
    """Another file failed, so this one was left where it is."""


class _Interrupted(Exception):
    """An attempt failed in a way that may pass."""

    def __init__(self, reason: str, wait: float | None = None, is_slow: bool = False) -> None:
        super().__init__(reason)
        self.wait = wait
        self.is_slow = is_slow


def transfer(
    url: str, file: RemoteFile, part: PartialFile, patience: Patience, stop: threading.Event, report: Report
) -> None:
    """Complete a partial file from one address.

    Args:
        url: The address.
        file: What the card says about the file.
        part: The partial file; what it holds is kept where the server can continue it.
        patience: Timeouts and repetitions.
        stop: Set to end all transfers.
        report: Told about progress.

    Raises:
        TransferError: If the address does not give the file.
        InputError: If there is too little space; before the first byte.
        OSError: If the disk cannot be written to; the partial file stays.
        Stopped: If `stop` was set.
    """
    failures, furthest = 0, part.size
    with requests.Session() as session:
        session.max_redirects = MAX_REDIRECTS
        while not part.is_complete:
            try:
                _attempt(session, url, file, part, patience, stop, report)
            except _Interrupted as trouble:
                failures = 1 if part.size > furthest and not trouble.is_slow else failures + 1
                furthest = max(furthest, part.size)
                if failures >= patience.attempts:
                    raise TransferError(f"{trouble}, {failures} times in a row") from None
                pause = patience.backoff * 2 ** (failures - 1) * random.uniform(0.5, 1.5)
                if stop.wait(min(pause, patience.longest_wait) if trouble.wait is None else trouble.wait):
                    raise Stopped from None


def _attempt(
    session: requests.Session,
    url: str,
    file: RemoteFile,
    part: PartialFile,
    patience: Patience,
    stop: threading.Event,
    report: Report,
) -> None:
    is_verified = file.sha256 is not None or file.md5 is not None
    # The bytes of the file itself are wanted: a range of a compressed transfer could not be continued.
    headers = {"Accept-Encoding": "identity", **part.range_headers(url, is_verified)}
    timeout = (patience.connect_timeout, patience.read_timeout)
    try:
        response = session.get(url, headers=headers, stream=True, timeout=timeout)
    except requests.TooManyRedirects:
        raise TransferError(f"more than {MAX_REDIRECTS} redirects") from None
    except requests.exceptions.SSLError as error:
        raise TransferError(f"no secure connection: {error}") from None
    except (requests.ConnectionError, requests.Timeout) as error:
        raise _Interrupted(f"no answer ({type(error).__name__})") from None
    except (requests.RequestException, HTTPError) as error:
        raise TransferError(str(error)) from None
    with response:
        _check_status(response, patience)
        offset, total = _place(response, part)
        if file.bytes is not None and total not in (None, file.bytes):
            raise TransferError(f"the file there has {total} bytes, not {file.bytes}")
        if offset == 0:
            part.begin(url, response.headers, total)
        if total is not None:
            require_free_space(part.path.parent, total - offset, f"downloading {file.filename}")
        _save(response, file, part, offset, total, patience, stop, report)
    part.finish()


def _check_status(response: requests.Response, patience: Patience) -> None:
    if response.status_code in _PASSING_TROUBLE:
        try:
            wait = Retry(retry_after_max=10**9).get_retry_after(response.raw)
        except InvalidHeader:
            wait = None
        if wait is not None and wait > patience.longest_wait:
            raise TransferError(f"status {response.status_code}, and the server asks to wait {wait:.0f} s")
        raise _Interrupted(f"status {response.status_code}", wait)
    if response.status_code not in (200, 206, 416):
        raise TransferError(f"status {response.status_code} {response.reason}")


def _place(response: requests.Response, part: PartialFile) -> tuple[int, int | None]:
    """Return at which byte the answer begins and how many the whole file has.

    Raises:
        _Interrupted: If it does not continue the partial file; that is emptied then.
    """
    if response.status_code == 200:
        length = response.headers.get("Content-Length", "")
        return 0, int(length) if length.isdecimal() else None
    match = _CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", "").strip())
    if response.status_code == 206 and match is not None and int(match[1]) == part.size > 0:
        total = None if match[2] == "*" else int(match[2])
        if total == part.total:
            return part.size, total
    part.discard()
    raise _Interrupted(f"status {response.status_code} that does not continue the partial file")


def _save(
    response: requests.Response,
    file: RemoteFile,
    part: PartialFile,
    offset: int,
    total: int | None,
    patience: Patience,
    stop: threading.Event,
    report: Report,
) -> None:
    size, head = offset, part.head(HEAD_BYTES) if offset else b""
    is_checked = len(head) >= HEAD_BYTES
    with part.path.open("ab" if offset else "wb") as handle:
        for chunk in _chunks(response, patience):
            if not is_checked:
                head = (head + chunk)[:HEAD_BYTES]
                if is_checked := len(head) >= HEAD_BYTES:
                    _check_head(file, head, response, part)
            handle.write(chunk)
            size += len(chunk)
            report(size, total)
            if stop.is_set():
                raise Stopped
    if total is not None and size != total:
        raise _Interrupted(f"{size} of {total} bytes")
    if not is_checked:
        _check_head(file, head, response, part)


def _chunks(response: requests.Response, patience: Patience) -> Iterator[bytes]:
    """Yield what has arrived, and give up a connection that drips."""
    size, begin = 0, time.monotonic()
    try:
        # Asking for a whole chunk would wait for its last byte, however long that takes.
        while chunk := response.raw.read1(CHUNK_BYTES, decode_content=False):
            yield chunk
            size += len(chunk)
            passed = time.monotonic() - begin
            if passed >= patience.window:
                if size < patience.least_speed * passed:
                    raise _Interrupted(f"only {size / passed:.0f} bytes a second", is_slow=True)
                size, begin = 0, time.monotonic()
    except (HTTPError, OSError) as error:
        raise _Interrupted(f"the connection broke ({type(error).__name__})") from None


def _check_head(file: RemoteFile, head: bytes, response: requests.Response, part: PartialFile) -> None:
    wrong = wrong_content(file.filename, head, response.headers.get("Content-Type", ""))
    if wrong is not None:
        part.discard()
        raise TransferError(f"the server sends {wrong[0]} instead of {wrong[1]}")
