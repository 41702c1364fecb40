"""A local HTTP server that misbehaves as told."""

from __future__ import annotations

import http.server
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class Fault:
    """How one answer goes wrong."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | None = None
    """Sent instead of the file."""
    sent: int | None = None
    """Bytes of the body after which the connection is cut."""
    stall: bool = False
    """Send what `sent` says, then nothing more while the server lives."""
    drip: float = 0.0
    """Seconds between single hundreds of bytes; 0 sends all at once."""


@dataclass
class Asked:
    """One request."""

    path: str
    range: str | None
    if_range: str | None


class FaultyServer:
    """Files, how the next answers to each path go wrong, and what was asked."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.faults: dict[str, list[Fault]] = defaultdict(list)
        self.asked: list[Asked] = []
        self.honours_range = True
        self.sends_etag = True
        self.most_at_once = 0
        self.slow = 0.0
        self.url = ""
        self.closed = threading.Event()
        self._active = 0
        self._lock = threading.Lock()

    @contextmanager
    def busy(self) -> Iterator[None]:
        """Count answers under way."""
        with self._lock:
            self._active += 1
            self.most_at_once = max(self.most_at_once, self._active)
        try:
            yield
        finally:
            with self._lock:
                self._active -= 1


class _Handler(http.server.BaseHTTPRequestHandler):
    faulty: FaultyServer

    def do_GET(self) -> None:
        server, path = self.faulty, self.path
        server.asked.append(Asked(path, self.headers.get("Range"), self.headers.get("If-Range")))
        with server.busy():
            server.closed.wait(server.slow)
            fault = server.faults[path].pop(0) if server.faults[path] else None
            if fault is not None and (fault.status != 200 or fault.body is not None):
                self._answer(fault.status, fault.headers, fault.body or b"", fault)
            elif path not in server.files:
                self._answer(404, {}, b"", None)
            else:
                self._file(server.files[path], fault)

    def _file(self, content: bytes, fault: Fault | None) -> None:
        server = self.faulty
        etag = f'"{hash(content)}"'
        headers = {"ETag": etag} if server.sends_etag else {}
        wanted = self.headers.get("Range")
        if wanted and server.honours_range and self.headers.get("If-Range") in (None, etag):
            start = int(wanted.removeprefix("bytes=").removesuffix("-"))
            headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
            self._answer(206, headers, content[start:], fault)
        else:
            self._answer(200, headers, content, fault)

    def _answer(self, status: int, headers: dict[str, str], body: bytes, fault: Fault | None) -> None:
        self.send_response(status)
        for key, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(key, value)
        self.end_headers()
        try:
            self._send(body if fault is None or fault.sent is None else body[: fault.sent], fault)
        except ConnectionError:
            # The client has gone, as it may.
            return
        if fault is not None and fault.stall:
            self.faulty.closed.wait(30)

    def _send(self, body: bytes, fault: Fault | None) -> None:
        step = 100 if fault is not None and fault.drip else max(1, len(body))
        for start in range(0, len(body), step):
            self.wfile.write(body[start : start + step])
            self.wfile.flush()
            if step < len(body) and self.faulty.closed.wait(fault.drip):
                return

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def faulty_server() -> Iterator[FaultyServer]:
    """Run a server on this machine."""
    faulty = FaultyServer()
    handler = type("Handler", (_Handler,), {"faulty": faulty})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        running.daemon_threads = True
        faulty.url = f"http://127.0.0.1:{running.server_address[1]}"
        threading.Thread(target=running.serve_forever, args=(0.05,), daemon=True).start()
        try:
            yield faulty
        finally:
            faulty.closed.set()
            running.shutdown()
