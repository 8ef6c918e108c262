"""The measures, worked by hand, and against the judge's script on the real sets."""

import json
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import TypeAdapter

from core.records import Box, SplitCaption, Subcaption, Subfigure
from pipelines.captions.split import split_caption
from pipelines.scoring.labelled_sets import MarkedCaption, MarkedCaptions, MarkedFigure, true_caption, true_figures
from pipelines.scoring.scorecard import (
    FoundPair,
    Measure,
    Tally,
    TrueCaption,
    TrueFigure,
    TruePanel,
    imageclef,
    measures,
    overlaps,
    pairing,
    same_boxes,
    separation,
    splitting,
    word_f1,
    words,
)

LEFT: Box = (0, 0, 100, 100)
RIGHT: Box = (100, 0, 200, 100)
BOTH: Box = (0, 0, 200, 100)
FIGURES = TypeAdapter(list[MarkedFigure])
CAPTIONS: TypeAdapter[Any] = TypeAdapter(MarkedCaptions | list[MarkedCaption])


def shares(tallies: dict[str, Tally]) -> dict[str, float]:
    return {name: round(tally.right / tally.of, 4) for name, tally in tallies.items()}


def test_word_f1_counts_words_as_often_as_they_stand() -> None:
    assert word_f1(words("a a b"), words("A b.")) == pytest.approx(0.8)
    assert word_f1(words(""), words("x")) == 0.0
    assert word_f1(words(""), words(None)) == 1.0


def test_overlap_is_intersection_over_union() -> None:
    assert overlaps([LEFT], [(50, 0, 150, 100), RIGHT, (5, 5, 5, 50)])[0] == pytest.approx([1 / 3, 0, 0])


def test_imageclef_asks_for_two_thirds_of_the_found_panel_and_counts_each_once() -> None:
    assert imageclef([LEFT, RIGHT], [LEFT, RIGHT]) == 1.0
    assert imageclef([LEFT, RIGHT], [BOTH]) == 0.0  # half of it lies in each
    assert imageclef([LEFT, RIGHT], [(10, 10, 20, 20), (30, 30, 40, 40)]) == 0.5  # two in one panel count once
    assert imageclef([BOTH], [LEFT, RIGHT]) == 0.5  # one too many
    assert imageclef([(0, 0, 100, 100)], [(0, 0, 150, 100)]) == 1.0  # exactly two thirds
    assert imageclef([LEFT], []) == imageclef([], [LEFT]) == 0.0


def test_boxes_are_matched_one_to_one_the_closest_first() -> None:
    assert same_boxes([LEFT, RIGHT], [(0, 0, 110, 100), LEFT], 0.5) == 1
    assert same_boxes([LEFT, RIGHT], [(0, 0, 130, 100), RIGHT], 0.75) == 2
    assert same_boxes([LEFT, RIGHT], [(0, 0, 140, 100), RIGHT], 0.75) == 1
    assert same_boxes([LEFT], [], 0.5) == same_boxes([], [LEFT], 0.5) == 0


def test_a_figure_with_one_panel_of_two_and_its_letter() -> None:
    truth = TrueFigure("x.png", "inside", "", [TruePanel(LEFT, "A"), TruePanel(RIGHT, "B")])
    found = [Subfigure(box=LEFT, score=1.0, label="(a)")]
    assert shares(separation(truth, found)) == {
        "imageclef_inside": 0.5, "imageclef_compound": 0.5, "f1_iou0.5": 0.6667, "f1_iou0.75": 0.6667,
        "letters": 0.5, "letters_inside": 0.5,
    }  # fmt: skip


def test_a_single_figure_that_was_cut_was_not_left_whole() -> None:
    truth = TrueFigure("x.png", "single", "", [TruePanel(BOTH, None)])
    whole, cut = ([Subfigure(box=box, score=1.0) for box in boxes] for boxes in ([BOTH], [LEFT, RIGHT]))
    assert shares(separation(truth, whole))["single_kept_whole"] == 1.0
    assert shares(separation(truth, cut))["single_kept_whole"] == 0.0
    assert "imageclef_compound" not in separation(truth, whole)


