"""The stations from table to table, without Ray: a task is a function of one part."""

import json
import shutil
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import ray
from PIL import Image

from core.config import load, override
from core.images import encode_jpeg, encode_png, open_image
from core.places import Place
from core.records import Figure, Pair, SeparatedFigure, SplitCaption, Subfigure, from_table, to_table
from core.runs import Part, RunConflict, Table, digest
from core.settings import Config, SourceSettings
from core.split import split_of
from phantom.pictures.contents import draw_content
from phantom.pmc.corpus import read_truth
from pipelines import build
from pipelines.copies.duplicates import Duplicates, duplicates_of, kept_duplicates
from pipelines.matching.match import WHOLE
from pipelines.sources import pmc
from pipelines.stages import make_missing

PARTS = 2


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory, draw_corpus: Callable[..., None]) -> Path:
    """Sixteen drawn articles."""
    folder = tmp_path_factory.mktemp("corpus")
    draw_corpus(folder, articles=16, seed=0)
    return folder


@pytest.fixture(scope="session")
def config(corpus: Path) -> Config:
    return load("demo", [f"source.origin=bucket:{corpus / 'bucket'}", f"tables.parts={PARTS}"])


@pytest.fixture(scope="session")
def figures(config: Config, corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Table:
    """What is collected from the corpus, to be read alone."""
    return collected(config, corpus, tmp_path_factory.mktemp("collected"))


def collected(config: Config, corpus: Path, out: Path) -> Table:
    table = Table(Place.at(out) / "figures", Figure)
    articles = sorted(path.name.partition(".")[0] for path in (corpus / "bucket" / "metadata").iterdir())
    for number in range(PARTS):
        ids = sorted(set(articles[number::PARTS]))
        row = {"part": number, "inputs": digest(ids), "articles": ids}
        build.collect_part(row, config=config, table=table, connections=2)
    return table


def paired(config: Config, separated: Table, pairs: Table) -> Duplicates:
    kept_duplicates(separated, asked=build.asked_of(config))
    duplicates = partial(duplicates_of, separated)
    for part in separated.parts():
        row = {"part": part.part, "inputs": "x", "articles": []}
        build.pair_part(row, config=config, separated=separated, table=pairs, duplicates=duplicates)
    found = [duplicates(part.part) for part in separated.parts()]
    images, articles = ({k: v for each in found for k, v in vars(each)[of].items()} for of in ("images", "articles"))
    return Duplicates(images, articles)


def separated_by_hand(out: Path) -> Table:
    """Twelve articles of one figure each; the last three show the first one's scan, recompressed, and one a plot."""
    rng = np.random.default_rng(2)
    scans = [Image.fromarray(draw_content("plot" if n == 8 else "ct", rng, height=200, width=220)) for n in range(9)]
    images = [encode_png(scan) for scan in scans] + [encode_jpeg(scans[0].resize((180, 160)))] * 3
    figures = []
    for number, data in enumerate(images):
        image = open_image(data).image
        figures.append(SeparatedFigure(
            figure_id=f"PMC{100 + number}.1/f", article_id=f"PMC{100 + number}.1", title="", article_type="case-report",
            doi=None, year=2016, licence="CC BY", attribution="A", media_url="s3://x", md5=str(number), image=data,
            image_format="PNG", width=image.width, height=image.height, n_frames=1, label=None, caption="CT.",
            emphasis=[], mentions=[], notes=[],
            subfigures=[Subfigure(box=(0, 0, image.width, image.height), score=1.0)],
            split_caption=SplitCaption(preamble="", subcaptions=[], tail="", confidence=1.0, reason=""),
            pictures=[build.describe(WHOLE, image), build.describe(0, image)],
        ))  # fmt: skip
    table = Table(Place.at(out) / "separated", SeparatedFigure)
    table.commit(0, tables={"": to_table(figures, SeparatedFigure)}, rejects=[], inputs="", counts={})
    return table


def all_pairs(table: Table) -> list[Pair]:
    return [pair for split in ("train", "val", "test") for pair in from_table(table.read(f"split={split}"), Pair)]


def test_articles_that_share_a_scan_are_on_one_side_whatever_the_seed(tmp_path: Path) -> None:
    separated = separated_by_hand(tmp_path)
    for seed in range(6):
        pairs = Table(Place.at(tmp_path) / f"pairs{seed}", Pair)
        duplicates = paired(load(None, [f"seed={seed}", "split.val=0.3", "split.test=0.3"]), separated, pairs)
        assert set(duplicates.articles) == {"PMC100", "PMC109", "PMC110", "PMC111"}
        sides = {pair.article_id: pair.split for pair in all_pairs(pairs)}
        assert len(sides) == 12
        assert len({sides[f"{name}.1"] for name in duplicates.articles}) == 1
        for name in ("PMC101.1", "PMC104.1", "PMC108.1"):
            assert sides[name] == split_of(name, seed=seed, val=0.3, test=0.3)
    groups = {pair.pair_id: pair.duplicate_group for pair in all_pairs(pairs)}
    assert groups["PMC110.1/f#0"] == "PMC100.1/f#0" and groups["PMC104.1/f#0"] is None


def test_copies_and_graphics_are_left_out_with_a_reason_where_that_is_asked(tmp_path: Path) -> None:
    pairs = Table(Place.at(tmp_path) / "pairs", Pair)
    paired(load(None, ["dedupe.keep=first", "dedupe.kinds=[picture]"]), separated_by_hand(tmp_path), pairs)
    assert {pair.article_id for pair in all_pairs(pairs)} == {f"PMC{number}.1" for number in range(100, 108)}
    assert pairs.left_out == {"duplicate": 3, "kind_graphic": 1}
    (reason,) = {row["message"] for row in pairs.rejects().to_pylist() if row["code"] == "duplicate"}
    assert reason == "shows the same as PMC100.1/f#0"


def test_collecting_keeps_exactly_the_figures_that_should_be_kept(corpus: Path, figures: Table) -> None:
    kept = {figure.figure_id for figure in read_truth(corpus) if figure.kept}
    assert set(figures.read(columns=["figure_id"])["figure_id"].to_pylist()) == kept
    left_out = {reject["item_id"].partition(".")[0] for reject in figures.rejects().to_pylist()}
    for figure in read_truth(corpus):
        assert figure.kept or figure.figure_id.partition(".")[0] in left_out, figure.figure_id


def test_every_figure_becomes_pairs_of_its_articles_split(config: Config, figures: Table, tmp_path: Path) -> None:
    config = override(config, {"separate.method": "classical"})  # the demo's test has the detector, which loads torch
    separated = Table(Place.at(tmp_path) / "separated", SeparatedFigure)
    pairs = Table(Place.at(tmp_path) / "pairs", Pair)
    separator = build.SeparatePart(config, figures, separated)
    for number in range(PARTS):
        separator({"part": number, "inputs": "x", "articles": []})
    paired(config, separated, pairs)
    made = [pair for split in ("train", "val", "test") for pair in from_table(pairs.read(f"split={split}"), Pair)]
    assert {pair.figure_id for pair in made} == set(figures.read(columns=["figure_id"])["figure_id"].to_pylist())
    assert len({pair.pair_id for pair in made}) == len(made)
    splits: dict[str, set[str]] = {}
    for pair in made:
        splits.setdefault(pair.article_id, set()).add(pair.split)
    assert all(len(found) == 1 for found in splits.values())
    assert sum(part.counts["pairs_train"] for part in pairs.parts()) == pairs.read("split=train").num_rows
    assert all(pair.licence and pair.md5 and pair.media_url for pair in made)


def test_the_same_part_made_twice_is_the_same_bytes(
    config: Config, corpus: Path, figures: Table, tmp_path: Path
) -> None:
    again = Path(collected(config, corpus, tmp_path).place.path)
    for file in sorted(Path(figures.place.path).rglob("*")):
        if file.is_file():
            assert file.read_bytes() == (again / file.relative_to(figures.place.path)).read_bytes(), file.name


def test_an_unreadable_article_costs_that_article_alone(
    config: Config, corpus: Path, figures: Table, tmp_path: Path
) -> None:
    broken = tmp_path / "bucket"
    shutil.copytree(corpus / "bucket", broken)
    victim = sorted(path for path in broken.iterdir() if path.name.startswith("PMC"))[0]
    xml = next(victim.glob("*.xml"))
    xml.write_bytes(xml.read_bytes()[:200])
    metadata = broken / "metadata" / f"{victim.name}.json"
    metadata.write_text(json.dumps(json.loads(metadata.read_text()) | {"xml_url": f"s3://x/{victim.name}/{xml.name}"}))
    hurt = collected(override(config, {"source.origin": f"bucket:{broken}"}), corpus, tmp_path / "hurt")
    lost = set(figures.read()["figure_id"].to_pylist()) - set(hurt.read()["figure_id"].to_pylist())
    assert lost
    assert {figure.partition("/")[0] for figure in lost} == {victim.name}
    (reason,) = [reject for reject in hurt.rejects().to_pylist() if reject["article_id"] == victim.name]
    assert reason["code"] == "xml_syntax"


def test_a_part_whose_inputs_changed_is_refused(figures: Table) -> None:
    work = [build.Work(part.part, "other inputs", []) for part in figures.parts()]
    with pytest.raises(RunConflict, match="other inputs"):
        make_missing("collect", figures, work, lambda *_: None, lambda rows: rows)


def test_what_is_done_is_not_done_again(figures: Table) -> None:
    seen: list[Part] = []
    work = [build.Work(part.part, part.inputs, []) for part in figures.parts()]

    def never(rows: object) -> object:
        raise AssertionError("nothing is left to do")

    make_missing("collect", figures, work, lambda _, part, __: seen.append(part), never)
    assert [part.part for part in seen] == list(range(PARTS))


@pytest.mark.ray
def test_one_pace_and_one_pause_hold_over_all_workers_and_jobs(local_ray: None) -> None:
    (host,) = pmc.hosts(SourceSettings(origin="bucket:http://127.0.0.1:9/bucket"))
    source = SourceSettings(origin=f"bucket:{host}")

    @ray.remote(num_cpus=0.25)
    def ask(turns: build.ClusterTurns, times: int) -> list[float]:
        return [time.time() for _ in range(times) if turns.enter(0.05) >= 0]

    begun = [ask.remote(build.shared_turns(source)[host], 8) for _ in range(3)]  # as three jobs would
    told: list[list[float]] = ray.get(begun)
    asked = sorted(at for each in told for at in each)
    assert len(asked) == 24
    assert asked[-1] - asked[0] > 23 * 0.05 - 0.1  # less what a turn takes to reach who waits for it
    build.shared_turns(source)[host].close_for(1.5)
    closed = time.time()
    (late,) = ray.get(ask.remote(build.shared_turns(source)[host], 1))
    assert late - closed > 1.3
