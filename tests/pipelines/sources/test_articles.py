"""The articles of a run and their parts."""

import math
from collections.abc import Callable
from pathlib import Path

import pytest

from core.config import UserError
from core.places import Place
from core.settings import SelectSettings, SourceSettings
from pipelines.sources.articles import IN_A_PART, OLDER, dealt, in_a_part, listed, parts_for, refuse_unnamed


def test_a_part_stays_the_same_size_however_large_the_corpus() -> None:
    assert [parts_for(count, None) for count in (0, 60, 1_600, 1_601)] == [16, 16, 16, 17]
    assert parts_for(5_000_000, None) * IN_A_PART == 5_000_000
    assert parts_for(5_000_000, 12) == 12  # as asked, and as runs have it that were begun with a number


def test_every_article_is_in_the_one_part_that_its_id_alone_decides() -> None:
    articles = [f"PMC{number}" for number in range(1, 10_001)]
    parts = dealt(articles, parts_for(len(articles), None))
    assert sorted(article for part in parts for article in part) == sorted(articles)
    assert dealt(articles[::-1][:500], len(parts))[7] == [each for each in parts[7][::-1] if each in articles[-500:]]
    widest = max(map(len, parts))  # ids fall into parts as balls into urns: six deviations over the mean never happen
    assert widest < IN_A_PART + 6 * math.sqrt(IN_A_PART)


def test_the_list_is_asked_for_once_and_kept(tmp_path: Path, draw_corpus: Callable[..., None]) -> None:
    draw_corpus(tmp_path / "corpus", articles=3, seed=0)
    source, folder = SourceSettings(origin=f"bucket:{tmp_path}/corpus/bucket"), Place.at(tmp_path)
    first = listed(folder, source, SelectSettings())
    assert len(first) >= 3 and first == sorted(first, key=lambda article: int(article[3:]))
    assert listed(folder, SourceSettings(origin="bucket:/nowhere"), SelectSettings()) == first
    assert (folder / "found.json").read_json()["counts"] == {"articles": len(first)}


def test_a_run_keeps_the_size_of_part_that_it_was_begun_with(tmp_path: Path, draw_corpus: Callable[..., None]) -> None:
    draw_corpus(tmp_path / "corpus", articles=3, seed=0)
    folder = Place.at(tmp_path)
    assert in_a_part(folder) == OLDER
    listed(folder, SourceSettings(origin=f"bucket:{tmp_path}/corpus/bucket"), SelectSettings())
    assert in_a_part(folder) == IN_A_PART
    told = (folder / "found.json").read_json()
    del told["in_a_part"]  # as of runs that are older than it
    (folder / "found.json").write_json(told)
    assert in_a_part(folder) == OLDER


def test_a_bucket_without_articles_is_refused_and_the_right_one_is_named(
    tmp_path: Path, draw_corpus: Callable[..., None]
) -> None:
    draw_corpus(tmp_path / "corpus", articles=1, seed=0)
    (tmp_path / "empty").mkdir()
    (tmp_path / "run").mkdir()
    folder = Place.at(tmp_path / "run")
    right = str(tmp_path / "corpus" / "bucket")
    article = next(path.name for path in Path(right).iterdir() if path.name.startswith("PMC"))
    for wrong in ("corpus", "corpus/bucket/metadata", f"corpus/bucket/{article}"):
        with pytest.raises(
            UserError, match=rf"has no articles: there is no metadata/.*--source bucket:{right}$"
        ) as said:
            listed(folder, SourceSettings(origin=f"bucket:{tmp_path / wrong}"), SelectSettings())
        assert "\n" not in str(said.value)
    with pytest.raises(UserError, match=r"as PMC's bucket has them$"):
        listed(folder, SourceSettings(origin=f"bucket:{tmp_path / 'empty'}"), SelectSettings())
    with pytest.raises(UserError, match="is no folder"):
        listed(folder, SourceSettings(origin="bucket:/nowhere"), SelectSettings())
    assert folder.names() == []  # nothing is remembered


def test_a_source_without_an_answer_is_said_so(tmp_path: Path) -> None:
    source = SourceSettings(esearch_url="http://127.0.0.1:9/esearch", attempts=1)
    with pytest.raises(UserError, match=r"no articles from pmc: http://127\.0\.0\.1:9/esearch: ConnectError"):
        listed(Place.at(tmp_path), source, SelectSettings())
    assert not (tmp_path / "articles.json").exists()


def test_ncbi_is_not_asked_by_nobody() -> None:
    with pytest.raises(UserError, match=r"source\.email=you@example\.org"):
        refuse_unnamed(SourceSettings())
    for named in (
        SourceSettings(email="a@b.c"), SourceSettings(index="europepmc"), SourceSettings(origin="bucket:/x"),
        SourceSettings(esearch_url="http://127.0.0.1:1/esearch.fcgi"),
    ):  # fmt: skip
        refuse_unnamed(named)
