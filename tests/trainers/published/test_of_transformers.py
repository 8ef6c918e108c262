"""CLIP and SigLIP in a run give the vectors of transformers."""

from pathlib import Path

import pytest
import torch
from torch.nn.functional import normalize
from transformers import AutoModel, AutoTokenizer
from transformers.utils import logging as bars

from tests.trainers.published.conftest import TEXTS, Write, brought, pixels
from trainers.asking import Asked
from trainers.checkpoint import training_articles
from trainers.towers import UNKNOWN


@pytest.mark.parametrize("kind", ["clip", "siglip"])
def test_the_vectors_are_those_of_transformers(written: Write, tmp_path: Path, kind: str) -> None:
    folder = written(kind)
    asked = Asked(brought(f"hf:{folder}", tmp_path / "out"))
    model, words = AutoModel.from_pretrained(folder).eval(), AutoTokenizer.from_pretrained(folder)
    mean, deviation = (torch.tensor(each).view(3, 1, 1) for each in ([0.4, 0.5, 0.6], [0.2, 0.3, 0.25]))
    images = pixels(32)
    filled = {"padding": "max_length"} if kind == "siglip" else {"padding": True}
    read = words(TEXTS, return_tensors="pt", truncation=True, max_length=24, **filled)
    if kind == "siglip":  # learnt on filled texts without a mask
        del read["attention_mask"]
    read.pop("token_type_ids", None)
    with torch.no_grad():
        of_images = model.get_image_features(pixel_values=((images + 1) / 2 - mean) / deviation).pooler_output
        of_texts = model.get_text_features(**read).pooler_output
        found = asked.model.embed_images(images)[0]
    assert torch.allclose(found, normalize(of_images, dim=-1), atol=1e-5)
    assert torch.allclose(asked.texts(TEXTS), normalize(of_texts, dim=-1), atol=1e-5)
    assert training_articles(str(tmp_path / "out")) == set()
    assert asked.model.note == UNKNOWN


def test_reading_draws_no_bar_and_leaves_those_of_downloads(
    written: Write, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = written("clip")
    bars.enable_progress_bar()
    capfd.readouterr()
    Asked(brought(f"hf:{folder}", tmp_path / "out"))
    assert "Loading weights" not in capfd.readouterr().err
    assert bars.is_progress_bar_enabled()
