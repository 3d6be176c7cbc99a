"""A week in simulated time: recurring profiles, transactions, reservations, a lost connection, and a clock that is set.

The central system has the right time; the application takes it over from the answer to a Heartbeat. The weeks on whose
Sundays clocks change in Europe are like all others. What must hold is worked out here a second time, in the simplest
way, from the wall clock.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from time import tzset
from typing import TYPE_CHECKING, Any

import pytest

from openocpp.messages.codec import to_payload
from openocpp.testing import SimulatedRuntime
from openocpp.testing.conversation import ScriptedServer
from openocpp.types import AuthorizationStatus, ChargePointStatus, format_datetime
from tests.chargepoint.conftest import URL, Station
from tests.chargepoint.driving import Books, queued, rows
from tests.chargepoint.smart_charging.build import (
    ChargePointMaxProfile,
    Daily,
    Recurring,
    TxProfile,
    Weekly,
    profile,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from openocpp.testing.conversation import ScriptedPeer
    from openocpp.types import ChargingProfile

HOUR = timedelta(hours=1)
Status = ChargePointStatus


def allowed(now: datetime) -> float:
    """In A: by day 10, from 22 to 6 h 32, at the weekend 16; never more than 30."""
    if now.weekday() >= 5:
        return 16
    return 30 if now.hour >= 22 or now.hour < 6 else 10


class Week:
    """The station, the central system, and what is to happen when the wall clock says so."""

    def __init__(self, sim: SimulatedRuntime, database: str, monday: datetime) -> None:
        self.sim = sim
        self.monday = monday
        self.ahead = timedelta(0)  # how much the central system's clock differs from the station's
        self.books = Books(sim.clock.now)
        self.books.answers["Heartbeat"] = lambda _: {"currentTime": format_datetime(self.now + self.ahead)}
        self.server = ScriptedServer(sim, URL, answers=self.books.answers)
        self.station = Station(sim, database, {"ReserveConnectorZeroSupported": "true"})
        self.station.handler.datetime_received = self.take_over  # type: ignore[method-assign]
        self.cp = self.station.cp
        assert self.cp.start()
        self.peer: ScriptedPeer = self.server.accept()
        self._plan: list[tuple[datetime, Callable[[], None]]] = []
        self.checks = 0

    @property
    def now(self) -> datetime:
        return self.sim.clock.utcnow()

    def at(self, day: int, hour: float, minute: float = 0) -> datetime:
        """On a day of the week, 0 is Monday."""
        return self.monday + timedelta(days=day, hours=hour, minutes=minute)

    def plan(self, when: datetime, action: Callable[[], None]) -> None:
        self._plan.append((when, action))

    def run(self, end: datetime) -> None:
        """Let the days pass, and look at the limits just before and at each full hour."""
        for when, action in sorted(self._plan, key=lambda entry: entry[0]):
            self._pass_until(when)
            action()
        self._pass_until(end)

    def _pass_until(self, when: datetime) -> None:
        while self.now < when:
            full = self.now.replace(minute=0, second=0, microsecond=0) + HOUR
            self._sleep_until(min(when, full - timedelta(seconds=1)))
            self.check_limits()
            self._sleep_until(min(when, full))
            self.check_limits()

    def _sleep_until(self, when: datetime) -> None:
        seconds = (when - self.now).total_seconds()
        if seconds > 0:
            self.sim.sleep(seconds)

    def check_limits(self) -> None:
        """Of connector 1, which never has a TxProfile."""
        found = self.cp.get_setpoint(1)
        assert found is not None
        assert found.connector is not None
        assert found.connector.value == allowed(self.now), self.now
        self.checks += 1

    # -- what happens --------------------------------------------------------------------------------------------------

    def set_clock(self, wall: datetime) -> None:
        """The central system sees what time it is, and tells it."""
        self.ahead = wall - self.now
        self.peer.call("TriggerMessage", {"requestedMessage": "Heartbeat"}).result({"status": "Accepted"})
        self.sim.run_until(lambda: self.ahead == timedelta(0), 60)

    def take_over(self, time: datetime) -> None:
        """The application sets the clock by the answer to a Heartbeat; for less than a second it does not care."""
        if abs(time - self.now) > timedelta(seconds=1):
            self.sim.set_wall(time)
            self.ahead = timedelta(0)

    def put(self, connector_id: int, given: ChargingProfile) -> None:
        request = {"connectorId": connector_id, "csChargingProfiles": to_payload(given)}
        self.peer.call("SetChargingProfile", request).result({"status": "Accepted"})

    def reserve(self, connector_id: int, reservation_id: int, until: datetime, id_tag: str = "TAG") -> None:
        expiry = format_datetime(until)
        request = {"connectorId": connector_id, "reservationId": reservation_id, "idTag": id_tag, "expiryDate": expiry}
        self.peer.call("ReserveNow", request).result({"status": "Accepted"})

    def is_reserved(self, connector_id: int = 1) -> bool:
        return self.cp.get_connector_status(connector_id) is Status.Reserved

    def start(self, connector_id: int, id_tag: str) -> None:
        assert self.cp.start_transaction(connector_id, id_tag) is AuthorizationStatus.Accepted

    def stop(self, connector_id: int, id_tag: str) -> None:
        assert self.cp.stop_transaction(connector_id, id_tag)

    def limit_of_2(self, wanted: float) -> None:
        found = self.cp.get_setpoint(2)
        assert found is not None
        assert found.connector is not None
        assert found.connector.value == wanted

    def next_hours_of_2(self) -> str:
        """The next three hours of connector 2 as the central system sees them."""
        request = {"connectorId": 2, "duration": 3 * 3600, "chargingRateUnit": "A"}
        schedule = self.peer.call("GetCompositeSchedule", request).result()["chargingSchedule"]
        return ", ".join(f"{one['startPeriod']}:{one['limit']:g}" for one in schedule["chargingSchedulePeriod"])


def plan_profiles(week: Week) -> None:
    night, weekend = week.at(-60, 22), week.at(-9, 0)  # from when on they recur
    week.put(0, profile("0:10", id=1, level=0))
    week.put(0, profile("0:32", id=2, level=1, kind=Recurring, recurrency=Daily, duration=8 * 3600, start=night))
    week.put(0, profile("0:16", id=3, level=2, kind=Recurring, recurrency=Weekly, duration=48 * 3600, start=weekend))
    week.put(0, profile("0:30", id=4, purpose=ChargePointMaxProfile))
    over = profile("0:1", id=5, level=3, valid_from=week.at(-2, 0), valid_to=week.at(0, 0))
    week.put(0, over)


def plan_noon(week: Week, day: int) -> None:
    """Connector 2 charges over noon, with a profile of its own; on Friday there is no connection."""
    tag = f"NOON{day}"
    week.plan(week.at(day, 12), lambda: week.start(2, tag))
    if day != 4:
        week.plan(week.at(day, 12, 1), lambda: week.put(2, profile("0:6, 1800:8", id=50 + day, purpose=TxProfile)))
        week.plan(week.at(day, 12, 29), lambda: week.limit_of_2(6))
        week.plan(week.at(day, 12, 31), lambda: week.limit_of_2(8))
    week.plan(week.at(day, 13, 15), lambda: week.stop(2, tag))
    week.plan(week.at(day, 13, 16), lambda: week.limit_of_2(allowed(week.now)))


def plan_mornings(week: Week, seen: dict[str, Any]) -> None:
    """Connector 1 is reserved each morning at 7 until 8 h, and each time it ends in another way."""
    for day in range(7):
        week.plan(week.at(day, 7), lambda day=day: week.reserve(1, 100 + day, week.at(day, 8)))  # type: ignore[misc]

    def note(name: str) -> Callable[[], None]:
        return lambda: seen.__setitem__(name, week.is_reserved())

    # Monday: nobody comes.
    week.plan(week.at(0, 7, 59.9), note("monday before eight"))
    week.plan(week.at(0, 8, 0.1), note("monday after eight"))
    # Tuesday: the clock is set back by half an hour; the reservation is one of the wall clock.
    week.plan(week.at(1, 7, 50), lambda: week.set_clock(week.at(1, 7, 20)))
    week.plan(week.at(1, 7, 59.9), note("tuesday before eight"))
    week.plan(week.at(1, 8, 2), note("tuesday after eight"))
    # Wednesday: the central system cancels it.
    week.plan(
        week.at(2, 7, 30),
        lambda: seen.__setitem__("cancelled", week.peer.call("CancelReservation", {"reservationId": 102}).result()),
    )
    week.plan(week.at(2, 7, 31), note("wednesday after the cancellation"))
    # Thursday: the clock is set forward, over the expiry.
    week.plan(week.at(3, 7, 20), lambda: week.set_clock(week.at(3, 8, 20)))
    week.plan(week.at(3, 8, 22), note("thursday after the jump"))
    # Friday: another tag is refused, the right one uses it.
    week.plan(week.at(4, 7, 10), lambda: seen.__setitem__("other", week.cp.start_transaction(1, "OTHER")))
    week.plan(week.at(4, 7, 20), lambda: week.start(1, "TAG"))
    week.plan(week.at(4, 9), lambda: week.stop(1, "TAG"))
    # Saturday: the connector fails; it is repaired before eight.
    week.plan(week.at(5, 7, 30), lambda: seen.__setitem__("fault", week.cp.status_notification(1, Status.Faulted)))
    week.plan(week.at(5, 7, 40), lambda: seen.__setitem__("mended", week.cp.status_notification(1, Status.Available)))
    week.plan(week.at(5, 7, 41), note("saturday after the fault"))
    # Sunday: the charge point is restarted in between.
    week.plan(week.at(6, 7, 30), lambda: restart(week))
    week.plan(week.at(6, 7, 59.9), note("sunday before eight"))
    week.plan(week.at(6, 8, 0.1), note("sunday after eight"))


def restart(week: Week) -> None:
    week.station.restart()
    week.cp = week.station.cp
    week.peer = week.server.accept()
    week.sim.sleep(1)


def plan_lost_connection(week: Week) -> None:
    """From Friday 11 to 14 h. What was charged meanwhile is told afterwards."""

    def lose() -> None:
        week.sim.network.refuse()
        week.sim.network.cut()

    def find() -> None:
        assert queued(week.station) == ["StartTransaction", "StopTransaction"]
        week.sim.network.refuse(False)
        week.cp.reconnect()
        week.peer = week.server.accept()

    week.plan(week.at(4, 11), lose)
    week.plan(week.at(4, 14), find)


@pytest.fixture
def paris(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The process lives where clocks change."""
    monkeypatch.setenv("TZ", "Europe/Paris")
    tzset()
    yield
    monkeypatch.undo()
    tzset()


