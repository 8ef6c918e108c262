"""figray dataset pairs."""

import io
import json
import tarfile
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from app.cli import cli
from app.given import make_part, notes, parts_for, settle, summary, write_figures
from core.copies.signatures import Asked
from core.images import encode_png
from core.places import Place
from core.records import Figure, Pair, Split, from_table
from core.runs import RunConflict, Table
from core.settings import Config
from core.split import by_split
from pipelines.copies.given import settle as settle_copies
from pipelines.dealing import Dealt, dealt_here, values_of
from pipelines.given_pairs import figure_of, pair_of
from pipelines.given_rows import Given, given


def dealt(found: Given) -> Dealt:
    assert found.few is not None
    return dealt_here(found.few, found, parts_for)


def test_what_belongs_together_is_in_one_part(tmp_path: Path) -> None:
    rows = [{"id": k, "text": "x", "image": "a", "group": f"g{k % 7}"} for k in range(2000)]
    (tmp_path / "t.jsonl").write_text("\n".join(map(json.dumps, rows)))
    parts = dealt(given(tmp_path, {})).slices
    assert len(parts) == 4
    groups = [{work["group"] for work in values_of(part)} for part in parts]
    assert sum(len(each) for each in groups) == 7
    assert dealt(given(tmp_path, {})).slices == parts


