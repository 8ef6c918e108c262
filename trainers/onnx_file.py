"""The named weights of an ONNX file, and what its graph does with them, read without the onnx package.

The file is one protobuf message (ONNX IR, onnx.proto3): of it the graph's nodes and its float32 initialisers are read.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

GRAPH, NODE, INITIALISER = 7, 1, 5  # fields: ModelProto.graph, GraphProto.node, GraphProto.initializer
INPUT, OUTPUT, OPERATOR = 1, 2, 4  # of NodeProto
DIMS, DATA_TYPE, NAME, RAW = 1, 2, 8, 9  # of TensorProto
FLOAT = 1  # TensorProto.DataType
VARINT, EIGHT_BYTES, COUNTED, FOUR_BYTES = 0, 1, 2, 5  # wire types of protobuf


@dataclass(frozen=True)
class Node:
    """One operation."""

    operator: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


@dataclass(frozen=True)
class OnnxFile:
    """What is read of a file."""

    weights: dict[str, NDArray[np.float32]]
    nodes: list[Node]


def read_onnx(file: Path) -> OnnxFile:
    """The float32 weights by name and the nodes in order; ValueError if the file is no ONNX, or cut short."""
    data = memoryview(file.read_bytes())
    weights: dict[str, NDArray[np.float32]] = {}
    nodes = list[Node]()
    for graph in _messages(data, GRAPH):
        for number, value in _fields(graph):
            if number == NODE and isinstance(value, memoryview):
                nodes.append(_node(value))
            elif number == INITIALISER and isinstance(value, memoryview):
                weights |= _tensor(value)
    if not weights:
        raise ValueError(f"{file} holds no weights as ONNX keeps them")
    return OnnxFile(weights=weights, nodes=nodes)


def _messages(data: memoryview, wanted: int) -> Iterator[memoryview]:
    return (value for number, value in _fields(data) if number == wanted and isinstance(value, memoryview))


def _fields(data: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """The fields of a message: number, and a whole number or the bytes."""
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        if key & 7 == VARINT:
            number, at = _varint(data, at)
            yield key >> 3, number
            continue
        length = {EIGHT_BYTES: 8, FOUR_BYTES: 4}.get(key & 7)
        if key & 7 == COUNTED:
            length, at = _varint(data, at)
        if length is None or at + length > len(data):
            raise ValueError("no protobuf message, or one that was cut short")
        yield key >> 3, data[at : at + length]
        at += length


def _varint(data: memoryview, at: int) -> tuple[int, int]:
    """A number of seven bits a byte, least first; and where it ends."""
    value = shift = 0
    while at < len(data) and shift < 64:
        byte = data[at]
        value, shift, at = value | (byte & 127) << shift, shift + 7, at + 1
        if byte < 128:
            return value, at
    raise ValueError("no protobuf message, or one that was cut short")


def _node(message: memoryview) -> Node:
    words: dict[int, list[str]] = {INPUT: [], OUTPUT: [], OPERATOR: []}
    for number, value in _fields(message):
        if number in words and isinstance(value, memoryview):
            words[number].append(bytes(value).decode())
    return Node("".join(words[OPERATOR]), tuple(words[INPUT]), tuple(words[OUTPUT]))


def _tensor(message: memoryview) -> dict[str, NDArray[np.float32]]:
    """The tensor by its name; nothing if it holds no float32."""
    held: dict[int, list[int | memoryview]] = {}
    for number, value in _fields(message):
        held.setdefault(number, []).append(value)
    dims = [side for value in held.get(DIMS, []) for side in ([value] if isinstance(value, int) else _packed(value))]
    kind, raw = held.get(DATA_TYPE, [0])[-1], held.get(RAW, [memoryview(b"")])[-1]
    name = held.get(NAME, [memoryview(b"")])[-1]
    if not isinstance(raw, memoryview) or not isinstance(name, memoryview):
        return {}
    if kind != FLOAT or len(raw) != 4 * int(np.prod(dims, dtype=np.int64)):
        return {}
    return {bytes(name).decode(): np.frombuffer(raw, "<f4").reshape(dims)}


def _packed(data: memoryview) -> list[int]:
    numbers, at = list[int](), 0
    while at < len(data):
        number, at = _varint(data, at)
        numbers.append(number)
    return numbers
