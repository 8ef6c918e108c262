"""A mistyped name leads to the known one, and a word for something else to none."""

import pytest

from core.suggestions import meant, nearest


@pytest.mark.parametrize(
    ("word", "found"),
    [("procesed", "processed"), ("XRAY", "X-ray"), ("medvl-fantom", "medvl-phantom"), ("glioma", None), ("", None)],
)
def test_the_nearest_name(word: str, found: str | None) -> None:
    known = ["processed", "X-ray", "medvl-phantom", "raw"]
    assert nearest(word, known) == found
    assert meant(word, known) == (f"; did you mean {found}?" if found else "")
