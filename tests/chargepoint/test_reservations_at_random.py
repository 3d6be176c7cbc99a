"""Reservations, transactions, faults, restarts and clocks in any order: what must hold whatever has happened."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from openocpp.testing import SimulatedRuntime
from openocpp.testing.conversation import ScriptedServer
from openocpp.types import AuthorizationStatus, ChargePointStatus, Reason, format_datetime
from tests.chargepoint.conftest import URL, Station
from tests.chargepoint.driving import Books

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from openocpp.chargepoint.connectors import Connector, Connectors

Status = ChargePointStatus
OUT_OF_ORDER = (Status.Faulted, Status.Unavailable)


def is_free(connector: Connector) -> bool:
    return connector.status is Status.Available and not connector.is_busy and not connector.is_reserved


class Walk:
    """Random steps of central system, drivers and hardware. ``steps`` says what was done, for who reads a failure."""

    def __init__(self, sim: SimulatedRuntime, database: str, seed: int) -> None:
        self.sim = sim
        self.random = random.Random(seed)
        self.count = self.random.randint(1, 3)
        keys: dict[str, str | int] = {"NumberOfConnectors": self.count, "ReserveConnectorZeroSupported": "true"}
        self.station = Station(sim, database, keys)
        self.server = ScriptedServer(sim, URL, answers=Books(sim.clock.now).answers)
        self.steps: list[tuple[Any, ...]] = []
        self.begin()

    def begin(self) -> None:
        assert self.station.cp.start()
        self.peer = self.server.accept()
        self.sim.sleep(1)

    @property
    def connectors(self) -> Connectors:
        found: Connectors = self.station.cp._session.ctx.connectors  # type: ignore[attr-defined]
        return found

    def ask(self, action: str, **request: Any) -> str:
        status: str = self.peer.call(action, request).result()["status"]
        self.steps.append((action, *request.values(), status))
        self.sim.sleep(0.1)  # statuses follow the answer
        return status

    def anybody(self) -> str:
        return self.random.choice("ABC")

    def some_connector(self, first: int = 1) -> int:
        return self.random.randint(first, self.count)

    # -- steps ---------------------------------------------------------------------------------------------------------

    def reserve(self) -> None:
        connector_id, reservation_id, id_tag = self.some_connector(0), self.random.randint(1, 4), self.anybody()
        expiry = self.sim.clock.utcnow() + timedelta(seconds=self.random.choice([-5, 30, 300, 3000]))
        before = [one.id for one in self.connectors if one.row.reservation_id == reservation_id]
        answer = self.ask(
            "ReserveNow",
            connectorId=connector_id,
            reservationId=reservation_id,
            idTag=id_tag,
            expiryDate=format_datetime(expiry),
        )
        if answer == "Accepted":
            row = self.connectors.get(connector_id).row  # type: ignore[union-attr]  # one that there is
            assert (row.reservation_id, row.reservation_id_tag) == (reservation_id, id_tag)
            if self.connectors.whole.is_reserved and before != [connector_id]:
                assert any(map(is_free, self.connectors.physical)), "connector 0 is kept free"

    def cancel(self) -> None:
        self.ask("CancelReservation", reservationId=self.random.randint(1, 4))

    def start(self) -> None:
        connector_id, id_tag = self.some_connector(), self.anybody()
        connector = self.connectors.get(connector_id)
        assert connector is not None
        now = self.sim.clock.utcnow()
        kept_for = {
            one.id: one.row.reservation_id_tag
            for one in self.connectors
            if one.row.reservation_expiry is not None and one.row.reservation_expiry > now
        }
        could = not connector.is_busy and connector.status not in OUT_OF_ORDER
        verdict = self.sim.user(lambda: self.station.cp.start_transaction(connector_id, id_tag)).result()
        self.steps.append(("start", connector_id, id_tag, verdict.value))
        over = {one.id for one in self.connectors if not one.is_reserved}
        mine = kept_for.get(connector_id, id_tag)
        if verdict is AuthorizationStatus.Accepted:
            assert mine == id_tag
            if connector_id not in kept_for and kept_for.get(0, id_tag) != id_tag and 0 not in over:
                assert any(is_free(one) for one in self.connectors.physical if one.id != connector_id)
        elif could:
            assert mine != id_tag or kept_for.get(0, id_tag) != id_tag, "nobody was in the way"

    def stop(self) -> None:
        connector_id = self.some_connector()
        done = self.sim.user(lambda: self.station.cp.stop_transaction(connector_id, "A", Reason.Local)).result()
        self.steps.append(("stop", connector_id, done))

    def hardware(self) -> None:
        connector_id = self.some_connector()
        status = self.random.choice([Status.Available] * 4 + [Status.Preparing, Status.Finishing, *OUT_OF_ORDER])
        self.station.cp.status_notification(connector_id, status)
        self.steps.append((status.value, connector_id))

    def availability(self) -> None:
        kind = self.random.choice(["Operative", "Operative", "Inoperative"])
        self.ask("ChangeAvailability", connectorId=self.some_connector(0), type=kind)

    def wait(self) -> None:
        self.sim.sleep(self.random.choice([1, 31, 301]))

    def set_clock(self) -> None:
        self.sim.set_wall(self.sim.clock.utcnow() + timedelta(seconds=self.random.choice([-600, 600])))
        self.sim.sleep(61)  # a reservation of the wall clock notices within a minute

    def restart(self) -> None:
        self.station.cp.stop()
        self.station.cp = self.station.create()
        self.begin()

    def step(self) -> None:
        chances: list[Callable[[], None]] = [self.reserve] * 4 + [self.start] * 3 + [self.hardware] * 2
        others = [self.cancel, self.stop, self.availability, self.wait, self.set_clock, self.restart]
        self.random.choice(chances + others)()
        self.sim.sleep(0.3)
        self.check()

    def check(self) -> None:
        numbers = [one.row.reservation_id for one in self.connectors if one.is_reserved]
        assert len(numbers) == len(set(numbers)), "a reservation is in one place"
        for one in self.connectors:
            assert not (one.is_reserved and one.status in OUT_OF_ORDER), "1.6 §5.13 (3)"
            if one.id > 0:
                shown = one.is_reserved and one.real_status is Status.Available and one.transaction is None
                assert (one.status is Status.Reserved) is shown


@pytest.mark.parametrize("seed", range(20))
def test_what_must_hold(seed: int, tmp_path: Path) -> None:
    with SimulatedRuntime(seed=seed) as sim:
        walk = Walk(sim, str(tmp_path / "cp.db"), seed)
        try:
            for _ in range(60):
                walk.step()
        except AssertionError as error:
            raise AssertionError(f"{error}; steps: {walk.steps}") from error
        walk.station.cp.stop()
