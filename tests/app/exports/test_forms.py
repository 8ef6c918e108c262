"""Each form, read by the library that it is written for."""

import csv
import json
import sys
from pathlib import Path
from subprocess import run as process

import pytest

from app.exports.written import planned, write
from core.places import Place
from core.records import Pair
from core.runs import Table
from core.wanted import Wanted
from core.works import here

TINY = {
    "embed_dim": 32,
    "vision_cfg": {"image_size": 32, "layers": 1, "width": 32, "patch_size": 16, "head_width": 16},
    "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 1},
}
TRAIN = """
import sys, open_clip
open_clip.add_model_config(sys.argv[1])
from open_clip_train.main import main
main(["--train-data", sys.argv[2], "--dataset-type", "webdataset", "--train-num-samples", "40", "--dataset-resampled",
      "--batch-size", "2", "--epochs", "1", "--workers", "0", "--model", "tiny", "--device", "cpu",
      "--precision", "fp32", "--log-every-n-steps", "5", "--logs", sys.argv[3], "--name", "t"])
"""


@pytest.fixture(autouse=True)
def offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "cache"))


def exported(run: Place, form: str, *, per_shard: int = 4) -> Path:
    out, table = run / f"out-{form}", Table(run / "pairs", Pair)
    plan = planned(table, Wanted(), per_shard=per_shard, seed=0)
    write(table, plan, Wanted(), out, form=form, seed=0, each=here)
    return Path(out.path)


def texts(run: Place, split: str) -> list[str]:
    rows = Table(run / "pairs", Pair).read(f"split={split}", columns=["text", "permission"]).to_pylist()
    return sorted(row["text"] for row in rows if not row["permission"])


def test_webdataset_is_read_by_its_library(run: Place) -> None:
    import webdataset

    folder = exported(run, "webdataset")
    shards = sorted(str(path) for path in folder.glob("train-*.tar"))
    assert [Path(shard).name for shard in shards] == ["train-00000.tar", "train-00001.tar"]
    rows = list(webdataset.WebDataset(shards, shardshuffle=False).decode("pil").to_tuple("jpg", "txt", "json"))
    assert sorted(text for _, text, _ in rows) == texts(run, "train")
    assert {image.size for image, _, _ in rows} == {(48, 40)}
    assert all(facts["licence"] == "CC BY" and facts["text"] == text for _, text, facts in rows)
    sizes = [json.loads(line) for line in (folder / "sizes.jsonl").read_text().splitlines()]
    assert sum(each["samples"] for each in sizes) == 11


@pytest.mark.ray  # not Ray, but as slow: runs beside nothing else
def test_open_clip_takes_20_steps_on_the_shards(run: Place, tmp_path: Path) -> None:
    folder = exported(run, "webdataset", per_shard=100)
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "tiny.json").write_text(json.dumps(TINY))
    shard = folder / "train-00000.tar"
    command = [sys.executable, "-c", TRAIN, str(tmp_path / "models"), str(shard), str(tmp_path / "logs")]
    done = process(command, capture_output=True, text=True, timeout=280)
    assert "Train Epoch: 0" in done.stderr + done.stdout, done.stderr[-2000:]
    assert "(100%)" in done.stderr + done.stdout


@pytest.mark.parametrize("form", ["parquet", "imagefolder"])
def test_hugging_face_shows_images(run: Place, form: str, tmp_path: Path) -> None:
    from datasets import load_dataset

    folder = exported(run, form)
    found = load_dataset(str(folder), cache_dir=str(tmp_path / "cache"))
    rows = list(found["train"])
    assert sorted(row["text"] for row in rows) == texts(run, "train")
    assert {row["image"].size for row in rows} == {(48, 40)}
    assert {row["modality"] for row in rows} == {"CT", "MRI"}
    assert json.loads(rows[0]["box"])[3] == 40
    assert len(list(found["test"])) == 3


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_tables_name_their_images(run: Place, form: str) -> None:
    folder = exported(run, form)
    with (folder / f"train.{form}").open(newline="") as file:
        rows = list(csv.DictReader(file)) if form == "csv" else [json.loads(line) for line in file]
    assert sorted(row["text"].removeprefix("'") for row in rows) == texts(run, "train")
    assert all((folder / row["image"]).read_bytes()[:2] == b"\xff\xd8" for row in rows)
    # A spreadsheet would take "=MRI" for a formula.
    assert {row["text"][0] for row in rows} == ({"C", "'"} if form == "csv" else {"C", "="})


def test_blip_has_one_caption_in_training_and_a_list_in_testing(run: Place) -> None:
    folder = exported(run, "blip")
    train, test = (json.loads((folder / f"{split}.json").read_text()) for split in ("train", "test"))
    assert sorted(row["caption"] for row in train) == texts(run, "train")
    assert sorted(row["caption"][0] for row in test) == texts(run, "test")
    assert all((folder / row["image"]).is_file() and row["image_id"] for row in train + test)


def test_llava_asks_and_answers(run: Place) -> None:
    folder = exported(run, "llava")
    train = json.loads((folder / "train.json").read_text())
    assert sorted(row["conversations"][1]["value"] for row in train) == texts(run, "train")
    assert all(row["conversations"][0]["value"].startswith("<image>\n") for row in train)
    assert all((folder / row["image"]).is_file() for row in train)
