"""The bench of flags counts what was written and what was not."""

from bench import flags


def test_words_are_counted_by_kind() -> None:
    found = flags.main(1, 0)
    assert 0 <= found["false alarms"] <= found["recall"] <= 1  # type: ignore[operator]
    assert set(found["flagged as skin"]) == {"skin", "eye or mouth", *flags.KINDS}  # type: ignore[call-overload]
