"""The local authorization list, as the central system sends it (1.6 §3.5.2, §5.10, §5.15).

What the list says of an id tag is looked up by ``AuthorizationManager``. An update happens wholly or not at all.
Threads: monitor.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from openocpp.errors import StoreError
from openocpp.messages.dispatch import handles
from openocpp.messages.local_auth import (
    GetLocalListVersionConf,
    GetLocalListVersionReq,
    SendLocalListConf,
    SendLocalListReq,
)
from openocpp.store.id_tags import IdTagRow
from openocpp.types import UpdateStatus, UpdateType, fold

if TYPE_CHECKING:
    from collections.abc import Sequence

    from openocpp.chargepoint.context import ChargePointContext
    from openocpp.store.local_list import LocalList
    from openocpp.types import AuthorizationData, IdTagInfo

log = logging.getLogger("openocpp.chargepoint")

NO_LISTS = -1  # the version of a charge point without list (1.6 §5.10)
EMPTY = 0  # the version of a list without entries, whatever was sent with it


class LocalListManager:
    """Tells the version of the list and takes updates."""

    def __init__(self, ctx: ChargePointContext, table: LocalList) -> None:
        self.ctx = ctx
        self._table = table

    @property
    def version(self) -> int:
        """The version that the central system is told."""
        if not self.ctx.keys.local_auth_list_enabled:
            return NO_LISTS
        return self._table.version() if self._table.count() else EMPTY

    @handles(GetLocalListVersionReq)
    def get_version(self, request: GetLocalListVersionReq) -> GetLocalListVersionConf:
        return GetLocalListVersionConf(list_version=self.version)

    @handles(SendLocalListReq)
    def send(self, request: SendLocalListReq) -> SendLocalListConf:
        if not self.ctx.keys.local_auth_list_enabled:
            return SendLocalListConf(status=UpdateStatus.NotSupported)
        status, why = self._update(request)
        log.log(
            logging.INFO if status is UpdateStatus.Accepted else logging.WARNING,
            "%s: local list, %s update to version %d: %s%s",
            self.ctx.name, request.update_type, request.list_version, status, why and f" ({why})",
        )  # fmt: skip
        return SendLocalListConf(status=status)

    def _update(self, request: SendLocalListReq) -> tuple[UpdateStatus, str]:
        """The answer, and what is wrong. Nothing has changed unless it is Accepted."""
        entries = list(request.local_authorization_list or ())
        problem = self._problem(request.list_version, entries)
        if problem:
            return UpdateStatus.Failed, problem
        try:
            if request.update_type is UpdateType.Full:
                return self._replace(request.list_version, entries)
            return self._change(request.list_version, entries)
        except StoreError as error:
            return UpdateStatus.Failed, str(error)

    def _problem(self, version: int, entries: Sequence[AuthorizationData]) -> str:
        """What no update may be (errata 3.52; 1.6 §6.41, §9.2.3)."""
        if version <= EMPTY:
            return "listVersion is not above 0, errata 3.52"
        if len(entries) > self.ctx.keys.send_local_list_max_length:
            return f"more than SendLocalListMaxLength {self.ctx.keys.send_local_list_max_length} entries, 1.6 §9.2.3"
        if len({fold(entry.id_tag) for entry in entries}) < len(entries):
            return "an id tag stands there twice, 1.6 §6.41"
        return ""

    def _replace(self, version: int, entries: Sequence[AuthorizationData]) -> tuple[UpdateStatus, str]:
        rows = [_row(entry.id_tag, entry.id_tag_info) for entry in entries if entry.id_tag_info is not None]
        if len(rows) < len(entries):
            return UpdateStatus.Failed, "an entry has no idTagInfo, 1.6 §7.1"
        if len(rows) > self.ctx.keys.local_auth_list_max_length:
            return UpdateStatus.Failed, self._too_many
        self._table.replace(version, rows)
        return UpdateStatus.Accepted, ""

    def _change(self, version: int, entries: Sequence[AuthorizationData]) -> tuple[UpdateStatus, str]:
        """An entry without information is to be deleted (1.6 §7.1)."""
        if version <= self.version:
            return UpdateStatus.VersionMismatch, f"the list has version {self.version}, 1.6 §7.47"
        changed = [_row(entry.id_tag, entry.id_tag_info) for entry in entries if entry.id_tag_info is not None]
        removed = [entry.id_tag for entry in entries if entry.id_tag_info is None]
        if not self._table.update(version, changed, removed, self.ctx.keys.local_auth_list_max_length):
            return UpdateStatus.Failed, self._too_many
        return UpdateStatus.Accepted, ""

    @property
    def _too_many(self) -> str:
        most = self.ctx.keys.local_auth_list_max_length
        return f"the list would be longer than LocalAuthListMaxLength {most}, 1.6 §9.2.2"


def _row(id_tag: str, info: IdTagInfo) -> IdTagRow:
    return IdTagRow(id_tag, info.status.value, info.parent_id_tag, info.expiry_date)