@pytest.mark.usefixtures("paris")
@pytest.mark.parametrize("monday", ["2024-03-25", "2024-10-21"])
def test_a_week(memory_path: Path, monday: str) -> None:
    seen: dict[str, Any] = {}
    start = datetime.fromisoformat(monday).replace(tzinfo=UTC)
    with SimulatedRuntime(seed=1, start=start) as sim:
        week = Week(sim, str(memory_path / "week.db"), start)
        sim.sleep(1)
        plan_profiles(week)
        plan_mornings(week, seen)
        plan_lost_connection(week)
        for day in range(7):
            plan_noon(week, day)
        week.plan(week.at(1, 20), lambda: seen.__setitem__("evening", week.next_hours_of_2()))
        week.plan(week.at(2, 2), lambda: week.set_clock(week.at(2, 1)))
        week.plan(week.at(5, 23), lambda: week.reserve(0, 200, week.at(6, 1)))
        week.plan(
            week.at(5, 23, 30), lambda: seen.__setitem__("any", week.station.handler.of("reservation_started")[-1])
        )
        week.run(week.at(7, 1))

        assert seen == {
            "monday before eight": True,
            "monday after eight": False,
            "tuesday before eight": True,
            "tuesday after eight": False,
            "cancelled": {"status": "Accepted"},
            "wednesday after the cancellation": False,
            "thursday after the jump": False,
            "other": AuthorizationStatus.Invalid,
            "fault": True,
            "mended": True,
            "saturday after the fault": False,
            "sunday before eight": True,
            "sunday after eight": False,
            "evening": "0:10, 7200:30",
            "any": (0,),
        }
        ended = week.station.handler.of("reservation_ended")
        assert ended == [(1, False), (1, False), (1, True), (1, False), (1, True), (0, False), (1, False)]
        assert week.checks > 7 * 24 * 2

        assert queued(week.station) == []
        told = [(entry.action, entry.payload.get("idTag")) for entry in week.books.transactional]
        noons = [[("StartTransaction", f"NOON{day}"), ("StopTransaction", f"NOON{day}")] for day in range(7)]
        noons[4] = [("StartTransaction", "TAG"), ("StopTransaction", "TAG"), *noons[4]]
        assert told == [one for day in noons for one in day]
        used = [entry.payload.get("reservationId") for entry in week.books.of("StartTransaction")]
        assert used == [None, None, None, None, 104, None, None, None]
        assert rows(week.station, "SELECT id FROM ChargingProfiles ORDER BY id") == [(1,), (2,), (3,), (4,)]
        assert rows(week.station, "SELECT id FROM Connectors WHERE reservation_id IS NOT NULL") == []
        week.cp.stop()
