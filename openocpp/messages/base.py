"""Requests, confirmations and the registry of all actions.

A message is declared once, as a dataclass (see ``openocpp.types.record``). The request names its confirmation as the
parameter of its base, so that ``call(ReserveNowReq(...))`` has the type ``ReserveNowConf``:

    class ReserveNowReq(Request[ReserveNowConf], sent_by=Role.CENTRAL_SYSTEM, profile=..., section="1.6 §5.13"): ...

``ACTIONS`` holds the 39 actions that travel as CALLs, ``PNC_ACTIONS`` the nine messages that travel inside DataTransfer
(PNC chapter 2), by their name on the wire. Both are complete once ``openocpp.messages`` is imported.

Threads: any; the registries are filled while the modules are imported.
"""

from __future__ import annotations

import typing
from dataclasses import dataclass
from enum import auto
from typing import Any, ClassVar, Generic, TypeVar

from openocpp.types.base import OcppEnum
from openocpp.types.enums import FeatureProfile
from openocpp.types.record import Record


class Role(OcppEnum):
    """Who sends a request. The local controller is the other side to either."""

    CHARGE_POINT = auto()
    CENTRAL_SYSTEM = auto()
    BOTH = auto()


class Confirmation(Record):
    """Base of all confirmations. ``request`` is the message it answers."""

    request: ClassVar[type[Request[Any]]]
    profile: ClassVar[FeatureProfile] = FeatureProfile.Core


C = TypeVar("C", bound=Confirmation)
C_co = TypeVar("C_co", bound=Confirmation, covariant=True)


@dataclass(frozen=True, slots=True)
class ActionInfo:
    """What is known of an action. ``section`` cites the standard."""

    action: str
    request: type[Request[Any]]
    confirmation: type[Confirmation]
    sent_by: Role
    profile: FeatureProfile
    section: str

    def may_be_sent_by(self, role: Role) -> bool:
        """May this role send the request? Then the other one handles it."""
        return self.sent_by is Role.BOTH or self.sent_by is role


ACTIONS: dict[str, ActionInfo] = {}
PNC_ACTIONS: dict[str, ActionInfo] = {}


class Request(Record, Generic[C_co]):
    """Base of all requests. A class that gives ``sent_by`` is a message and enters the registry."""

    action: ClassVar[str]
    confirmation: ClassVar[type[Confirmation]]
    sent_by: ClassVar[Role]
    profile: ClassVar[FeatureProfile]
    section: ClassVar[str]

    def __init_subclass__(
        cls,
        *,
        sent_by: Role | None = None,
        profile: FeatureProfile = FeatureProfile.Core,
        section: str = "",
        **arguments: Any,
    ) -> None:
        super().__init_subclass__(**arguments)
        if sent_by is None:
            return
        name = cls.__name__.removesuffix("Req")
        tunnelled = profile is FeatureProfile.Iso15118
        cls.action = name.removeprefix("Iso15118") if tunnelled else name
        cls.confirmation = _confirmation_of(cls)
        cls.confirmation.request, cls.confirmation.profile = cls, profile
        cls.sent_by, cls.profile, cls.section = sent_by, profile, section
        registry = PNC_ACTIONS if tunnelled else ACTIONS
        if cls.action in registry:
            raise TypeError(f"{cls.action} is declared twice")
        registry[cls.action] = ActionInfo(cls.action, cls, cls.confirmation, sent_by, profile, section)


def _confirmation_of(cls: type[Request[Any]]) -> type[Confirmation]:
    for base in getattr(cls, "__orig_bases__", ()):
        if typing.get_origin(base) is Request:
            (confirmation,) = typing.get_args(base)
            if isinstance(confirmation, type) and issubclass(confirmation, Confirmation):
                return confirmation
    raise TypeError(f"{cls.__name__}: derive it from Request[...] with its confirmation")
