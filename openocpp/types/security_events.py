"""The security events that the standard names (SEC §8).

Threads: any.
"""

from __future__ import annotations

from typing import Final, NamedTuple


class SecurityEvents:
    """Names of security events. Vendors may use others, of up to 50 characters."""

    FIRMWARE_UPDATED: Final = "FirmwareUpdated"
    FAILED_TO_AUTHENTICATE_AT_CENTRAL_SYSTEM: Final = "FailedToAuthenticateAtCentralSystem"
    CENTRAL_SYSTEM_FAILED_TO_AUTHENTICATE: Final = "CentralSystemFailedToAuthenticate"
    SETTING_SYSTEM_TIME: Final = "SettingSystemTime"
    STARTUP_OF_THE_DEVICE: Final = "StartupOfTheDevice"
    RESET_OR_REBOOT: Final = "ResetOrReboot"
    SECURITY_LOG_WAS_CLEARED: Final = "SecurityLogWasCleared"
    RECONFIGURATION_OF_SECURITY_PARAMETERS: Final = "ReconfigurationOfSecurityParameters"
    MEMORY_EXHAUSTION: Final = "MemoryExhaustion"
    INVALID_MESSAGES: Final = "InvalidMessages"
    ATTEMPTED_REPLAY_ATTACKS: Final = "AttemptedReplayAttacks"
    TAMPER_DETECTION_ACTIVATED: Final = "TamperDetectionActivated"
    INVALID_FIRMWARE_SIGNATURE: Final = "InvalidFirmwareSignature"
    INVALID_FIRMWARE_SIGNING_CERTIFICATE: Final = "InvalidFirmwareSigningCertificate"
    INVALID_CENTRAL_SYSTEM_CERTIFICATE: Final = "InvalidCentralSystemCertificate"
    INVALID_CHARGE_POINT_CERTIFICATE: Final = "InvalidChargePointCertificate"
    INVALID_TLS_VERSION: Final = "InvalidTLSVersion"
    INVALID_TLS_CIPHER_SUITE: Final = "InvalidTLSCipherSuite"


class SecurityEventRule(NamedTuple):
    """``critical`` as the table says; ``notified`` also where a requirement asks for it beside the table."""

    critical: bool
    notified: bool


_CRITICAL = SecurityEventRule(True, True)
_QUIET = SecurityEventRule(False, False)
_TOLD = SecurityEventRule(False, True)  # SEC L01.FR.02, L01.FR.03, A00.FR.318

SECURITY_EVENTS: Final = {
    SecurityEvents.FIRMWARE_UPDATED: _CRITICAL,
    SecurityEvents.FAILED_TO_AUTHENTICATE_AT_CENTRAL_SYSTEM: _QUIET,
    SecurityEvents.CENTRAL_SYSTEM_FAILED_TO_AUTHENTICATE: _QUIET,
    SecurityEvents.SETTING_SYSTEM_TIME: _CRITICAL,
    SecurityEvents.STARTUP_OF_THE_DEVICE: _CRITICAL,
    SecurityEvents.RESET_OR_REBOOT: _CRITICAL,
    SecurityEvents.SECURITY_LOG_WAS_CLEARED: _CRITICAL,
    SecurityEvents.RECONFIGURATION_OF_SECURITY_PARAMETERS: _QUIET,
    SecurityEvents.MEMORY_EXHAUSTION: _CRITICAL,
    SecurityEvents.INVALID_MESSAGES: _QUIET,
    SecurityEvents.ATTEMPTED_REPLAY_ATTACKS: _QUIET,
    SecurityEvents.TAMPER_DETECTION_ACTIVATED: _CRITICAL,
    SecurityEvents.INVALID_FIRMWARE_SIGNATURE: _TOLD,
    SecurityEvents.INVALID_FIRMWARE_SIGNING_CERTIFICATE: _TOLD,
    SecurityEvents.INVALID_CENTRAL_SYSTEM_CERTIFICATE: _QUIET,
    SecurityEvents.INVALID_CHARGE_POINT_CERTIFICATE: _QUIET,
    SecurityEvents.INVALID_TLS_VERSION: _QUIET,
    SecurityEvents.INVALID_TLS_CIPHER_SUITE: _TOLD,
}
