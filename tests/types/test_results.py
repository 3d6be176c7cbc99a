"""Results of operations and handlers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from openocpp.types import NO_ANSWER, CallOutcome, CallResult, DataTransferResult, DataTransferStatus, results

if TYPE_CHECKING:
    from openocpp.messages import HeartbeatConf

FIELDS = {
    "AuthorizeResult": "status parent_id",
    "DataTransferResult": "status data",
    "Setpoints": "charge_point connector",
    "SmartChargingSetpoint": "value number_phases min_charging_rate",
    "ConfigurationResult": "values unknown",
    "CompositeSchedule": "status connector_id schedule_start schedule",
    "GetLogResult": "status filename",
    "StartTransactionResult": "id_tag_info transaction_id",
    "Iso15118AuthorizeResult": "status certificate_status",
    "Iso15118AuthorizeAnswer": "id_token_info certificate_status",
    "EvCertificateResult": "status exi_response",
    "CertificateStatusResult": "status ocsp_result",
}


@pytest.mark.parametrize("name", sorted(FIELDS))
def test_fields_of_the_tuples(name: str) -> None:
    assert " ".join(getattr(results, name)._fields) == FIELDS[name]


def test_data_is_empty_unless_given() -> None:
    assert DataTransferResult(DataTransferStatus.Rejected).data == ""


@pytest.mark.parametrize("outcome", list(CallOutcome))
def test_only_an_answered_call_is_ok(outcome: CallOutcome) -> None:
    result: CallResult[HeartbeatConf] = CallResult(outcome)
    assert result.ok is (outcome is CallOutcome.Answered)
    assert (result.response, result.error_code, result.error_description) == (None, "", "")
    assert dict(result.error_details) == {}


def test_no_answer_is_one_object_and_says_so() -> None:
    assert repr(NO_ANSWER) == "NO_ANSWER"
    assert NO_ANSWER is results.NoAnswer.NO_ANSWER


def test_checks_of_a_contract_certificate() -> None:
    assert [check.value for check in results.EvCertificateCheck] == ["Valid", "UnknownRoot", "Invalid"]
