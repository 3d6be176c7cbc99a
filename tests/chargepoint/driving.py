"""Short ways through a session, and a central system that answers everything and keeps the books."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from openocpp.store.auth_cache import AuthorizationCache
from openocpp.store.database import CHARGE_POINT, Database
from openocpp.store.id_tags import IdTagRow
from openocpp.store.local_list import LocalList
from openocpp.types import AuthorizationStatus, Measurand, Reason, SampledValue
from tests.chargepoint.conftest import NOW

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from openocpp.store.connectors import ConnectorRow
    from openocpp.testing import UserThread
    from openocpp.testing.conversation import ReceivedCall, ScriptedPeer
    from openocpp.types import Phase
    from tests.chargepoint.conftest import CentralSide, Station

ENERGY = "Energy.Active.Import.Register"


def started(transaction_id: int = 42, status: str = "Accepted", **info: str) -> dict[str, Any]:
    """A StartTransaction.conf."""
    return {"transactionId": transaction_id, "idTagInfo": {"status": status, **info}}


def judged(status: str = "Accepted", **info: str) -> dict[str, Any]:
    """An Authorize.conf."""
    return {"idTagInfo": {"status": status, **info}}


def starting(station: Station, connector_id: int = 1, id_tag: str = "TAG") -> UserThread[AuthorizationStatus]:
    """A thread that starts a transaction."""
    return station.sim.user(lambda: station.cp.start_transaction(connector_id, id_tag), "starter")


def stopping(
    station: Station, connector_id: int = 1, id_tag: str = "", reason: Reason = Reason.Local
) -> UserThread[bool]:
    """A thread that stops one."""
    return station.sim.user(lambda: station.cp.stop_transaction(connector_id, id_tag, reason), "stopper")


def begin(
    station: Station, peer: ScriptedPeer, connector_id: int = 1, id_tag: str = "TAG", transaction_id: int = 42
) -> ReceivedCall:
    """A transaction is started online, and accepted."""
    user = starting(station, connector_id, id_tag)
    call = peer.expect_call("StartTransaction", {"connectorId": connector_id, "idTag": id_tag})
    call.answer(started(transaction_id))
    assert user.result() is AuthorizationStatus.Accepted
    return call


def end(station: Station, peer: ScriptedPeer, connector_id: int = 1, id_tag: str = "") -> ReceivedCall:
    """It is stopped online."""
    user = stopping(station, connector_id, id_tag)
    call = peer.expect_call("StopTransaction")
    call.answer()
    assert user.result() is True
    return call


def go_offline(station: Station) -> None:
    """The link is cut once it is quiet, and none can be made."""
    station.sim.sleep(0.5)
    station.sim.network.refuse()
    station.sim.network.cut()
    station.sim.run_until(lambda: not station.cp.is_connected, 10)


def go_online(station: Station, central: CentralSide, **answers: Any) -> ScriptedPeer:
    """Links can be made again; the central system's side of the one that is made. Not booted anew."""
    station.sim.network.refuse(False)
    peer = central.server.accept(100)  # a pause between two attempts may be long
    peer.answers.update(answers)
    return peer


def quiet(station: Station) -> None:
    """Wait until the transaction messages are gone, if they can go."""
    station.sim.run_until(lambda: not queued(station), 60)


def queued(station: Station) -> list[str]:
    """The actions of the queued messages, in order."""
    return [row[0] for row in rows(station, "SELECT action FROM Outbox ORDER BY id")]


def rows(station: Station, sql: str) -> list[tuple[Any, ...]]:
    """What stands in the database of a charge point that runs."""
    database: Database = station.cp._session.ctx.database  # type: ignore[attr-defined]
    return database.read(sql)


def store_row(station: Station, connector_id: int) -> ConnectorRow:
    row: ConnectorRow = station.cp._session.ctx.connectors.get(connector_id).row  # type: ignore[attr-defined]
    return row


@contextmanager
def database_of(station: Station) -> Iterator[Database]:
    """The database of a charge point that does not run."""
    database = Database.open(station.sim, station.settings["database_path"], CHARGE_POINT)
    try:
        yield database
    finally:
        database.close()


