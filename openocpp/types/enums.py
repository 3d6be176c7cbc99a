"""All enumerations of OCPP 1.6 (§7), of the security extension (SEC chapter 6) and of Plug & Charge (PNC chapter 8).

Members keep the standard's spelling and their value is the text on the wire; only values that are no identifiers are
written out.

Threads: any.
"""

from __future__ import annotations

from enum import auto
from typing import TYPE_CHECKING, Self, TypeAlias

from openocpp.types.base import OcppEnum

if TYPE_CHECKING:
    from collections.abc import Mapping


class FeatureProfile(OcppEnum):
    """The feature profiles of 1.6 §3.3 as SupportedFeatureProfiles names them, and the two extensions."""

    Core = auto()
    FirmwareManagement = auto()
    LocalAuthListManagement = auto()
    Reservation = auto()
    SmartCharging = auto()
    RemoteTrigger = auto()
    Security = auto()
    Iso15118 = auto()


# --- OCPP 1.6 -------------------------------------------------------------------------------------------------------


class AuthorizationStatus(OcppEnum):
    """1.6 §7.2. ConcurrentTx only answers StartTransaction."""

    Accepted = auto()
    Blocked = auto()
    Expired = auto()
    Invalid = auto()
    ConcurrentTx = auto()


class AvailabilityStatus(OcppEnum):
    """1.6 §7.3"""

    Accepted = auto()
    Rejected = auto()
    Scheduled = auto()


class AvailabilityType(OcppEnum):
    """1.6 §7.4"""

    Inoperative = auto()
    Operative = auto()


class CancelReservationStatus(OcppEnum):
    """1.6 §7.5"""

    Accepted = auto()
    Rejected = auto()


class ChargePointErrorCode(OcppEnum):
    """1.6 §7.6"""

    ConnectorLockFailure = auto()
    EVCommunicationError = auto()
    GroundFailure = auto()
    HighTemperature = auto()
    InternalError = auto()
    LocalListConflict = auto()
    NoError = auto()
    OtherError = auto()
    OverCurrentFailure = auto()
    OverVoltage = auto()
    PowerMeterFailure = auto()
    PowerSwitchFailure = auto()
    ReaderFailure = auto()
    ResetFailure = auto()
    UnderVoltage = auto()
    WeakSignal = auto()


class ChargePointStatus(OcppEnum):
    """1.6 §7.7. Connector 0 is only ever Available, Unavailable or Faulted."""

    Available = auto()
    Preparing = auto()
    Charging = auto()
    SuspendedEVSE = auto()
    SuspendedEV = auto()
    Finishing = auto()
    Reserved = auto()
    Unavailable = auto()
    Faulted = auto()


class ChargingProfileKindType(OcppEnum):
    """1.6 §7.9"""

    Absolute = auto()
    Recurring = auto()
    Relative = auto()


class ChargingProfilePurposeType(OcppEnum):
    """1.6 §7.10"""

    ChargePointMaxProfile = auto()
    TxDefaultProfile = auto()
    TxProfile = auto()


class ChargingProfileStatus(OcppEnum):
    """1.6 §7.11"""

    Accepted = auto()
    Rejected = auto()
    NotSupported = auto()


class ChargingRateUnitType(OcppEnum):
    """1.6 §7.12"""

    W = auto()
    A = auto()


class ClearCacheStatus(OcppEnum):
    """1.6 §7.20"""

    Accepted = auto()
    Rejected = auto()


class ClearChargingProfileStatus(OcppEnum):
    """1.6 §7.21"""

    Accepted = auto()
    Unknown = auto()


class ConfigurationStatus(OcppEnum):
    """1.6 §7.22"""

    Accepted = auto()
    Rejected = auto()
    RebootRequired = auto()
    NotSupported = auto()


class DataTransferStatus(OcppEnum):
    """1.6 §7.23"""

    Accepted = auto()
    Rejected = auto()
    UnknownMessageId = auto()
    UnknownVendorId = auto()


class DiagnosticsStatus(OcppEnum):
    """1.6 §7.24"""

    Idle = auto()
    Uploaded = auto()
    UploadFailed = auto()
    Uploading = auto()


class FirmwareStatus(OcppEnum):
    """1.6 §7.25"""

    Downloaded = auto()
    DownloadFailed = auto()
    Downloading = auto()
    Idle = auto()
    InstallationFailed = auto()
    Installing = auto()
    Installed = auto()


class GetCompositeScheduleStatus(OcppEnum):
    """1.6 §7.26"""

    Accepted = auto()
    Rejected = auto()


class Location(OcppEnum):
    """1.6 §7.30"""

    Body = auto()
    Cable = auto()
    EV = auto()
    Inlet = auto()
    Outlet = auto()


