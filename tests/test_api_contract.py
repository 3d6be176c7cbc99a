"""What everything public is called, takes and gives: written here once more, and compared.

A member that is added is added here; one that changes is told in the change log.
"""

from __future__ import annotations

import abc
import dataclasses
import inspect
from enum import Enum
from typing import Any

import pytest

import openocpp

TABLES: dict[str, str] = {}

TABLES["IChargePoint"] = """
create(stack_config: IChargePointConfig, ocpp_config: IOcppConfig, events_handler: IChargePointEventsHandler,
       runtime: Runtime | None = None) -> IChargePoint
runtime: Runtime
registration_status: RegistrationStatus
is_connected: bool
last_connection_error: ConnectError | None
reset_data() -> bool
reset_connector_data() -> bool
start() -> bool
stop() -> bool
reconnect() -> bool
get_connector_status(connector_id: int) -> ChargePointStatus
transaction_id(connector_id: int) -> int | None
status_notification(connector_id: int, status: ChargePointStatus,
                    error_code: ChargePointErrorCode = ChargePointErrorCode.NoError, info: str | None = '',
                    vendor_id: str | None = '', vendor_error: str | None = '') -> bool
authorize(connector_id: int, id_tag: str) -> AuthorizeResult
start_transaction(connector_id: int, id_tag: str) -> AuthorizationStatus
stop_transaction(connector_id: int, id_tag: str | None = '', reason: Reason = Reason.Local) -> bool
data_transfer(vendor_id: str, message_id: str | None = '', data: str | None = '') -> DataTransferResult | None
register_data_transfer_handler(vendor_id: str, handler: Callable[[str, str, str], DataTransferResult]) -> bool
send_meter_values(connector_id: int, values: Sequence[MeterValue]) -> bool
get_setpoint(connector_id: int, unit: ChargingRateUnitType = ChargingRateUnitType.A) -> Setpoints | None
notify_firmware_update_status(success: bool) -> bool
log_security_event(type: str, message: str | None = '', critical: bool = False) -> bool
clear_security_events() -> bool
"""

TABLES["IChargePointEventsHandler"] = """
connection_failed(status: RegistrationStatus) -> None
connection_state_changed(is_connected: bool) -> None
boot_notification(status: RegistrationStatus, time: datetime) -> None
datetime_received(time: datetime) -> None
change_availability_requested(connector_id: int, availability: AvailabilityType) -> AvailabilityStatus
get_tx_start_stop_meter_value(connector_id: int) -> int
reservation_started(connector_id: int) -> None
reservation_ended(connector_id: int, canceled: bool) -> None
data_transfer_requested(vendor_id: str, message_id: str, data: str) -> DataTransferResult
get_meter_value(connector_id: int, measurand: Measurand, phase: Phase | None) -> Sequence[SampledValue] | None
remote_start_transaction_requested(connector_id: int, id_tag: str) -> bool
remote_stop_transaction_requested(connector_id: int) -> bool
transaction_de_authorized(connector_id: int) -> None
get_local_limitations_schedule(connector_id: int, duration: int) -> ChargingSchedule | None
reset_requested(type: ResetType) -> bool
unlock_connector_requested(connector_id: int) -> UnlockStatus
get_diagnostics(start: datetime | None, stop: datetime | None) -> str
update_firmware_requested() -> str
install_firmware(path: str) -> None
upload_file(path: str, url: str) -> bool | UploadLogStatusEnumType
download_file(url: str, path: str) -> bool
firmware_install_needs_idle() -> bool
"""

TABLES["ICentralSystem"] = """
create(stack_config: ICentralSystemConfig, events_handler: ICentralSystemEventsHandler,
       runtime: Runtime | None = None) -> ICentralSystem
config: ICentralSystemConfig
runtime: Runtime
reset_data() -> bool
start() -> bool
stop() -> bool
charge_points: tuple[_IChargePoint, ...]
port: int
reload_tls() -> bool
"""