def know(station: Station, *, listed: list[IdTagRow] | None = None, cached: list[IdTagRow] | None = None) -> None:
    """Before the start: what stands in the local list and in the cache."""
    with database_of(station) as database:
        if listed is not None:
            LocalList(database).replace(1, listed)
        cache = AuthorizationCache(database, 100)
        for row in cached or ():
            cache.put(row, station.sim.clock.utcnow())
        database.flush()


def cached(station: Station) -> dict[str, IdTagRow]:
    """What stands in the cache of a charge point that runs."""
    cache: AuthorizationCache = station.cp._session.authorization.cache  # type: ignore[attr-defined]
    return {row.id_tag: row for row in cache.rows()}


def energy(station: Station) -> Callable[[int, Measurand, Phase | None], list[SampledValue]]:
    """Readings that say which connector and when, in whole seconds of simulated time."""

    def read(connector_id: int, measurand: Measurand, phase: Phase | None) -> list[SampledValue]:
        return [SampledValue(value=f"{connector_id}{round(station.sim.clock.now()):06d}", phase=phase)]

    return read


def configure(station: Station, **values: str | int) -> None:
    """Set configuration keys; the application reads as ``energy`` says."""
    for name, value in values.items():
        station.keys.put(name, str(value))
    station.handler.values = energy(station)


def contexts(data: Sequence[dict[str, Any]]) -> list[str]:
    """The contexts of meter values as they were sent."""
    return [value["sampledValue"][0]["context"] for value in data]


class Received(NamedTuple):
    """A CALL that reached the central system, and when."""

    time: float
    action: str
    payload: dict[str, Any]


class Books:
    """A central system's answers: everything is accepted and written down.

    ``verdicts`` are the statuses of id tags that are not accepted. ``answers`` is to be given to a server.
    """

    def __init__(self, clock: Callable[[], float], interval: int = 0) -> None:
        self.clock = clock
        self.received: list[Received] = []
        self.verdicts: dict[str, str] = {}
        self.next_id = 1
        self.ids: dict[str, int] = {}  # by the content of a StartTransaction: a repeated one is the same transaction
        boot = {"status": "Accepted", "currentTime": NOW, "interval": interval}
        self.answers: dict[str, Mapping[str, Any] | Callable[[dict[str, Any]], Mapping[str, Any]]] = {
            "BootNotification": self._note("BootNotification", lambda _: boot),
            "Heartbeat": self._note("Heartbeat", lambda _: {"currentTime": NOW}),
            "Authorize": self._note("Authorize", lambda payload: {"idTagInfo": self._info(payload["idTag"])}),
            "StartTransaction": self._note("StartTransaction", self._start),
            **{
                action: self._note(action, lambda _: {})
                for action in ("StatusNotification", "StopTransaction", "MeterValues", "SecurityEventNotification")
            },
        }

    def _note(
        self, action: str, answer: Callable[[dict[str, Any]], Mapping[str, Any]]
    ) -> Callable[[dict[str, Any]], Mapping[str, Any]]:
        def noted(payload: dict[str, Any]) -> Mapping[str, Any]:
            self.received.append(Received(self.clock(), action, payload))
            return answer(payload)

        return noted

    def _info(self, id_tag: str) -> dict[str, str]:
        return {"status": self.verdicts.get(id_tag, "Accepted")}

    def _start(self, payload: dict[str, Any]) -> Mapping[str, Any]:
        content = json.dumps(payload, sort_keys=True)
        if content not in self.ids:
            self.ids[content] = self.next_id
            self.next_id += 1
        return {"transactionId": self.ids[content], "idTagInfo": self._info(payload["idTag"])}

    def of(self, *actions: str) -> list[Received]:
        return [entry for entry in self.received if entry.action in actions]

    @property
    def transactional(self) -> list[Received]:
        """Without those of no transaction."""
        of_transactions = self.of("StartTransaction", "StopTransaction", "MeterValues")
        return [entry for entry in of_transactions if entry.action != "MeterValues" or "transactionId" in entry.payload]


def connector_of(books: Books, entry: Received) -> int:
    """The connector of a message that belongs to a transaction."""
    if "connectorId" in entry.payload:
        return int(entry.payload["connectorId"])
    content = next(content for content, number in books.ids.items() if number == entry.payload["transactionId"])
    return int(json.loads(content)["connectorId"])


__all__ = ["ENERGY", "IdTagRow"]
