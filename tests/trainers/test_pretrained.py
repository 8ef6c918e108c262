"""Where a model begins: at random by its seed, with a published text encoder, or as one of ours ended."""

from functools import partial
from pathlib import Path

import pytest
import torch
from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

from core.config import UserError
from core.settings import MlipSettings, ModelSettings, ObjectiveSettings
from trainers.blip import Blip
from trainers.checkpoint import save_model
from trainers.pretrained import begin_encoders, begin_mlip

SHAPE = ModelSettings(
    image_size=32, patch=8, image_width=32, image_depth=1, image_heads=2, text_width=32, text_depth=2, text_heads=2,
    max_tokens=24, embedding=0, vocabulary=200, dropout=0.0, pool="all", text_pool="pooler",
)  # fmt: skip
MLIP = MlipSettings(decoder_width=16, decoder_depth=1, decoder_heads=2)
TEXTS = ("A red disc in the upper left part.", "A blue square in the lower right part.")


@pytest.fixture
def published(tokenizer: PreTrainedTokenizerFast, tmp_path: Path) -> str:
    """A BERT as transformers keeps one, with two types of tokens and more places than are wanted."""
    config = BertConfig(
        vocab_size=len(tokenizer), hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=128,
        max_position_embeddings=64,
    )  # fmt: skip
    BertModel(config).save_pretrained(tmp_path / "bert")
    tokenizer.save_pretrained(str(tmp_path / "bert"))
    return str(tmp_path / "bert")


def test_the_seed_decides_the_first_weights() -> None:
    one, two, other = (begin_mlip(SHAPE, MLIP, texts=TEXTS, seed=seed)[0].state_dict() for seed in (1, 1, 2))
    assert all(torch.equal(one[name], two[name]) for name in one)
    assert not all(torch.equal(one[name], other[name]) for name in one)


def test_blip_begins_from_the_same_encoders_with_a_fusion_of_its_own(
    published: str, capfd: pytest.CaptureFixture[str]
) -> None:
    shape = SHAPE.model_copy(update={"text_init": published, "text_pool": None, "pool": "mean", "embedding": 16})
    capfd.readouterr()
    model, tokenizer = begin_encoders(partial(Blip, objective=ObjectiveSettings()), shape, texts=(), seed=0)
    assert "Loading weights" not in capfd.readouterr().err
    theirs = BertModel.from_pretrained(published).eval()
    ids = tokenizer(TEXTS[0], return_tensors="pt")["input_ids"]
    mask = torch.ones_like(ids, dtype=torch.bool)
    assert torch.allclose(model.eval().text_states(ids, mask), theirs(ids).last_hidden_state, atol=1e-5)
    image = torch.zeros(1, 3, shape.image_size, shape.image_size)
    assert model.match_scores(model.embed_images(image)[1], ids, mask).isfinite().all()


def test_a_published_text_encoder_reads_as_it_did(published: str) -> None:
    model, tokenizer = begin_mlip(SHAPE.model_copy(update={"text_init": published}), MLIP, texts=(), seed=0)
    ids = tokenizer(TEXTS[0], return_tensors="pt")
    theirs = BertModel.from_pretrained(published).eval()(ids["input_ids"]).pooler_output
    tokens = ids["input_ids"]
    states = model.eval().text_encoder(tokens, torch.ones_like(tokens, dtype=torch.bool))
    assert torch.allclose(model.pool_text(states, tokens > 0), theirs, atol=1e-5)


def test_weights_of_another_shape_are_refused(published: str) -> None:
    wide = SHAPE.model_copy(update={"text_init": published, "text_width": 64, "image_width": 64})
    with pytest.raises(UserError, match=r"does not fit the settings of the model: .* is \(.*32.*\), not \(.*64.*\)"):
        begin_mlip(wide, MLIP, texts=(), seed=0)


def test_a_name_that_cannot_be_fetched_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(UserError, match=r"text_init hf:nobody/nothing could not be loaded.*hf download nobody/nothing"):
        begin_mlip(SHAPE.model_copy(update={"text_init": "hf:nobody/nothing"}), MLIP, texts=(), seed=0)
    with pytest.raises(UserError, match="timm knows no such model"):
        begin_mlip(SHAPE.model_copy(update={"image_init": "vit_of_nobody"}), MLIP, texts=TEXTS, seed=0)


def test_training_goes_on_from_a_model_of_ours(tmp_path: Path) -> None:
    model, tokenizer = begin_mlip(SHAPE, MLIP, texts=TEXTS, seed=3)
    torch.nn.init.normal_(model.phi)
    settings = (model.settings, ObjectiveSettings(name="mlip"), MLIP)
    save_model(tmp_path / "model", model, settings=settings, tokenizer=tokenizer, articles=())
    begun, _ = begin_mlip(SHAPE.model_copy(update={"init": str(tmp_path / "model")}), MLIP, texts=(), seed=9)
    assert all(torch.equal(each, begun.state_dict()[name]) for name, each in model.state_dict().items())
