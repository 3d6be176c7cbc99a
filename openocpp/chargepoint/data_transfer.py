"""Vendor messages in both directions (1.6 §4.3, §5.6).

Threads: monitor; handlers are called outside of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from openocpp.chargepoint.outbox import Kind
from openocpp.messages.core import DataTransferConf, DataTransferReq
from openocpp.messages.dispatch import handles
from openocpp.types import DataTransferResult, DataTransferStatus, fold

if TYPE_CHECKING:
    from collections.abc import Callable

    from openocpp.chargepoint.context import ChargePointContext
    from openocpp.chargepoint.outbox import Outbox

    VendorHandler = Callable[[str, str, str], DataTransferResult]


class DataTransferManager:
    """Sends vendor messages, and finds who answers those that come: vendor ids have no case (CiString255)."""

    def __init__(self, ctx: ChargePointContext, outbox: Outbox, handlers: dict[str, VendorHandler]) -> None:
        self.ctx = ctx
        self._outbox = outbox
        self._handlers = handlers

    def send(self, vendor_id: str, message_id: str, data: str) -> DataTransferResult | None:
        request = DataTransferReq(vendor_id=vendor_id, message_id=message_id or None, data=data or None)
        conf = self._outbox.ask(Kind.REQUEST, request).response
        return None if conf is None else DataTransferResult(conf.status, conf.data or "")

    @handles(DataTransferReq)
    def received(self, request: DataTransferReq) -> DataTransferConf:
        """1.6 §4.3: no data goes with UnknownVendorId."""
        handler = self._handlers.get(fold(request.vendor_id), self.ctx.events.handler.data_transfer_requested)
        status, data = self.ctx.events.require(handler, request.vendor_id, request.message_id or "", request.data or "")
        carries = data and status is not DataTransferStatus.UnknownVendorId
        return DataTransferConf(status=status, data=data if carries else None)
