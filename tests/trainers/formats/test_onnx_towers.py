"""ONNX Runtime gives the vectors of the model, for any number of images and texts of any length."""

from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from tokenizers import Tokenizer

from core.config import UserError
from tests.trainers.formats.conftest import Save
from trainers.checkpoint import load_model
from trainers.formats.onnx_towers import to_onnx


@pytest.mark.parametrize("kind", ["blip", "mlip"])
def test_both_towers_give_the_vectors_of_the_model(save: Save, tmp_path: Path, kind: str) -> None:
    folder, out = save(kind), tmp_path / "out"
    to_onnx(folder, str(out))
    model, tokenizer = load_model(folder)
    image, text = (onnxruntime.InferenceSession(out / f"{name}.onnx") for name in ("image", "text"))
    pixels = torch.rand(3, 3, 32, 32) * 2 - 1
    tokens = tokenizer(["A red disc.", "A blue square in the upper left part."], padding=True, return_tensors="pt")
    ids, mask = tokens["input_ids"], tokens["attention_mask"]
    with torch.no_grad():
        images, texts = model.embed_images(pixels)[0], model.embed_texts(ids, mask.bool())
    assert np.allclose(image.run(None, {"pixels": pixels.numpy()})[0], images, atol=1e-5)
    assert np.allclose(text.run(None, {"tokens": ids.numpy(), "mask": mask.numpy()})[0], texts, atol=1e-5)
    alone = Tokenizer.from_file(str(out / "tokenizer" / "tokenizer.json")).encode("A red disc.").ids
    found = text.run(None, {"tokens": np.array([alone]), "mask": np.ones((1, len(alone)), np.int64)})[0]
    assert np.allclose(found[0], texts[0], atol=1e-5)
    assert "2 articles" in (out / "README.md").read_text() and (out / "seen.parquet").exists()


def test_a_folder_that_is_taken_is_refused(save: Save, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine").touch()
    with pytest.raises(UserError, match="not an empty folder"):
        to_onnx(save("mlip"), str(tmp_path / "out"))
