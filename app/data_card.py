"""The card of collected data, DATA_CARD.md: where it comes from, how to cite it, and what it must not be used for."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from core.runs import Table

CARD = """# Data collected by figray

{source}

| | |
|---|---|
| collected on | {day} |
| figures | {figures:,} of {articles:,} articles |
| licences | {licences} |
| state of the bucket | {inventory} |

**It may not be the most current.** Articles are corrected and retracted after they were collected. The state above
is the newest inventory of PMC's bucket on that day. Collect again into a new run to have what is there now.

**How to cite it.** Name the National Library of Medicine as the source: PubMed Central (PMC) Article Datasets,
National Library of Medicine, Bethesda (MD), with the day above. Cite each article whose figure you show: its
attribution, DOI and licence stand in every row of `figures/` and `pairs/`.

**Rights.** Each figure keeps the licence of its article. The licence decides what you may publish. A figure may
hold parts that others own, and then its caption says so.

**Not for patients.** Case reports show rare and severe disease. They are no sample of patients, and their authors
chose the images. Do not use the data, or models made from it, to diagnose or treat anyone, and do not try to find
out who a patient is.
"""


def card(found: Mapping[str, Any], *, figures: int, articles: int, licences: Mapping[str, int]) -> str:
    """The card. found: `found.json` of the table figures; licences: figures by licence."""
    queries = "\n".join(f"    {index}: {query}" for index, query in found.get("queries", {}).items())
    source = (
        f"Found by the way `{found.get('index')}`:\n\n{queries}" if queries else "Taken from a bucket, without a query."
    )
    report = found.get("inventory")
    return CARD.format(
        source=source,
        day=found.get("day", "unknown"),
        figures=figures,
        articles=articles,
        licences=", ".join(f"{name} {number:,}" for name, number in sorted(licences.items())) or "none",
        inventory=f"`{report['manifest']}`, ETag {report['etag']}" if report else "unknown: it lists no inventory",
    )


def card_of(figures: Table) -> str:
    """The card of a table `figures/`, read part by part."""
    licences, articles = Counter[str](), 0
    for part in figures.parts():
        rows = figures.read_of(part, ["licence", "article_id"])
        licences.update(rows["licence"].to_pylist())
        articles += len(rows["article_id"].unique())  # an article is in one part
    found = (figures.place / "found.json").read_json()
    return card(found, figures=licences.total(), articles=articles, licences=licences)
