"""to_open_clip(): a model as a folder that open_clip reads by `local-dir:`, with the same cosines."""

import json
from typing import Any

import torch
from safetensors.torch import save_file
from timm.models.vision_transformer import VisionTransformer
from torch import Tensor, nn
from transformers import BertConfig

from core.config import UserError
from trainers.batch import save_tokenizer
from trainers.formats.handed_on import handed_on, width_of, with_bias_before
from trainers.towers import Towers

IMAGE_POOLS = {"first": "tok", "mean": "avg"}
TEXT_POOLS = {"first": "cls_last_hidden_state_pooler", "mean": "mean_pooler"}
USE = """
import open_clip

model, preprocess = open_clip.create_model_from_pretrained("local-dir:FOLDER")
tokenizer = open_clip.get_tokenizer("local-dir:FOLDER")
images = model.encode_image(preprocess(image)[None], normalize=True)
texts = model.encode_text(tokenizer(["axial MRI of the brain"]), normalize=True)
# If this folder moves: name it in open_clip_config.json, `text_cfg.hf_model_name`, where the text encoder's shape is.
"""
BLOCK = {  # timm's names of a block's weights, and open_clip's
    "norm1.": "ln_1.", "norm2.": "ln_2.",
    "attn.qkv.weight": "attn.in_proj_weight", "attn.qkv.bias": "attn.in_proj_bias",
    "attn.proj.": "attn.out_proj.", "mlp.fc1.": "mlp.c_fc.", "mlp.fc2.": "mlp.c_proj.",
    "ls1.gamma": "ls_1.gamma", "ls2.gamma": "ls_2.gamma",
}  # fmt: skip


def to_open_clip(folder: str, out: str) -> None:
    """Write open_clip_config.json, open_clip_model.safetensors, the tokenizer and a card.

    open_clip's projections have no bias: a head's goes into the norm before it, which changes no cosine. Raises
    UserError for heads of two layers and for a text that is pooled otherwise, which open_clip has no place for.
    """
    with handed_on(folder, out, library="open_clip", use=USE) as (model, tokenizer, draft):
        refuse_other_shapes(model)
        tensors = image_tensors(model) | text_tensors(model)
        warmth = getattr(model, "log_temperature", None)
        tensors["logit_scale"] = -warmth.detach() if isinstance(warmth, Tensor) else torch.zeros(())
        save_file({n: each.contiguous() for n, each in tensors.items()}, draft / "open_clip_model.safetensors")
        (draft / "open_clip_config.json").write_text(json.dumps(config_of(model, out), indent=1))
        save_tokenizer(tokenizer, draft)
        alone = model.text_encoder.bert.config.to_dict() | {"is_decoder": False, "add_cross_attention": False}
        BertConfig.from_dict(alone).to_json_file(draft / "config.json")  # the text encoder's shape


def refuse_other_shapes(model: Towers) -> None:
    """UserError for what open_clip cannot compute."""
    settings = model.settings
    text_pool = settings.text_pool or settings.pool
    if settings.pool not in IMAGE_POOLS or text_pool not in TEXT_POOLS:
        raise UserError(
            f"open_clip has no place for model.pool={settings.pool}, text_pool={text_pool}: it knows first and mean"
        )
    if not all(isinstance(head, nn.Linear) for head in (model.image_head, model.text_head)):
        raise UserError("open_clip has no place for heads of two layers: --to onnx keeps them")


def config_of(model: Towers, out: str) -> dict[str, Any]:
    """open_clip's description of the model and of its images."""
    settings = model.settings
    return {
        "model_cfg": {
            "embed_dim": width_of(model),
            "vision_cfg": {
                "image_size": settings.image_size,
                "patch_size": settings.patch,
                "width": settings.image_width,
                "layers": settings.image_depth,
                "head_width": settings.image_width // settings.image_heads,
                "ls_init_value": 1e-5 if settings.layer_scale else None,
                "no_ln_pre": True,
                "pool_type": IMAGE_POOLS[settings.pool],
                "norm_kwargs": {"eps": settings.image_eps},
            },
            "text_cfg": {
                "hf_model_name": out,
                "hf_tokenizer_name": out,
                "hf_model_pretrained": False,
                "hf_pooler_type": TEXT_POOLS[settings.text_pool or settings.pool],
                "hf_proj_type": "linear",
                "context_length": settings.max_tokens,
            },
        },
        "preprocess_cfg": {
            "mean": [0.5, 0.5, 0.5],
            "std": [0.5, 0.5, 0.5],
            "interpolation": "bicubic",
            "resize_mode": "longest",  # letterboxed
            "fill_color": 0,
        },
    }


def image_tensors(model: Towers) -> dict[str, Tensor]:
    """The image tower by open_clip's names; the patch embedding's bias goes into the places of patches."""
    encoder, head = model.image_encoder, model.image_head
    assert isinstance(encoder, VisionTransformer) and isinstance(head, nn.Linear) and encoder.pos_embed is not None
    own = encoder.state_dict()
    places = own["pos_embed"][0].clone()
    places[1:] += own["patch_embed.proj.bias"]
    shift = with_bias_before(head.weight.detach(), head.bias.detach())
    tensors = {
        "visual.conv1.weight": own["patch_embed.proj.weight"],
        "visual.class_embedding": own["cls_token"][0, 0],
        "visual.positional_embedding": places,
        "visual.ln_post.weight": own["norm.weight"],
        "visual.ln_post.bias": own["norm.bias"] + shift,
        "visual.proj": head.weight.detach().T,
    }
    for name, each in own.items():
        if name.startswith("blocks."):
            _, number, rest = name.split(".", 2)
            theirs = next(rest.replace(our, their, 1) for our, their in BLOCK.items() if rest.startswith(our))
            tensors[f"visual.transformer.resblocks.{number}.{theirs}"] = each
    return tensors


def text_tensors(model: Towers) -> dict[str, Tensor]:
    """The text tower by open_clip's names; the head's bias goes into the last norm."""
    head = model.text_head
    assert isinstance(head, nn.Linear)
    bert = {name: each for name, each in model.text_encoder.bert.state_dict().items() if not is_of_fusion(name)}
    layers = [int(name.split(".")[2]) for name in bert if name.startswith("encoder.layer.")]
    last = f"encoder.layer.{max(layers)}.output.LayerNorm.bias"
    bert[last] = bert[last] + with_bias_before(head.weight.detach(), head.bias.detach())
    return {f"text.transformer.{name}": each for name, each in bert.items()} | {
        "text.proj.weight": head.weight.detach()
    }


def is_of_fusion(name: str) -> bool:
    """Whether a weight of the text encoder looks at images, or pools: open_clip's text reads alone."""
    return "crossattention" in name or name.startswith("pooler.")