TABLES["ICentralSystem.IChargePoint"] = """
central_system: ICentralSystem
ip_address: str
identifier: str
is_connected: bool
client_certificate: PemObject | None
connected_since: datetime
last_message_at: datetime | None
registration_status: RegistrationStatus | None
set_timeout(timeout: float) -> None
set_validation(mode: str, action: str = '*') -> None
disconnect() -> None
register_handler(handler: IChargePointRequestHandler) -> None
call(request: Request[C], timeout: float | None = None, *, force: bool = False) -> CallResult[C]
cancel_reservation(reservation_id: int) -> bool
change_availability(connector_id: int, availability: AvailabilityType) -> AvailabilityStatus
change_configuration(key: str, value: str) -> ConfigurationStatus
clear_cache() -> bool
clear_charging_profile(profile_id: int | None = None, connector_id: int | None = None,
                       purpose: ChargingProfilePurposeType | None = None, stack_level: int | None = None) -> bool
data_transfer(vendor_id: str, message_id: str = '', data: str = '') -> DataTransferResult | None
get_composite_schedule(connector_id: int, duration: int,
                       unit: ChargingRateUnitType | None = None) -> CompositeSchedule | None
get_configuration(keys: Sequence[str] = ()) -> ConfigurationResult | None
get_diagnostics(uri: str, retries: int | None = None, retry_interval: int | None = None,
                start: datetime | None = None, stop: datetime | None = None) -> str | None
get_local_list_version() -> int | None
remote_start_transaction(connector_id: int | None, id_tag: str, profile: ChargingProfile | None = None) -> bool
remote_stop_transaction(transaction_id: int) -> bool
reserve_now(connector_id: int, expiry_date: datetime, id_tag: str, parent_id_tag: str,
            reservation_id: int) -> ReservationStatus
reset(type: ResetType) -> bool
send_local_list(version: int, authorization_list: Sequence[AuthorizationData],
                update_type: UpdateType) -> UpdateStatus
set_charging_profile(connector_id: int, profile: ChargingProfile) -> ChargingProfileStatus
trigger_message(message: MessageTrigger, connector_id: int | None = None) -> TriggerMessageStatus
unlock_connector(connector_id: int) -> UnlockStatus
update_firmware(uri: str, retries: int | None, retrieve_date: datetime, retry_interval: int | None = None) -> bool
certificate_signed(certificate_chain: PemObject) -> bool
delete_certificate(certificate: CertificateHashDataType) -> DeleteCertificateStatusEnumType
extended_trigger_message(message: MessageTriggerEnumType,
                         connector_id: int | None = None) -> TriggerMessageStatusEnumType
get_installed_certificate_ids(type: CertificateUseEnumType) -> list[CertificateHashDataType] | None
get_log(type: LogEnumType, request_id: int, uri: str, retries: int | None = None, retry_interval: int | None = None,
        start: datetime | None = None, stop: datetime | None = None) -> GetLogResult | None
install_certificate(type: CertificateUseEnumType, certificate: PemObject) -> CertificateStatusEnumType
signed_update_firmware(request_id: int, uri: str, retries: int | None, retrieve_date: datetime,
                       retry_interval: int | None, install_date: datetime | None, signing_certificate: PemObject,
                       signature: str) -> UpdateFirmwareStatusEnumType
iso15118_certificate_signed(certificate_chain: PemObject) -> bool
iso15118_delete_certificate(certificate: CertificateHashDataType) -> DeleteCertificateStatusEnumType
iso15118_get_installed_certificate_ids(
    types: Sequence[GetCertificateIdUseEnumType] = ()) -> list[CertificateHashDataChainType] | None
iso15118_install_certificate(type: InstallCertificateUseEnumType,
                             certificate: PemObject) -> InstallCertificateStatusEnumType
iso15118_trigger_sign_certificate() -> bool
"""

TABLES["ICentralSystemEventsHandler"] = """
accept_connection(ip_address: str) -> bool
client_failed_to_connect(ip_address: str) -> None
is_charge_point_known(identifier: str) -> bool
check_credentials(identifier: str, password: bytes) -> bool
check_client_certificate(identifier: str, certificate: PemObject) -> bool
charge_point_connected(charge_point: IChargePoint) -> None
"""

