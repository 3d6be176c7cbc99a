"""The code in docs/central_system.rst and docs/local_controller.rst does what the pages say."""

from __future__ import annotations

import logging
import re
from pathlib import Path
from textwrap import dedent
from typing import TYPE_CHECKING, Any

import pytest

from openocpp import CentralSystemConfig, ICentralSystem, ILocalController, LocalControllerConfig
from openocpp.errors import ConnectError
from openocpp.testing import SimulatedRuntime
from openocpp.testing.conversation import ScriptedPeer, ScriptedServer

if TYPE_CHECKING:
    from collections.abc import Iterator

DOCS = Path(__file__).resolve().parent.parent / "docs"
URL, CENTRAL = "ws://localhost:9000/ocpp", "ws://central:8080/ocpp"
BOOT = {"chargePointVendor": "V", "chargePointModel": "M"}
STATUS = {"connectorId": 1, "errorCode": "NoError", "status": "Available"}


@pytest.fixture
def sim() -> Iterator[SimulatedRuntime]:
    with SimulatedRuntime() as runtime:
        yield runtime


def code_of(*pages: str) -> dict[str, Any]:
    """What the code blocks of these pages define, one after the other."""
    names: dict[str, Any] = {}
    for page in pages:
        text = (DOCS / f"{page}.rst").read_text(encoding="utf-8")
        for block in re.findall(r"\.\. code-block:: python\n\n((?:    .*\n|\n)+)", text):
            exec(compile(dedent(block), page, "exec"), names)
    return names


@pytest.fixture
def log_level() -> Iterator[None]:
    """As it was: one page sets it."""
    log = logging.getLogger("openocpp")
    before = log.level
    yield
    log.setLevel(before)


@pytest.mark.usefixtures("log_level")
def test_the_central_system_of_the_page(sim: SimulatedRuntime, capsys: pytest.CaptureFixture[str]) -> None:
    page = code_of("central_system")
    assert logging.getLogger("openocpp").level == logging.INFO
    with ICentralSystem.create(CentralSystemConfig(listen_url=URL), page["Application"](), sim) as central_system:
        assert central_system.start()
        with pytest.raises(ConnectError, match="404"):
            ScriptedPeer.connect(sim, URL, "XP1")
        peer = ScriptedPeer.connect(sim, URL, "CP1")
        peer.call("BootNotification", BOOT).result({"status": "Accepted"})
        peer.call("Authorize", {"idTag": "A"}).result({"idTagInfo": {"status": "Accepted"}})
        peer.call("StatusNotification", STATUS).result({})
        reading = sim.user(lambda: page["read_all"](central_system))
        peer.expect_call("GetConfiguration", {"key": ["HeartbeatInterval"]}).refuse("InternalError", "not now")
        reading.result()
        peer.close()
        sim.sleep(1)
    assert capsys.readouterr().out.splitlines() == [
        "CP1 1 Available", "CP1 refused InternalError not now", "CP1 has gone",
    ]  # fmt: skip


@pytest.mark.usefixtures("log_level")
def test_both_pages_make_what_they_say() -> None:
    with code_of("central_system")["make"]("ws://127.0.0.1:0/ocpp") as central_system:
        assert central_system.start()
    with code_of("local_controller")["make"]("ws://127.0.0.1:0/ocpp", CENTRAL) as local_controller:
        assert local_controller.start()


def test_the_local_controller_of_the_page(sim: SimulatedRuntime, capsys: pytest.CaptureFixture[str]) -> None:
    page = code_of("local_controller")
    server = ScriptedServer(sim, CENTRAL)
    config = LocalControllerConfig(listen_url=URL)
    with ILocalController.create(config, page["Application"](CENTRAL), sim) as local_controller:
        assert local_controller.start()
        charge_point = ScriptedPeer.connect(sim, URL, "CP1")
        central_system = server.accept()
        boot = charge_point.call("BootNotification", BOOT)
        central_system.expect_call("BootNotification", BOOT).refuse("InternalError")
        boot.error("InternalError")
        central_system.call("RemoteStartTransaction", {"connectorId": 2, "idTag": "A"}).result({"status": "Rejected"})
        charge_point.expect_nothing(1)
        start = central_system.call("RemoteStartTransaction", {"connectorId": 1, "idTag": "A"})
        charge_point.expect_call("RemoteStartTransaction").answer({"status": "Accepted"})
        start.result({"status": "Accepted"})
        start = central_system.call("RemoteStartTransaction", {"connectorId": 1, "idTag": "A"})
        charge_point.expect_call("RemoteStartTransaction").refuse("InternalError", "broken")
        assert start.error("InternalError")[1] == "broken"
    server.close()
    assert capsys.readouterr().out == "CP1 has its central system\n"


@pytest.mark.usefixtures("log_level")
def test_the_hybrid_of_the_page(sim: SimulatedRuntime) -> None:
    page = code_of("central_system", "local_controller")
    server = ScriptedServer(sim, CENTRAL)
    config = LocalControllerConfig(listen_url=URL)
    with ICentralSystem.create(config, page["Hybrid"](config, CENTRAL), sim) as hybrid:
        assert hybrid.start()
        ScriptedPeer.connect(sim, URL, "CP1").call("BootNotification", BOOT).result({"status": "Accepted"})
        passed_on = ScriptedPeer.connect(sim, URL, "CP2lc").call("BootNotification", BOOT)
        server.accept().expect_call("BootNotification", BOOT).refuse("SecurityError")
        passed_on.error("SecurityError")
    server.close()
