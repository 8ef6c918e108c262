"""The card of collected data."""

from app.data_card import card

REPORT = {"manifest": "inventory-reports/x/manifest.json", "made": "2026-11-01T01-00Z", "etag": "abc", "files": []}


def test_the_card_says_where_when_and_under_which_licences() -> None:
    found = {"day": "2026-11-29", "index": "pubmed", "queries": {"pubmed": "glioma"}, "inventory": REPORT}
    text = card(found, figures=1_200, articles=700, licences={"CC BY": 1_000, "CC0": 200})
    for said in ("2026-11-29", "pubmed: glioma", "1,200 of 700", "CC BY 1,000, CC0 200", "ETag abc", "most current"):
        assert said in text


def test_a_bucket_without_query_and_inventory_says_so() -> None:
    text = card(
        {"day": "2026-11-29", "index": "pubmed", "queries": {}, "inventory": None}, figures=0, articles=0, licences={}
    )
    assert "without a query" in text and "no inventory" in text
