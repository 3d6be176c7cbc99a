"""A charge point that is killed in the middle of an update of its local list: ``DATABASE Full|Differential``.

It stores list version 1, with 60 id tags, then dies at the 30th id tag of version 2.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING, Any

from openocpp.store import local_list
from openocpp.testing import SimulatedRuntime
from tests.chargepoint.conftest import CentralSide, Station, online

if TYPE_CHECKING:
    from openocpp.store.id_tags import IdTagRow

FATAL = "NEW029"


class Bomb:
    """A value that ends the process when SQLite asks what it is: the statement before it was carried out."""

    def __conform__(self, protocol: object) -> str:
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError("still alive")


def entries(prefix: str) -> list[dict[str, Any]]:
    return [{"idTag": f"{prefix}{number:03}", "idTagInfo": {"status": "Accepted"}} for number in range(60)]


def main(database: str, update_type: str) -> None:
    usual = local_list.COLUMNS.values

    def values(row: IdTagRow) -> list[Any]:
        return [Bomb() if value == FATAL else value for value in usual(row)]

    local_list.COLUMNS.values = values  # type: ignore[method-assign]
    with SimulatedRuntime() as sim:
        peer = online(Station(sim, database), CentralSide(sim))
        full = {"listVersion": 1, "updateType": "Full", "localAuthorizationList": entries("OLD")}
        peer.call("SendLocalList", full).result({"status": "Accepted"})
        print("stored", flush=True)
        changed = {"listVersion": 2, "updateType": update_type, "localAuthorizationList": entries("NEW")}
        peer.call("SendLocalList", changed).result()
        print("survived", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
