"""to_onnx(): both towers as ONNX files, which ONNX Runtime runs without torch."""

import torch
from torch import Tensor, nn
from torch.export import Dim
from torch.nn.functional import normalize

from core.config import UserError
from trainers.batch import save_tokenizer
from trainers.formats.handed_on import handed_on
from trainers.towers import Towers

USE = """
import numpy as np, onnxruntime
from PIL import Image, ImageOps
from tokenizers import Tokenizer

image, text = (onnxruntime.InferenceSession(f"FOLDER/{name}.onnx") for name in ("image", "text"))
size = image.get_inputs()[0].shape[2]
pixels = np.asarray(ImageOps.pad(Image.open(FILE).convert("RGB"), (size, size), method=3), np.float32) / 127.5 - 1
tokens = np.array([Tokenizer.from_file("FOLDER/tokenizer/tokenizer.json").encode("axial MRI of the brain").ids])
image_vector = image.run(None, {"pixels": pixels.transpose(2, 0, 1)[None]})[0]
text_vector = text.run(None, {"tokens": tokens, "mask": np.ones_like(tokens)})[0]
cosine = image_vector @ text_vector.T
"""


class ImageTower(nn.Module):
    """(N, 3, H, W) from -1 to 1 -> (N, E) of unit length."""

    def __init__(self, model: Towers) -> None:
        super().__init__()
        self.model = model

    def forward(self, pixels: Tensor) -> Tensor:
        """See the class."""
        return self.model.embed_images(pixels)[0]


class TextTower(nn.Module):
    """Tokens and mask (N, T) int64 -> (N, E) of unit length; all texts as long as the longest, as a graph has to."""

    def __init__(self, model: Towers) -> None:
        super().__init__()
        self.model = model

    def forward(self, tokens: Tensor, mask: Tensor) -> Tensor:
        """See the class."""
        states = self.model.text_encoder.bert(input_ids=tokens, attention_mask=mask).last_hidden_state
        return normalize(self.model.text_vectors(states, mask.bool()), dim=-1)


def to_onnx(folder: str, out: str) -> None:
    """Write image.onnx, text.onnx, tokenizer/ and a card; raises UserError as `handed_on` does, or without `onnx`."""
    refuse_without_exporter()
    with handed_on(folder, out, library="onnx", use=USE) as (model, tokenizer, draft), torch.no_grad():
        size, most = model.settings.image_size, model.settings.max_tokens
        images, texts, length = Dim("images"), Dim("texts"), Dim("length", max=most)
        torch.onnx.export(
            ImageTower(model).eval(), (torch.zeros(2, 3, size, size),), str(draft / "image.onnx"),
            input_names=["pixels"], output_names=["unit_vector"], dynamic_shapes={"pixels": {0: images}},
            dynamo=True, external_data=False, verbose=False,
        )  # fmt: skip
        asked = torch.zeros(2, min(16, most), dtype=torch.long), torch.ones(2, min(16, most), dtype=torch.long)
        torch.onnx.export(
            TextTower(model).eval(), asked, str(draft / "text.onnx"),
            input_names=["tokens", "mask"], output_names=["unit_vector"],
            dynamic_shapes={name: {0: texts, 1: length} for name in ("tokens", "mask")},
            dynamo=True, external_data=False, verbose=False,
        )  # fmt: skip
        tokenizer.model_max_length = most
        save_tokenizer(tokenizer, draft / "tokenizer")


def refuse_without_exporter() -> None:
    """Say before any work that torch cannot write ONNX files here."""
    try:
        import onnxscript  # noqa: F401 - torch's exporter needs it
    except ImportError as error:
        raise UserError("ONNX is written by the package onnxscript: pip install onnx onnxscript") from error
