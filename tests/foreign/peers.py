"""A central system made by others: the package ``ocpp`` on ``websockets``, in a thread of its own."""

from __future__ import annotations

import asyncio
import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import websockets
from ocpp.routing import on
from ocpp.v16 import ChargePoint as ForeignChargePoint
from ocpp.v16 import call, call_result

from tests.conftest import scaled

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future

LIMIT = scaled(20.0)  # seconds; a wait that takes longer has failed


def now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class ForeignSide(ForeignChargePoint):
    """The central system's side of one connection: accepts, and notes what it was asked."""

    def __init__(self, identity: str, connection: Any, note: Callable[[str, dict[str, Any]], None]) -> None:
        super().__init__(identity, connection, response_timeout=LIMIT)
        self._note = note
        self.id_tag_status = "Accepted"
        self.transaction_id = 7001

    @on("BootNotification")
    def on_boot(self, **fields: Any) -> Any:
        self._note("BootNotification", fields)
        return call_result.BootNotification(current_time=now(), interval=300, status="Accepted")

    @on("StatusNotification")
    def on_status(self, **fields: Any) -> Any:
        self._note("StatusNotification", fields)
        return call_result.StatusNotification()

    @on("Heartbeat")
    def on_heartbeat(self, **fields: Any) -> Any:
        self._note("Heartbeat", fields)
        return call_result.Heartbeat(current_time=now())

    @on("Authorize")
    def on_authorize(self, **fields: Any) -> Any:
        self._note("Authorize", fields)
        return call_result.Authorize(id_tag_info={"status": self.id_tag_status})

    @on("StartTransaction")
    def on_start(self, **fields: Any) -> Any:
        self._note("StartTransaction", fields)
        return call_result.StartTransaction(
            transaction_id=self.transaction_id, id_tag_info={"status": self.id_tag_status}
        )

    @on("StopTransaction")
    def on_stop_transaction(self, **fields: Any) -> Any:
        self._note("StopTransaction", fields)
        return call_result.StopTransaction()

    @on("MeterValues")
    def on_meter_values(self, **fields: Any) -> Any:
        self._note("MeterValues", fields)
        return call_result.MeterValues()

    @on("DataTransfer")
    def on_data_transfer(self, **fields: Any) -> Any:
        self._note("DataTransfer", fields)
        return call_result.DataTransfer(status="Accepted", data="pong")


class ForeignCentralSystem:
    """Listens on a free port. ``ask`` sends a request to the charge point that is connected."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, dict[str, Any]]] = []
        self.port = 0
        self._ready = threading.Event()
        self._news = threading.Condition()
        self._loop = asyncio.new_event_loop()
        self._side: ForeignSide | None = None
        self._server: Any = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        assert self._ready.wait(LIMIT)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._listen(0))
        self._loop.run_forever()

    async def _listen(self, port: int) -> None:
        self._server = await websockets.serve(
            self._connected, "127.0.0.1", port, subprotocols=[websockets.Subprotocol("ocpp1.6")]
        )
        self.port = self._server.sockets[0].getsockname()[1]
        self._ready.set()

    async def _connected(self, connection: Any) -> None:
        identity = connection.request.path.strip("/").rsplit("/", 1)[-1]
        self._side = ForeignSide(identity, connection, self._note)
        try:
            await self._side.start()
        except websockets.ConnectionClosed:
            return
        finally:
            self._side = None

    def _note(self, action: str, fields: dict[str, Any]) -> None:
        with self._news:
            self.seen.append((action, fields))
            self._news.notify_all()

    def wait_for(self, action: str) -> dict[str, Any]:
        """The first request of this action, as soon as it has come."""
        with self._news:
            assert self._news.wait_for(lambda: action in self.actions(), LIMIT), f"no {action} came: {self.actions()}"
        return self.of(action)[0]

    def wait_until(self, condition: Callable[[], bool]) -> None:
        """Until what has come makes it true."""
        with self._news:
            assert self._news.wait_for(condition, LIMIT), f"it did not come: {self.seen}"

    def _on_loop(self, coroutine: Any) -> Any:
        future: Future[Any] = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        return future.result(LIMIT)

    def ask(self, request: Any) -> Any:
        assert self._side is not None, "nobody is connected"
        return self._on_loop(self._side.call(request))

    def drop(self) -> None:
        """Stop to listen and drop the connection."""

        async def drop() -> None:
            self._server.close()
            await self._server.wait_closed()

        self._on_loop(drop())

    def come_back(self) -> None:
        """Listen again on the same port."""
        self._on_loop(self._listen(self.port))

    def actions(self) -> list[str]:
        return [action for action, _ in list(self.seen)]

    def of(self, action: str) -> list[dict[str, Any]]:
        return [fields for name, fields in list(self.seen) if name == action]

    def stop(self) -> None:
        self.drop()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(LIMIT)
        self._loop.close()


__all__ = ["LIMIT", "ForeignCentralSystem", "call"]
