"""A central system that accepts everybody, and gives each charge point a round of commands every ten seconds.

Run it beside a charge point, for instance the sample ``quick_start_chargepoint``.
"""

from __future__ import annotations

import itertools
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

FOLDER = Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER.parent.parent))

from openocpp import (  # noqa: E402
    AuthorizationStatus,
    ConfigError,
    DefaultCentralSystemEventsHandler,
    DefaultChargePointRequestHandler,
    ICentralSystem,
    IdTagInfo,
    IniConfig,
    MessageTrigger,
    RegistrationStatus,
    StartTransactionResult,
)
from samples.options import begin, fail, parser, run, say  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Sequence

    from openocpp import ChargePointErrorCode, ChargePointStatus, MeterValue, Reason

transaction_ids = itertools.count(1)


def accepted() -> IdTagInfo:
    return IdTagInfo(status=AuthorizationStatus.Accepted, expiry_date=datetime.now(UTC) + timedelta(hours=1))


class Requests(DefaultChargePointRequestHandler):
    """Accepts and prints everything that one charge point sends."""

    def __init__(self, identifier: str) -> None:
        self.name = f"[{identifier}]"

    def disconnected(self) -> None:
        say(f"{self.name} disconnected")

    def heartbeat(self) -> None:
        say(f"{self.name} Heartbeat")

    def authorize(self, id_tag: str) -> IdTagInfo:
        say(f"{self.name} Authorize: {id_tag}")
        return accepted()

    def boot_notification(
        self, model: str, serial_number: str, vendor: str, firmware_version: str, *others: str
    ) -> RegistrationStatus:
        say(f"{self.name} BootNotification: {vendor} {model}, serial {serial_number}, firmware {firmware_version}")
        return RegistrationStatus.Accepted

    def meter_values(self, connector_id: int, transaction_id: int | None, meter_values: Sequence[MeterValue]) -> None:
        say(f"{self.name} MeterValues: connector {connector_id}, transaction {transaction_id}: {len(meter_values)}")

    def start_transaction(
        self, connector_id: int, id_tag: str, meter_start: int, reservation_id: int | None, timestamp: datetime
    ) -> StartTransactionResult:
        transaction_id = next(transaction_ids)
        say(f"{self.name} StartTransaction: connector {connector_id}, {id_tag}, {meter_start} Wh -> {transaction_id}")
        return StartTransactionResult(accepted(), transaction_id)

    def stop_transaction(
        self, id_tag: str, meter_stop: int, timestamp: datetime, transaction_id: int, reason: Reason, *data: object
    ) -> IdTagInfo | None:
        """``data``: the readings of the transaction, if it has some."""
        say(f"{self.name} StopTransaction: transaction {transaction_id}, {meter_stop} Wh, reason {reason}")
        return accepted() if id_tag else None

    def status_notification(
        self, connector_id: int, error_code: ChargePointErrorCode, info: str, status: ChargePointStatus, *others: object
    ) -> None:
        """``others``: the time, and what the vendor has to add."""
        say(f"{self.name} StatusNotification: connector {connector_id} is {status}, {error_code}")


class Application(DefaultCentralSystemEventsHandler):
    """Lets everybody in."""

    def client_failed_to_connect(self, ip_address: str) -> None:
        say(f"a client at {ip_address} did not get in")

    def check_credentials(self, identifier: str, password: bytes) -> bool:
        return True

    def charge_point_connected(self, charge_point: ICentralSystem.IChargePoint) -> None:
        say(f"[{charge_point.identifier}] connected from {charge_point.ip_address}")
        charge_point.register_handler(Requests(charge_point.identifier))


def command(charge_point: ICentralSystem.IChargePoint) -> None:
    """Read the configuration, change a key, ask for messages."""
    name = charge_point.identifier
    say(f"----- {name} -----")
    configuration = charge_point.get_configuration()
    for entry in configuration.values if configuration else []:
        say(f"[{name}]   {entry.key} = {entry.value or ''}{' (read-only)' if entry.readonly else ''}")
    say(f"[{name}] HeartbeatInterval = 10: {charge_point.change_configuration('HeartbeatInterval', '10')}")
    say(f"[{name}] trigger StatusNotification: {charge_point.trigger_message(MessageTrigger.StatusNotification)}")
    say(f"[{name}] trigger MeterValues: {charge_point.trigger_message(MessageTrigger.MeterValues, 0)}")
    say(f"[{name}] trigger Heartbeat: {charge_point.trigger_message(MessageTrigger.Heartbeat)}")


def command_all(central_system: ICentralSystem, cycles: int, speed: float) -> None:
    done = 0
    while cycles == 0 or done < cycles:
        while not central_system.charge_points:
            time.sleep(0.25)
        time.sleep(1 / speed)
        for charge_point in central_system.charge_points:
            command(charge_point)
        done += 1
        time.sleep(10 / speed)
    say(f"{done} rounds done")


def main() -> int:
    options = parser("A central system that accepts everybody.", FOLDER).parse_args()
    begin("Central system", options)
    try:
        config = IniConfig(options.folder / "quick_start_centralsystem.ini").central_system
        central_system = ICentralSystem.create(config, Application())
    except ConfigError as error:
        return fail(str(error))
    if options.reset and not central_system.reset_data():
        return fail("the stored data could not be forgotten")
    with central_system:
        if not central_system.start():
            return fail("the central system could not be started, see the log above")
        say(f"listening on {config.listen_url}")
        command_all(central_system, options.cycles, options.speed)
    return 0


if __name__ == "__main__":
    run(main)
