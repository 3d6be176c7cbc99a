"""Servers and certificates for the tests of the file transfer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.transfer.servers import CONTENT, FtpSite, Identity, WebServer, ftp_server, make_identity, web_server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="session")
def identity(tmp_path_factory: pytest.TempPathFactory) -> Identity:
    """The certificate of the servers."""
    return make_identity(tmp_path_factory.mktemp("tls"), "server")


@pytest.fixture
def web() -> Iterator[WebServer]:
    with web_server() as site:
        yield site


@pytest.fixture
def web_tls(identity: Identity) -> Iterator[WebServer]:
    with web_server(identity) as site:
        yield site


@pytest.fixture
def remote(tmp_path: Path) -> Path:
    """The folder of the FTP servers, with a firmware in it."""
    folder = tmp_path / "remote"
    folder.mkdir()
    (folder / "fw.bin").write_bytes(CONTENT)
    return folder


@pytest.fixture
def ftp(remote: Path) -> Iterator[FtpSite]:
    with ftp_server(remote) as site:
        yield site


@pytest.fixture
def ftps(remote: Path, identity: Identity) -> Iterator[FtpSite]:
    with ftp_server(remote, identity) as site:
        yield site


@pytest.fixture
def log_file(tmp_path: Path) -> Path:
    """A file to upload."""
    path = tmp_path / "security log.csv"
    path.write_bytes(CONTENT)
    return path
