"""The local files of a transfer."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest

from openocpp.transfer import TransferError, TransferFailure
from openocpp.transfer.files import Partial, Source
from openocpp.transfer.job import BLOCK

if TYPE_CHECKING:
    from pathlib import Path


def nothing() -> None:
    """A check that finds nothing."""


# --- sent -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("offset", [0, 1, BLOCK, BLOCK * 2 + 5])
def test_the_blocks_of_a_file(offset: int, tmp_path: Path) -> None:
    content = os.urandom(BLOCK * 2 + 5)
    (tmp_path / "log").write_bytes(content)
    source = Source(str(tmp_path / "log"))
    assert b"".join(source.blocks(offset)) == content[offset:]
    source.close()


def test_a_file_that_grows_is_sent_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes(b"before")
    source = Source(str(tmp_path / "log"))
    with (tmp_path / "log").open("ab") as file:
        file.write(b" and after")
    assert list(source.blocks()) == [b"before"]
    source.close()


def test_a_file_that_shrinks_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes(b"before")
    source = Source(str(tmp_path / "log"))
    os.truncate(tmp_path / "log", 3)
    with pytest.raises(TransferError, match="shorter") as caught:
        list(source.blocks())
    assert caught.value.reason is TransferFailure.FILE
    source.close()


def test_only_files_are_sent(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "pipe", tmp_path / "absent"):
        with pytest.raises(TransferError) as caught:
            Source(str(path))
        assert caught.value.reason is TransferFailure.FILE


# --- received -------------------------------------------------------------------------------------------------------


def begun(tmp_path: Path, content: bytes = b"", version: str = '"v1"') -> Partial:
    partial = Partial(str(tmp_path / "fw"), "here", resume=True)
    partial.begin(resumed=False, version=version)
    partial.write(content)
    return partial


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_a_file_gets_its_name_when_it_is_complete(tmp_path: Path) -> None:
    partial = begun(tmp_path, b"one ")
    partial.write(b"two")
    assert names(tmp_path) == {"fw.part"}
    partial.finish(nothing)
    partial.keep()
    assert names(tmp_path) == {"fw"}
    assert (tmp_path / "fw").read_bytes() == b"one two"


def test_what_is_kept_is_continued(tmp_path: Path) -> None:
    begun(tmp_path, b"one ").keep()
    (tmp_path / "fw.part").write_bytes(b"one and what was never synced")
    partial = Partial(str(tmp_path / "fw"), "here", resume=True)
    assert (partial.offset, partial.version) == (4, '"v1"')
    assert names(tmp_path) == {"fw.part", "fw.part.json"}
    partial.begin(resumed=True)
    assert names(tmp_path) == {"fw.part"}  # what is written now is not safe yet
    partial.write(b"two")
    partial.finish(nothing)
    assert (tmp_path / "fw").read_bytes() == b"one two"


def test_a_new_beginning_forgets_the_old_one(tmp_path: Path) -> None:
    begun(tmp_path, b"one ").keep()
    partial = Partial(str(tmp_path / "fw"), "here", resume=True)
    partial.begin(resumed=False, version='"v2"')
    assert (partial.offset, partial.version) == (0, '"v2"')
    partial.write(b"x")
    partial.keep()
    assert json.loads((tmp_path / "fw.part.json").read_text()) == {"source": "here", "version": '"v2"', "size": 1}


@pytest.mark.parametrize(("content", "version"), [(b"", '"v1"'), (b"one", "")])
def test_what_is_of_no_use_is_not_kept(content: bytes, version: str, tmp_path: Path) -> None:
    begun(tmp_path, content, version).keep()
    assert names(tmp_path) == set()


def test_nothing_changes_before_the_beginning(tmp_path: Path) -> None:
    begun(tmp_path, b"one ").keep()
    partial = Partial(str(tmp_path / "fw"), "elsewhere", resume=True)
    partial.keep()
    partial.discard()
    assert names(tmp_path) == {"fw.part", "fw.part.json"}


@pytest.mark.parametrize(
    "note",
    [
        "",
        "[]",
        "{}",
        '{"source": "elsewhere", "version": "v", "size": 2}',
        '{"source": "here", "version": "v", "size": 5}',
        '{"source": "here", "version": "v", "size": 0}',
        '{"source": "here", "version": "v", "size": -1}',
        '{"source": "here", "version": "v", "size": "many"}',
        '{"source": "here", "version": "v\\nX-Header: y", "size": 2}',
        '{"source": "here", "version": "v", "size": null}',
        "\ud800",
    ],
)
def test_notes_that_are_not_believed(note: str, tmp_path: Path) -> None:
    (tmp_path / "fw.part").write_bytes(b"four")
    (tmp_path / "fw.part.json").write_bytes(note.encode(errors="surrogatepass"))
    partial = Partial(str(tmp_path / "fw"), "here", resume=True)
    assert (partial.offset, partial.version) == (0, "")


def test_the_last_check_can_refuse(tmp_path: Path) -> None:
    def refuse() -> None:
        raise TransferError(TransferFailure.CANCELLED, "no")

    partial = begun(tmp_path, b"all of it")
    with pytest.raises(TransferError):
        partial.finish(refuse)
    partial.keep()
    assert names(tmp_path) == {"fw.part", "fw.part.json"}


@pytest.mark.parametrize("end", [Partial.keep, Partial.discard])
def test_an_attempt_that_was_followed_leaves_its_follower_alone(end: object, tmp_path: Path) -> None:
    cancelled = begun(tmp_path, b"old content")
    follower = begun(tmp_path, b"new ")
    assert callable(end)
    end(cancelled)
    assert names(tmp_path) == {"fw.part"}
    follower.write(b"content")
    late = begun(tmp_path, b"late")
    follower.discard()  # the name has another owner once more
    late.finish(nothing)
    assert (tmp_path / "fw").read_bytes() == b"late"


@pytest.mark.parametrize("end", [Partial.keep, Partial.discard])
def test_an_attempt_whose_follower_has_finished_changes_nothing(end: object, tmp_path: Path) -> None:
    cancelled = begun(tmp_path, b"old content")
    begun(tmp_path, b"new content").finish(nothing)
    assert callable(end)
    end(cancelled)
    assert names(tmp_path) == {"fw"}
    assert (tmp_path / "fw").read_bytes() == b"new content"


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "fw.part").mkdir()
    with pytest.raises(TransferError) as caught:
        begun(tmp_path)
    assert caught.value.reason is TransferFailure.FILE
    (tmp_path / "fw.part").rmdir()
    (tmp_path / "fw").mkdir()
    partial = begun(tmp_path, b"x")
    with pytest.raises(TransferError, match=r"fw'") as caught:
        partial.finish(nothing)
    assert caught.value.reason is TransferFailure.FILE
    partial.discard()
    assert names(tmp_path) == {"fw"}


def test_a_note_that_cannot_be_written_is_done_without(tmp_path: Path) -> None:
    partial = begun(tmp_path, b"one")
    (tmp_path / "fw.part.json").mkdir()
    partial.keep()
    assert "fw.part" not in names(tmp_path) or not (tmp_path / "fw.part.json").is_file()
