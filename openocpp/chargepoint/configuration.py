"""GetConfiguration and ChangeConfiguration (1.6 §5.3, §5.8, §9). The application keeps the values.

Key names have no case; the stack's own checks come before the application's (``openocpp.config.keys``).
Threads: monitor.
"""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING

from openocpp.chargepoint.marks import watchers_of
from openocpp.config import Rules, StandardKeys, check, find_key
from openocpp.errors import CallError, ErrorCode
from openocpp.messages.core import (
    ChangeConfigurationConf,
    ChangeConfigurationReq,
    GetConfigurationConf,
    GetConfigurationReq,
)
from openocpp.messages.dispatch import handles
from openocpp.messages.messenger import Reply
from openocpp.types import ConfigurationStatus, KeyValue, fold, is_secret_key
from openocpp.types.security_events import SecurityEvents

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from openocpp.chargepoint.context import ChargePointContext
    from openocpp.chargepoint.security_events import SecurityEventManager

log = logging.getLogger("openocpp.chargepoint")

MAX_VALUE = 500  # characters of a value (1.6 §7.29)


class ConfigurationManager:
    """Reads and changes configuration keys for the central system, and tells the managers what has changed.

    ``reconnect`` is asked for when a change concerns the connection itself.
    """

    def __init__(
        self,
        ctx: ChargePointContext,
        security: SecurityEventManager,
        managers: Iterable[object],
        reconnect: Callable[[], None],
    ) -> None:
        self.ctx = ctx
        self._security = security
        self._watchers = watchers_of(managers)
        self._reconnect = reconnect

    @handles(GetConfigurationReq)
    def get_configuration(self, request: GetConfigurationReq) -> GetConfigurationConf:
        """1.6 §5.8: no key means all keys. Values of write-only keys never leave."""
        asked = list(request.key or ())
        most = self.ctx.keys.get_configuration_max_keys
        if most > 0 and len(asked) > most:
            raise CallError(ErrorCode.PropertyConstraintViolation, f"key: at most {most} keys can be asked for at once")
        known = self._all()
        if not asked:
            return GetConfigurationConf(configuration_key=[self._shown(value) for value in known.values()])
        found = [(name, self._find(known, name)) for name in asked]
        return GetConfigurationConf(
            configuration_key=[self._shown(value) for _, value in found if value is not None],
            unknown_key=[name for name, value in found if value is None],
        )

    def _all(self) -> dict[str, KeyValue]:
        """Every key there is, by its folded name."""
        return {fold(value.key): value for value in self.ctx.keys.get_configuration([]).values}

    @staticmethod
    def _find(known: dict[str, KeyValue], name: str) -> KeyValue | None:
        """The key of this name in any case, and in any spelling of the standard.

        So an application that compares names exactly need not know how central systems write them.
        """
        key = find_key(name)
        spellings = [fold(name)] if key is None else [fold(key.name), *key.spellings]
        return next((known[spelling] for spelling in spellings if spelling in known), None)

    def _shown(self, value: KeyValue) -> KeyValue:
        key = find_key(value.key)
        if (key is not None and key.write_only) or is_secret_key(value.key):
            return KeyValue(key=value.key, readonly=value.readonly)
        if value.value is not None and len(value.value) > MAX_VALUE:
            log.warning("%s: the value of %s is cut to %d characters", self.ctx.name, value.key, MAX_VALUE)
            return KeyValue(key=value.key, readonly=value.readonly, value=value.value[:MAX_VALUE])
        return value

    @handles(ChangeConfigurationReq)
    def change_configuration(self, request: ChangeConfigurationReq) -> ChangeConfigurationConf | Reply:
        key = self._find(self._all(), request.key)
        status = ConfigurationStatus.NotSupported if key is None else self._change(key, request.value)
        log.info("%s: ChangeConfiguration %s: %s", self.ctx.name, request.key, status)
        confirmation = ChangeConfigurationConf(status=status)
        if key is None or status is not ConfigurationStatus.Accepted:
            return confirmation
        return Reply(confirmation, partial(self._changed, key.key))

    def _change(self, key: KeyValue, value: str) -> ConfigurationStatus:
        name = key.key
        if key.readonly:
            return ConfigurationStatus.Rejected
        problem = self._problem(name, value)
        if problem is not None:
            log.warning("%s: %s is not changed: %s", self.ctx.name, name, problem)
            return ConfigurationStatus.Rejected
        return self.ctx.keys.set_configuration(name, value)

    def _problem(self, name: str, value: str) -> str | None:
        """Why the stack refuses a value; None when it does not."""
        problem = check(name, value, self.ctx.keys, self._rules)
        if problem is None and fold(name) == "securityprofile":
            problem = self._profile_problem(int(value))
        return problem

    @property
    def _rules(self) -> Rules:
        return Rules(authorization_key_min_bytes=int(self.ctx.setting("authorization_key_min_bytes")))

    def _profile_problem(self, wanted: int) -> str | None:
        """SEC A05.FR.01, A05.FR.02: upwards only, and with what the profile needs."""
        current = self.ctx.keys.security_profile
        if wanted <= current:
            return f"a security profile above {current} is needed"
        if wanted > 1:
            return "security profiles 2 and 3 need TLS, which this version does not offer"
        problem = check("AuthorizationKey", self.ctx.keys.authorization_key, None, self._rules)
        return None if problem is None else "an AuthorizationKey that meets the requirements is needed first"

    def _changed(self, name: str) -> None:
        """The new value works from now on. The answer has left: the connection may go."""
        if self.ctx.stopping:
            return
        key = find_key(name)
        for watcher in self._watchers.get(fold(name if key is None else key.name), ()):
            watcher()
        if key is StandardKeys.authorization_key:
            self._reconfigured(key.name)
            if self.ctx.keys.security_profile < 3:  # else the password is not used
                self._reconnect()
        elif key is StandardKeys.security_profile:
            self._reconfigured(f"{key.name}: {self.ctx.keys.security_profile}")
            self._reconnect()

    def _reconfigured(self, what: str) -> None:
        self._security.log(SecurityEvents.RECONFIGURATION_OF_SECURITY_PARAMETERS, what)
