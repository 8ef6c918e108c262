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
