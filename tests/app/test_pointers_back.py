"""figray export pairs --to pointers, and figray fetch-pointers: the drawn corpus given on and fetched again."""

import json
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app import taking_away
from app.cli import cli
from app.pointers_back import again, fetch_part, parts_for, read_pointers
from core.config import UserError, load, override
from core.images import open_image
from core.places import Place
from core.records import Figure, Pair, SeparatedFigure, Subfigure, arrow_schema, from_table, to_table
from core.runs import Table, digest
from core.settings import Config
from core.wanted import Wanted
from phantom.pmc.server import serve
from pipelines import build
from pipelines.captions.split import split_caption
from pipelines.copies.duplicates import Duplicates
from pipelines.dealing import Slice, dealt_here, values_of
from tests.pipelines.test_dealing_on_ray import write_pointers

NONE = Duplicates({}, {})
SPLITS = ("split=train", "split=val", "split=test")


@pytest.fixture(scope="module")
def collected(tmp_path_factory: pytest.TempPathFactory, draw_corpus: Callable[..., None]) -> tuple[Path, Place, Config]:
    """Six drawn articles, their figures halved, and the pairs as the station makes them: corpus, run, settings."""
    corpus, run = tmp_path_factory.mktemp("corpus"), Place.at(tmp_path_factory.mktemp("run"))
    draw_corpus(corpus, articles=6, seed=3)
    config = load("demo", [f"source.origin=bucket:{corpus / 'bucket'}", "split.val=0.3"])
    ids = sorted({path.name.partition(".")[0] for path in (corpus / "bucket" / "metadata").iterdir()})
    figures, separated = Table(run / "figures", Figure), Table(run / "separated", SeparatedFigure)
    for part in (0, 1):
        row = {"part": part, "inputs": digest(ids[part::2]), "articles": ids[part::2]}
        build.collect_part(row, config=config, table=figures, connections=2)
        halved = [in_halves(figure) for figure in from_table(figures.read_part(part), Figure)]
        rows = {"": to_table(halved, SeparatedFigure)}
        separated.commit(part, tables=rows, rejects=[], inputs=digest(ids[part::2]), counts={})
        whole = override(config, {"match.rule": "whole"})
        for name, how in (("pairs", config), ("whole", whole)):
            task = partial(build.pair_part, config=how, separated=separated, duplicates=lambda _: NONE)
            task({**row, "articles": []}, table=Table(run / name, Pair))
    return corpus, run, config


def in_halves(figure: Figure) -> SeparatedFigure:
    """A figure with its left and its right half as panels A and B."""
    image, middle = open_image(figure.image).image, figure.width // 2
    boxes = ((0, 0, middle, figure.height), (middle, 0, figure.width, figure.height))
    panels = [Subfigure(box=box, score=0.9, label=name, label_score=1.0) for box, name in zip(boxes, "AB", strict=True)]
    shown = [build.describe(-1, image), *(build.describe(k, image.crop(box)) for k, box in enumerate(boxes))]
    fields = {name: getattr(figure, name) for name in arrow_schema(Figure).names}
    split = split_caption(figure.caption, figure.emphasis, min_confidence=0.5)
    return SeparatedFigure(**fields, subfigures=panels, split_caption=split, pictures=shown)


def exported(run: Place, out: Path, name: str = "pairs", asked: Wanted = Wanted()) -> dict[str, object]:  # noqa: B008
    place = Place.at(out)
    plan = taking_away.plan(run, name, place, "pointers", asked, per_shard=50, seed=0)
    return taking_away.export(run, name, place, "pointers", asked, plan, seed=0)


def back(pointers: Path, run: Path, config: Config) -> Table:
    found = read_pointers(pointers)
    table = Table(Place.at(run) / found.table, Pair)
    assert found.few is not None
    for work in dealt_here(found.few, found, partial(parts_for, config=override(config, {"tables.parts": 2}))).slices:
        fetch_part(vars(again(table, work)), config=config, table=table, connections=2)
    return table


def rows(table: Table) -> dict[str, dict[str, object]]:
    return {row["pair_id"]: row for split in SPLITS for row in table.read(split).to_pylist()}


@pytest.mark.parametrize("name", ["pairs", "whole"])
def test_pairs_come_back_byte_for_byte(collected: tuple[Path, Place, Config], tmp_path: Path, name: str) -> None:
    corpus, run, config = collected
    told = exported(run, tmp_path / "out", name, Wanted(reproduced=True))
    before = rows(Table(run / name, Pair))
    assert sum(told["rows"].values()) == len(before) > 10  # type: ignore[attr-defined]
    with serve(corpus / "bucket") as served:
        after = back(tmp_path / "out", tmp_path / "again", override(config, served.settings))
    assert rows(after) == before
    assert after.left_out == after.failed == {}


def test_there_is_no_pixel_and_no_sentence_in_it(collected: tuple[Path, Place, Config], tmp_path: Path) -> None:
    _, run, _ = collected
    exported(run, tmp_path / "out")
    assert {path.suffix for path in (tmp_path / "out").iterdir()} == {".jsonl", ".json", ".md", ".csv"}
    every = "".join(path.read_text() for path in (tmp_path / "out").iterdir())
    texts = Table(run / "pairs", Pair).read("split=train", ["text"])["text"].to_pylist()
    assert not [text for text in texts if len(text) > 30 and text in every]


