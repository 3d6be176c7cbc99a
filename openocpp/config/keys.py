"""The configuration keys of the standard, each declared once (1.6 §9, SEC §7, PNC §9, errata 3.82, 3.88, 3.89).

``IOcppConfig`` inherits them from ``StandardKeys`` and so has a typed property for each, read from the user's
``get_configuration``. Everything else about keys derives from these declarations: what a ChangeConfiguration must be
refused for (``check``), what the ready configurations accept, the tables of the documentation.

A missing key has the default that stands here. For an optional boolean key that is false, as its absence says that the
charge point does not have the function (1.6 §9).

Threads: any; everything here is immutable.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from openocpp.config.key import Access, Key, KeyGroup, Owner, SettableKey
from openocpp.config.values import (
    BOOLEAN,
    COUNT,
    HEX_KEY,
    MEASURANDS,
    PHASE_ROTATIONS,
    RATE_UNITS,
    SECONDS,
    TEXT,
    integer,
    items,
    words,
)
from openocpp.types import FeatureProfile, fold

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from openocpp.config.key import Configuration
    from openocpp.types import Measurand

AUTHORIZATION_KEY_MIN_BYTES = 16  # SEC A00.FR.205

R = Access.R
APPLICATION = Owner.APPLICATION
BOTH = Owner.BOTH

# A table: what a key is on one line, what it means on the next.
# fmt: off


class CoreKeys(KeyGroup, profile=FeatureProfile.Core):
    """1.6 §9.1, errata 3.82, 3.89"""

    allow_offline_tx_for_unknown_id = Key(
        "AllowOfflineTxForUnknownId", BOOLEAN, "false", "1.6 §9.1.1",
        "start transactions for unknown id tags while offline",
    )
    authorization_cache_enabled = Key(
        "AuthorizationCacheEnabled", BOOLEAN, "false", "1.6 §9.1.2",
        "remember id tags that the central system judged",
    )
    authorize_remote_tx_requests = Key(
        "AuthorizeRemoteTxRequests", BOOLEAN, "true", "1.6 §9.1.3",
        "authorize the id tag of a remote start before starting", required=True, owner=APPLICATION,
    )
    blink_repeat = Key(
        "BlinkRepeat", integer(unit="times"), "0", "1.6 §9.1.4",
        "how often the lights blink as a signal", owner=APPLICATION,
    )
    clock_aligned_data_interval = Key(
        "ClockAlignedDataInterval", SECONDS, "0", "1.6 §9.1.5",
        "meter values at multiples of this time since midnight; 0 = none", required=True,
    )
    connection_time_out = Key(
        "ConnectionTimeOut", SECONDS, "60", "1.6 §9.1.6, errata 3.76",
        "how long a cable may take to be plugged in once the driver has begun", required=True, owner=APPLICATION,
    )
    connector_phase_rotation = Key(
        "ConnectorPhaseRotation", PHASE_ROTATIONS, "", "1.6 §9.1.7",
        "how the phases of each connector are wired to its meter",
        required=True, owner=APPLICATION, limited_by="ConnectorPhaseRotationMaxLength",
    )
    connector_phase_rotation_max_length = Key(
        "ConnectorPhaseRotationMaxLength", COUNT, "100", "1.6 §9.1.8",
        "most items of ConnectorPhaseRotation", access=R, owner=APPLICATION,
    )
    get_configuration_max_keys = Key(
        "GetConfigurationMaxKeys", integer(1), "150", "1.6 §9.1.9",
        "most keys that one GetConfiguration may ask for", access=R, required=True,
    )
    heartbeat_interval = SettableKey(
        "HeartbeatInterval", SECONDS, "3600", "1.6 §9.1.10",
        "silence after which a Heartbeat is sent; 0 = none. Set by the answer to BootNotification", required=True,
    )
    light_intensity = Key(
        "LightIntensity", integer(0, 100, unit="%"), "100", "1.6 §9.1.11",
        "brightness of the lights", owner=APPLICATION,
    )
    local_authorize_offline = Key(
        "LocalAuthorizeOffline", BOOLEAN, "true", "1.6 §9.1.12",
        "start transactions for locally authorized id tags while offline", required=True,
    )
    local_pre_authorize = Key(
        "LocalPreAuthorize", BOOLEAN, "false", "1.6 §9.1.13",
        "start transactions for locally authorized id tags without asking first while online", required=True,
    )
    max_energy_on_invalid_id = Key(
        "MaxEnergyOnInvalidId", integer(unit="Wh"), "0", "1.6 §9.1.14",
        "energy that may still be delivered once an id tag turned out invalid", owner=APPLICATION,
    )
    message_timeout = Key(
        "MessageTimeout", SECONDS, "0", "errata 3.82",
        "how long an answer may take; 0 or missing = the stack's CallRequestTimeout",
    )
    meter_values_aligned_data = Key(
        "MeterValuesAlignedData", MEASURANDS, "Energy.Active.Import.Register", "1.6 §9.1.15, errata 3.13",
        "what clock-aligned MeterValues hold",
        required=True, owner=BOTH, limited_by="MeterValuesAlignedDataMaxLength",
    )
    meter_values_aligned_data_max_length = Key(
        "MeterValuesAlignedDataMaxLength", COUNT, "100", "1.6 §9.1.16",
        "most items of MeterValuesAlignedData", access=R,
    )
    meter_values_sampled_data = Key(
        "MeterValuesSampledData", MEASURANDS, "Energy.Active.Import.Register", "1.6 §9.1.17, errata 3.13",
        "what sampled and triggered MeterValues hold",
        required=True, owner=BOTH, limited_by="MeterValuesSampledDataMaxLength",
    )
    meter_values_sampled_data_max_length = Key(
        "MeterValuesSampledDataMaxLength", COUNT, "100", "1.6 §9.1.18",
        "most items of MeterValuesSampledData", access=R,
    )
    meter_value_sample_interval = Key(
        "MeterValueSampleInterval", SECONDS, "60", "1.6 §9.1.19",
        "time between sampled meter values of a transaction; 0 = none", required=True,
    )
    minimum_status_duration = Key(
        "MinimumStatusDuration", SECONDS, "0", "1.6 §9.1.20",
        "how long a status must last to be notified",
    )
    number_of_connectors = Key(
        "NumberOfConnectors", integer(1), "1", "1.6 §9.1.21",
        "connectors of the charge point, without connector 0", access=R, required=True,
    )
    reset_retries = Key(
        "ResetRetries", integer(unit="times"), "0", "1.6 §9.1.22",
        "how often a failed reset is tried again", required=True, owner=APPLICATION,
    )
    stop_transaction_max_meter_values = Key(
        "StopTransactionMaxMeterValues", COUNT, "0", "errata 3.89",
        "most meter values in one StopTransaction, the first and the last included; 0 or missing = no limit",
        access=R,
    )
    stop_transaction_on_ev_side_disconnect = Key(
        "StopTransactionOnEVSideDisconnect", BOOLEAN, "false", "1.6 §9.1.23, errata 3.79",
        "stop the transaction when the cable is unplugged from the vehicle", owner=APPLICATION,
    )
    stop_transaction_on_invalid_id = Key(
        "StopTransactionOnInvalidId", BOOLEAN, "true", "1.6 §9.1.24",
        "stop the transaction when its start is not authorized afterwards", required=True, owner=APPLICATION,
    )
    stop_txn_aligned_data = Key(
        "StopTxnAlignedData", MEASURANDS, "", "1.6 §9.1.25",
        "what is collected clock-aligned for StopTransaction",
        required=True, owner=BOTH, limited_by="StopTxnAlignedDataMaxLength",
    )
    stop_txn_aligned_data_max_length = Key(
        "StopTxnAlignedDataMaxLength", COUNT, "100", "1.6 §9.1.26",
        "most items of StopTxnAlignedData", access=R,
    )
    stop_txn_sampled_data = Key(
        "StopTxnSampledData", MEASURANDS, "", "1.6 §9.1.27",
        "what is sampled for StopTransaction", required=True, owner=BOTH, limited_by="StopTxnSampledDataMaxLength",
    )
    stop_txn_sampled_data_max_length = Key(
        "StopTxnSampledDataMaxLength", COUNT, "100", "1.6 §9.1.28",
        "most items of StopTxnSampledData", access=R,
    )
    supported_feature_profiles = Key(
        "SupportedFeatureProfiles",
        words("Core", "FirmwareManagement", "LocalAuthListManagement", "Reservation",
              "SmartCharging", "RemoteTrigger"),
        "Core,FirmwareManagement,LocalAuthListManagement,Reservation,SmartCharging,RemoteTrigger",
        "1.6 §9.1.29",
        "the feature profiles that the charge point has", access=R, required=True,
    )
    supported_feature_profiles_max_length = Key(
        "SupportedFeatureProfilesMaxLength", COUNT, "6", "1.6 §9.1.30, errata 3.80",
        "most items of SupportedFeatureProfiles", access=R,
    )
    transaction_message_attempts = Key(
        "TransactionMessageAttempts", integer(1, unit="times"), "3", "1.6 §9.1.31",
        "how often a transaction message is sent in all when the central system fails to process it", required=True,
    )
    transaction_message_retry_interval = Key(
        "TransactionMessageRetryInterval", SECONDS, "60", "1.6 §9.1.32",
        "wait before a transaction message is sent again, times the number of attempts so far", required=True,
    )
    unlock_connector_on_ev_side_disconnect = Key(
        "UnlockConnectorOnEVSideDisconnect", BOOLEAN, "true", "1.6 §9.1.33",
        "unlock the connector when the cable is unplugged from the vehicle", required=True, owner=APPLICATION,
    )
    web_socket_ping_interval = Key(
        "WebSocketPingInterval", SECONDS, "60", "1.6 §9.1.34",
        "idle time after which the connection is pinged; 0 = never", reboot=True,
    )


class LocalAuthListKeys(KeyGroup, profile=FeatureProfile.LocalAuthListManagement):
    """1.6 §9.2"""

    local_auth_list_enabled = Key(
        "LocalAuthListEnabled", BOOLEAN, "true", "1.6 §9.2.1",
        "use the local authorization list", required=True,
    )
    local_auth_list_max_length = Key(
        "LocalAuthListMaxLength", COUNT, "5000", "1.6 §9.2.2",
        "most id tags in the local authorization list", access=R, required=True,
    )
    send_local_list_max_length = Key(
        "SendLocalListMaxLength", COUNT, "100", "1.6 §9.2.3",
        "most id tags in one SendLocalList", access=R, required=True,
    )


class ReservationKeys(KeyGroup, profile=FeatureProfile.Reservation):
    """1.6 §9.3"""

    reserve_connector_zero_supported = Key(
        "ReserveConnectorZeroSupported", BOOLEAN, "false", "1.6 §9.3.1",
        "reservations of any connector (connector 0) are possible", access=R,
    )


class SmartChargingKeys(KeyGroup, profile=FeatureProfile.SmartCharging):
    """1.6 §9.4"""

    charge_profile_max_stack_level = Key(
        "ChargeProfileMaxStackLevel", COUNT, "10", "1.6 §9.4.1",
        "highest stackLevel of a charging profile", access=R, required=True,
    )
    charging_schedule_allowed_charging_rate_unit = Key(
        "ChargingScheduleAllowedChargingRateUnit", RATE_UNITS, "Current,Power", "1.6 §9.4.2, errata 3.86",
        "units of charging schedules: Current = A, Power = W", access=R, required=True,
    )
    charging_schedule_max_periods = Key(
        "ChargingScheduleMaxPeriods", integer(1), "24", "1.6 §9.4.3",
        "most periods of a charging schedule", access=R, required=True,
    )
    connector_switch3to1_phase_supported = Key(
        "ConnectorSwitch3to1PhaseSupported", BOOLEAN, "false", "1.6 §9.4.4",
        "a connector can switch from three phases to one during a transaction", access=R, owner=APPLICATION,
    )
    max_charging_profiles_installed = Key(
        "MaxChargingProfilesInstalled", COUNT, "20", "1.6 §9.4.5",
        "most charging profiles that can be installed at a time", access=R, required=True,
    )


class FirmwareKeys(KeyGroup, profile=FeatureProfile.FirmwareManagement):
    """errata 3.88"""

    supported_file_transfer_protocols = Key(
        "SupportedFileTransferProtocols",
        words("FTP", "FTPS", "HTTP", "HTTPS", "SFTP"),
        "FTP,FTPS,HTTP,HTTPS", "errata 3.88",
        "protocols for diagnostics, logs and firmware", access=R, owner=APPLICATION,
    )


class SecurityKeys(KeyGroup, profile=FeatureProfile.Security):
    """SEC §7"""

    additional_root_certificate_check = Key(
        "AdditionalRootCertificateCheck", BOOLEAN, "false", "SEC §7.1",
        "one central system root only, and a new one must be signed by the old one", access=R,
    )
    authorization_key = Key(
        "AuthorizationKey", HEX_KEY, "", "SEC §7.2",
        "password of HTTP basic authentication, in hexadecimal; empty = none yet", access=Access.W,
    )
    certificate_signed_max_chain_size = Key(
        "CertificateSignedMaxChainSize", integer(1, 10000, unit="characters"), "10000", "SEC §7.3",
        "longest certificate chain in a CertificateSigned", access=R,
    )
    certificate_store_max_length = Key(
        "CertificateStoreMaxLength", COUNT, "50", "SEC §7.4",
        "most root certificates that can be installed", access=R,
    )
    cpo_name = Key(
        "CpoName", TEXT, "", "SEC §7.5",
        "organization in the charge point's certificates; needed to ask for one",
    )
    security_profile = Key(
        "SecurityProfile", integer(0, 3), "0", "SEC §7.6",
        "0 = none, 1 = password, 2 = TLS and password, 3 = TLS with client certificate; can only be raised",
    )


class PlugAndChargeKeys(KeyGroup, profile=FeatureProfile.Iso15118):
    """PNC §9"""

    central_contract_validation_allowed = Key(
        "CentralContractValidationAllowed", BOOLEAN, "false", "PNC §9.1",
        "contract certificates that the charge point cannot validate go to the central system",
    )
    cert_signing_wait_minimum = Key(
        "CertSigningWaitMinimum", SECONDS, "30", "PNC §9.3",
        "wait for a signed certificate before it is asked for again, doubled each time; 0 = never again",
    )
    cert_signing_repeat_times = Key(
        "CertSigningRepeatTimes", integer(unit="times"), "0", "PNC §9.4",
        "how often a certificate is asked for again; 0 = never",
    )
    contract_validation_offline = Key(
        "ContractValidationOffline", BOOLEAN, "true", "PNC §9.6",
        "validate contract certificates while offline", required=True, owner=BOTH,
    )
    iso15118_pnc_enabled = Key(
        "ISO15118PnCEnabled", BOOLEAN, "false", "PNC §9.7",
        "Plug & Charge messages are used", required=True, aliases=("Iso15118PnCEnabled",),
    )

# fmt: on


class StandardKeys(
    CoreKeys, LocalAuthListKeys, ReservationKeys, SmartChargingKeys, FirmwareKeys, SecurityKeys, PlugAndChargeKeys
):
    """All of them."""


GROUPS = (
    CoreKeys,
    LocalAuthListKeys,
    ReservationKeys,
    SmartChargingKeys,
    FirmwareKeys,
    SecurityKeys,
    PlugAndChargeKeys,
)

KEYS: Mapping[str, Key[Any]] = MappingProxyType({key.name: key for group in GROUPS for key in group.keys_of_group()})
_BY_NAME = {fold(name): key for key in KEYS.values() for name in (key.name, *key.aliases)}


@dataclass(frozen=True)
class Rules:
    """What more is asked of values than the standard does.

    ``authorization_key_min_bytes``: the shortest AuthorizationKey (setting AuthorizationKeyMinBytes).
    ``measurands``: those that this station can measure; None = all that the standard knows.
    """

    authorization_key_min_bytes: int = AUTHORIZATION_KEY_MIN_BYTES
    measurands: Collection[Measurand] | None = None


STANDARD_RULES = Rules()


def find_key(name: str) -> Key[Any] | None:
    """The key of the standard with this name in any case (CiString50), or None."""
    return _BY_NAME.get(fold(name))


def check(name: str, value: str, config: Configuration | None = None, rules: Rules = STANDARD_RULES) -> str | None:
    """Why ChangeConfiguration must refuse a value (1.6 §5.3), None if it need not. Secrets are not repeated.

    With ``config`` what other keys limit is checked too: the number of items, the connectors. Keys that are not of the
    standard have no reason here; nor does access, which the configuration decides.
    """
    key = find_key(name)
    if key is None:
        return None
    return key.problem(value) or _limits_problem(key, value, config, rules)


def _limits_problem(key: Key[Any], value: str, config: Configuration | None, rules: Rules) -> str | None:
    """What the kind of value does not know: limits that stand elsewhere."""
    if key is StandardKeys.authorization_key and len(value) < 2 * rules.authorization_key_min_bytes:
        return f"shorter than {rules.authorization_key_min_bytes} bytes"
    if key.kind is MEASURANDS and rules.measurands is not None:
        for item in MEASURANDS.read(value):
            if item.measurand not in rules.measurands:
                return f"{item.measurand} is not measured here"
    if config is None:
        return None
    limit_key = find_key(key.limited_by)
    if limit_key is not None:
        count, limit = len(items(value)), limit_key.value(config)
        if count > limit:
            return f"{count} items, {limit_key.name} is {limit}"
    if key is StandardKeys.connector_phase_rotation:
        connectors = StandardKeys.number_of_connectors.value(config)
        for rotation in PHASE_ROTATIONS.read(value):
            if rotation.connector_id > connectors:
                return f"there is no connector {rotation.connector_id}"
    return None