TABLES["IChargePointRequestHandler"] = """
disconnected() -> None
heartbeat() -> None
authorize(id_tag: str) -> IdTagInfo
boot_notification(model: str, serial_number: str, vendor: str, firmware_version: str, iccid: str, imsi: str,
                  meter_serial_number: str, meter_type: str, charge_box_serial_number: str) -> RegistrationStatus
data_transfer(vendor_id: str, message_id: str, data: str) -> DataTransferResult
diagnostic_status_notification(status: DiagnosticsStatus) -> None
firmware_status_notification(status: FirmwareStatus) -> None
meter_values(connector_id: int, transaction_id: int | None, meter_values: Sequence[MeterValue]) -> None
start_transaction(connector_id: int, id_tag: str, meter_start: int, reservation_id: int | None,
                  timestamp: datetime) -> StartTransactionResult
status_notification(connector_id: int, error_code: ChargePointErrorCode, info: str, status: ChargePointStatus,
                    timestamp: datetime, vendor_id: str, vendor_error: str) -> None
stop_transaction(id_tag: str, meter_stop: int, timestamp: datetime, transaction_id: int, reason: Reason,
                 transaction_data: Sequence[MeterValue]) -> IdTagInfo | None
log_status_notification(status: UploadLogStatusEnumType, request_id: int | None) -> None
security_event_notification(type: str, timestamp: datetime, message: str) -> None
sign_certificate(request: PemObject) -> bool
iso15118_sign_certificate(request: PemObject) -> bool
signed_firmware_update_status_notification(status: FirmwareStatusEnumType, request_id: int | None) -> None
iso15118_authorize(certificate: PemObject | None, id_token: str,
                   cert_hash_data: Sequence[OCSPRequestDataType]) -> Iso15118AuthorizeAnswer
iso15118_get_ev_certificate(schema_version: str, action: CertificateActionEnumType,
                            exi_request: str) -> EvCertificateResult
iso15118_get_certificate_status(ocsp_request: OCSPRequestDataType) -> CertificateStatusResult
"""

TABLES["ILocalController"] = TABLES["ICentralSystem"].replace("CentralSystem", "LocalController").replace(
    "_IChargePoint", "IChargePointProxy"
)  # fmt: skip

PROXY = """
identifier: str
is_connected: bool
set_timeout(timeout: float) -> None
disconnect() -> None
register_listener(listener: ILocalControllerProxyEventsHandler) -> None
call(request: Request[C]) -> CallResult[C]
register_handler(request_type: type[Request[C]], handler: Callable[[Any], C | NoAnswer]) -> bool
unregister_handler(request_type: type[Request[C]]) -> bool
"""

TABLES["IChargePointProxy"] = f"""{PROXY}
create_from(charge_point: ICentralSystem.IChargePoint, stack_config: ILocalControllerConfig) -> IChargePointProxy | None
ip_address: str
central_system_proxy: ICentralSystemProxy
credentials(base: ClientCredentials | None = None) -> ClientCredentials
"""

TABLES["ICentralSystemProxy"] = f"""{PROXY}
connect(url: str, credentials: ClientCredentials, connect_timeout: float = 5.0, retry_interval: float = 5.0,
        ping_interval: float = 5.0) -> bool
"""

TABLES["ILocalControllerEventsHandler"] = TABLES["ICentralSystemEventsHandler"].replace(
    "charge_point: IChargePoint", "charge_point: IChargePointProxy"
)

TABLES["ILocalControllerProxyEventsHandler"] = """
disconnected_from_charge_point() -> None
connected_to_central_system() -> None
failed_to_connect_to_central_system() -> None
disconnected_from_central_system() -> None
"""

# Ready bases, and what is left to their users.
BASES = {
    "DefaultChargePointEventsHandler": ("IChargePointEventsHandler", {"get_tx_start_stop_meter_value"}),
    "DefaultCentralSystemEventsHandler": ("ICentralSystemEventsHandler", {"charge_point_connected"}),
    "DefaultChargePointRequestHandler": ("IChargePointRequestHandler", set()),
    "DefaultLocalControllerEventsHandler": ("ILocalControllerEventsHandler", {"charge_point_connected"}),
    "DefaultLocalControllerProxyEventsHandler": ("ILocalControllerProxyEventsHandler", set()),
}

RESULTS = """
AuthorizeResult(status: AuthorizationStatus, parent_id: str)
DataTransferResult(status: DataTransferStatus, data: str = '')
Setpoints(charge_point: SmartChargingSetpoint | None, connector: SmartChargingSetpoint | None)
SmartChargingSetpoint(value: float, number_phases: int, min_charging_rate: float | None)
ConfigurationResult(values: list[KeyValue], unknown: list[str])
CompositeSchedule(status: GetCompositeScheduleStatus, connector_id: int | None, schedule_start: datetime | None,
                  schedule: ChargingSchedule | None)
GetLogResult(status: LogStatusEnumType, filename: str)
StartTransactionResult(id_tag_info: IdTagInfo, transaction_id: int)
Iso15118AuthorizeResult(status: AuthorizationStatus, certificate_status: AuthorizeCertificateStatusEnumType | None)
Iso15118AuthorizeAnswer(id_token_info: IdTokenInfoType, certificate_status: AuthorizeCertificateStatusEnumType | None)
EvCertificateResult(status: Iso15118EVCertificateStatusEnumType, exi_response: str)
CertificateStatusResult(status: GetCertificateStatusEnumType, ocsp_result: str)
"""


