"""Zero-shot classification: the score of a prompt pair, one model judged twice, and what is refused or left out."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from core.config import UserError
from core.records import Radiograph, Split, Target
from trainers.batch import Collate
from trainers.checkpoint import load_model
from trainers.evaluation.prompts import Prompts, PromptSet, read_prompts
from trainers.evaluation.radiographs import Features, encode_films
from trainers.evaluation.retrieval import LeakError
from trainers.evaluation.zero_shot import ZeroShot, ZeroShotPlan, by_side, present_scores, sides, zero_shot

Writer = Callable[[str, Sequence[Radiograph]], list[str]]


def evaluated(folder: Path, files: Mapping[Any, list[str]], **changes: Any) -> ZeroShot:
    settings: dict[str, Any] = {
        "prompts": read_prompts("plain"), "batch_size": 8, "resamples": 20, "seed": 0,
    }  # fmt: skip
    read = {f"{split}_files": changes.pop(f"{split}_files", files[split]) for split in ("val", "test")}
    return zero_shot(folder, **read, plan=ZeroShotPlan(**(settings | changes)))


def test_the_score_is_chexzeros_softmax_over_two_cosines() -> None:
    rng = np.random.default_rng(0)
    embeddings, axis = (each / np.linalg.norm(each, axis=1, keepdims=True) for each in rng.normal(size=(2, 2, 6)))
    cosines = np.array([[sum(a * b) for b in axis] for a in embeddings])
    np.testing.assert_allclose(present_scores(embeddings, axis), np.exp(cosines[:, 0]) / np.exp(cosines).sum(axis=1))


def test_a_side_is_the_mean_direction_of_its_prompts_read_as_in_training(saved_model: Path) -> None:
    model, tokenizer = load_model(saved_model)
    long = "a red disc in the left upper part " * 9  # 24 tokens were read in training
    prompts = Prompts(positive=("a red disc", long), negative=("no disc",))
    found = sides(model.train(), tokenizer, prompts)
    with torch.no_grad():
        tokens, mask = Collate(tokenizer, 32, 24).tokenize([*prompts.positive, *prompts.negative])
        assert tokens.shape[1] == 24
        texts = model.eval().embed_texts(tokens, mask).numpy()
    mean = texts[:2].mean(axis=0)
    np.testing.assert_allclose(found, [mean / np.linalg.norm(mean), texts[2]], atol=1e-6)


def test_two_evaluations_are_identical_and_told_in_json(saved_model: Path, film_files: dict[str, list[str]]) -> None:
    found = evaluated(saved_model, film_files)
    assert found == evaluated(saved_model, film_files)
    assert json.loads(json.dumps(asdict(found), allow_nan=False))["prompt_set"] == "plain"
    assert found.prompts["Disc"] == {"positive": ["disc"], "negative": ["no disc"]}
    assert found.radiographs == {"val": 30, "test": 40}
    assert (found.targets["Ring"].n, found.targets["Ring"].positives) == (32, 4)
    assert found.targets["Bar"].prevalence == 0.5


def test_truths_that_follow_the_cosines_are_told_without_error(
    saved_model: Path, film_files: dict[str, list[str]], drawn_film: Callable[[int, Split], Radiograph],
    write_films: Writer,
) -> None:  # fmt: skip
    model, tokenizer = load_model(saved_model)
    axis = sides(model, tokenizer, Prompts(positive=("a disc",), negative=("no disc",)))
    splits: tuple[Split, ...] = ("val", "test")
    nearer = {
        split: encode_films(model, film_files[split], batch_size=9).embeddings @ (axis[0] - axis[1]) for split in splits
    }
    border = np.median(nearer["val"])  # one for both splits, as a trained model would have it

    def film(n: int, split: Split) -> Radiograph:
        return replace(drawn_film(n, split), targets=[Target(name="Disc", present=bool(nearer[split][n] > border))])

    files = {
        split: write_films(f"{split}-told", [film(n, split) for n in range(len(nearer[split]))]) for split in splits
    }
    prompts = PromptSet(name="mine", positive=("a {}",), negative=("no {}",))
    found = evaluated(saved_model, files, prompts=prompts).targets["Disc"]
    assert found.metrics["auc"] == found.metrics["ap"] == found.metrics["f1_oracle"] == 1.0
    assert (found.metrics["f1"] or 0) > 0.9
    turned = PromptSet(name="turned", positive=("no {}",), negative=("a {}",))
    assert evaluated(saved_model, files, prompts=turned).targets["Disc"].metrics["auc"] == 0.0


def test_a_target_without_prompts_is_left_out_with_a_note(saved_model: Path, film_files: dict[str, list[str]]) -> None:
    disc = {"Disc": Prompts(positive=("a disc",), negative=("no disc",))}
    found = evaluated(saved_model, film_files, prompts=PromptSet(name="one", targets=disc))
    assert list(found.targets) == ["Disc"] and found.mean.metrics == found.targets["Disc"].metrics
    assert "Bar: the set one has no prompts for it" in found.notes
    with pytest.raises(UserError, match="the set of prompts 'biovil' has none for Bar, Disc, Ring"):
        evaluated(saved_model, film_files, prompts=read_prompts("biovil"))


def test_only_the_wanted_targets_are_told_and_one_without_positives_says_so(
    saved_model: Path, film_files: dict[str, list[str]]
) -> None:
    found = evaluated(saved_model, film_files, targets=["Disc", "Hernia"])
    assert list(found.targets) == ["Disc", "Hernia"]
    assert "Hernia: nobody judged it" in found.notes and found.mean.metrics == found.targets["Disc"].metrics


def test_a_model_is_not_asked_about_its_own_patients(saved_model: Path, film_files: dict[str, list[str]]) -> None:
    for changes in ({"test_files": film_files["train"]}, {"val_files": film_files["train"]}):
        with pytest.raises(LeakError, match="train-p0"):
            evaluated(saved_model, film_files, **changes)


def test_a_threshold_is_not_fixed_on_the_patients_of_the_test(
    saved_model: Path, film_files: dict[str, list[str]]
) -> None:
    with pytest.raises(LeakError, match="stand in split test and in val"):
        evaluated(saved_model, film_files, val_files=film_files["test"])


def test_a_model_that_does_not_read_no_is_below_chance_by_negative_prompts_alone() -> None:
    """Both prompts point at the finding: present films are nearer to each, the negative one too."""
    truths = [1.0, 1.0, 0.0, 0.0]
    embeddings = np.array([[1.0, 0.0], [0.8, 0.6], [0.6, 0.8], [0.0, 1.0]])
    rows = [{"targets": [{"name": "A", "present": bool(each)}, {"name": "B", "present": True}]} for each in truths]
    features = Features(embeddings=embeddings, states=embeddings, rows=rows)
    deaf, hears = np.array([[1.0, 0.0], [1.0, 0.0]]), np.array([[1.0, 0.0], [0.0, 1.0]])
    found = by_side(features, {"A": deaf, "B": hears})
    assert found == {"A": {"pos": 1.0, "neg": 0.0, "pnc": 0.5}, "": {"pos": 1.0, "neg": 0.0, "pnc": 0.5}}
    assert by_side(features, {"A": hears})["A"] == {"pos": 1.0, "neg": 1.0, "pnc": 1.0}
