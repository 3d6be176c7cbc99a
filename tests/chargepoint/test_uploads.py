"""Where a file goes, and under which name."""

from __future__ import annotations

import pytest

from openocpp.chargepoint.uploads import Upload


@pytest.mark.parametrize(
    ("location", "url"),
    [
        ("ftp://host", "ftp://host/a%20b.zip"),
        ("ftp://host/", "ftp://host/a%20b.zip"),
        ("http://user:pass@[2001:db8::1]:8080/x/y", "http://user:pass@[2001:db8::1]:8080/x/y/a%20b.zip"),
        ("https://host/x/?token=/1#end", "https://host/x/a%20b.zip?token=/1#end"),
        ("https://host?token=1", "https://host/a%20b.zip?token=1"),
        ("file:///", "file:///a%20b.zip"),
    ],
)
def test_the_file_keeps_its_name_in_the_folder(location: str, url: str) -> None:
    upload = Upload.to_folder("/tmp/a b.zip", location, None, None)
    assert upload.url == url
    assert upload.name == "a b.zip"


def test_a_long_name_is_told_as_far_as_it_goes() -> None:
    """255 characters (1.6 §6.26); the file itself keeps its name."""
    upload = Upload.to_folder("/tmp/" + 300 * "x", "ftp://host", None, None)
    assert upload.name == 255 * "x"
    assert upload.url == "ftp://host/" + 300 * "x"


def test_how_often() -> None:
    assert Upload.to_folder("f", "ftp://host", 3, 60)[2:] == (3, 60.0)
    assert Upload.to_folder("f", "ftp://host", None, None).retries == 0
