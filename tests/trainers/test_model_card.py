"""The model card tells what the model has seen, and its lines run."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from transformers import PreTrainedTokenizerFast

from core.settings import ModelSettings, ObjectiveSettings
from trainers.batch import Collate, prepare
from trainers.blip import Blip
from trainers.checkpoint import save_model
from trainers.interchange import to_transformers
from trainers.model_card import model_card

SMALL = ModelSettings(
    init="/somewhere/else", image_size=32, patch=8, image_width=24, image_depth=1, image_heads=2,
    text_width=16, text_depth=1, text_heads=2, max_tokens=8, embedding=8, vocabulary=220,
)  # fmt: skip


def saved(folder: Path, tokenizer: PreTrainedTokenizerFast, objective: ObjectiveSettings) -> Blip:
    torch.manual_seed(0)
    model = Blip(SMALL, objective).eval()
    seen: dict[str, Any] = {"articles": ["PMC1.1", "PMC2.1"], "images": ["0a", "0b", "0c", "PMC1.1/f1#0"]}
    save_model(folder, model, settings=(SMALL, objective), tokenizer=tokenizer, **seen)
    return model


def test_it_tells_what_was_seen_and_what_was_not_trained(tokenizer: PreTrainedTokenizerFast, tmp_path: Path) -> None:
    saved(tmp_path / "m", tokenizer, ObjectiveSettings(itm=0, text_objective="lm"))
    card = model_card(tmp_path / "m", temperature=0.0712)
    for told in (
        "2 articles (3 images as published)",
        "lm 1.0. The match head was not trained.",
        "| 0.0712 |",
        "32 x 32",
    ):
        assert told in card
    assert "began as those of another model." in card and "/somewhere" not in card  # no path of this machine


def test_its_lines_give_the_scores_that_figray_gives(
    tokenizer: PreTrainedTokenizerFast, shape_rows: Callable[[int], list[dict[str, Any]]], tmp_path: Path
) -> None:
    model = saved(tmp_path / "m", tokenizer, ObjectiveSettings())
    to_transformers(tmp_path / "m", tmp_path / "theirs")
    lines = (tmp_path / "theirs" / "README.md").read_text().partition("```python")[2].partition("```")[0]
    row = shape_rows(1)[0] | {"text": "axial MRI of the brain"}
    told: dict[str, Any] = {"FOLDER": str(tmp_path / "theirs"), "image": Image.open(io.BytesIO(row["image"]))}
    batch = Collate(tokenizer, SMALL.image_size, SMALL.max_tokens)([prepare(row, SMALL.image_size)])
    with torch.no_grad():
        exec(lines, told)
        image, states = model.embed_images(batch.images)
        similarity = image @ model.embed_texts(batch.tokens, batch.mask).T
        yes = model.match_scores(states, batch.tokens, batch.mask)
    torch.testing.assert_close(told["similarity"], similarity, atol=1e-5, rtol=0)
    torch.testing.assert_close(told["yes"], yes[0], atol=1e-5, rtol=0)
