"""A model comes back from its folder as it was."""

from collections.abc import Callable
from pathlib import Path

import torch
from transformers import PreTrainedTokenizerFast

from core.settings import ObjectiveSettings
from trainers.batch import Batch
from trainers.blip import Blip
from trainers.checkpoint import load_blip, load_model, save_model, training_articles, training_images


def test_a_loaded_model_embeds_as_the_saved_one(
    small_blip: Blip, tokenizer: PreTrainedTokenizerFast, shape_batch: Callable[[int], Batch], tmp_path: Path
) -> None:
    settings = small_blip.settings, ObjectiveSettings()
    for _ in range(2):  # the second takes the place of the first
        save_model(
            tmp_path / "m",
            small_blip,
            settings=settings,
            tokenizer=tokenizer,
            articles=["PMC2.1", "PMC1.1"] * 2,
            images=["b", "a"],
        )
    model, again = load_model(tmp_path / "m")
    batch = shape_batch(4)
    small_blip.eval()
    assert torch.equal(model.embed_images(batch.images)[0], small_blip.embed_images(batch.images)[0])
    assert torch.equal(model.embed_texts(batch.tokens, batch.mask), small_blip.embed_texts(batch.tokens, batch.mask))
    assert again("A red disc")["input_ids"] == tokenizer("A red disc")["input_ids"]
    assert training_articles(tmp_path / "m") == {"PMC1.1", "PMC2.1"}
    assert training_images(tmp_path / "m") == {"a", "b"}
    assert {path.name for path in tmp_path.iterdir()} == {"m"}


def test_a_model_in_a_bucket_is_the_one_that_was_saved(
    small_blip: Blip, tokenizer: PreTrainedTokenizerFast, bucket: str
) -> None:
    folder, settings = f"{bucket}/run/models/a", (small_blip.settings, ObjectiveSettings())
    for articles in (["PMC1.1", "PMC2.1"], ["PMC3.1"]):
        save_model(folder, small_blip, settings=settings, tokenizer=tokenizer, articles=articles, images=["b"])
    model, again = load_model(folder)
    assert all(torch.equal(value, small_blip.state_dict()[name]) for name, value in model.state_dict().items())
    assert again.get_vocab() == tokenizer.get_vocab()
    assert training_articles(folder) == {"PMC3.1"} and training_images(folder) == {"b"}
    assert load_blip(folder)[0].settings == small_blip.settings
