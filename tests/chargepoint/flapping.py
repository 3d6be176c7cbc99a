"""Charging over a link that is cut every few seconds: a day of it passes in a minute.

    python -m tests.chargepoint.flapping [seeds] [hours]

Two connectors charge one id tag after the other; some are refused by the central system. The link is cut, refused or
silent at random moments, with requests and answers under way. Whatever comes of it, every transaction must be accounted
for, and every reading told exactly once.
"""

from __future__ import annotations

import hashlib
import logging
import random
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from openocpp.testing import SimulatedRuntime
from openocpp.testing.conversation import ScriptedServer
from openocpp.types import AuthorizationStatus, Measurand, RegistrationStatus, SampledValue
from tests.chargepoint.accounts import problems, without_repeats
from tests.chargepoint.conftest import URL, RecordingHandler, Station
from tests.chargepoint.driving import ENERGY, Books, queued

if TYPE_CHECKING:
    from openocpp.types import Phase

HOUR = 3600.0
KEYS: dict[str, str | int] = {
    "MeterValueSampleInterval": 60,
    "MeterValuesSampledData": ENERGY,
    "StopTxnSampledData": "Current.Import",
    "ClockAlignedDataInterval": 900,
    "MeterValuesAlignedData": "Voltage",
    "StopTxnAlignedData": "",
    "WebSocketPingInterval": 5,
    "TransactionMessageRetryInterval": 5,
}
SENT = {Measurand.EnergyActiveImportRegister, Measurand.Voltage}  # by MeterValues; the others by StopTransaction


class Result(NamedTuple):
    """What a run has shown. ``repeats``: messages that came again, for their answers were lost.

    ``digest``: of all that the central system got, with its times. The same seed always gives the same one.
    """

    problems: list[str]
    cuts: int
    transactions: int
    messages: int
    repeats: int
    digest: str


class Meter(RecordingHandler):
    """Every reading has a number of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0
        self.readings: dict[bool, set[str]] = {True: set(), False: set()}  # by: does a MeterValues carry it?

    def get_meter_value(self, connector_id: int, measurand: Measurand, phase: Phase | None) -> list[SampledValue]:
        self.count += 1
        self.readings[measurand in SENT].add(str(self.count))
        return [SampledValue(value=str(self.count))]


class Day:
    """A station, its drivers and its link."""

    def __init__(self, sim: SimulatedRuntime, seed: int, hours: float, folder: str) -> None:
        self.sim = sim
        self.random = random.Random(seed)
        self.end = hours * HOUR
        self.books = Books(sim.clock.now)
        ScriptedServer(sim, URL, answers=self.books.answers, ping_interval=5)
        self.station = Station(sim, str(Path(folder) / "cp.db"), KEYS, retry_interval_max=4.0)
        self.meter = Meter()
        self.station.handler = self.meter
        self.station.cp = self.station.create()
        self.begun: list[str] = []
        self.cuts = 0

    @property
    def is_over(self) -> bool:
        return self.sim.clock.now() >= self.end

    def run(self) -> Result:
        self.station.cp.start()
        self.wait_ready()
        users = [self.sim.user(lambda number=number: self.drive(number)) for number in (1, 2)]  # type: ignore[misc]
        users.append(self.sim.user(self.flap))
        for user in users:
            user.result(self.end + 10 * HOUR)
        self.sim.network.refuse(False)
        self.sim.network.heal()
        self.sim.network.delay = 0.0
        self.wait_ready()
        for connector_id in (1, 2):
            self.station.cp.stop_transaction(connector_id)
        self.sim.run_until(lambda: not queued(self.station), HOUR, 1.0)
        self.station.cp.stop()
        return self.result()

    def wait_ready(self) -> None:
        accepted = RegistrationStatus.Accepted
        self.sim.run_until(
            lambda: self.station.cp.is_connected and self.station.cp.registration_status is accepted, 600
        )

    def drive(self, connector_id: int) -> None:
        """Start and stop at moments that are no moments of readings: those of the stop come half a second off."""
        number = 0
        while not self.is_over:
            self.sim.sleep(self.random.randint(1, 300) + self.sim.clock.now() // 1 + 1 - self.sim.clock.now())
            number += 1
            tag = f"{connector_id}-{number}"
            if self.random.random() < 0.1:
                self.books.verdicts[tag] = "Blocked"
            status = self.station.cp.start_transaction(connector_id, tag)
            if status is AuthorizationStatus.Invalid:  # the one before is just being stopped, for its tag was refused
                continue
            self.begun.append(tag)
            self.sim.sleep(self.random.randint(10, 1800) + self.sim.clock.now() // 1 + 1.5 - self.sim.clock.now())
            self.station.cp.stop_transaction(connector_id, tag)

    def flap(self) -> None:
        network = self.sim.network
        while not self.is_over:
            network.delay = self.random.choice([0.0, 0.01, 0.3, 0.8])
            self.sim.sleep(self.random.expovariate(1 / 7))
            self.cuts += 1
            kind = self.random.random()
            if kind < 0.1:
                network.drop()
                self.sim.sleep(self.random.uniform(0, 30))
                network.heal()
            else:
                network.refuse(kind < 0.3)
                network.cut()
                self.sim.sleep(self.random.uniform(0, 20) if kind < 0.3 else 0.0)
                network.refuse(False)

    def result(self) -> Result:
        received, ids = self.books.received, self.books.ids
        queue = without_repeats(received)
        found = problems(received, ids, self.begun, self.begun)
        if len(ids) != len(self.begun):
            found.append(f"{len(self.begun)} transactions were begun, {len(ids)} told")
        if received[0].action != "BootNotification":
            found.append(f"{received[0].action} came before BootNotification")
        for by_meter_values in (True, False):
            told = [
                sample["value"]
                for entry in queue
                for value in entry.payload.get("meterValue" if by_meter_values else "transactionData", [])
                for sample in value["sampledValue"]
            ]
            read = self.meter.readings[by_meter_values]
            if sorted(told) != sorted(read):
                found.append(f"{len(told)} readings told, {len(read)} taken: {sorted(read ^ set(told))[:10]}")
        came = len(self.books.of("StartTransaction", "StopTransaction", "MeterValues"))
        digest = hashlib.sha256(repr(received).encode()).hexdigest()
        return Result(found, self.cuts, len(self.begun), len(queue), came - len(queue), digest)


def flap(seed: int, hours: float) -> Result:
    """Live through it once."""
    with SimulatedRuntime(seed=seed) as sim, tempfile.TemporaryDirectory() as folder:
        return Day(sim, seed, hours, folder).run()


def main(seeds: int = 20, hours: float = 24.0) -> int:
    logging.disable(logging.ERROR)
    failed = 0
    for seed in range(1, seeds + 1):
        began = time.perf_counter()
        result = flap(seed, hours)
        print(
            f"seed {seed}: {hours:g} h, {result.cuts} cuts, {result.transactions} transactions, {result.messages}"
            f" messages, {result.repeats} of them again: {len(result.problems)} problems"
            f" ({time.perf_counter() - began:.0f} s)",
            flush=True,
        )
        for problem in result.problems[:10]:
            print(f"    {problem}")
        failed += bool(result.problems)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:2]), *map(float, sys.argv[2:3])))
