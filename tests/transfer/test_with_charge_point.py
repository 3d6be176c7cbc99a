"""The ready file transfer in a charge point, as the documentation has it, over real sockets."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Any

import pytest

from openocpp import ChargePointConfig, DefaultChargePointEventsHandler, IChargePoint, MemoryOcppConfig
from openocpp.runtime import Runtime
from openocpp.testing.conversation import ScriptedServer
from openocpp.transfer import FileTransfer
from tests.conftest import scaled
from tests.transfer.servers import CONTENT, PASSWORD, USERINFO, FtpSite, WebServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

    from openocpp.testing.conversation import ScriptedPeer
    from openocpp.types import UploadLogStatusEnumType

NOW = "2024-01-01T00:00:00Z"
PAST = "2020-01-01T00:00:00Z"
LIMIT = scaled(20.0)


class Handler(DefaultChargePointEventsHandler):
    """``install_firmware`` notes what it was given."""

    def __init__(self, firmware: Path, diagnostics: Path) -> None:
        self.begun = threading.Event()
        self.installed = threading.Event()
        self.firmware = firmware
        self.diagnostics = diagnostics
        self.content = b""
        self.transfer = FileTransfer(progress=lambda done, _total: self.begun.set() if done else None)

    def get_tx_start_stop_meter_value(self, connector_id: int) -> int:
        return 0

    def get_diagnostics(self, start: datetime | None, stop: datetime | None) -> str:
        return str(self.diagnostics)

    def upload_file(self, path: str, url: str) -> bool | UploadLogStatusEnumType:
        return self.transfer.upload(path, url)

    def update_firmware_requested(self) -> str:
        return str(self.firmware)

    def download_file(self, url: str, path: str) -> bool:
        return self.transfer.download(url, path)

    def install_firmware(self, path: str) -> None:
        self.content = self.firmware.read_bytes()
        self.installed.set()


@pytest.fixture
def runtime() -> Iterator[Runtime]:
    with Runtime() as made:
        yield made


@pytest.fixture
def handler(tmp_path: Path, log_file: Path) -> Handler:
    return Handler(tmp_path / "firmware.bin", log_file)


@pytest.fixture
def peer(runtime: Runtime, handler: Handler) -> Iterator[ScriptedPeer]:
    """The central system's side of a charge point that is accepted."""
    boot = {"status": "Accepted", "currentTime": NOW, "interval": 0}
    answers: dict[str, Any] = {"BootNotification": boot, "StatusNotification": {}, "SecurityEventNotification": {}}
    server = ScriptedServer(runtime, "ws://127.0.0.1:0/ocpp", answers=answers)
    config = ChargePointConfig(
        connexion_url=f"ws://127.0.0.1:{server.port}/ocpp",
        charge_point_identifier="CP1",
        charge_point_vendor="Vendor",
        charge_point_model="Model",
        database_path="",
    )
    keys = MemoryOcppConfig({"SupportedFeatureProfiles": "Core,FirmwareManagement", "HeartbeatInterval": 0})
    charge_point = IChargePoint.create(config, keys, handler, runtime)
    assert charge_point.start()
    try:
        yield server.accept(LIMIT)
    finally:
        handler.transfer.cancel()
        charge_point.stop()


def told(peer: ScriptedPeer, action: str, *statuses: str) -> None:
    for status in statuses:
        peer.expect_call(action, {"status": status}, LIMIT).answer()


def test_diagnostics_go_up(
    peer: ScriptedPeer, ftp: FtpSite, remote: Path, log_file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The password is in no line of the log, not even of the frames."""
    with caplog.at_level(logging.DEBUG):
        peer.call("GetDiagnostics", {"location": ftp.url("/")}).result({"fileName": log_file.name}, LIMIT)
        told(peer, "DiagnosticsStatusNotification", "Uploading", "Uploaded")
    assert (remote / log_file.name).read_bytes() == CONTENT
    assert "GetDiagnostics" in caplog.text
    assert USERINFO.split(":")[0] in caplog.text
    assert PASSWORD not in caplog.text
    assert USERINFO.split(":")[1] not in caplog.text


def test_a_newer_firmware_takes_the_place_of_one_that_is_fetched(
    peer: ScriptedPeer, web: WebServer, handler: Handler
) -> None:
    """The application has one path for both, and is not told of the change."""
    web.stall_at, web.headers = 100_000, {"ETag": '"v1"'}
    peer.call("UpdateFirmware", {"location": web.url("/old.bin"), "retrieveDate": PAST}).result({}, LIMIT)
    told(peer, "FirmwareStatusNotification", "Downloading")
    assert handler.begun.wait(LIMIT)
    web.stall_at, web.content = None, CONTENT[::-1]
    peer.call("UpdateFirmware", {"location": web.url("/new.bin"), "retrieveDate": PAST}).result({}, LIMIT)
    told(peer, "FirmwareStatusNotification", "Downloading", "Downloaded", "Installing")
    assert handler.installed.wait(LIMIT)
    assert handler.content == CONTENT[::-1]
    assert [request.path for request in web.requests] == ["/old.bin", "/new.bin"]
