"""The settings of each role: frozen dataclasses with the documented defaults, and the checks before a role is made.

Each field is the one place where its INI key, kind, default and meaning stand. Fields of the additional settings are
marked ``optional``: an object of the user's own may lack them, so the stack reads them with ``setting``.

Threads: any; the dataclasses are immutable.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from openocpp.config.setting import (
    BOOLEAN,
    MILLISECONDS,
    PATH,
    SECONDS,
    TEXT,
    TIMEOUT,
    VALIDATE_ALL,
    VALIDATION,
    VOLTS,
    about,
    check_settings,
    count,
    settings_of,
    text,
    url,
)
from openocpp.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from openocpp.config.interface import ICentralSystemConfig, IChargePointConfig, ILocalControllerConfig

HASH_TYPES = ("sha256", "sha384", "sha512")
KEY_TYPES = ("ec", "rsa")
CURVES = (
    "prime256v1",
    "secp256k1",
    "secp384r1",
    "secp521r1",
    "brainpoolP256t1",
    "brainpoolP384t1",
    "brainpoolP512t1",
)
DUPLICATES = ("newest", "oldest", "application")
CERTIFICATE_TRUST = ("installed", "self_contained")

_BYTES = count(1024, unit="bytes", accepted="a whole number from 1024")
_ENTRIES = count(unit="entries")
_WORKERS = count(1, 1000, unit="threads", accepted="a whole number from 1 to 1000")
_WS_URL = url("ws", "wss")

# fmt: off


@dataclass(frozen=True, kw_only=True)
class CommonConfig:
    """What all roles have."""

    database_path: str = field(default="", metadata=about(
        "DatabasePath", PATH, "SQLite file; empty = nothing is kept across restarts"))
    json_schemas_path: str = field(default="", metadata=about(
        "JsonSchemasPath", PATH, "folder of the JSON schemas; empty = those of the package"))
    call_request_timeout: float = field(default=2.0, metadata=about(
        "CallRequestTimeout", TIMEOUT, "how long the answer to a CALL may take"))
    tlsv12_cipher_list: str = field(default="", metadata=about(
        "Tlsv12CipherList", TEXT, "ciphers of TLS 1.2 as OpenSSL lists them; empty = the stack's choice"))
    tlsv13_cipher_list: str = field(default="", metadata=about(
        "Tlsv13CipherList", TEXT, "cipher suites of TLS 1.3; empty = the stack's choice"))
    log_max_entries_count: int = field(default=2000, metadata=about(
        "LogMaxEntriesCount", _ENTRIES, "log lines kept in the database; 0 = none"))
    message_validation: Mapping[str, str] = field(default_factory=lambda: VALIDATE_ALL, metadata=about(
        "MessageValidation", VALIDATION, "what a message of the peer that breaks the standard leads to, per action: "
        "strict = a CALLERROR, log = a warning, off = nothing", optional=True))
    max_message_size: int = field(default=1 << 20, metadata=about(
        "MaxMessageSize", _BYTES, "longest message that is read", optional=True))
    max_output_buffer: int = field(default=1 << 20, metadata=about(
        "MaxOutputBuffer", _BYTES, "most that waits to be sent on a connection", optional=True))
    max_queued_calls: int = field(default=32, metadata=about(
        "MaxQueuedCalls", count(1, unit="CALLs", accepted="a whole number from 1"),
        "most CALLs of a peer that wait for their handler, per connection", optional=True))
    tls_groups: str = field(default="", metadata=about(
        "TlsGroups", TEXT, "groups offered in TLS as OpenSSL lists them; empty = the library's", optional=True))


@dataclass(frozen=True, kw_only=True)
class ChargePointConfig(CommonConfig):
    """The settings of a charge point; meets ``IChargePointConfig``. Durations in seconds."""

    connexion_url: str = field(metadata=about(
        "ConnexionUrl", _WS_URL, "endpoint of the central system, without the charge point's identity"))
    charge_point_identifier: str = field(metadata=about(
        "ChargePointIdentifier", text(may_be_empty=False), "identity: end of the URL and user name"))
    connection_timeout: float = field(default=2.0, metadata=about(
        "ConnectionTimeout", TIMEOUT, "how long connecting may take, TLS and upgrade included"))
    retry_interval: float = field(default=1.0, metadata=about(
        "RetryInterval", MILLISECONDS, "wait before connecting again, doubled each time; 0 = do not"))
    charge_box_serial_number: str = field(default="", metadata=about(
        "ChargeBoxSerialNumber", TEXT, "BootNotification (deprecated by the standard); 25 characters are sent"))
    charge_point_model: str = field(default="openocpp", metadata=about(
        "ChargePointModel", text(may_be_empty=False), "BootNotification; 20 characters are sent"))
    charge_point_serial_number: str = field(default="", metadata=about(
        "ChargePointSerialNumber", TEXT, "BootNotification, 25 characters are sent; CN of its certificate requests"))
    charge_point_vendor: str = field(default="openocpp", metadata=about(
        "ChargePointVendor", text(may_be_empty=False), "BootNotification; 20 characters are sent"))
    firmware_version: str = field(default="", metadata=about(
        "FirmwareVersion", TEXT, "BootNotification; 50 characters are sent"))
    iccid: str = field(default="", metadata=about("Iccid", TEXT, "BootNotification; 20 characters are sent"))
    imsi: str = field(default="", metadata=about("Imsi", TEXT, "BootNotification; 20 characters are sent"))
    meter_serial_number: str = field(default="", metadata=about(
        "MeterSerialNumber", TEXT, "BootNotification; 25 characters are sent"))
    meter_type: str = field(default="", metadata=about(
        "MeterType", TEXT, "BootNotification; 25 characters are sent"))
    operating_voltage: float = field(default=230.0, metadata=about(
        "OperatingVoltage", VOLTS, "voltage between phase and neutral, to convert A and W"))
    authent_cache_max_entries_count: int = field(default=1000, metadata=about(
        "AuthentCacheMaxEntriesCount", _ENTRIES, "most id tags in the authorization cache"))
    tls_server_certificate_ca: str = field(default="", metadata=about(
        "TlsServerCertificateCa", PATH, "CA certificates for the central system's certificate (PEM)"))
    tls_client_certificate: str = field(default="", metadata=about(
        "TlsClientCertificate", PATH, "the charge point's certificate, chain allowed (PEM)"))
    tls_client_certificate_private_key: str = field(default="", metadata=about(
        "TlsClientCertificatePrivateKey", PATH, "its private key (PEM)"))
    tls_client_certificate_private_key_passphrase: str = field(default="", repr=False, metadata=about(
        "TlsClientCertificatePrivateKeyPassphrase", TEXT,
        "passphrase of that key; also encrypts the keys that the stack makes itself", secret=True))
    tls_allow_self_signed_certificates: bool = field(default=False, metadata=about(
        "TlsAllowSelfSignedCertificates", BOOLEAN, "for tests: accept a self-signed certificate"))
    tls_allow_expired_certificates: bool = field(default=False, metadata=about(
        "TlsAllowExpiredCertificates", BOOLEAN, "for tests: accept an expired certificate"))
    tls_accept_non_trusted_certificates: bool = field(default=False, metadata=about(
        "TlsAcceptNonTrustedCertificates", BOOLEAN, "for tests: accept a certificate of an unknown issuer"))
    tls_skip_server_name_check: bool = field(default=False, metadata=about(
        "TlsSkipServerNameCheck", BOOLEAN, "for tests: accept a certificate of another host"))
    internal_certificate_management_enabled: bool = field(default=True, metadata=about(
        "InternalCertificateManagementEnabled", BOOLEAN, "certificates are kept by the stack, not by the application"))
    security_event_notification_enabled: bool = field(default=True, metadata=about(
        "SecurityEventNotificationEnabled", BOOLEAN, "critical security events are sent"))
    security_log_max_entries_count: int = field(default=1000, metadata=about(
        "SecurityLogMaxEntriesCount", _ENTRIES, "security events kept in the database; 0 = the application keeps them"))
    client_certificate_request_hash_type: str = field(default="sha256", metadata=about(
        "ClientCertificateRequestHashType", text(may_be_empty=False, choices=HASH_TYPES),
        "digest of certificate requests"))
    client_certificate_request_key_type: str = field(default="ec", metadata=about(
        "ClientCertificateRequestKeyType", text(may_be_empty=False, choices=KEY_TYPES), "kind of new private keys"))
    client_certificate_request_rsa_key_length: int = field(default=4096, metadata=about(
        "ClientCertificateRequestRsaKeyLength",
        count(2048, 16384, unit="bits", accepted="a whole number from 2048 to 16384"), "size of new RSA keys"))
    client_certificate_request_ec_curve: str = field(default="prime256v1", metadata=about(
        "ClientCertificateRequestEcCurve", text(may_be_empty=False, choices=CURVES), "curve of new EC keys"))
    client_certificate_request_subject_country: str = field(default="", metadata=about(
        "ClientCertificateRequestSubjectCountry",
        text(pattern="[A-Za-z]{2}", accepted="a country code of two letters, or nothing"),
        "C of certificate requests; empty = left out"))
    client_certificate_request_subject_state: str = field(default="", metadata=about(
        "ClientCertificateRequestSubjectState", TEXT, "ST of certificate requests; empty = left out"))
    client_certificate_request_subject_location: str = field(default="", metadata=about(
        "ClientCertificateRequestSubjectLocation", TEXT, "L of certificate requests; empty = left out"))
    client_certificate_request_subject_organization_unit: str = field(default="", metadata=about(
        "ClientCertificateRequestSubjectOrganizationUnit", TEXT, "OU of certificate requests; empty = left out"))
    client_certificate_request_subject_email: str = field(default="", metadata=about(
        "ClientCertificateRequestSubjectEmail", TEXT, "emailAddress of certificate requests; empty = left out"))
    retry_interval_max: float = field(default=60.0, metadata=about(
        "RetryIntervalMax", MILLISECONDS, "longest wait before connecting again; as RetryInterval = always the same",
        optional=True))
    proxy_url: str = field(default="", repr=False, metadata=about(
        "ProxyUrl", url("http", may_be_empty=True), "HTTP proxy to connect through, http://[user:password@]host:port; "
        "empty = none, the environment is not read", optional=True, secret=True))
    security_profile_fallback_attempts: int = field(default=3, metadata=about(
        "SecurityProfileFallbackAttempts", count(unit="attempts"),
        "failed connections after which a new security profile is given up; 0 = never", optional=True))
    tls_tolerance_in_secure_profiles: bool = field(default=False, metadata=about(
        "TlsToleranceInSecureProfiles", BOOLEAN, "for test benches: the four flags above work in security profiles 2 "
        "and 3 too", optional=True))
    authorization_key_min_bytes: int = field(default=16, metadata=about(
        "AuthorizationKeyMinBytes", count(1, 20, unit="bytes", accepted="a whole number from 1 to 20"),
        "shortest AuthorizationKey that is accepted; the standard says 16", optional=True))
    certificate_signed_trust: str = field(default="installed", metadata=about(
        "CertificateSignedTrust", text(may_be_empty=False, choices=CERTIFICATE_TRUST),
        "which root a new charge point certificate needs: an installed one, or one in its own message", optional=True))
    signed_firmware_only: bool = field(default=False, metadata=about(
        "SignedFirmwareOnly", BOOLEAN, "refuse UpdateFirmware without signature", optional=True))
    firmware_signature_strict: bool = field(default=False, metadata=about(
        "FirmwareSignatureStrict", BOOLEAN, "firmware signatures of the whitepaper's algorithms only", optional=True))
    id_token_as_object: bool = field(default=False, metadata=about(
        "IdTokenAsObject", BOOLEAN, "write idToken of a Plug & Charge Authorize as an object", optional=True))


@dataclass(frozen=True, kw_only=True)
class CentralSystemConfig(CommonConfig):
    """The settings of a central system; meets ``ICentralSystemConfig``. Durations in seconds."""

    listen_url: str = field(metadata=about(
        "ListenUrl", url("ws", "wss", listening=True), "address, port and path to listen on; host * = all addresses"))
    web_socket_ping_interval: float = field(default=30.0, metadata=about(
        "WebSocketPingInterval", SECONDS, "idle time after which a connection is pinged; after twice that time it is "
        "taken for dead; 0 = never"))
    boot_notification_retry_interval: int = field(default=30, metadata=about(
        "BootNotificationRetryInterval", count(unit="s"),
        "interval in the answer to a BootNotification that is Pending or Rejected"))
    heartbeat_interval: int = field(default=3600, metadata=about(
        "HeartbeatInterval", count(unit="s"), "interval in the answer to an accepted BootNotification"))
    http_basic_authent: bool = field(default=False, metadata=about(
        "HttpBasicAuthent", BOOLEAN, "charge points must send a password"))
    tls_ecdh_curve: str = field(default="", metadata=about(
        "TlsEcdhCurve", TEXT, "curve of the key exchange as OpenSSL names it; empty = the library's choice"))
    tls_server_certificate: str = field(default="", metadata=about(
        "TlsServerCertificate", PATH, "the server's certificate, chain allowed (PEM)"))
    tls_server_certificate_private_key: str = field(default="", metadata=about(
        "TlsServerCertificatePrivateKey", PATH, "its private key (PEM)"))
    tls_server_certificate_private_key_passphrase: str = field(default="", repr=False, metadata=about(
        "TlsServerCertificatePrivateKeyPassphrase", TEXT, "passphrase of that key", secret=True))
    tls_server_certificate_ca: str = field(default="", metadata=about(
        "TlsServerCertificateCa", PATH, "CA certificates for the charge points' certificates (PEM)"))
    tls_client_certificate_authent: bool = field(default=False, metadata=about(
        "TlsClientCertificateAuthent", BOOLEAN, "charge points must show a valid certificate"))
    incoming_requests_from_cp_thread_pool_size: int = field(default=16, metadata=about(
        "IncomingRequestsFromCpThreadPoolSize", _WORKERS, "CALLs of charge points that are handled at once"))
    iso15118_pnc_enabled: bool = field(default=False, metadata=about(
        "Iso15118PnCEnabled", BOOLEAN, "Plug & Charge messages are read out of DataTransfer"))
    handshake_timeout: float = field(default=10.0, metadata=about(
        "HandshakeTimeout", TIMEOUT, "how long a connection may take from TCP to websocket", optional=True))
    duplicate_connection: str = field(default="newest", metadata=about(
        "DuplicateConnection", text(may_be_empty=False, choices=DUPLICATES),
        "which connection stays when an identity connects twice; application = both", optional=True))
    cpo_name: str = field(default="", metadata=about(
        "CpoName", TEXT, "O that the charge points' certificates must have; empty = any", optional=True))
    accept_without_subprotocol: bool = field(default=False, metadata=about(
        "AcceptWithoutSubprotocol", BOOLEAN, "accept charge points that do not offer ocpp1.6", optional=True))
    require_boot_notification: bool = field(default=False, metadata=about(
        "RequireBootNotification", BOOLEAN, "other CALLs are refused before an accepted BootNotification",
        optional=True))
    max_handshakes: int = field(default=1024, metadata=about(
        "MaxHandshakes", count(1, unit="connections", accepted="a whole number from 1"),
        "connections on their way to a websocket, in all", optional=True))
    max_handshakes_per_address: int = field(default=256, metadata=about(
        "MaxHandshakesPerAddress", count(1, unit="connections", accepted="a whole number from 1"),
        "the same, per address", optional=True))
    max_connections_per_address: int = field(default=0, metadata=about(
        "MaxConnectionsPerAddress", count(unit="connections"),
        "established connections per address; 0 = no limit", optional=True))
    authentication_failures_per_minute: int = field(default=10, metadata=about(
        "AuthenticationFailuresPerMinute", count(unit="failures"),
        "after so many failed authentications an address is refused for a minute; 0 = never", optional=True))


@dataclass(frozen=True, kw_only=True)
class LocalControllerConfig(CentralSystemConfig):
    """The settings of a local controller; meets ``ILocalControllerConfig``. Durations in seconds.

    ``connexion_url`` and ``tls_client_...`` are for the application, which passes them to ``connect``.
    """

    boot_notification_retry_interval: int = field(default=0, metadata=about(
        "BootNotificationRetryInterval", count(unit="s"), "as for a central system, where it answers itself"))
    heartbeat_interval: int = field(default=0, metadata=about(
        "HeartbeatInterval", count(unit="s"), "as for a central system, where it answers itself"))
    incoming_requests_from_cp_thread_pool_size: int = field(default=4, metadata=about(
        "IncomingRequestsFromCpThreadPoolSize", _WORKERS, "CALLs of charge points that are handled at once"))
    incoming_requests_from_cs_thread_pool_size: int = field(default=4, metadata=about(
        "IncomingRequestsFromCsThreadPoolSize", _WORKERS, "CALLs of the central system that are handled at once"))
    disconnect_from_cp_when_cs_disconnected: bool = field(default=True, metadata=about(
        "DisconnectFromCpWhenCsDisconnected", BOOLEAN, "a charge point is disconnected when its central system is"))
    connexion_url: str = field(default="", metadata=about(
        "ConnexionUrl", url("ws", "wss", may_be_empty=True), "endpoint of the central system", optional=True))
    tls_client_certificate: str = field(default="", metadata=about(
        "TlsClientCertificate", PATH, "certificate towards the central system (PEM)", optional=True))
    tls_client_certificate_private_key: str = field(default="", metadata=about(
        "TlsClientCertificatePrivateKey", PATH, "its private key (PEM)", optional=True))
    tls_client_certificate_private_key_passphrase: str = field(default="", repr=False, metadata=about(
        "TlsClientCertificatePrivateKeyPassphrase", TEXT, "passphrase of that key", optional=True, secret=True))

# fmt: on


@functools.cache
def _default(attribute: str) -> Any:
    for role in (ChargePointConfig, LocalControllerConfig):
        for known in settings_of(role).values():
            if known.attribute == attribute and known.optional:
                return known.default
    raise AttributeError(f"{attribute} is no additional setting: read it as an attribute")


def setting(config: object, attribute: str) -> Any:
    """The value of an additional setting: the object's own, or the default if it has no such attribute."""
    return getattr(config, attribute, _default(attribute))


