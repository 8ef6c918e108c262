"""ONNX files are read as protobuf writes them, and what is none is refused."""

from pathlib import Path

import numpy as np
import pytest

from trainers.onnx_file import Node, read_onnx


def number(value: int) -> bytes:
    """A varint, written by hand as the protobuf guide describes it."""
    written = bytearray()
    while value > 127:
        written.append(value & 127 | 128)
        value >>= 7
    return bytes([*written, value])


def field(place: int, content: bytes | int | str) -> bytes:
    if isinstance(content, int):
        return number(place << 3) + number(content)
    content = content.encode() if isinstance(content, str) else content
    return number(place << 3 | 2) + number(len(content)) + content


def tensor(name: str, values: np.ndarray, *, packed: bool = False, kind: int = 1) -> bytes:
    dims = field(1, b"".join(map(number, values.shape))) if packed else b"".join(field(1, n) for n in values.shape)
    return dims + field(2, kind) + field(8, name) + field(9, values.astype("<f4").tobytes())


def model(*parts: bytes) -> bytes:
    return field(1, 8) + field(2, "pytorch") + field(7, b"".join(parts))


@pytest.mark.parametrize("packed", [False, True])
def test_weights_and_nodes_are_read_by_name(tmp_path: Path, packed: bool) -> None:
    values = np.arange(600, dtype=np.float32).reshape(2, 300)
    node = field(1, "x") + field(1, "w") + field(2, "y") + field(3, "first") + field(4, "MatMul")
    file = tmp_path / "a.onnx"
    file.write_bytes(model(field(1, node), field(5, tensor("w", values, packed=packed)), field(2, "graph")))
    found = read_onnx(file)
    assert found.nodes == [Node("MatMul", ("x", "w"), ("y",))]
    assert list(found.weights) == ["w"]
    np.testing.assert_array_equal(found.weights["w"], values)


def test_tensors_of_another_type_are_left_out(tmp_path: Path) -> None:
    kept, other = tensor("w", np.zeros(3)), tensor("shape", np.zeros(3), kind=7)
    (tmp_path / "a.onnx").write_bytes(model(field(5, kept), field(5, other)))
    assert list(read_onnx(tmp_path / "a.onnx").weights) == ["w"]


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 no ONNX", model(field(5, tensor("w", np.zeros(9))))[:-5]])
def test_what_is_no_onnx_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.onnx").write_bytes(content)
    with pytest.raises(ValueError, match=r"weights|protobuf"):
        read_onnx(tmp_path / "a.onnx")
