"""What the synthetic services answer, in the shapes of the real ones."""

import json
from collections.abc import Sequence
from typing import Any

from phantom.pmc.answers import Answer, Ncbi, europepmc
from phantom.pmc.search_index import Entry

ENTRIES = [
    Entry(
        9_000_000 + number, 30_000_000 + number, case_report=True, open_access=True, licences=frozenset({"CC BY"}),
        caption_words=frozenset({"brain"}), topic_words=frozenset({"brain"}), year=2000 + number,
    )
    for number in range(1, 6)
]  # fmt: skip


def read(answer: Answer) -> Any:
    assert answer.status == 200
    return json.loads(answer.content, strict=False)


def linked(ids: Sequence[str]) -> Any:
    query = {"dbfrom": "pubmed", "db": "pmc", "linkname": "pubmed_pmc"}
    return read(Ncbi(ENTRIES).elink(query, ids))["linksets"]


def test_elink_gives_a_set_for_each_id_and_merges_a_list() -> None:
    assert [each.get("linksetdbs", [{"links": []}])[0]["links"] for each in linked(["30000001", "5"])] == [
        ["9000001"],
        [],
    ]
    (merged,) = linked(["30000001,30000002"])
    assert merged["linksetdbs"][0]["links"] == ["9000001", "9000002"]


def test_the_converter_takes_two_hundred_ids_of_one_kind() -> None:
    ncbi = Ncbi(ENTRIES)
    found = read(ncbi.idconv({"ids": "30000002,7", "idtype": "pmid"}))["records"]
    assert found[0]["pmcid"] == "PMC9000002" and found[1]["status"] == "error"
    assert ncbi.idconv({"ids": ",".join(["1"] * 201), "idtype": "pmid"}).status == 400
    assert ncbi.idconv({"ids": "PMC1", "idtype": "pmid"}).status == 400


def test_einfo_lists_the_fields_by_their_full_names() -> None:
    (info,) = read(Ncbi(ENTRIES).einfo({"db": "pmc"}))["einforesult"]["dbinfo"]
    assert "Figure/Table Caption" in [field["fullname"] for field in info["fieldlist"]]


def test_the_cursor_of_europe_pmc_stands_still_at_the_end() -> None:
    first = read(europepmc(ENTRIES, {"query": 'FIG:"brain"', "pageSize": "3"}))
    assert first["hitCount"] == 5 and len(first["resultList"]["result"]) == 3
    rest = read(europepmc(ENTRIES, {"query": 'FIG:"brain"', "cursorMark": first["nextCursorMark"]}))
    end = read(europepmc(ENTRIES, {"query": 'FIG:"brain"', "cursorMark": rest["nextCursorMark"]}))
    assert len(rest["resultList"]["result"]) == 2 and end["nextCursorMark"] == rest["nextCursorMark"]


def test_esearch_of_pubmed_answers_with_pubmed_ids_within_the_dates() -> None:
    query = {
        "db": "pubmed",
        "retmode": "json",
        "term": '"case reports"[pt]',
        "mindate": "2002/01/01",
        "maxdate": "2003/12/31",
    }
    assert read(Ncbi(ENTRIES).esearch(query))["esearchresult"]["idlist"] == ["30000002", "30000003"]