def check_charge_point_config(config: IChargePointConfig, source: str = "") -> None:
    """ConfigError names the setting, its value and what is accepted. ``source``: where the settings come from."""
    check_settings(config, ChargePointConfig, source)
    _check_pair(
        "TlsClientCertificatePrivateKey",
        config.tls_client_certificate_private_key,
        config.tls_client_certificate,
        "TlsClientCertificate",
        source,
    )


def check_central_system_config(config: ICentralSystemConfig, source: str = "") -> None:
    """ConfigError names the setting, its value and what is accepted. ``source``: where the settings come from."""
    check_settings(config, CentralSystemConfig, source)
    _check_server_tls(config, source)


def check_local_controller_config(config: ILocalControllerConfig, source: str = "") -> None:
    """ConfigError names the setting, its value and what is accepted. ``source``: where the settings come from."""
    check_settings(config, LocalControllerConfig, source)
    _check_server_tls(config, source)


def _check_server_tls(config: ICentralSystemConfig, source: str) -> None:
    """What a server needs for TLS: its certificate and key, and a CA where it asks for certificates."""
    if not config.listen_url.startswith("wss:"):
        if config.tls_client_certificate_authent:
            raise ConfigError(
                "TlsClientCertificateAuthent", "needs TLS", accepted="true with a ListenUrl of wss://", source=source
            )
        return
    if not config.tls_server_certificate:
        raise ConfigError("TlsServerCertificate", "a ListenUrl of wss:// needs one", accepted="a path", source=source)
    _check_pair(
        "TlsServerCertificatePrivateKey",
        config.tls_server_certificate_private_key,
        config.tls_server_certificate,
        "TlsServerCertificate",
        source,
    )
    if config.tls_client_certificate_authent and not config.tls_server_certificate_ca:
        raise ConfigError(
            "TlsServerCertificateCa", "TlsClientCertificateAuthent needs one", accepted="a path", source=source
        )


def _check_pair(key: str, key_path: str, certificate_path: str, certificate: str, source: str) -> None:
    if certificate_path and not key_path:
        raise ConfigError(key, f"missing beside {certificate}", accepted="a path", source=source)
    if key_path and not certificate_path:
        raise ConfigError(certificate, f"missing beside {key}", accepted="a path", source=source)