def test_what_has_changed_is_left_out_with_its_reason(collected: tuple[Path, Place, Config], tmp_path: Path) -> None:
    corpus, run, config = collected
    exported(run, tmp_path / "out", "pairs", Wanted(reproduced=True))
    bucket = tmp_path / "bucket"
    shutil.copytree(corpus / "bucket", bucket)
    names = sorted({str(row["article_id"]) for row in rows(Table(run / "pairs", Pair)).values()})
    gone, changed, withdrawn, newer = names[:4]
    for path in (*bucket.glob(f"metadata/{gone.partition('.')[0]}.*"), *bucket.glob(f"{gone.partition('.')[0]}.*/*")):
        path.unlink()
    xml = bucket / changed / f"{changed}.xml"
    xml.write_text(xml.read_text().replace("</p></caption>", " Later words.</p></caption>"))
    _restate(bucket, changed, "xml_url", lambda url: url.partition("?")[0])
    _restate(bucket, withdrawn, "is_retracted", lambda _: True)
    shutil.copytree(bucket / newer, bucket / newer.replace(".1", ".2"))
    text = (bucket / "metadata" / f"{newer}.json").read_text().replace(newer, newer.replace(".1", ".2"))
    told = json.loads(text) | {"version": 2}
    for path in (bucket / newer.replace(".1", ".2")).glob(f"{newer}*"):
        path.rename(path.with_name(path.name.replace(newer, newer.replace(".1", ".2"))))
    (bucket / "metadata" / f"{newer.replace('.1', '.2')}.json").write_text(json.dumps(told))
    table = back(tmp_path / "out", tmp_path / "again", override(config, {"source.origin": f"bucket:{bucket}"}))
    reasons: dict[str, set[str]] = {}
    for reject in table.rejects().to_pylist():
        reasons.setdefault(reject["article_id"].partition(".")[0], set()).add(reject["code"])
    assert reasons == {
        name.partition(".")[0]: {code}
        for name, code in (
            (gone, "gone"),
            (changed, "caption_changed"),
            (withdrawn, "retracted"),
            (newer, "superseded"),
        )
    }
    assert table.rows + len(table.rejects()) == len(rows(Table(run / "pairs", Pair)))


def _restate(bucket: Path, article: str, name: str, change: object) -> None:
    file = bucket / "metadata" / f"{article}.json"
    told = json.loads(file.read_text())
    file.write_text(json.dumps(told | {name: change(told[name])}))  # type: ignore[operator]


def test_what_failed_and_may_pass_is_fetched_again(collected: tuple[Path, Place, Config], tmp_path: Path) -> None:
    _, run, config = collected
    exported(run, tmp_path / "out")
    away = override(config, {"source.origin": "bucket:http://127.0.0.1:9", "source.attempts": 1})
    table = back(tmp_path / "out", tmp_path / "again", away)
    assert table.rows == 0 and set(table.failed) <= {"connection", "host_down"} and table.failed
    assert again(table, Slice(0, "")).version == 1
    assert back(tmp_path / "out", tmp_path / "again", config).failed == {}
    assert table.rows > 0


def test_a_folder_without_pointers_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="holds no pointers: `figray export pairs RUN OUT --to pointers`"):
        read_pointers(tmp_path)
    (tmp_path / "export.json").write_text('{"form": "pointers", "table": "pairs"}')
    with pytest.raises(UserError, match="has no pointer"):
        read_pointers(tmp_path)
    (tmp_path / "train.jsonl").write_text("{}\n")
    with pytest.raises(UserError, match=r"train.jsonl, line 1: it is no pointer"):
        read_pointers(tmp_path)


def test_parts_are_the_same_as_ever(tmp_path: Path) -> None:
    write_pointers(tmp_path / "out")
    found = read_pointers(tmp_path / "out")
    assert found.few is not None
    parts = dealt_here(found.few, found, partial(parts_for, config=Config())).slices
    # Runs that stand go on only while these do not change.
    assert [len(values_of(each)) for each in parts] == [6, 5, 7, 13, 7, 2, 8, 7, 11, 15, 8, 5, 6, 8, 3, 9]
    assert digest([each.inputs for each in parts]) == "fda13785a85e6e821bd354d9254de8bc"


def test_a_second_pointer_to_a_pair_is_refused(tmp_path: Path) -> None:
    write_pointers(tmp_path / "out", second="train")
    with pytest.raises(UserError, match=r"train\.jsonl, line 61: a second pointer to PMC100\.1/fig\.0#0"):
        read_pointers(tmp_path / "out")


@pytest.mark.ray
def test_the_command_makes_a_run_that_can_be_verified(
    local_ray: None, collected: tuple[Path, Place, Config], tmp_path: Path
) -> None:
    corpus, run, _ = collected
    exported(run, tmp_path / "out")
    words = ["fetch-pointers", str(tmp_path / "out"), str(tmp_path / "again")]
    done = CliRunner().invoke(cli, [*words, "--source", f"bucket:{corpus / 'bucket'}", "--json"])
    assert done.exit_code == 0, done.output
    assert "next: figray train processed --run" in done.output
    assert (tmp_path / "again" / "ATTRIBUTION.csv").exists()
    assert CliRunner().invoke(cli, ["verify", str(tmp_path / "again")]).exit_code == 0
