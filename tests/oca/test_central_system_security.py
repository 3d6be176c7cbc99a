"""The alliance's cases for central systems: passwords, certificates, signed firmware, security events.

TC_086 and TC_087 are about TLS; of TC_074 and TC_083 the messages are here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from openocpp import (
    CertificateHashDataType,
    CertificateStatusEnumType,
    CertificateUseEnumType,
    ConnectError,
    DeleteCertificateStatusEnumType,
    HashAlgorithmEnumType,
    LogEnumType,
    LogStatusEnumType,
    MessageTriggerEnumType,
    ResetType,
    Runtime,
    TriggerMessageStatusEnumType,
    UpdateFirmwareStatusEnumType,
)
from openocpp.testing.conversation import ScriptedPeer
from openocpp.types.pem import PemText
from tests.centralsystem.pems import CERTIFICATE, REQUEST
from tests.centralsystem.raw import Served
from tests.oca.central_system import KEY, START, URL, Case, stamp

if TYPE_CHECKING:
    from openocpp.testing import SimulatedRuntime


def test_tc_073_csms(guarded: Case) -> None:
    """The password is changed, and the new one counts from the next connection on."""
    case, new = guarded, bytes.fromhex("AA" * 20)
    case.configure("AuthorizationKey", new.hex())
    case.backend.passwords["CP1"] = new
    case.peer.close()
    with pytest.raises(ConnectError) as caught:
        ScriptedPeer.connect(case.sim, URL, "CP1", password=KEY)
    assert caught.value.status == 401
    case.connect(password=new).boot()


def test_tc_074_csms(case: Case) -> None:
    """The messages of a new certificate. That the station then connects with it is a matter of TLS."""
    result = case.command(
        lambda: case.charge_point.extended_trigger_message(MessageTriggerEnumType.SignChargePointCertificate),
        "ExtendedTriggerMessage", {"requestedMessage": "SignChargePointCertificate"}, {"status": "Accepted"},
    )  # fmt: skip
    assert result is TriggerMessageStatusEnumType.Accepted
    assert case.peer.call("SignCertificate", {"csr": REQUEST}).result() == {"status": "Accepted"}
    assert case.backend.requests == [REQUEST]
    assert case.command(
        lambda: case.charge_point.certificate_signed(PemText(CERTIFICATE)),
        "CertificateSigned", {"certificateChain": CERTIFICATE}, {"status": "Accepted"},
    )  # fmt: skip


HASH = {"hashAlgorithm": "SHA256", "issuerNameHash": "aa", "issuerKeyHash": "bb", "serialNumber": "01"}
HASH_DATA = CertificateHashDataType(
    hash_algorithm=HashAlgorithmEnumType.SHA256, issuer_name_hash="aa", issuer_key_hash="bb", serial_number="01"
)


@pytest.mark.parametrize(
    "use",
    [
        pytest.param(CertificateUseEnumType.ManufacturerRootCertificate, id="tc_075_1_csms"),
        pytest.param(CertificateUseEnumType.CentralSystemRootCertificate, id="tc_075_2_csms"),
    ],
)
def test_tc_075_csms(case: Case, use: CertificateUseEnumType) -> None:
    result = case.command(
        lambda: case.charge_point.install_certificate(use, PemText(CERTIFICATE)),
        "InstallCertificate", {"certificateType": str(use), "certificate": CERTIFICATE}, {"status": "Accepted"},
    )  # fmt: skip
    assert result is CertificateStatusEnumType.Accepted
    found = case.command(
        lambda: case.charge_point.get_installed_certificate_ids(use),
        "GetInstalledCertificateIds", {"certificateType": str(use)},
        {"status": "Accepted", "certificateHashData": [HASH]},
    )  # fmt: skip
    assert found == [HASH_DATA]


def test_tc_076_csms(case: Case) -> None:
    use = CertificateUseEnumType.CentralSystemRootCertificate
    (found,) = case.command(
        lambda: case.charge_point.get_installed_certificate_ids(use),
        "GetInstalledCertificateIds", {"certificateType": str(use)},
        {"status": "Accepted", "certificateHashData": [HASH]},
    )  # fmt: skip
    for status in (DeleteCertificateStatusEnumType.Accepted, DeleteCertificateStatusEnumType.NotFound):
        result = case.command(
            lambda: case.charge_point.delete_certificate(found),
            "DeleteCertificate", {"certificateHashData": HASH}, {"status": str(status)},
        )  # fmt: skip
        assert result is status


def security_event(case: Case, type: str) -> None:
    event = {"type": type, "timestamp": stamp(START)}
    assert case.peer.call("SecurityEventNotification", event).result() == {}
    assert case.backend.events[-1] == type


def test_tc_077_csms(case: Case) -> None:
    assert not case.command(
        lambda: case.charge_point.certificate_signed(PemText(CERTIFICATE)),
        "CertificateSigned", {"certificateChain": CERTIFICATE}, {"status": "Rejected"},
    )  # fmt: skip
    security_event(case, "InvalidChargePointCertificate")


def test_tc_078_csms(case: Case) -> None:
    use = CertificateUseEnumType.CentralSystemRootCertificate
    result = case.command(
        lambda: case.charge_point.install_certificate(use, PemText(CERTIFICATE)),
        "InstallCertificate", {"certificateType": str(use)}, {"status": "Rejected"},
    )  # fmt: skip
    assert result is CertificateStatusEnumType.Rejected
    security_event(case, "InvalidCentralSystemCertificate")


def test_tc_079_csms(case: Case) -> None:
    result = case.command(
        lambda: case.charge_point.get_log(LogEnumType.SecurityLog, 55, "ftp://files/in/"),
        "GetLog", {"logType": "SecurityLog", "requestId": 55, "log": {"remoteLocation": "ftp://files/in/"}},
        {"status": "Accepted", "filename": "security.csv"},
    )  # fmt: skip
    assert (result.status, result.filename) == (LogStatusEnumType.Accepted, "security.csv")
    for status in ("Uploading", "Uploaded"):
        case.peer.call("LogStatusNotification", {"status": status, "requestId": 55}).result()
    assert case.backend.log == [("Uploading", 55), ("Uploaded", 55)]


@pytest.mark.parametrize(
    "statuses",
    [
        pytest.param(
            ["Downloading", "Downloaded", "SignatureVerified", "Installing", "InstallRebooting", "Installed"],
            id="tc_080_csms",
        ),
        pytest.param(["Downloading", "Downloaded", "InvalidSignature"], id="tc_081_csms"),
    ],
)
def test_tc_080_081_csms(case: Case, statuses: list[str]) -> None:
    firmware = {
        "location": "ftp://files/fw.bin", "retrieveDateTime": stamp(START), "signingCertificate": CERTIFICATE,
        "signature": "c2lnbmF0dXJl",
    }  # fmt: skip
    result = case.command(
        lambda: case.charge_point.signed_update_firmware(
            77, "ftp://files/fw.bin", None, START, None, None, PemText(CERTIFICATE), "c2lnbmF0dXJl"
        ),
        "SignedUpdateFirmware", {"requestId": 77, "firmware": firmware}, {"status": "Accepted"},
    )  # fmt: skip
    assert result is UpdateFirmwareStatusEnumType.Accepted
    for status in statuses:
        case.peer.call("SignedFirmwareStatusNotification", {"status": status, "requestId": 77}).result()
    assert case.backend.firmware == statuses
    if statuses[-1] == "InvalidSignature":
        security_event(case, "InvalidFirmwareSignature")


def test_tc_083_csms(sim: SimulatedRuntime) -> None:
    """From no security to passwords: the messages, and the connection as the new profile wants it."""
    case = Case(sim).connect()
    case.boot()
    case.configure("AuthorizationKey", KEY.hex())
    case.configure("SecurityProfile", "1", "RebootRequired")
    assert case.command(
        lambda: case.charge_point.reset(ResetType.Hard), "Reset", {"type": "Hard"}, {"status": "Accepted"}
    )
    case.peer.abort()
    case.central_system.stop()
    upgraded = Case(sim, http_basic_authent=True)
    upgraded.backend.passwords["CP1"] = KEY
    with pytest.raises(ConnectError):
        ScriptedPeer.connect(sim, URL, "CP1")
    upgraded.connect(password=KEY).boot()


def test_tc_085_csms(guarded: Case) -> None:
    """The right pair of identity and password is accepted, no other."""
    sim = guarded.sim
    guarded.peer.close()
    guarded.connect(password=KEY).boot()
    wrong: list[dict[str, Any]] = [{"password": b"wrong"}, {"user": "CP2", "password": KEY}, {}]
    for options in wrong:
        with pytest.raises(ConnectError) as caught:
            ScriptedPeer.connect(sim, URL, "CP1", **options)
        assert caught.value.status == 401


def test_tc_088_csms() -> None:
    """Of several sub-protocols the known one is chosen, also when it is not the first."""
    with Runtime() as runtime:
        served = Served(runtime)
        try:
            client = served.client(protocols="ocpp0.1, ocpp1.6")
            assert client.status() == 101
            assert b"\r\nsec-websocket-protocol: ocpp1.6" in client.head.lower()
            assert client.call("BootNotification", {"chargePointVendor": "V", "chargePointModel": "M"})[0] == 3
        finally:
            served.close()
