"""Three ways to the same case reports, over HTTP."""

from pathlib import Path
from typing import Any

import pytest

from core.settings import SelectSettings, SourceSettings
from phantom.pmc.corpus import read_truth
from phantom.pmc.faults import Faults
from phantom.pmc.server import serve
from pipelines.sources.pmc import fetch, open_bucket, open_transport
from pipelines.sources.topics import pubmed_clauses
from pipelines.sources.transport import FetchError
from pipelines.sources.ways import Found, count, find


def found(source: SourceSettings, **select: Any) -> Found:
    return find(source, SelectSettings(**select), open_transport(source))


def kept(source: SourceSettings, articles: list[str]) -> set[str]:
    """The figures that articles keep, their type and licence read in each."""
    bucket, select = open_bucket(source), SelectSettings(keyword="brain", article_types=("case-report",))
    return {figure.figure_id for article in articles for figure in fetch(bucket, article, select=select)[0]}


@pytest.mark.parametrize("links", ["elink", "idconv"])
@pytest.mark.parametrize("index", ["pubmed", "europepmc", "pmc"])
def test_each_way_leads_to_the_figures_that_ought_to_be_kept(
    there: SourceSettings, corpus: Path, index: str, links: str
) -> None:
    source = SourceSettings.model_validate({**there.model_dump(), "index": index, "links": links})
    right = {figure.figure_id for figure in read_truth(corpus) if figure.kept}
    assert kept(source, found(source).articles) >= right


def test_pubmed_counts_what_has_no_article_in_pmc_and_what_its_captions_lack(there: SourceSettings) -> None:
    way = found(there)
    assert way.counts["without a link to PMC"] > 0
    assert way.counts["in PubMed"] - way.counts["without a link to PMC"] >= way.counts["articles"] == len(way.articles)
    assert set(way.queries) == {"pubmed", "pmc"}


def test_the_indexes_that_know_the_type_fetch_less_in_vain(there: SourceSettings) -> None:
    alone = there.model_copy(update={"index": "pmc"})
    assert set(found(there).articles) < set(found(alone).articles)


def test_no_more_articles_than_asked(there: SourceSettings) -> None:
    for index in ("pubmed", "europepmc", "pmc"):
        few = there.model_copy(update={"index": index, "max_articles": 3})
        assert len(found(few).articles) == 3


def test_the_old_query_names_the_filter_and_what_to_do(there: SourceSettings) -> None:
    old = there.model_copy(update={"index": "pmc", "query": '"case reports"[Filter] AND brain[Figure/Table Caption]'})
    with pytest.raises(FetchError) as refused:
        found(old)
    assert refused.value.code == "esearch_query"
    assert '"case reports"[Filter]' in refused.value.message and "source.index=pubmed" in refused.value.message


def test_a_clause_is_counted_without_fetching(there: SourceSettings) -> None:
    transport = open_transport(there)
    counts = [count(there, transport, clause) for clause in pubmed_clauses(there, SelectSettings())]
    assert all(counts) and max(counts) <= 42


def test_faults_that_pass_are_outlived_on_every_service(corpus: Path) -> None:
    with serve(corpus / "bucket", faults=Faults(seed=1, unavailable=0.3, truncated=0.2, retry_after=0)) as flaky:
        urls = {name.removeprefix("source."): url for name, url in flaky.settings.items()}
        for changes in ({"index": "pubmed"}, {"index": "pubmed", "links": "idconv"}, {"index": "europepmc"}):
            source = SourceSettings.model_validate({**urls, **changes, "esearch_per_second": 1000})
            assert found(source).articles