def test_parts_are_the_same_as_ever_and_what_is_told_too(tmp_path: Path) -> None:
    rows = [
        {
            "image": f"img/{k}.png", "text": f"Axial CT, slice {k}; é—\"'", "id": f"r{k % 1150}",
            "group": f"g{k % 37}" if k % 3 else "", "split": "validation" if k % 5 == 0 else "",
        }
        for k in range(1200)
    ]  # fmt: skip
    (tmp_path / "t.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    found = given(tmp_path / "t.jsonl", {})
    # Runs that stand go on only while these do not change.
    assert [(each.inputs, len(values_of(each))) for each in dealt(found).slices] == [
        ("7d44ddc62ffe9878741653d17a1c8da3", 506),
        ("b64ae7db6a38f76d29e09c025676169e", 350),
        ("0ff393d9f3002294ed07baee0a60151a", 344),
    ]
    assert notes(found, dealt(found), separate=False) == [
        "1,200 rows of 1 file",
        "left out because another row has the same id: 50",
    ]
    assert notes(found, dealt(found), separate=True)[2].startswith("230 rows name a split; with --separate")


def test_a_table_without_groups_says_so(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("image,text\na.png,CT.\n")
    found = given(tmp_path, {})
    assert "no column says which rows belong together" in notes(found, dealt(found), separate=False)[1]


def test_a_part_counts_what_came_in(tmp_path: Path) -> None:
    Image.new("RGB", (40, 30)).save(tmp_path / "a.png")
    (tmp_path / "t.csv").write_text("image,text\na.png,CT.\nb.png,CT.\n")
    found = given(tmp_path / "t.csv", {})
    table = Table(Place.at(tmp_path / "run" / "pairs"), Pair)
    make = partial(pair_of, root=found.root, seed=0, val=0.0, test=0.0, train_side=4)
    make_part(vars(dealt(found).slices[0]), table=table, make=make)
    (pair,) = from_table(table.read("split=train"), Pair)
    assert (pair.width, pair.height) == (40, 30) and pair.small is not None
    assert Image.open(io.BytesIO(pair.small)).size == (4, 3)
    assert summary(table) == ["train: 1 pairs", "val: 0 pairs", "test: 0 pairs", "left out: 1 unreadable"]


TINY = (
    *("model.image_size=32", "model.patch=16", "model.image_depth=1", "model.text_depth=1", "model.image_width=32"),
    *("model.text_width=32", "model.image_heads=2", "model.text_heads=2", "model.embedding=16", "model.max_tokens=16"),
    *("model.vocabulary=300", "train.batch_size=8", "optim.steps=3", "optim.warmup_steps=1", "train.inline=true"),
)


def typed(*words: str) -> str:
    done = CliRunner().invoke(cli, list(words))
    assert done.exit_code == 0, done.output + str(done.exception or "")
    return done.output


def trained_and_shown(run: Path, *, pairs: int) -> None:
    """Train, evaluate and report on a run, and look at what they leave."""
    chosen = [word for setting in TINY for word in ("--set", setting)]
    typed("train", "processed", "--run", str(run), *chosen)
    found = json.loads(typed("-q", "evaluate", "processed", "--run", str(run), "--json").splitlines()[-1])
    assert found["processed"]["pairs"]["pool"] >= 2 and found["processed"]["whole figures"]["pool"] >= 2
    typed("report", "--run", str(run))
    assert f"{pairs:,}" in (run / "report.html").read_text()
    assert (run / "ATTRIBUTION.csv").read_text().count("\n") == pairs + 1
    assert Table(Place.at(run) / "whole", Pair).rows == pairs


@pytest.mark.cluster
@pytest.mark.ray
def test_a_webdataset_is_trained_evaluated_and_reported(local_ray: None, tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "shard-000.tar", "w") as tar:
        for number in range(48):
            rng, file = np.random.default_rng(number % 46), io.BytesIO()  # the last two are copies of the first two
            coarse = Image.fromarray(rng.integers(0, 256, (5, 5, 3), dtype=np.uint8))
            coarse.resize((48, 40), Image.Resampling.BICUBIC).save(file, "PNG")
            words = " ".join(f"w{each}" for each in rng.integers(0, 40, 6))
            told = {"png": file.getvalue(), "txt": words.encode(), "json": b'{"patient_id": "p%d"}' % (number // 2)}
            for suffix, data in told.items():
                info = tarfile.TarInfo(f"{number:03d}.{suffix}")
                info.size = len(data)
                tar.addfile(info, io.BytesIO(data))
    run = tmp_path / "run"
    split = ["--set", "split.val=0.2", "--set", "split.test=0.3"]
    said = typed("dataset", "pairs", str(tmp_path / "shard-000.tar"), "--run", str(run), *split)
    assert "copies: 4 images are shown by several groups" in said
    trained_and_shown(run, pairs=48)


@pytest.mark.cluster
@pytest.mark.ray
@pytest.mark.shared
def test_x_rays_with_notes_are_trained_evaluated_and_reported(local_ray: None, shared: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    columns = ["--column", "group=patientid", "--column", "attribution=url"]
    typed("dataset", "pairs", str(shared / "chest_xrays" / "pairs.csv"), "--run", str(run), *columns)
    trained_and_shown(run, pairs=165)


CLASSICAL = ("--set", "separate.method=classical")  # the demo's test has the detector, which loads torch


@pytest.mark.ray
def test_compound_images_are_separated_where_that_is_asked(local_ray: None, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    page = np.full((160, 330, 3), 255, np.uint8)
    for left in (0, 170):
        page[:, left : left + 160] = cv2.resize(rng.integers(0, 200, (8, 8, 3), dtype=np.uint8), (160, 160))
    cv2.putText(page, "A", (5, 25), cv2.FONT_HERSHEY_SIMPLEX, 0.9, (255, 255, 255), 2)
    cv2.putText(page, "B", (175, 25), cv2.FONT_HERSHEY_SIMPLEX, 0.9, (255, 255, 255), 2)
    Image.fromarray(page).save(tmp_path / "fig.png")
    (tmp_path / "t.jsonl").write_text(
        '{"image": "fig.png", "text": "(A) Axial CT of the head. (B) Coronal MRI.", "group": "p.1", "split": "test"}\n'
    )
    run = tmp_path / "run"
    said = typed("dataset", "pairs", str(tmp_path / "t.jsonl"), "--run", str(run), "--separate", *CLASSICAL)
    assert "1 rows name a split; with --separate groups are divided" in said
    made = Table(Place.at(run) / "pairs", Pair)
    texts = {row["text"] for part in made.parts() for row in made.read_of(part).to_pylist()}
    assert texts == {"Axial CT of the head.", "Coronal MRI."}
    assert Table(Place.at(run) / "whole", Pair).rows == 1
    typed("verify", str(run))


def test_pairs_as_they_are_and_separated_ones_do_not_mix(tmp_path: Path) -> None:
    (tmp_path / "pairs").mkdir()
    (tmp_path / "pairs" / "settings.json").write_text('{"station": "dataset pairs"}')
    with pytest.raises(RunConflict, match="with --separate name another run"):
        write_figures(Config(), Place.at(tmp_path), Given(tmp_path, {}, []), Dealt([], 0, {}), lambda *_: None)


def test_a_row_becomes_a_figure_of_its_group(tmp_path: Path) -> None:
    Image.new("RGB", (40, 30)).save(tmp_path / "a.png")
    (tmp_path / "t.csv").write_text("image,text,group\na.png,CT.,p.1\nb.png,CT.,p.1\n")
    found = given(tmp_path / "t.csv", {})
    table = Table(Place.at(tmp_path / "run" / "figures"), Figure)
    make_part(vars(dealt(found).slices[0]), table=table, make=partial(figure_of, root=found.root))
    (figure,) = from_table(table.read(), Figure)
    assert (figure.figure_id, figure.article_id, figure.caption, figure.width) == ("p_1/a.png", "p_1", "CT.", 40)
    assert figure.image == (tmp_path / "a.png").read_bytes() and table.failed == {"unreadable": 1}


@pytest.mark.ray
def test_parts_are_settled_by_tasks_as_by_one_process(local_ray: None, tmp_path: Path) -> None:
    tables = [Table(Place.at(tmp_path / run / "pairs"), Pair) for run in ("here", "ray")]
    for number in range(6):  # more than one process does; the last part shows what the first does
        small = Image.fromarray(np.random.default_rng(number % 5).integers(0, 256, (5, 5, 3), dtype=np.uint8))
        image = encode_png(small.resize((48, 40), Image.Resampling.BICUBIC))
        side: Split = "test" if number == 5 else "train"
        pair = Pair(
            pair_id=f"{number}", figure_id=f"{number}", article_id=f"p{number}", split=side, image=image, width=48,
            height=40, box=(0, 0, 48, 40), label=None, text="CT.", matched_by="given", score=1.0, reason="",
            licence="CC0", attribution="", media_url="", md5="",
        )  # fmt: skip
        for table in tables:
            table.commit(number, tables=by_split([pair], Pair), rejects=[], inputs="", counts={}, taken=1)
    here = settle_copies(tables[0], Asked(0.98), Config().dedupe)
    assert here == ["copies: 2 images are shown by several groups",
                    "1 pairs went to the side of the split where a copy of them, or of their group, is"]  # fmt: skip
    assert settle(Config(), Place.at(tmp_path / "ray"), tables[1]) == here
    assert [part.digest for part in tables[0].parts()] == [part.digest for part in tables[1].parts()]
    whole = Table(Place.at(tmp_path / "ray" / "whole"), Pair)
    assert [part.digest for part in whole.parts()] == [part.digest for part in tables[1].parts()]
