"""Random instances are legal, various, and the same for the same seed."""

from __future__ import annotations

import random

import pytest

from openocpp.messages import BootNotificationReq, GetConfigurationReq, Iso15118AuthorizeReq
from openocpp.messages.codec import from_payload, to_payload
from openocpp.testing.instances import random_instance
from openocpp.types import ChargingSchedulePeriod, MeterValue
from openocpp.types.record import Record, fields_of
from tests.messages.wire_tables import MESSAGES


@pytest.mark.parametrize("name", sorted(MESSAGES))
def test_instances_are_legal(name: str) -> None:
    _, cls = MESSAGES[name]
    rng = random.Random(name)
    for _ in range(10):
        message = random_instance(cls, rng)
        assert from_payload(cls, to_payload(message)) == message


def test_the_same_seed_gives_the_same_instance() -> None:
    for cls in (BootNotificationReq, MeterValue):
        assert random_instance(cls, random.Random(7)) == random_instance(cls, random.Random(7))
        assert random_instance(cls, random.Random(7)) != random_instance(cls, random.Random(8))


def test_without_a_generator_they_differ() -> None:
    assert random_instance(BootNotificationReq) != random_instance(BootNotificationReq)


def test_minimal_and_maximal() -> None:
    rng = random.Random(1)
    small = random_instance(BootNotificationReq, rng, minimal=True)
    assert set(to_payload(small)) == {"chargePointVendor", "chargePointModel"}
    assert len(small.charge_point_vendor) == 1
    large = random_instance(BootNotificationReq, rng, maximal=True)
    assert len(to_payload(large)) == len(fields_of(BootNotificationReq))
    assert (len(large.charge_point_vendor), len(large.meter_type or "")) == (20, 25)
    with pytest.raises(ValueError, match="not both"):
        random_instance(BootNotificationReq, rng, minimal=True, maximal=True)


def test_lists() -> None:
    rng = random.Random(1)
    assert len(random_instance(MeterValue, rng, minimal=True).sampled_value) == 1
    assert len(random_instance(MeterValue, rng, maximal=True).sampled_value) == 4
    assert random_instance(GetConfigurationReq, rng, minimal=True).key is None
    hashes = random_instance(Iso15118AuthorizeReq, rng, maximal=True).iso15118_certificate_hash_data
    assert hashes is not None
    assert len(hashes) == 4


def test_every_optional_field_is_there_at_times() -> None:
    rng = random.Random(1)
    seen: set[str] = set()
    counts = set()
    for _ in range(200):
        payload = to_payload(random_instance(BootNotificationReq, rng))
        seen |= set(payload)
        counts.add(len(payload))
    assert seen == {field.wire for field in fields_of(BootNotificationReq)}
    assert len(counts) > 4


def test_numbers_keep_to_their_range() -> None:
    rng = random.Random(1)
    phases = {random_instance(ChargingSchedulePeriod, rng).number_phases for _ in range(200)}
    assert phases == {None, 1, 2, 3}


def test_a_record_alone_has_no_instance() -> None:
    with pytest.raises(TypeError):
        random_instance(Record)
