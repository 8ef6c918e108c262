"""Grad-CAM by hand, terms among word pieces, and a model that looks at the square that it tells."""

import io
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw
from torch import Tensor
from torch.nn.functional import cross_entropy
from transformers import PreTrainedTokenizerFast

from core.records import Box
from core.settings import ModelSettings, ObjectiveSettings
from trainers.batch import Batch, Collate, prepare, train_tokenizer
from trainers.blip import Blip
from trainers.evaluation.heatmaps import (
    TermError,
    attended,
    examples_with,
    grad_cam,
    locate,
    occurrences,
    points_at,
    row_maps,
    share_inside,
    term_maps,
)

INKS = {"red": (220, 30, 30), "green": (30, 200, 30), "blue": (40, 60, 230), "yellow": (230, 220, 40)}
SHALLOW = ModelSettings(
    image_size=32, patch=8, image_width=32, image_depth=1, image_heads=2,
    text_width=32, text_depth=1, text_heads=2, max_tokens=24, embedding=32, vocabulary=200, dropout=0.0, pool="mean",
)  # fmt: skip


def two_squares(number: int) -> tuple[dict[str, Any], dict[str, Box]]:
    """A row of the pairs table and, by colour, the quarter of its 32 x 32 px that each of two squares stands in."""
    rng = np.random.default_rng([9, number])
    colours, quarters = rng.choice([*INKS], 2, replace=False).tolist(), rng.choice(4, 2, replace=False).tolist()
    image, boxes = Image.new("RGB", (32, 32)), {}
    for colour, quarter in zip(colours, quarters, strict=True):
        x, y = 16 * (quarter % 2), 16 * (quarter // 2)
        ImageDraw.Draw(image).rectangle((x + 2, y + 2, x + 13, y + 13), fill=INKS[colour])
        boxes[colour] = (x, y, x + 16, y + 16)
    file = io.BytesIO()
    image.save(file, "PNG")
    text = f"A {colours[0]} and a {colours[1]} square."
    ids = {"pair_id": f"A{number}/f#0", "figure_id": f"A{number}/f", "article_id": f"A{number}"}
    return {**ids, "image": file.getvalue(), "text": text}, boxes


def model_that_tells(batch: Batch, truth: Tensor) -> Blip:
    """A model with random encoders, and a match head fitted to whether the text is true of the image."""
    torch.manual_seed(0)
    model = Blip(SHALLOW, ObjectiveSettings()).eval()
    for weight in model.parameters():
        if weight.ndim == 2:
            torch.nn.init.xavier_uniform_(weight)
    with torch.no_grad():
        states = model.embed_images(batch.images)[1]
        fused = model.pool_text(model.text_encoder.fuse(batch.tokens, batch.mask, states), batch.mask)  # (N, W)
    mean, spread = fused.mean(dim=0), fused.std(dim=0)
    optimizer = torch.optim.Adam(model.match_head.parameters(), lr=0.1)
    for _ in range(200):
        optimizer.zero_grad()
        cross_entropy(model.match_head((fused - mean) / spread), truth).backward()
        optimizer.step()
    with torch.no_grad():
        model.match_head.weight.div_(spread)
        model.match_head.bias.sub_(model.match_head.weight @ mean)
    model.zero_grad()
    return model


@pytest.fixture
def short_pieces() -> PreTrainedTokenizerFast:
    """A tokenizer that has seen few words, and cuts others in pieces."""
    return train_tokenizer(["a small aneurysm of the basilar tip, ruptured"], size=60)


def test_a_term_is_found_whole_however_it_is_cut_spaced_and_capitalised(short_pieces: PreTrainedTokenizerFast) -> None:
    text = "Ruptured ANEURYSM (arrow); the basilar\n tip, aneurysmal; aneurysm."
    located = locate(short_pieces, text, "aneurysm", max_tokens=64)
    assert [text[a:b] for a, b in located.found] == ["ANEURYSM", "aneurysm"]
    assert len(located.pieces) > 2
    assert "".join(located.pieces).replace("##", "") == "aneurysm" * 2
    assert short_pieces.convert_ids_to_tokens([located.tokens[p] for p in located.places]) == list(located.pieces)
    two_words = locate(short_pieces, text, "Basilar Tip", max_tokens=64)
    assert "".join(two_words.pieces).replace("##", "") == "basilartip"


def test_part_of_a_word_is_no_occurrence() -> None:
    assert occurrences("reddish, infrared; red-hot T2", "red") == [(19, 22)]
    assert occurrences("T2-weighted (T2) T2*", "T2*") == [(17, 20)]
    assert occurrences("anything", " ") == []


@pytest.mark.parametrize(
    ("text", "term", "why"),
    [
        ("a small tip", "aneurysm", "is not in the text"),
        ("tip " * 40 + "aneurysm", "aneurysm", "stands after the first 16 pieces"),
        ("a small 脳", "脳", "has no pieces"),
    ],
)
def test_a_term_that_cannot_be_read_is_said_to_be(
    short_pieces: PreTrainedTokenizerFast, text: str, term: str, why: str
) -> None:
    with pytest.raises(TermError, match=why):
        locate(short_pieces, text, term, max_tokens=16)


def test_an_occurrence_cut_in_the_middle_does_not_count(short_pieces: PreTrainedTokenizerFast) -> None:
    whole = locate(short_pieces, "aneurysm aneurysm", "aneurysm", max_tokens=64)
    cut = locate(short_pieces, "aneurysm aneurysm", "aneurysm", max_tokens=len(whole.tokens) - 1)
    assert (len(whole.found), cut.found) == (2, ((0, 8),))


def test_seeing_the_attention_leaves_the_model_as_it_was(small_blip: Blip, shape_batch: Callable[[int], Batch]) -> None:
    batch = shape_batch(1)
    tokens = batch.tokens[batch.mask][None]
    states = small_blip.eval().embed_images(batch.images)[1]
    logits, attention = attended(small_blip, states, tokens, layer=1)
    usual = small_blip.match_logits(states, tokens, torch.ones_like(tokens, dtype=torch.bool))
    torch.testing.assert_close(logits, usual, rtol=0, atol=1e-5)
    assert attention.shape == (1, 2, tokens.shape[1], 17)
    torch.testing.assert_close(attention.sum(dim=-1), torch.ones(attention.shape[:-1]))
    assert small_blip.text_encoder.bert.config._attn_implementation == "sdpa"
    with pytest.raises(IndexError):
        attended(small_blip, states, tokens + 10**6, layer=0)
    assert small_blip.text_encoder.bert.config._attn_implementation == "sdpa"
    assert not small_blip.text_encoder.cross_attentions()[0]._forward_hooks


def test_the_map_is_attention_times_positive_gradient_over_heads_and_pieces() -> None:
    attention = torch.tensor([[[0.2, 0.8, 0.0], [0.4, 0.4, 0.2]], [[0.6, 0.2, 0.2], [0.0, 0.5, 0.5]]])
    gradient = torch.tensor([[[9.0, 1.0, 1.0], [9.0, -1.0, 2.0]], [[9.0, 1.0, -5.0], [9.0, 0.0, 4.0]]])
    # First piece: patches 0.5 and 0; second: 0 and 1.2; the first state stands for the whole image.
    assert grad_cam(attention, gradient, [0, 1]).tolist() == pytest.approx([0.25 / 0.6, 1.0])
    assert grad_cam(attention, gradient, [0]).tolist() == pytest.approx([1.0, 0.0])
    assert grad_cam(attention, 0 * gradient, [0, 1]).tolist() == [0.0, 0.0]


def test_a_map_is_made_for_each_text_and_leaves_no_gradient(
    small_blip: Blip, tokenizer: PreTrainedTokenizerFast, shape_rows: Callable[[int], list[dict[str, Any]]]
) -> None:
    rows = shape_rows(3)
    maps = row_maps(small_blip.train(), tokenizer, rows, "part")
    alone = row_maps(small_blip, tokenizer, rows[1:2], "part")[0]
    assert [each.map.shape for each in maps] == [(4, 4)] * 3
    torch.testing.assert_close(maps[1].map, alone.map)
    assert all(each.map.min() >= 0 and each.map.max() <= 1 for each in maps)
    assert all(weight.grad is None for weight in small_blip.parameters())


def test_the_layer_at_two_thirds_is_looked_at_unless_another_is_named(
    tokenizer: PreTrainedTokenizerFast, shape_batch: Callable[[int], Batch]
) -> None:
    images, texts = shape_batch(2).images, ["A red disc.", "A red square."]
    for text_depth, expected in ((1, 0), (2, 1), (3, 2), (4, 3), (6, 4)):
        model = Blip(SHALLOW.model_copy(update={"text_depth": text_depth}), ObjectiveSettings())
        usual = term_maps(model, tokenizer, images, texts, "red")
        named = term_maps(model, tokenizer, images, texts, "red", layer=expected)
        assert all(torch.equal(a.map, b.map) for a, b in zip(usual, named, strict=True))


def test_a_model_that_was_not_trained_to_match_is_refused(tokenizer: PreTrainedTokenizerFast, small_blip: Blip) -> None:
    unmatched = Blip(small_blip.settings, ObjectiveSettings(itm=0))
    with pytest.raises(TermError, match="without matching"):
        term_maps(unmatched, tokenizer, torch.zeros(1, 3, 32, 32), ["A red disc."], "red")


def test_a_model_that_tells_red_looks_at_the_red_square() -> None:
    rows = [dict(two_squares(number)[0], text="A red square.") for number in range(200)]
    truth = torch.tensor([int("red" in two_squares(number)[1]) for number in range(200)])
    tokenizer = train_tokenizer(["A red square."], size=200)
    model = model_that_tells(Collate(tokenizer, 32, 24)([prepare(row, 32) for row in rows]), truth)
    hits: list[bool] = []
    own: list[float] = []
    other: list[float] = []
    for row, boxes in (two_squares(number) for number in range(1000, 1060)):
        if "red" not in boxes:
            continue
        heat = row_maps(model, tokenizer, [{**row, "text": "A red square."}], "red")[0].map
        for colour, box in boxes.items():
            (own if colour == "red" else other).append(share_inside(heat, box, (32, 32)))
        hits.append(points_at(heat, boxes["red"], (32, 32)))
    # A map that knows nothing has a quarter of each.
    assert np.mean(hits) > 0.9
    assert np.mean(own) > 0.5 > 2 * np.mean(other)


def test_a_box_is_measured_on_the_map_of_the_letterboxed_image() -> None:
    heat = torch.zeros(4, 4)
    heat[1, 2] = 3.0
    heat[2, 0] = 1.0
    # 80 x 40 px stand in the middle two of four rows; a patch is 20 px.
    assert points_at(heat, (40, 0, 60, 20), (80, 40))
    assert not points_at(heat, (0, 20, 20, 40), (80, 40))
    assert share_inside(heat, (40, 0, 60, 20), (80, 40)) == pytest.approx(0.75)
    assert share_inside(heat, (50, 0, 60, 10), (80, 40)) == pytest.approx(0.75 / 4)
    assert share_inside(torch.ones(5, 5), (10, 20, 37, 31), (100, 100)) == pytest.approx(0.27 * 0.11)


def test_a_map_of_nothing_points_nowhere() -> None:
    assert not points_at(torch.zeros(4, 4), (0, 0, 32, 32), (32, 32))
    assert share_inside(torch.zeros(4, 4), (0, 0, 32, 32), (32, 32)) == 0.0


def test_examples_come_from_as_many_articles_as_possible_and_are_the_same_every_time() -> None:
    rows = [
        {"pair_id": f"{article}#{n}", "article_id": article, "text": "an aneurysm" if n else "a tumour"}
        for article in ("A", "B", "C")
        for n in range(4)
    ]
    chosen = examples_with("Aneurysm", rows, n=5)
    assert [len({row["article_id"] for row in part}) for part in (chosen[:3], chosen)] == [3, 3]
    assert len({row["pair_id"] for row in chosen}) == 5
    assert examples_with("Aneurysm", rows[::-1], n=5) == chosen
    assert [row["text"] for row in examples_with("tumour", rows, n=9)] == ["a tumour"] * 3
    assert examples_with("meningioma", rows, n=5) == []


def test_examples_are_texts_in_which_every_model_reads_the_term(
    small_blip: Blip, tokenizer: PreTrainedTokenizerFast
) -> None:
    texts = {"near": "A red disc.", "far": "disc " * 30 + "red"}
    rows = [{"pair_id": name, "article_id": name, "text": text} for name, text in texts.items()]
    assert [row["pair_id"] for row in examples_with("red", rows, n=2, models=[(small_blip, tokenizer)])] == ["near"]