def split(parts: dict[str, str], preamble: str = "") -> SplitCaption:
    told = [Subcaption(labels=[label], text=text) for label, text in parts.items()]
    return SplitCaption(preamble=preamble, subcaptions=told, tail="", confidence=1.0, reason="")


def test_a_lost_label_scores_nothing_and_shared_words_do_not_count() -> None:
    parts = {"a": words("axial view of the cyst"), "b": words("coronal view of the cyst")}
    truth = TrueCaption("1", "", True, parts)
    right = splitting(truth, split({"A": "axial", "B": "coronal view"}))  # "view of the cyst" is in both
    assert shares(right) == {"compound_found": 1, "label_set_exact": 1, "label_f1": 1, "token_f1": 1}
    lost = splitting(truth, split({"A": "axial"}))
    assert shares(lost) == {"compound_found": 0, "label_set_exact": 0, "label_f1": 0.6667, "token_f1": 0.5}


def test_a_caption_of_one_panel_may_only_be_split_wrongly() -> None:
    truth = TrueCaption("1", "", False, {})
    assert shares(splitting(truth, split({"A": "x", "B": "y"}))) == {"false_splits": 1.0}
    assert shares(splitting(truth, split({}))) == {"false_splits": 0.0}


def test_a_panel_has_its_pair_where_the_box_on_it_carries_its_words() -> None:
    panels = [TruePanel(LEFT, "A", "axial view of the cyst"), TruePanel(RIGHT, "B", "coronal view of the cyst")]
    truth = TrueFigure("x.png", "inside", "", panels)
    right = [FoundPair(LEFT, "axial"), FoundPair(RIGHT, "Coronal view")]
    assert shares(pairing(truth, right)) == {"pairs": 1.0}
    swapped = [FoundPair(RIGHT, "axial"), FoundPair(LEFT, "Coronal view")]
    assert shares(pairing(truth, swapped)) == {"pairs": 0.0}
    assert shares(pairing(truth, [FoundPair(LEFT, "axial")])) == {"pairs": 0.5}
    assert pairing(TrueFigure("x.png", "inside", "", [TruePanel(LEFT, "A")]), right) == {}


def test_an_interval_holds_the_value_and_narrows_with_more_items() -> None:
    def measured(n: int) -> Measure:
        return measures([{"m": Tally(k % 4 > 0, 1)} for k in range(n)], seed=0)["m"]

    few, many = measured(20), measured(500)
    assert few.value == many.value == 0.75
    assert few.low < few.value < few.high
    # The normal approximation of a share: 1.96 sqrt(p (1 - p) / n).
    assert many.high - many.low == pytest.approx(2 * 1.96 * np.sqrt(0.75 * 0.25 / 500), rel=0.1)
    assert measured(20) == few
    assert measures([{"m": Tally(0, 0)}], seed=0) == {}


def judged(task: str, truth: Path, found: Any, tmp_path: Path, shared: Path) -> dict[str, float]:
    """What the judge's script says of an output."""
    out = tmp_path / "out.json"
    out.write_text(json.dumps(found))
    # Its own rounding to four places would hide a difference.
    program = (
        "import json, sys; sys.path.insert(0, sys.argv[1]); import score; "
        "print(json.dumps(getattr(score, sys.argv[2])(*(json.load(open(path)) for path in sys.argv[3:]))))"
    )
    command = [sys.executable, "-c", program, str(shared / "judge"), task, str(truth), str(out)]
    said = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(said.stdout)


