"""What failed is fetched again and nothing else; a host that is down is not asked for all the rest."""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from core.config import load, override
from core.places import Place
from core.records import Figure, Reject, from_table
from core.runs import Table, digest
from core.settings import Config
from phantom.pmc.faults import Faults
from phantom.pmc.server import Served, serve
from pipelines.collecting import DOWN_AFTER, Breaker, Work, changed_since, collect_part, failed_of


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory, draw_corpus: Callable[..., None]) -> Path:
    """Twelve drawn articles."""
    folder = tmp_path_factory.mktemp("corpus")
    draw_corpus(folder, articles=12, seed=0)
    return folder / "bucket"


def articles_of(bucket: Path) -> list[str]:
    return sorted({path.name.partition(".")[0] for path in (bucket / "metadata").iterdir()})


def config_of(served: Served) -> Config:
    return override(
        load("demo"),
        {"source.origin": f"bucket:{served.bucket_url}", "source.attempts": 1, "source.bucket_per_second": 1e6},
    )


def fetched(config: Config, table: Table, work: Work) -> str:
    return str(collect_part(vars(work), config=config, table=table, connections=2)["down"])


@pytest.fixture
def table(tmp_path: Path) -> Iterator[Table]:
    yield Table(Place.at(tmp_path / "figures"), Figure)


def test_what_failed_is_fetched_again_and_nothing_else(corpus: Path, table: Table) -> None:
    ids = articles_of(corpus)
    xml = next(path for path in corpus.rglob(f"{ids[3]}.*/*.xml"))
    path = f"/pmc-oa-opendata/{xml.relative_to(corpus).as_posix()}"
    with serve(corpus, faults=Faults(scripted={path: ("unavailable", "unavailable")})) as served:
        config, work = config_of(served), Work(0, digest(ids), ids)
        assert fetched(config, table, work) == ""
        part = table.parts()[0]
        assert part.failed == {"http_503": 1} and failed_of(table, part) == [ids[3]]
        assert part.taken == part.rows + sum(part.left_out.values()) + 1
        row = next(each for each in from_table(table.rejects(), Reject) if each.kind == "failed")
        assert (row.code, row.attempts) == ("http_503", 1) and row.time and "figray retry" in row.cure
        fetched(config, table, Work(0, digest(ids), ids, only=[ids[3]], version=1))
        row = next(each for each in from_table(table.rejects(), Reject) if each.kind == "failed")
        assert row.attempts == 2
        before = len(served.requests)
        fetched(config, table, Work(0, digest(ids), ids, only=[ids[3]], version=2))
        assert all(ids[3] in request for request in served.requests[before:])
        part = table.parts()[0]
        assert (part.failed, part.version, part.counts["articles"]) == ({}, 2, 12)
    undisturbed = Table(table.place / "other", Figure)
    with serve(corpus) as served:
        fetched(config_of(served), undisturbed, Work(0, digest(ids), ids))
    assert undisturbed.parts()[0].files == part.files


def test_a_host_that_fails_one_after_the_other_is_asked_no_more(corpus: Path, table: Table) -> None:
    ids = articles_of(corpus)
    with serve(corpus, faults=Faults(unavailable=1.0, at_most=10**6)) as served:
        assert "503" in fetched(config_of(served), table, Work(0, digest(ids), ids))
        assert len(served.requests) <= DOWN_AFTER + 2
    part = table.parts()[0]
    assert part.rows == 0 and sum(part.failed.values()) == 12 and part.failed["host_down"] >= 1
    with serve(corpus) as served:
        assert (
            fetched(config_of(served), table, Work(0, digest(ids), ids, only=failed_of(table, part), version=1)) == ""
        )
    assert table.parts()[0].failed == {} and table.rows > 0


def test_a_host_is_down_after_a_row_of_failures_and_not_after_one_that_serves() -> None:
    def failing(pmcid: str) -> tuple[list[Figure], list[Reject]]:
        return [], [Reject(item_id=pmcid, article_id=pmcid, stage="figures", code=codes.pop(0), message="why")]

    breaker, codes = Breaker(after=3), ["timeout", "timeout", "licence", "timeout", "http_503", "connection"]
    for _ in range(5):
        breaker.fetched(failing, "PMC1")
    assert not breaker.said
    breaker.fetched(failing, "PMC1")
    assert breaker.said == "why" and breaker.fetched(failing, "PMC2")[1][0].code == "host_down"
    small, codes = Breaker(), ["timeout"] * 3
    for _ in range(3):
        small.fetched(failing, "PMC1")
    assert small.settle() == "all of 3 articles failed"


def test_articles_that_are_withdrawn_or_re_versioned_are_found_and_replaced(
    corpus: Path, table: Table, tmp_path: Path
) -> None:
    bucket = tmp_path / "bucket"
    shutil.copytree(corpus, bucket)
    ids = articles_of(bucket)
    with serve(bucket) as served:
        config = config_of(served)
        fetched(config, table, Work(0, digest(ids), ids))
        assert changed_since(config, table, table.parts()[0]) == []
    kept = sorted({each.partition(".")[0] for each in table.read(columns=["article_id"])["article_id"].to_pylist()})
    gone, newer = kept[:2]
    metadata = {each: next((bucket / "metadata").glob(f"{each}.*.json")) for each in (gone, newer)}
    metadata[gone].write_text(json.dumps(json.loads(metadata[gone].read_text()) | {"is_retracted": True}))
    old = json.loads(metadata[newer].read_text())
    text = metadata[newer].read_text().replace(f"{newer}.{old['version']}", f"{newer}.9")
    (bucket / "metadata" / f"{newer}.9.json").write_text(json.dumps(json.loads(text) | {"version": 9}))
    shutil.copytree(bucket / f"{newer}.{old['version']}", bucket / f"{newer}.9")
    for path in (bucket / f"{newer}.9").iterdir():
        path.rename(path.with_name(path.name.replace(f"{newer}.{old['version']}", f"{newer}.9")))
    with serve(bucket) as served:
        config = config_of(served)
        assert changed_since(config, table, table.parts()[0]) == sorted([gone, newer])
        fetched(config, table, Work(0, digest(ids), ids, only=[gone, newer], version=1))
        assert changed_since(config, table, table.parts()[0]) == []
    now = set(table.read(columns=["article_id"])["article_id"].to_pylist())
    assert f"{newer}.9" in now and not any(each.startswith(f"{gone}.") for each in now)
    why = {(each.article_id.partition(".")[0], each.code) for each in from_table(table.rejects(), Reject)}
    assert {(gone, "retracted"), (newer, "superseded")} <= why
