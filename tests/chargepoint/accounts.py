"""Were all transactions accounted for: each exactly once, complete, in order?"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tests.chargepoint.driving import Received

QUEUED = ("StartTransaction", "StopTransaction", "MeterValues")


def stamp_of(action: str, payload: dict[str, Any]) -> str:
    """When it happened, as the message says."""
    stamp: str = payload["meterValue"][0]["timestamp"] if action == "MeterValues" else payload["timestamp"]
    return stamp


def without_repeats(received: Iterable[Received]) -> list[Received]:
    """The messages of the queue; one that came again because its answer did not reach the charge point counts once.

    Only the last one may come again: what was answered and followed by another one was removed.
    """
    kept: list[Received] = []
    for entry in received:
        if entry.action in QUEUED and not (kept and kept[-1][1:] == entry[1:]):
            kept.append(entry)
    return kept


def problems(
    received: Sequence[Received], ids: dict[str, int], begun: Iterable[str], ended: Iterable[str]
) -> list[str]:
    """What is wrong with the messages that a central system got; nothing, if all is well.

    ``ids``: by the content of a StartTransaction. ``begun`` and ``ended``: the id tags, each used once, whose start and
    stop the charge point has confirmed to its application.
    """
    found: list[str] = []
    queue = without_repeats(received)
    texts = [json.dumps([entry.action, entry.payload], sort_keys=True) for entry in queue]
    found += [f"told twice: {text}" for text in sorted({text for text in texts if texts.count(text) > 1})]
    stamps = [stamp_of(entry.action, entry.payload) for entry in queue]
    found += [f"{texts[at]} came after {before}" for at, before in enumerate(stamps[:-1], 1) if stamps[at] < before]
    tags = {number: json.loads(content)["idTag"] for content, number in ids.items()}
    return found + _lives(queue, ids, tags) + _missing(queue, tags, begun, ended)


def _lives(queue: Sequence[Received], ids: dict[str, int], tags: dict[int, str]) -> list[str]:
    """Each transaction: start, meter values, one stop; on each connector one after the other."""
    found: list[str] = []
    running: dict[int, int] = {}  # the transaction of each connector
    for entry in queue:
        if entry.action == "StartTransaction":
            connector_id = entry.payload["connectorId"]
            if connector_id in running:
                found.append(f"{entry.payload['idTag']} begins while {tags[running[connector_id]]} runs")
            running[connector_id] = ids[json.dumps(entry.payload, sort_keys=True)]
        elif "transactionId" in entry.payload:
            number = entry.payload["transactionId"]
            on = [connector for connector, other in running.items() if other == number]
            if not on:
                found.append(f"{entry.action} of {number} ({tags.get(number)}), which does not run")
            elif entry.action == "StopTransaction":
                del running[on[0]]
            elif entry.payload["connectorId"] != on[0]:
                found.append(f"meter values of connector {entry.payload['connectorId']} for {tags[number]}")
    return found


def _missing(queue: Sequence[Received], tags: dict[int, str], begun: Iterable[str], ended: Iterable[str]) -> list[str]:
    starts = [entry.payload["idTag"] for entry in queue if entry.action == "StartTransaction"]
    stops = [tags.get(entry.payload["transactionId"]) for entry in queue if entry.action == "StopTransaction"]
    found = [f"the start of {tag} was told {starts.count(tag)} times" for tag in begun if starts.count(tag) != 1]
    return found + [f"the stop of {tag} was told {stops.count(tag)} times" for tag in ended if stops.count(tag) != 1]
