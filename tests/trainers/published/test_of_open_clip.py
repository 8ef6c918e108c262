"""Models of open_clip in a run give the vectors of open_clip, by their own words."""

import json
from pathlib import Path

import open_clip
import pytest
import torch
from safetensors.torch import save_file

from tests.trainers.formats.conftest import Save, save  # noqa: F401 - a fixture
from tests.trainers.published.conftest import TEXTS, brought, pixels
from trainers.asking import Asked
from trainers.formats.open_clip_model import to_open_clip
from trainers.published.of_open_clip import without_padding


@pytest.mark.parametrize("kind", ["blip", "mlip"])
def test_a_model_of_open_clip_comes_back(save: Save, tmp_path: Path, kind: str) -> None:  # noqa: F811
    own = save(kind, pool="mean")
    to_open_clip(own, str(tmp_path / "theirs"))
    (tmp_path / "moved").mkdir()
    moved = (tmp_path / "theirs").rename(tmp_path / "moved" / "theirs")  # its config names where it was
    folder = brought(f"open_clip:{moved}", tmp_path / "out")
    first, second = Asked(own), Asked(folder)
    images = pixels(first.model.settings.image_size)
    with torch.inference_mode():
        mine, theirs = first.model.embed_images(images)[0], second.model.embed_images(images)[0]
        assert torch.allclose(mine @ first.texts(TEXTS).T, theirs @ second.texts(TEXTS).T, atol=1e-4)


def test_a_clip_of_open_clip_with_its_own_words(tmp_path: Path) -> None:
    cfg = {
        "embed_dim": 8,
        "vision_cfg": {"image_size": 32, "layers": 1, "width": 16, "patch_size": 8, "head_width": 8},
        "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 16, "heads": 2, "layers": 1},
    }
    torch.manual_seed(0)
    model = open_clip.CLIP(**cfg).eval()
    folder = tmp_path / "clip"
    folder.mkdir()
    save_file({n: each.contiguous() for n, each in model.state_dict().items()}, folder / "open_clip_model.safetensors")
    normal = {"mean": [0.4, 0.5, 0.6], "std": [0.2, 0.3, 0.25]}
    (folder / "open_clip_config.json").write_text(json.dumps({"model_cfg": cfg, "preprocess_cfg": normal}))
    asked = Asked(brought(f"open_clip:{folder}", tmp_path / "out"))
    mean, deviation = (torch.tensor(each).view(3, 1, 1) for each in normal.values())
    images = pixels(32)
    with torch.no_grad():
        of_texts = model.encode_text(open_clip.SimpleTokenizer()(TEXTS), normalize=True)
        of_images = model.encode_image(((images + 1) / 2 - mean) / deviation, normalize=True)
        assert torch.allclose(asked.model.embed_images(images)[0], of_images, atol=1e-5)
    assert torch.allclose(asked.texts(TEXTS), of_texts, atol=1e-5)


def test_what_fills_a_text_up_is_taken_away() -> None:
    assert without_padding([5, 0, 6, 0, 0], 0) == [5, 0, 6]
    assert without_padding([0, 0], 0) == [0]
