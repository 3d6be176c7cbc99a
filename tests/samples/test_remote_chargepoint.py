"""The remote controlled sample as a user runs it, at a central system that the test speaks for; and its meters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from openocpp import Measurand, Phase
from openocpp.runtime import Runtime
from openocpp.testing.conversation import ScriptedServer
from samples.demo.main import Program
from samples.remote_chargepoint.meters import MainMeter, Meter, readings
from samples.remote_chargepoint.setpoints import share
from tests.conftest import scaled
from tests.foreign.peers import ForeignCentralSystem, call
from tests.samples.test_chain import Chain, settings
from tests.samples.test_quick_start import run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SAMPLE = "remote_chargepoint"
LIMIT = scaled(20.0)
NOW = "2024-01-01T00:00:00Z"


class Central:
    """A central system that answers everything, notes what matters, and says what is to happen."""

    def __init__(self, runtime: Runtime) -> None:
        self.notes: list[tuple[str, dict[str, Any]]] = []
        accepted = {"idTagInfo": {"status": "Accepted"}}
        boot = {"status": "Accepted", "currentTime": NOW, "interval": 0}
        self.server = ScriptedServer(
            runtime,
            "ws://127.0.0.1:0/openocpp",
            answers={
                "BootNotification": boot,
                "Heartbeat": {"currentTime": NOW},
                "Authorize": accepted,
                "StartTransaction": self._noting("StartTransaction", {**accepted, "transactionId": 7}),
                "StopTransaction": self._noting("StopTransaction", {}),
                "MeterValues": self._noting("MeterValues", {}),
                "StatusNotification": {},
                "SecurityEventNotification": {},
            },
        )

    def _noting(self, action: str, answer: dict[str, Any]) -> Any:
        def noted(payload: dict[str, Any]) -> dict[str, Any]:
            self.notes.append((action, payload))
            return answer

        return noted

    def of(self, action: str) -> list[dict[str, Any]]:
        return [payload for name, payload in self.notes if name == action]


@pytest.fixture
def runtime() -> Iterator[Runtime]:
    with Runtime() as made:
        yield made


def profile(amps: float) -> dict[str, Any]:
    schedule = {"chargingRateUnit": "A", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": amps}]}
    return {
        "connectorId": 1,
        "csChargingProfiles": {
            "chargingProfileId": 1,
            "stackLevel": 1,
            "chargingProfilePurpose": "TxProfile",
            "chargingProfileKind": "Relative",
            "chargingSchedule": schedule,
        },
    }


def test_a_transaction_is_started_limited_and_stopped_from_afar(runtime: Runtime, tmp_path: Path) -> None:
    central = Central(runtime)
    home = settings(
        tmp_path / "home",
        SAMPLE,
        ConnexionUrl=f"ws://127.0.0.1:{central.server.port}/openocpp/",
        MeterValueSampleInterval="1",
        MinimumStatusDuration="0",
        WebSocketPingInterval="0",
    )
    program = Program("remote", SAMPLE, home, "--speed", "4", "--cycles", "1", "-c", "20")
    try:
        peer = central.server.accept(LIMIT)
        assert program.wait_for("registration: Accepted", LIMIT)
        peer.call("RemoteStartTransaction", {"idTag": "TAG"}).result({"status": "Rejected"})
        peer.call("RemoteStartTransaction", {"idTag": "TAG", "connectorId": 1}).result({"status": "Accepted"})
        assert program.wait_for("connector 1: transaction 7 started", LIMIT)
        assert program.wait_for("connector 1: 20.0 A", LIMIT)  # what the station allows itself
        for amps in (10.0, 0.0, 12.5):
            peer.call("SetChargingProfile", profile(amps)).result({"status": "Accepted"})
            assert program.wait_for(f"connector 1: {amps:.1f} A", LIMIT)
        peer.call("RemoteStopTransaction", {"transactionId": 7}).result({"status": "Accepted"})
        assert program.wait_for("1 transactions done", LIMIT)
        peer.expect_closed(1000, LIMIT)
        assert program.process.wait(LIMIT) == 0  # it ends by itself
    finally:
        program.end()
    (stop,) = central.of("StopTransaction")
    assert stop["reason"] == "Remote"
    assert stop["meterStop"] >= central.of("StartTransaction")[0]["meterStart"]


def limited_to(amps: float) -> Any:
    """A TxProfile of the running transaction, as the foreign central system writes it."""
    return call.SetChargingProfile(
        connector_id=1,
        cs_charging_profiles={
            "charging_profile_id": 1,
            "transaction_id": 7001,
            "stack_level": 0,
            "charging_profile_purpose": "TxProfile",
            "charging_profile_kind": "Relative",
            "charging_schedule": {
                "charging_rate_unit": "A",
                "charging_schedule_period": [{"start_period": 0, "limit": amps}],
            },
        },
    )


def test_at_a_foreign_central_system(tmp_path: Path) -> None:
    """Started from afar it draws what it may, then what a profile leaves it, and is stopped from afar."""
    central = ForeignCentralSystem()
    home = settings(
        tmp_path / "home",
        SAMPLE,
        ConnexionUrl=f"ws://127.0.0.1:{central.port}/openocpp/",
        MeterValueSampleInterval="1",
        MinimumStatusDuration="0",
    )
    program = Program("remote", SAMPLE, home, "--speed", "2", "--cycles", "1")

    def statuses() -> list[str]:
        return [fields["status"] for fields in central.of("StatusNotification") if fields["connector_id"] == 1]

    def currents() -> list[str]:
        """Of each phase, in the meter values of the transaction that have come."""
        values = [fields["meter_value"][0]["sampled_value"] for fields in central.of("MeterValues")]
        return [one["value"] for value in values for one in value if one.get("measurand") == "Current.Import"]

    def draws(amps: str) -> bool:
        return currents()[-3:] == [amps] * 3

    try:
        assert program.wait_for("registration: Accepted", LIMIT)
        assert central.ask(call.RemoteStartTransaction(id_tag="TAG", connector_id=1)).status == "Accepted"
        central.wait_until(lambda: draws("32"))
        assert central.ask(limited_to(10.0)).status == "Accepted"
        central.wait_until(lambda: draws("10"))
        assert central.ask(limited_to(0.0)).status == "Accepted"
        central.wait_until(lambda: draws("0") and statuses()[-1] == "SuspendedEVSE")
        assert central.ask(call.RemoteStopTransaction(transaction_id=7001)).status == "Accepted"
        assert program.process.wait(LIMIT) == 0  # after the one cycle
    finally:
        program.end()
        central.stop()
    assert central.of("StartTransaction")[0]["id_tag"] == "TAG"
    (stop,) = central.of("StopTransaction")
    assert (stop["reason"], stop.get("id_tag")) == ("Remote", None)
    assert statuses()[:6] == ["Available", "Preparing", "SuspendedEVSE", "Charging", "SuspendedEVSE", "Finishing"]


def test_at_the_quick_start_central_system(tmp_path: Path) -> None:
    """It answers what that one asks for; nobody starts a transaction there."""
    chain = Chain(tmp_path)
    try:
        central = chain.start("quick_start_centralsystem", "--speed", "4", ListenUrl=chain.above)
        chain.expect(central, "listening on")
        station = chain.start(SAMPLE, ConnexionUrl=chain.above)
        chain.expect(station, "registration: Accepted")
        name = "[ChargePointTest]"
        chain.expect(
            central,
            f"{name} BootNotification: Open OCPP", f"{name} StatusNotification: connector 2 is Available",
            f"{name}   NumberOfConnectors = 2 (read-only)", f"{name} HeartbeatInterval = 10: Accepted",
            f"{name} trigger MeterValues: Accepted", f"{name} MeterValues: connector 0", f"{name} Heartbeat",
        )  # fmt: skip
        assert not any("] StartTransaction" in line for line in central.printed)
    finally:
        codes = chain.end()
    assert codes == [0, 0]


@pytest.mark.parametrize("option", ["-h", "--nonsense"])
def test_help_and_unknown_options(option: str) -> None:
    ended = run(SAMPLE, option)
    assert ended.returncode == (0 if option == "-h" else 1)
    assert "--cycles" in ended.stdout + ended.stderr


def test_meters() -> None:
    """A current of 10 A on three phases of 230 V for an hour, in steps of half a second."""
    first, second = Meter(), Meter()
    whole = MainMeter([first, second])
    first.current, second.current = 10.0, 6.0
    for _ in range(7200):
        first.count(0.5)
    assert (first.power, first.energy, whole.energy, whole.current, whole.power) == (2300, 6900, 6900, 16, 3680)
    values = readings(first, Measurand.PowerActiveImport, None, 0)
    assert values is not None
    assert [(one.value, one.phase, one.unit) for one in values] == [
        ("2300", Phase.L1, "W"),
        ("2300", Phase.L2, "W"),
        ("2300", Phase.L3, "W"),
    ]
    (energy,) = readings(whole, Measurand.EnergyActiveImportRegister, None, 0) or []
    assert (energy.value, energy.phase, energy.unit) == ("6900", None, "Wh")
    (one,) = readings(first, Measurand.CurrentImport, Phase.L2, 0) or []
    assert (one.value, one.phase) == ("10", Phase.L2)
    (offered,) = readings(whole, Measurand.CurrentOffered, None, 8.1) or []
    assert offered.value == "8.1"
    assert readings(whole, Measurand.Voltage, None, 0) is None
    assert readings(first, Measurand.Temperature, None, 0) is None


@pytest.mark.parametrize(
    ("wanted", "limit", "given"),
    [
        ({}, 32, {}),
        ({1: 32}, 20, {1: 20}),
        ({1: 16, 2: 16}, 40, {1: 16, 2: 16}),
        ({1: 32, 2: 32}, 40, {1: 20, 2: 20}),
        ({1: 32, 2: 2}, 10, {1: 8, 2: 2}),
        ({1: 32, 2: 0}, 10, {1: 10, 2: 0}),
    ],
)
def test_sharing(wanted: dict[int, float], limit: float, given: dict[int, float]) -> None:
    assert share(wanted, limit) == given
