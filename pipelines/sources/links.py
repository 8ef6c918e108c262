"""From PubMed ids to PMC ids: E-utilities' ELink, or PMC's ID converter, in batches."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from core.settings import SourceSettings
from pipelines.sources.esearch import caller
from pipelines.sources.transport import PassingError, Transport

LINK = "pubmed_pmc"  # the article in PMC; pubmed_pmc_refs would be the articles that cite it
BATCH = 200  # ids of one request: the converter's most, and an address of some 3 KB


def pmc_ids(source: SourceSettings, transport: Transport, pmids: Sequence[str]) -> dict[str, str]:
    """PMC ids, "PMC4735894", by PubMed id; ids without an article in PMC are missing. Raises FetchError."""
    ask = _elink if source.links == "elink" else _idconv
    found: dict[str, str] = {}
    for start in range(0, len(pmids), BATCH):
        found.update(ask(source, transport, pmids[start : start + BATCH]))
    return found


def elink_url(source: SourceSettings) -> str:
    """ELink stands beside ESearch."""
    return eutil(source, "elink")


def eutil(source: SourceSettings, name: str) -> str:
    """The address of another of the E-utilities, beside ESearch's."""
    return source.esearch_url.replace("esearch.fcgi", f"{name}.fcgi")


def _elink(source: SourceSettings, transport: Transport, pmids: Sequence[str]) -> Iterator[tuple[str, str]]:
    """A set of links for each id: one list of ids would merge all links into one set, so `id` is repeated."""
    query: dict[str, str | Sequence[str]] = {
        "dbfrom": "pubmed", "db": "pmc", "linkname": LINK, "retmode": "json", **caller(source), "id": list(pmids),
    }  # fmt: skip
    reply = transport.get(elink_url(source), query, per_second=source.esearch_per_second, check=_linksets)
    for each in _linksets(reply):
        links = [
            str(link) for one in each.get("linksetdbs") or [] if one.get("linkname") == LINK for link in one["links"]
        ]
        if links:
            yield str(each["ids"][0]), f"PMC{links[0]}"


def _linksets(reply: bytes) -> list[dict[str, Any]]:
    """The sets of links in a reply; raises PassingError for anything else."""
    try:
        found = json.loads(reply, strict=False)
        sets = found["linksets"]
        if any(len(each["ids"]) != 1 for each in sets):
            raise PassingError("elink", "ELink merged several ids into one set of links")
    except (ValueError, LookupError, TypeError) as error:
        raise PassingError("elink", f"ELink's reply is not its JSON: {type(error).__name__}") from error
    return list(sets)


def _idconv(source: SourceSettings, transport: Transport, pmids: Sequence[str]) -> Iterator[tuple[str, str]]:
    query = {"ids": ",".join(pmids), "idtype": "pmid", "format": "json", **_named(caller(source))}
    reply = transport.get(source.idconv_url, query, per_second=source.esearch_per_second, check=_records)
    for record in _records(reply):
        if record.get("pmcid") and record.get("pmid"):
            yield str(record["pmid"]), str(record["pmcid"])


def _named(named: Mapping[str, str]) -> dict[str, str]:
    """The converter takes no key."""
    return {name: value for name, value in named.items() if name != "api_key"}


def _records(reply: bytes) -> list[dict[str, Any]]:
    try:
        return list(json.loads(reply)["records"])
    except (ValueError, LookupError, TypeError) as error:
        raise PassingError("idconv", f"the ID converter's reply is not its JSON: {type(error).__name__}") from error
