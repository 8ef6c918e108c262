"""Probes of a model of a run: what is asked, where it is kept, and the model before training as the floor."""

import io
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import get_args

import numpy as np
import pytest
from PIL import Image

from app import steps
from app.probe import (
    TASKS,
    encoder,
    headline,
    possible,
    probe,
    probe_runs,
    read_films,
    write_untrained,
    write_untrained_of,
)
from core.config import UserError, load, override
from core.places import Place
from core.records import Radiograph, Region, Split, Target, to_table
from core.runs import RunConflict, Table
from core.settings import Config
from trainers.checkpoint import load_model, training_articles
from trainers.datasets.tables import Terms, pairs_of
from trainers.evaluation.kept_films import KeptFilms

TINY = [
    "model.image_size=32", "model.patch=8", "model.image_width=32", "model.image_depth=3", "model.image_heads=2",
    "model.text_width=32", "model.text_depth=1", "model.text_heads=2", "model.max_tokens=32", "model.vocabulary=90",
    "mlip.decoder_width=8", "mlip.decoder_heads=2", "train.batch_size=8", "probe.resamples=10", "probe.mask_steps=2",
    "probe.prompt_set=plain", "probe.shares=[0.2]", "probe.seeds=2", "evaluate.batch_size=16",
]  # fmt: skip
SIZES: dict[Split, int] = {"train": 16, "val": 8, "test": 12}


def film(split: Split, number: int, *, marked: bool) -> Radiograph:
    """A dark film; every other one has a bright square, which its report names."""
    pixels, inside = np.full((32, 32), 40 + number, np.uint8), np.zeros((32, 32), bool)
    shown = number % 2 == 1
    inside[8:24, 8:24] = shown
    pixels[inside] = 220
    image, mask = io.BytesIO(), io.BytesIO()
    Image.fromarray(pixels).save(image, "PNG")
    Image.fromarray(inside).save(mask, "PNG")
    region = Region(target="Nodule", box=(8, 8, 24, 24), mask=mask.getvalue())
    return Radiograph(
        image_id=f"{split}{number}", patient_id=f"{split}-p{number}", study_id=f"{split}-s{number}", dataset="drawn",
        split=split, image=image.getvalue(), width=32, height=32, view="PA",
        text=f"There is {'a' if shown else 'no'} nodule. Film {number} is clear.",
        targets=[Target(name="Nodule", present=shown)], regions=[region] * (shown and marked),
        md5=f"{split}{number:030x}", notes=[],
    )  # fmt: skip


def drawn_run(place: Place, *, marked: bool = True, splits: tuple[str, ...] = get_args(Split)) -> Place:
    films = [film(split, number, marked=marked) for split in SIZES for number in range(SIZES[split])]
    pairs = pairs_of(films, lambda: lambda texts: [[] for _ in texts], Terms(licence="CC0", attribution="A. Author"))
    for name, record, rows in (("radiographs", Radiograph, films), ("pairs", None, pairs)):
        kind = record or type(pairs[0])
        tables = {f"split={split}": to_table([row for row in rows if row.split == split], kind) for split in splits}
        Table(place / name, kind).commit(0, tables=tables, rejects=[], inputs="", counts={})
    return place


def tiny() -> Config:
    return load("mlip-phantom", TINY)


def test_every_probe_is_asked_once_and_kept(tmp_path: Path) -> None:
    run, config = drawn_run(Place.at(tmp_path / "run")), tiny()
    write_untrained(config, run, "untrained-seed0")
    films = read_films(run)
    assert (films.dataset, films.masked, films.placed) == ("drawn", ["Nodule"], ["Nodule"])
    assert possible(films, "mlip") == list(TASKS)
    found = probe(config, run, "untrained-seed0", films, TASKS)
    assert found["zero-shot"]["radiographs"] == {"val": 8, "test": 12}
    assert [share["share"] for share in found["few-shot"]["shares"]] == [0.2]
    assert found["segmentation"]["metrics"]["dice_all_empty"] == 0.5
    assert found["pointing"]["overall"]["n"] == 6
    kept = sorted((tmp_path / "run/models/untrained-seed0").glob("probe-*.json"))
    assert {file.name.rsplit("-", 1)[0] for file in kept} == {f"probe-{task}-run" for task in TASKS}
    for file in kept:
        lines = file.with_suffix(".csv").read_text().splitlines()
        assert lines[0].startswith("image,target,score") and lines[0].endswith("present") and len(lines) > 6
    told = next(file for file in kept if "zero-shot" in file.name).with_suffix(".csv").read_text().splitlines()[1:]
    assert {line.rsplit(",", 1)[1] for line in told} == {"0", "1"}
    before = [file.stat().st_mtime_ns for file in kept]
    assert probe(config, run, "untrained-seed0", films, TASKS) == found
    assert [file.stat().st_mtime_ns for file in kept] == before
    other = override(config, {"probe.seeds": 1})
    assert (
        len(probe(other, run, "untrained-seed0", films, ["few-shot"])["few-shot"]["shares"][0]["mean"]["by_seed"]) == 1
    )
    assert len(list((tmp_path / "run/models/untrained-seed0").glob("probe-few-shot-*.json"))) == 2
    lines = list(probe_runs(config, run, "untrained-seed0", []))
    assert [line.split(":")[0] for line in lines] == [f"untrained-seed0 on drawn, {task}" for task in TASKS]
    assert "nothing drawn 50.0 %" in lines[2]


