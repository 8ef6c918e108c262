"""open_clip gives the cosines of the model, from its own folder and by its own tokenizer."""

from pathlib import Path

import numpy as np
import open_clip
import pytest
import torch
from PIL import Image

from core.config import UserError
from tests.trainers.formats.conftest import Save
from trainers.checkpoint import load_model
from trainers.formats.open_clip_model import to_open_clip

TEXTS = ["A red disc.", "A blue square in the upper left part.", "Nothing else."]


@pytest.mark.parametrize("kind", ["blip", "mlip"])
@pytest.mark.parametrize("pool", ["first", "mean"])
def test_images_and_texts_have_the_same_vectors(save: Save, tmp_path: Path, kind: str, pool: str) -> None:
    folder, out = save(kind, pool=pool), tmp_path / "out"
    to_open_clip(folder, str(out))
    model, tokenizer = load_model(folder)
    theirs, preprocess = open_clip.create_model_from_pretrained(f"local-dir:{out}")
    theirs.eval()
    picture = Image.fromarray(np.random.default_rng(0).integers(0, 255, (24, 32, 3), dtype=np.uint8))
    pixels = preprocess(picture)[None]
    tokens = tokenizer(TEXTS, padding=True, return_tensors="pt")
    with torch.no_grad():
        images = model.embed_images(pixels)[0]
        texts = model.embed_texts(tokens["input_ids"], tokens["attention_mask"].bool())
        found = theirs.encode_image(pixels, normalize=True)
        told = theirs.encode_text(open_clip.get_tokenizer(f"local-dir:{out}")(TEXTS), normalize=True)
    # A head as wide as its encoder, of random weights, is the worst case for a bias that is told before it.
    assert torch.allclose(found, images, atol=1e-3) and torch.allclose(told, texts, atol=1e-3)
    assert torch.allclose(found @ told.T, images @ texts.T, atol=1e-4)


@pytest.mark.parametrize(
    ("changes", "words"),
    [({"head_layers": 2}, "heads of two layers"), ({"text_pool": "pooler"}, "text_pool=pooler")],
)
def test_what_open_clip_cannot_compute_is_refused(
    save: Save, tmp_path: Path, changes: dict[str, object], words: str
) -> None:
    with pytest.raises(UserError, match=words):
        to_open_clip(save("mlip", **changes), str(tmp_path / "out"))
    assert not (tmp_path / "out").exists()