def lines(table: str) -> list[str]:
    """The entries of a table, each on one line: an entry goes on where a line is indented."""
    found: list[str] = []
    for line in table.splitlines():
        if line.startswith(" "):
            opened = found[-1].endswith("(")
            found[-1] += line.strip() if opened else f" {line.strip()}"
        elif line:
            found.append(line)
    return found


def public(name: str) -> type[Any]:
    found: Any = openocpp
    for part in name.split("."):
        found = getattr(found, part)
    assert isinstance(found, type)
    return found


def default_text(value: object) -> str:
    return f"{type(value).__name__}.{value.name}" if isinstance(value, Enum) else repr(value)


STARS: dict[Any, str] = {inspect.Parameter.VAR_POSITIONAL: "*", inspect.Parameter.VAR_KEYWORD: "**"}


def parameters(function: Any, *, bound: bool) -> str:
    """The parameters as they are written, without ``self``."""
    texts = []
    keyword_only = False
    for parameter in list(inspect.signature(function).parameters.values())[1 if bound else 0 :]:
        if parameter.kind is parameter.KEYWORD_ONLY and not keyword_only:
            keyword_only = True
            texts.append("*")
        stars = STARS.get(parameter.kind, "")
        text = f"{stars}{parameter.name}: {parameter.annotation}"
        texts.append(text if parameter.default is parameter.empty else f"{text} = {default_text(parameter.default)}")
    return ", ".join(texts)


def member(owner: type[Any], name: str) -> str:
    """One member, in the notation of the tables."""
    raw = inspect.getattr_static(owner, name)
    if isinstance(raw, property):
        return f"{name}: {inspect.signature(raw.fget).return_annotation}"  # type: ignore[arg-type]
    function = raw.__func__ if isinstance(raw, staticmethod) else raw
    returns = inspect.signature(function).return_annotation
    return f"{name}({parameters(function, bound=not isinstance(raw, staticmethod))}) -> {returns}"


def members(owner: type[Any]) -> list[str]:
    """All public members but classes."""
    return [
        member(owner, name)
        for name in dir(owner)
        if not name.startswith("_") and not isinstance(inspect.getattr_static(owner, name), type)
    ]


@pytest.mark.parametrize("name", TABLES)
def test_members_parameters_and_results(name: str) -> None:
    assert sorted(members(public(name))) == sorted(lines(TABLES[name]))


@pytest.mark.parametrize("name", TABLES)
def test_behaviour_is_an_interface_that_names_what_is_missing(name: str) -> None:
    owner = public(name)
    assert issubclass(owner, abc.ABC)
    assert owner.__doc__
    with pytest.raises(TypeError, match="abstract"):
        owner()
    made_by_us = {"create", "create_from"}
    concrete = {entry.partition("(")[0].partition(":")[0] for entry in lines(TABLES[name])} - owner.__abstractmethods__
    assert concrete <= made_by_us


@pytest.mark.parametrize("name", BASES)
def test_a_ready_base_leaves_only_what_nobody_else_knows(name: str) -> None:
    interface, left = BASES[name]
    base = public(name)
    assert issubclass(base, public(interface))
    assert base.__abstractmethods__ == left
    # boot data may grow: the parameters of the base are those of the interface
    assert members(base) == members(public(interface))


def test_the_table_of_results_is_complete() -> None:
    named = {entry.partition("(")[0] for entry in lines(RESULTS)}
    tuples = {
        name
        for name in openocpp.__all__
        if isinstance(found := getattr(openocpp, name), type) and issubclass(found, tuple) and name[0].isupper()
    }
    assert tuples - named <= {"ActionInfo", "Field", "ConfiguredMeasurand", "PhaseRotation", "Location"}


@pytest.mark.parametrize("entry", lines(RESULTS), ids=lambda entry: entry.partition("(")[0])
def test_fields_of_results(entry: str) -> None:
    owner: Any = public(entry.partition("(")[0])
    texts = []
    for field in owner._fields:
        annotation = owner.__annotations__[field]
        text = f"{field}: {getattr(annotation, '__forward_arg__', annotation)}"
        if field in owner._field_defaults:
            text += f" = {owner._field_defaults[field]!r}"
        texts.append(text)
    assert f"{owner.__name__}({', '.join(texts)})" == entry


