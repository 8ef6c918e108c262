"""to_timm(): the image encoder as a folder that timm reads, with the head as its classifier where it can be."""

import json

from safetensors.torch import save_file
from torch import nn

from trainers.formats.handed_on import handed_on
from trainers.towers import Towers

ARCHITECTURE = "vit_base_patch16_224"  # any of timm's ViTs; model_args say the shape
POOLS = {"first": "token", "mean": "avg"}
USE = """
import timm

model = timm.create_model("local-dir:FOLDER", pretrained=True).eval()  # with the head, where it is one layer
transform = timm.data.create_transform(**timm.data.resolve_model_data_config(model), is_training=False)
"""


def to_timm(folder: str, out: str) -> None:
    """Write config.json, model.safetensors and a card; raises UserError as `handed_on` does.

    A head of one layer on the pooled state is timm's classifier, whose output is the vector before it is made of unit
    length; of another the encoder alone is written, and its pooled states come out.
    """
    with handed_on(folder, out, library="timm", use=USE) as (model, _, draft):
        head = one_layer(model)
        tensors = {name: each.contiguous() for name, each in model.image_encoder.state_dict().items()}
        if head is not None:
            tensors |= {f"head.{name}": each.contiguous() for name, each in head.state_dict().items()}
        save_file(tensors, draft / "model.safetensors", metadata={"format": "pt"})
        (draft / "config.json").write_text(json.dumps(config_of(model, head), indent=1))


def one_layer(model: Towers) -> nn.Linear | None:
    """The head, where it is a layer on a pooled state as timm pools."""
    return model.image_head if isinstance(model.image_head, nn.Linear) and model.settings.pool in POOLS else None


def config_of(model: Towers, head: nn.Linear | None) -> dict[str, object]:
    """timm's description: architecture, shape, and how images are made."""
    settings = model.settings
    return {
        "architecture": ARCHITECTURE,
        "num_classes": head.out_features if head is not None else 0,
        "num_features": settings.image_width,
        "model_args": {
            "img_size": settings.image_size,
            "patch_size": settings.patch,
            "embed_dim": settings.image_width,
            "depth": settings.image_depth,
            "num_heads": settings.image_heads,
            "init_values": 1e-5 if settings.layer_scale else None,
            "fc_norm": False,  # the norm stands before the pooling
            "global_pool": POOLS.get(settings.pool, "token"),
        },
        "pretrained_cfg": {
            "input_size": [3, settings.image_size, settings.image_size],
            "fixed_input_size": True,
            "interpolation": "bicubic",
            "crop_pct": 1.0,
            "crop_mode": "border",  # letterboxed
            "mean": [0.5, 0.5, 0.5],
            "std": [0.5, 0.5, 0.5],
            "num_classes": head.out_features if head is not None else 0,
            "first_conv": "patch_embed.proj",
            "classifier": "head",
        },
    }
