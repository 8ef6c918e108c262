"""What of a table is trained on."""

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core.config import SettingError, UserError, override
from core.places import Place
from core.records import to_table
from core.runs import Table, digest
from core.settings import Config
from core.wanted import ALL, Wanted
from trainers.seen import Seen
from trainers.texts import number
from trainers.training_set import (
    TrainingSet,
    digest_of_texts,
    is_cut,
    read_training_set,
    rows_of_share,
    sample_texts,
    seen_in,
    training_set_of,
)


@pytest.fixture
def table(shape_rows: Callable[[int], list[dict[str, Any]]], tmp_path: Path) -> list[str]:
    """24 pairs of 12 articles; each image has a mark of its own, but all share one group of duplicates."""
    rows = [{**row, "md5": row["pair_id"], "duplicate_group": "same"} for row in shape_rows(24)]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "part.parquet")
    return [str(tmp_path / "part.parquet")]


def articles_of(chosen: TrainingSet) -> list[str]:
    return sorted({name for piece in seen_in(chosen) for kind, name in _rows(piece) if kind == "article"})


def images_of(chosen: TrainingSet) -> set[str]:
    return {name for piece in seen_in(chosen) for kind, name in _rows(piece) if kind == "image"}


def _rows(piece: pa.Table) -> list[tuple[str, str]]:
    return [(row["kind"], row["name"]) for row in piece.to_pylist()]


@pytest.fixture
def many(tmp_path: Path) -> list[str]:
    """1,000 articles of one pair each in four files."""
    rows = [{"pair_id": f"{n}", "article_id": f"PMC{n}.1", "text": f"text {n}"} for n in range(1000)]
    files = [str(tmp_path / f"many-{part}.parquet") for part in range(4)]
    for part, file in enumerate(files):
        pq.write_table(pa.Table.from_pylist(rows[part::4]), file)
    return files


def test_a_smaller_share_of_the_articles_lies_inside_a_larger_one(many: list[str]) -> None:
    shares = [read_training_set(many, fraction=fraction, seed=3) for fraction in (0.1, 0.25, 0.5, 1.0)]
    assert [len(share) for share in shares] == [100, 250, 500, 1000]
    articles = [set(articles_of(share)) for share in shares]
    assert all(small < large for small, large in pairwise(articles))
    # The order of a share is that of the hashes of its articles, as it has been since the first version.
    by_chance = sorted((f"PMC{n}.1" for n in range(1000)), key=lambda article: number(f"3:{article}"))
    assert articles[0] == set(by_chance[:100])


def test_a_share_depends_on_the_seed_and_not_on_the_order(many: list[str]) -> None:
    share = articles_of(read_training_set(many, fraction=0.25, seed=0))
    assert share == articles_of(read_training_set(many[::-1], fraction=0.25, seed=0))
    assert share != articles_of(read_training_set(many, fraction=0.25, seed=1))
    assert len(articles_of(read_training_set(many, fraction=0.0001, seed=0))) == 1


def test_only_the_pairs_and_images_of_the_chosen_articles_are_counted(table: list[str]) -> None:
    whole, third = (read_training_set(table, fraction=fraction, seed=0) for fraction in (1.0, 1 / 3))
    assert (whole.share, len(whole), len(articles_of(whole)), len(images_of(whole))) == (None, 24, 12, 25)
    assert (len(third), len(articles_of(third)), len(images_of(third))) == (8, 4, 9)
    assert {mark.partition("/")[0] for mark in images_of(third)} == {*articles_of(third), "same"}
    rows = rows_of_share(pa.table({"file": table}), columns=["article_id", "text"], share=third.share)
    assert sorted({name for each in rows for name in each["article_id"].to_pylist()}) == articles_of(third)


def test_the_digest_changes_with_the_pairs_and_their_texts(table: list[str]) -> None:
    whole, half = (read_training_set(table, fraction=fraction, seed=0) for fraction in (1.0, 0.5))
    again = read_training_set(table, fraction=1.0, seed=1)
    older = digest_of_texts(whole)
    rows = pq.read_table(table[0]).to_pylist()
    pq.write_table(pa.Table.from_pylist([*rows[:-1], {**rows[-1], "text": "Another."}]), table[0])
    assert whole.digest == again.digest
    other = read_training_set(table, fraction=1.0, seed=0)
    assert len({whole.digest, half.digest, other.digest}) == 3
    assert len({older, digest_of_texts(half), digest_of_texts(other)}) == 3


def test_rows_and_digest_come_from_the_manifests_alone(tmp_path: Path) -> None:
    table = Table(Place.at(tmp_path) / "pairs", Seen)
    rows = to_table([Seen(kind="article", name="PMC1.1")] * 3, Seen)
    for part in range(2):
        table.commit(part, tables={"split=train": rows, "split=val": rows}, rejects=[], inputs="", counts={})
    files = table.files("split=train")
    found = read_training_set(files, fraction=1.0, seed=0)
    assert len(found) == 6
    assert found.digest == digest([file.sha256 for part in table.parts() for file in part.files[:1]])
    assert found.digest == read_training_set(files, fraction=1.0, seed=4).digest


