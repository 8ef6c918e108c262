"""Published BLIPs score the same in figray, and figray's models in transformers."""

import json
import logging
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import torch
from huggingface_hub import constants
from torch import Tensor
from transformers import (
    BlipConfig,
    BlipForConditionalGeneration,
    BlipForImageTextRetrieval,
    PreTrainedModel,
    PreTrainedTokenizerFast,
)

from core.config import UserError
from core.settings import ModelSettings, ObjectiveSettings
from trainers.batch import Batch, Collate, prepare
from trainers.blip import Blip
from trainers.checkpoint import save_model, training_articles
from trainers.interchange import begin_from, to_transformers

MLM, LM = ObjectiveSettings(temperature=0.05), ObjectiveSettings(text_objective="lm")
OURS = ModelSettings(
    image_size=32, patch=8, image_width=24, image_depth=2, image_heads=2, image_eps=1e-4,
    text_width=16, text_depth=2, text_heads=2, max_tokens=24, embedding=8, vocabulary=220, dropout=0.1,
)  # fmt: skip


@pytest.fixture
def batch(shape_rows: Callable[[int], list[dict[str, Any]]], tokenizer: PreTrainedTokenizerFast) -> Batch:
    """Six pairs with texts of different lengths."""
    rows = [row | {"text": " ".join(row["text"].split()[: 2 + n])} for n, row in enumerate(shape_rows(6))]
    return Collate(tokenizer, OURS.image_size, OURS.max_tokens)([prepare(row, OURS.image_size) for row in rows])


def theirs(tokenizer: PreTrainedTokenizerFast) -> BlipConfig:
    """Odd on purpose: widths that differ, heads and epsilons that are no one's default, more rows than pieces."""
    text = {
        "vocab_size": len(tokenizer) + 2, "hidden_size": 16, "intermediate_size": 64, "num_hidden_layers": 2,
        "num_attention_heads": 4, "max_position_embeddings": 40, "bos_token_id": tokenizer.cls_token_id,
        "sep_token_id": tokenizer.sep_token_id, "eos_token_id": tokenizer.sep_token_id,
    }  # fmt: skip
    image = {
        "hidden_size": 24, "intermediate_size": 96, "num_hidden_layers": 3, "num_attention_heads": 2,
        "image_size": 32, "patch_size": 8, "initializer_range": 0.02, "layer_norm_eps": 1e-5,
    }  # fmt: skip
    return BlipConfig(text_config=text, vision_config=image, image_text_hidden_size=8)


@torch.no_grad()
def perturb(model: torch.nn.Module) -> None:
    """Move every weight, so that no bias is 0 and no norm 1: a name mapped to the wrong place would show."""
    generator = torch.Generator().manual_seed(1)
    for weights in model.parameters():
        weights.add_(torch.randn(weights.shape, generator=generator), alpha=0.1)


def published(
    folder: Path, tokenizer: PreTrainedTokenizerFast, kind: type[PreTrainedModel] = BlipForImageTextRetrieval
) -> Any:
    torch.manual_seed(0)
    model = kind(theirs(tokenizer)).eval()
    perturb(model)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return model


def checkpoint(folder: Path, tokenizer: PreTrainedTokenizerFast, settings: ModelSettings = OURS) -> Blip:
    torch.manual_seed(0)
    model = Blip(settings, MLM).eval()
    perturb(model)
    save_model(folder, model, settings=(settings, MLM), tokenizer=tokenizer, articles=["PMC1.1"], images=["ab"])
    return model


@torch.no_grad()
def scores(model: Blip, batch: Batch) -> tuple[Tensor, Tensor]:
    """Cosines (N, N) of every image with every text, and match logits (N, 2) of the pairs."""
    model.eval()
    images, states = model.embed_images(batch.images)
    texts = model.embed_texts(batch.tokens, batch.mask)
    return images @ texts.T, model.match_logits(states, batch.tokens, batch.mask)


@torch.no_grad()
def their_scores(model: BlipForImageTextRetrieval, batch: Batch) -> tuple[Tensor, Tensor]:
    inputs = {"input_ids": batch.tokens, "attention_mask": batch.mask.long(), "pixel_values": batch.images}
    return model(**inputs, use_itm_head=False).itm_score, model(**inputs).itm_score