class Measurand(OcppEnum):
    """1.6 §7.31. Frequency is in hertz and has no unit (errata 3.84)."""

    CurrentExport = "Current.Export"
    CurrentImport = "Current.Import"
    CurrentOffered = "Current.Offered"
    EnergyActiveExportRegister = "Energy.Active.Export.Register"
    EnergyActiveImportRegister = "Energy.Active.Import.Register"
    EnergyReactiveExportRegister = "Energy.Reactive.Export.Register"
    EnergyReactiveImportRegister = "Energy.Reactive.Import.Register"
    EnergyActiveExportInterval = "Energy.Active.Export.Interval"
    EnergyActiveImportInterval = "Energy.Active.Import.Interval"
    EnergyReactiveExportInterval = "Energy.Reactive.Export.Interval"
    EnergyReactiveImportInterval = "Energy.Reactive.Import.Interval"
    Frequency = auto()
    PowerActiveExport = "Power.Active.Export"
    PowerActiveImport = "Power.Active.Import"
    PowerFactor = "Power.Factor"
    PowerOffered = "Power.Offered"
    PowerReactiveExport = "Power.Reactive.Export"
    PowerReactiveImport = "Power.Reactive.Import"
    RPM = auto()
    SoC = auto()
    Temperature = auto()
    Voltage = auto()


class MessageTrigger(OcppEnum):
    """1.6 §7.32"""

    BootNotification = auto()
    DiagnosticsStatusNotification = auto()
    FirmwareStatusNotification = auto()
    Heartbeat = auto()
    MeterValues = auto()
    StatusNotification = auto()


class Phase(OcppEnum):
    """1.6 §7.34"""

    L1 = auto()
    L2 = auto()
    L3 = auto()
    N = auto()
    L1N = "L1-N"
    L2N = "L2-N"
    L3N = "L3-N"
    L1L2 = "L1-L2"
    L2L3 = "L2-L3"
    L3L1 = "L3-L1"


class ReadingContext(OcppEnum):
    """1.6 §7.35"""

    InterruptionBegin = "Interruption.Begin"
    InterruptionEnd = "Interruption.End"
    Other = auto()
    SampleClock = "Sample.Clock"
    SamplePeriodic = "Sample.Periodic"
    TransactionBegin = "Transaction.Begin"
    TransactionEnd = "Transaction.End"
    Trigger = auto()


class Reason(OcppEnum):
    """1.6 §7.36"""

    DeAuthorized = auto()
    EmergencyStop = auto()
    EVDisconnected = auto()
    HardReset = auto()
    Local = auto()
    Other = auto()
    PowerLoss = auto()
    Reboot = auto()
    Remote = auto()
    SoftReset = auto()
    UnlockCommand = auto()


class RecurrencyKindType(OcppEnum):
    """1.6 §7.37"""

    Daily = auto()
    Weekly = auto()


class RegistrationStatus(OcppEnum):
    """1.6 §7.38"""

    Accepted = auto()
    Pending = auto()
    Rejected = auto()


class RemoteStartStopStatus(OcppEnum):
    """1.6 §7.39"""

    Accepted = auto()
    Rejected = auto()


class ReservationStatus(OcppEnum):
    """1.6 §7.40"""

    Accepted = auto()
    Faulted = auto()
    Occupied = auto()
    Rejected = auto()
    Unavailable = auto()


class ResetStatus(OcppEnum):
    """1.6 §7.41"""

    Accepted = auto()
    Rejected = auto()


class ResetType(OcppEnum):
    """1.6 §7.42"""

    Hard = auto()
    Soft = auto()


class TriggerMessageStatus(OcppEnum):
    """1.6 §7.44"""

    Accepted = auto()
    Rejected = auto()
    NotImplemented = auto()


class UnitOfMeasure(OcppEnum):
    """1.6 §7.45. ``Celcius``, the misspelling of the first schemas, is read as Celsius, never sent (errata-J 2.1)."""

    Wh = auto()
    kWh = auto()  # noqa: N815 (the standard's spelling)
    varh = auto()
    kvarh = auto()
    W = auto()
    kW = auto()  # noqa: N815
    VA = auto()
    kVA = auto()  # noqa: N815
    var = auto()
    kvar = auto()
    A = auto()
    V = auto()
    K = auto()
    Celsius = auto()
    Fahrenheit = auto()
    Percent = auto()

    @classmethod
    def aliases(cls) -> Mapping[str, Self]:
        return {"Celcius": cls.Celsius}


class UnlockStatus(OcppEnum):
    """1.6 §7.46"""

    Unlocked = auto()
    UnlockFailed = auto()
    NotSupported = auto()


class UpdateStatus(OcppEnum):
    """1.6 §7.47"""

    Accepted = auto()
    Failed = auto()
    NotSupported = auto()
    VersionMismatch = auto()


class UpdateType(OcppEnum):
    """1.6 §7.48"""

    Differential = auto()
    Full = auto()


class ValueFormat(OcppEnum):
    """1.6 §7.49"""

    Raw = auto()
    SignedData = auto()


# --- Security extension ---------------------------------------------------------------------------------------------


