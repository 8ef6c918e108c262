"""Drawn pairs that a small model can learn in seconds, and such a model."""

import io
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw
from transformers import PreTrainedTokenizerFast

from core.settings import MlipSettings, ModelSettings, ObjectiveSettings
from trainers.batch import Batch, Collate, prepare, train_tokenizer
from trainers.blip import Blip
from trainers.checkpoint import masking
from trainers.mlip import Mlip
from trainers.objectives.blip import BlipObjective
from trainers.objectives.mlip import MlipObjective

COLOURS = {"red": (220, 30, 30), "green": (30, 200, 30), "blue": (40, 60, 230), "white": (240, 240, 240)}
SMALL = ModelSettings(
    image_size=32, patch=8, image_width=32, image_depth=2, image_heads=2,
    text_width=32, text_depth=2, text_heads=2, max_tokens=24, embedding=32, vocabulary=200, dropout=0.0, pool="mean",
)  # fmt: skip

SMALL_MLIP = MlipSettings(decoder_width=16, decoder_depth=1, decoder_heads=2)


def draw_pair(number: int, rng: np.random.Generator) -> dict[str, Any]:
    colour, side, level = rng.choice([*COLOURS]), rng.choice(["left", "right"]), rng.choice(["upper", "lower"])
    shape = rng.choice(["disc", "square"])
    image = Image.new("RGB", (40, 32))
    x, y = 10 if side == "left" else 30, 8 if level == "upper" else 24
    draw = ImageDraw.Draw(image)
    (draw.ellipse if shape == "disc" else draw.rectangle)((x - 6, y - 6, x + 6, y + 6), fill=COLOURS[colour])
    data = io.BytesIO()
    image.save(data, "PNG")
    figure = f"A{number // 2}.1/f{number}"
    return {
        "pair_id": f"{figure}#0",
        "figure_id": figure,
        "article_id": f"A{number // 2}.1",
        "image": data.getvalue(),
        "text": f"A {colour} {shape} in the {level} {side} part.",
    }


def in_sentences(row: dict[str, Any], number: int) -> dict[str, Any]:
    """The row with its text as one to three sentences, the last of two words, and where each stands."""
    sentences = [row["text"], "Nothing else.", "As before."][: 1 + number % 3]
    starts = [sum(len(each) + 1 for each in sentences[:place]) for place in range(len(sentences))]
    places = [{"start": start, "end": start + len(each)} for start, each in zip(starts, sentences, strict=True)]
    return row | {"text": " ".join(sentences), "sentences": places}


@pytest.fixture
def shape_rows() -> Callable[[int], list[dict[str, Any]]]:
    """n rows of the pairs table: coloured shapes with captions that tell colour, shape and place; some are alike."""
    return lambda n: [draw_pair(number, np.random.default_rng([7, number])) for number in range(n)]


@pytest.fixture
def tokenizer(shape_rows: Callable[[int], list[dict[str, Any]]]) -> PreTrainedTokenizerFast:
    return train_tokenizer([row["text"] for row in shape_rows(64)], size=SMALL.vocabulary)


@pytest.fixture
def shape_batch(
    shape_rows: Callable[[int], list[dict[str, Any]]], tokenizer: PreTrainedTokenizerFast
) -> Callable[[int], Batch]:
    collate = Collate(tokenizer, SMALL.image_size, SMALL.max_tokens)
    return lambda n: collate([prepare(row, SMALL.image_size) for row in shape_rows(n)])


@pytest.fixture
def small_blip(tokenizer: PreTrainedTokenizerFast) -> Blip:
    torch.manual_seed(0)
    return Blip(SMALL, ObjectiveSettings())


@pytest.fixture
def objective_for(tokenizer: PreTrainedTokenizerFast) -> Callable[..., BlipObjective]:
    """The objective of a model with settings as named; queue, epoch and seed as in BlipObjective."""

    def made(model: Blip, *, queue: int = 0, epoch: int = 0, seed: int = 0, **settings: Any) -> BlipObjective:
        chosen = ObjectiveSettings(**settings)
        return BlipObjective(model, chosen, masking=masking(chosen, tokenizer), queue=queue, epoch=epoch, seed=seed)

    return made


@pytest.fixture
def report_batch(
    shape_rows: Callable[[int], list[dict[str, Any]]], tokenizer: PreTrainedTokenizerFast
) -> Callable[[int], Batch]:
    """As shape_batch, with texts of one to three sentences."""
    collate = Collate(tokenizer, SMALL.image_size, SMALL.max_tokens)

    def made(n: int) -> Batch:
        rows = [in_sentences(row, number) for number, row in enumerate(shape_rows(n))]
        return collate([prepare(row, SMALL.image_size) for row in rows])

    return made


@pytest.fixture
def mlip_for(tokenizer: PreTrainedTokenizerFast) -> Callable[..., MlipObjective]:
    """The objective with a small model of its own, always the same; seed as in MlipObjective."""

    def made(*, seed: int = 0, model: dict[str, Any] | None = None, **settings: Any) -> MlipObjective:
        torch.manual_seed(0)
        chosen = MlipSettings(**(SMALL_MLIP.model_dump() | settings))
        shape = SMALL.model_copy(update={"embedding": 0, **(model or {})})
        return MlipObjective(Mlip(shape, chosen), chosen, seed=seed)

    return made