def assert_same(ours: tuple[Tensor, Tensor], others: tuple[Tensor, Tensor]) -> None:
    for mine, other in zip(ours, others, strict=True):
        torch.testing.assert_close(mine, other, atol=1e-5, rtol=0)
        assert mine.std() > 1e-2  # or anything would be the same


def test_a_published_blip_scores_as_in_transformers(
    tokenizer: PreTrainedTokenizerFast, batch: Batch, tmp_path: Path
) -> None:
    model = published(tmp_path, tokenizer)
    blip, again = begin_from(str(tmp_path), model=OURS, objective=MLM)
    assert_same(scores(blip, batch), their_scores(model, batch))
    assert again("A red disc")["input_ids"] == tokenizer("A red disc")["input_ids"]
    assert blip.temperature.item() == pytest.approx(0.05)
    assert (blip.settings.text_heads, blip.settings.image_eps, blip.settings.dropout) == (4, 1e-5, 0.1)
    assert (blip.settings.max_tokens, blip.settings.init) == (24, str(tmp_path))


def test_an_exported_model_scores_in_transformers_as_here(
    tokenizer: PreTrainedTokenizerFast, batch: Batch, tmp_path: Path
) -> None:
    model = checkpoint(tmp_path / "ours", tokenizer)
    to_transformers(tmp_path / "ours", tmp_path / "theirs")
    loaded: Any = BlipForImageTextRetrieval.from_pretrained(tmp_path / "theirs", output_loading_info=True)
    exported, report = loaded
    assert not any(report[what] for what in ("missing_keys", "unexpected_keys", "mismatched_keys"))
    assert_same(scores(model, batch), their_scores(exported.eval(), batch))
    assert training_articles(tmp_path / "theirs") == {"PMC1.1"}
    assert "1 articles (1 images" in (tmp_path / "theirs" / "README.md").read_text()
    assert {path.name for path in tmp_path.iterdir()} == {"ours", "theirs"}


def test_a_model_comes_back_from_transformers_as_it_went(
    tokenizer: PreTrainedTokenizerFast, batch: Batch, tmp_path: Path
) -> None:
    model = checkpoint(tmp_path / "ours", tokenizer)
    to_transformers(tmp_path / "ours", tmp_path / "theirs")
    back, again = begin_from(str(tmp_path / "theirs"), model=OURS, objective=MLM)
    assert_same(scores(back, batch), scores(model, batch))
    assert back.settings.model_copy(update={"init": None}) == OURS
    assert again.get_vocab() == tokenizer.get_vocab()


def test_a_checkpoint_of_figray_begins_with_all_its_weights_and_a_new_decoder_with_the_encoders(
    tokenizer: PreTrainedTokenizerFast, tmp_path: Path
) -> None:
    old = checkpoint(tmp_path / "ours", tokenizer)
    new, _ = begin_from(str(tmp_path / "ours"), model=OURS.model_copy(update={"dropout": 0.3}), objective=LM)
    weights = dict(new.named_parameters())
    assert all(torch.equal(weights.pop(name), value) for name, value in old.named_parameters())
    assert weights and all("attention" in name for name in weights)  # the decoder's own
    assert all(torch.equal(v, old.get_parameter(n.replace("decoder", "text_encoder"))) for n, v in weights.items())
    assert new.settings.dropout == 0.3


