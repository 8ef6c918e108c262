"""Search terms over a small index."""

import pytest

from phantom.pmc.search_index import (
    Entry,
    TermError,
    europepmc_words,
    find,
    in_pubmed,
    pmc_words,
    pubmed_words,
)


def entry(number: int, licence: str, words: str, *, case_report: bool = True, open_access: bool = True) -> Entry:
    found = frozenset(words.split())
    return Entry(
        number, 100 + number, case_report=case_report, open_access=open_access, licences=frozenset({licence}),
        caption_words=found, topic_words=found | {"head"}, year=2020,
    )  # fmt: skip


ENTRIES = [
    entry(1, "CC BY", "brain mri"),
    entry(2, "CC BY", "brain", open_access=False),
    entry(3, "CC0", "brain ct", case_report=False),
    entry(4, "CC BY-NC-ND", "liver"),
]


@pytest.mark.parametrize(
    "term, numbers",
    [
        ("brain[Figure/Table Caption]", [1, 2, 3]),
        ("brain[Figure/Table Caption] AND open_access[Filter]", [1, 3]),
        ("open_access[Filter] AND (cc0_license[Filter] OR cc_by_license[Filter])", [1, 3]),
        ("brain[Figure/Table Caption] NOT cc0_license[Filter]", [1, 2]),
        ('cc_by-nc-nd_license[Filter] OR "brain ct"[Figure/Table Caption]', [3, 4]),
    ],
)
def test_a_term_of_pmc_selects(term: str, numbers: list[int]) -> None:
    found = find(ENTRIES, term, pmc_words)
    assert ([each.number for each in found.entries], found.unknown) == (numbers, ())


@pytest.mark.parametrize(
    "term, numbers",
    [
        ('brain AND "case reports"[pt] AND "pubmed pmc open access"[filter]', [1]),
        ("head[mh] AND case reports[Publication Type]", [1, 2, 4]),
        ('brain[tiab] OR "liver"', [1, 2, 3, 4]),
    ],
)
def test_a_term_of_pubmed_selects(term: str, numbers: list[int]) -> None:
    term = term.replace("case reports[Publication Type]", '"case reports"[Publication Type]')
    found = find(ENTRIES, term, pubmed_words)
    assert ([each.number for each in found.entries], found.unknown) == (numbers, ())


def test_a_query_of_europe_pmc_selects() -> None:
    query = '(FIG:"brain" OR FIG:"liver") AND (PUB_TYPE:"Case Reports" OR PUB_TYPE:"case-report") AND OPEN_ACCESS:y'
    assert [each.number for each in find(ENTRIES, query, europepmc_words).entries] == [1, 4]
    assert [each.number for each in find(ENTRIES, 'LICENSE:"cc0" AND IN_PMC:y', europepmc_words).entries] == [3]


@pytest.mark.parametrize(
    "word", ['"case reports"[Filter]', "brain[Title]", "brain", "kidney[Figure/Table Caption]", "case_reports[pt]"]
)
def test_what_pmc_does_not_know_is_named(word: str) -> None:
    assert find(ENTRIES, f"open_access[Filter] AND {word}", pmc_words).unknown == (word,)


@pytest.mark.parametrize("term", ["", "(brain[Figure/Table Caption]", "AND open_access[Filter]"])
def test_a_term_that_cannot_be_read_is_an_error(term: str) -> None:
    with pytest.raises(TermError):
        find(ENTRIES, term, pmc_words)


def test_a_word_is_known_if_any_entry_of_the_whole_index_has_it() -> None:
    assert find(ENTRIES[:3], "liver[Figure/Table Caption]", pmc_words, index=ENTRIES).unknown == ()


def test_some_records_of_pubmed_have_no_article_in_pmc() -> None:
    assert [each.number for each in in_pubmed(ENTRIES)].count(0) == 1
