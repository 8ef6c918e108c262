"""Three ways to find case reports that show a topic in a caption, with one interface: settings to PMC ids.

What an index promises is checked again in each article: its type in the XML, its licence, and the word in its captions.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from core.settings import SelectSettings, SourceSettings
from pipelines.sources import esearch, europepmc
from pipelines.sources.links import pmc_ids
from pipelines.sources.topics import Clause, europepmc_clauses, pmc_clauses, pubmed_clauses, query_of
from pipelines.sources.transport import Transport


@dataclass(frozen=True)
class Found:
    """The articles that a way found, and how it came to them."""

    articles: list[str]
    counts: dict[str, int] = field(default_factory=dict)  # at each step, in order
    queries: dict[str, str] = field(default_factory=dict)  # by the index that was asked


Way = Callable[[SourceSettings, SelectSettings, Transport], Found]


def by_pubmed(source: SourceSettings, select: SelectSettings, transport: Transport) -> Found:
    """PubMed's case reports on the topic, linked to PMC, of which PMC finds the word in a caption."""
    asked, narrowed = query_of(pubmed_clauses(source, select)), query_of(pmc_clauses(source, select))
    pmids = esearch.ids(source, transport, "pubmed", asked)
    linked = pmc_ids(source, transport, pmids)
    counts = {"in PubMed": len(pmids), "without a link to PMC": len(pmids) - len(linked)}
    captioned = {f"PMC{number}" for number in esearch.ids(source, transport, "pmc", narrowed)} if linked else set[str]()
    articles = [article for article in dict.fromkeys(linked.values()) if article in captioned]
    counts |= {"not found by PMC's caption, access or licence": len(set(linked.values())) - len(articles)}
    return Found(
        articles[: source.max_articles],
        {**counts, "articles": len(articles)},
        {"pubmed": asked, "pmc": narrowed},
    )


def by_europepmc(source: SourceSettings, select: SelectSettings, transport: Transport) -> Found:
    """One query of Europe PMC."""
    query = query_of(europepmc_clauses(source, select))
    articles = europepmc.ids(source, transport, query, wanted=source.max_articles)
    return Found(articles, {"articles": len(articles)}, {"europepmc": query})


def by_pmc(source: SourceSettings, select: SelectSettings, transport: Transport) -> Found:
    """The word in PMC's captions alone, articles of all types: many are fetched in vain."""
    query = query_of(pmc_clauses(source, select))
    articles = [f"PMC{number}" for number in esearch.ids(source, transport, "pmc", query, wanted=source.max_articles)]
    return Found(articles, {"articles": len(articles)}, {"pmc": query})


WAYS: dict[str, Way] = {"pubmed": by_pubmed, "europepmc": by_europepmc, "pmc": by_pmc}


def find(source: SourceSettings, select: SelectSettings, transport: Transport) -> Found:
    """The articles of a topic by the way that `source.index` names; raises FetchError."""
    return WAYS[source.index](source, select, transport)


def count(source: SourceSettings, transport: Transport, clause: Clause) -> int:
    """How many articles one clause finds alone, without fetching any; raises FetchError."""
    if clause.index == "europepmc":
        return europepmc.count(source, transport, clause.text)
    return esearch.count(source, transport, clause.index, clause.text)