def test_a_published_captioner_lends_its_towers_its_decoder_and_its_word_head(
    tokenizer: PreTrainedTokenizerFast,
    batch: Batch,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    model = published(tmp_path, tokenizer, BlipForConditionalGeneration)
    blip, _ = begin_from(str(tmp_path), model=OURS, objective=LM)
    assert (
        "begin at random: image_head.bias, image_head.weight, match_head.bias, match_head.weight, text_h" in caplog.text
    )
    with torch.no_grad():
        states = blip.eval().embed_images(batch.images)[1]
        logits = model.text_decoder(batch.tokens, batch.mask.long(), encoder_hidden_states=states).logits
        torch.testing.assert_close(
            blip.next_words(states, batch.tokens, batch.mask), logits[:, :-1][batch.mask[:, 1:]], atol=1e-5, rtol=0
        )


def test_other_image_sizes_get_resampled_places_and_the_same_rest(
    tokenizer: PreTrainedTokenizerFast, batch: Batch, tmp_path: Path
) -> None:
    published(tmp_path, tokenizer)
    small, _ = begin_from(str(tmp_path), model=OURS, objective=MLM)
    large, _ = begin_from(str(tmp_path), model=OURS.model_copy(update={"image_size": 64}), objective=MLM)
    here, there = (model.get_parameter("image_encoder.pos_embed")[0] for model in (small, large))
    assert there.shape == (65, 24) and torch.equal(here[0], there[0])
    centre = there[1:].view(8, 8, 24)[2:6, 2:6].mean(dim=(0, 1))  # where bicubic has no border to mind
    torch.testing.assert_close(centre, here[1:].view(4, 4, 24)[1:3, 1:3].mean(dim=(0, 1)), atol=0.05, rtol=0)
    assert torch.equal(small.text_encoder.bert.embeddings.word_embeddings.weight,
                       large.text_encoder.bert.embeddings.word_embeddings.weight)  # fmt: skip


def test_every_weight_of_a_model_from_scratch_is_alive() -> None:
    torch.manual_seed(0)
    for name, weights in Blip(OURS, LM).named_parameters():
        if name.endswith("weight") and weights.dim() > 1:
            assert weights.std() > 1e-3, name


def test_what_is_missing_and_what_is_unused_is_named(
    tokenizer: PreTrainedTokenizerFast, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    published(tmp_path, tokenizer)
    model = {
        name: value.contiguous() for name, value in BlipForImageTextRetrieval(theirs(tokenizer)).state_dict().items()
    }
    del model["itm_head.bias"]
    torch.save(model | {"text_encoder.embeddings.position_ids": torch.arange(40)[None]}, tmp_path / "pytorch_model.bin")
    (tmp_path / "model.safetensors").unlink()
    with caplog.at_level(logging.INFO):
        begin_from(str(tmp_path), model=OURS, objective=MLM)
    random, unused = (record.getMessage() for record in caplog.records[-2:])
    assert random.endswith("at random: match_head.bias, word_head.bias, word_head.dense.bias, word_head.dense.weight, "
                           "word_head.norm.bias, word_head.norm.weight")  # fmt: skip
    assert unused.endswith("does not use: text_encoder.bert.embeddings.position_ids")


def broken(folder: Path, tokenizer: PreTrainedTokenizerFast, what: str) -> None:
    """A published BLIP with one thing wrong."""
    published(folder, tokenizer)
    file = folder / "config.json"
    config = json.loads(file.read_text())
    if what == "another model":
        config["model_type"] = "clip"
    if what == "another activation":
        config["vision_config"]["hidden_act"] = "quick_gelu"
    if what == "another width":
        config["text_config"]["intermediate_size"] = config["text_config"]["hidden_size"] = 32
    if what == "another image size":
        config["vision_config"]["image_size"] = 64
    file.write_text("{" if what == "no JSON" else json.dumps(config))
    if what == "no config":
        file.unlink()
    if what == "no tokenizer":
        (folder / "tokenizer.json").unlink()
    if what == "no weights":
        (folder / "model.safetensors").unlink()
    if what == "cut weights":
        (folder / "model.safetensors").write_bytes((folder / "model.safetensors").read_bytes()[:1000])


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ("another model", "model_type is clip"),
        ("another activation", "quick_gelu; figray has gelu only"),
        ("another width", r"has the shape \(.*\), not"),
        ("another image size", r"pos_embed has the shape \(1, 17, 24\), not \(1, 65, W\)"),
        ("no JSON", "is no JSON"),
        ("no config", "has no config.json.* it has model.safetensors, tokenizer.json"),
        ("no tokenizer", "has no tokenizer that can be read"),
        ("no weights", "has none of model.safetensors.* it has config.json"),
        ("cut weights", "model.safetensors cannot be read"),
    ],
)
def test_a_folder_that_does_not_fit_is_refused_with_what_was_found(
    what: str, message: str, tokenizer: PreTrainedTokenizerFast, tmp_path: Path
) -> None:
    broken(tmp_path, tokenizer, what)
    with pytest.raises(UserError, match=message):
        begin_from(str(tmp_path), model=OURS, objective=MLM)