def test_phrases_are_asked_where_a_list_names_them(tmp_path: Path) -> None:
    run, file = drawn_run(Place.at(tmp_path / "run")), tmp_path / "phrases.csv"
    file.write_text(
        "dicom_id,category_name,label_text,x,y,w,h,image_width,image_height\n"
        "test1,Nodule,There is a nodule,8,8,16,16,32,32\ntrain1,Nodule,There is a nodule,8,8,16,16,32,32\n"
    )
    config = override(tiny(), {"probe.phrases": str(file)})
    write_untrained(config, run, "untrained-seed0")
    films = read_films(run)
    found = probe(config, run, "untrained-seed0", films, ["grounding"])["grounding"]
    assert (found["overall"]["n"], found["elsewhere"], list(found["by_finding"])) == (1, 1, ["Nodule"])
    said = headline("grounding", found)
    assert said.startswith("P@1 ") and ", mIoU of categories " in said
    assert said.endswith("; 1 phrases, 1 others are about images that are not in the test split")
    (table,) = (tmp_path / "run/models/untrained-seed0").glob("probe-grounding-*.csv")
    assert table.read_text().splitlines()[1].startswith("test1,Nodule,")
    with pytest.raises(UserError, match="nowhere"):
        probe(
            override(config, {"probe.phrases": "nowhere.csv"}), run, "untrained-seed0", films, ["few-shot", "grounding"]
        )


@pytest.mark.parametrize("frozen", [True, False])
def test_films_of_a_frozen_encoder_that_is_kept_here_are_encoded_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, frozen: bool
) -> None:
    run, config = drawn_run(Place.at(tmp_path / "run")), tiny()
    write_untrained(config, run, "untrained-seed0")
    # As where a pool is large and Ray is there.
    monkeypatch.setattr("app.retrieving.LEAST_ON_RAY", 0)
    monkeypatch.setitem(sys.modules, "ray", SimpleNamespace(is_initialized=lambda: True))
    there = SimpleNamespace(OnRay=lambda config: config, encode_films=encoder)
    monkeypatch.setitem(sys.modules, "trainers.evaluation.on_ray", there)
    ways = ["train.inline=true", "train.augment=none", "mlip.mip=0"] + ["train.frozen=[image]"] * frozen
    films, folder = read_films(run), steps.checkpoint(run, "untrained-seed0")
    found = encoder(load("mlip-phantom", [*TINY, *ways]), folder, run / "films", films)
    assert isinstance(found, KeptFilms) and (found.on_ray is None) == frozen


def test_without_places_there_is_nothing_to_point_at_or_to_outline(tmp_path: Path) -> None:
    run, config = drawn_run(Place.at(tmp_path), marked=False), tiny()
    films = read_films(run)
    assert possible(films, "mlip") == ["zero-shot", "few-shot"]
    write_untrained(config, run, "untrained")
    for task in ("segmentation", "pointing"):
        with pytest.raises(UserError, match=r"no finding of which|no finding has both"):
            probe(config, run, "untrained", films, [task])


def test_a_blip_has_no_patches_in_the_space_of_sentences(tmp_path: Path) -> None:
    assert "pointing" not in possible(read_films(drawn_run(Place.at(tmp_path))), "blip")


def test_radiographs_are_asked_for_by_their_command_and_in_every_split(tmp_path: Path) -> None:
    with pytest.raises(RunConflict, match="no radiographs yet; `figray dataset` makes them"):
        read_films(Place.at(tmp_path))
    run = drawn_run(Place.at(tmp_path), splits=("train", "test"))
    with pytest.raises(UserError, match="radiographs has none in val: probes need train, val and test"):
        read_films(run)


def test_the_untrained_model_is_what_training_begins_with(tmp_path: Path) -> None:
    run, config = drawn_run(Place.at(tmp_path)), tiny()
    write_untrained(config, run, "untrained-seed0")
    model, _ = load_model(steps.checkpoint(run, "untrained-seed0"))
    assert model.settings.image_width == 32
    assert training_articles(steps.checkpoint(run, "untrained-seed0")) == set()
    write_untrained(config, run, "untrained-seed0")  # it stays
    with pytest.raises(RunConflict, match="seed was 0, now 1"):
        write_untrained(override(config, {"seed": 1}), run, "untrained-seed0")


def test_an_untrained_model_of_before_a_setting_existed_stays(tmp_path: Path) -> None:
    run, config = drawn_run(Place.at(tmp_path / "run")), tiny()
    write_untrained(config, run, "untrained")
    file = run / "models" / "untrained" / "settings.json"
    file.write_json({name: value for name, value in file.read_json().items() if not name.startswith("train.only")})
    write_untrained(config, run, "untrained")


def test_a_trained_model_has_a_twin_that_is_not(tmp_path: Path) -> None:
    run, config = drawn_run(Place.at(tmp_path)), override(tiny(), {"seed": 3})
    write_untrained(config, run, "mine")  # as if it had been trained
    assert write_untrained_of(tiny(), run, "mine") == "mine-untrained"
    mine, twin = ((run / "models" / name / "settings.json").read_json() for name in ("mine", "mine-untrained"))
    assert twin == mine and twin["seed"] == 3


def test_a_headline_says_what_is_undefined() -> None:
    undefined = {"metrics": {"auc": None}, "intervals": {}}
    assert headline("zero-shot", {"mean": undefined}) == "AUC undefined"
    told = {"shares": [{"share": 0.01, "mean": {"auc": 0.7, "interval": [0.6, 0.8]}}]}
    assert headline("few-shot", told) == "AUC at 1% 70.0 % (60.0 to 80.0)"