def test_the_result_of_a_call() -> None:
    fields = [(field.name, field.type) for field in dataclasses.fields(openocpp.CallResult)]
    assert fields == [
        ("outcome", "CallOutcome"),
        ("response", "C | None"),
        ("error_code", "str"),
        ("error_description", "str"),
        ("error_details", "Mapping[str, object]"),
    ]
    assert [outcome.name for outcome in openocpp.CallOutcome] == [
        "Answered", "Refused", "TimedOut", "NotConnected", "InvalidAnswer",
    ]  # fmt: skip
    assert openocpp.CallResult(openocpp.CallOutcome.Answered).ok
    assert not openocpp.CallResult(openocpp.CallOutcome.Refused).ok
    result: openocpp.CallResult[Any] = openocpp.CallResult(openocpp.CallOutcome.TimedOut)
    with pytest.raises(dataclasses.FrozenInstanceError):
        result.outcome = openocpp.CallOutcome.Answered  # type: ignore[misc]


def test_what_can_be_checked_of_a_certificate_of_a_vehicle() -> None:
    assert [check.name for check in openocpp.EvCertificateCheck] == ["Valid", "UnknownRoot", "Invalid"]


def test_a_runtime() -> None:
    assert parameters(openocpp.Runtime.__init__, bound=True) == (
        "workers: int = 2, connectors: int = 4, name: str = 'openocpp', *, threads: Threads | None = None"
    )
    assert parameters(openocpp.Runtime.submit, bound=True).startswith("function: Callable[P, T], *args: ")
    for name in ("call_later", "call_every"):
        assert member(openocpp.Runtime, name) == (
            f"{name}(seconds: float, function: Callable[[], object]) -> TimerHandle"
        )
    assert member(openocpp.Runtime, "clock") == "clock: Clock"
    assert member(openocpp.TimerHandle, "cancel") == "cancel() -> None"


COMMON = """
database_path: str = ''
json_schemas_path: str = ''
call_request_timeout: float = 2.0
tlsv12_cipher_list: str = ''
tlsv13_cipher_list: str = ''
log_max_entries_count: int = 2000
message_validation: Mapping[str, str] = {'*': 'strict'}
max_message_size: int = 1048576
max_output_buffer: int = 1048576
max_queued_calls: int = 32
tls_groups: str = ''
"""

CHARGE_POINT_CONFIG = f"""{COMMON}
connexion_url: str
charge_point_identifier: str
connection_timeout: float = 2.0
retry_interval: float = 1.0
retry_interval_max: float = 60.0
proxy_url: str = ''
charge_box_serial_number: str = ''
charge_point_model: str = 'openocpp'
charge_point_serial_number: str = ''
charge_point_vendor: str = 'openocpp'
firmware_version: str = ''
iccid: str = ''
imsi: str = ''
meter_serial_number: str = ''
meter_type: str = ''
operating_voltage: float = 230.0
authent_cache_max_entries_count: int = 1000
tls_server_certificate_ca: str = ''
tls_client_certificate: str = ''
tls_client_certificate_private_key: str = ''
tls_client_certificate_private_key_passphrase: str = ''
tls_allow_self_signed_certificates: bool = False
tls_allow_expired_certificates: bool = False
tls_accept_non_trusted_certificates: bool = False
tls_skip_server_name_check: bool = False
tls_tolerance_in_secure_profiles: bool = False
internal_certificate_management_enabled: bool = True
security_event_notification_enabled: bool = True
security_log_max_entries_count: int = 1000
security_profile_fallback_attempts: int = 3
authorization_key_min_bytes: int = 16
certificate_signed_trust: str = 'installed'
signed_firmware_only: bool = False
firmware_signature_strict: bool = False
id_token_as_object: bool = False
client_certificate_request_hash_type: str = 'sha256'
client_certificate_request_key_type: str = 'ec'
client_certificate_request_rsa_key_length: int = 4096
client_certificate_request_ec_curve: str = 'prime256v1'
client_certificate_request_subject_country: str = ''
client_certificate_request_subject_state: str = ''
client_certificate_request_subject_location: str = ''
client_certificate_request_subject_organization_unit: str = ''
client_certificate_request_subject_email: str = ''
"""