def test_settings_that_the_weights_cannot_hold_are_refused(tokenizer: PreTrainedTokenizerFast, tmp_path: Path) -> None:
    published(tmp_path, tokenizer)
    with pytest.raises(UserError, match=r"set model.max_tokens to 40 or less"):
        begin_from(str(tmp_path), model=OURS.model_copy(update={"max_tokens": 48}), objective=MLM)
    with pytest.raises(UserError, match="image_size 36 does not fit"):
        begin_from(str(tmp_path), model=OURS.model_copy(update={"image_size": 36}), objective=MLM)
    with pytest.raises(UserError, match="is no folder with weights; a published model is written hf:"):
        begin_from(str(tmp_path / "absent"), model=OURS, objective=MLM)


class Hub(BaseHTTPRequestHandler):
    """One published model, a/b, as huggingface.co serves it."""

    folder: Path

    def do_GET(self) -> None:
        name = self.path.partition("?")[0].rpartition("/")[2]
        if self.path.startswith("/api/models/a/b/"):
            files = [{"type": "file", "path": file.name, "size": 1, "oid": ""} for file in self.folder.iterdir()]
            content = json.dumps(files if "/tree/" in self.path else {"id": "a/b", "sha": "1" * 40}).encode()
        elif self.path.startswith("/a/b/resolve/"):
            content = (self.folder / name).read_bytes()
        else:
            return self.send_error(404)
        self.send_response(200)
        for header, value in (("Content-Length", len(content)), ("ETag", f'"{name}"'), ("X-Repo-Commit", "1" * 40)):
            self.send_header(header, str(value))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(content)

    def do_HEAD(self) -> None:
        self.do_GET()

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing."""


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """The folder that a loopback server publishes as a/b."""
    Hub.folder = tmp_path / "published"
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "ENDPOINT", address)
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", address + "/{repo_id}/resolve/{revision}/{filename}")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    yield Hub.folder
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("kind", ["model.safetensors", "pytorch_model.bin"])
def test_a_published_name_is_downloaded(kind: str, hub: Path, tokenizer: PreTrainedTokenizerFast, batch: Batch) -> None:
    model, ours = published(hub, tokenizer), OURS
    if kind == "pytorch_model.bin":
        torch.save(model.state_dict(), hub / kind)
        (hub / "model.safetensors").unlink()
        with pytest.raises(UserError, match=r"pickles can run commands.*model.pickled_weights=true"):
            begin_from("hf:a/b", model=ours, objective=MLM)
        ours = ours.model_copy(update={"pickled_weights": True})
    blip, _ = begin_from("hf:a/b", model=ours, objective=MLM)
    assert_same(scores(blip, batch), their_scores(model, batch))
    assert blip.settings.init == "hf:a/b"


def test_a_name_that_is_not_published_says_what_to_do(hub: Path) -> None:
    with pytest.raises(UserError, match=r"404.*hf download nobody/nothing --local-dir FOLDER.*model.init=FOLDER"):
        begin_from("hf:nobody/nothing", model=OURS, objective=MLM)


def test_without_network_a_published_name_says_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(UserError, match=r"hf download nobody/nothing --local-dir FOLDER.*model.init=FOLDER"):
        begin_from("hf:nobody/nothing", model=OURS, objective=MLM)


def test_a_model_that_transformers_cannot_hold_and_a_folder_in_use_are_not_exported(
    tokenizer: PreTrainedTokenizerFast, tmp_path: Path
) -> None:
    for name, value in (("layer_scale", True), ("head_layers", 2), ("head_first", True)):
        checkpoint(tmp_path / name, tokenizer, OURS.model_copy(update={name: value}))
        with pytest.raises(UserError, match=rf"has {name} {str(value).lower()}, .*--to onnx keeps it"):
            to_transformers(tmp_path / name, tmp_path / "out")
    checkpoint(tmp_path / "mean", tokenizer, OURS.model_copy(update={"pool": "mean"}))
    with pytest.raises(UserError, match=r"has pool mean.* train one with model.pool=first"):
        to_transformers(tmp_path / "mean", tmp_path / "theirs")
    checkpoint(tmp_path / "first", tokenizer)
    with pytest.raises(UserError, match="not an empty folder"):
        to_transformers(tmp_path / "first", tmp_path / "mean")
    to_transformers(tmp_path / "first", tmp_path / "theirs")
    with pytest.raises(UserError, match="a model of transformers already"):
        to_transformers(tmp_path / "theirs", tmp_path / "again")
