"""The page of the documentation is the one that the declarations give, and names all of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from openocpp.config.keys import KEYS
from openocpp.config.reference import configuration_page
from openocpp.config.setting import settings_of
from openocpp.config.stack import CentralSystemConfig, ChargePointConfig, LocalControllerConfig

PAGE = Path(__file__).resolve().parents[2] / "docs" / "configuration.rst"


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == configuration_page(), "run `make docs`"


def test_every_key_of_the_standard_is_on_the_page() -> None:
    rows = configuration_page().splitlines()
    assert [name for name in KEYS if f"   * - {name}" not in rows] == []


@pytest.mark.parametrize("role", [ChargePointConfig, CentralSystemConfig, LocalControllerConfig])
def test_every_setting_is_on_the_page(role: type) -> None:
    page = configuration_page()
    assert [name for name in settings_of(role) if f"   * - {name}" not in page] == []
