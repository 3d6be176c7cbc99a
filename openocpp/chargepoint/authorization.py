"""May this id tag charge? Local list, cache, central system (1.6 §3.5, §4.1, §5.4).

Id tags have no case (errata 3.73): they are compared folded and sent as they were presented.
Threads: monitor.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from typing import TYPE_CHECKING, NamedTuple

from openocpp.chargepoint.outbox import Kind
from openocpp.messages.core import AuthorizeReq, ClearCacheConf, ClearCacheReq, StatusNotificationReq
from openocpp.messages.dispatch import handles
from openocpp.store.auth_cache import AuthorizationCache
from openocpp.store.id_tags import IdTagRow
from openocpp.store.local_list import LocalList
from openocpp.types import (
    AuthorizationStatus,
    AuthorizeResult,
    ChargePointErrorCode,
    ClearCacheStatus,
    fold,
    same_ci,
)

if TYPE_CHECKING:
    from openocpp.chargepoint.connectors import Connector
    from openocpp.chargepoint.context import ChargePointContext
    from openocpp.chargepoint.outbox import Outbox
    from openocpp.types import IdTagInfo

log = logging.getLogger("openocpp.chargepoint")

MAX_PARENTS = 64  # id tags whose group is remembered without a cache

INVALID = AuthorizeResult(AuthorizationStatus.Invalid, "")


class Known(NamedTuple):
    """What is known of an id tag without asking. ``from_list``: by the local list, whose word is final."""

    status: AuthorizationStatus
    parent_id: str
    from_list: bool


class AuthorizationManager:
    """Answers whether an id tag is authorized, and keeps the cache."""

    def __init__(self, ctx: ChargePointContext, outbox: Outbox) -> None:
        self.ctx = ctx
        self._outbox = outbox
        self.cache = AuthorizationCache(ctx.database, int(ctx.setting("authent_cache_max_entries_count")))
        self.cache.trim(ctx.clock.utcnow())
        self.local_list = LocalList(ctx.database)
        self._parents: OrderedDict[str, str] = OrderedDict()

    def authorize(self, connector: Connector, id_tag: str) -> AuthorizeResult:
        """The facade's question: on a connector with a transaction, may this tag stop it (1.6 §3.10, §4.1)?"""
        transaction = connector.transaction
        if transaction is None:
            return self.authorize_tag(id_tag)
        if same_ci(id_tag, transaction.id_tag):
            return AuthorizeResult(AuthorizationStatus.Accepted, transaction.parent_id_tag or "")
        if not transaction.parent_id_tag:
            return INVALID
        result = self.authorize_tag(id_tag)
        if result.status is AuthorizationStatus.Accepted and not same_ci(result.parent_id, transaction.parent_id_tag):
            return AuthorizeResult(AuthorizationStatus.Invalid, result.parent_id)
        return result

    def authorize_tag(self, id_tag: str) -> AuthorizeResult:
        """1.6 §3.5: online the central system has the last word, unless LocalPreAuthorize lets it be spared."""
        request = AuthorizeReq(id_tag=id_tag)
        self.ctx.messenger.wire.write_request(request)  # offline too, what is no id tag is an error
        if self._outbox.may_send(Kind.REQUEST):
            if self.ctx.keys.local_pre_authorize:
                known = self.look_up(id_tag)
                if known is not None and (known.from_list or known.status is AuthorizationStatus.Accepted):
                    return AuthorizeResult(known.status, known.parent_id)
            result = self._outbox.ask(Kind.REQUEST, request)
            if self.ctx.stopping:  # read anew: the monitor was left
                return INVALID
            if result.response is not None:
                info = result.response.id_tag_info
                self.learn(id_tag, info)
                self._remember_parent(id_tag, info.parent_id_tag or "")
                return AuthorizeResult(info.status, info.parent_id_tag or "")
        return self._offline(id_tag)

    def _offline(self, id_tag: str) -> AuthorizeResult:
        """1.6 §3.5.4: what is known and not valid is refused, also where unknown id tags are welcome."""
        known = self.look_up(id_tag)
        keys = self.ctx.keys
        if known is not None and (keys.local_authorize_offline or keys.allow_offline_tx_for_unknown_id):
            return AuthorizeResult(known.status, known.parent_id)
        if known is None and keys.allow_offline_tx_for_unknown_id:
            return AuthorizeResult(AuthorizationStatus.Accepted, "")
        return INVALID

    def look_up(self, id_tag: str) -> Known | None:
        """What list and cache say; the list goes first (1.6 §3.5.3). An entry that has expired says Expired."""
        if self.ctx.keys.local_auth_list_enabled:
            row = self.local_list.get(id_tag)
            if row is not None:
                return self._known(row, from_list=True)
        if self.ctx.keys.authorization_cache_enabled:
            row = self.cache.get(id_tag)
            if row is not None:
                return self._known(row, from_list=False)
        return None

    def _known(self, row: IdTagRow, *, from_list: bool) -> Known:
        status = AuthorizationStatus(row.status)
        if status is AuthorizationStatus.Accepted and row.expiry is not None and row.expiry <= self.ctx.clock.utcnow():
            status = AuthorizationStatus.Expired
        return Known(status, row.parent_id_tag or "", from_list)

    def parent_of(self, id_tag: str) -> str:
        """The group of an id tag, as far as list, cache and the last answers know it (1.6 §3.10)."""
        known = self.look_up(id_tag)
        if known is not None and known.parent_id:
            return known.parent_id
        return self._parents.get(fold(id_tag), "")

    def _remember_parent(self, id_tag: str, parent_id: str) -> None:
        """Without a cache the group must still be known when the transaction starts a moment later."""
        self._parents[fold(id_tag)] = parent_id
        while len(self._parents) > MAX_PARENTS:
            self._parents.popitem(last=False)

    # -- what the central system says ----------------------------------------------------------------------------------

    def learn(self, id_tag: str, info: IdTagInfo, *, of_start: bool = False) -> None:
        """Remember an IdTagInfo (1.6 §3.5.1). Tags of the local list never enter the cache (1.6 §3.5.3).

        ConcurrentTx says nothing against the tag; in the answer to a start it is not remembered at all.
        """
        if self.ctx.keys.local_auth_list_enabled:
            listed = self.local_list.get(id_tag)
            if listed is not None:
                self._compare(listed, info)
                return
        if not self.ctx.keys.authorization_cache_enabled:
            return
        status = info.status
        if status is AuthorizationStatus.ConcurrentTx:
            if of_start:
                return
            status = AuthorizationStatus.Accepted
        row = IdTagRow(id_tag, status.value, info.parent_id_tag, info.expiry_date)
        self.cache.put(row, self.ctx.clock.utcnow())

    def _compare(self, listed: IdTagRow, info: IdTagInfo) -> None:
        """1.6 §3.5.2: a contradiction between list and central system is notified."""
        if info.status is AuthorizationStatus.ConcurrentTx:
            return
        mine = self._known(listed, from_list=True).status
        if (mine is AuthorizationStatus.Accepted) == (info.status is AuthorizationStatus.Accepted):
            return
        log.warning("%s: the local list says %s of an id tag, the central system %s", self.ctx.name, mine, info.status)
        whole = self.ctx.connectors.whole
        request = StatusNotificationReq(
            connector_id=0,
            error_code=ChargePointErrorCode.LocalListConflict,
            status=whole.status,
            timestamp=self.ctx.clock.utcnow(),
        )
        self._outbox.post(Kind.NOTIFICATION, request)

    @handles(ClearCacheReq)
    def clear_cache(self, request: ClearCacheReq) -> ClearCacheConf:
        if not self.ctx.keys.authorization_cache_enabled:
            return ClearCacheConf(status=ClearCacheStatus.Rejected)
        self.cache.clear()
        return ClearCacheConf(status=ClearCacheStatus.Accepted)
