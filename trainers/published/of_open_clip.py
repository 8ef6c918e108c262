"""Models as open_clip keeps them, BiomedCLIP among them; its package is figray's extra `baselines`."""

import json
import tempfile
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from transformers import AutoConfig, AutoTokenizer

from core.config import UserError
from trainers.published.model import Published, Texts, settings_for

CONFIG = "open_clip_config.json"
TEXT = "text"  # the folder beside it with the shape of a text encoder that transformers has


def bring_text_encoder(folder: Path) -> None:
    """Put beside the weights what their config names elsewhere: the shape of the text encoder, and its tokenizer.

    What the folder has is taken; the rest comes from the Hugging Face hub, once. Raises UserError without a network.
    """
    text = json.loads((folder / CONFIG).read_text()).get("model_cfg", {}).get("text_cfg", {})
    name, words = text.get("hf_model_name"), text.get("hf_tokenizer_name")
    try:
        if name:
            own = folder / "config.json"
            from_here = own.exists() and "model_type" in json.loads(own.read_text())
            AutoConfig.from_pretrained(folder if from_here else name).save_pretrained(folder / TEXT)
        if words and not any((folder / each).exists() for each in ("tokenizer.json", "vocab.txt")):
            AutoTokenizer.from_pretrained(words).save_pretrained(folder)
    except (OSError, ValueError) as error:
        raise UserError(
            f"{CONFIG} names {name or words}, whose shape or words could not be read: put its config.json, as one that "
            "says model_type, and its tokenizer beside the weights"
        ) from error


def read(folder: Path) -> tuple[Published, Texts]:
    """The model of a folder with open_clip_config.json, weights and tokenizer, and what reads its texts."""
    open_clip = package()
    told = json.loads((folder / CONFIG).read_text())
    with tempfile.TemporaryDirectory() as near:
        here = Path(near)
        for file in folder.iterdir():
            (here / file.name).symlink_to(file.resolve())
        text = told["model_cfg"].get("text_cfg", {})
        if text.get("hf_model_name"):  # a name on the hub; here its shape stands in a folder
            text["hf_model_name"] = str(folder / TEXT)
            (here / CONFIG).unlink()
            (here / CONFIG).write_text(json.dumps(told))
        try:
            inner, images_as = open_clip.create_model_from_pretrained(f"local-dir:{here}")
            tokenizer = open_clip.get_tokenizer(f"local-dir:{here}")
        except (RuntimeError, ValueError, KeyError, OSError) as error:
            raise UserError(f"{folder} cannot be read by open_clip: {str(error).partition(chr(10))[0]}") from error
    tokens = tokenizer.context_length
    pad = int(getattr(getattr(tokenizer, "tokenizer", None), "pad_token_id", 0) or 0)

    def pieces(given: list[str], most: int) -> list[list[int]]:
        return [without_padding(row, pad)[: min(most, tokens)] for row in tokenizer(given).tolist()]

    size = inner.visual.image_size
    size = size[0] if isinstance(size, tuple | list) else size
    normal = normal_of(images_as)
    with torch.inference_mode():
        width = inner.encode_image(torch.zeros(1, 3, size, size)).shape[1]
    model = Published(
        settings_for(size=size, tokens=tokens, width=width),
        inner,
        images=inner.encode_image,
        texts=lambda numbers, mask: _texts(inner, numbers),
        mean=list(normal.mean),
        deviation=list(normal.std),
        pad=pad,
    )
    return model.eval(), Texts(pieces, pad=pad)


def package() -> Any:
    """open_clip; UserError where it is not installed."""
    try:
        import open_clip
    except ImportError as error:
        raise UserError("open_clip is not installed: pip install 'figray[baselines]'") from error
    return open_clip


def _texts(inner: Any, numbers: Tensor) -> Tensor:
    """(N, E) of tokens that are filled up to their full length."""
    found: Tensor = inner.encode_text(numbers)
    return found


def without_padding(row: list[int], pad: int) -> list[int]:
    """The pieces of a text without what fills it up; at least one stays."""
    end = len(row)
    while end > 1 and row[end - 1] == pad:
        end -= 1
    return row[:end]


def normal_of(transform: Any) -> Any:
    """The step of open_clip's transform that takes a mean away."""
    return next(each for each in transform.transforms if hasattr(each, "mean") and hasattr(each, "std"))
