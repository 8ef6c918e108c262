"""Images and texts reach a model of transformers' and one of figray's the same way."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from transformers import (
    AutoProcessor,
    BlipConfig,
    BlipForImageTextRetrieval,
    BlipImageProcessor,
    PreTrainedTokenizerFast,
)

from core.settings import ModelSettings, ObjectiveSettings
from trainers.batch import Collate, prepare
from trainers.interchange import begin_from
from trainers.transformers_blip import read_blip, write_blip

CLIP_MEAN, CLIP_STD = [0.48145466, 0.4578275, 0.40821073], [0.26862954, 0.26130258, 0.27577711]


@pytest.fixture
def published(tokenizer: PreTrainedTokenizerFast, tmp_path: Path) -> Path:
    """A random BLIP that wants its pixels normalised as published ones do."""
    text = {
        "vocab_size": len(tokenizer), "hidden_size": 16, "intermediate_size": 64, "num_hidden_layers": 1,
        "num_attention_heads": 2, "max_position_embeddings": 24, "bos_token_id": 0, "sep_token_id": 3,
    }  # fmt: skip
    image = {
        "hidden_size": 24, "intermediate_size": 96, "num_hidden_layers": 1, "num_attention_heads": 2,
        "image_size": 32, "patch_size": 8, "initializer_range": 0.2,
    }  # fmt: skip
    torch.manual_seed(0)
    model = BlipForImageTextRetrieval(BlipConfig(text_config=text, vision_config=image, image_text_hidden_size=8))
    model.save_pretrained(tmp_path / "published")
    tokenizer.save_pretrained(tmp_path / "published")
    BlipImageProcessor(size={"height": 32, "width": 32}, image_mean=CLIP_MEAN, image_std=CLIP_STD).save_pretrained(
        tmp_path / "published"
    )
    return tmp_path / "published"


def test_an_image_gets_the_same_embedding_through_either_processor(
    published: Path,
    tokenizer: PreTrainedTokenizerFast,
    shape_rows: Callable[[int], list[dict[str, Any]]],
    tmp_path: Path,
) -> None:
    rows = shape_rows(3)
    square = [prepare(row, 32) for row in rows]
    batch = Collate(tokenizer, 32, 24)(square)
    chosen = ModelSettings(image_size=32, max_tokens=24, patch=8, image_heads=2, text_heads=2)
    blip, _ = begin_from(str(published), model=chosen, objective=ObjectiveSettings())
    (tmp_path / "again").mkdir()
    write_blip(read_blip(published), tmp_path / "again")
    images = [Image.frombytes("RGB", (32, 32), row["image"]) for row in square]
    with torch.no_grad():
        ours = blip.eval().embed_images(batch.images)[0] @ blip.embed_texts(batch.tokens, batch.mask).T
        for folder in (published, tmp_path / "again"):
            processor = AutoProcessor.from_pretrained(folder)
            inputs = processor(images=images, text=[row["text"] for row in rows], padding=True, return_tensors="pt")
            theirs = BlipForImageTextRetrieval.from_pretrained(folder).eval()(**inputs, use_itm_head=False).itm_score
            torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=0)
