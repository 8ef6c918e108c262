"""Topics to queries; every field and filter that figray asks by is one that is stated to exist."""

import re

import pytest

from core.config import load
from core.settings import SelectSettings, SourceSettings
from pipelines.sources.known import FIELDS, FILTERS, PUBLICATION_TYPES, TAGS
from pipelines.sources.topics import (
    clauses_of,
    europepmc_clauses,
    keyword_of,
    pmc_clauses,
    pubmed_clauses,
    query_of,
    terms,
)

SELECT = SelectSettings()


def test_the_default_queries() -> None:
    source = SourceSettings()
    assert (
        query_of(pubmed_clauses(source, SELECT)) == 'brain AND "case reports"[pt] AND "pubmed pmc open access"[filter]'
    )
    assert query_of(pmc_clauses(source, SELECT)) == (
        "brain[Figure/Table Caption] AND open_access[Filter] AND "
        "(cc0_license[Filter] OR cc_by_license[Filter] OR cc_by-sa_license[Filter])"
    )
    assert query_of(europepmc_clauses(source, SELECT)) == (
        'FIG:"brain" AND (PUB_TYPE:"Case Reports" OR PUB_TYPE:"case-report") AND OPEN_ACCESS:y AND IN_PMC:y AND '
        '(LICENSE:"cc0" OR LICENSE:"cc by" OR LICENSE:"cc by-sa")'
    )


@pytest.mark.parametrize("index", ["pubmed", "pmc"])
@pytest.mark.parametrize("manuscripts", [True, False])
@pytest.mark.parametrize("topic", ["brain", "glioma OR glioblastoma", "spinal cord"])
def test_every_field_and_filter_stands_in_the_list_with_its_source(index: str, topic: str, manuscripts: bool) -> None:
    source = SourceSettings.model_validate({"index": index, "topic": topic})
    licences = ("CC0", "CC BY", "CC BY-SA", "CC BY-ND", "CC BY-NC", "CC BY-NC-SA", "CC BY-NC-ND")
    every = SelectSettings(licences=licences, manuscripts=manuscripts)
    for clause in clauses_of(source, every):
        for words, tag in re.findall(r'("[^"]*"|[\w-]+)\[([^\]]+)\]', clause.text):
            name, field = words.strip('"').lower(), tag.lower()
            field = TAGS.get(field, field)
            assert field in FIELDS[clause.index]
            assert field != "filter" or name in FILTERS[clause.index]
            assert field != "publication type" or name in PUBLICATION_TYPES
    assert all(source for names in (*FIELDS.values(), *FILTERS.values()) for source in names.values())


@pytest.mark.parametrize(
    ("topic", "words"),
    [
        ("glioma", ("glioma",)),
        ('glioma OR "brain tumor"', ("glioma", "brain tumor")),
        ('"Brain Neoplasms"[MeSH Terms] OR glioma[tiab]', ("Brain Neoplasms", "glioma")),
        ("", ()),
    ],
)
def test_a_topic_has_words(topic: str, words: tuple[str, ...]) -> None:
    assert terms(topic) == words


def test_several_words_are_asked_for_with_or_and_phrases_in_quotes() -> None:
    source = SourceSettings(topic='glioma OR "brain tumor"')
    assert pubmed_clauses(source, SELECT)[0].text == 'glioma OR "brain tumor"'
    assert pmc_clauses(source, SELECT)[0].text == (
        'glioma[Figure/Table Caption] OR "brain tumor"[Figure/Table Caption]'
    )
    assert europepmc_clauses(source, SELECT)[0].text == 'FIG:"glioma" OR FIG:"brain tumor"'
    assert query_of(pmc_clauses(source, SELECT)).startswith("(glioma[")


def test_a_mesh_term_goes_to_pubmed_as_it_is_and_its_words_to_the_captions() -> None:
    source = SourceSettings(topic='"Brain Neoplasms"[MeSH Terms]')
    assert pubmed_clauses(source, SELECT)[0].text == '"Brain Neoplasms"[MeSH Terms]'
    assert pmc_clauses(source, SELECT)[0].text == '"Brain Neoplasms"[Figure/Table Caption]'


def test_the_keyword_is_the_topic_unless_it_is_set() -> None:
    source = SourceSettings(topic="glioma")
    assert keyword_of(SELECT, source) == "glioma"
    assert keyword_of(SelectSettings(keyword="mass"), source) == "mass"
    assert pmc_clauses(source, SelectSettings(keyword=""))[0].name == "open access"  # every caption


def test_a_query_of_ones_own_takes_the_place_of_the_topics() -> None:
    own = SourceSettings(query="glioma[mh]")
    assert [clause.text for clause in pubmed_clauses(own, SELECT)] == ["glioma[mh]"]
    assert pmc_clauses(own, SELECT)[0].text == "brain[Figure/Table Caption]"
    alone = own.model_copy(update={"index": "pmc"})
    assert [clause.text for clause in clauses_of(alone, SELECT)] == ["glioma[mh]"]


def test_manuscripts_are_asked_for_beside_open_access() -> None:
    wanted = SelectSettings(licences=("CC BY", "TDM"), manuscripts=True)
    assert [clause.name for clause in pubmed_clauses(SourceSettings(), wanted)] == ["topic", "case reports"]
    assert pmc_clauses(SourceSettings(), wanted)[1].text == (
        "(open_access[Filter] AND (cc_by_license[Filter])) OR author_manuscript[Filter]"
    )


def test_licences_that_no_index_knows_are_left_to_the_articles() -> None:
    names = [clause.name for clause in pmc_clauses(SourceSettings(), SelectSettings(licences=("CC BY", "OGL")))]
    assert names == ["caption", "open access"]


@pytest.mark.parametrize(("recipe", "word"), [("blip-brain", "brain"), ("prostate", "prostate"), ("chest", "chest")])
def test_recipes_by_topic(recipe: str, word: str) -> None:
    config = load(recipe)
    assert word in config.source.topic and word in keyword_of(config.select, config.source)
