"""Secrets in addresses are seen, and nothing of them is shown."""

import pytest

from core.config import SettingError, load
from core.secret_text import first_word, secret_of


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("https://me:pw@host/x", "a user or password"), ("s3://KEY@bucket/x", "a user or password"),
        ("bucket:http://u:p@host", "a user or password"), ("ray://u@host:1", "a user or password"),
        ("https://host/?api_key=x", "the secret api_key"),
        ("https://host/?a=1&X-Amz-Signature=x", "the secret X-Amz-Signature"),
        ("https://host/a@b", ""), ("hf:org/name@main", ""), ("someone@example.org", ""), ("https://host/?db=pmc", ""),
        ("s3://bucket/x?endpoint_override=host", ""), ("", ""),
    ],
)  # fmt: skip
def test_what_of_an_address_is_secret(text: str, found: str) -> None:
    assert secret_of(text) == found


def test_what_was_typed_is_shown_as_far_as_it_names_a_setting() -> None:
    assert first_word("source.api_key:abc") == first_word(" source.api_key abc") == "source.api_key"


@pytest.mark.parametrize(
    "typed", ["source.bucket_url=https://me:s3cr3t@h", "source.api_key s3cr3t", "source.query=https://h/?token=s3cr3t"]
)
def test_no_error_shows_it(typed: str) -> None:
    with pytest.raises(SettingError) as told:
        load(None, [typed])
    assert "s3cr3t" not in str(told.value)
