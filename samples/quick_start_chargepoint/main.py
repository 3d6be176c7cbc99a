"""A charge point that charges on each of its connectors in turn: authorize, start, charge, stop.

Run it beside a central system, for instance the sample ``quick_start_centralsystem``.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

FOLDER = Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER.parent.parent))

from openocpp import (  # noqa: E402
    AuthorizationStatus,
    ChargePointStatus,
    ConfigError,
    DefaultChargePointEventsHandler,
    IChargePoint,
    IniConfig,
    Reason,
    RegistrationStatus,
)
from samples.options import begin, fail, parser, run, say  # noqa: E402

if TYPE_CHECKING:
    from datetime import datetime


class Application(DefaultChargePointEventsHandler):
    """Prints what the charge point tells, and counts energy that nobody delivers."""

    def __init__(self) -> None:
        self.energy = 0  # Wh

    def connection_failed(self, status: RegistrationStatus) -> None:
        say(f"no connection to the central system, last registration: {status}")

    def connection_state_changed(self, is_connected: bool) -> None:
        say("connected to the central system" if is_connected else "disconnected from the central system")

    def boot_notification(self, status: RegistrationStatus, time: datetime) -> None:
        say(f"registration: {status}, the central system's clock says {time:%Y-%m-%d %H:%M:%S} UTC")

    def datetime_received(self, time: datetime) -> None:
        say(f"heartbeat answered, the central system's clock says {time:%Y-%m-%d %H:%M:%S} UTC")

    def get_tx_start_stop_meter_value(self, connector_id: int) -> int:
        self.energy += 100
        return self.energy

    def transaction_de_authorized(self, connector_id: int) -> None:
        say(f"connector {connector_id}: the central system does not accept the transaction")


def charge(charge_point: IChargePoint, connector_id: int, id_tag: str, speed: float) -> None:
    """One charging session on one connector."""
    say(f"connector {connector_id}: asking whether {id_tag} may charge")
    status, parent_id = charge_point.authorize(connector_id, id_tag)
    if status is not AuthorizationStatus.Accepted:
        say(f"connector {connector_id}: {id_tag} is not authorized: {status}")
        return
    say(f"connector {connector_id}: authorized, parent id: {parent_id or 'none'}")
    charge_point.status_notification(connector_id, ChargePointStatus.Preparing)
    time.sleep(1 / speed)
    started = charge_point.start_transaction(connector_id, id_tag)
    if started is AuthorizationStatus.Accepted:
        say(f"connector {connector_id}: transaction {charge_point.transaction_id(connector_id)} started, charging")
        charge_point.status_notification(connector_id, ChargePointStatus.Charging)
        time.sleep(30 / speed)
        charge_point.stop_transaction(connector_id, id_tag, Reason.Local)
        say(f"connector {connector_id}: transaction stopped")
        charge_point.status_notification(connector_id, ChargePointStatus.Finishing)
        time.sleep(1 / speed)
    else:
        say(f"connector {connector_id}: the transaction was not accepted: {started}")
    charge_point.status_notification(connector_id, ChargePointStatus.Available)


def charge_in_turn(charge_point: IChargePoint, connectors: int, id_tag: str, cycles: int, speed: float) -> None:
    while charge_point.registration_status is not RegistrationStatus.Accepted:
        time.sleep(0.1)
    done = 0
    while cycles == 0 or done < cycles:
        for connector_id in range(1, connectors + 1):
            charge(charge_point, connector_id, id_tag, speed)
            time.sleep(10 / speed)
        done += 1
    say(f"{done} cycles done")


def main() -> int:
    options_parser = parser("A charge point that charges on its connectors in turn.", FOLDER)
    options_parser.add_argument("-t", dest="id_tag", default="AABBCCDDEEFF", help="id tag (default: AABBCCDDEEFF)")
    options_parser.add_argument(
        "-d", dest="reset_connectors", action="store_true", help="forget the connectors' states"
    )
    options = options_parser.parse_args()
    begin("Charge point", options)
    try:
        config = IniConfig(options.folder / "quick_start_chargepoint.ini")
        charge_point = IChargePoint.create(config.charge_point, config.ocpp, Application())
    except ConfigError as error:
        return fail(str(error))
    if options.reset_connectors and not charge_point.reset_connector_data():
        return fail("the connectors' states could not be forgotten")
    if options.reset and not charge_point.reset_data():
        return fail("the stored data could not be forgotten")
    with charge_point:
        if not charge_point.start():
            return fail("the charge point could not be started, see the log above")
        charge_in_turn(charge_point, config.ocpp.number_of_connectors, options.id_tag, options.cycles, options.speed)
    return 0


if __name__ == "__main__":
    run(main)
