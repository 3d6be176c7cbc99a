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
    IChargePoint,
    IniConfig,
    Reason,
    RegistrationStatus,
)
from samples.options import begin, fail, parser, run, say  # noqa: E402
from samples.remote_chargepoint.application import Application  # noqa: E402
from samples.remote_chargepoint.setpoints import CHARGING, limits  # noqa: E402

if TYPE_CHECKING:
    import argparse

    from openocpp import IOcppConfig

METER_TICK = 0.5  # seconds
LONGEST = 60.0  # seconds of one transaction


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
        self.application.offered = limits(self.charge_point, self.connectors, self.options.whole, self.options.each)

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
    options_parser.add_argument("-d", dest="reset_connectors", action="store_true", help="forget connectors' states")
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