def disturbed(rows: list[dict[str, Any]], rng: np.random.Generator) -> list[dict[str, Any]]:
    """True panels moved, lost, cut in two, and with other letters, as a bad separator would find them."""
    found = []
    for row in rows:
        panels = []
        for panel in row["subfigures"]:
            box = [edge + rng.normal(0, 25) for edge in panel["box"]]
            label = panel["label"] if rng.random() < 0.8 else "a"
            fate = rng.random()
            middle = (box[0] + box[2]) / 2
            boxes = [] if fate < 0.1 else [box] if fate < 0.8 else [[*box[:2], middle, box[3]], [middle, *box[1:]]]
            panels += [{"box": [round(edge) for edge in one], "score": 1.0, "label": label} for one in boxes]
        found.append({"image": row["image"].rpartition("/")[2], "subfigures": panels})
    return found


@pytest.mark.shared
def test_separation_and_letters_agree_with_the_judge(shared: Path, tmp_path: Path) -> None:
    file = shared / "compound_figures" / "annotations.json"
    found = disturbed(json.loads(file.read_text()), np.random.default_rng(0))
    theirs = judged("separation", file, found, tmp_path, shared)
    truths = true_figures(FIGURES.validate_json(file.read_bytes()))
    ours = measures(
        [
            separation(truth, [Subfigure(**panel) for panel in row["subfigures"]])
            for truth, row in zip(truths, found, strict=True)
        ],
        seed=0,
    )
    assert 0.1 < ours["imageclef_compound"].value < 0.9
    assert all(measure.value == pytest.approx(theirs[name], abs=1e-6) for name, measure in ours.items())
    assert {name for name in theirs if name.partition("_")[0] in ("imageclef", "f1", "letters", "single")} == set(ours)


@pytest.mark.shared
@pytest.mark.parametrize("name", ["openi_gold", "nlm", "prostate"])
def test_captions_agree_with_the_judge(name: str, shared: Path, tmp_path: Path) -> None:
    file = shared / "captions" / f"{name}.json"
    stated = CAPTIONS.validate_json(file.read_bytes())
    truths = [true_caption(row) for row in (stated.records if isinstance(stated, MarkedCaptions) else stated)]
    splits = [split_caption(truth.caption, min_confidence=0.5) for truth in truths]
    found = [{"id": truth.id, **asdict(split)} for truth, split in zip(truths, splits)]
    theirs = judged("captions", file, found, tmp_path, shared)
    ours = measures([splitting(truth, split) for truth, split in zip(truths, splits)], seed=0)
    assert {"label_set_exact", "label_f1", "token_f1", "compound_found"} <= set(ours)
    assert all(measure.value == pytest.approx(theirs[name], abs=1e-6) for name, measure in ours.items())


@pytest.mark.shared
def test_pairs_agree_with_the_judge(shared: Path, tmp_path: Path) -> None:
    rows = [
        {"image": f"{k}.jpg", "caption": row["caption"], "label_position": "composed", "subfigures": row["panels"]}
        for k, row in enumerate(json.loads((shared / "captions" / "nlm.json").read_text()))
        if all(panel["box"] for panel in row["panels"])
    ]
    truth = tmp_path / "truth.json"
    truth.write_text(json.dumps(rows))
    rng = np.random.default_rng(0)
    found = []
    for row in rows:
        split = split_caption(row["caption"], min_confidence=0.5)
        texts = {label: part.text for part in split.subcaptions for label in part.labels}
        panels = [{**panel, "text": texts.get(panel["label"], row["caption"])} for panel in row["subfigures"]]
        kept = [panel for panel in panels if rng.random() < 0.9]
        found.append({"image": row["image"], "pairs": [{"box": one["box"], "text": one["text"]} for one in kept]})
    theirs = judged("pairs", truth, found, tmp_path, shared)
    ours = measures(
        [
            pairing(figure, [FoundPair(pair["box"], pair["text"]) for pair in row["pairs"]])
            for figure, row in zip(true_figures(FIGURES.validate_json(truth.read_bytes())), found)
        ],
        seed=0,
    )
    assert ours["pairs"].value == pytest.approx(theirs["pair_accuracy"], abs=1e-6)
    assert ours["pairs"].of == theirs["n_panels"]
