"""Files of a data set from their addresses: several at once, each verified before it gets its name."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from urllib.parse import urlsplit

from mmseg_ext.data.disk import clear_disk_errors
from mmseg_ext.data.fetch.partial import PartialFile
from mmseg_ext.data.fetch.transfer import Patience, Report, Stopped, TransferError, transfer
from mmseg_ext.data.fetch.verification import TrustedFiles, verify
from mmseg_ext.data.progress import TransferProgress
from mmseg_ext.suite.dataset_card import RemoteFile
from mmseg_ext.suite.errors import InputError

FILES_AT_ONCE = 4
FILES_AT_ONCE_PER_HOST = 2


class Downloads:
    """A folder of downloaded files.

    Args:
        folder: Where they lie.
        trusted: What is known of files without a published checksum.
        patience: Timeouts and repetitions.
    """

    def __init__(self, folder: Path, trusted: TrustedFiles, patience: Patience | None = None) -> None:
        self.folder = folder
        self._trusted = trusted
        self._patience = patience or Patience()
        self._hosts: dict[str, threading.Semaphore] = defaultdict(lambda: threading.Semaphore(FILES_AT_ONCE_PER_HOST))
        self._stop = threading.Event()

    def get(self, files: Sequence[RemoteFile]) -> dict[str, str]:
        """Download what is not here yet.

        The first failure stops the other transfers; their partial files are continued by the next call.

        Returns:
            SHA-256 by file name.

        Raises:
            InputError: If a file cannot be had from any of its addresses, or the disk is full.
        """
        self._stop.clear()
        with TransferProgress() as display, ThreadPoolExecutor(FILES_AT_ONCE) as pool:
            pending = {pool.submit(self._get, file, display): file.filename for file in files}
            try:
                return {pending[done]: done.result() for done in as_completed(pending)}
            finally:
                self._stop.set()
                pool.shutdown(cancel_futures=True)

    def _get(self, file: RemoteFile, display: TransferProgress) -> str:
        if self._stop.is_set():
            raise Stopped
        part = PartialFile(self.folder / file.filename)
        with clear_disk_errors(part.path, file.filename, "fetch again: the download continues where it stopped"):
            return self._verified(file, part, display)

    def _verified(self, file: RemoteFile, part: PartialFile, display: TransferProgress) -> str:
        if part.target.is_file():
            try:
                return verify(part.target, file, self._trusted)
            except InputError:
                # It was whole when it got its name, so it was damaged since, or the card changed.
                part.target.unlink()
        failures = []
        for url in file.urls:
            with self._hosts[urlsplit(url).netloc], display.file(file.filename) as report:
                try:
                    return self._from(url, file, part, report)
                except TransferError as error:
                    failures.append(f"{url}: {error}")
        hint = (
            "Download it by other means, put it in a folder and give that with `--mirror DIR` "
            "(workflow: `--config mirror=DIR`)."
        )
        expected = f"{file.filename}, whole and unchanged, from one of its addresses"
        raise InputError(part.target, "download", "; ".join(failures), expected, hint)

    def _from(self, url: str, file: RemoteFile, part: PartialFile, report: Report) -> str:
        is_continued = part.size > 0
        while True:
            transfer(url, file, part, self._patience, self._stop, report)
            try:
                sha256 = verify(part.path, file, self._trusted)
            except InputError as error:
                part.discard()
                if not is_continued:
                    raise TransferError(
                        f"{error.field}: found {error.found}, expected {error.expected}. {error.hint}"
                    ) from None
                # Parts of two versions may have met: a new start tells.
                is_continued = False
            else:
                part.accept()
                return sha256
