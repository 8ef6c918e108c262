"""The loopback service, asked as a collector asks it."""

import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from xml.etree import ElementTree

import httpx
import pytest

from core.settings import SelectSettings, SourceSettings
from phantom.pmc.corpus import read_truth
from phantom.pmc.faults import Faults
from phantom.pmc.server import Served, serve
from pipelines.sources.inventory import changed, etags, newest
from pipelines.sources.s3 import HttpBucket
from pipelines.sources.topics import pmc_clauses, query_of
from pipelines.sources.transport import Transport

S3 = "{http://s3.amazonaws.com/doc/2006-03-01/}"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, draw_corpus: Callable[..., None]) -> Path:
    folder = tmp_path_factory.mktemp("served")
    draw_corpus(folder, articles=12, seed=0)
    return folder


@pytest.fixture(scope="module")
def served(folder: Path) -> Iterator[Served]:
    with serve(folder / "bucket") as served:
        yield served


def search(served: Served, **parameters: str | int) -> dict:
    answer = httpx.get(served.esearch_url, params={"db": "pmc", "retmode": "json", **parameters})
    return json.loads(answer.text, strict=False)["esearchresult"]


def test_the_default_query_finds_every_article_to_be_kept(served: Served, folder: Path) -> None:
    result = search(served, term=query_of(pmc_clauses(SourceSettings(), SelectSettings())), retmax=100)
    kept = {figure.figure_id[3:].split(".")[0] for figure in read_truth(folder) if figure.kept}
    assert kept <= set(result["idlist"])
    assert int(result["count"]) == len(result["idlist"])


def test_pages_of_a_search_join_to_the_whole_by_term_and_by_history(served: Served) -> None:
    whole = search(served, term="open_access[Filter]", retmax=100, usehistory="y")
    history = {"WebEnv": whole["webenv"], "query_key": whole["querykey"]}
    found = [
        number for start in range(0, 12, 3) for number in search(served, retmax=3, retstart=start, **history)["idlist"]
    ]
    assert found == whole["idlist"]


def test_a_start_beyond_9998_is_refused_with_status_200(served: Served) -> None:
    assert "retstart" in search(served, term="open_access[Filter]", retstart=9999)["ERROR"]


def test_years_narrow_a_search(served: Served) -> None:
    count = [
        int(search(served, term="open_access[Filter]", mindate=first, maxdate=last, datetype="pdat")["count"])
        for first, last in ((1900, 2019), (2020, 2100), (1900, 2100))
    ]
    assert count[0] + count[1] == count[2] > 0


def test_versions_are_listed_as_common_prefixes(served: Served) -> None:
    query: dict[str, str | int] = {"list-type": 2, "prefix": "PMC9000001.", "delimiter": "/"}
    root = ElementTree.fromstring(httpx.get(served.bucket_url, params=query).content)
    assert [prefix.text for prefix in root.iter(f"{S3}Prefix")][1:] == ["PMC9000001.1/"]
    unknown = httpx.get(served.bucket_url, params=query | {"prefix": "PMC1."})
    assert ElementTree.fromstring(unknown.content).findtext(f"{S3}KeyCount") == "0"


def test_pages_of_a_listing_join_to_all_keys(served: Served, folder: Path) -> None:
    keys: list[str | None] = []
    query: dict[str, str | int] = {"list-type": 2, "max-keys": 7}
    for _ in range(100):
        root = ElementTree.fromstring(httpx.get(served.bucket_url, params=query).content)
        keys += [key.text for key in root.iter(f"{S3}Key")]
        token = root.findtext(f"{S3}NextContinuationToken")
        if token is None:
            break
        query["continuation-token"] = token
    bucket = folder / "bucket"
    keys = [key for key in keys if not str(key).startswith("inventory-reports/")]
    assert keys == sorted(path.relative_to(bucket).as_posix() for path in bucket.rglob("*") if path.is_file())


def test_an_object_comes_with_its_md5_as_etag_and_an_unknown_one_is_404(served: Served) -> None:
    answer = httpx.get(f"{served.bucket_url}/metadata/PMC9000001.1.json")
    assert answer.headers["etag"] == f'"{hashlib.md5(answer.content).hexdigest()}"'
    missing = httpx.get(f"{served.bucket_url}/metadata/PMC1.1.json")
    assert missing.status_code == 404 and "<Code>NoSuchKey</Code>" in missing.text
    assert httpx.get(f"{served.bucket_url}/%2e%2e/truth.json").status_code == 404


def test_each_fault_reaches_the_caller_once_and_the_next_answer_is_right(folder: Path) -> None:
    path = "/pmc-oa-opendata/metadata/PMC9000001.1.json"
    content = (folder / "bucket/metadata/PMC9000001.1.json").read_bytes()
    script = {path: ("too_many", "unavailable", "truncated", "corrupted", "slow")}
    with serve(folder / "bucket", faults=Faults(scripted=script, slow_seconds=0.05)) as served:  # type: ignore[arg-type]
        url = f"{served.bucket_url}/metadata/PMC9000001.1.json"
        limited = httpx.get(url)
        assert limited.status_code == 429 and limited.headers["retry-after"] == "1"
        assert httpx.get(url).status_code == 503
        with pytest.raises(httpx.RemoteProtocolError):
            httpx.get(url)
        corrupted = httpx.get(url).content
        assert len(corrupted) == len(content) and corrupted != content
        assert httpx.get(url).content == content
        assert served.requests == [path] * 5


def test_what_the_real_esearch_does_not_know_finds_nothing_and_is_named(served: Served) -> None:
    result = search(served, term='"case reports"[Filter] AND brain[Figure/Table Caption]')
    assert (result["count"], result["idlist"]) == ("0", [])
    assert result["warninglist"]["quotedphrasesnotfound"] == ['"case reports"[Filter]']
    assert search(served, term="brain[Legend]")["errorlist"]["phrasesnotfound"] == ["brain[Legend]"]
    assert search(served, term="zygomycetes[Figure/Table Caption]")["errorlist"]["phrasesnotfound"]


def test_the_inventory_lists_the_metadata_with_the_tags_that_objects_have(served: Served) -> None:
    bucket = HttpBucket(served.bucket_url, Transport([served.bucket_url], attempts=1, deadline=10, max_bytes=10**7))
    report = newest(bucket)
    assert report is not None and report.made == "2026-11-01T01-00Z"
    tags = dict(etags(bucket, report))
    key = "metadata/PMC9000001.1.json"
    assert tags[key] == hashlib.md5(bucket.get(key)).hexdigest()
    assert changed(bucket, report, {**tags, key: "another", "metadata/gone.json": "x"}) == [
        "metadata/PMC9000001.1.json",
        "metadata/gone.json",
    ]
