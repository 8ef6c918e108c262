"""Settings and pairs into a job."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from core.config import UserError
from core.places import Place
from core.settings import Config, MlipSettings, ObjectiveSettings, OptimSettings, TrainSettings
from trainers.blip import Blip
from trainers.checkpoint import load_model, save_model
from trainers.job import _name, make_job, write_start
from trainers.seen import seen_by
from trainers.training_set import TrainingSet, digest_of_texts, read_training_set

TEXTS = tuple(f"A {colour} disc, number {number}." for colour in ("red", "blue") for number in range(50))


def written(file: Path, texts: Sequence[str], **more: Any) -> TrainingSet:
    """Pairs with these texts, of two articles in turn."""
    rows = [{"pair_id": str(n), "article_id": f"A{n % 2 + 1}", "text": text, **more} for n, text in enumerate(texts)]
    file.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows), file)
    return read_training_set([str(file)], fraction=1.0, seed=0)


@pytest.fixture
def pairs(tmp_path: Path) -> TrainingSet:
    return written(tmp_path / "pairs" / "pairs.parquet", TEXTS)


def config(blip: Blip, *, objective: dict[str, Any] | None = None, init: str | None = None, **train: Any) -> Config:
    return Config(
        model=blip.settings.model_copy(update={"init": init}),
        objective=ObjectiveSettings(**objective or {}),
        optim=OptimSettings(epochs=3),
        train=TrainSettings(**{"batch_size": 10, **train}),
    )


def test_steps_follow_from_epochs_and_the_queue_from_the_pairs(small_blip: Blip, pairs: TrainingSet) -> None:
    job = make_job(config(small_blip), pairs, out="out")
    assert (job.plan.steps_per_epoch, job.plan.total_steps) == (10, 30)
    assert job.queue == 15  # with the batch a quarter of the pairs
    assert make_job(config(small_blip, batch_size=30), pairs, out="out").queue == 0
    assert make_job(config(small_blip, objective={"queue": 400}), pairs, out="out").queue == 400


def test_a_batch_that_cannot_be_filled_or_shared_out_is_refused(small_blip: Blip, pairs: TrainingSet) -> None:
    with pytest.raises(UserError, match="100 pairs to train on do not fill one batch of 128"):
        make_job(config(small_blip, batch_size=128), pairs, out="out")
    with pytest.raises(UserError, match="does not divide over 3 workers; try 9"):
        make_job(config(small_blip, workers=3), pairs, out="out")
    with pytest.raises(UserError, match="10 is less than a pair for each of 12 workers"):
        make_job(config(small_blip, workers=(2, 12)), pairs, out="out")


def test_the_name_changes_with_what_shapes_the_model_alone(small_blip: Blip, pairs: TrainingSet) -> None:
    def name(**settings: Any) -> str:
        return make_job(config(small_blip, **settings), pairs, out="out").name

    assert name() == name(log_seconds=7.0) == name(failures=0) == name(workers=2) == name(workers=(1, 3))
    assert len({name(), name(objective={"queue": 0}), name(objective={"alpha": 0.1}), name(batch_size=20)}) == 4


def test_a_new_model_knows_the_texts_words_and_is_the_same_for_a_seed(
    small_blip: Blip, pairs: TrainingSet, tmp_path: Path
) -> None:
    models = []
    for number in range(2):
        torch.manual_seed(number)
        job = make_job(config(small_blip), pairs, out=str(tmp_path / str(number)))
        write_start(config(small_blip), pairs, job)
        model, tokenizer = load_model(job.start)
        assert model.settings.vocabulary == len(tokenizer)
        assert tokenizer.tokenize("red disc") == ["red", "disc"]
        models.append(model.state_dict())
    assert all(torch.equal(value, models[1][name]) for name, value in models[0].items())


def test_a_model_begins_from_another_whose_training_names_it(
    small_blip: Blip, tokenizer: Any, pairs: TrainingSet, tmp_path: Path
) -> None:
    def saved(folder: str, made_by: str) -> str:
        settings = small_blip.settings, ObjectiveSettings()
        save_model(tmp_path / folder, small_blip, settings=settings, tokenizer=tokenizer, articles=["A9"])
        (tmp_path / folder / "run.json").write_text(json.dumps({"name": made_by}))
        return str(tmp_path / folder)

    def job_from(init: str) -> Any:
        return make_job(config(small_blip, init=init), pairs, out=str(tmp_path / "out"))

    first, moved, other = saved("first", "blip-1"), saved("moved", "blip-1"), saved("other", "blip-2")
    assert job_from(first).name == job_from(moved).name != job_from(other).name
    job = job_from(first)
    assert job.seen == str(tmp_path / "out" / "seen")
    write_start(config(small_blip, init=first), pairs, job)
    assert seen_by(job.seen, "article") == {"A1", "A2", "A9"}  # none of them may judge the model
    model, words = load_model(job.start)
    assert words.get_vocab() == tokenizer.get_vocab()
    assert all(torch.equal(value, small_blip.state_dict()[name]) for name, value in model.state_dict().items())


@pytest.mark.parametrize("objective", ["blip", "mlip"])
@pytest.mark.parametrize("is_report", [False, True])
def test_objective_and_data_are_independent_choices(
    small_blip: Blip, objective: str, is_report: bool, tmp_path: Path
) -> None:
    reports = tuple(f"{text} The heart is normal. No effusion." for text in TEXTS)
    cut = {"sentences": [{"start": 0, "end": 5}]} if is_report else {}
    pairs = written(tmp_path / "chosen" / "pairs.parquet", reports if is_report else TEXTS, **cut)
    chosen = config(small_blip, objective={"name": objective})
    chosen = chosen.model_copy(update={"mlip": MlipSettings(decoder_width=16, decoder_depth=1, decoder_heads=2)})
    job = make_job(chosen, pairs, out=str(tmp_path))
    write_start(chosen, pairs, job)
    model, tokenizer = load_model(job.start)
    weights = job.objective_of(model, tokenizer).weights
    assert set(weights) == ({"v2t", "t2v", "spm", "mip"} if objective == "mlip" else {"itc", "itm", "mlm"})
    assert job.name.startswith(objective)


def test_a_training_in_a_bucket_begins_there_from_a_model_there(
    small_blip: Blip, tokenizer: Any, pairs: TrainingSet, bucket: str, tmp_path: Path
) -> None:
    names = []
    for folder in (Place.at(tmp_path), Place.at(bucket)):
        first = folder / "first"
        settings = small_blip.settings, ObjectiveSettings()
        save_model(first.uri, small_blip, settings=settings, tokenizer=tokenizer, articles=["A9"])
        (first / "run.json").write_json({"name": "blip-1"})
        chosen = config(small_blip, init=first.uri)
        job = make_job(chosen, pairs, out=(folder / "out").uri)
        write_start(chosen, pairs, job)
        model, _ = load_model(job.start)
        assert all(torch.equal(value, small_blip.state_dict()[name]) for name, value in model.state_dict().items())
        assert job.start == f"{folder.uri}/out/start" and seen_by(job.seen, "article") == {"A1", "A2", "A9"}
        names.append(job.name)
    assert names[0] == names[1]


def test_what_an_earlier_version_began_or_finished_keeps_its_name(
    small_blip: Blip, pairs: TrainingSet, tmp_path: Path
) -> None:
    def name_in(folder: str) -> str:
        return make_job(config(small_blip), pairs, out=str(tmp_path / folder)).name

    older = _name(config(small_blip), digest_of_texts(pairs), 2)  # of two workers, whose number was part of it
    (tmp_path / "begun" / "restarts" / f"{older}.1").mkdir(parents=True)
    (tmp_path / "finished" / "checkpoint").mkdir(parents=True)
    (tmp_path / "finished" / "checkpoint" / "run.json").write_text(json.dumps({"name": older}))
    (tmp_path / "other" / "restarts" / "blip-0").mkdir(parents=True)
    assert name_in("begun") == name_in("finished") == older != name_in("new") == name_in("other")


def test_a_setting_that_came_later_names_a_job_only_where_it_is_used(small_blip: Blip, pairs: TrainingSet) -> None:
    plain = config(small_blip)
    told = config(small_blip, objective={"distil_words": True})
    assert "distil_words" not in repr(plain.objective)
    assert make_job(plain, pairs, out="").name != make_job(told, pairs, out="").name
