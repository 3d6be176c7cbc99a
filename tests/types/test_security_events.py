"""The events of the standard, and which of them are critical or told (SEC §8)."""

from __future__ import annotations

from openocpp.types.security_events import SECURITY_EVENTS, SecurityEvents

# name: critical; told
TABLE = {
    "FirmwareUpdated": (True, True),
    "FailedToAuthenticateAtCentralSystem": (False, False),
    "CentralSystemFailedToAuthenticate": (False, False),
    "SettingSystemTime": (True, True),
    "StartupOfTheDevice": (True, True),
    "ResetOrReboot": (True, True),
    "SecurityLogWasCleared": (True, True),
    "ReconfigurationOfSecurityParameters": (False, False),
    "MemoryExhaustion": (True, True),
    "InvalidMessages": (False, False),
    "AttemptedReplayAttacks": (False, False),
    "TamperDetectionActivated": (True, True),
    "InvalidFirmwareSignature": (False, True),  # SEC L01.FR.03
    "InvalidFirmwareSigningCertificate": (False, True),  # SEC L01.FR.02
    "InvalidCentralSystemCertificate": (False, False),
    "InvalidChargePointCertificate": (False, False),
    "InvalidTLSVersion": (False, False),
    "InvalidTLSCipherSuite": (False, True),  # SEC A00.FR.318
}


def test_the_table() -> None:
    assert {name: tuple(rule) for name, rule in SECURITY_EVENTS.items()} == TABLE


def test_each_event_has_a_name_in_python() -> None:
    constants = {name: value for name, value in vars(SecurityEvents).items() if name.isupper()}
    assert sorted(constants.values()) == sorted(TABLE)
    for name, value in constants.items():
        assert name.replace("_", "") == value.upper()
    assert all(len(value) <= 50 for value in constants.values())
