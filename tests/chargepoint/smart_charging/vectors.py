"""The vectors in tests/vectors/composite, read into the types of the package."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from openocpp.chargepoint.smart_charging import InstalledProfile, RunningTransaction, Situation
from openocpp.messages.codec import from_payload
from openocpp.messages.smart_charging import GetCompositeScheduleReq
from openocpp.types import ChargingProfile, ChargingSchedule, parse_datetime

FOLDER = Path(__file__).parent.parent.parent / "vectors" / "composite"


@dataclass(frozen=True)
class Vector:
    """One file."""

    name: str
    now: Any
    situation: Situation
    local_limits: dict[int, ChargingSchedule]
    requests: list[tuple[GetCompositeScheduleReq, dict[str, Any]]]

    def __str__(self) -> str:
        return self.name


def read(path: Path) -> Vector:
    content = json.loads(path.read_text(encoding="utf-8"))
    transactions = {
        each["connectorId"]: RunningTransaction(1000 + key, parse_datetime(each["started"]), each["transactionId"])
        for key, each in enumerate(content.get("transactions", []))
    }
    keys = {transaction.transaction_id: transaction.key for transaction in transactions.values()}
    profiles = []
    for each in content["profiles"]:
        profile = from_payload(ChargingProfile, each["chargingProfile"])
        key = None if profile.transaction_id is None else keys[profile.transaction_id]
        profiles.append(InstalledProfile(each["connectorId"], profile, key))
    requests = []
    for each in content["requests"]:
        response = each.pop("response")
        requests.append((from_payload(GetCompositeScheduleReq, each), response))
    return Vector(
        path.stem,
        parse_datetime(content["now"]),
        Situation(
            profiles=profiles,
            connectors=content["connectors"],
            transactions=transactions,
            operating_voltage=content["operatingVoltage"],
        ),
        {
            each["connectorId"]: from_payload(ChargingSchedule, each["chargingSchedule"])
            for each in content.get("localLimits", [])
        },
        requests,
    )


def read_all() -> list[Vector]:
    vectors = [read(path) for path in sorted(FOLDER.glob("*.json"))]
    assert len(vectors) >= 50
    return vectors
