"""What to do about a name that ESearch does not know."""

from pipelines.sources.known import advice


def test_the_filter_that_pmc_lacks_is_answered_by_the_index_that_has_the_type() -> None:
    assert "source.index=pubmed" in advice("pmc", ['"case reports"[Filter]'])
    assert "figray check" in advice("pubmed", ["brain[Legend]"])
