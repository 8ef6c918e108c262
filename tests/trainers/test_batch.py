"""Rows into batches."""

import io
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from transformers import PreTrainedTokenizerFast

from trainers.batch import (
    Batch,
    Collate,
    augment,
    augment_batch,
    crop_and_mirror,
    load_tokenizer,
    prepare,
    save_tokenizer,
    train_tokenizer,
)

Rows = Callable[[int], list[dict[str, Any]]]
TEXTS = ["Axial T2-weighted MRI of the left temporal lobe", "Coronal CT, naïve patient", "left temporal glioma"] * 3


def test_the_same_texts_give_the_same_word_pieces_in_another_process() -> None:
    code = (
        "from trainers.batch import train_tokenizer;"
        f"print(sorted(train_tokenizer({TEXTS!r}, size=120).get_vocab().items()))"
    )
    here = str(sorted(train_tokenizer(TEXTS, size=120).get_vocab().items()))
    there = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert there.stdout.strip() == here


def test_a_vocabulary_keeps_to_its_size_and_begins_with_the_special_pieces() -> None:
    vocabulary = train_tokenizer(TEXTS, size=64).get_vocab()
    assert len(vocabulary) <= 64
    assert [vocabulary[piece] for piece in ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")] == [0, 1, 2, 3, 4]


def test_frequent_words_are_one_piece_and_case_and_accents_do_not_count() -> None:
    tokenizer = train_tokenizer(TEXTS, size=400)
    assert tokenizer.tokenize("LEFT Temporal naive") == ["left", "temporal", "naive"]
    assert tokenizer.decode(tokenizer("left glioma")["input_ids"]) == "[CLS] left glioma [SEP]"


def test_a_saved_tokenizer_reads_the_same(tmp_path: Path) -> None:
    tokenizer = train_tokenizer(TEXTS, size=120)
    save_tokenizer(tokenizer, tmp_path)
    again = load_tokenizer(tmp_path)
    assert again(TEXTS)["input_ids"] == tokenizer(TEXTS)["input_ids"]
    assert (again.mask_token_id, again.all_special_ids) == (tokenizer.mask_token_id, tokenizer.all_special_ids)


def test_texts_are_padded_to_a_multiple_of_eight_and_cut_at_the_limit(tokenizer: PreTrainedTokenizerFast) -> None:
    row = {"pair_id": "p", "figure_id": "f", "article_id": "a", "image": bytes(16 * 16 * 3)}
    short, long = {**row, "text": "red disc"}, {**row, "text": "red disc " * 40}
    collate = Collate(tokenizer, 16, 20)
    assert collate([short]).tokens.shape == (1, 8)
    both = collate([short, long])
    assert both.tokens.shape == (2, 20)
    assert both.mask.sum(dim=1).tolist() == [4, 20]
    assert both.tokens[1, -1] == tokenizer.sep_token_id


def test_equal_texts_and_equal_figures_share_a_group_and_no_others(tokenizer: PreTrainedTokenizerFast) -> None:
    row = {"pair_id": "p", "article_id": "a", "image": bytes(16 * 16 * 3)}
    texts = ["A Red  disc", "a red disc", "a blue disc"]
    rows = [{**row, "figure_id": f, "text": t} for f, t in zip("xyx", texts, strict=True)]
    batch = Collate(tokenizer, 16, 20)(rows)
    assert batch.text_group[0] == batch.text_group[1] != batch.text_group[2]
    assert batch.figure_group[0] == batch.figure_group[2] != batch.figure_group[1]


def png(side: int, colour: str) -> bytes:
    data = io.BytesIO()
    Image.new("RGB", (side, side), colour).save(data, "PNG")
    return data.getvalue()


def test_a_wide_image_is_letterboxed_without_losing_its_sides() -> None:
    image = np.zeros((20, 60, 3), np.uint8)
    image[:, :30] = (255, 0, 0)
    image[:, 30:] = (0, 0, 255)
    data = io.BytesIO()
    Image.fromarray(image).save(data, "PNG")
    pixels = np.frombuffer(prepare({"pair_id": "p", "image": data.getvalue()}, 30)["image"], np.uint8).reshape(
        30, 30, 3
    )
    assert pixels[15, 0].tolist() == [255, 0, 0] and pixels[15, 29].tolist() == [0, 0, 255]
    assert not pixels[:9].any() and not pixels[21:].any()


def test_the_small_image_is_read_where_it_has_pixels_enough() -> None:
    full, small = png(90, "white"), png(30, "red")
    row = {"pair_id": "p", "image": full, "small": small}
    assert prepare(row, 30) == prepare({"pair_id": "p", "image": small}, 30)
    assert prepare(row, 31) == prepare({"pair_id": "p", "image": full}, 31)
    assert prepare(row | {"small": None}, 30) == prepare({"pair_id": "p", "image": full}, 30)


def test_an_image_that_does_not_open_is_named() -> None:
    with pytest.raises(ValueError, match=r"PMC1\.1/g#2"):
        prepare({"pair_id": "PMC1.1/g#2", "image": b"not an image"}, 16)


def test_augmentation_never_mirrors() -> None:
    images = torch.full((200, 3, 32, 32), -1.0)
    images[:, :, :, :12] = 1.0
    changed = augment(images, torch.Generator().manual_seed(0))
    left, right = changed[..., :10].mean(dim=(1, 2, 3)), changed[..., -10:].mean(dim=(1, 2, 3))
    assert (left > right + 0.5).all()
    assert changed.min() >= -1 and changed.max() <= 1


def test_augmentation_depends_on_seed_and_pairs_alone(shape_batch: Callable[[int], Batch]) -> None:
    batch = shape_batch(4)
    first, again, other = (augment_batch(batch, seed=seed).images for seed in ("0:1", "0:1", "0:2"))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_some_rows_of_a_batch_keep_all_that_belongs_to_them(shape_batch: Callable[[int], Batch]) -> None:
    batch = shape_batch(5)
    some = batch.at(torch.tensor([3, 1]))
    assert (some.pair_ids, some.article_ids) == (("A1.1/f3#0", "A0.1/f1#0"), ("A1.1", "A0.1"))
    for name in ("images", "tokens", "mask", "text_group", "figure_group"):
        assert torch.equal(getattr(some, name), getattr(batch, name)[[3, 1]])


def spans_of(text: str, sentences: list[str]) -> list[tuple[int, int]]:
    spans, begun = [], 0
    for sentence in sentences:
        begun = text.index(sentence, begun)
        spans.append((begun, begun + len(sentence)))
        begun += len(sentence)
    return spans


def report(number: int) -> tuple[str, list[str]]:
    """A text of 1 to 8 sentences of words with full stops, decimals and brackets in them."""
    rng = np.random.default_rng([5, number])
    words = ["heart", "no", "3.5", "cm", "(left)", "opacity", "Dr.", "___", "pneumothorax", "e.g.", "1.", "base;"]
    sentences = [
        " ".join(rng.choice(words, rng.integers(1, 9))) + str(rng.choice([".", "?", ""]))
        for _ in range(rng.integers(1, 9))
    ]
    text = sentences[0]
    for sentence in sentences[1:]:
        text += str(rng.choice([" ", "\n", "  "])) + sentence
    return text, sentences


def test_the_tokens_of_a_sentence_say_that_sentence_and_a_cut_one_is_left_out() -> None:
    reports = [report(number) for number in range(1000)]
    tokenizer = train_tokenizer([text for text, _ in reports], size=120)
    collate, whole, cut = Collate(tokenizer, 32, 40), 0, 0
    tokens, mask, sentence_of = collate.read(
        [text for text, _ in reports], [spans_of(text, sentences) for text, sentences in reports]
    )
    for row, (text, sentences) in enumerate(reports):
        pieces = len(tokenizer(text)["input_ids"])
        numbers = int(sentence_of[row].max()) + 1
        assert numbers == len(sentences) or pieces > 40
        for number in range(numbers):
            said = str(tokenizer.decode(tokens[row][sentence_of[row] == number]))
            assert said.replace(" ", "") == sentences[number].lower().replace(" ", "")
        inside = tokens[row][mask[row]]
        assert inside[0] == tokenizer.cls_token_id and inside[-1] == tokenizer.sep_token_id
        if numbers:  # nothing stands behind the last whole sentence
            assert (sentence_of[row][mask[row]] >= 0).sum() == len(inside) - 2
        whole, cut = whole + (numbers == len(sentences)), cut + (numbers < len(sentences))
    assert whole > 300 and cut > 100


def test_a_text_of_which_no_sentences_are_known_is_cut_anywhere() -> None:
    text = "one two three four five six seven eight nine ten."
    tokenizer = train_tokenizer([text], size=100)
    tokens, mask, sentence_of = Collate(tokenizer, 32, 8).read([text], [[]])
    assert mask.sum() == 8 and (sentence_of == -1).all()
    assert torch.equal(Collate(tokenizer, 32, 8).tokenize([text])[0], tokens)


def test_parts_are_cut_as_published_and_images_of_texts_with_a_side_are_not_mirrored() -> None:
    """A ramp from left to right keeps its direction or turns; a part of .2 to 1 of it is seen."""
    ramp = torch.linspace(-1, 1, 32).expand(200, 3, 32, 32)
    sided = torch.arange(200) < 100
    seen = crop_and_mirror(ramp, torch.Generator().manual_seed(0), sided=sided)[:, 0, 16]
    rises = seen[:, -2] > seen[:, 1]
    assert rises[:100].all() and 30 < int(rises[100:].sum()) < 70
    share = (seen[:, -2] - seen[:, 1]).abs() / 2
    assert share.min() > 0.3 and share.max() <= 1.0 and share.std() > 0.1
    assert crop_and_mirror(ramp, torch.Generator().manual_seed(0), sided=None)[0].diff(dim=-1).min() >= 0


def test_it_is_known_of_a_text_whether_it_names_a_side(tokenizer: PreTrainedTokenizerFast, shape_rows: Rows) -> None:
    rows = [prepare(row, 32) for row in shape_rows(2)]
    rows[1]["text"] = "A disc."
    batch = Collate(tokenizer, 32, 24)(rows)
    assert batch.sided is not None and batch.sided.tolist() == [True, False]
    assert augment_batch(batch, seed="a", how="none") is batch
    papers, blip, again = (augment_batch(batch, seed="a", how=how).images for how in ("papers", "blip", "blip"))
    assert not torch.equal(papers, batch.images) and not torch.equal(blip, papers) and torch.equal(blip, again)


def test_images_stay_bytes_until_they_are_where_they_are_used(
    shape_rows: Callable[[int], list[dict[str, Any]]], tokenizer: PreTrainedTokenizerFast
) -> None:
    collate = Collate(tokenizer, 32, 24)
    rows = [prepare(row, 32) for row in shape_rows(3)]
    packed, batch = collate.packed(rows), collate(rows)
    assert packed.images.dtype == torch.uint8 and packed.at(torch.tensor([1])).images.dtype == torch.uint8
    assert torch.equal(packed.to("cpu").images, batch.images)
    assert torch.equal(batch.images, packed.images.float() / 127.5 - 1)
    assert batch.scaled() is batch
