"""What NCBI's E-utilities, PMC's ID converter and Europe PMC answer, over the index of a bucket."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from phantom.pmc.search_index import (
    Answered,
    Entry,
    TermError,
    europepmc_words,
    find,
    in_pubmed,
    pmc_words,
    pubmed_words,
)
from pipelines.sources.known import FIELDS

LAST_START = 9998  # E-utilities answers no later retstart
# As NCBI sends it, a bare line break in a JSON string.
TOO_FAR = (
    "Search Backend failed: Exception:\n'retstart' cannot be larger than 9998. For {db}, ESearch can only retrieve "
    "the first 9,999 records matching the query."
)
Query = Mapping[str, str]
WORDS = {"pmc": pmc_words, "pubmed": pubmed_words}


@dataclass(frozen=True)
class Answer:
    """A response before it is sent."""

    status: int
    content: bytes
    content_type: str
    headers: tuple[tuple[str, str], ...] = ()


class Ncbi:
    """ESearch, EInfo and ELink of PubMed and PMC, and the ID converter."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        self.index = {"pmc": list(entries), "pubmed": in_pubmed(entries)}
        self.history: dict[tuple[str, str], str] = {}  # (WebEnv, query_key) -> term

    def esearch(self, query: Query) -> Answer:
        """Ids by term; an unknown field, filter or word finds nothing, and is named."""
        db = query.get("db", "")
        term = self.history.get((query.get("WebEnv", ""), query.get("query_key", "")), query.get("term", ""))
        start, size = int(query.get("retstart", 0)), min(int(query.get("retmax", 20)), 10_000)
        if db not in self.index or query.get("retmode") != "json":
            return Answer(400, b"the synthetic ESearch answers db=pmc and db=pubmed with retmode=json", "text/plain")
        if start > LAST_START:
            text = json.dumps(_result({"ERROR": "@"})).replace("@", TOO_FAR.format(db=db))
            return Answer(200, text.encode(), "application/json")
        try:
            found = find(self._dated(db, query), term, WORDS[db], index=self.index[db])
        except TermError as error:
            return as_json(_result({"ERROR": f"Invalid query: {error}"}))
        numbers = [entry.number if db == "pmc" else entry.pmid for entry in found.entries]
        page = numbers[start : min(start + size, LAST_START + 1)]
        told: dict[str, object] = {"count": str(len(numbers)), "retmax": str(len(page)), "retstart": str(start)}
        if query.get("usehistory") == "y":
            key = str(len(self.history) + 1)
            self.history["MCID_phantom", key] = term
            told |= {"querykey": key, "webenv": "MCID_phantom"}
        told |= {"idlist": [str(number) for number in page], "translationset": [], "querytranslation": term}
        return as_json(_result(told | _unknown(found)))

    def _dated(self, db: str, query: Query) -> list[Entry]:
        """Articles between mindate and maxdate, to the year."""
        first, last = (int(query.get(name, default)[:4]) for name, default in (("mindate", "0"), ("maxdate", "9999")))
        return [entry for entry in self.index[db] if first <= entry.year <= last]

    def einfo(self, query: Query) -> Answer:
        """The fields of a database."""
        db = query.get("db", "")
        if db not in FIELDS:
            return Answer(400, b"no such database", "text/plain")
        fields = [{"name": name[:4].upper(), "fullname": name.title()} for name in FIELDS[db]]
        info = {"dbname": db, "count": str(len(self.index[db])), "fieldlist": fields}
        return as_json({"header": {"type": "einfo", "version": "0.3"}, "einforesult": {"dbinfo": [info]}})

    def elink(self, query: Query, ids: Sequence[str]) -> Answer:
        """A set of links for each `id`; ids in one list are merged into one set. Articles without a link have none."""
        if (query.get("dbfrom"), query.get("db"), query.get("linkname")) != ("pubmed", "pmc", "pubmed_pmc"):
            return Answer(400, b"the synthetic ELink has pubmed_pmc alone", "text/plain")
        numbers = {entry.pmid: entry.number for entry in self.index["pubmed"] if entry.number}
        sets = []
        for given in ids:
            together = given.split(",")
            links = [str(numbers[int(each)]) for each in together if int(each) in numbers]
            linked = [{"dbto": "pmc", "linkname": "pubmed_pmc", "links": links}] if links else []
            sets.append({"dbfrom": "pubmed", "ids": together, **({"linksetdbs": linked} if linked else {})})
        return as_json({"header": {"type": "elink", "version": "0.3"}, "linksets": sets})

    def idconv(self, query: Query) -> Answer:
        """PMC ids by PubMed id; what has none comes with an error of its own."""
        asked = query.get("ids", "").split(",")
        if len(asked) > 200 or query.get("idtype") != "pmid" or not all(each.isdigit() for each in asked):
            return Answer(400, b'{"status":"error","message":"at most 200 ids of one type"}', "application/json")
        numbers = {entry.pmid: entry.number for entry in self.index["pubmed"] if entry.number}
        records = [
            {"requested-id": each, "pmid": int(each), "pmcid": f"PMC{numbers[int(each)]}"}
            if int(each) in numbers
            else {"requested-id": each, "pmid": int(each), "status": "error", "errmsg": "Identifier not found in PMC"}
            for each in asked
        ]
        return as_json({"status": "ok", "records": records})


def europepmc(entries: Sequence[Entry], query: Query) -> Answer:
    """Europe PMC's search: pages along a cursor, which stands still at the end."""
    mark, size = query.get("cursorMark", "*"), min(int(query.get("pageSize", 25)), 1000)
    try:
        found = find(entries, query.get("query", ""), europepmc_words).entries
    except TermError as error:
        return as_json({"errCode": 404, "errMsg": str(error)})
    start = 0 if mark == "*" else int(mark.removeprefix("AoE"))
    page = found[start : start + size]
    results = [{"id": str(each.pmid), "pmid": str(each.pmid), "pmcid": f"PMC{each.number}"} for each in page]
    following = f"AoE{start + len(page)}" if page else mark
    return as_json({"hitCount": len(found), "nextCursorMark": following, "resultList": {"result": results}})


def as_json(value: Any) -> Answer:
    """A value as a JSON response."""
    return Answer(200, json.dumps(value).encode(), "application/json")


def _result(found: dict[str, object]) -> dict[str, object]:
    return {"header": {"type": "esearch", "version": "0.3"}, "esearchresult": found}


def _unknown(found: Answered) -> dict[str, object]:
    """ESearch's lists of what it did not find, where there is anything."""
    if not found.unknown:
        return {}
    quoted = [word for word in found.unknown if word.startswith('"')]
    return {
        "count": "0",
        "idlist": [],
        "errorlist": {"phrasesnotfound": [word for word in found.unknown if word not in quoted], "fieldsnotfound": []},
        "warninglist": {"phrasesignored": [], "quotedphrasesnotfound": quoted, "outputmessages": ["No items found."]},
    }
