"""A charge point that the central system starts and stops, and whose current follows its charging profiles.

Run it beside a central system that can send RemoteStartTransaction, SetChargingProfile and RemoteStopTransaction.
One transaction runs at a time.
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
    UnlockStatus,
)
from samples.options import begin, fail, parser, run, say  # noqa: E402
from samples.remote_chargepoint.meters import MainMeter, Meter, readings, share  # noqa: E402

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence
    from datetime import datetime

    from openocpp import IOcppConfig, Measurand, Phase, SampledValue

CHARGING = (ChargePointStatus.Charging, ChargePointStatus.SuspendedEV, ChargePointStatus.SuspendedEVSE)
METER_TICK = 0.5  # seconds
LONGEST = 60.0  # seconds of one transaction


class Application(DefaultChargePointEventsHandler):
    """Notes what the central system wants, and reads the meters."""

    def __init__(self, connectors: int) -> None:
        self.meters = [Meter() for _ in range(connectors)]
        self.main_meter = MainMeter(self.meters)
        self.offered = dict.fromkeys(range(connectors + 1), 0.0)  # A, by connector
        self.wanted: tuple[int, str] | None = None  # a remote start: connector and id tag
        self.to_stop: set[int] = set()

    def connection_state_changed(self, is_connected: bool) -> None:
        say("connected to the central system" if is_connected else "disconnected from the central system")

    def boot_notification(self, status: RegistrationStatus, time: datetime) -> None:
        say(f"registration: {status}")

    def reservation_started(self, connector_id: int) -> None:
        say(f"connector {connector_id}: reserved")

    def reservation_ended(self, connector_id: int, canceled: bool) -> None:
        say(f"connector {connector_id}: the reservation {'was given up' if canceled else 'has expired'}")

    def remote_start_transaction_requested(self, connector_id: int, id_tag: str) -> bool:
        say(f"connector {connector_id}: a remote start of {id_tag}")
        if not 1 <= connector_id <= len(self.meters):
            return False
        self.wanted = (connector_id, id_tag)
        return True

    def remote_stop_transaction_requested(self, connector_id: int) -> bool:
        say(f"connector {connector_id}: a remote stop")
        self.to_stop.add(connector_id)
        return True

    def unlock_connector_requested(self, connector_id: int) -> UnlockStatus:
        return UnlockStatus.Unlocked

    def transaction_de_authorized(self, connector_id: int) -> None:
        say(f"connector {connector_id}: the central system does not accept the transaction")

    def get_tx_start_stop_meter_value(self, connector_id: int) -> int:
        return self.meters[connector_id - 1].energy

    def get_meter_value(
        self, connector_id: int, measurand: Measurand, phase: Phase | None
    ) -> Sequence[SampledValue] | None:
        meter = self.meters[connector_id - 1] if connector_id else self.main_meter
        return readings(meter, measurand, phase, self.offered[connector_id])


class Program:
    """The charge point, what it may draw, and its transactions one after the other."""

    def __init__(
        self, charge_point: IChargePoint, keys: IOcppConfig, application: Application, options: argparse.Namespace
    ) -> None:
        self.charge_point = charge_point
        self.keys = keys
        self.application = application
        self.options = options
        self.connectors = range(1, len(application.meters) + 1)

    def run(self) -> None:
        speed = self.options.speed
        runtime = self.charge_point.runtime
        runtime.call_every(METER_TICK / speed, self.count)
        runtime.call_every(1 / speed, self.follow_profiles)
        while self.charge_point.registration_status is not RegistrationStatus.Accepted:
            time.sleep(0.1)
        done = 0
        while self.options.cycles == 0 or done < self.options.cycles:
            if self.one_transaction():
                done += 1
        say(f"{done} transactions done")

    def count(self) -> None:
        for meter in self.application.meters:
            meter.count(METER_TICK)

    def follow_profiles(self) -> None:
        """Each connector's limit: its own, that of its profiles, and its share of what the charge point may draw."""
        whole = float(self.options.whole)
        wanted: dict[int, float] = {}
        for connector_id in self.connectors:
            found = self.charge_point.get_setpoint(connector_id)
            if found is not None and found.charge_point is not None:
                whole = min(whole, found.charge_point.value)
            if self.charge_point.get_connector_status(connector_id) in CHARGING:
                own = float(self.options.each)
                profile = None if found is None else found.connector
                wanted[connector_id] = own if profile is None else min(own, profile.value)
        given = share(wanted, whole)
        self.application.offered = {0: whole, **{number: given.get(number, 0.0) for number in self.connectors}}

    def one_transaction(self) -> bool:
        """False: nobody has asked for one."""
        application = self.application
        for connector_id in self.connectors:  # after a loss of power
            if self.charge_point.get_connector_status(connector_id) in CHARGING:
                self.charge(connector_id, "")
                return True
        if application.wanted is None:
            time.sleep(0.1 / self.options.speed)
            return False
        (connector_id, id_tag), application.wanted = application.wanted, None
        application.to_stop.discard(connector_id)  # of an earlier transaction
        self.charge_point.status_notification(connector_id, ChargePointStatus.Preparing)
        if self.may_start(connector_id, id_tag):
            self.charge_point.status_notification(connector_id, ChargePointStatus.SuspendedEVSE)
            say(f"connector {connector_id}: transaction {self.charge_point.transaction_id(connector_id)} started")
            self.charge(connector_id, id_tag)
        self.charge_point.status_notification(connector_id, ChargePointStatus.Available)
        return True

    def may_start(self, connector_id: int, id_tag: str) -> bool:
        status = AuthorizationStatus.Accepted
        if self.keys.authorize_remote_tx_requests:
            status = self.charge_point.authorize(connector_id, id_tag).status
        if status is AuthorizationStatus.Accepted:
            status = self.charge_point.start_transaction(connector_id, id_tag)
        if status is not AuthorizationStatus.Accepted:
            say(f"connector {connector_id}: {id_tag} is not accepted: {status}")
        return status is AuthorizationStatus.Accepted

    def charge(self, connector_id: int, id_tag: str) -> None:
        """Until the central system stops it, or for a minute."""
        meter = self.application.meters[connector_id - 1]
        end = time.monotonic() + LONGEST / self.options.speed
        while time.monotonic() < end and connector_id not in self.application.to_stop:
            amps = self.application.offered[connector_id]
            if amps != meter.current:
                say(f"connector {connector_id}: {amps:.1f} A")
                meter.current = amps
            wanted = ChargePointStatus.Charging if amps > 0 else ChargePointStatus.SuspendedEVSE
            self.charge_point.status_notification(connector_id, wanted)
            time.sleep(0.1 / self.options.speed)
        meter.current = 0.0
        if connector_id in self.application.to_stop:
            self.charge_point.stop_transaction(connector_id, "", Reason.Remote)
        else:
            self.charge_point.stop_transaction(connector_id, id_tag, Reason.Local)
        say(f"connector {connector_id}: transaction stopped, the meter says {meter.energy} Wh")
        self.charge_point.status_notification(connector_id, ChargePointStatus.Finishing)
        self.charge_point.status_notification(connector_id, ChargePointStatus.Available)


def main() -> int:
    options_parser = parser("A charge point that is started and stopped from afar.", FOLDER)
    options_parser.add_argument(
        "-d", dest="reset_connectors", action="store_true", help="forget the connectors' states"
    )
    options_parser.add_argument("-m", dest="whole", type=float, default=32.0, metavar="A", help="most for all (32 A)")
    options_parser.add_argument("-c", dest="each", type=float, default=32.0, metavar="A", help="most for each (32 A)")
    options = options_parser.parse_args()
    begin("Charge point, remote controlled", options)
    try:
        config = IniConfig(options.folder / "remote_chargepoint.ini")
        application = Application(config.ocpp.number_of_connectors)
        charge_point = IChargePoint.create(config.charge_point, config.ocpp, application)
    except ConfigError as error:
        return fail(str(error))
    if options.reset_connectors and not charge_point.reset_connector_data():
        return fail("the connectors' states could not be forgotten")
    if options.reset and not charge_point.reset_data():
        return fail("the stored data could not be forgotten")
    with charge_point:
        if not charge_point.start():
            return fail("the charge point could not be started, see the log above")
        Program(charge_point, config.ocpp, application, options).run()
    return 0


if __name__ == "__main__":
    run(main)
