"""The training of the sentence splitter, from drawn passages to a card."""

import json
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file

from app.weights import sentences as sentence_training
from core.places import Place
from core.records import Sentence
from core.sentences import SentenceSplitter
from phantom.punctuation import Passage, draw_passages


def passage(*parts: str) -> Passage:
    """A passage of sentences and what stands between them, by turns."""
    text = "".join(parts)
    starts = [sum(map(len, parts[:place])) for place in range(0, len(parts), 2)]
    words = parts[::2]
    return Passage(text, [Sentence(start=a, end=a + len(b)) for a, b in zip(starts, words, strict=True)])


def test_labels_are_stanzas() -> None:
    drawn = passage("Dr. Ash left", "\n\n", "A 2.5\ncm cyst.", " ", "No.")
    assert list(sentence_training.paragraphs(drawn)) == [
        ("Dr. Ash left", "001000100002"),
        ("A 2.5\ncm cyst. No.", "100010010000120002"),
    ]


def test_stanza_reads_the_sentences_that_were_drawn() -> None:
    drawn = [each for each in draw_passages(0, 30) if all(s.end - s.start < 240 for s in each.sentences)]
    _, batches = sentence_training.read_by_stanza(drawn, seed=0)
    read = ["".join(units).split() for paragraph in batches.sentences for *_, units in paragraph]
    assert read == [each.text[s.start : s.end].split() for each in drawn for s in each.sentences]


def test_scores_count_whole_sentences() -> None:
    class Whole(SentenceSplitter):
        def __init__(self) -> None:
            pass

        def __call__(self, texts: object) -> list[list[Sentence]]:
            return [[Sentence(start=0, end=4)], [Sentence(start=0, end=8)]]

    scores = sentence_training.score(Whole(), [passage("One."), passage("Two.", " ", "Six.")])
    assert scores["precision"] == 1 / 2
    assert scores["recall"] == 1 / 3
    assert scores["f1"] == pytest.approx(2 / 5)
    assert scores["passages without a fault"] == 1 / 2


def test_one_command_leaves_weights_metrics_scores_and_a_card(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sentence_training, "HELD_OUT", 8)
    run, seen = Place.at(str(tmp_path)), list[int]()
    weights = sentence_training.train_sentences(
        run, seed=3, on_step=lambda step, steps: seen.append(step), steps=4, passages=40
    )
    assert seen == [1, 2, 3, 4]
    assert Path(weights).stat().st_size < 500_000
    again = sentence_training.train_sentences(
        Place.at(str(tmp_path / "again")), seed=3, on_step=lambda step, steps: None, steps=4, passages=40
    )
    first, second = load_file(weights), load_file(again)
    assert first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)
    with safe_open(weights, framework="pt") as one, safe_open(again, framework="pt") as other:
        assert one.metadata() == other.metadata()  # as values: safetensors writes them in any order
    card = Path(sentence_training.write_card(run, seed=3, beside=weights)).read_text()
    assert "seed=3" in card
    scores = json.loads((tmp_path / "scores.json").read_text())
    assert scores["these"] == scores["beside"]
    assert f"{scores['these']['recall']:.3f}" in card
    assert json.loads((tmp_path / "metrics.jsonl").read_text().splitlines()[-1])["step"] == 4