CENTRAL_SYSTEM_CONFIG = f"""{COMMON}
listen_url: str
web_socket_ping_interval: float = 30.0
boot_notification_retry_interval: int = 30
heartbeat_interval: int = 3600
http_basic_authent: bool = False
tls_ecdh_curve: str = ''
tls_server_certificate: str = ''
tls_server_certificate_private_key: str = ''
tls_server_certificate_private_key_passphrase: str = ''
tls_server_certificate_ca: str = ''
tls_client_certificate_authent: bool = False
incoming_requests_from_cp_thread_pool_size: int = 16
iso15118_pnc_enabled: bool = False
handshake_timeout: float = 10.0
duplicate_connection: str = 'newest'
cpo_name: str = ''
accept_without_subprotocol: bool = False
require_boot_notification: bool = False
max_handshakes: int = 1024
max_handshakes_per_address: int = 256
max_connections_per_address: int = 0
authentication_failures_per_minute: int = 10
"""

CONFIGS = {
    "ChargePointConfig": CHARGE_POINT_CONFIG,
    "CentralSystemConfig": CENTRAL_SYSTEM_CONFIG,
    "LocalControllerConfig": CENTRAL_SYSTEM_CONFIG.replace("thread_pool_size: int = 16", "thread_pool_size: int = 4")
    .replace("boot_notification_retry_interval: int = 30", "boot_notification_retry_interval: int = 0")
    .replace("heartbeat_interval: int = 3600", "heartbeat_interval: int = 0")
    + """
incoming_requests_from_cs_thread_pool_size: int = 4
disconnect_from_cp_when_cs_disconnected: bool = True
connexion_url: str = ''
tls_client_certificate: str = ''
tls_client_certificate_private_key: str = ''
tls_client_certificate_private_key_passphrase: str = ''
""",
}


@pytest.mark.parametrize("name", CONFIGS)
def test_settings_and_their_defaults(name: str) -> None:
    texts = []
    for field in dataclasses.fields(public(name)):
        text = f"{field.name}: {field.type}"
        if field.default_factory is not dataclasses.MISSING:
            text += f" = {dict(field.default_factory())}"
        elif field.default is not dataclasses.MISSING:
            text += f" = {field.default!r}"
        texts.append(text)
    assert sorted(texts) == sorted(lines(CONFIGS[name]))


def test_the_configuration_of_the_standard() -> None:
    owner = openocpp.IOcppConfig
    assert member(owner, "get_configuration") == "get_configuration(keys: Sequence[str]) -> ConfigurationResult"
    assert member(owner, "set_configuration") == "set_configuration(key: str, value: str) -> ConfigurationStatus"
    assert owner.__abstractmethods__ == {"get_configuration", "set_configuration"}
    for name in ("charge_point", "central_system", "local_controller", "ocpp"):
        assert isinstance(inspect.getattr_static(openocpp.IniConfig, name), property)


CREDENTIALS = {
    "user": "",
    "password": b"",
    "tls12_cipher_list": "",
    "tls13_cipher_list": "",
    "encoded_pem_certificates": False,
    "server_certificate_ca": "",
    "client_certificate": "",
    "client_certificate_private_key": "",
    "client_certificate_private_key_passphrase": "",
    "allow_selfsigned_certificates": False,
    "allow_expired_certificates": False,
    "accept_untrusted_certificates": False,
    "skip_server_name_check": False,
    "server_name": "",
}


def test_credentials_of_a_client() -> None:
    assert dataclasses.asdict(openocpp.ClientCredentials()) == CREDENTIALS
    secret = openocpp.ClientCredentials(
        user="me",
        password=b"SECRET",
        client_certificate_private_key="SECRET",
        client_certificate_private_key_passphrase="SECRET",
    )
    assert "SECRET" not in repr(secret)


ERRORS = """
OcppError(Exception)
StateError(OcppError)
ConfigError(OcppError)
StoreError(OcppError)
CertificateError(OcppError)
TransportError(OcppError)
ConnectError(TransportError)
ConnectionLost(TransportError)
RpcError(OcppError)
CallTimeout(RpcError)
CallError(RpcError)
LocalProtocolError(RpcError, ValueError)
RemoteProtocolError(RpcError)
"""


def test_the_tree_of_errors() -> None:
    found = [
        f"{name}({', '.join(base.__name__ for base in error.__bases__)})"
        for name in openocpp.__all__
        if isinstance(error := getattr(openocpp, name), type) and issubclass(error, Exception)
    ]
    assert sorted(found) == sorted(lines(ERRORS))
