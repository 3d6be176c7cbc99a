"""What the stack asks of the sample charge point: to note what the central system wants, and to read the meters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openocpp import DefaultChargePointEventsHandler, UnlockStatus
from samples.options import say
from samples.remote_chargepoint.meters import MainMeter, Meter, readings

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from openocpp import Measurand, Phase, RegistrationStatus, SampledValue


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