class CertificateSignedStatusEnumType(OcppEnum):
    """The charge point's answer to a signed certificate (SEC 6, PNC 8)."""

    Accepted = auto()
    Rejected = auto()


class CertificateStatusEnumType(OcppEnum):
    """Result of installing a CA certificate."""

    Accepted = auto()
    Failed = auto()
    Rejected = auto()


class CertificateUseEnumType(OcppEnum):
    """Which store of CA certificates."""

    CentralSystemRootCertificate = auto()
    ManufacturerRootCertificate = auto()


class DeleteCertificateStatusEnumType(OcppEnum):
    """Result of deleting a certificate."""

    Accepted = auto()
    Failed = auto()
    NotFound = auto()


class FirmwareStatusEnumType(OcppEnum):
    """Progress of a signed firmware update."""

    Downloaded = auto()
    DownloadFailed = auto()
    Downloading = auto()
    DownloadScheduled = auto()
    DownloadPaused = auto()
    Idle = auto()
    InstallationFailed = auto()
    Installing = auto()
    Installed = auto()
    InstallRebooting = auto()
    InstallScheduled = auto()
    InstallVerificationFailed = auto()
    InvalidSignature = auto()
    SignatureVerified = auto()


class GenericStatusEnumType(OcppEnum):
    """The central system's answer to a certificate signing request."""

    Accepted = auto()
    Rejected = auto()


class GetInstalledCertificateStatusEnumType(OcppEnum):
    """NotFound: there is no certificate of the wanted type."""

    Accepted = auto()
    NotFound = auto()


class HashAlgorithmEnumType(OcppEnum):
    """Algorithm of the hashes that identify a certificate."""

    SHA256 = auto()
    SHA384 = auto()
    SHA512 = auto()


class LogEnumType(OcppEnum):
    """Which log to upload."""

    DiagnosticsLog = auto()
    SecurityLog = auto()


class LogStatusEnumType(OcppEnum):
    """AcceptedCanceled: accepted, and a running upload was cancelled for it."""

    Accepted = auto()
    Rejected = auto()
    AcceptedCanceled = auto()


class MessageTriggerEnumType(OcppEnum):
    """FirmwareStatusNotification asks for SignedFirmwareStatusNotification here."""

    BootNotification = auto()
    LogStatusNotification = auto()
    FirmwareStatusNotification = auto()
    Heartbeat = auto()
    MeterValues = auto()
    SignChargePointCertificate = auto()
    StatusNotification = auto()


class TriggerMessageStatusEnumType(OcppEnum):
    """Answer to ExtendedTriggerMessage."""

    Accepted = auto()
    Rejected = auto()
    NotImplemented = auto()


class UpdateFirmwareStatusEnumType(OcppEnum):
    """Answer to SignedUpdateFirmware."""

    Accepted = auto()
    Rejected = auto()
    AcceptedCanceled = auto()
    InvalidCertificate = auto()
    RevokedCertificate = auto()


class UploadLogStatusEnumType(OcppEnum):
    """Progress of a log upload. The value is UploadFailure, whatever the prose of SEC N01.FR.10 says."""

    BadMessage = auto()
    Idle = auto()
    NotSupportedOperation = auto()
    PermissionDenied = auto()
    Uploaded = auto()
    UploadFailure = auto()
    Uploading = auto()


# --- Plug & Charge --------------------------------------------------------------------------------------------------

AuthorizationStatusEnumType: TypeAlias = AuthorizationStatus  # PNC 8.1 has the same five values


class AuthorizeCertificateStatusEnumType(OcppEnum):
    """What the central system found out about a contract certificate."""

    Accepted = auto()
    SignatureError = auto()
    CertificateExpired = auto()
    CertificateRevoked = auto()
    NoCertificateAvailable = auto()
    CertChainError = auto()
    ContractCancelled = auto()


class CertificateActionEnumType(OcppEnum):
    """Install or update the contract certificate of a vehicle."""

    Install = auto()
    Update = auto()


class GetCertificateIdUseEnumType(OcppEnum):
    """Kinds of installed Plug & Charge certificates. OEMRootCertificate comes from later editions of OCPP."""

    V2GRootCertificate = auto()
    MORootCertificate = auto()
    V2GCertificateChain = auto()
    OEMRootCertificate = auto()


class GetCertificateStatusEnumType(OcppEnum):
    """Was the OCSP answer obtained?"""

    Accepted = auto()
    Failed = auto()


class InstallCertificateStatusEnumType(OcppEnum):
    """Result of installing a Plug & Charge root certificate."""

    Accepted = auto()
    Rejected = auto()
    Failed = auto()


class InstallCertificateUseEnumType(OcppEnum):
    """Kinds of Plug & Charge root certificates. OEMRootCertificate comes from later editions of OCPP."""

    V2GRootCertificate = auto()
    MORootCertificate = auto()
    OEMRootCertificate = auto()


class Iso15118EVCertificateStatusEnumType(OcppEnum):
    """Was the EXI request processed?"""

    Accepted = auto()
    Failed = auto()