def test_a_tokenizer_learns_from_some_files_where_there_are_many_texts(many: list[str]) -> None:
    whole = read_training_set(many, fraction=1.0, seed=0)
    assert sample_texts(whole, seed=0) == [f"text {n}" for part in range(4) for n in range(part, 1000, 4)]
    some = sample_texts(whole, seed=0, most=300)
    assert len(some) == 300 and some == sample_texts(whole, seed=0, most=300)
    assert some != sample_texts(whole, seed=1, most=300)


def test_sentences_are_known_where_those_of_every_text_are(table: list[str]) -> None:
    assert not is_cut(read_training_set(table, fraction=1.0, seed=0))
    rows = pq.read_table(table[0]).to_pylist()
    cut = [{**row, "sentences": [{"start": 0, "end": 3}]} for row in rows]
    pq.write_table(pa.Table.from_pylist(cut), table[0])
    assert is_cut(read_training_set(table, fraction=1.0, seed=0))
    pq.write_table(pa.Table.from_pylist([*cut[:-1], {**cut[-1], "sentences": []}]), table[0])
    assert not is_cut(read_training_set(table, fraction=1.0, seed=0))


@pytest.fixture
def mixed(tmp_path: Path) -> list[str]:
    """200 articles of two pairs each, MRI with a score of 0.9 and CT with one of 0.4, in two files."""
    rows = [
        {
            "pair_id": f"PMC{n}.1#{k}", "article_id": f"PMC{n}.1", "text": f"text {n} {k}", "kind": "picture",
            "modality": ("MRI", "CT")[k], "score": (0.9, 0.4)[k], "licence": ("CC0", "CC BY")[n % 2],
            "permission": "by permission" if n < 50 else None,
        }
        for n in range(200) for k in range(2)
    ]  # fmt: skip
    files = [str(tmp_path / f"mixed-{part}.parquet") for part in range(2)]
    for part, file in enumerate(files):
        pq.write_table(pa.Table.from_pylist(rows[part::2]), file)
    return files


@pytest.mark.parametrize(
    ("asked", "rows"),
    [
        (Wanted(reproduced=True, modality=("mri",)), 200),
        (Wanted(reproduced=True, min_score=0.5, licence=("CC0",)), 100),
        (Wanted(), 300),
        (Wanted(reproduced=True, matched_by=("letter",)), 400),  # a column that the table lacks asks nothing
    ],
)
def test_only_what_is_wanted_is_trained_on(mixed: list[str], asked: Wanted, rows: int) -> None:
    """By the very rule that exports choose by, row for row."""
    chosen = read_training_set(mixed, fraction=1.0, seed=0, wanted=asked)
    every = [row for file in mixed for row in pq.read_table(file).to_pylist()]
    kept = [row["text"] for row in every if not asked.reason(row)]
    assert len(chosen) == len(kept) == rows
    assert sample_texts(chosen, seed=0) == kept
    assert set(articles_of(chosen)) == {row["article_id"] for row in every if not asked.reason(row)}


def test_what_is_wanted_changes_the_digest_and_nothing_wanted_does_not(mixed: list[str]) -> None:
    every = read_training_set(mixed, fraction=1.0, seed=0)
    few = [Wanted(reproduced=True, modality=(name,)) for name in ("MRI", "CT")]
    found = [read_training_set(mixed, fraction=1.0, seed=0, wanted=asked).digest for asked in few]
    assert len({every.digest, *found}) == 3
    assert read_training_set(mixed, fraction=1.0, seed=0, wanted=ALL).digest == every.digest


def test_a_share_is_of_the_articles_that_have_a_wanted_pair(mixed: list[str]) -> None:
    asked = Wanted(reproduced=True, licence=("CC0",))
    half = read_training_set(mixed, fraction=0.5, seed=0, wanted=asked)
    assert (len(articles_of(half)), len(half)) == (50, 100)
    columns = ["text"]
    rows = list(rows_of_share(pa.table({"file": mixed}), columns=columns, share=half.share))
    assert sum(len(each) for each in rows) == 100 and rows[0].column_names == columns


def test_nothing_wanted_is_said_with_the_reasons(mixed: list[str]) -> None:
    asked = Wanted(reproduced=True, modality=("X-ray",), min_score=0.5)
    with pytest.raises(UserError, match=r"train.only leaves none of 400 pairs: 400 by modality"):
        read_training_set(mixed, fraction=1.0, seed=0, wanted=asked)


def test_the_settings_ask_for_a_training_set(mixed: list[str]) -> None:
    config = override(Config(), {"train.only.modality": ["CT"], "train.only.min_score": 0.3})
    assert len(training_set_of(config, mixed)) == 200
    assert len(training_set_of(Config(), mixed)) == 400
    with pytest.raises(SettingError, match=r"train.only.modality"):
        override(Config(), {"train.only.modality": ["CTT"]})
