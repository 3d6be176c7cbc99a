"""The local side of a transfer: the file that is sent, and the file that grows beside its final place.

A download is written to ``<path>.part``. An interrupted one leaves a note in ``<path>.part.json``: from what it came,
in which version, and how many bytes are safely on the disk. The note is written after the data was synced, and removed
before more is written: what a note speaks for is there, even after a loss of power.

Threads: the thread of the transfer.
"""

from __future__ import annotations

import contextlib
import json
import os
import stat
from typing import TYPE_CHECKING, BinaryIO

from openocpp.transfer.errors import TransferError, TransferFailure
from openocpp.transfer.job import BLOCK

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@contextlib.contextmanager
def _file_errors(action: str, path: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise TransferError(TransferFailure.FILE, f"cannot {action} {path!r}: {error.strerror or error}") from error


class Source:
    """The file that is sent, as it was when it was opened: bytes that come later are not sent.

    ``sent`` bytes of it were given to the network.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self.sent = 0
        with _file_errors("read", path):
            if not stat.S_ISREG(os.stat(path).st_mode):  # opening a pipe would wait for its writer
                raise TransferError(TransferFailure.FILE, f"cannot read {path!r}: not a file")
            self._file = open(path, "rb", buffering=0)
            state = os.fstat(self._file.fileno())
        self.size = state.st_size
        self.identity = (state.st_dev, state.st_ino, state.st_size, state.st_mtime_ns)

    def blocks(self, offset: int = 0) -> Iterator[bytes]:
        """The content from ``offset`` bytes on. `TransferError` if the file has become shorter."""
        with _file_errors("read", self.path):
            self._file.seek(offset)
        while offset < self.size:
            with _file_errors("read", self.path):
                block = self._file.read(min(BLOCK, self.size - offset))
            if not block:
                raise TransferError(TransferFailure.FILE, f"{self.path!r} became shorter while it was sent")
            offset += len(block)
            yield block

    def close(self) -> None:
        self._file.close()


class Partial:
    """A download on its way to ``path``.

    ``offset`` bytes are there. ``version`` tells one content of the remote file from another, "" when the server does
    not: such a download starts from the beginning each time, since bytes of two contents must not be mixed.
    Nothing on the disk changes before `begin`: an attempt that finds no server spoils nothing.
    """

    def __init__(self, path: str, source: str, *, resume: bool) -> None:
        self.path = path
        self.part = f"{path}.part"
        self.note = f"{path}.part.json"
        self.source = source
        self.version, self.offset = self._read_note() if resume else ("", 0)
        self._file: BinaryIO | None = None
        self._identity = (0, 0)

    def begin(self, *, resumed: bool, version: str = "") -> None:
        """Open the file: to go on behind ``offset``, or anew, with the version of what will come."""
        with _file_errors("write", self.part):
            _remove(self.note)
            if resumed:
                self._file = open(self.part, "r+b", buffering=0)
                self._file.truncate(self.offset)
                self._file.seek(self.offset)
            else:
                self.offset, self.version = 0, version
                # A new file instead of a truncated one: an attempt that was cancelled may still hold the old one.
                _remove(self.part)
                self._file = open(self.part, "xb", buffering=0)
            state = os.fstat(self._file.fileno())
        self._identity = (state.st_dev, state.st_ino)

    def write(self, block: bytes) -> None:
        """Append a block."""
        assert self._file is not None  # begin() was called
        view = memoryview(block)
        with _file_errors("write", self.part):
            while view:
                view = view[self._file.write(view) :]
        self.offset += len(block)

    def finish(self, check: Callable[[], None]) -> None:
        """Put the complete file into its place in one step, unless ``check`` raises at the last moment."""
        assert self._file is not None  # begin() was called
        with _file_errors("write", self.part):
            os.fsync(self._file.fileno())
        check()
        with _file_errors("write", self.path):
            os.replace(self.part, self.path)
            self._close()

    def keep(self) -> None:
        """Leave what is there for the next attempt, if that can tell whether it continues the same content.

        Nothing after `finish` and `discard`.
        """
        if self._file is None:
            return
        if not self.version or not self.offset:
            self.discard()
            return
        note = {"source": self.source, "version": self.version, "size": self.offset}
        try:
            os.fsync(self._file.fileno())
            if self._is_ours():
                with open(self.note, "w", encoding="utf-8") as file:
                    json.dump(note, file)
            self._close()
        except OSError:  # resuming is a convenience: the error that brought us here is the one to tell
            self.discard()

    def discard(self) -> None:
        """Leave nothing of this attempt behind."""
        if self._file is None:
            return
        with contextlib.suppress(OSError):
            if self._is_ours():
                _remove(self.note)
                _remove(self.part)
        self._close()

    def _close(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            with contextlib.suppress(OSError):  # the data was synced, or is not wanted
                file.close()

    def _is_ours(self) -> bool:
        """Is it still our file that has the name, not the one of an attempt that followed a cancelled one?"""
        try:
            state = os.stat(self.part)
        except OSError:
            return False
        return self._identity == (state.st_dev, state.st_ino)

    def _read_note(self) -> tuple[str, int]:
        try:
            with open(self.note, encoding="utf-8") as file:
                note = json.load(file)
            version, size = str(note["version"]), int(note["size"])
            if note["source"] == self.source and version.isprintable() and 0 < size <= os.path.getsize(self.part):
                return version, size
        except (OSError, ValueError, KeyError, TypeError):
            pass  # no note, or none that we wrote
        return "", 0


def _remove(path: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        os.remove(path)
