"""A small station on the public operations: plugs, id tags, cables and lights of the alliance's cases."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openocpp.types import AuthorizationStatus, ChargePointErrorCode, ChargePointStatus, Reason, ResetType
from tests.chargepoint.conftest import RecordingHandler

if TYPE_CHECKING:
    from collections.abc import Callable

    from openocpp.testing import UserThread
    from tests.chargepoint.conftest import Station

Status = ChargePointStatus


class Charger(RecordingHandler):
    """The application of a station: what a driver does are its methods, each to be run in a thread (``does``)."""

    def __init__(self, station: Station) -> None:
        super().__init__()
        self.station = station
        self.plugged: set[int] = set()
        self.waiting: dict[int, str] = {}  # authorized id tags whose cable is not plugged in yet
        self.running: set[int] = set()
        self.unlocked: list[int] = []
        self.lock_fails = False
        station.handler = self
        station.cp = station.create()

    def does(self, action: Callable[..., None], *arguments: object) -> UserThread[None]:
        return self.station.sim.user(lambda: action(*arguments), action.__name__)

    def show(self, connector_id: int, status: Status, info: str = "") -> None:
        self.station.cp.status_notification(connector_id, status, info=info)

    # -- the driver ----------------------------------------------------------------------------------------------------

    def plug_in(self, connector_id: int) -> None:
        self.plugged.add(connector_id)
        id_tag = self.waiting.pop(connector_id, None)
        if id_tag is None:
            self.show(connector_id, Status.Preparing)
        else:
            self.begin(connector_id, id_tag)

    def present(self, connector_id: int, id_tag: str) -> None:
        """An id tag is held to the reader: it starts, or stops, if it may."""
        if self.station.cp.authorize(connector_id, id_tag).status is not AuthorizationStatus.Accepted:
            return
        if connector_id in self.running:
            self.finish(connector_id, Reason.Local, id_tag)
        else:
            self.await_cable(connector_id, id_tag)

    def unplug_vehicle(self, connector_id: int) -> None:
        """The cable is pulled from the vehicle."""
        keys = self.station.keys
        if connector_id not in self.running:
            return
        if keys.stop_transaction_on_ev_side_disconnect:
            self.finish(connector_id, Reason.EVDisconnected)
            if keys.unlock_connector_on_ev_side_disconnect:
                self.unlocked.append(connector_id)
        else:
            self.show(connector_id, Status.SuspendedEV, "EV side disconnected")

    def plug_vehicle(self, connector_id: int) -> None:
        """And plugged into it again."""
        if connector_id in self.running:
            self.show(connector_id, Status.Charging)

    def take_cable(self, connector_id: int) -> None:
        self.plugged.discard(connector_id)
        self.show(connector_id, Status.Available)

    # -- the station ---------------------------------------------------------------------------------------------------

    def await_cable(self, connector_id: int, id_tag: str) -> None:
        if connector_id in self.plugged:
            self.begin(connector_id, id_tag)
            return
        self.waiting[connector_id] = id_tag
        self.show(connector_id, Status.Preparing)
        self.station.sim.sleep(self.station.keys.connection_time_out)
        if self.waiting.pop(connector_id, None) is not None:
            self.show(connector_id, Status.Available)

    def begin(self, connector_id: int, id_tag: str) -> None:
        if self.lock_fails:
            error = ChargePointErrorCode.ConnectorLockFailure
            self.station.cp.status_notification(connector_id, Status.Faulted, error)
        elif self.station.cp.start_transaction(connector_id, id_tag) is AuthorizationStatus.Accepted:
            self.running.add(connector_id)
            self.show(connector_id, Status.Charging)

    def finish(self, connector_id: int, reason: Reason, id_tag: str = "") -> None:
        self.station.cp.stop_transaction(connector_id, id_tag, reason)
        self.running.discard(connector_id)
        self.show(connector_id, Status.Finishing)

    def reset(self, kind: ResetType) -> None:
        reason = Reason.HardReset if kind is ResetType.Hard else Reason.SoftReset
        for connector_id in sorted(self.running):
            self.finish(connector_id, reason)
        self.station.sim.sleep(1)
        self.station.restart()

    def power_fails(self) -> None:
        """And comes back half a minute later: the cables are where they were."""
        self.station.cp.stop()
        self.station.sim.sleep(30)
        self.station.cp = self.station.create()
        self.station.cp.start()

    # -- the central system's wishes -----------------------------------------------------------------------------------

    def remote_start_transaction_requested(self, connector_id: int, id_tag: str) -> bool:
        self.does(self.start_from_afar, connector_id or 1, id_tag)
        return True

    def start_from_afar(self, connector_id: int, id_tag: str) -> None:
        if self.station.keys.authorize_remote_tx_requests:
            status = self.station.cp.authorize(connector_id, id_tag).status
            if status is not AuthorizationStatus.Accepted:
                return
        self.await_cable(connector_id, id_tag)

    def remote_stop_transaction_requested(self, connector_id: int) -> bool:
        self.does(self.finish, connector_id, Reason.Remote)
        return True

    def reset_requested(self, type: ResetType) -> bool:
        self.does(self.reset, type)
        return True

    def transaction_de_authorized(self, connector_id: int) -> None:
        super().transaction_de_authorized(connector_id)
        if self.station.keys.stop_transaction_on_invalid_id:
            self.running.discard(connector_id)
        else:
            self.show(connector_id, Status.SuspendedEVSE)
