"""Search terms over a small index."""

import pytest

from phantom.pmc.search_index import Entry, TermError, find

ENTRIES = [
    Entry(1, True, True, frozenset({"CC BY"}), frozenset({"brain", "mri"}), 2020),
    Entry(2, True, False, frozenset({"CC BY"}), frozenset({"brain"}), 2020),
    Entry(3, False, True, frozenset({"CC0"}), frozenset({"brain", "ct"}), 2021),
    Entry(4, True, True, frozenset({"CC BY-NC-ND"}), frozenset({"liver"}), 2022),
]


@pytest.mark.parametrize(
    "term, numbers",
    [
        ("brain[Figure/Table Caption]", [1, 2, 3]),
        ('"case reports"[Filter] AND brain[Figure/Table Caption] AND open_access[Filter]', [1]),
        ("open_access[Filter] AND (cc0_license[Filter] OR cc_by_license[Filter])", [1, 3]),
        ("brain[Figure/Table Caption] NOT cc0_license[Filter]", [1, 2]),
        ('cc_by-nc-nd_license[Filter] OR "brain ct"[Figure/Table Caption]', [3, 4]),
    ],
)
def test_a_term_selects(term: str, numbers: list[int]) -> None:
    assert find(ENTRIES, term) == numbers


@pytest.mark.parametrize("term", ["", "brain", "(brain[Figure/Table Caption]", "AND open_access[Filter]", "x[Title]"])
def test_a_term_that_the_index_cannot_read_is_an_error(term: str) -> None:
    with pytest.raises(TermError):
        find(ENTRIES, term)
